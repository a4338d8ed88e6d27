"""The network that a stack lives in, or will, in facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from byoc.operations.doctor.asking import Absent, NoAnswer

ANYWHERE = "0.0.0.0/0"
DNS_ATTRIBUTES = ("enableDnsSupport", "enableDnsHostnames")


@dataclass(frozen=True, kw_only=True)
class Route:
    """One route of a subnet: ``target`` is an id such as ``nat-…``; ``blackhole``: what it led to is gone."""

    destination: str
    target: str
    blackhole: bool = False


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
    zone: str
    cidr: str
    free: int
    """Free addresses."""
    public: bool
    tags: Mapping[str, str]
    routes: tuple[Route, ...] | NoAnswer
    rules: tuple[AclRule, ...] | NoAnswer

    @property
    def default_routes(self) -> tuple[str, ...]:
        """Where it sends what is for the internet; routes to what is gone, or that are not known, are left out."""
        return tuple(r.target for r in self.known_routes if r.destination == ANYWHERE and not r.blackhole)

    @property
    def known_routes(self) -> tuple[Route, ...]:
        """Its routes, none where they are not known."""
        return () if isinstance(self.routes, NoAnswer) else self.routes


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """A VPC endpoint; ``service`` is its name behind ``com.amazonaws.<region>.``."""

    service: str
    state: str
    gateway: bool
    private_dns: bool


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
    nat_states: Mapping[str, str] | NoAnswer
    """NAT gateways that are not deleted: id to state."""
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
