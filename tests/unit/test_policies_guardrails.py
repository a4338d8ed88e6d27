"""The guardrails take back what the documented policies grant beyond need, and nothing that a deployment needs."""

from __future__ import annotations

import pytest

from byoc.naming import Names
from byoc.permissions.evaluation.evaluator import Document, Outcome, Request, evaluate
from byoc.permissions.needs.deployment import deployment_needs, missing_needs
from byoc.permissions.needs.requests import requests_of
from byoc.permissions.policies.documents import MANAGED_POLICY_LIMIT, compact
from byoc.permissions.policies.guardrails import REASONS, guardrails
from byoc.permissions.policies.managed import documented_identity
from byoc.permissions.policies.supplement import supplement
from byoc.types import AwsAccount

ACCOUNT = AwsAccount(account_id="123456789012", region="us-west-2")
NAMES = Names()
INSTALLS = [
    (ACCOUNT, NAMES),
    (ACCOUNT, Names("acme")),
    (AwsAccount(account_id="123456789012", region="us-gov-west-1"), NAMES),
    (AwsAccount(account_id="123456789012", region="cn-north-1"), Names("an-install-with-a-very-long-name")),
]
TAG = {"aws:ResourceTag/byoc-install": "langgraph-cloud"}
OTHER_TAG = {"aws:ResourceTag/byoc-install": "langgraph-cloud-b"}
SECRET_TAG = {"aws:ResourceTag/langgraph-cloud": "langgraph-cloud"}
TO_TASKS = {"iam:PassedToService": "ecs-tasks.amazonaws.com"}


def arn(service: str, resource: str) -> str:
    return ACCOUNT.arn(service, resource)


def role(name: str) -> str:
    return ACCOUNT.role_arn(name)


def identity(account: AwsAccount, names: Names, role_path: str = "/") -> dict[str, Document]:
    return {
        **documented_identity(),
        "supplement": supplement(account, names),
        "guardrails": guardrails(account, names, role_path=role_path),
    }


def outcomes(action: str, resource: str, context: dict[str, str] | None = None) -> tuple[Outcome, Outcome]:
    """Without and with the guardrails."""
    request = Request(principal="", action=action, resource=resource, context=context or {})
    whole = identity(ACCOUNT, NAMES)
    without = {name: document for name, document in whole.items() if name != "guardrails"}
    return evaluate(request, identity=without).outcome, evaluate(request, identity=whole).outcome


@pytest.mark.parametrize(("account", "names"), INSTALLS)
def test_they_deny_nothing_that_a_deployment_stack_needs(account: AwsAccount, names: Names) -> None:
    assert missing_needs(identity(account, names), account, names) == ()


def test_roles_under_a_path_can_be_passed() -> None:
    under_path = identity(ACCOUNT, NAMES, role_path="/teams/ai/")
    passing = next(need for need in deployment_needs() if need.action == "iam:PassRole")
    for path, allowed in [("/teams/ai/", True), ("/", False)]:
        requests = requests_of(passing, ACCOUNT, NAMES, role_path=path)
        assert [evaluate(request, identity=under_path).allowed for request in requests] == [allowed, allowed]


