"""Provider functions that look up VPCs, subnets and security groups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from byoc.errors import ByocError
from byoc.sandbox.handlers.base import Aws, Invoke, Properties
from byoc.sandbox.handlers.calls import first, paginate, present
from byoc.sandbox.handlers.calls_ec2 import describe, ec2_arn, filters
from byoc.sandbox.handlers.tagging import TagShape


def get_vpc(aws: Aws, arguments: Properties) -> Properties:
    """One VPC, by id, CIDR, tags or filters."""
    wanted = _filters(arguments, cidrBlock="cidr", dhcpOptionsId="dhcp-options-id", state="state")
    if arguments.get("default"):
        wanted += filters(isDefault="true")
    by_id = present(VpcIds=[arguments["id"]] if arguments.get("id") else None, Filters=wanted)
    vpc = _only(paginate(aws.client("ec2"), "describe_vpcs", "Vpcs", **by_id), "EC2 VPC", arguments)
    vpc_id = vpc["VpcId"]
    main = filters(association__main="true", vpc_id=vpc_id)
    table = describe(aws, "describe_route_tables", "RouteTables", Filters=main) or {}
    attributes = {
        name: aws.client("ec2").describe_vpc_attribute(VpcId=vpc_id, Attribute=name)[f"{name[0].upper()}{name[1:]}"][
            "Value"
        ]
        for name in ("enableDnsHostnames", "enableDnsSupport", "enableNetworkAddressUsageMetrics")
    }
    return {
        "arn": ec2_arn(aws, f"vpc/{vpc_id}", vpc["OwnerId"]),
        "cidrBlock": vpc["CidrBlock"],
        "cidrBlockAssociations": [
            {
                "associationId": item["AssociationId"],
                "cidrBlock": item["CidrBlock"],
                "state": item["CidrBlockState"]["State"],
            }
            for item in vpc.get("CidrBlockAssociationSet") or []
        ],
        "default": vpc.get("IsDefault", False),
        "dhcpOptionsId": vpc.get("DhcpOptionsId", ""),
        **attributes,
        "filters": arguments.get("filters"),
        "id": vpc_id,
        "instanceTenancy": vpc.get("InstanceTenancy", "default"),
        "ipv6AssociationId": "",
        "ipv6CidrBlock": "",
        "ipv6CidrBlockAssociations": [],
        "mainRouteTableId": table.get("RouteTableId", ""),
        "ownerId": vpc["OwnerId"],
        "region": aws.region,
        "state": vpc["State"],
        "tags": TagShape.UPPER.read(vpc.get("Tags")),
    }


def get_vpcs(aws: Aws, arguments: Properties) -> Properties:
    """The ids of all VPCs that tags and filters match; none is no error."""
    vpcs = paginate(aws.client("ec2"), "describe_vpcs", "Vpcs", **present(Filters=_filters(arguments)))
    return _many(aws, arguments, [vpc["VpcId"] for vpc in vpcs])


def get_subnet(aws: Aws, arguments: Properties) -> Properties:
    """One subnet, by id, VPC, CIDR, zone, tags or filters."""
    wanted = _filters(
        arguments,
        availabilityZone="availabilityZone",
        availabilityZoneId="availabilityZoneId",
        cidrBlock="cidrBlock",
        state="state",
        vpcId="vpc-id",
    )
    by_id = present(SubnetIds=[arguments["id"]] if arguments.get("id") else None, Filters=wanted)
    subnet = _only(paginate(aws.client("ec2"), "describe_subnets", "Subnets", **by_id), "EC2 Subnet", arguments)
    return {
        "arn": ec2_arn(aws, f"subnet/{subnet['SubnetId']}", subnet["OwnerId"]),
        "assignIpv6AddressOnCreation": subnet.get("AssignIpv6AddressOnCreation", False),
        "availabilityZone": subnet["AvailabilityZone"],
        "availabilityZoneId": subnet.get("AvailabilityZoneId", ""),
        "availableIpAddressCount": subnet.get("AvailableIpAddressCount", 0),
        "cidrBlock": subnet.get("CidrBlock", ""),
        "customerOwnedIpv4Pool": "",
        "defaultForAz": subnet.get("DefaultForAz", False),
        "enableDns64": False,
        "enableLniAtDeviceIndex": 0,
        "enableResourceNameDnsARecordOnLaunch": False,
        "enableResourceNameDnsAaaaRecordOnLaunch": False,
        "filters": arguments.get("filters"),
        "id": subnet["SubnetId"],
        "ipv6CidrBlock": "",
        "ipv6CidrBlockAssociationId": "",
        "ipv6Native": False,
        "mapCustomerOwnedIpOnLaunch": False,
        "mapPublicIpOnLaunch": subnet.get("MapPublicIpOnLaunch", False),
        "outpostArn": "",
        "ownerId": subnet["OwnerId"],
        "privateDnsHostnameTypeOnLaunch": "ip-name",
        "region": aws.region,
        "state": subnet["State"],
        "tags": TagShape.UPPER.read(subnet.get("Tags")),
        "vpcId": subnet["VpcId"],
    }


def get_subnets(aws: Aws, arguments: Properties) -> Properties:
    """The ids of all subnets that tags and filters match; none is no error."""
    subnets = paginate(aws.client("ec2"), "describe_subnets", "Subnets", **present(Filters=_filters(arguments)))
    return _many(aws, arguments, [subnet["SubnetId"] for subnet in subnets])


def get_security_group(aws: Aws, arguments: Properties) -> Properties:
    """One security group, by id, name, VPC, tags or filters."""
    wanted = _filters(arguments, name="group-name", vpcId="vpc-id")
    by_id = present(GroupIds=[arguments["id"]] if arguments.get("id") else None, Filters=wanted)
    groups = paginate(aws.client("ec2"), "describe_security_groups", "SecurityGroups", **by_id)
    group = _only(groups, "EC2 Security Group", arguments)
    return {
        "arn": _group_arn(aws, group),
        "description": group["Description"],
        "filters": arguments.get("filters"),
        "id": group["GroupId"],
        "name": group["GroupName"],
        "region": aws.region,
        "tags": TagShape.UPPER.read(group.get("Tags")),
        "vpcId": group.get("VpcId", ""),
    }


def get_security_groups(aws: Aws, arguments: Properties) -> Properties:
    """Ids, ARNs and VPCs of all security groups that tags and filters match, in one order; none is no error."""
    wanted = present(Filters=_filters(arguments))
    groups = paginate(aws.client("ec2"), "describe_security_groups", "SecurityGroups", **wanted)
    return {
        **_many(aws, arguments, [group["GroupId"] for group in groups]),
        "arns": [_group_arn(aws, group) for group in groups],
        "vpcIds": [group.get("VpcId", "") for group in groups],
    }


def _filters(arguments: Properties, **names: str) -> list[dict[str, Any]]:
    """EC2 filters: of plain arguments by ``names``, of ``tags``, and those given as ``filters``."""
    plain = [
        {"Name": filter_name, "Values": [str(arguments[name])]}
        for name, filter_name in names.items()
        if arguments.get(name)
    ]
    tags = [{"Name": f"tag:{key}", "Values": [value]} for key, value in (arguments.get("tags") or {}).items()]
    given = [{"Name": item["name"], "Values": list(item["values"])} for item in arguments.get("filters") or []]
    return [*plain, *tags, *given]


def _only(found: list[Any], what: str, arguments: Properties) -> Mapping[str, Any]:
    """The one thing that was found; none and several are errors, as in the provider."""
    asked = {key: value for key, value in arguments.items() if value is not None}
    if len(found) > 1:
        raise ByocError(f"multiple {what}s matched {asked}; use additional constraints to reduce matches to one")
    thing: Mapping[str, Any] | None = first(found)
    if thing is None:
        raise ByocError(f"no matching {what} found: {asked}")
    return thing


def _many(aws: Aws, arguments: Properties, ids: list[str]) -> Properties:
    given = {"filters": arguments.get("filters"), "tags": arguments.get("tags") or {}}
    return {**given, "id": aws.region, "ids": ids, "region": aws.region}


def _group_arn(aws: Aws, group: Mapping[str, Any]) -> str:
    return ec2_arn(aws, f"security-group/{group['GroupId']}", group["OwnerId"])


INVOKES: dict[str, Invoke] = {
    "aws:ec2/getSecurityGroup:getSecurityGroup": get_security_group,
    "aws:ec2/getSecurityGroups:getSecurityGroups": get_security_groups,
    "aws:ec2/getSubnet:getSubnet": get_subnet,
    "aws:ec2/getSubnets:getSubnets": get_subnets,
    "aws:ec2/getVpc:getVpc": get_vpc,
    "aws:ec2/getVpcs:getVpcs": get_vpcs,
}
