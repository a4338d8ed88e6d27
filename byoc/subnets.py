"""How a VPC is cut into subnets: arithmetic alone, no resources.

The default network gives the subnets of the documented AWS setup: in ``10.0.0.0/16`` with three zones, private
``10.0.1.0/24`` to ``10.0.3.0/24`` and public ``10.0.4.0/24`` to ``10.0.6.0/24``.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

LARGEST_VPC = 16
"""Prefix length of the largest VPC that AWS makes (AWS docs: VPC CIDR blocks)."""
SMALLEST_SUBNET = 28
"""Prefix length of the smallest VPC and subnet that AWS makes; AWS keeps 5 of its 16 addresses for itself."""
PREFERRED_SUBNET = 24
"""Prefix length of the documented subnets; larger ones are made only when they are asked for."""

_DOCUMENTED_ZONES = 3


@dataclass(frozen=True)
class SubnetPlan:
    """The CIDR blocks of a VPC's subnets, one private and one public block per zone, in the order of the zones."""

    private: tuple[str, ...]
    public: tuple[str, ...]


def plan_subnets(cidr: str, zone_count: int, prefix_length: int | None = None) -> SubnetPlan:
    """Cut ``cidr`` into a private and a public subnet for each of ``zone_count`` zones.

    Without ``prefix_length`` the subnets are /24 (the documented size) where the VPC has room for them, else the
    largest that fit. Where there is room, a zone that is added later leaves the subnets of the others in place.

    Raises ``ValueError`` saying what fits: for a block that is no network or that AWS would not make a VPC of, for
    fewer than one zone, and for subnets that the VPC has no room for.
    """
    vpc = vpc_block(cidr)
    if zone_count < 1:
        raise ValueError(f"{zone_count} zones: at least 1 is needed")
    wanted = 2 * zone_count
    length = prefix_length if prefix_length is not None else _length(vpc, zone_count)
    if not vpc.prefixlen < length <= SMALLEST_SUBNET or 2 ** (length - vpc.prefixlen) < wanted:
        raise ValueError(_no_room(vpc, zone_count, prefix_length))
    private, public = _layout(zone_count, 2 ** (length - vpc.prefixlen))
    return SubnetPlan(
        private=tuple(_block(vpc, length, index) for index in private),
        public=tuple(_block(vpc, length, index) for index in public),
    )


def vpc_block(cidr: str) -> ipaddress.IPv4Network:
    """``cidr`` as a network that AWS accepts for a VPC; ``ValueError`` saying what is wrong with it."""
    try:
        vpc = ipaddress.IPv4Network(cidr, strict=False)
    except ValueError:
        raise ValueError(f"{cidr!r} is not an IPv4 block such as 10.0.0.0/16") from None
    if "/" not in cidr:
        raise ValueError(f"{cidr!r} has no prefix length; write it as {cidr}/16")
    if str(vpc.network_address) != cidr.partition("/")[0]:
        raise ValueError(f"{cidr} does not begin at its network address; the block is {vpc}")
    if not LARGEST_VPC <= vpc.prefixlen <= SMALLEST_SUBNET:
        raise ValueError(f"a VPC has a prefix length of {LARGEST_VPC} to {SMALLEST_SUBNET}, not {vpc.prefixlen}")
    return vpc


def _length(vpc: ipaddress.IPv4Network, zone_count: int) -> int:
    """The prefix length of subnets nobody gave a length for: /24, or the largest that fit."""
    bits_for_all = (2 * zone_count - 1).bit_length()
    return max(PREFERRED_SUBNET, vpc.prefixlen + bits_for_all)


def _layout(zone_count: int, blocks: int) -> tuple[list[int], list[int]]:
    """The places of the private and public subnets among the ``blocks`` of a VPC.

    The documented setup leaves block 0 free, puts three private subnets first and three public ones behind them;
    further zones follow in pairs, so that no place depends on the number of zones. A VPC without room for that is
    filled from its start.
    """
    private, public = [], []
    for zone in range(zone_count):
        extra = zone - _DOCUMENTED_ZONES
        first = 1 + zone if extra < 0 else 1 + 2 * (_DOCUMENTED_ZONES + extra)
        private.append(first)
        public.append(first + _DOCUMENTED_ZONES if extra < 0 else first + 1)
    if max(public) < blocks:
        return private, public
    return list(range(zone_count)), list(range(zone_count, 2 * zone_count))


def _block(vpc: ipaddress.IPv4Network, length: int, index: int) -> str:
    """The CIDR block at place ``index`` among the subnets of that length."""
    return str(ipaddress.IPv4Network((int(vpc.network_address) + index * 2 ** (32 - length), length)))


def _no_room(vpc: ipaddress.IPv4Network, zone_count: int, prefix_length: int | None) -> str:
    """What fits into ``vpc``, for an error."""
    wanted = 2 * zone_count
    largest = vpc.prefixlen + (wanted - 1).bit_length()
    asked = "" if prefix_length is None else f" of /{prefix_length}"
    need = f"{vpc} has no room for the {wanted} subnets{asked} of {zone_count} zones (one private, one public each)"
    if largest > SMALLEST_SUBNET:
        smallest_vpc = SMALLEST_SUBNET - (wanted - 1).bit_length()
        return f"{need}: AWS makes no subnet smaller than /{SMALLEST_SUBNET}; they need a VPC of /{smallest_vpc}"
    span = f"/{largest} to /{SMALLEST_SUBNET}" if largest < SMALLEST_SUBNET else f"/{largest}"
    return f"{need}: what fits are subnets of {span}"
