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
from byoc.operations.doctor.place import (
    DNS_ATTRIBUTES,
    AclRule,
    Endpoint,
    Network,
    Place,
    Route,
    Several,
    Subnet,
)
from byoc.operations.doctor.subject import LOAD_BALANCER, SERVICE, Subject


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
    nats = _items(account, "ec2:DescribeNatGateways", "NatGateways", Filter=inside)
    wanted = [*ids.private, *ids.public]
    items = account.all("ec2:DescribeSubnets", "Subnets", SubnetIds=wanted) if wanted else ()
    running, balancer = _in_place(subject)
    return Network(
        vpc_id=ids.vpc,
        cidrs=tuple(each["CidrBlock"] for each in vpc.get("CidrBlockAssociationSet", ())) or (vpc["CidrBlock"],),
        tags=tags_of(vpc),
        dns=known_or_absent(lambda: {name: _attribute(account, ids.vpc, name) for name in DNS_ATTRIBUTES}, {}),
        subnets=tuple(_subnet(item, tables, acls, public=item["SubnetId"] in ids.public) for item in items),
        endpoints=endpoints if isinstance(endpoints, NoAnswer) else tuple(_endpoint(item) for item in endpoints),
        nat_states=nats
        if isinstance(nats, NoAnswer)
        else {nat["NatGatewayId"]: nat["State"] for nat in nats if nat["State"] != "deleted"},
        balancer_there=balancer,
        running=running,
    )


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
    running, there = 0, False
    if services:
        answer = known(
            lambda: subject.account.ask(
                "ecs:DescribeServices", cluster=subject.names.cluster, services=list(services[:10])
            )
        )
        running = sum(item["runningCount"] for item in answer["services"]) if isinstance(answer, dict) else 0
    if balancers:
        found = known(lambda: subject.account.ask("elasticloadbalancing:DescribeLoadBalancers", Names=[balancers[0]]))
        there = isinstance(found, dict)
    return running, there


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
        zone=item["AvailabilityZone"],
        cidr=item["CidrBlock"],
        free=int(item["AvailableIpAddressCount"]),
        public=public,
        tags=tags_of(item),
        routes=tables if isinstance(tables, NoAnswer) else _routes(tables, subnet_id),
        rules=acls if isinstance(acls, NoAnswer) else _rules(acls, subnet_id),
    )


def _routes(tables: _Items, subnet_id: str) -> tuple[Route, ...]:
    table = _of_subnet(tables, subnet_id, lambda each: any(one.get("Main") for one in each["Associations"]))
    return tuple(_route(route) for route in table.get("Routes", ()))


def _rules(acls: _Items, subnet_id: str) -> tuple[AclRule, ...]:
    acl = _of_subnet(acls, subnet_id, lambda each: bool(each["IsDefault"]))
    return tuple(_rule(entry) for entry in acl.get("Entries", ()) if "CidrBlock" in entry)


def _of_subnet(items: _Items, subnet_id: str, is_main: Callable[[Mapping[str, Any]], bool]) -> Mapping[str, Any]:
    """The table or ACL that is associated with a subnet, else the VPC's main one."""
    for item in items:
        if any(one.get("SubnetId") == subnet_id for one in item["Associations"]):
            return item
    return next((item for item in items if is_main(item)), {})


_TARGETS = ("NatGatewayId", "TransitGatewayId", "VpcPeeringConnectionId", "NetworkInterfaceId", "InstanceId")


def _route(item: Mapping[str, Any]) -> Route:
    targets = [item[key] for key in (*_TARGETS, "EgressOnlyInternetGatewayId", "GatewayId") if item.get(key)]
    return Route(
        destination=item.get("DestinationCidrBlock") or item.get("DestinationPrefixListId") or "",
        target=targets[0] if targets else "",
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


def _endpoint(item: Mapping[str, Any]) -> Endpoint:
    return Endpoint(
        service=".".join(item["ServiceName"].split("amazonaws.", 1)[-1].split(".")[1:]),
        state=str(item["State"]).lower(),
        gateway=item["VpcEndpointType"] == "Gateway",
        private_dns=bool(item.get("PrivateDnsEnabled")),
    )
