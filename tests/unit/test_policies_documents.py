"""Who may assume which role, and what a starting task may read."""

from __future__ import annotations

import json

import pytest

from byoc.naming import Names
from byoc.permissions.evaluation.evaluator import Request, evaluate, evaluate_trust
from byoc.permissions.policies.documents import (
    TRUST_POLICY_LIMIT,
    compact,
    control_plane_trust,
    ecs_tasks_trust,
    secrets_read,
)
from byoc.types import AwsAccount

ACCOUNT = AwsAccount(account_id="123456789012", region="us-west-2")
US = "arn:aws:iam::640174622193:role/HostBackendRoleProd"
EU = "arn:aws:iam::640174622193:role/HostBackendRoleProdEu"


def test_the_cross_account_role_trusts_exactly_its_principals_with_an_external_id() -> None:
    assert control_plane_trust([US, EU], ["org-new", "org-old"]) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "ControlPlane",
                "Effect": "Allow",
                "Principal": {"AWS": [US, EU]},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"sts:ExternalId": ["org-new", "org-old"]}},
            }
        ],
    }


@pytest.mark.parametrize(
    ("caller", "sent", "trusted"),
    [
        ("arn:aws:sts::640174622193:assumed-role/HostBackendRoleProd/s", "org-new", True),
        ("arn:aws:sts::640174622193:assumed-role/HostBackendRoleProd/s", "org-old", True),
        ("arn:aws:sts::640174622193:assumed-role/HostBackendRoleProd/s", "org-other", False),
        ("arn:aws:sts::640174622193:assumed-role/HostBackendRoleProd/s", None, False),
        ("arn:aws:sts::640174622193:assumed-role/Other/s", "org-new", False),
        ("arn:aws:iam::640174622193:user/ann", "org-new", False),
        ("arn:aws:sts::123456789012:assumed-role/HostBackendRoleProd/s", "org-new", False),
    ],
)
def test_nobody_else_gets_in_and_nobody_without_the_external_id(caller: str, sent: str | None, trusted: bool) -> None:
    context = {"sts:ExternalId": sent} if sent else {}
    request = Request(principal=caller, action="sts:AssumeRole", resource="*", context=context)
    assert evaluate_trust(request, control_plane_trust([US], ["org-new", "org-old"])).allowed is trusted


@pytest.mark.parametrize(
    "principal",
    [
        "*",
        "640174622193",
        "arn:aws:iam::640174622193:root",
        "arn:aws:iam::640174622193:role/*",
        "arn:aws:iam::*:role/HostBackendRoleProd",
        "arn:aws:sts::640174622193:assumed-role/HostBackendRoleProd/s",
        "ecs-tasks.amazonaws.com",
        f"{US}\n",
    ],
)
def test_a_principal_that_is_more_than_one_role_or_user_is_refused(principal: str) -> None:
    with pytest.raises(ValueError, match="a principal is the ARN of one IAM role or user"):
        control_plane_trust([US, principal], ["org-new"])


def test_a_trust_policy_without_principals_or_external_ids_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one principal"):
        control_plane_trust([], ["org-new"])
    with pytest.raises(ValueError, match="at least one external id"):
        control_plane_trust([US], [])


@pytest.mark.parametrize("external_id", ["", "x", "a" * 1225, "with space", "star*", "line\n"])
def test_an_external_id_that_aws_would_refuse_is_refused_without_being_shown(external_id: str) -> None:
    with pytest.raises(ValueError, match="2 to 1,224 characters") as caught:
        control_plane_trust([US], ["org-new", external_id])
    assert not external_id.strip() or f"'{external_id}'" not in str(caught.value)
    assert "org-new" not in str(caught.value)


def test_ecs_takes_a_task_role_for_tasks_of_this_account_only() -> None:
    trust = ecs_tasks_trust(ACCOUNT)
    task = "arn:aws:ecs:us-west-2:123456789012:task/langgraph-cloud-cluster/0123"
    for account, source, trusted in [
        ("123456789012", task, True),
        ("210987654321", task.replace("123456789012", "210987654321"), False),
        ("123456789012", task.replace("us-west-2", "eu-west-1"), False),
    ]:
        context = {"aws:SourceAccount": account, "aws:SourceArn": source}
        request = Request(principal="ecs-tasks.amazonaws.com", action="sts:AssumeRole", resource="*", context=context)
        assert evaluate_trust(request, trust).allowed is trusted
    nobody = Request(principal="ecs-tasks.amazonaws.com", action="sts:AssumeRole", resource="*")
    assert not evaluate_trust(nobody, trust).allowed


@pytest.mark.parametrize(
    ("secret", "tag", "allowed"),
    [
        ("langgraph-cloud/chat/environment-a1B2c3", "langgraph-cloud", True),
        ("langgraph-cloud/chat/environment-a1B2c3", "other", False),
        ("langgraph-cloud/chat/environment-a1B2c3", None, False),
        ("billing/key-a1B2c3", "langgraph-cloud", False),
        ("langgraph-cloud-b/chat/environment-a1B2c3", "langgraph-cloud", False),
    ],
)
def test_a_starting_task_reads_secrets_by_name_and_tag(secret: str, tag: str | None, allowed: bool) -> None:
    request = Request(
        principal="",
        action="secretsmanager:GetSecretValue",
        resource=ACCOUNT.arn("secretsmanager", f"secret:{secret}"),
        context={"aws:ResourceTag/langgraph-cloud": tag} if tag else {},
    )
    assert evaluate(request, identity={"SecretsRead": secrets_read(ACCOUNT, Names())}).allowed is allowed


def test_documents_carry_the_partition_of_the_region() -> None:
    china = AwsAccount(account_id="123456789012", region="cn-north-1")
    resource = secrets_read(china, Names())["Statement"][0]["Resource"]
    assert resource == "arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:langgraph-cloud/*"


def test_a_document_is_written_without_white_space_and_not_beyond_its_limit() -> None:
    document = {"Version": "2012-10-17", "Statement": []}
    text = '{"Version":"2012-10-17","Statement":[]}'
    assert compact(document, limit=len(text), what="it") == text
    with pytest.raises(ValueError, match=f"^it has {len(text)} characters; AWS allows {len(text) - 1}$"):
        compact(document, limit=len(text) - 1, what="it")


def test_a_trust_policy_with_both_control_planes_and_two_external_ids_fits() -> None:
    text = compact(control_plane_trust([US, EU], ["a" * 36, "b" * 36]), limit=TRUST_POLICY_LIMIT, what="it")
    assert json.loads(text) == control_plane_trust([US, EU], ["a" * 36, "b" * 36])
