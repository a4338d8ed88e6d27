"""Facts that decide whether a teardown would come to its end, as AWS tells them."""

from __future__ import annotations

from dataclasses import dataclass

from byoc.operations.teardown.found import Look, NotAsked

BALANCER_PROTECTION = "protection of load balancers"
INSTANCES = "instances in Cloud Map"
GUESTS = "what others have in the network"


@dataclass(frozen=True, kw_only=True)
class Key:
    """A key of AWS KMS (``kms:DescribeKey``)."""

    arn: str
    of_aws: bool
    """Whether AWS keeps it for the account: such a key cannot be deleted."""
    state: str
    """KMS's own word, such as ``Enabled``, ``Disabled`` or ``PendingDeletion``; ``absent`` if there is none."""


@dataclass(frozen=True, kw_only=True)
class Database:
    """A database of the subject."""

    identifier: str
    deployment: str
    protected: bool
    status: str = "available"
    """RDS's own word."""
    resource_id: str = ""
    """What RDS calls this very database: another one of the same identifier has another. Empty where it does not
    say."""
    key: Key | NotAsked | None
    """None where the storage is not encrypted."""
    final_snapshot: bool
    """Whether the config asks for one."""
    storage_gib: int


@dataclass(frozen=True, kw_only=True)
class LoadBalancer:
    """A load balancer of the subject that AWS protects from deletion."""

    name: str
    arn: str
    deployment: str


@dataclass(frozen=True, kw_only=True)
class Registered:
    """An instance that is registered under the Cloud Map name of a cache."""

    service_id: str
    service: str
    id: str
    ecs_service: str
    """The service of the install's cluster whose task it is; empty if somebody else registered it."""
    is_running: bool
    """Whether that service is still there: then ECS takes the instance away with it."""


@dataclass(frozen=True, kw_only=True)
class Guest:
    """Something in the install's network, or tied to its security groups, that others made."""

    kind: str
    id: str
    where: str
    """What of the install it keeps, such as ``VPC vpc-1``."""
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Everything that a plan is made from."""

    look: Look
    databases: tuple[Database, ...] = ()
    load_balancers: tuple[LoadBalancer, ...] = ()
    """Only those that are protected."""
    registered: tuple[Registered, ...] = ()
    guests: tuple[Guest, ...] = ()
    not_asked: tuple[NotAsked, ...] = ()