@pytest.mark.parametrize(
    ("action", "resource", "context"),
    [
        # another team's secrets, whatever they are tagged as
        ("secretsmanager:GetSecretValue", arn("secretsmanager", "secret:billing/api-key-a1B2c3"), {}),
        ("secretsmanager:GetSecretValue", arn("secretsmanager", "secret:billing/api-key-a1B2c3"), SECRET_TAG),
        ("secretsmanager:PutSecretValue", arn("secretsmanager", "secret:billing/api-key-a1B2c3"), {}),
        ("secretsmanager:UpdateSecret", arn("secretsmanager", "secret:billing/api-key-a1B2c3"), {}),
        ("secretsmanager:DeleteSecret", arn("secretsmanager", "secret:billing/api-key-a1B2c3"), {}),
        ("secretsmanager:PutResourcePolicy", arn("secretsmanager", "secret:billing/api-key-a1B2c3"), {}),
        ("secretsmanager:ReplicateSecretToRegions", arn("secretsmanager", "secret:billing/api-key-a1B2c3"), {}),
        ("secretsmanager:RotateSecret", arn("secretsmanager", "secret:billing/api-key-a1B2c3"), {}),
        ("secretsmanager:RestoreSecret", arn("secretsmanager", "secret:billing/api-key-a1B2c3"), {}),
        ("secretsmanager:UpdateSecretVersionStage", arn("secretsmanager", "secret:billing/api-key-a1B2c3"), {}),
        # tagging it first does not help
        (
            "secretsmanager:TagResource",
            arn("secretsmanager", "secret:billing/api-key-a1B2c3"),
            {"aws:RequestTag/langgraph-cloud": "langgraph-cloud"},
        ),
        # a secret with our name and without our tag, or in another region
        ("secretsmanager:GetSecretValue", arn("secretsmanager", "secret:langgraph-cloud/x-a1B2c3"), {}),
        (
            "secretsmanager:GetSecretValue",
            "arn:aws:secretsmanager:eu-west-1:123456789012:secret:langgraph-cloud/x-a1B2c3",
            SECRET_TAG,
        ),
        ("secretsmanager:CreateSecret", arn("secretsmanager", "secret:langgraph-cloud/x"), {}),
        (
            "secretsmanager:CreateSecret",
            arn("secretsmanager", "secret:langgraph-cloud-b/x"),
            {"aws:RequestTag/langgraph-cloud": "langgraph-cloud"},
        ),
        # any other role
        ("iam:PassRole", role("Administrator"), TO_TASKS),
        ("iam:PassRole", role("LangGraphCloudECSTaskRole2"), TO_TASKS),
        ("iam:PassRole", role("LangGraphCloudBYOCRole"), TO_TASKS),
        ("iam:PassRole", role("ecsInstanceRole"), {"iam:PassedToService": "ec2.amazonaws.com"}),
        # other databases
        ("rds:DeleteDBInstance", arn("rds", "db:payroll"), TAG),
        ("rds:DeleteDBInstance", arn("rds", "db:langgraph-cloud-chat"), {}),
        ("rds:DeleteDBInstance", arn("rds", "db:langgraph-cloud-b-chat"), OTHER_TAG),
        ("rds:ModifyDBInstance", arn("rds", "db:payroll"), {}),
        ("rds:RebootDBInstance", arn("rds", "db:payroll"), {}),
        ("rds:StopDBInstance", arn("rds", "db:payroll"), {}),
        ("rds:CreateDBSnapshot", arn("rds", "db:payroll"), {}),
        ("rds:DeleteDBCluster", arn("rds", "cluster:payroll"), {}),
        ("rds:DeleteDBSnapshot", arn("rds", "snapshot:payroll-1"), {}),
        ("rds:DeleteDBSubnetGroup", arn("rds", "subgrp:payroll"), {}),
        ("rds:CreateDBInstance", arn("rds", "db:payroll"), {}),
        ("rds:RestoreDBInstanceFromDBSnapshot", arn("rds", "snapshot:payroll-1"), {}),
        ("rds:AddTagsToResource", arn("rds", "db:payroll"), {}),
        # what a destroy keeps
        ("rds:DeleteDBSnapshot", arn("rds", "snapshot:langgraph-cloud-chat-final-0a1b2c3d"), TAG),
        ("rds:ModifyDBSnapshotAttribute", arn("rds", "snapshot:langgraph-cloud-chat-final-0a1b2c3d"), TAG),
        # other services and load balancers
        ("ecs:DeleteService", arn("ecs", "service/shop/web"), {}),
        ("ecs:StopTask", arn("ecs", "task/shop/0123456789abcdef"), {}),
        ("ecs:CreateService", arn("ecs", "service/langgraph-cloud-cluster-b/web"), {}),
        ("elasticloadbalancing:DeleteLoadBalancer", arn("elasticloadbalancing", "loadbalancer/app/shop/50dc6c49"), TAG),
        ("elasticloadbalancing:DeleteListener", arn("elasticloadbalancing", "listener/app/shop/50dc/0467"), {}),
        ("elasticloadbalancing:CreateListener", arn("elasticloadbalancing", "loadbalancer/app/shop/50dc6c49"), {}),
        ("elasticloadbalancing:DeleteTargetGroup", arn("elasticloadbalancing", "targetgroup/shop/943f017f"), {}),
        # shells, tasks of one's own, machines, networks, ways round
        ("ecs:ExecuteCommand", arn("ecs", "task/langgraph-cloud-cluster/0123456789abcdef"), {}),
        ("ecs:RunTask", arn("ecs", "task-definition/langgraph-cloud-chat-api:1"), {}),
        ("ec2:RunInstances", arn("ec2", "instance/*"), {}),
        ("ec2:DeleteVpc", arn("ec2", "vpc/vpc-0123456789abcdef0"), {}),
        ("ec2:AuthorizeSecurityGroupIngress", arn("ec2", "security-group/sg-0123456789abcdef0"), {}),
        ("ec2:ModifySubnetAttribute", arn("ec2", "subnet/subnet-0123456789abcdef0"), {}),
        ("cloudformation:CreateStack", arn("cloudformation", "stack/x/*"), {}),
        ("cloudformation:DeleteStack", arn("cloudformation", "stack/x/*"), {}),
        ("cloudformation:UpdateStack", arn("cloudformation", "stack/x/*"), {}),
        ("cloudformation:ExecuteChangeSet", arn("cloudformation", "stack/x/*"), {}),
        ("lambda:InvokeFunction", arn("lambda", "function:SecretsManagerRotation"), {}),
        ("route53:DeleteHostedZone", "arn:aws:route53:::hostedzone/Z0123", {}),
        ("autoscaling:DeleteAutoScalingGroup", "*", {}),
        ("ecs:DeleteCluster", arn("ecs", "cluster/langgraph-cloud-cluster"), {}),
        ("ecs:PutAccountSettingDefault", "*", {}),
        ("events:DeleteRule", arn("events", "rule/nightly"), {}),
    ],
)
def test_what_the_five_grant_beyond_need_is_denied(action: str, resource: str, context: dict[str, str]) -> None:
    assert outcomes(action, resource, context) == (Outcome.ALLOWED, Outcome.EXPLICIT_DENY)


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("ec2:DescribeVpcs", "*"),
        ("secretsmanager:ListSecrets", "*"),
        ("secretsmanager:GetRandomPassword", "*"),
        ("rds:DescribeDBInstances", arn("rds", "db:*")),
        ("ecs:DescribeClusters", arn("ecs", "cluster/shop")),
        ("cloudwatch:DescribeAlarms", "*"),
    ],
)
def test_reading_about_things_stays_allowed(action: str, resource: str) -> None:
    assert outcomes(action, resource) == (Outcome.ALLOWED, Outcome.ALLOWED)


