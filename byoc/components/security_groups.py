"""The three security groups that all deployments of an install share, and who may speak to whom."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from byoc import tags
from byoc.naming import Names

HTTPS_PORT = 443
HTTP_PORT = 80
SERVER_PORT = 8000
"""Where a LangGraph Server listens (LangGraph docs: ``PORT``)."""
POSTGRES_PORT = 5432
REDIS_PORT = 6379
ANYWHERE = "0.0.0.0/0"


@dataclass(frozen=True, kw_only=True)
class LoadBalancerAccess:
    """From where the load balancers of an install can be reached.

    ``public``: by default no, and HTTP and HTTPS are open to the VPC's own CIDR. If true, HTTPS is open to everyone,
    for load balancers with a public address and a certificate, and HTTP stays open to the VPC, for internal ones.
    ``allowed_cidrs`` (IPv4 or IPv6) takes the place of the VPC's CIDR, or of everyone if ``public``.
    """

    public: bool = False
    allowed_cidrs: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class KeptGroups:
    """What groups that another tool made keep, since AWS could change it by a replacement alone; by default nothing.

    The descriptions of the load balancers' and the servers' group; and ``rules``, by logical name without that of the
    runtime (``service-out``): these are in the groups already and are not made a second time, which AWS would refuse.
    """

    load_balancer_description: str | None = None
    service_description: str | None = None
    rules: frozenset[str] = frozenset()


@dataclass(frozen=True)
class SecurityGroups:
    """The three groups, made."""

    load_balancer: aws.ec2.SecurityGroup
    service: aws.ec2.SecurityGroup
    data: aws.ec2.SecurityGroup


@dataclass(frozen=True)
class _Source:
    """An address range and the stable key of the rule that names it."""

    key: str
    cidr: pulumi.Input[str]

    @property
    def is_ipv6(self) -> bool:
        return isinstance(self.cidr, str) and ":" in self.cidr


def security_groups(
    parent: pulumi.Resource,
    name: str,
    *,
    names: Names,
    vpc_id: pulumi.Input[str],
    vpc_cidr: pulumi.Input[str],
    access: LoadBalancerAccess,
    kept: KeptGroups,
) -> SecurityGroups:
    """Make the groups and their rules.

    Names and descriptions of the first two are the documented ones. Rules are resources of their own, so that groups
    can name each other, and each rule goes before the groups that it names. Where the documented setup opens load
    balancers to everyone and services to each other on every port, only what is used is open here: clients to load
    balancers, those to servers on 8000, servers to PostgreSQL and Redis. Servers may call out anywhere (model
    providers, tracing); caches only by HTTPS, to pull their image and write their log.
    """
    made = SecurityGroups(
        load_balancer=_group(
            parent,
            f"{name}-lb-sg",
            names.load_balancer_security_group,
            kept.load_balancer_description or "Security group for LangGraph Cloud Load Balancer",
            vpc_id,
        ),
        service=_group(
            parent,
            f"{name}-service-sg",
            names.service_security_group,
            kept.service_description or "Security group for LangGraph Cloud ECS services/RDS instances",
            vpc_id,
        ),
        data=_group(
            parent,
            f"{name}-data-sg",
            names.data_security_group,
            "Security group for LangGraph Cloud databases and caches",
            vpc_id,
        ),
    )
    _clients_to_load_balancers(parent, name, made.load_balancer, access, vpc_cidr, kept.rules)
    if "lb-to-service-out" not in kept.rules:
        _load_balancers_out(parent, name, made)
    if "lb-to-service-in" not in kept.rules:
        _into(
            parent,
            f"{name}-lb-to-service-in",
            made.service,
            made.load_balancer,
            SERVER_PORT,
            "Servers from load balancers",
        )
    if "service-out" not in kept.rules:
        _servers_out(parent, name, made)
    _into(parent, f"{name}-postgres", made.data, made.service, POSTGRES_PORT, "PostgreSQL from servers")
    _into(parent, f"{name}-redis", made.data, made.service, REDIS_PORT, "Redis from servers")
    aws.vpc.SecurityGroupEgressRule(
        f"{name}-data-out",
        security_group_id=made.data.id,
        description="Caches pull their image and write their log",
        ip_protocol="tcp",
        from_port=HTTPS_PORT,
        to_port=HTTPS_PORT,
        cidr_ipv4=ANYWHERE,
        opts=pulumi.ResourceOptions(parent=parent),
    )
    return made


def _group(
    parent: pulumi.Resource, name: str, physical_name: str, description: str, vpc_id: pulumi.Input[str]
) -> aws.ec2.SecurityGroup:
    return aws.ec2.SecurityGroup(
        name,
        name=physical_name,
        description=description,
        vpc_id=vpc_id,
        tags={"Name": physical_name, **tags.ENABLED},
        opts=pulumi.ResourceOptions(parent=parent),
    )


def _clients_to_load_balancers(
    parent: pulumi.Resource,
    name: str,
    group: aws.ec2.SecurityGroup,
    access: LoadBalancerAccess,
    vpc_cidr: pulumi.Input[str],
    kept: frozenset[str],
) -> None:
    for port, source in _openings(access, vpc_cidr):
        scheme = "https" if port == HTTPS_PORT else "http"
        if f"lb-{scheme}-{source.key}" in kept:
            continue
        aws.vpc.SecurityGroupIngressRule(
            f"{name}-lb-{scheme}-{source.key}",
            security_group_id=group.id,
            description=f"{scheme.upper()} from {source.key}",
            ip_protocol="tcp",
            from_port=port,
            to_port=port,
            cidr_ipv4=None if source.is_ipv6 else source.cidr,
            cidr_ipv6=source.cidr if source.is_ipv6 else None,
            opts=pulumi.ResourceOptions(parent=parent),
        )


def _openings(access: LoadBalancerAccess, vpc_cidr: pulumi.Input[str]) -> Iterator[tuple[int, _Source]]:
    """Which port is open to whom."""
    vpc = _Source("vpc", vpc_cidr)
    allowed = [_Source(cidr, cidr) for cidr in dict.fromkeys(access.allowed_cidrs)]
    if not access.public:
        for source in allowed or [vpc]:
            yield HTTPS_PORT, source
            yield HTTP_PORT, source
        return
    for source in [*allowed, vpc] if allowed else [_Source("anywhere", ANYWHERE)]:
        yield HTTPS_PORT, source
    yield HTTP_PORT, vpc  # internal load balancers of the same install; nothing public listens on this port


def _load_balancers_out(parent: pulumi.Resource, name: str, made: SecurityGroups) -> None:
    aws.vpc.SecurityGroupEgressRule(
        f"{name}-lb-to-service-out",
        security_group_id=made.load_balancer.id,
        description="Load balancers to servers",
        ip_protocol="tcp",
        from_port=SERVER_PORT,
        to_port=SERVER_PORT,
        referenced_security_group_id=made.service.id,
        opts=pulumi.ResourceOptions(parent=parent),
    )


def _servers_out(parent: pulumi.Resource, name: str, made: SecurityGroups) -> None:
    aws.vpc.SecurityGroupEgressRule(
        f"{name}-service-out",
        security_group_id=made.service.id,
        description="Servers call model providers, tracing, databases and caches",
        ip_protocol="-1",
        cidr_ipv4=ANYWHERE,
        opts=pulumi.ResourceOptions(parent=parent),
    )


def _into(
    parent: pulumi.Resource,
    name: str,
    target: aws.ec2.SecurityGroup,
    source: aws.ec2.SecurityGroup,
    port: int,
    description: str,
) -> None:
    aws.vpc.SecurityGroupIngressRule(
        name,
        security_group_id=target.id,
        description=description,
        ip_protocol="tcp",
        from_port=port,
        to_port=port,
        referenced_security_group_id=source.id,
        opts=pulumi.ResourceOptions(parent=parent),
    )
