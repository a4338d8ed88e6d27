"""Route table, route, and the association of a route table with a subnet."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any, ClassVar

from byoc.sandbox.handlers.base import Aws, Diff, Handler, Properties
from byoc.sandbox.handlers.calls import first, ignoring, persist, present
from byoc.sandbox.handlers.calls_ec2 import (
    Described,
    describe,
    ec2_arn,
    filters,
    known_by_tags,
    specified_tags,
    tag_filters,
)
from byoc.sandbox.handlers.tagging import EC2, TaggedHandler

_TABLE_GONE = "InvalidRouteTableID.NotFound"


class RouteTable(TaggedHandler):
    """A route table. Its routes are resources of their own."""

    token = "aws:ec2/routeTable:RouteTable"  # noqa: S105
    replace_on = frozenset({"vpcId"})
    tag_api = EC2

    def check(self, logical_name: str, inputs: Properties, old: Properties | None) -> Properties:
        """Refuse routes inside the table, which the sandbox does not make."""
        for name in ("routes", "propagatingVgws"):
            if inputs.get(name):
                raise ValueError(f"{name}: the sandbox takes routes as resources of their own (aws.ec2.Route)")
        return super().check(logical_name, inputs, old)

    def create(self, aws: Aws, inputs: Properties) -> str:
        """``ec2:CreateRouteTable``."""
        answer = aws.client("ec2").create_route_table(VpcId=inputs["vpcId"], **specified_tags("route-table", inputs))
        return str(answer["RouteTable"]["RouteTableId"])

    def find(self, aws: Aws, inputs: Properties) -> str | None:
        """By VPC and tags."""
        wanted = [*filters(vpc_id=inputs["vpcId"]), *tag_filters(inputs)]
        tables = aws.client("ec2").describe_route_tables(Filters=wanted)["RouteTables"]
        return known_by_tags(tables, inputs, "RouteTableId", "route table")

    def read(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:  # noqa: ARG002
        """The table as described, without its routes."""
        table = route_table(aws, id)
        if table is None:
            return None
        owner = table.get("OwnerId") or aws.account_id
        return {"arn": ec2_arn(aws, f"route-table/{id}", owner), "ownerId": owner, "vpcId": table["VpcId"]}

    def delete(self, aws: Aws, id: str, state: Properties) -> None:  # noqa: ARG002
        """Take off what is still associated, delete, and wait until it is gone."""
        client = aws.client("ec2")
        for association in (route_table(aws, id) or {}).get("Associations", []):
            with ignoring("InvalidAssociationID.NotFound"):
                client.disassociate_route_table(AssociationId=association["RouteTableAssociationId"])
        with ignoring(_TABLE_GONE):
            persist(
                aws,
                f"deletion of route table {id}",
                lambda: client.delete_route_table(RouteTableId=id),
                "DependencyViolation",
            )
        aws.wait(f"deletion of route table {id}", lambda: route_table(aws, id) is None)


class Route(Handler):
    """One route of a route table."""

    token = "aws:ec2/route:Route"  # noqa: S105
    replace_on = frozenset(
        {"destinationCidrBlock", "destinationIpv6CidrBlock", "destinationPrefixListId", "routeTableId"}
    )

    _targets: ClassVar[Mapping[str, str]] = {
        "carrierGatewayId": "CarrierGatewayId",
        "egressOnlyGatewayId": "EgressOnlyInternetGatewayId",
        "gatewayId": "GatewayId",
        "natGatewayId": "NatGatewayId",
        "networkInterfaceId": "NetworkInterfaceId",
        "transitGatewayId": "TransitGatewayId",
        "vpcEndpointId": "VpcEndpointId",
        "vpcPeeringConnectionId": "VpcPeeringConnectionId",
    }
    _destinations: ClassVar[Mapping[str, str]] = {
        "destinationCidrBlock": "DestinationCidrBlock",
        "destinationIpv6CidrBlock": "DestinationIpv6CidrBlock",
        "destinationPrefixListId": "DestinationPrefixListId",
    }

    def create(self, aws: Aws, inputs: Properties) -> str:
        """``ec2:CreateRoute``; the id is the provider's: the table and a checksum of the destination."""
        aws.client("ec2").create_route(**self._named(inputs), **self._target(inputs))
        return self._id(inputs)

    def find(self, aws: Aws, inputs: Properties) -> str | None:
        """The route to the same destination, if it leads to the same target."""
        route = self._describe(aws, inputs) or {}
        wanted = self._target(inputs)
        return self._id(inputs) if wanted and all(route.get(key) == value for key, value in wanted.items()) else None

    def configure(self, aws: Aws, id: str, inputs: Properties) -> None:
        """Wait until the table shows it."""
        aws.wait(f"route {id}", lambda: self._describe(aws, inputs) is not None)

    def read(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:  # noqa: ARG002
        """The route as its table shows it."""
        route = self._describe(aws, inputs)
        if route is None:
            return None
        targets = {name: route[key] for name, key in self._targets.items() if route.get(key)}
        return {**targets, "origin": route.get("Origin", "CreateRoute"), "state": route.get("State", "active")}

    def update(self, aws: Aws, id: str, old: Properties, new: Properties) -> None:  # noqa: ARG002
        """Another target: ``ec2:ReplaceRoute``."""
        aws.client("ec2").replace_route(**self._named(new), **self._target(new))

    def delete(self, aws: Aws, id: str, state: Properties) -> None:
        """``ec2:DeleteRoute``, then wait until the table no longer shows it."""
        with ignoring("InvalidRoute.NotFound", _TABLE_GONE):
            aws.client("ec2").delete_route(**self._named(state))
        aws.wait(f"deletion of route {id}", lambda: self._describe(aws, state) is None)

    def _named(self, inputs: Properties) -> dict[str, Any]:
        destination = present(**{key: inputs.get(name) for name, key in self._destinations.items()})
        return {"RouteTableId": inputs["routeTableId"], **destination}

    def _target(self, inputs: Properties) -> dict[str, Any]:
        return present(**{key: inputs.get(name) for name, key in self._targets.items()})

    def _id(self, inputs: Properties) -> str:
        destination = next(inputs[name] for name in self._destinations if inputs.get(name))
        return f"r-{inputs['routeTableId']}{zlib.crc32(destination.encode())}"

    def _describe(self, aws: Aws, inputs: Properties) -> Described | None:
        table = route_table(aws, inputs["routeTableId"]) or {}
        wanted = {key: value for key, value in self._named(inputs).items() if key != "RouteTableId"}
        routes = table.get("Routes", [])
        return first([route for route in routes if all(route.get(key) == value for key, value in wanted.items())])


class RouteTableAssociation(Handler):
    """The association of a subnet (or gateway) with a route table.

    The AWS provider changes the table in place (``ReplaceRouteTableAssociation``), by which the id changes. An update
    here keeps the id, so a new table is a replacement, deleted first: a subnet has one association.
    """

    token = "aws:ec2/routeTableAssociation:RouteTableAssociation"  # noqa: S105
    replace_on = frozenset({"gatewayId", "routeTableId", "subnetId"})

    def diff(self, old: Properties, new: Properties) -> Diff:
        """Every change is a replacement, deleted first."""
        diff = super().diff(old, new)
        return Diff(diff.changed, diff.replaces, delete_before_replace=bool(diff.replaces))

    def create(self, aws: Aws, inputs: Properties) -> str:
        """``ec2:AssociateRouteTable``."""
        answer = aws.client("ec2").associate_route_table(
            RouteTableId=inputs["routeTableId"],
            **present(SubnetId=inputs.get("subnetId"), GatewayId=inputs.get("gatewayId")),
        )
        return str(answer["AssociationId"])

    def find(self, aws: Aws, inputs: Properties) -> str | None:
        """The association of the same two things; there can be one only."""
        table = route_table(aws, inputs["routeTableId"]) or {}
        wanted = present(SubnetId=inputs.get("subnetId"), GatewayId=inputs.get("gatewayId"))
        matches = [
            str(association["RouteTableAssociationId"])
            for association in table.get("Associations", [])
            if all(association.get(key) == value for key, value in wanted.items())
        ]
        return first(matches)

    def configure(self, aws: Aws, id: str, inputs: Properties) -> None:
        """Wait until the table shows it."""
        aws.wait(f"association {id}", lambda: self._describe(aws, id, inputs) is not None)

    def read(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:
        """Whether it is still there; it has no outputs of its own."""
        association = self._describe(aws, id, inputs)
        return None if association is None else {"routeTableId": association["RouteTableId"]}

    def delete(self, aws: Aws, id: str, state: Properties) -> None:
        """``ec2:DisassociateRouteTable``, then wait until the table no longer shows it."""
        with ignoring("InvalidAssociationID.NotFound"):
            aws.client("ec2").disassociate_route_table(AssociationId=id)
        aws.wait(f"deletion of association {id}", lambda: self._describe(aws, id, state) is None)

    @staticmethod
    def _describe(aws: Aws, id: str, inputs: Properties) -> Described | None:
        table = route_table(aws, inputs["routeTableId"]) or {}
        return first([item for item in table.get("Associations", []) if item["RouteTableAssociationId"] == id])


def route_table(aws: Aws, id: str) -> Described | None:
    """A route table as EC2 describes it, or None."""
    return describe(aws, "describe_route_tables", "RouteTables", _TABLE_GONE, RouteTableIds=[id])


HANDLERS: tuple[type[Handler], ...] = (RouteTable, Route, RouteTableAssociation)
