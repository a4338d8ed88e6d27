"""NAT gateways and endpoints of a network, from AWS's answers: where they lead, and whom they let in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from byoc.config import DeploymentConfig
from byoc.operations.doctor.asking import NoAnswer
from byoc.operations.doctor.endpoint_policy import Needed, passes
from byoc.operations.doctor.place import Door, Endpoint, NatGateway, Route
from byoc.operations.doctor.subject import Subject

Items = Iterable[Mapping[str, Any]]
_ALL, _TCP = ("-1", "tcp")
_HTTPS_PORT = 443


def nat_gateways(
    items: Items, routes: Callable[[str], tuple[Route, ...] | NoAnswer]
) -> Mapping[str, NatGateway] | NoAnswer:
    """NAT gateways that are not deleted, by id; ``routes``: those of a subnet."""
    return {
        item["NatGatewayId"]: NatGateway(
            state=item["State"],
            private=item.get("ConnectivityType") == "private",
            subnet_id=item.get("SubnetId") or "",
            routes=routes(item["SubnetId"]) if item.get("SubnetId") else (),
        )
        for item in items
        if item["State"] != "deleted"
    }


def endpoint(item: Mapping[str, Any], groups: Items | NoAnswer, needed: Needed) -> Endpoint:
    """An endpoint, with whom and what it lets in; ``groups``: those of the VPC, ``needed``: what containers ask for."""
    options = item.get("DnsOptions") or {}
    service = ".".join(item["ServiceName"].split("amazonaws.", 1)[-1].split(".")[1:])
    return Endpoint(
        endpoint_id=item["VpcEndpointId"],
        service=service,
        state=str(item["State"]).lower(),
        gateway=item["VpcEndpointType"] == "Gateway",
        # With this option only look-ups that come from outside, through a resolver endpoint, lead to it.
        private_dns=bool(item.get("PrivateDnsEnabled")) and not options.get("PrivateDnsOnlyForInboundResolverEndpoint"),
        https=_https([one["GroupId"] for one in item.get("Groups") or ()], groups),
        policy=passes(item.get("PolicyDocument"), needed.get(service, ())),
    )


def _https(wanted: list[str], groups: Items | NoAnswer) -> tuple[Door, ...] | NoAnswer:
    if isinstance(groups, NoAnswer):
        return groups
    found = {group["GroupId"]: group for group in groups}
    if missing := [each for each in wanted if each not in found]:
        return NoAnswer(why=f"security group {', '.join(missing)} is not among those that AWS tells of")
    return tuple(door for each in wanted for door in _doors(found[each]["IpPermissions"]))


def _doors(permissions: Items) -> Iterator[Door]:
    for each in permissions:
        fits = each["IpProtocol"] == _ALL or (
            each["IpProtocol"] == _TCP and each.get("FromPort", 0) <= _HTTPS_PORT <= each.get("ToPort", 65535)
        )
        if fits:
            yield from (Door(source=block["CidrIp"]) for block in each.get("IpRanges") or ())
            yield from (
                Door(source=pair["GroupId"]) for pair in each.get("UserIdGroupPairs") or () if "GroupId" in pair
            )
            lists = each.get("PrefixListIds") or ()
            yield from (Door(source=one["PrefixListId"], prefix_list=True) for one in lists)


def service_groups(subject: Subject, groups: Items | NoAnswer) -> frozenset[str]:
    """The security groups of the stack's containers: given by id, or found by name."""
    config = subject.config
    if isinstance(config, DeploymentConfig) and config.runtime.service_security_group_id:
        return frozenset({str(config.runtime.service_security_group_id)})
    if isinstance(groups, NoAnswer):
        return frozenset()
    name = subject.names.service_security_group
    return frozenset(group["GroupId"] for group in groups if group.get("GroupName") == name)
