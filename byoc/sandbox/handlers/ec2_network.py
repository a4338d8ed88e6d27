"""VPC and subnet."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any, ClassVar

from byoc.sandbox.handlers.base import Aws, Handler, Properties
from byoc.sandbox.handlers.calls import ignoring, persist, present
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

_VPC_GONE = "InvalidVpcID.NotFound"
_SUBNET_GONE = "InvalidSubnetID.NotFound"


class Vpc(TaggedHandler):
    """A VPC; its attributes are set one call each, as the API wants."""

    token = "aws:ec2/vpc:Vpc"  # noqa: S105
    implied: ClassVar[Mapping[str, Any]] = {
        "enableDnsHostnames": False,
        "enableDnsSupport": True,
        "enableNetworkAddressUsageMetrics": False,
        "instanceTenancy": "default",
    }
    replace_on = frozenset({"cidrBlock", "ipv4IpamPoolId", "ipv4NetmaskLength"})
    tag_api = EC2

    _attributes: ClassVar[dict[str, tuple[str, bool]]] = {
        "enableDnsHostnames": ("EnableDnsHostnames", False),
        "enableDnsSupport": ("EnableDnsSupport", True),
        "enableNetworkAddressUsageMetrics": ("EnableNetworkAddressUsageMetrics", False),
    }
    """Input: name in the API, and what AWS sets by itself."""

    def create(self, aws: Aws, inputs: Properties) -> str:
        """``ec2:CreateVpc``."""
        answer = aws.client("ec2").create_vpc(
            **present(CidrBlock=inputs.get("cidrBlock"), InstanceTenancy=inputs.get("instanceTenancy")),
            **specified_tags("vpc", inputs),
        )
        return str(answer["Vpc"]["VpcId"])

    def find(self, aws: Aws, inputs: Properties) -> str | None:
        """By tags and CIDR."""
        wanted = [*filters(cidr=inputs.get("cidrBlock", "")), *tag_filters(inputs)]
        return known_by_tags(aws.client("ec2").describe_vpcs(Filters=wanted)["Vpcs"], inputs, "VpcId", "VPC")

    def configure(self, aws: Aws, id: str, inputs: Properties) -> None:
        """Wait until it is there; set the attributes that differ from what AWS sets."""
        aws.wait(f"VPC {id}", lambda: (self._describe(aws, id) or {}).get("State") == "available")
        for name, (attribute, default) in self._attributes.items():
            if inputs.get(name) not in (None, default):
                self._set(aws, id, attribute, inputs[name])

    def modify(self, aws: Aws, id: str, changed: Set[str], old: Properties, new: Properties) -> None:
        """Attributes one by one; tenancy can only become ``default``."""
        for name in sorted(changed & self._attributes.keys()):
            attribute, default = self._attributes[name]
            self._set(aws, id, attribute, new.get(name, default))
        if "instanceTenancy" in changed:
            aws.client("ec2").modify_vpc_tenancy(VpcId=id, InstanceTenancy=new.get("instanceTenancy", "default"))
        super().modify(aws, id, changed - self._attributes.keys() - {"instanceTenancy"}, old, new)

    def read(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:  # noqa: ARG002
        """The VPC, three attributes, and the ids of its main route table, default ACL and default group."""
        vpc = self._describe(aws, id)
        if vpc is None:
            return None
        acl = describe(aws, "describe_network_acls", "NetworkAcls", Filters=filters(default="true", vpc_id=id)) or {}
        main = filters(association__main="true", vpc_id=id)
        table = describe(aws, "describe_route_tables", "RouteTables", Filters=main) or {}
        group_filters = filters(group_name="default", vpc_id=id)
        group = describe(aws, "describe_security_groups", "SecurityGroups", Filters=group_filters) or {}
        return {
            "arn": ec2_arn(aws, f"vpc/{id}", vpc["OwnerId"]),
            "cidrBlock": vpc["CidrBlock"],
            "dhcpOptionsId": vpc.get("DhcpOptionsId", ""),
            "instanceTenancy": vpc.get("InstanceTenancy", "default"),
            "ownerId": vpc["OwnerId"],
            **self._attribute_values(aws, id),
            "defaultNetworkAclId": acl.get("NetworkAclId", ""),
            "mainRouteTableId": table.get("RouteTableId", ""),
            "defaultRouteTableId": table.get("RouteTableId", ""),
            "defaultSecurityGroupId": group.get("GroupId", ""),
        }

    def told(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:  # noqa: ARG002
        """The VPC and its three attributes."""
        vpc = self._describe(aws, id)
        if vpc is None:
            return None
        return {
            "cidrBlock": vpc["CidrBlock"],
            "instanceTenancy": vpc.get("InstanceTenancy", "default"),
            **self._attribute_values(aws, id),
            "tagsAll": TagShape.UPPER.read(vpc.get("Tags")),
        }

    def delete(self, aws: Aws, id: str, state: Properties) -> None:  # noqa: ARG002
        """``ec2:DeleteVpc``, repeated while something is still in it; then wait until it is gone."""
        with ignoring(_VPC_GONE):
            persist(aws, f"deletion of VPC {id}", lambda: aws.client("ec2").delete_vpc(VpcId=id), "DependencyViolation")
        aws.wait(f"deletion of VPC {id}", lambda: self._describe(aws, id) is None)

    @staticmethod
    def _describe(aws: Aws, id: str) -> Described | None:
        return describe(aws, "describe_vpcs", "Vpcs", _VPC_GONE, VpcIds=[id])

    def _attribute_values(self, aws: Aws, id: str) -> dict[str, bool]:
        client = aws.client("ec2")
        return {
            name: client.describe_vpc_attribute(VpcId=id, Attribute=name)[attribute]["Value"]
            for name, (attribute, _) in self._attributes.items()
        }

    @staticmethod
    def _set(aws: Aws, id: str, attribute: str, value: bool) -> None:
        aws.client("ec2").modify_vpc_attribute(VpcId=id, **{attribute: {"Value": value}})


class Subnet(TaggedHandler):
    """A subnet; its attributes are set one call each, as the API wants."""

    token = "aws:ec2/subnet:Subnet"  # noqa: S105
    implied: ClassVar[Mapping[str, Any]] = {
        "assignIpv6AddressOnCreation": False,
        "enableResourceNameDnsARecordOnLaunch": False,
        "mapPublicIpOnLaunch": False,
        "privateDnsHostnameTypeOnLaunch": "ip-name",
    }
    kept = frozenset({"availabilityZone", "availabilityZoneId"})
    unstated = frozenset({"availabilityZoneId"})  # the zone's name says it
    replace_on = frozenset(
        {
            "availabilityZone",
            "availabilityZoneId",
            "cidrBlock",
            "ipv4IpamPoolId",
            "ipv4NetmaskLength",
            "ipv6Native",
            "outpostArn",
            "vpcId",
        }
    )
    tag_api = EC2

    _attributes: ClassVar[dict[str, tuple[str, object]]] = {
        "mapPublicIpOnLaunch": ("MapPublicIpOnLaunch", False),
        "assignIpv6AddressOnCreation": ("AssignIpv6AddressOnCreation", False),
        "enableResourceNameDnsARecordOnLaunch": ("EnableResourceNameDnsARecordOnLaunch", False),
        "privateDnsHostnameTypeOnLaunch": ("PrivateDnsHostnameTypeOnLaunch", "ip-name"),
    }
    """Input: name in the API, and what AWS sets by itself."""

    def create(self, aws: Aws, inputs: Properties) -> str:
        """``ec2:CreateSubnet``."""
        answer = aws.client("ec2").create_subnet(
            VpcId=inputs["vpcId"],
            **present(
                CidrBlock=inputs.get("cidrBlock"),
                AvailabilityZone=inputs.get("availabilityZone"),
                AvailabilityZoneId=inputs.get("availabilityZoneId"),
            ),
            **specified_tags("subnet", inputs),
        )
        return str(answer["Subnet"]["SubnetId"])

    def find(self, aws: Aws, inputs: Properties) -> str | None:
        """By VPC, CIDR and tags."""
        wanted = filters(vpc_id=inputs["vpcId"], cidr_block=inputs.get("cidrBlock", ""))
        subnets = aws.client("ec2").describe_subnets(Filters=wanted)["Subnets"]
        return known_by_tags(subnets, inputs, "SubnetId", "subnet")

    def configure(self, aws: Aws, id: str, inputs: Properties) -> None:
        """Wait until it is there; set the attributes that differ from what AWS sets."""
        aws.wait(f"subnet {id}", lambda: (self._describe(aws, id) or {}).get("State") == "available")
        for name, (attribute, default) in self._attributes.items():
            if inputs.get(name) not in (None, default):
                self._set(aws, id, attribute, inputs[name])

    def modify(self, aws: Aws, id: str, changed: Set[str], old: Properties, new: Properties) -> None:
        """Attributes one by one."""
        for name in sorted(changed & self._attributes.keys()):
            attribute, default = self._attributes[name]
            self._set(aws, id, attribute, new.get(name, default))
        super().modify(aws, id, changed - self._attributes.keys(), old, new)

    def read(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:  # noqa: ARG002
        """The subnet as described."""
        subnet = self._describe(aws, id)
        if subnet is None:
            return None
        return {
            "arn": ec2_arn(aws, f"subnet/{id}", subnet["OwnerId"]),
            "availabilityZone": subnet["AvailabilityZone"],
            "availabilityZoneId": subnet.get("AvailabilityZoneId", ""),
            "cidrBlock": subnet.get("CidrBlock", ""),
            "mapPublicIpOnLaunch": subnet.get("MapPublicIpOnLaunch", False),
            "ownerId": subnet["OwnerId"],
            "vpcId": subnet["VpcId"],
        }

    def told(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:  # noqa: ARG002
        """The subnet as described."""
        subnet = self._describe(aws, id)
        if subnet is None:
            return None
        names = subnet.get("PrivateDnsNameOptionsOnLaunch") or {}
        return {
            "assignIpv6AddressOnCreation": subnet.get("AssignIpv6AddressOnCreation", False),
            "availabilityZone": subnet["AvailabilityZone"],
            "availabilityZoneId": subnet.get("AvailabilityZoneId"),
            "cidrBlock": subnet.get("CidrBlock"),
            "enableResourceNameDnsARecordOnLaunch": names.get("EnableResourceNameDnsARecord", False),
            "mapPublicIpOnLaunch": subnet.get("MapPublicIpOnLaunch", False),
            "privateDnsHostnameTypeOnLaunch": names.get("HostnameType"),
            "tagsAll": TagShape.UPPER.read(subnet.get("Tags")),
            "vpcId": subnet["VpcId"],
        }

    def delete(self, aws: Aws, id: str, state: Properties) -> None:  # noqa: ARG002
        """Look for network interfaces that AWS services left behind, delete these, then the subnet."""
        delete_lingering_interfaces(aws, "subnet-id", id)
        with ignoring(_SUBNET_GONE):
            persist(
                aws,
                f"deletion of subnet {id}",
                lambda: aws.client("ec2").delete_subnet(SubnetId=id),
                "DependencyViolation",
            )

    @staticmethod
    def _describe(aws: Aws, id: str) -> Described | None:
        return describe(aws, "describe_subnets", "Subnets", _SUBNET_GONE, SubnetIds=[id])

    @staticmethod
    def _set(aws: Aws, id: str, attribute: str, value: Any) -> None:  # noqa: ANN401
        written = {"Value": value} if isinstance(value, bool) else value
        aws.client("ec2").modify_subnet_attribute(SubnetId=id, **{attribute: written})


def delete_lingering_interfaces(aws: Aws, filter_name: str, value: str) -> None:
    """Delete the network interfaces that ECS and Lambda leave behind, detached, in a subnet or security group."""
    client = aws.client("ec2")
    found = client.describe_network_interfaces(Filters=[{"Name": filter_name, "Values": [value]}])["NetworkInterfaces"]
    for interface in found:
        leftover = str(interface.get("Description", "")).startswith(("AWS Lambda VPC ENI", "ecs-"))
        if leftover and interface.get("Status") == "available":
            with ignoring("InvalidNetworkInterfaceID.NotFound"):
                client.delete_network_interface(NetworkInterfaceId=interface["NetworkInterfaceId"])


HANDLERS: tuple[type[Handler], ...] = (Vpc, Subnet)
