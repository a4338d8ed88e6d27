"""What others have put into the network of an install, or tied to its security groups, and what thereby stays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from byoc import tags
from byoc.operations.teardown.facts import Guest
from byoc.operations.teardown.look_network import owned
from byoc.operations.teardown.subject import Subject, tag_map

_OF_OWN_PARTS = ("interface", "load_balancer")
"""Types of the interfaces that load balancers, databases and tasks have (Amazon EC2 API Reference:
``NetworkInterface``)."""


def guests(subject: Subject) -> Iterator[Guest]:
    """Everything of others that a deletion of the subject would be refused for; a deployment has no network."""
    if subject.install is None:
        return
    groups = {item["GroupId"]: item["GroupName"] for item in _owned_groups(subject)}
    for vpc_id in _own_vpcs(subject):
        yield from _in_vpc(subject, vpc_id)
    for vpc_id in _vpcs_of_groups(subject):
        yield from _rules_naming(subject, vpc_id, groups)
    if not subject.install.makes_network and groups:
        yield from _carrying(subject, groups)


def _owned_groups(subject: Subject) -> Iterator[dict[str, Any]]:
    return owned(subject, "ec2:DescribeSecurityGroups", "SecurityGroups", "GroupId")


def _own_vpcs(subject: Subject) -> list[str]:
    if subject.install is None or not subject.install.makes_network:
        return []
    return [item["VpcId"] for item in owned(subject, "ec2:DescribeVpcs", "Vpcs", "VpcId")]


def _vpcs_of_groups(subject: Subject) -> list[str]:
    return sorted({item["VpcId"] for item in _owned_groups(subject)})


def _in_vpc(subject: Subject, vpc_id: str) -> Iterator[Guest]:
    account, where = subject.account, f"VPC {vpc_id}"
    inside = [{"Name": "vpc-id", "Values": [vpc_id]}]
    yield from _interfaces(subject, inside, where)
    for item in account.all("ec2:DescribeSecurityGroups", "SecurityGroups", Filters=inside):
        if item["GroupName"] != "default" and not _is_own(subject, item):
            yield Guest(kind="security group", id=item["GroupId"], where=where, note=item["GroupName"])
    for item in account.all("ec2:DescribeVpcEndpoints", "VpcEndpoints", Filters=inside):
        if str(item["State"]).lower() not in ("deleted", "deleting") and not _is_own(subject, item):
            yield Guest(kind="VPC endpoint", id=item["VpcEndpointId"], where=where, note=item["ServiceName"])
    for item in account.all("ec2:DescribeSubnets", "Subnets", Filters=inside):
        if not _is_own(subject, item):
            yield Guest(kind="subnet", id=item["SubnetId"], where=where, note=item["CidrBlock"])
    for item in account.all("ec2:DescribeRouteTables", "RouteTables", Filters=inside):
        is_main = any(each.get("Main") for each in item.get("Associations") or ())
        if not is_main and not _is_own(subject, item):
            yield Guest(kind="route table", id=item["RouteTableId"], where=where)
    for item in account.all("ec2:DescribeNetworkAcls", "NetworkAcls", Filters=inside):
        if not item["IsDefault"] and not _is_own(subject, item):
            yield Guest(kind="network ACL", id=item["NetworkAclId"], where=where)
    # Not to be filtered by VPC.
    for item in account.all("ec2:DescribeEgressOnlyInternetGateways", "EgressOnlyInternetGateways"):
        if any(each["VpcId"] == vpc_id for each in item.get("Attachments") or ()) and not _is_own(subject, item):
            yield Guest(kind="egress-only internet gateway", id=item["EgressOnlyInternetGatewayId"], where=where)
    attached = [{"Name": "attachment.vpc-id", "Values": [vpc_id]}]
    for item in account.all("ec2:DescribeVpnGateways", "VpnGateways", Filters=attached):
        if item.get("State") == "available":
            yield Guest(kind="VPN gateway", id=item["VpnGatewayId"], where=where)


def _interfaces(subject: Subject, filters: list[dict[str, Any]], where: str) -> Iterator[Guest]:
    own = set(_own_interfaces(subject))
    for item in subject.account.all("ec2:DescribeNetworkInterfaces", "NetworkInterfaces", Filters=filters):
        if item["NetworkInterfaceId"] not in own and not _is_own(subject, item) and not _is_of_own_parts(subject, item):
            attached = (item.get("Attachment") or {}).get("InstanceId", "")
            note = ", ".join(filter(None, (item.get("Description") or item.get("InterfaceType", ""), attached)))
            yield Guest(kind="network interface", id=item["NetworkInterfaceId"], where=where, note=note)


def _own_interfaces(subject: Subject) -> Iterator[str]:
    """Those that AWS made for the install's own NAT gateways and endpoints."""
    for item in owned(subject, "ec2:DescribeNatGateways", "NatGateways", "NatGatewayId"):
        yield from (each.get("NetworkInterfaceId", "") for each in item.get("NatGatewayAddresses") or ())
    for item in owned(subject, "ec2:DescribeVpcEndpoints", "VpcEndpoints", "VpcEndpointId"):
        yield from item.get("NetworkInterfaceIds") or ()


def _is_own(subject: Subject, item: Mapping[str, Any]) -> bool:
    found_tags = tag_map(item.get("Tags") or item.get("TagSet"))
    return found_tags.get(tags.INSTALL_KEY) == subject.names.prefix


def _is_of_own_parts(subject: Subject, item: Mapping[str, Any]) -> bool:
    """Made by an AWS service, under a security group of the install: for its load balancers, databases and tasks.

    Those of other services (functions, file systems, endpoints) under such a group are others', whoever made them.
    """
    of_aws = bool(item.get("RequesterManaged")) or ":ecs:" in str(item.get("Description", ""))
    if item.get("InterfaceType", "interface") not in _OF_OWN_PARTS:
        return False
    names = subject.names
    own = {names.load_balancer_security_group, names.service_security_group, names.data_security_group}
    return of_aws and any(group["GroupName"] in own for group in item.get("Groups") or ())


def _rules_naming(subject: Subject, vpc_id: str, groups: Mapping[str, str]) -> Iterator[Guest]:
    inside = [{"Name": "vpc-id", "Values": [vpc_id]}]
    for item in subject.account.all("ec2:DescribeSecurityGroups", "SecurityGroups", Filters=inside):
        if item["GroupId"] in groups:
            continue
        rules = [*(item.get("IpPermissions") or ()), *(item.get("IpPermissionsEgress") or ())]
        pairs = [pair.get("GroupId") for rule in rules for pair in rule.get("UserIdGroupPairs") or ()]
        for group_id in sorted({pair for pair in pairs if pair in groups}):
            yield Guest(
                kind="security-group rule",
                id=item["GroupId"],
                where=f"security group {group_id} ({groups[group_id]})",
                note=f"{item['GroupName']} has a rule that names it",
            )


def _carrying(subject: Subject, groups: Mapping[str, str]) -> Iterator[Guest]:
    """Interfaces in an adopted VPC that carry a group of the install."""
    filters = [{"Name": "group-id", "Values": sorted(groups)}]
    yield from _interfaces(subject, filters, f"security groups {', '.join(sorted(groups.values()))}")
