"""What AWS answers to a look around a stack, for what the embedded AWS does not say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from byoc.naming import Names
from byoc.operations.answers import AbsentError
from byoc.operations.teardown.subject import Install, Subject
from tests.operations.fake_account import FakeAccount, target

INSTALL = Install(makes_network=True, vpc_id="", subnet_ids=(), tags_network=False, repositories=())
OURS = [{"Key": "byoc-install", "Value": "langgraph-cloud"}]
REGION = "us-west-2:123456789012"
EVERYTHING: dict[str, str] = {
    "application-autoscaling:DescribeScalableTargets": "ScalableTargets",
    "application-autoscaling:DescribeScalingPolicies": "ScalingPolicies",
    "cloudwatch:DescribeAlarms": "MetricAlarms",
    "ecs:ListTaskDefinitions": "taskDefinitionArns",
    "ecs:ListTasks": "taskArns",
    "elasticloadbalancing:DescribeLoadBalancers": "LoadBalancers",
    "elasticloadbalancing:DescribeTags": "TagDescriptions",
    "elasticloadbalancing:DescribeTargetGroups": "TargetGroups",
    "rds:DescribeDBInstanceAutomatedBackups": "DBInstanceAutomatedBackups",
    "rds:DescribeDBInstances": "DBInstances",
    "rds:DescribeDBParameterGroups": "DBParameterGroups",
    "rds:DescribeDBSnapshots": "DBSnapshots",
    "servicediscovery:ListNamespaces": "Namespaces",
    "tag:GetResources": "ResourceTagMappingList",
}
"""The lists that a look around a deployment asks for, and where each answer has its own."""
EMPTY: dict[str, Any] = {question: {key: []} for question, key in EVERYTHING.items()}
"""Of an account in which nothing is."""
NOTHING: dict[str, Any] = {
    **EMPTY,
    "ecs:DescribeServices": {"services": [], "failures": [{"reason": "MISSING"}] * 3},
    "rds:DescribeDBInstances": AbsentError("DBInstanceNotFound"),
    "secretsmanager:DescribeSecret": AbsentError("ResourceNotFoundException"),
    "elasticloadbalancing:DescribeLoadBalancers": AbsentError("LoadBalancerNotFound"),
}
"""Of a deployment of which nothing is there."""


def subject(answers: Mapping[str, Any], *, install: bool = False) -> Subject:
    account = FakeAccount(answers)
    return Subject(
        stack="s",
        account=account,
        names=Names(),
        deployments=() if install else (target(account),),
        install=INSTALL if install else None,
    )


def ids(found: Any) -> list[str]:
    return [item.id for item in found]
