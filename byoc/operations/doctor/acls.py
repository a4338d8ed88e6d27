"""What a network ACL lets through: its rules in order, the first that fits decides."""

from __future__ import annotations

import enum
import ipaddress
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from byoc.operations.doctor.asking import NoAnswer
from byoc.operations.doctor.place import ANYWHERE, AclRule, Network, Subnet

_ALL, _TCP = "-1", "6"
EPHEMERAL = (32768, 60999)
"""The ports that answers come back to on Linux (the kernel's ``ip_local_port_range``)."""
ANY_CLIENT = (1024, 65535)
"""The ports that answers go to at a NAT gateway, a load balancer, or any client (Amazon VPC User Guide: network ACLs,
ephemeral ports)."""
HTTPS = (443, 443)


class Passage(enum.StrEnum):
    """Whether a flow gets through."""

    OPEN = "open"
    CLOSED = "closed"
    IN_PART = "in part"
    """Some of it is let through, some is not."""


@dataclass(frozen=True, kw_only=True)
class Flow:
    """TCP from or to a block, on ports. ``words``: what for."""

    outbound: bool
    cidr: str
    ports: tuple[int, int]
    words: str


def known_rules(subnet: Subnet) -> tuple[AclRule, ...]:
    """The rules of a subnet's ACL, none where they are not known."""
    return () if isinstance(subnet.rules, NoAnswer) else subnet.rules


def passage(rules: Iterable[AclRule], flow: Flow) -> Passage:
    """What the rules do with a flow."""
    wanted = ipaddress.IPv4Network(flow.cidr)
    in_part: set[bool] = set()
    for rule in sorted(rules, key=lambda rule: rule.number):
        block = ipaddress.IPv4Network(rule.cidr)
        first, last = rule.ports or (0, 65535)
        meets = (
            rule.outbound is flow.outbound
            and rule.protocol in (_ALL, _TCP)
            and block.overlaps(wanted)
            and first <= flow.ports[1]
            and flow.ports[0] <= last
        )
        if not meets:
            continue
        if wanted.subnet_of(block) and first <= flow.ports[0] and flow.ports[1] <= last:
            if in_part - {rule.allow}:
                return Passage.IN_PART
            return Passage.OPEN if rule.allow else Passage.CLOSED
        in_part.add(rule.allow)
    return Passage.IN_PART if True in in_part else Passage.CLOSED


def flows(network: Network, subnet: Subnet, *, internet_facing: bool) -> Iterator[Flow]:
    """What has to get through the ACL of a subnet, answers included: an ACL knows of no connections."""
    for cidr in _blocks(network):
        yield from _from_public(network, cidr) if subnet.public else _from_private(subnet, cidr)
    if subnet.public and internet_facing:
        yield Flow(outbound=False, cidr=ANYWHERE, ports=HTTPS, words="HTTPS from the internet")
        yield Flow(outbound=True, cidr=ANYWHERE, ports=ANY_CLIENT, words="answers to the internet")
    s3 = any(route.target.startswith("vpce-") for route in subnet.known_routes)
    if (subnet.public and _has_nat(network)) or (not subnet.public and (subnet.default_routes or s3)):
        there = "the internet" if subnet.public or subnet.default_routes else "S3"
        yield Flow(outbound=True, cidr=ANYWHERE, ports=HTTPS, words=f"HTTPS to {there}")
        back = ANY_CLIENT if subnet.public else EPHEMERAL
        yield Flow(outbound=False, cidr=ANYWHERE, ports=back, words=f"answers from {there}")


def _from_public(network: Network, cidr: str) -> Iterator[Flow]:
    yield Flow(outbound=True, cidr=cidr, ports=(8000, 8000), words="load balancer to containers")
    yield Flow(outbound=False, cidr=cidr, ports=ANY_CLIENT, words="answers of containers")
    if _has_nat(network):
        yield Flow(outbound=False, cidr=cidr, ports=HTTPS, words="containers to the NAT gateway")
        yield Flow(outbound=True, cidr=cidr, ports=EPHEMERAL, words="answers to containers")


def _from_private(subnet: Subnet, cidr: str) -> Iterator[Flow]:
    yield Flow(outbound=False, cidr=cidr, ports=(8000, 8000), words="load balancer to containers")
    yield Flow(outbound=True, cidr=cidr, ports=ANY_CLIENT, words="answers of containers, database and cache")
    for port, words in ((5432, "containers to the database"), (6379, "containers to the cache")):
        yield Flow(outbound=True, cidr=cidr, ports=(port, port), words=words)
        yield Flow(outbound=False, cidr=cidr, ports=(port, port), words=words)
    yield Flow(outbound=False, cidr=cidr, ports=EPHEMERAL, words="answers to containers")
    if not subnet.default_routes:
        for outbound in (True, False):
            yield Flow(outbound=outbound, cidr=cidr, ports=HTTPS, words="containers to endpoints")


def _has_nat(network: Network) -> bool:
    return bool(network.nats) and not isinstance(network.nats, NoAnswer)


def _blocks(network: Network) -> list[str]:
    """The VPC's blocks that the stack's subnets are in: an ACL need not let the others pass."""
    own = [ipaddress.IPv4Network(subnet.cidr) for subnet in network.subnets if subnet.cidr]
    return [block for block in network.cidrs if any(each.subnet_of(ipaddress.IPv4Network(block)) for each in own)]
