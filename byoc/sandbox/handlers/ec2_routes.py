"""Route table, route, and the association of a route table with a subnet."""

from __future__ import annotations

import re
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
from byoc.sandbox.handlers.tagging import EC2, TaggedHandler, TagShape

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

    def told(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:  # noqa: ARG002
        """The table as described, without its routes."""
        table = route_table(aws, id)
        if table is None:
            return None
        return {"tagsAll": TagShape.UPPER.read(table.get("Tags")), "vpcId": table["VpcId"]}

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

    def told(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:
        """The route as its table shows it. It is imported as ``{table}_{destination}``."""
        table_id = inputs.get("routeTableId") or _table_in(id)
        routes = (route_table(aws, table_id) or {}).get("Routes", [])
        named = {name: key for name, key in self._destinations.items() if not inputs or inputs.get(name)}
        for route in routes:
            there = {name: route.get(key) for name, key in {**named, **self._targets}.items()}
            if self._id({**there, "routeTableId": table_id}) == (
                self._id(inputs) if inputs else self.imported_id(aws, id)
            ):
                return {"routeTableId": table_id, **there}
        return None

    def imported_id(self, aws: Aws, id: str) -> str:  # noqa: ARG002
        """From ``{table}_{destination}`` to table and checksum."""
        table_id, separator, destination = id.partition("_")
        return _route_id(table_id, destination) if separator else id

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
        destination = next((inputs[name] for name in self._destinations if inputs.get(name)), "")
        return _route_id(inputs["routeTableId"], destination)

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

    def told(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:  # noqa: ARG002
        """The association as its table shows it. It is imported as ``{subnet or gateway}/{table}``."""
        found = self._lookup(aws, id)
        if found is None:
            return None
        return {
            "gatewayId": found.get("GatewayId"),
            "routeTableId": found["RouteTableId"],
            "subnetId": found.get("SubnetId"),
        }

    def imported_id(self, aws: Aws, id: str) -> str:
        """From ``{subnet or gateway}/{table}`` to the association's id."""
        found = self._lookup(aws, id) if "/" in id else None
        return str(found["RouteTableAssociationId"]) if found else id

    @staticmethod
    def _lookup(aws: Aws, id: str) -> Described | None:
        owner, separator, table_id = id.partition("/")
        if separator:
            items = (route_table(aws, table_id) or {}).get("Associations", [])
            return first([item for item in items if owner in (item.get("SubnetId"), item.get("GatewayId"))])
        by_id = filters(association__route_table_association_id=id)
        table = describe(aws, "describe_route_tables", "RouteTables", Filters=by_id) or {}
        return first([item for item in table.get("Associations", []) if item["RouteTableAssociationId"] == id])

    def delete(self, aws: Aws, id: str, state: Properties) -> None:
        """``ec2:DisassociateRouteTable``, then wait until the table no longer shows it."""
        with ignoring("InvalidAssociationID.NotFound"):
            aws.client("ec2").disassociate_route_table(AssociationId=id)
        aws.wait(f"deletion of association {id}", lambda: self._describe(aws, id, state) is None)

    @staticmethod
    def _describe(aws: Aws, id: str, inputs: Properties) -> Described | None:
        table = route_table(aws, inputs["routeTableId"]) or {}
        return first([item for item in table.get("Associations", []) if item["RouteTableAssociationId"] == id])


def _route_id(table_id: str, destination: str) -> str:
    return f"r-{table_id}{zlib.crc32(destination.encode())}"


def _table_in(id: str) -> str:
    """The table of a route: of its import id, or of its own, where a checksum (digits only) follows without a mark."""
    table_id, separator, _ = id.partition("_")
    own = re.match(r"r-(rtb-(?:[0-9a-f]{17}|[0-9a-f]{8}))[0-9]+$", id)
    return table_id if separator or own is None else own[1]


def route_table(aws: Aws, id: str) -> Described | None:
    """A route table as EC2 describes it, or None."""
    return describe(aws, "describe_route_tables", "RouteTables", _TABLE_GONE, RouteTableIds=[id])


HANDLERS: tuple[type[Handler], ...] = (RouteTable, Route, RouteTableAssociation)
