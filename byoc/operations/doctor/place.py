"""The network that a stack lives in, or will, in facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from byoc.operations.doctor.asking import Absent, NoAnswer

ANYWHERE = "0.0.0.0/0"
_HALVES = {"0.0.0.0/1", "128.0.0.0/1"}
DNS_ATTRIBUTES = ("enableDnsSupport", "enableDnsHostnames")


@dataclass(frozen=True, kw_only=True)
class Route:
    """One route of a subnet: ``target`` is an id such as ``nat-…``; ``blackhole``: what it led to is gone."""

    destination: str
    target: str
    blackhole: bool = False


def default_routes(routes: tuple[Route, ...] | NoAnswer) -> tuple[str, ...]:
    """Where routes lead for the internet as a whole: in one route, or in two halves."""
    there = () if isinstance(routes, NoAnswer) else [route for route in routes if not route.blackhole]
    whole = tuple(route.target for route in there if route.destination == ANYWHERE)
    halves = [route for route in there if route.destination in _HALVES]
    in_halves = {route.destination for route in halves} == _HALVES
    return whole or (tuple(dict.fromkeys(route.target for route in halves)) if in_halves else ())


@dataclass(frozen=True, kw_only=True)
class AclRule:
    """One rule of a network ACL. ``protocol``: ``-1`` is all, ``6`` is TCP. ``ports``: None is all."""

    number: int
    outbound: bool
    allow: bool
    protocol: str
    cidr: str
    ports: tuple[int, int] | None = None


@dataclass(frozen=True, kw_only=True)
class Subnet:
    """A subnet that the stack uses; ``public``: it is to be a public one."""

    subnet_id: str
    vpc_id: str
    zone: str
    cidr: str
    """Its IPv4 block; empty for a subnet of IPv6 alone."""
    free: int
    """Free IPv4 addresses."""
    public: bool
    tags: Mapping[str, str]
    routes: tuple[Route, ...] | NoAnswer
    rules: tuple[AclRule, ...] | NoAnswer

    @property
    def default_routes(self) -> tuple[str, ...]:
        """Where it sends what is for the internet; routes to what is gone, or that are not known, are left out."""
        return default_routes(self.routes)

    @property
    def known_routes(self) -> tuple[Route, ...]:
        """Its routes, none where they are not known."""
        return () if isinstance(self.routes, NoAnswer) else self.routes


@dataclass(frozen=True, kw_only=True)
class NatGateway:
    """A NAT gateway that is not deleted."""

    state: str
    private: bool
    """It has no public address, and what it sends to an internet gateway is dropped (Amazon VPC User Guide)."""
    subnet_id: str
    """Empty for a regional one, which has its own way to the internet."""
    routes: tuple[Route, ...] | NoAnswer
    """Those of its subnet."""


@dataclass(frozen=True, kw_only=True)
class Door:
    """A source that a security group lets in: a block, or a group; ``prefix_list`` where AWS names a list of blocks."""

    source: str
    prefix_list: bool = False


@dataclass(frozen=True, kw_only=True)
class Passes:
    """What an endpoint's policy does to the actions that containers need there; all go through by default."""

    denied: tuple[str, ...] = ()
    unclear: tuple[str, ...] = ()
    """It hangs on conditions whose values are not known from here."""


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """A VPC endpoint; ``service`` is its name behind ``com.amazonaws.<region>.``."""

    endpoint_id: str
    service: str
    state: str
    gateway: bool
    private_dns: bool
    """Whether the service's own name leads to it from everywhere in the VPC."""
    https: tuple[Door, ...] | NoAnswer = ()
    """Whom the security groups of an interface endpoint let in on TCP 443."""
    policy: Passes = Passes()


@dataclass(frozen=True, kw_only=True)
class Network:
    """A VPC as AWS describes it; what it does not answer is not known, part by part."""

    vpc_id: str
    cidrs: tuple[str, ...]
    tags: Mapping[str, str]
    dns: Mapping[str, bool] | NoAnswer
    """``enableDnsSupport`` and ``enableDnsHostnames``."""
    subnets: tuple[Subnet, ...]
    endpoints: tuple[Endpoint, ...] | NoAnswer
    nats: Mapping[str, NatGateway] | NoAnswer
    """By id."""
    shared: bool = False
    """It is another account's, which shares its subnets: its NAT gateways, endpoints and their groups are not seen
    (Amazon VPC User Guide: Responsibilities and permissions for owners and participants)."""
    groups: Mapping[str, str] | NoAnswer = field(default_factory=dict)
    """Its security groups: id to name."""
    service_groups: frozenset[str] = frozenset()
    """The security groups of the stack's containers that are there already."""
    balancer_there: bool = False
    """Whether the stack's own load balancer is in place already."""
    running: int = 0
    """Containers of the stack that run already."""

    def of_kind(self, *, public: bool) -> tuple[Subnet, ...]:
        """The public subnets, or the private ones."""
        return tuple(subnet for subnet in self.subnets if subnet.public is public)


@dataclass(frozen=True, kw_only=True)
class Several:
    """More than one VPC fits."""

    vpc_ids: tuple[str, ...]


Place = Network | Several | Absent | NoAnswer