@pytest.mark.parametrize("group", ["default.postgres16", "langgraph-cloud-chat-20250101000000000000000001"])
def test_a_database_may_be_moved_between_parameter_groups(group: str) -> None:
    assert outcomes("rds:ModifyDBInstance", arn("rds", f"pg:{group}"))[1] is Outcome.ALLOWED


@pytest.mark.parametrize("action", ["ecs:UpdateService", "cloudwatch:PutMetricAlarm", "cloudwatch:DeleteAlarms"])
def test_what_application_auto_scaling_tries_under_made_up_names_is_not_denied(action: str) -> None:
    assert outcomes(action, "*") == (Outcome.ALLOWED, Outcome.ALLOWED)
    assert [need for need in deployment_needs() if need.action == action and "appautoscaling" in need.token]


def test_no_change_of_a_network_that_the_five_grant_is_left() -> None:
    granted = {
        action
        for document in documented_identity().values()
        for statement in document["Statement"]
        for action in statement["Action"]
        if action.startswith("ec2:") and not action.startswith(("ec2:Describe", "ec2:Get"))
    }
    assert len(granted) > 20
    left = {action for action in granted if outcomes(action, "*")[1] is Outcome.ALLOWED}
    assert left == set()


def test_they_only_deny() -> None:
    assert {statement["Effect"] for statement in guardrails(ACCOUNT, NAMES)["Statement"]} == {"Deny"}


def test_every_statement_has_a_reason_and_every_reason_a_statement() -> None:
    assert [statement["Sid"] for statement in guardrails(ACCOUNT, NAMES)["Statement"]] == list(REASONS)


@pytest.mark.parametrize(("account", "names"), INSTALLS)
def test_they_fit_into_a_managed_policy(account: AwsAccount, names: Names) -> None:
    compact(guardrails(account, names), limit=MANAGED_POLICY_LIMIT, what="the guardrails")


def test_two_installs_cannot_touch_each_other_even_if_one_name_begins_with_the_other() -> None:
    first, second = Names("acme"), Names("acme-two")
    for mine, theirs in [(first, second), (second, first)]:
        policies = identity(ACCOUNT, mine)
        changes = [need for need in deployment_needs() if need.action in PROTECTED]
        assert {need.action for need in changes} == PROTECTED
        for need in changes:
            for request in requests_of(need, ACCOUNT, theirs):
                if ":pg:" not in request.resource and ":snapshot:" not in request.resource:
                    assert not evaluate(request, identity=policies).allowed, (mine.prefix, request)


PROTECTED = {
    "ecs:DeleteService",
    "elasticloadbalancing:DeleteListener",
    "elasticloadbalancing:DeleteLoadBalancer",
    "elasticloadbalancing:DeleteTargetGroup",
    "elasticloadbalancing:ModifyListener",
    "elasticloadbalancing:ModifyLoadBalancerAttributes",
    "elasticloadbalancing:ModifyTargetGroupAttributes",
    "elasticloadbalancing:SetSecurityGroups",
    "iam:PassRole",
    "rds:DeleteDBInstance",
    "rds:ModifyDBInstance",
    "secretsmanager:DeleteSecret",
    "secretsmanager:GetSecretValue",
    "secretsmanager:PutSecretValue",
}
