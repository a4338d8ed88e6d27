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
NAT_PORTS = (1024, 65535)
"""The ports that answers come back to at a NAT gateway (Amazon VPC User Guide: network ACLs, ephemeral ports)."""
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
    """What has to get through the ACL of a subnet."""
    for cidr in network.cidrs:
        if subnet.public:
            yield Flow(outbound=True, cidr=cidr, ports=(8000, 8000), words="load balancer to containers")
        else:
            yield Flow(outbound=False, cidr=cidr, ports=(8000, 8000), words="load balancer to containers")
            yield Flow(outbound=True, cidr=cidr, ports=(5432, 5432), words="containers to the database")
            yield Flow(outbound=True, cidr=cidr, ports=(6379, 6379), words="containers to the cache")
    if subnet.public and internet_facing:
        yield Flow(outbound=False, cidr=ANYWHERE, ports=HTTPS, words="HTTPS from the internet")
    nat = subnet.public and bool(network.nat_states) and not isinstance(network.nat_states, NoAnswer)
    if nat or (subnet.default_routes and not subnet.public):
        yield Flow(outbound=True, cidr=ANYWHERE, ports=HTTPS, words="HTTPS to the internet")
        back = NAT_PORTS if subnet.public else EPHEMERAL
        yield Flow(outbound=False, cidr=ANYWHERE, ports=back, words="answers from the internet")
