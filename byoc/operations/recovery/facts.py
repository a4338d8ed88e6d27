"""What AWS says of a deployment beyond its status: why containers stopped, and how its parts are set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from byoc.config import DeploymentSection
from byoc.operations.status.facts import Absent, Facts, Unknown
from byoc.tags import DEPLOYMENT_KEY, INSTALL_KEY


@dataclass(frozen=True, kw_only=True)
class StoppedContainer:
    """A container of a stopped task."""

    name: str
    exit_code: int | None = None
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class StoppedTask:
    """A task that ECS has stopped within about the last hour (``ecs:DescribeTasks``); it forgets older ones."""

    id: str
    revision: int | None
    stop_code: str
    """ECS's word, such as ``TaskFailedToStart``, ``EssentialContainerExited`` or ``ServiceSchedulerInitiated``."""
    reason: str
    containers: tuple[StoppedContainer, ...] = ()
    at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class ServiceSettings:
    """How an ECS service is set."""

    tags: Mapping[str, str]
    groups: tuple[str, ...]
    """Ids of the security groups of its tasks."""
    public_ip: bool
    breaker: bool
    """Whether a roll-out that fails ends by itself and goes back."""
    shell: bool
    """Whether ``ecs execute-command`` is open."""
    minimum_percent: int
    maximum_percent: int


@dataclass(frozen=True, kw_only=True)
class TaskSettings:
    """The task definition that a service runs."""

    image: str
    cpu: int
    memory: int


@dataclass(frozen=True, kw_only=True)
class DatabaseSettings:
    """How the RDS instance is set."""

    tags: Mapping[str, str]
    groups: tuple[str, ...]
    """Ids of its security groups."""
    instance_class: str
    engine_version: str
    storage_gib: int
    max_storage_gib: int | None
    """Up to where RDS grows the storage by itself; None: it does not."""
    multi_az: bool
    backup_days: int
    deletion_protection: bool
    public: bool
    pending: Mapping[str, object] = field(default_factory=dict)
    """Changes that wait, by RDS's names."""
    free_gib: float | Unknown | None = None
    """Free storage by CloudWatch's last figure; None: it has none, as of a database that was just made or stopped."""


@dataclass(frozen=True, kw_only=True)
class AlarmSettings:
    """How a CloudWatch alarm is set."""

    subject: str
    enabled: bool
    """Whether its actions are carried out."""
    actions: tuple[str, ...]
    """ARNs of what it tells or steers."""
    rule: Mapping[str, object] = field(default_factory=dict)
    """When it goes off, by ``alarm_rules``; empty where that is not known."""


@dataclass(frozen=True, kw_only=True)
class ScalingSettings:
    """What Application Auto Scaling may do with a service."""

    minimum: int
    maximum: int
    suspended: tuple[str, ...]
    """What somebody has switched off, by AWS's names, such as ``DynamicScalingOutSuspended``."""
    policies: tuple[str, ...]
    """Names of its policies."""


@dataclass(frozen=True)
class Opening:
    """What a rule lets in: a protocol, ports, and from where (a group's id, or an address range)."""

    protocol: str
    """``tcp``, or ``-1`` for everything."""
    first: int
    last: int
    source: str

    def lets_in(self, port: int) -> bool:
        """Whether TCP to ``port`` passes."""
        return self.protocol == "-1" or (self.protocol == "tcp" and self.first <= port <= self.last)


@dataclass(frozen=True, kw_only=True)
class Group:
    """A security group and what it lets in."""

    id: str
    name: str
    openings: tuple[Opening, ...]


Stopped: TypeAlias = tuple[StoppedTask, ...] | Unknown
Part: TypeAlias = Absent | Unknown


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What the config says, as far as it is compared."""

    stack: str
    deployment: str
    section: DeploymentSection
    own_database: bool
    install: str
    """The install's name prefix, which is the value of its tag."""
    cluster: str
    topic: str
    """The name of the alarms' topic."""
    service_group: str
    """The servers' security group: its id if the config names one, else its name."""
    data_group: str
    """The same of the databases'."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """The config's own tags, on everything."""
    ignored_keys: tuple[str, ...] = ()
    """Tags, by key, that the config leaves to somebody else."""
    ignored_prefixes: tuple[str, ...] = ()
    """The same, by how a key begins."""
    policies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Names of the scaling policies of each service that scales."""
    alarm_rules: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    """When each alarm goes off, by its subject; without those that steer the scaling."""
    inline: bool = False
    """Whether the deployment stands in its account's stack, which makes the network, too."""

    def owns(self, tags: Mapping[str, str]) -> bool:
        """Whether what has these tags is this deployment's: a thing of its name may be somebody else's."""
        return (tags.get(INSTALL_KEY), tags.get(DEPLOYMENT_KEY)) == (self.install, self.deployment)


@dataclass(frozen=True, kw_only=True)
class RecoveryFacts:
    """A deployment as it is, beside what it should be."""

    at: datetime
    """When AWS was asked."""
    expected: Expected
    status: Facts
    stopped: Mapping[str, Stopped]
    """By the service's role."""
    services: Mapping[str, ServiceSettings | Part]
    tasks: Mapping[str, TaskSettings | Part]
    database: DatabaseSettings | Part | None
    """None where somebody else keeps it."""
    alarms: tuple[AlarmSettings, ...] | Unknown
    """Those that are there."""
    scaling: Mapping[str, ScalingSettings | Part]
    """Of the services that should scale."""
    groups: Mapping[str, Group] | Unknown
    """Security groups of the API's tasks and of the database, by id."""
