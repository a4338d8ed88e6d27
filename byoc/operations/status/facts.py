"""What AWS says of the parts of a deployment, each part known, absent, or not known with the reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime


@dataclass(frozen=True, kw_only=True)
class Unknown:
    """AWS could not be asked about a part. ``why`` is for people."""

    why: str


@dataclass(frozen=True, kw_only=True)
class Absent:
    """The part is not there."""


@dataclass(frozen=True, kw_only=True)
class Note:
    """One thing that a service said of itself."""

    at: datetime
    text: str


@dataclass(frozen=True, kw_only=True)
class Rollout:
    """A roll-out that another one replaces."""

    task_definition: str
    """Family and revision."""
    state: str
    """``IN_PROGRESS``, ``COMPLETED`` or ``FAILED``; empty where ECS says nothing."""
    reason: str = ""
    running: int = 0


@dataclass(frozen=True, kw_only=True)
class ServiceFacts:
    """An ECS service (``ecs:DescribeServices``)."""

    name: str
    status: str
    """``ACTIVE``, ``DRAINING`` or ``INACTIVE``."""
    desired: int
    running: int
    pending: int
    task_definition: str
    """Family and revision of the newest roll-out: ``langgraph-cloud-chat-api:7``."""
    rollout: str
    """``IN_PROGRESS``, ``COMPLETED`` or ``FAILED``; empty where ECS says nothing."""
    rollout_reason: str = ""
    failed_tasks: int = 0
    rollouts: int = 1
    """How many roll-outs are under way or in place: 2 while one replaces another."""
    rollout_id: str = ""
    """Of the newest roll-out: ``ecs-svc/1234567890123456789``."""
    replaced: tuple[Rollout, ...] = ()
    """The others."""
    changed_at: datetime | None = None
    notes: tuple[Note, ...] = ()
    """What ECS said last, newest first; a hundred at most."""


@dataclass(frozen=True, kw_only=True)
class DatabaseFacts:
    """An RDS instance (``rds:DescribeDBInstances``)."""

    identifier: str
    status: str
    """RDS's own word, such as ``available`` or ``creating``."""
    instance_class: str
    engine_version: str
    storage_gib: int
    multi_az: bool
    pending: Mapping[str, object] = field(default_factory=dict)
    """Changes that wait for the maintenance window, by name."""


@dataclass(frozen=True, kw_only=True)
class IngressFacts:
    """A load balancer and the health of what stands behind it."""

    state: str
    """``active``, ``provisioning``, ``active_impaired`` or ``failed``."""
    url: str
    healthy: int | None
    """Containers that answer their health checks; None where AWS could not be asked."""
    unhealthy: Mapping[str, int] = field(default_factory=dict)
    """The others, by AWS's reason, such as ``Target.ResponseCodeMismatch``."""
    why_unknown: str = ""
    """Why ``healthy`` is None."""


ALARM_ABSENT = "ABSENT"
"""An alarm that should be there, and is not."""


@dataclass(frozen=True, kw_only=True)
class AlarmFacts:
    """A CloudWatch alarm."""

    subject: str
    """What it is about, such as ``database-cpu``."""
    state: str
    """``OK``, ``ALARM``, ``INSUFFICIENT_DATA``, or :data:`ALARM_ABSENT`."""
    since: datetime | None = None


Services = Mapping[str, ServiceFacts | Absent | Unknown]
"""By role: ``api``, ``queue``, ``cache``."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """A deployment, part by part."""

    services: Services
    database: DatabaseFacts | Absent | Unknown | None
    """None where somebody else keeps it."""
    ingress: IngressFacts | Absent | Unknown
    alarms: tuple[AlarmFacts, ...] | Unknown
    image: str | Unknown
    """Of the running revision."""
    noticed: date | Unknown | None = None
    """When ``byoc retention`` told that nobody uses it, and no trace was seen since; None where it did not."""
