"""The two ways to a network: make one, or use one that exists."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Nat(enum.StrEnum):
    """How private subnets reach the internet; AWS bills each NAT gateway by the hour and by what passes."""

    NONE = "none"
    """Not at all: what tasks need must have an endpoint in the VPC."""
    SINGLE = "single"
    """One gateway, in the first zone; if that zone fails, the others have no way out."""
    PER_ZONE = "per-zone"
    """One gateway in each zone."""


@dataclass(frozen=True, kw_only=True)
class CreateNetwork:
    """A VPC of one's own.

    ``cidr``: by default that of the documented setup, with private subnets 10.0.1-3.0/24 and public ones 10.0.4-6.0/24.
    ``zones``: how many (the first in order of name), or the names of the zones, whose order decides which subnet is
    whose. Two are the least that RDS takes.
    ``s3_endpoint``: image layers come from S3 through a gateway endpoint, which is free, instead of the NAT gateway.
    ``interface_endpoints``: services reached inside the VPC, by AWS's short name (``ecr.api``, ``logs``) or, where a
    partition names them otherwise, by the whole (``cn.com.amazonaws.cn-north-1.ecr.api``). AWS bills each by the hour
    and zone. Without NAT, tasks need at least ``ecr.api``, ``ecr.dkr``, ``secretsmanager`` and ``logs``.
    ``subnet_prefix_length``: by default /24 where the VPC has room, else the largest that fit.
    """

    cidr: str = "10.0.0.0/16"
    zones: int | tuple[str, ...] = 3
    nat: Nat = Nat.SINGLE
    s3_endpoint: bool = True
    interface_endpoints: tuple[str, ...] = ()
    subnet_prefix_length: int | None = None


@dataclass(frozen=True, kw_only=True)
class ExistingNetwork:
    """A VPC that somebody else made and keeps.

    ``private_subnet_ids``: at least two, in different zones, with a way to what tasks need. ``public_subnet_ids``: by
    default none, and then load balancers are internal. ``tag``: whether the VPC and these subnets get the documented
    tags; nothing else of them is ever written. Set it to false in the second of two installs that share a VPC, or where
    another tool owns the tags.
    """

    vpc_id: str
    private_subnet_ids: tuple[str, ...]
    public_subnet_ids: tuple[str, ...] = ()
    tag: bool = True
