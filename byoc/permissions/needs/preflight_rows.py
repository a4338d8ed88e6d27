"""What ``byoc doctor`` asks, by the types of the stack that it examines; and its probe."""

from __future__ import annotations

from collections.abc import Mapping

from byoc.permissions.needs.actions import Phase
from byoc.permissions.needs.feature import (
    ALARM,
    BALANCER,
    CLUSTER,
    DATABASE,
    LISTENER,
    REGISTRY,
    SECRET,
    SERVICE,
    TARGET_GROUP,
    TASK_DEFINITION,
    Feature,
    Row,
)

QUOTAS: Mapping[str, tuple[tuple[str, str], ...]] = {
    BALANCER: (("elasticloadbalancing", "L-53DA6B97"),),
    TARGET_GROUP: (("elasticloadbalancing", "L-B22855CB"),),
    SERVICE: (("fargate", "L-3032A538"),),
    DATABASE: (("rds", "L-7B6409FD"), ("rds", "L-7ADDB58A")),
    SECRET: (("secretsmanager", "L-2F66C23C"),),
    "aws:ec2/vpc:Vpc": (("vpc", "L-F678F1CE"),),
    "aws:ec2/internetGateway:InternetGateway": (("vpc", "L-A4707A72"),),
    "aws:ec2/eip:Eip": (("ec2", "L-0263D0A3"),),
    "aws:ec2/natGateway:NatGateway": (("vpc", "L-FE5A380F"),),
}
"""The quotas that a type meets: service and code of Service Quotas."""

_NETWORK = (
    "ec2:DescribeNatGateways",
    "ec2:DescribeNetworkAcls",
    "ec2:DescribeRouteTables",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcAttribute",
    "ec2:DescribeVpcEndpoints",
    "ec2:DescribeVpcs",
)
_PLACE = "whether containers can start in the subnets and reach what they need (Amazon VPC User Guide)"
_IDENTITY = "who the role lets in, and what its policies allow (IAM API Reference)"
_LINKED = "whether AWS's own role for the service is there (IAM User Guide: Service-linked roles)"
_USED = "how much of a quota is in use (Service Quotas User Guide)"
_NAME = "whether the name is free, and if not, whose it is (the API reference of the service)"

