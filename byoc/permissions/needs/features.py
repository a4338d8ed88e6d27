"""What is asked of AWS beside provisioning: looking after a deployment, and bringing its data back.

A feature asks only about what a stack has: one without a database of ours reads no events of databases. Reasons name
the pages of AWS's documentation; nothing here was seen on the wire of the AWS provider.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from byoc.permissions.needs.actions import Need, Phase

SERVICE = "aws:ecs/service:Service"
DATABASE = "aws:rds/instance:Instance"
BALANCER = "aws:lb/loadBalancer:LoadBalancer"
TARGET_GROUP = "aws:lb/targetGroup:TargetGroup"
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
SCALABLE_TARGET = "aws:appautoscaling/target:Target"


LINKED_ROLES: Mapping[str, tuple[str, str]] = {
    SERVICE: ("ecs.amazonaws.com", "AWSServiceRoleForECS"),
    BALANCER: ("elasticloadbalancing.amazonaws.com", "AWSServiceRoleForElasticLoadBalancing"),
    DATABASE: ("rds.amazonaws.com", "AWSServiceRoleForRDS"),
    SCALABLE_TARGET: (
        "ecs.application-autoscaling.amazonaws.com",
        "AWSServiceRoleForApplicationAutoScaling_ECSService",
    ),
}
"""The service, and the name of its role, that AWS makes when a type is first used in an account."""


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
    SNAPSHOTS = "snapshots"
    """A snapshot of its database, taken by hand."""
    RESTORE = "restore"
    """A database made from a snapshot or from a point in time."""
    SERVICE_LINKED_ROLES = "service-linked-roles"
    """AWS's own roles, made at a service's first use, in an account whose account stack does not make them."""


HEALTH = (Feature.STATUS, Feature.LOGS, Feature.EVENTS, Feature.METRICS)
"""The features that only read."""


@dataclass(frozen=True)
class _Row:
    feature: Feature
    token: str
    phase: Phase
    actions: tuple[str, ...]
    reason: str


_LINKED = "iam:CreateServiceLinkedRole"
_ROWS = (
    _Row(
        Feature.STATUS,
        SERVICE,
        Phase.READ,
        (
            "ecs:DescribeClusters",
            "ecs:DescribeServices",
            "ecs:DescribeTaskDefinition",
            "ecs:DescribeTasks",
            "ecs:ListServices",
            "ecs:ListTasks",
        ),
        "how many containers run, and why others stopped (Amazon ECS API Reference)",
    ),
    _Row(
        Feature.STATUS,
        DATABASE,
        Phase.READ,
        ("rds:DescribeDBInstances", "rds:DescribePendingMaintenanceActions"),
        "whether the database is available, and what waits to be done to it (Amazon RDS API Reference)",
    ),
    _Row(
        Feature.STATUS,
        BALANCER,
        Phase.READ,
        ("elasticloadbalancing:DescribeLoadBalancers", "elasticloadbalancing:DescribeListeners"),
        "whether the load balancer is active (Elastic Load Balancing API Reference)",
    ),
    _Row(
        Feature.STATUS,
        TARGET_GROUP,
        Phase.READ,
        ("elasticloadbalancing:DescribeTargetGroups", "elasticloadbalancing:DescribeTargetHealth"),
        "which containers answer their health checks (Elastic Load Balancing API Reference)",
    ),
    _Row(
        Feature.STATUS,
        ALARM,
        Phase.READ,
        ("cloudwatch:DescribeAlarms",),
        "which alarms are in alarm (Amazon CloudWatch API Reference)",
    ),
    _Row(
        Feature.STATUS,
        SCALABLE_TARGET,
        Phase.READ,
        ("application-autoscaling:DescribeScalableTargets",),
        "between what bounds it scales (Application Auto Scaling API Reference)",
    ),
    _Row(
        Feature.LOGS,
        SERVICE,
        Phase.READ,
        ("logs:DescribeLogStreams", "logs:FilterLogEvents", "logs:GetLogEvents"),
        "log entries of containers (Amazon CloudWatch Logs API Reference)",
    ),
    _Row(
        Feature.EVENTS,
        SERVICE,
        Phase.READ,
        ("ecs:DescribeServices",),
        "a service's last hundred events are in its description (Amazon ECS API Reference)",
    ),
    _Row(
        Feature.EVENTS,
        DATABASE,
        Phase.READ,
        ("rds:DescribeEvents",),
        "fail-overs, restarts and backups (Amazon RDS API Reference)",
    ),
    _Row(
        Feature.EVENTS,
        ALARM,
        Phase.READ,
        ("cloudwatch:DescribeAlarmHistory",),
        "when alarms went on and off (Amazon CloudWatch API Reference)",
    ),
    _Row(
        Feature.EVENTS,
        SCALABLE_TARGET,
        Phase.READ,
        ("application-autoscaling:DescribeScalingActivities",),
        "when it scaled, and why not (Application Auto Scaling API Reference)",
    ),
    _Row(
        Feature.METRICS,
        SERVICE,
        Phase.READ,
        ("cloudwatch:GetMetricData",),
        "processor, memory, requests and connections (Amazon CloudWatch API Reference)",
    ),
    _Row(
        Feature.SNAPSHOTS,
        DATABASE,
        Phase.CREATE,
        ("rds:AddTagsToResource", "rds:CreateDBSnapshot", "rds:DescribeDBSnapshots"),
        "a snapshot with tags, and its progress (Amazon RDS User Guide: Creating a DB snapshot)",
    ),
    _Row(
        Feature.RESTORE,
        DATABASE,
        Phase.READ,
        ("rds:DescribeDBInstanceAutomatedBackups", "rds:DescribeDBInstances", "rds:DescribeDBSnapshots"),
        "what there is to restore from (Amazon RDS User Guide: Backing up and restoring)",
    ),
    _Row(
        Feature.RESTORE,
        DATABASE,
        Phase.CREATE,
        ("rds:AddTagsToResource", "rds:RestoreDBInstanceFromDBSnapshot", "rds:RestoreDBInstanceToPointInTime"),
        "a new instance with tags (Amazon RDS User Guide: Restoring to a DB instance, Restoring to a point in time)",
    ),
    *(
        _Row(
            Feature.SERVICE_LINKED_ROLES,
            token,
            Phase.CREATE,
            (_LINKED,),
            f"the first use makes the role of {principal} (IAM User Guide: Service-linked role permissions)",
        )
        for token, (principal, _) in LINKED_ROLES.items()
    ),
)


def feature_needs(features: Iterable[Feature], types: Iterable[str]) -> Iterator[Need]:
    """What features ask of a stack that has these resource types, feature by feature."""
    wanted, there = set(features), set(types)
    for row in _ROWS:
        if row.feature in wanted and row.token in there:
            for action in row.actions:
                yield Need(row.token, row.phase, action, row.reason)
