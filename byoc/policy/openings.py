"""What security groups let in, in the one form that rules look at."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from byoc.policy.facts import UNKNOWN, Resource, as_list, matching, referred

GROUP = "aws:ec2/securityGroup:SecurityGroup"
DEFAULT_GROUP = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
INGRESS_RULE = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
OLD_RULE = "aws:ec2/securityGroupRule:SecurityGroupRule"

ALL_PORTS = (0, 65535)
ANY_PROTOCOL = "-1"
WIDEST_IPV4 = 8
"""Prefix length of the widest IPv4 network that is somebody's: IANA has never given away more than a /8."""
WIDEST_IPV6 = 16
"""Prefix length of the widest IPv6 network that is somebody's; registries hold a /12 or less for all their members."""


@dataclass(frozen=True)
class Opening:
    """One way into a security group. ``addresses``: where from, each with the property that says so."""

    resource: Resource
    """The rule, or the group that holds it."""
    protocol: Any
    first_port: Any
    last_port: Any
    addresses: tuple[tuple[str, str], ...]
    source_key: str
    """The property that names groups as sources."""
    source_ids: Any
    sources_taken_from: tuple[str, ...] = ()

    @property
    def ports(self) -> tuple[int, int] | None:
        """The range of ports; None if a preview does not know it."""
        if self.protocol in (ANY_PROTOCOL, "all"):
            return ALL_PORTS
        first, last = self.first_port, self.last_port
        if first is UNKNOWN or last is UNKNOWN or self.protocol is UNKNOWN:
            return None
        return (0 if first is None else int(first), ALL_PORTS[1] if last is None else int(last))

    def groups(self, resources: Sequence[Resource]) -> Iterable[Resource]:
        """The group that is opened, if it is in the stack."""
        if self.resource.type in (GROUP, DEFAULT_GROUP):
            return (self.resource,)
        return referred(resources, self.resource, "securityGroupId", GROUP)

    def source_groups(self, resources: Sequence[Resource]) -> Iterator[Resource]:
        """The groups of the stack that may come in."""
        return matching(resources, self.source_ids, self.sources_taken_from, GROUP)


def openings_of(resources: Iterable[Resource]) -> Iterator[Opening]:
    """Every opening, by whichever of the four resource types it is stated."""
    for resource in resources:
        if resource.type == INGRESS_RULE:
            yield _of_rule(resource)
        elif resource.type == OLD_RULE and resource.get("type") == "ingress":
            source = "sourceSecurityGroupId"
            yield _of_block(resource, resource.props, "", source, resource.references.get(source, ()))
        elif resource.type in (GROUP, DEFAULT_GROUP):
            for number, block in enumerate(resource.items("ingress")):
                if isinstance(block, dict):
                    place, taken_from = f"ingress[{number}].", resource.references.get("ingress", ())
                    yield _of_block(resource, block, place, "securityGroups", taken_from)


def _of_rule(rule: Resource) -> Opening:
    return Opening(
        resource=rule,
        protocol=rule.get("ipProtocol"),
        first_port=rule.get("fromPort"),
        last_port=rule.get("toPort"),
        addresses=_addresses(rule.props, ("cidrIpv4", "cidrIpv6", "prefixListId"), ""),
        source_key="referencedSecurityGroupId",
        source_ids=rule.get("referencedSecurityGroupId"),
        sources_taken_from=rule.references.get("referencedSecurityGroupId", ()),
    )


def _of_block(
    resource: Resource, block: Mapping[str, Any], place: str, source: str, taken_from: tuple[str, ...]
) -> Opening:
    return Opening(
        resource=resource,
        protocol=block.get("protocol"),
        first_port=block.get("fromPort"),
        last_port=block.get("toPort"),
        addresses=_addresses(block, ("cidrBlocks", "ipv6CidrBlocks", "prefixListIds"), place),
        source_key=f"{place}{source}",
        source_ids=block.get(source),
        sources_taken_from=taken_from,
    )


def _addresses(props: Mapping[str, Any], keys: Iterable[str], place: str) -> tuple[tuple[str, str], ...]:
    return tuple(
        (f"{place}{key}", value)
        for key in keys
        for value in as_list(props.get(key))
        if isinstance(value, str) and value
    )


def is_everyone(address: str) -> bool:
    """Whether a CIDR is wider than any network that is somebody's, such as ``0.0.0.0/0``, ``::/0`` or one half of them.
    A prefix list is not looked into.
    """
    try:
        network = ipaddress.ip_network(address, strict=False)
    except ValueError:
        return False
    return network.prefixlen < (WIDEST_IPV4 if network.version == 4 else WIDEST_IPV6)
