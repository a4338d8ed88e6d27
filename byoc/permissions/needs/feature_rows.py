"""What looking after deployments asks, and bringing their data back."""

from __future__ import annotations

from collections.abc import Mapping

from byoc.permissions.needs.actions import Phase
from byoc.permissions.needs.feature import (
    ALARM,
    BALANCER,
    DATABASE,
    SCALABLE_TARGET,
    SECRET,
    SERVICE,
    TARGET_GROUP,
    Feature,
    Row,
)

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

ROWS = (
    Row(
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
    Row(
        Feature.STATUS,
        DATABASE,
        Phase.READ,
        ("rds:DescribeDBInstances",),
        "whether the database is available (Amazon RDS API Reference)",
    ),
    Row(
        Feature.STATUS,
        SECRET,
        Phase.READ,
        ("secretsmanager:DescribeSecret",),
        "whether anybody uses it, which retention notes as a tag (AWS Secrets Manager API Reference)",
    ),
    Row(
        Feature.STATUS,
        BALANCER,
        Phase.READ,
        ("elasticloadbalancing:DescribeLoadBalancers",),
        "whether the load balancer is active (Elastic Load Balancing API Reference)",
    ),
    Row(
        Feature.STATUS,
        TARGET_GROUP,
        Phase.READ,
        ("elasticloadbalancing:DescribeTargetGroups", "elasticloadbalancing:DescribeTargetHealth"),
        "which containers answer their health checks (Elastic Load Balancing API Reference)",
    ),
    Row(
        Feature.STATUS,
        ALARM,
        Phase.READ,
        ("cloudwatch:DescribeAlarms",),
        "which alarms are in alarm (Amazon CloudWatch API Reference)",
    ),
    Row(
        Feature.STATUS,
        SCALABLE_TARGET,
        Phase.READ,
        ("application-autoscaling:DescribeScalableTargets",),
        "between what bounds it scales (Application Auto Scaling API Reference)",
    ),
    Row(
        Feature.LOGS,
        SERVICE,
        Phase.READ,
        ("logs:DescribeLogStreams", "logs:FilterLogEvents", "logs:GetLogEvents"),
        "log entries of containers (Amazon CloudWatch Logs API Reference)",
    ),
    Row(
        Feature.EVENTS,
        SERVICE,
        Phase.READ,
        ("ecs:DescribeServices",),
        "a service's last hundred events are in its description (Amazon ECS API Reference)",
    ),
    Row(
        Feature.EVENTS,
        DATABASE,
        Phase.READ,
        ("rds:DescribeEvents",),
        "fail-overs, restarts and backups (Amazon RDS API Reference)",
    ),
    Row(
        Feature.EVENTS,
        ALARM,
        Phase.READ,
        ("cloudwatch:DescribeAlarmHistory",),
        "when alarms went on and off (Amazon CloudWatch API Reference)",
    ),
    Row(
        Feature.EVENTS,
        SCALABLE_TARGET,
        Phase.READ,
        ("application-autoscaling:DescribeScalingActivities",),
        "when it scaled, and why not (Application Auto Scaling API Reference)",
    ),
    Row(
        Feature.METRICS,
        SERVICE,
        Phase.READ,
        ("cloudwatch:GetMetricData",),
        "processor, memory, requests and connections (Amazon CloudWatch API Reference)",
    ),
    Row(
        Feature.SNAPSHOTS,
        DATABASE,
        Phase.CREATE,
        ("rds:AddTagsToResource", "rds:CreateDBSnapshot", "rds:DescribeDBSnapshots"),
        "a snapshot with tags, and its progress (Amazon RDS User Guide: Creating a DB snapshot)",
    ),
    Row(
        Feature.RESTORE,
        DATABASE,
        Phase.READ,
        ("rds:DescribeDBInstanceAutomatedBackups", "rds:DescribeDBInstances", "rds:DescribeDBSnapshots"),
        "what there is to restore from (Amazon RDS User Guide: Backing up and restoring)",
    ),
    Row(
        Feature.RESTORE,
        DATABASE,
        Phase.CREATE,
        ("rds:AddTagsToResource", "rds:RestoreDBInstanceFromDBSnapshot", "rds:RestoreDBInstanceToPointInTime"),
        "a new instance with tags (Amazon RDS User Guide: Restoring to a DB instance, Restoring to a point in time)",
    ),
    *(
        Row(
            Feature.SERVICE_LINKED_ROLES,
            token,
            Phase.CREATE,
            ("iam:CreateServiceLinkedRole",),
            f"the first use makes the role of {principal} (IAM User Guide: Service-linked role permissions)",
        )
        for token, (principal, _) in LINKED_ROLES.items()
    ),
)
"""By feature and type."""
