"""Every feature in every mode: what it asks is granted, or withheld on purpose; and what is others' stays closed."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from byoc.naming import Names
from byoc.permissions.evaluation.evaluator import Document, Request, evaluate
from byoc.permissions.needs.deployment import TYPES
from byoc.permissions.needs.feature import SERVICE
from byoc.permissions.needs.features import OPERATING, Feature, feature_needs
from byoc.permissions.policies.access import AccessSettings, control_plane_role
from byoc.permissions.policies.managed import documented_identity
from byoc.permissions.reference import action as known_action
from byoc.types import AwsAccount
from tests.unit.test_policies_scoped import ACCOUNT, MODES, NAMES, PRINCIPAL, asked
from tests.unit.withheld import EVERYWHERE, OBSERVING, WITHHELD

EVERY_MODE: Mapping[str, Mapping[str, Any]] = {
    **MODES,
    "observing": {"mode": "scoped", "guardrails": False, "observe_only": True},
    "observing, guarded": {"guardrails": True, "observe_only": True},
}
FAR = AwsAccount(account_id="123456789012", region="eu-west-1")
VALUES = {"ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "logs:FilterLogEvents", "logs:GetLogEvents"} | {
    "secretsmanager:GetSecretValue"
}
"""Reads of content."""


def identity_of(mode: str, names: Names = NAMES) -> Mapping[str, Document]:
    grants = control_plane_role(ACCOUNT, names, AccessSettings(principals=(PRINCIPAL,), **EVERY_MODE[mode]))
    return {**(documented_identity() if grants.aws_managed else {}), **grants.documents}


def requests(feature: Feature, names: Names = NAMES, account: AwsAccount = ACCOUNT) -> list[Request]:
    return [request for need in feature_needs([feature], TYPES) for request in asked(need, account, names)]


def denied(mode: str, feature: Feature) -> list[Request]:
    identity = identity_of(mode)
    return [request for request in requests(feature) if not evaluate(request, identity=identity).allowed]


@pytest.mark.parametrize("mode", EVERY_MODE)
@pytest.mark.parametrize("feature", Feature)
def test_what_a_feature_asks_is_granted_or_withheld_for_a_reason(feature: Feature, mode: str) -> None:
    assert requests(feature)
    unexplained = [
        (request.action, request.resource)
        for request in denied(mode, feature)
        if not any(item.covers(feature, mode, request.action, request.resource) for item in WITHHELD)
    ]
    assert unexplained == []


@pytest.mark.parametrize("item", WITHHELD, ids=lambda item: f"{item.feature}: {item.actions[:40]}")
def test_nothing_is_said_to_be_withheld_that_some_mode_of_it_grants(item: Any) -> None:
    assert item.modes <= set(EVERY_MODE)
    for mode in item.modes:
        refused = denied(mode, item.feature)
        found = {one.action for one in refused if item.covers(item.feature, mode, one.action, one.resource)}
        assert found == set(item.actions.split()), mode


def test_every_mode_of_the_table_is_one_of_the_role() -> None:
    assert set(EVERY_MODE) == EVERYWHERE


def test_what_is_withheld_where_the_role_is_closest_stands_in_the_documentation() -> None:
    text = (Path(__file__).parents[2] / "docs" / "access.md").read_text(encoding="utf-8")
    _, _, section = text.partition("## What the role is not given")
    section = section.partition("\n## ")[0]
    wanted = {
        action
        for item in WITHHELD
        if item.modes & {"scoped", "documented"} and item.feature in (*OPERATING, Feature.EGRESS_PROBE)
        for action in item.actions.split()
    }
    assert "iam:GetRole" in wanted
    assert {action for action in wanted if f"`{action}`" not in section} == set()


@pytest.mark.parametrize("mode", sorted(OBSERVING))
def test_who_only_observes_changes_nothing_and_reads_no_content(mode: str) -> None:
    granted = {
        action
        for document in identity_of(mode).values()
        for statement in document["Statement"]
        if statement["Effect"] == "Allow"
        for action in statement["Action"]
    }
    assert not granted & VALUES
    for name in granted:
        found = known_action(name)
        assert found is not None
        assert found.access_levels <= {"Read", "List"}, name


# What is not this install's, in scoped mode

ARN = "arn:aws:{}:us-west-2:123456789012:{}"
NEW: Mapping[str, tuple[str, str]] = {
    "rds:StartDBInstance": ("rds", "db:{}-chat"),
    "secretsmanager:UpdateSecretVersionStage": ("secretsmanager", "secret:{}/chat/environment-a1B2c3"),
    "secretsmanager:TagResource": ("secretsmanager", "secret:{}/chat/environment-a1B2c3"),
    "secretsmanager:DeleteSecret": ("secretsmanager", "secret:{}/chat/environment-a1B2c3"),
    "servicediscovery:DeregisterInstance": ("servicediscovery", "service/srv-e4anhexample0004"),
    "servicediscovery:ListInstances": ("servicediscovery", "service/srv-e4anhexample0004"),
    "ecr:BatchGetImage": ("ecr", "repository/agents/chat"),
    "ecr:DescribeImages": ("ecr", "repository/agents/chat"),
    "ecr:GetDownloadUrlForLayer": ("ecr", "repository/agents/chat"),
}
"""New grants that a tag limits: service and resource, by the install's name."""
BY_NAME: Mapping[str, tuple[str, str]] = {
    "ecs:DescribeServiceRevisions": ("ecs", "service-revision/{}-cluster/{}-chat-api/1"),
    "ecs:ListServiceDeployments": ("ecs", "service/{}-cluster/{}-chat-api"),
    "rds:DescribeDBSnapshots": ("rds", "snapshot:{}-chat-final-0a1b2c3d"),
    "secretsmanager:ListSecretVersionIds": ("secretsmanager", "secret:{}/chat/environment-a1B2c3"),
    "sns:ListSubscriptionsByTopic": ("sns", "{}-alarms"),
    "sns:Publish": ("sns", "{}-alarms"),
}
"""New grants that a name limits."""


