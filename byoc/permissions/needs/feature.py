"""The features beside provisioning, and how what they ask is written down."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from byoc.permissions.needs.actions import Phase

SERVICE = "aws:ecs/service:Service"
DATABASE = "aws:rds/instance:Instance"
BALANCER = "aws:lb/loadBalancer:LoadBalancer"
TARGET_GROUP = "aws:lb/targetGroup:TargetGroup"
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
SCALABLE_TARGET = "aws:appautoscaling/target:Target"
REGISTRY = "aws:servicediscovery/service:Service"
SECRET = "aws:secretsmanager/secret:Secret"  # noqa: S105 - a resource type
TASK_DEFINITION = "aws:ecs/taskDefinition:TaskDefinition"
LISTENER = "aws:lb/listener:Listener"
CLUSTER = "aws:ecs/cluster:Cluster"


class Feature(enum.StrEnum):
    """Something that a user turns to, and that calls AWS on its own."""

    STATUS = "status"
    """Whether a deployment runs, and what is wrong with it."""
    LOGS = "logs"
    """What its containers wrote."""
    EVENTS = "events"
    """What happened to it."""
    METRICS = "metrics"
    """How loaded it is."""
    TRACING = "tracing"
    """The LangSmith project that it traces to; its key is in its secret."""
    RETENTION = "retention"
    """Whether anybody uses it; what was seen is noted on its secret."""
    REVISIONS = "revisions"
    """Its revisions, back to one of them, and the secret versions that this needs."""
    SNAPSHOTS = "snapshots"
    """A snapshot of its database, taken by hand."""
    RESTORE = "restore"
    """A database made from a snapshot or from a point in time."""
    RECOVERY = "recovery"
    """Why it does not run as it should; and what is done about it without a person."""
    TEARDOWN = "teardown"
    """What would go with it, what stands in the way, and what is left afterwards."""
    PREFLIGHT = "preflight"
    """Whether a stack can be provisioned, or stands as it should: what ``byoc doctor`` asks."""
    EGRESS_PROBE = "egress-probe"
    """Whether containers reach hosts outside AWS, tried from one of them: a task that nothing else needs."""
    SERVICE_LINKED_ROLES = "service-linked-roles"
    """AWS's own roles, made at a service's first use, in an account whose account stack does not make them."""


HEALTH = (Feature.STATUS, Feature.LOGS, Feature.EVENTS, Feature.METRICS)
"""The features that only read."""
OPERATING = (
    Feature.TRACING,
    Feature.RETENTION,
    Feature.REVISIONS,
    Feature.RECOVERY,
    Feature.TEARDOWN,
    Feature.PREFLIGHT,
)
"""What the verbs beside them ask through the cross-account role. What the role is not given of it stands in
docs/access.md."""


@dataclass(frozen=True)
class Row:
    """What a feature asks about one type."""

    feature: Feature
    token: str
    phase: Phase
    actions: tuple[str, ...]
    reason: str
