"""What operating deployments asks: their revisions, traces, use, troubles and end."""

from __future__ import annotations

from byoc.permissions.needs.actions import Phase
from byoc.permissions.needs.feature import (
    ALARM,
    BALANCER,
    DATABASE,
    REGISTRY,
    SCALABLE_TARGET,
    SECRET,
    SERVICE,
    TARGET_GROUP,
    TASK_DEFINITION,
    Feature,
    Row,
)

_TEARDOWN: tuple[tuple[str, bool, tuple[str, ...], str], ...] = (
    (
        SERVICE,
        True,
        ("ecs:DescribeServices", "ecs:DescribeTaskDefinition", "ecs:ListTaskDefinitions", "ecs:ListTasks"),
        "services, revisions and tasks that are still there (Amazon ECS API Reference)",
    ),
    (
        SERVICE,
        True,
        ("tag:GetResources",),
        "everything that still carries the deployment's tags (Resource Groups Tagging API Reference)",
    ),
    (
        TASK_DEFINITION,
        False,
        ("ecs:DeregisterTaskDefinition",),
        "what a roll-back registered, and no stack knows of (Amazon ECS API Reference)",
    ),
    (
        REGISTRY,
        True,
        (
            "servicediscovery:GetService",
            "servicediscovery:ListInstances",
            "servicediscovery:ListNamespaces",
            "servicediscovery:ListServices",
        ),
        "a name with registered instances cannot go (AWS Cloud Map API Reference: DeleteService)",
    ),
    (
        REGISTRY,
        False,
        ("servicediscovery:DeregisterInstance",),
        "instances whose ECS service is gone are taken out (AWS Cloud Map API Reference)",
    ),
    (
        BALANCER,
        True,
        ("elasticloadbalancing:DescribeLoadBalancerAttributes", "elasticloadbalancing:DescribeLoadBalancers"),
        "whether it is there, and protected (Elastic Load Balancing API Reference)",
    ),
    (
        BALANCER,
        False,
        ("elasticloadbalancing:ModifyLoadBalancerAttributes",),
        "a protection is taken off where the user says so (Elastic Load Balancing API Reference)",
    ),
    (
        TARGET_GROUP,
        True,
        ("elasticloadbalancing:DescribeTags", "elasticloadbalancing:DescribeTargetGroups"),
        "target groups that are still there; their tags say whose they are (Elastic Load Balancing API Reference)",
    ),
    (
        DATABASE,
        True,
        (
            "rds:DescribeDBInstanceAutomatedBackups",
            "rds:DescribeDBInstances",
            "rds:DescribeDBParameterGroups",
            "rds:DescribeDBSnapshots",
        ),
        "whether the database is gone, and its final snapshot is whole (Amazon RDS API Reference)",
    ),
    (
        DATABASE,
        True,
        ("kms:DescribeKey",),
        "a final snapshot is of no use without its key (Amazon RDS User Guide: Encrypting Amazon RDS resources)",
    ),
    (
        DATABASE,
        False,
        ("rds:ModifyDBInstance",),
        "a protection is taken off where the user says so (Amazon RDS API Reference)",
    ),
    (
        SECRET,
        True,
        ("secretsmanager:DescribeSecret",),
        "secrets that are there, or wait for their deletion (AWS Secrets Manager API Reference)",
    ),
    (
        SECRET,
        False,
        ("secretsmanager:DeleteSecret",),
        "those that wait are deleted for good where the user says so (AWS Secrets Manager API Reference)",
    ),
    (ALARM, True, ("cloudwatch:DescribeAlarms",), "alarms that are still there (Amazon CloudWatch API Reference)"),
    (
        SCALABLE_TARGET,
        True,
        ("application-autoscaling:DescribeScalableTargets", "application-autoscaling:DescribeScalingPolicies"),
        "scaling that is still there (Application Auto Scaling API Reference)",
    ),
)
"""Of a deployment: type, whether it reads, actions, reason."""

