"""Actions that the measurements could not show: tags, updates, and what AWS checks beside the call itself.

The measurements watched the wire while resources were created and deleted; they saw few updates, and never what AWS
authorises without a call of its own (passing a role, tagging as part of a create call).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Extension:
    """Actions of one phase of one Terraform type, and where they are written down."""

    type: str
    phase: str
    actions: tuple[str, ...]
    reason: str


_TAGS_BY_EC2 = ("aws_vpc", "aws_subnet", "aws_internet_gateway", "aws_eip", "aws_nat_gateway", "aws_route_table")
_TAGS_BY_EC2_TOO = (
    "aws_vpc_endpoint",
    "aws_security_group",
    "aws_vpc_security_group_ingress_rule",
    "aws_vpc_security_group_egress_rule",
)
_ELB = ("elasticloadbalancing:AddTags", "elasticloadbalancing:RemoveTags")
_RDS = ("rds:AddTagsToResource", "rds:RemoveTagsFromResource")

_TAGGING: Mapping[str, tuple[str, str]] = {
    **dict.fromkeys((*_TAGS_BY_EC2, *_TAGS_BY_EC2_TOO), ("ec2:CreateTags", "ec2:DeleteTags")),
    **dict.fromkeys(("aws_lb", "aws_lb_target_group", "aws_lb_listener", "aws_lb_listener_rule"), _ELB),
    **dict.fromkeys(("aws_db_instance", "aws_db_parameter_group", "aws_db_subnet_group"), _RDS),
    **dict.fromkeys(
        ("aws_ecs_cluster", "aws_ecs_service", "aws_ecs_task_definition"), ("ecs:TagResource", "ecs:UntagResource")
    ),
    **dict.fromkeys(
        ("aws_service_discovery_service", "aws_service_discovery_private_dns_namespace"),
        ("servicediscovery:TagResource", "servicediscovery:UntagResource"),
    ),
    "aws_acm_certificate": ("acm:AddTagsToCertificate", "acm:RemoveTagsFromCertificate"),
    "aws_appautoscaling_target": ("application-autoscaling:TagResource", "application-autoscaling:UntagResource"),
    "aws_cloudwatch_event_rule": ("events:TagResource", "events:UntagResource"),
    "aws_cloudwatch_log_group": ("logs:TagResource", "logs:UntagResource"),
    "aws_cloudwatch_metric_alarm": ("cloudwatch:TagResource", "cloudwatch:UntagResource"),
    "aws_ecr_repository": ("ecr:TagResource", "ecr:UntagResource"),
    "aws_iam_policy": ("iam:TagPolicy", "iam:UntagPolicy"),
    "aws_iam_role": ("iam:TagRole", "iam:UntagRole"),
    "aws_iam_service_linked_role": ("iam:TagRole", "iam:UntagRole"),
    "aws_secretsmanager_secret": ("secretsmanager:TagResource", "secretsmanager:UntagResource"),
    "aws_sns_topic": ("sns:TagResource", "sns:UntagResource"),
}
"""The actions that add and remove tags, by type."""

_UPDATES: Mapping[str, tuple[str, ...]] = {
    "aws_cloudwatch_event_rule": ("events:PutRule",),
    "aws_cloudwatch_event_target": ("events:PutTargets",),
    "aws_cloudwatch_log_group": ("logs:PutRetentionPolicy", "logs:DeleteRetentionPolicy"),
    "aws_cloudwatch_metric_alarm": ("cloudwatch:PutMetricAlarm",),
    "aws_db_instance": ("rds:ModifyDBInstance",),
    "aws_db_parameter_group": ("rds:ModifyDBParameterGroup", "rds:ResetDBParameterGroup"),
    "aws_db_subnet_group": ("rds:ModifyDBSubnetGroup",),
    "aws_ecr_repository": ("ecr:PutImageScanningConfiguration", "ecr:PutImageTagMutability"),
    "aws_ecs_cluster": ("ecs:UpdateCluster",),
    "aws_iam_policy": ("iam:CreatePolicyVersion", "iam:DeletePolicyVersion", "iam:ListPolicyVersions"),
    "aws_iam_role": (
        "iam:DeleteRolePermissionsBoundary",
        "iam:PutRolePermissionsBoundary",
        "iam:UpdateAssumeRolePolicy",
        "iam:UpdateRole",
    ),
    "aws_iam_role_policy": ("iam:PutRolePolicy",),
    # Attributes are measured; groups and subnets change when the network that a load balancer stands in does.
    "aws_lb": ("elasticloadbalancing:SetSecurityGroups", "elasticloadbalancing:SetSubnets"),
    "aws_lb_listener": ("elasticloadbalancing:ModifyListener",),
    "aws_lb_target_group": ("elasticloadbalancing:ModifyTargetGroup",),
    "aws_secretsmanager_secret": ("secretsmanager:UpdateSecret",),
    "aws_service_discovery_service": ("servicediscovery:GetOperation", "servicediscovery:UpdateService"),
    "aws_sns_topic": ("sns:SetTopicAttributes",),
    "aws_sns_topic_policy": ("sns:SetTopicAttributes",),
    "aws_sns_topic_subscription": ("sns:SetSubscriptionAttributes",),
    "aws_vpc": ("ec2:ModifyVpcAttribute",),
    "aws_vpc_endpoint": ("ec2:ModifyVpcEndpoint",),
    "aws_vpc_security_group_egress_rule": ("ec2:ModifySecurityGroupRules",),
    "aws_vpc_security_group_ingress_rule": ("ec2:ModifySecurityGroupRules",),
}
"""What the AWS provider calls when an argument changes that does not force a new resource."""

_VALIDATED = "AWS tries them as the caller (AWS docs: Permissions validation for Application Auto Scaling API calls)"
_SCALED = ("ecs:DescribeServices", "ecs:UpdateService")
_ALARMED = ("cloudwatch:DeleteAlarms", "cloudwatch:DescribeAlarms", "cloudwatch:PutMetricAlarm")

_ROLL_OUT = ("ecs:DescribeServiceDeployments", "ecs:ListServiceDeployments")
_WAITED_FOR = "with waitForSteadyState a new roll-out is followed to its end (AWS provider 6, service); not measured"

_OTHERS = (
    Extension("aws_ecs_service", "create", _ROLL_OUT, _WAITED_FOR),
    Extension("aws_ecs_service", "update", _ROLL_OUT, _WAITED_FOR),
    Extension("aws_appautoscaling_target", "create", _SCALED, _VALIDATED),
    Extension("aws_appautoscaling_target", "update", _SCALED, _VALIDATED),
    Extension("aws_appautoscaling_policy", "create", _ALARMED, _VALIDATED),
    Extension("aws_appautoscaling_policy", "update", _ALARMED, _VALIDATED),
    Extension("aws_appautoscaling_policy", "delete", _ALARMED, _VALIDATED),
    Extension(
        "aws_ecs_task_definition",
        "create",
        ("iam:PassRole",),
        "ECS is handed both roles (AWS docs: Grant a user permissions to pass a role to an AWS service)",
    ),
    Extension(
        "aws_db_instance",
        "delete",
        ("rds:CreateDBSnapshot",),
        "a final snapshot is taken (AWS docs: Deleting a DB instance)",
    ),
    Extension(
        "aws_secretsmanager_secret_version",
        "delete",
        ("secretsmanager:UpdateSecretVersionStage",),
        "staging labels are taken off the version that goes (AWS provider, secret version)",
    ),
    Extension(
        "aws_vpc_security_group_ingress_rule",
        "read",
        ("ec2:DescribeSecurityGroupRules",),
        "a rule is read by its own id (AWS provider, security group rule); not seen on the wire",
    ),
    Extension(
        "aws_vpc_security_group_egress_rule",
        "read",
        ("ec2:DescribeSecurityGroupRules",),
        "a rule is read by its own id (AWS provider, security group rule); not seen on the wire",
    ),
    Extension(
        "aws_iam_policy",
        "read",
        ("iam:ListPolicyTags",),
        "the provider reads a policy's tags where the answer of GetPolicy lacks them (AWS provider, policy)",
    ),
    Extension(
        "data aws_security_groups",
        "read",
        ("ec2:DescribeSecurityGroups",),
        "the same call as for a single group (AWS provider, security groups data source)",
    ),
)


def extensions() -> Iterator[Extension]:
    """Every extension, in a fixed order."""
    for type_, (add, remove) in _TAGGING.items():
        yield Extension(type_, "create", (add,), "tags are part of the create call and authorised on their own")
        yield Extension(type_, "update", (add, remove), "a changed tag")
    for type_, actions in _UPDATES.items():
        yield Extension(type_, "update", actions, "a changed argument (AWS provider)")
    yield from _OTHERS