_ROWS: tuple[tuple[str, tuple[str, ...], str], ...] = (
    *((token, _NETWORK, _PLACE) for token in (SERVICE, CLUSTER)),
    (
        SERVICE,
        ("ec2:DescribeSecurityGroups", "ecs:DescribeServices", "rds:DescribeDBSubnetGroups"),
        "where the runtime of the install is (Amazon EC2 and Amazon RDS API References)",
    ),
    (
        "aws:ec2/vpc:Vpc",
        ("ec2:DescribeAvailabilityZones",),
        "zones for a network to be made (Amazon EC2 API Reference)",
    ),
    *((token, ("iam:GetRole", "iam:SimulatePrincipalPolicy"), _IDENTITY) for token in (SERVICE, CLUSTER)),
    *((token, ("iam:GetRole",), _LINKED) for token in (BALANCER, DATABASE, "aws:appautoscaling/target:Target")),
    *(
        (
            token,
            ("servicequotas:GetAWSDefaultServiceQuota", "servicequotas:GetServiceQuota"),
            "the account's limit, else AWS's default (Service Quotas API Reference)",
        )
        for token in QUOTAS
    ),
    (SERVICE, ("ecs:DescribeTasks", "ecs:ListClusters", "ecs:ListTasks"), _USED),
    (BALANCER, ("elasticloadbalancing:DescribeLoadBalancers",), _USED),
    (TARGET_GROUP, ("elasticloadbalancing:DescribeLoadBalancers", "elasticloadbalancing:DescribeTargetGroups"), _USED),
    (DATABASE, ("rds:DescribeDBInstances",), _USED),
    (SECRET, ("secretsmanager:ListSecrets",), _USED),
    ("aws:ec2/internetGateway:InternetGateway", ("ec2:DescribeInternetGateways",), _USED),
    ("aws:ec2/eip:Eip", ("ec2:DescribeAddresses",), _USED),
    (BALANCER, ("elasticloadbalancing:DescribeTags",), _NAME),
    (SECRET, ("secretsmanager:DescribeSecret",), _NAME),
    (CLUSTER, ("ecs:DescribeClusters",), _NAME),
    ("aws:iam/role:Role", ("iam:GetRole",), _NAME),
    ("aws:iam/policy:Policy", ("iam:GetPolicy",), _NAME),
    ("aws:cloudwatch/logGroup:LogGroup", ("logs:DescribeLogGroups", "logs:ListTagsForResource"), _NAME),
    ("aws:rds/subnetGroup:SubnetGroup", ("rds:DescribeDBSubnetGroups", "rds:ListTagsForResource"), _NAME),
    ("aws:ecr/repository:Repository", ("ecr:DescribeRepositories", "ecr:ListTagsForResource"), _NAME),
    ("aws:sns/topic:Topic", ("sns:GetTopicAttributes", "sns:ListTagsForResource"), _NAME),
    (
        "aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace",
        ("servicediscovery:ListNamespaces", "servicediscovery:ListTagsForResource"),
        _NAME,
    ),
    (
        REGISTRY,
        ("servicediscovery:ListNamespaces", "servicediscovery:ListServices", "servicediscovery:ListTagsForResource"),
        _NAME,
    ),
    ("aws:cloudwatch/eventRule:EventRule", ("events:DescribeRule", "events:ListTagsForResource"), _NAME),
    (ALARM, ("cloudwatch:DescribeAlarms", "cloudwatch:ListTagsForResource"), _NAME),
    (
        DATABASE,
        ("rds:DescribeDBEngineVersions", "rds:DescribeOrderableDBInstanceOptions"),
        "whether RDS offers the version and the class in the zones of the subnets (Amazon RDS API Reference)",
    ),
    (
        TASK_DEFINITION,
        ("ecr:BatchGetImage", "ecr:DescribeImages", "ecr:GetDownloadUrlForLayer"),
        "whether the image is there, and its platform, which stands in the manifest or in its config (Amazon ECR API "
        "Reference)",
    ),
    (
        LISTENER,
        ("acm:DescribeCertificate", "iam:GetServerCertificate"),
        "whether the certificate is issued and in date (AWS Certificate Manager and IAM API References)",
    ),
)
"""Type, reads, reason."""

ROWS = (
    *(Row(Feature.PREFLIGHT, token, Phase.READ, actions, reason) for token, actions, reason in _ROWS),
    Row(
        Feature.EGRESS_PROBE,
        SERVICE,
        Phase.READ,
        (
            "ec2:DescribeSecurityGroups",
            "ecs:DescribeClusters",
            "ecs:DescribeTasks",
            "ecs:ListTaskDefinitions",
            "ecs:ListTasks",
            "logs:GetLogEvents",
        ),
        "whether a probe can run, how it ended, and what it printed (Amazon ECS API Reference)",
    ),
    Row(
        Feature.EGRESS_PROBE,
        TASK_DEFINITION,
        Phase.CREATE,
        ("ecs:RegisterTaskDefinition", "ecs:RunTask", "ecs:TagResource", "iam:PassRole"),
        "a task definition of its own, and one task (Amazon ECS API Reference: RunTask)",
    ),
    Row(
        Feature.EGRESS_PROBE,
        TASK_DEFINITION,
        Phase.DELETE,
        ("ecs:DeleteTaskDefinitions", "ecs:DeregisterTaskDefinition", "ecs:StopTask"),
        "nothing of it stays (Amazon ECS API Reference: DeleteTaskDefinitions)",
    ),
)
"""By feature and type."""