def allowed(action: str, resource: str, tag: str | None, **more: str) -> bool:
    tags = {f"aws:ResourceTag/{key}": tag for key in ("byoc-install", "langgraph-cloud")} if tag else {}
    context = {"aws:RequestedRegion": "us-west-2", "aws:ViaAWSService": "false", **tags, **more}
    request = Request(principal="", action=action, resource=resource, context=context)
    return evaluate(request, identity=identity_of("scoped", Names("acme"))).allowed


@pytest.mark.parametrize("action", NEW)
@pytest.mark.parametrize(
    ("name", "tag", "expected"),
    [("acme", "acme", True), ("acme", None, False), ("acme", "acme-two", False), ("acme-two", "acme-two", False)],
    ids=["its own", "untagged", "another's tag under its name", "another install's"],
)
def test_a_change_is_for_what_carries_this_install_s_tag(
    action: str, name: str, tag: str | None, expected: bool
) -> None:
    service, resource = NEW[action]
    assert allowed(action, ARN.format(service, resource.format(name)), tag) is expected


@pytest.mark.parametrize("action", ["rds:StartDBInstance", "secretsmanager:UpdateSecretVersionStage"])
def test_a_tag_alone_opens_nothing_under_a_name_of_others(action: str) -> None:
    service, resource = NEW[action]
    assert not allowed(action, ARN.format(service, resource.format("payroll")), "acme")


@pytest.mark.parametrize("action", BY_NAME)
@pytest.mark.parametrize(("name", "expected"), [("acme", True), ("payroll", False), ("acmes", False)])
def test_a_read_or_a_notice_is_of_what_has_this_install_s_name(action: str, name: str, expected: bool) -> None:
    service, resource = BY_NAME[action]
    assert allowed(action, ARN.format(service, resource.format(name, name)), None) is expected


