"""Internet gateway, elastic IP and NAT gateway."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Set
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from byoc.sandbox.handlers.base import Aws, Handler, Properties
from byoc.sandbox.handlers.calls import code_of, ignoring, persist, present
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

_GATEWAY_GONE = "InvalidInternetGatewayID.NotFound"
_ADDRESS_GONE = ("InvalidAllocationID.NotFound", "InvalidAddressID.NotFound")
_NAT_GONE = ("NatGatewayNotFound", "InvalidNatGatewayID.NotFound")


class InternetGateway(TaggedHandler):
    """An internet gateway, attached after it was made. A change of its VPC moves it."""

    token = "aws:ec2/internetGateway:InternetGateway"  # noqa: S105
    tag_api = EC2

    def create(self, aws: Aws, inputs: Properties) -> str:
        """``ec2:CreateInternetGateway``."""
        answer = aws.client("ec2").create_internet_gateway(**specified_tags("internet-gateway", inputs))
        return str(answer["InternetGateway"]["InternetGatewayId"])

    def find(self, aws: Aws, inputs: Properties) -> str | None:
        """By tags."""
        gateways = aws.client("ec2").describe_internet_gateways(Filters=tag_filters(inputs))["InternetGateways"]
        return known_by_tags(gateways, inputs, "InternetGatewayId", "internet gateway")

    def configure(self, aws: Aws, id: str, inputs: Properties) -> None:
        """Attach it, unless it is attached already."""
        self._attach(aws, id, inputs.get("vpcId"))

    def modify(self, aws: Aws, id: str, changed: Set[str], old: Properties, new: Properties) -> None:
        """Detach from the old VPC, attach to the new one."""
        if "vpcId" in changed:
            self._detach(aws, id, old.get("vpcId"))
            self._attach(aws, id, new.get("vpcId"))
        super().modify(aws, id, changed - {"vpcId"}, old, new)

    def read(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:  # noqa: ARG002
        """The gateway as described."""
        gateway = self._describe(aws, id)
        if gateway is None:
            return None
        owner = gateway.get("OwnerId") or aws.account_id
        attachments = gateway.get("Attachments") or [{}]
        return {
            "arn": ec2_arn(aws, f"internet-gateway/{id}", owner),
            "ownerId": owner,
            "vpcId": attachments[0].get("VpcId", ""),
        }

    def told(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:  # noqa: ARG002
        """The gateway as described."""
        gateway = self._describe(aws, id)
        if gateway is None:
            return None
        attachments = gateway.get("Attachments") or [{}]
        return {"tagsAll": TagShape.UPPER.read(gateway.get("Tags")), "vpcId": attachments[0].get("VpcId")}

    def delete(self, aws: Aws, id: str, state: Properties) -> None:
        """Detach, then delete; both are repeated while public addresses still use it."""
        self._detach(aws, id, state.get("vpcId"))
        with ignoring(_GATEWAY_GONE):
            persist(
                aws,
                f"deletion of internet gateway {id}",
                lambda: aws.client("ec2").delete_internet_gateway(InternetGatewayId=id),
                "DependencyViolation",
            )

    def _attach(self, aws: Aws, id: str, vpc_id: str | None) -> None:
        if not vpc_id or self._attached(aws, id, vpc_id):
            return
        try:
            aws.client("ec2").attach_internet_gateway(InternetGatewayId=id, VpcId=vpc_id)
        except ClientError as error:  # a call whose answer was lost may have done it
            if code_of(error) != "Resource.AlreadyAssociated" or not self._attached(aws, id, vpc_id):
                raise
        aws.wait(f"attachment of {id} to {vpc_id}", lambda: self._attached(aws, id, vpc_id))

    def _detach(self, aws: Aws, id: str, vpc_id: str | None) -> None:
        if not vpc_id:
            return
        with ignoring("Gateway.NotAttached", _GATEWAY_GONE, "InvalidVpcID.NotFound"):
            persist(
                aws,
                f"detachment of {id} from {vpc_id}",
                lambda: aws.client("ec2").detach_internet_gateway(InternetGatewayId=id, VpcId=vpc_id),
                "DependencyViolation",
            )
        aws.wait(f"detachment of {id} from {vpc_id}", lambda: not self._attached(aws, id, vpc_id))

    def _attached(self, aws: Aws, id: str, vpc_id: str) -> bool:
        attachments = (self._describe(aws, id) or {}).get("Attachments", [])
        return any(attachment.get("VpcId") == vpc_id for attachment in attachments)

    @staticmethod
    def _describe(aws: Aws, id: str) -> Described | None:
        return describe(aws, "describe_internet_gateways", "InternetGateways", _GATEWAY_GONE, InternetGatewayIds=[id])


class Eip(TaggedHandler):
    """An elastic IP address for a NAT gateway; its id is the allocation's.

    After an interruption it is known by its tags alone: two addresses of one program need different tags.
    """

    token = "aws:ec2/eip:Eip"  # noqa: S105
    implied: ClassVar[Mapping[str, Any]] = {"domain": "vpc", "publicIpv4Pool": "amazon"}
    kept = frozenset({"domain", "networkBorderGroup", "publicIpv4Pool"})
    replace_on = frozenset({"address", "customerOwnedIpv4Pool", "domain", "networkBorderGroup", "publicIpv4Pool"})
    tag_api = EC2

    def check(self, logical_name: str, inputs: Properties, old: Properties | None) -> Properties:
        """Only free addresses: what uses one (a NAT gateway) associates it."""
        for name in ("instance", "networkInterface", "associateWithPrivateIp"):
            if inputs.get(name):
                raise ValueError(f"{name}: the sandbox makes unassociated addresses only")
        return super().check(logical_name, inputs, old)

    def create(self, aws: Aws, inputs: Properties) -> str:
        """``ec2:AllocateAddress``."""
        answer = aws.client("ec2").allocate_address(
            Domain=inputs.get("domain") or "vpc",
            **present(Address=inputs.get("address"), PublicIpv4Pool=inputs.get("publicIpv4Pool")),
            **specified_tags("elastic-ip", inputs),
        )
        return str(answer["AllocationId"])

    def find(self, aws: Aws, inputs: Properties) -> str | None:
        """By tags."""
        addresses = aws.client("ec2").describe_addresses(Filters=tag_filters(inputs))["Addresses"]
        return known_by_tags(addresses, inputs, "AllocationId", "elastic IP address")

    def read(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:  # noqa: ARG002
        """The address, and its reverse DNS record."""
        address = self._describe(aws, id)
        if address is None:
            return None
        names = aws.client("ec2").describe_addresses_attribute(AllocationIds=[id], Attribute="domain-name")
        record = (names.get("Addresses") or [{}])[0].get("PtrRecord", "")
        public_ip = address["PublicIp"]
        return {
            "allocationId": id,
            "arn": ec2_arn(aws, f"elastic-ip/{id}"),
            "associationId": address.get("AssociationId", ""),
            "domain": address.get("Domain", "vpc"),
            "instance": address.get("InstanceId", ""),
            "networkInterface": address.get("NetworkInterfaceId", ""),
            "privateIp": address.get("PrivateIpAddress", ""),
            "ptrRecord": record,
            "publicDns": f"ec2-{public_ip.replace('.', '-')}.{_dns_zone(aws)}",
            "publicIp": public_ip,
        }

    def told(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:  # noqa: ARG002
        """The address as described. ``address`` is a wish of the create call, of which AWS keeps nothing."""
        address = self._describe(aws, id)
        if address is None:
            return None
        return {
            "domain": address.get("Domain"),
            "networkBorderGroup": address.get("NetworkBorderGroup"),
            "publicIpv4Pool": address.get("PublicIpv4Pool"),
            "tagsAll": TagShape.UPPER.read(address.get("Tags")),
        }

    def delete(self, aws: Aws, id: str, state: Properties) -> None:  # noqa: ARG002
        """Disassociate if something holds it, then release."""
        address = self._describe(aws, id)
        if address is None:
            return
        if association := address.get("AssociationId"):
            with ignoring("InvalidAssociationID.NotFound"):
                aws.client("ec2").disassociate_address(AssociationId=association)
        with ignoring(*_ADDRESS_GONE):
            persist(
                aws,
                f"release of {id}",
                lambda: aws.client("ec2").release_address(AllocationId=id),
                "InvalidIPAddress.InUse",
            )

    @staticmethod
    def _describe(aws: Aws, id: str) -> Described | None:
        return describe(aws, "describe_addresses", "Addresses", *_ADDRESS_GONE, AllocationIds=[id])


class NatGateway(TaggedHandler):
    """A NAT gateway; AWS takes minutes to make one and keeps showing a deleted one for an hour."""

    token = "aws:ec2/natGateway:NatGateway"  # noqa: S105
    implied: ClassVar[Mapping[str, Any]] = {"connectivityType": "public"}
    kept = frozenset({"privateIp"})
    replace_on = frozenset({"allocationId", "connectivityType", "privateIp", "subnetId"})
    tag_api = EC2

    def create(self, aws: Aws, inputs: Properties) -> str:
        """``ec2:CreateNatGateway``."""
        answer = aws.client("ec2").create_nat_gateway(
            ClientToken=str(uuid.uuid4()),
            SubnetId=inputs["subnetId"],
            **present(
                AllocationId=inputs.get("allocationId"),
                ConnectivityType=inputs.get("connectivityType"),
                PrivateIpAddress=inputs.get("privateIp"),
            ),
            **specified_tags("natgateway", inputs),
        )
        return str(answer["NatGateway"]["NatGatewayId"])

    def find(self, aws: Aws, inputs: Properties) -> str | None:
        """By subnet and tags, among those that are alive."""
        wanted = [*filters(subnet_id=inputs["subnetId"]), {"Name": "state", "Values": ["pending", "available"]}]
        gateways = aws.client("ec2").describe_nat_gateways(Filters=wanted)["NatGateways"]
        return known_by_tags(gateways, inputs, "NatGatewayId", "NAT gateway")

    def configure(self, aws: Aws, id: str, inputs: Properties) -> None:  # noqa: ARG002
        """Wait until it is available; a failed one is an error with AWS's own reason."""
        aws.wait(f"NAT gateway {id}", lambda: self._available(aws, id))

    def read(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:
        """The gateway as described, with its first address."""
        gateway = self._describe(aws, id)
        if gateway is None:
            return None
        address = _first_address(gateway)
        return {
            "allocationId": address.get("AllocationId", inputs.get("allocationId", "")),
            "associationId": address.get("AssociationId", ""),
            "connectivityType": gateway.get("ConnectivityType", "public"),
            "networkInterfaceId": address.get("NetworkInterfaceId", ""),
            "privateIp": address.get("PrivateIp", ""),
            "publicIp": address.get("PublicIp", ""),
            "subnetId": gateway["SubnetId"],
            "vpcId": gateway.get("VpcId", ""),
        }

    def told(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:  # noqa: ARG002
        """The gateway as described, with its first address."""
        gateway = self._describe(aws, id)
        if gateway is None:
            return None
        address = _first_address(gateway)
        return {
            "allocationId": address.get("AllocationId"),
            "connectivityType": gateway.get("ConnectivityType"),
            "privateIp": address.get("PrivateIp"),
            "subnetId": gateway["SubnetId"],
            "tagsAll": TagShape.UPPER.read(gateway.get("Tags")),
        }

    def delete(self, aws: Aws, id: str, state: Properties) -> None:  # noqa: ARG002
        """``ec2:DeleteNatGateway``, then wait: until it is gone it holds its address and its subnet."""
        with ignoring(*_NAT_GONE):
            aws.client("ec2").delete_nat_gateway(NatGatewayId=id)
        aws.wait(f"deletion of NAT gateway {id}", lambda: self._describe(aws, id) is None)

    def _available(self, aws: Aws, id: str) -> bool:
        gateway = self._describe(aws, id) or {}
        if gateway.get("State") == "failed":
            raise RuntimeError(
                f"NAT gateway {id}: {gateway.get('FailureCode', '')} {gateway.get('FailureMessage', '')}"
            )
        return gateway.get("State") == "available"

    @staticmethod
    def _describe(aws: Aws, id: str) -> Described | None:
        gateway = describe(aws, "describe_nat_gateways", "NatGateways", *_NAT_GONE, NatGatewayIds=[id])
        return None if gateway is None or gateway.get("State") == "deleted" else gateway


def _first_address(gateway: Described) -> Mapping[str, Any]:
    addresses: list[Mapping[str, Any]] = gateway.get("NatGatewayAddresses") or [{}]
    return next((item for item in addresses if item.get("IsPrimary")), addresses[0])


def _dns_zone(aws: Aws) -> str:
    return "compute-1.amazonaws.com" if aws.region == "us-east-1" else f"{aws.region}.compute.amazonaws.com"


HANDLERS: tuple[type[Handler], ...] = (InternetGateway, Eip, NatGateway)
