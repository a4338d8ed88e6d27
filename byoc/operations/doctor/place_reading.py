"""Reads the network of a stack: found as the stack itself finds it, then asked about part by part."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from byoc import tags
from byoc.config import AccountConfig, DeploymentConfig, ExistingNetwork
from byoc.operations.account import Account
from byoc.operations.answers import AbsentError
from byoc.operations.doctor.asking import NoAnswer, known, known_or_absent, tags_of
from byoc.operations.doctor.endpoint_policy import needed
from byoc.operations.doctor.place import (
    DNS_ATTRIBUTES,
    AclRule,
    Network,
    Place,
    Route,
    Several,
    Subnet,
)
from byoc.operations.doctor.place_doors import endpoint, nat_gateways, service_groups
from byoc.operations.doctor.subject import LOAD_BALANCER, SERVICE, Subject
from byoc.operations.many import chunks

_SERVICES_OF_A_CALL = 10
"""Services that one ``ecs:DescribeServices`` takes (Amazon ECS API Reference)."""
_REPEAT = "repeat it later"


@dataclass(frozen=True, kw_only=True)
class _Ids:
    vpc: str
    private: tuple[str, ...]
    public: tuple[str, ...]


def read_place(subject: Subject) -> Place:
    """The network of the stack; ``Absent`` while it is not there."""
    found = known(lambda: _ids(subject))
    if not isinstance(found, _Ids):
        return found
    return known(lambda: _network(subject, found))


def _ids(subject: Subject) -> _Ids | Several:
    config = subject.config
    if isinstance(config, DeploymentConfig):
        return _of_runtime(subject.account, config)
    if isinstance(config.network, ExistingNetwork):
        network = config.network
        return _Ids(
            vpc=network.vpc_id, private=tuple(network.private_subnet_ids), public=tuple(network.public_subnet_ids)
        )
    return _created(subject.account, config)


def _created(account: Account, config: AccountConfig) -> _Ids | Several:
    wanted = {**tags.ENABLED, **tags.install_tags(config.name_prefix)}
    vpcs = tuple(vpc["VpcId"] for vpc in account.all("ec2:DescribeVpcs", "Vpcs", Filters=_tagged(wanted)))
    if not vpcs:
        raise AbsentError(f"no VPC carries the tags of {config.name_prefix}")
    if len(vpcs) > 1:
        return Several(vpc_ids=vpcs)
    private, public = (_subnet_ids(account, vpcs[0], kind) for kind in (tags.PRIVATE_SUBNET, tags.PUBLIC_SUBNET))
    return _Ids(vpc=vpcs[0], private=private, public=public)


def _of_runtime(account: Account, config: DeploymentConfig) -> _Ids | Several:
    """As ``byoc.components.runtime_refs`` finds it: by ids of the config, else by documented names and tags."""
    ids, names = config.runtime, config.names
    filters = [{"Name": "group-name", "Values": [names.service_security_group]}]
    if ids.service_security_group_id:
        filters = [{"Name": "group-id", "Values": [ids.service_security_group_id]}]
    if ids.vpc_id:
        filters.append({"Name": "vpc-id", "Values": [ids.vpc_id]})
    groups = account.all("ec2:DescribeSecurityGroups", "SecurityGroups", Filters=filters)
    vpcs = tuple(sorted({group["VpcId"] for group in groups}))
    if not vpcs:
        raise AbsentError(f"no security group {names.service_security_group}")
    if len(vpcs) > 1:
        return Several(vpc_ids=vpcs)
    private = tuple(ids.private_subnet_ids or ()) or _of_subnet_group(account, names.db_subnet_group)
    public = tuple(ids.public_subnet_ids or ()) or _subnet_ids(account, vpcs[0], tags.PUBLIC_SUBNET)
    return _Ids(vpc=vpcs[0], private=private, public=public)


def _of_subnet_group(account: Account, name: str) -> tuple[str, ...]:
    (group,) = account.ask("rds:DescribeDBSubnetGroups", DBSubnetGroupName=name)["DBSubnetGroups"]
    return tuple(subnet["SubnetIdentifier"] for subnet in group["Subnets"])


def _subnet_ids(account: Account, vpc_id: str, wanted: Mapping[str, str]) -> tuple[str, ...]:
    filters = [{"Name": "vpc-id", "Values": [vpc_id]}, *_tagged(wanted)]
    return tuple(subnet["SubnetId"] for subnet in account.all("ec2:DescribeSubnets", "Subnets", Filters=filters))


def _tagged(wanted: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{"Name": f"tag:{key}", "Values": [value]} for key, value in wanted.items()]


def _network(subject: Subject, ids: _Ids) -> Network:
    account = subject.account
    (vpc,) = account.ask("ec2:DescribeVpcs", VpcIds=[ids.vpc])["Vpcs"]
    inside = [{"Name": "vpc-id", "Values": [ids.vpc]}]
    tables = _items(account, "ec2:DescribeRouteTables", "RouteTables", Filters=inside)
    acls = _items(account, "ec2:DescribeNetworkAcls", "NetworkAcls", Filters=inside)
    endpoints = _items(account, "ec2:DescribeVpcEndpoints", "VpcEndpoints", Filters=inside)
    groups = _items(account, "ec2:DescribeSecurityGroups", "SecurityGroups", Filters=inside)
    nats = _items(account, "ec2:DescribeNatGateways", "NatGateways", Filter=inside)
    wanted = [*ids.private, *ids.public]
    items = list(account.all("ec2:DescribeSubnets", "Subnets", SubnetIds=wanted)) if wanted else []
    for missing in sorted({*wanted} - {item["SubnetId"] for item in items}):
        raise KeyError(missing)  # what is not there is an error of AWS's; so this is half an answer
    running, balancer = _in_place(subject)
    asked = needed(subject)
    return Network(
        vpc_id=ids.vpc,
        cidrs=_cidrs(vpc),
        tags=tags_of(vpc),
        dns=known_or_absent(lambda: {name: _attribute(account, ids.vpc, name) for name in DNS_ATTRIBUTES}, {}),
        subnets=tuple(_subnet(item, tables, acls, public=item["SubnetId"] in ids.public) for item in items),
        endpoints=endpoints
        if isinstance(endpoints, NoAnswer)
        else tuple(endpoint(item, groups, asked) for item in endpoints),
        nats=nats if isinstance(nats, NoAnswer) else nat_gateways(nats, lambda one: _routes(tables, one)),
        shared=vpc.get("OwnerId", account.account.account_id) != account.account.account_id,
        groups=groups if isinstance(groups, NoAnswer) else {each["GroupId"]: each["GroupName"] for each in groups},
        service_groups=service_groups(subject, groups),
        balancer_there=balancer,
        running=running,
    )


def _cidrs(vpc: Mapping[str, Any]) -> tuple[str, ...]:
    """The VPC's IPv4 blocks; those that were taken from it, or never came to it, stay in AWS's answer for a while."""
    found = vpc.get("CidrBlockAssociationSet") or ()
    gone = ("disassociating", "disassociated", "failing", "failed")
    there = (each["CidrBlock"] for each in found if each.get("CidrBlockState", {}).get("State") not in gone)
    return tuple(there) or (vpc["CidrBlock"],)


_Items = list[Mapping[str, Any]]


def _items(account: Account, action: str, key: str, **asked: Any) -> _Items | NoAnswer:  # noqa: ANN401 - boto3's
    none: _Items = []
    return known_or_absent(lambda: list(account.all(action, key, **asked)), none)


def _attribute(account: Account, vpc_id: str, name: str) -> bool:
    answer = account.ask("ec2:DescribeVpcAttribute", VpcId=vpc_id, Attribute=name)
    return bool(answer[f"{name[0].upper()}{name[1:]}"]["Value"])


def _in_place(subject: Subject) -> tuple[int, bool]:
    """Containers of the stack that run, and whether its load balancer is there; nothing where it cannot be asked."""
    services, balancers = subject.named(SERVICE), subject.named(LOAD_BALANCER)
    running = sum(_running(subject, some) for some in chunks(services, _SERVICES_OF_A_CALL))
    if not balancers:
        return running, False
    found = known(lambda: subject.account.ask("elasticloadbalancing:DescribeLoadBalancers", Names=[balancers[0]]))
    return running, isinstance(found, dict)


def _running(subject: Subject, services: list[str]) -> int:
    asked: dict[str, Any] = {"cluster": subject.names.cluster, "services": services}
    answer = known(lambda: subject.account.ask("ecs:DescribeServices", **asked)["services"])
    return sum(item["runningCount"] for item in answer) if isinstance(answer, list) else 0


def _subnet(
    item: Mapping[str, Any],
    tables: _Items | NoAnswer,
    acls: _Items | NoAnswer,
    *,
    public: bool,
) -> Subnet:
    subnet_id = item["SubnetId"]
    return Subnet(
        subnet_id=subnet_id,
        vpc_id=item["VpcId"],
        zone=item["AvailabilityZone"],
        cidr=item.get("CidrBlock") or "",
        free=int(item["AvailableIpAddressCount"]),
        public=public,
        tags=tags_of(item),
        routes=_routes(tables, subnet_id),
        rules=_rules(acls, subnet_id),
    )


def _routes(tables: _Items | NoAnswer, subnet_id: str) -> tuple[Route, ...] | NoAnswer:
    table = _of_subnet(tables, subnet_id, lambda each: any(one.get("Main") for one in each["Associations"]))
    if table is None:
        return NoAnswer(why=f"AWS's answer has no route table for {subnet_id}", remedy=_REPEAT)
    return table if isinstance(table, NoAnswer) else tuple(_route(route) for route in table["Routes"])


def _rules(acls: _Items | NoAnswer, subnet_id: str) -> tuple[AclRule, ...] | NoAnswer:
    acl = _of_subnet(acls, subnet_id, lambda each: bool(each["IsDefault"]))
    if acl is None:
        return NoAnswer(why=f"AWS's answer has no network ACL for {subnet_id}", remedy=_REPEAT)
    return acl if isinstance(acl, NoAnswer) else tuple(_rule(each) for each in acl["Entries"] if "CidrBlock" in each)


def _of_subnet(
    items: _Items | NoAnswer, subnet_id: str, is_main: Callable[[Mapping[str, Any]], bool]
) -> Mapping[str, Any] | NoAnswer | None:
    """The table or ACL that is associated with a subnet, else the VPC's main one, which every VPC has."""
    if isinstance(items, NoAnswer):
        return items
    for item in items:
        if any(one.get("SubnetId") == subnet_id for one in item["Associations"]):
            return item
    return next((item for item in items if is_main(item)), None)


_TARGETS = (
    "NatGatewayId",
    "TransitGatewayId",
    "VpcPeeringConnectionId",
    "NetworkInterfaceId",
    "InstanceId",
    "LocalGatewayId",
    "CarrierGatewayId",
    "CoreNetworkArn",
    "EgressOnlyInternetGatewayId",
    "GatewayId",
)
_DESTINATIONS = ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")


def _route(item: Mapping[str, Any]) -> Route:
    return Route(
        destination=next((item[key] for key in _DESTINATIONS if item.get(key)), ""),
        target=next((item[key] for key in _TARGETS if item.get(key)), ""),
        blackhole=item.get("State") == "blackhole",
    )


def _rule(item: Mapping[str, Any]) -> AclRule:
    ports = item.get("PortRange")
    return AclRule(
        number=int(item["RuleNumber"]),
        outbound=bool(item["Egress"]),
        allow=item["RuleAction"] == "allow",
        protocol=str(item["Protocol"]),
        cidr=item["CidrBlock"],
        ports=(int(ports["From"]), int(ports["To"])) if ports else None,
    )