def test_a_notice_goes_to_no_topic_of_an_install_whose_name_begins_alike() -> None:
    assert not allowed("sns:Publish", ARN.format("sns", "acme-two-alarms"), "acme-two")
    assert not allowed("sns:Publish", ARN.format("sns", "acme-alarms").replace("us-west-2", "eu-west-1"), "acme")


def test_whose_a_secret_is_cannot_be_noted_by_retention() -> None:
    secret = ARN.format("secretsmanager", "secret:acme/chat/environment-a1B2c3")
    assert allowed("secretsmanager:TagResource", secret, "acme", **{"aws:TagKeys": "byoc-retention"})
    assert not allowed("secretsmanager:TagResource", secret, "acme", **{"aws:TagKeys": "byoc-install"})


@pytest.mark.parametrize(
    ("action", "resource", "expected"),
    [
        ("iam:GetRole", "arn:aws:iam::123456789012:role/acme-BYOCRole", False),
        ("iam:GetRole", "arn:aws:iam::123456789012:role/Admin", False),
        (
            "iam:GetRole",
            "arn:aws:iam::123456789012:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS",
            True,
        ),
        (
            "iam:GetRole",
            "arn:aws:iam::123456789012:role/aws-service-role/support.amazonaws.com/AWSServiceRoleForSupport",
            False,
        ),
        ("iam:GetRole", "arn:aws:iam::123456789012:role/AWSServiceRoleForECS", True),  # while it is not there
        ("iam:GetRole", "arn:aws:iam::123456789012:role/AWSServiceRoleForSupport", False),
        ("iam:SimulatePrincipalPolicy", "arn:aws:iam::123456789012:role/acme-BYOCRole", True),
        ("iam:SimulatePrincipalPolicy", "arn:aws:iam::123456789012:role/Admin", False),
        ("servicequotas:GetServiceQuota", ARN.format("servicequotas", "rds/L-7B6409FD"), True),
        ("servicequotas:GetServiceQuota", ARN.format("servicequotas", "ec2/L-1216C47A"), False),
        ("servicequotas:RequestServiceQuotaIncrease", ARN.format("servicequotas", "rds/L-7B6409FD"), False),
        ("ecr:PutImage", ARN.format("ecr", "repository/agents/chat"), False),
        ("kms:Decrypt", ARN.format("kms", "key/1234abcd-12ab-34cd-56ef-1234567890ab"), False),
        ("secretsmanager:ListSecrets", "*", False),
        ("rds:StopDBInstance", ARN.format("rds", "db:acme-chat"), False),
        ("rds:DeleteDBSnapshot", ARN.format("rds", "snapshot:acme-chat-final-0a1b2c3d"), False),
        ("sns:Subscribe", ARN.format("sns", "acme-alarms"), False),
        ("ecs:RunTask", ARN.format("ecs", "task-definition/acme-chat-api:1"), False),
    ],
)
def test_what_stands_beside_a_new_grant_is_as_it_was(action: str, resource: str, expected: bool) -> None:
    assert allowed(action, resource, "acme" if ":123456789012:role/" not in resource else None) is expected


def test_tasks_of_another_cluster_are_not_counted() -> None:
    need = next(iter(need for need in feature_needs([Feature.PREFLIGHT], [SERVICE]) if need.action == "ecs:ListTasks"))
    (request,) = asked(need, ACCOUNT, NAMES)
    other = {**request.context, "ecs:cluster": ARN.format("ecs", "cluster/payroll")}
    assert evaluate(request, identity=identity_of("scoped")).allowed
    assert not evaluate(dataclasses.replace(request, context=other), identity=identity_of("scoped")).allowed


@pytest.mark.parametrize("feature", OPERATING)
def test_another_region_is_closed_to_every_verb(feature: Feature) -> None:
    identity = identity_of("scoped")
    for request in requests(feature, account=FAR):
        if ":iam::" not in request.resource:
            assert not evaluate(request, identity=identity).allowed, request
