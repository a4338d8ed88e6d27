"""Looks for the network of an install: by its tag, and by the names that it gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from byoc import tags
from byoc.operations.teardown.found import Found
from byoc.operations.teardown.subject import Subject, tag_map

ADOPTED_TAG = "tag on an adopted VPC or subnet"


def _ec2(kind: str, action: str, key: str, id_key: str) -> Callable[[Subject], Iterator[Found]]:
    def look(subject: Subject) -> Iterator[Found]:
        for item in owned(subject, action, key, id_key):
            found_tags = tag_map(item.get("Tags"))
            yield Found(
                kind=kind,
                id=item[id_key],
                deployment=found_tags.get(tags.DEPLOYMENT_KEY, ""),
                note=item.get("GroupName") or found_tags.get("Name", ""),
            )

    look.__doc__ = f"{kind}: by tag, and by name where nobody's tag is on it."
    return look


def owned(subject: Subject, action: str, key: str, id_key: str) -> Iterator[dict[str, Any]]:
    """What EC2 lists and the install owns, but for what EC2 only shows a while longer."""
    names = subject.names
    prefix = names.prefix
    seen: set[str] = set()
    fixed = [names.load_balancer_security_group, names.service_security_group, names.data_security_group]
    for words in (
        {"Name": f"tag:{tags.INSTALL_KEY}", "Values": [prefix]},
        {"Name": "tag:Name", "Values": [prefix, f"{prefix}-*"]},
        *([{"Name": "group-name", "Values": fixed}] if key == "SecurityGroups" else []),
    ):
        for item in subject.account.all(action, key, Filters=[words]):
            found_tags = tag_map(item.get("Tags"))
            foreign = found_tags.get(tags.INSTALL_KEY, prefix) != prefix
            if not foreign and not _is_gone(item) and item[id_key] not in seen:
                seen.add(item[id_key])
                yield item


def _is_gone(item: Mapping[str, Any]) -> bool:
    return str(item.get("State", "")).lower() in ("deleted", "deleting")


vpcs = _ec2("VPC", "ec2:DescribeVpcs", "Vpcs", "VpcId")
subnets = _ec2("subnet", "ec2:DescribeSubnets", "Subnets", "SubnetId")
route_tables = _ec2("route table", "ec2:DescribeRouteTables", "RouteTables", "RouteTableId")
internet_gateways = _ec2("internet gateway", "ec2:DescribeInternetGateways", "InternetGateways", "InternetGatewayId")
nat_gateways = _ec2("NAT gateway", "ec2:DescribeNatGateways", "NatGateways", "NatGatewayId")
addresses = _ec2("Elastic IP address", "ec2:DescribeAddresses", "Addresses", "AllocationId")
endpoints = _ec2("VPC endpoint", "ec2:DescribeVpcEndpoints", "VpcEndpoints", "VpcEndpointId")
security_groups = _ec2("security group", "ec2:DescribeSecurityGroups", "SecurityGroups", "GroupId")
interfaces = _ec2("network interface", "ec2:DescribeNetworkInterfaces", "NetworkInterfaces", "NetworkInterfaceId")


def adopted_tags(subject: Subject) -> Iterator[Found]:
    """The documented tags on a VPC and subnets that were there before."""
    install = subject.install
    if install is None or install.makes_network or not install.tags_network:
        return
    words = [
        {"Name": "resource-id", "Values": [install.vpc_id, *install.subnet_ids]},
        {"Name": "key", "Values": [tags.ENABLED_KEY, tags.PRIVATE_KEY]},
    ]
    shared_with = sorted(set(_installs_beside(subject, install.vpc_id)))
    for item in subject.account.all("ec2:DescribeTags", "Tags", Filters=words):
        yield Found(kind=ADOPTED_TAG, id=f"{item['ResourceId']} {item['Key']}", facts={"shared_with": shared_with})


def _installs_beside(subject: Subject, vpc_id: str) -> Iterator[str]:
    """Other installs in the same VPC, by the tag of their security groups; the group's name where it names none."""
    names = subject.names
    own = (names.load_balancer_security_group, names.service_security_group, names.data_security_group)
    words = [{"Name": "vpc-id", "Values": [vpc_id]}, {"Name": f"tag:{tags.ENABLED_KEY}", "Values": ["1"]}]
    for item in subject.account.all("ec2:DescribeSecurityGroups", "SecurityGroups", Filters=words):
        whose = tag_map(item.get("Tags")).get(tags.INSTALL_KEY, item["GroupName"])
        if whose not in (names.prefix, *own):
            yield whose