ROWS = (
    Row(
        Feature.TRACING,
        SECRET,
        Phase.READ,
        ("secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"),
        "the LangSmith key of the deployment (AWS Secrets Manager API Reference)",
    ),
    Row(
        Feature.RETENTION,
        SECRET,
        Phase.READ,
        ("secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"),
        "when it was made, what was noted, and its LangSmith key (AWS Secrets Manager API Reference)",
    ),
    Row(
        Feature.RETENTION,
        SERVICE,
        Phase.READ,
        ("ecs:DescribeServices", "ecs:DescribeTaskDefinition"),
        "where the containers that run send their traces (Amazon ECS API Reference)",
    ),
    Row(
        Feature.RETENTION,
        DATABASE,
        Phase.READ,
        ("rds:DescribeDBInstances",),
        "whether a deletion that broke off left the database (Amazon RDS API Reference)",
    ),
    Row(
        Feature.RETENTION,
        BALANCER,
        Phase.READ,
        ("elasticloadbalancing:DescribeLoadBalancers",),
        "whether it left the load balancer (Elastic Load Balancing API Reference)",
    ),
    Row(
        Feature.RETENTION,
        SECRET,
        Phase.UPDATE,
        ("secretsmanager:TagResource",),
        "a note of each look, as a tag (AWS Secrets Manager API Reference)",
    ),
    Row(
        Feature.RETENTION,
        SECRET,
        Phase.READ,
        ("sns:ListSubscriptionsByTopic",),
        "whether anybody would get the notice (Amazon SNS API Reference)",
    ),
    Row(
        Feature.RETENTION,
        SECRET,
        Phase.UPDATE,
        ("sns:Publish",),
        "the notice that nobody uses it, by the account's alarm topic (Amazon SNS API Reference)",
    ),
    Row(
        Feature.REVISIONS,
        SERVICE,
        Phase.READ,
        (
            "ecs:DescribeServiceRevisions",
            "ecs:DescribeServices",
            "ecs:DescribeTaskDefinition",
            "ecs:ListServiceDeployments",
            "ecs:ListTaskDefinitions",
        ),
        "registered revisions, what became of each, and digests of images (Amazon ECS API Reference)",
    ),
    Row(
        Feature.REVISIONS,
        TASK_DEFINITION,
        Phase.CREATE,
        ("ecs:RegisterTaskDefinition", "ecs:TagResource", "iam:PassRole"),
        "a copy of an earlier revision, with its tags and roles (Amazon ECS API Reference: RegisterTaskDefinition)",
    ),
    Row(
        Feature.REVISIONS,
        TASK_DEFINITION,
        Phase.DELETE,
        ("ecs:DeregisterTaskDefinition",),
        "one that nothing runs is deregistered (Amazon ECS API Reference)",
    ),
    Row(
        Feature.REVISIONS,
        SERVICE,
        Phase.UPDATE,
        ("ecs:UpdateService",),
        "another revision is rolled out (Amazon ECS API Reference)",
    ),
    Row(
        Feature.REVISIONS,
        SECRET,
        Phase.READ,
        ("secretsmanager:GetSecretValue", "secretsmanager:ListSecretVersionIds"),
        "whether a pinned version is there, and its values for --write-config (AWS Secrets Manager API Reference)",
    ),
    Row(
        Feature.REVISIONS,
        SECRET,
        Phase.UPDATE,
        ("secretsmanager:UpdateSecretVersionStage",),
        "a label, so that a version that a revision pins stays (AWS Secrets Manager API Reference)",
    ),
    Row(
        Feature.RECOVERY,
        SERVICE,
        Phase.READ,
        (
            "ec2:DescribeSecurityGroups",
            "ecs:DescribeServices",
            "ecs:DescribeTaskDefinition",
            "ecs:DescribeTasks",
            "ecs:ListTasks",
        ),
        "why containers stopped, and how services are set (Amazon ECS Developer Guide: Stopped task error messages)",
    ),
    Row(
        Feature.RECOVERY,
        SERVICE,
        Phase.UPDATE,
        ("ecs:UpdateService",),
        "a roll-out that is stuck for want of capacity is begun anew (Amazon ECS API Reference: UpdateService)",
    ),
    Row(
        Feature.RECOVERY,
        DATABASE,
        Phase.READ,
        ("cloudwatch:GetMetricData", "rds:DescribeDBInstances"),
        "how the database is set, and how much of its storage is free (Amazon RDS User Guide: Amazon CloudWatch "
        "metrics for Amazon RDS)",
    ),
    Row(
        Feature.RECOVERY,
        DATABASE,
        Phase.UPDATE,
        ("rds:StartDBInstance",),
        "a stopped database is started (Amazon RDS User Guide: Starting a DB instance that was stopped)",
    ),
    Row(
        Feature.RECOVERY,
        ALARM,
        Phase.READ,
        ("cloudwatch:DescribeAlarms",),
        "whom alarms tell (Amazon CloudWatch API Reference)",
    ),
    Row(
        Feature.RECOVERY,
        SCALABLE_TARGET,
        Phase.READ,
        ("application-autoscaling:DescribeScalableTargets", "application-autoscaling:DescribeScalingPolicies"),
        "whether it scales, and between what bounds (Application Auto Scaling API Reference)",
    ),
    *(
        Row(Feature.TEARDOWN, token, Phase.READ if reads else Phase.UPDATE, actions, reason)
        for token, reads, actions, reason in _TEARDOWN
    ),
)
"""By feature and type."""
