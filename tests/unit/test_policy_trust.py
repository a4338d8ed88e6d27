"""The rules about IAM: who is trusted, and what a policy may allow."""

from __future__ import annotations

import json
from typing import Any

import pytest

from byoc.policy.facts import UNKNOWN, Provider, Resource
from byoc.policy.permissions import no_wildcard_permissions
from byoc.policy.trust import RESOURCE_POLICIES, no_wildcard_trust

ROLE = "aws:iam/role:Role"
EXTERNAL_ID = {"StringEquals": {"sts:ExternalId": "a-long-random-text"}}
OURS = Provider("pulumi:providers:aws", "aws", {"allowedAccountIds": json.dumps(["123456789012"])})


def document(**statement: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})


def role(principal: object, condition: dict[str, Any] | None = None) -> Resource:
    trust = document(Principal=principal, Action="sts:AssumeRole", **({"Condition": condition} if condition else {}))
    return Resource(ROLE, "role", {"assumeRolePolicy": trust}, provider=OURS)


@pytest.mark.parametrize(
    ("principal", "condition"),
    [
        ({"Service": "ecs-tasks.amazonaws.com"}, None),
        ({"AWS": "arn:aws:iam::999999999999:role/ControlPlane"}, None),
        ({"AWS": "arn:aws:iam::999999999999:root"}, EXTERNAL_ID),
        ({"AWS": "999999999999"}, EXTERNAL_ID),
        ({"AWS": "arn:aws-us-gov:iam::123456789012:root"}, None),
        ({"AWS": ["123456789012"]}, None),
        (UNKNOWN, None),
    ],
    ids=str,
)
def test_named_principals_own_accounts_and_external_ids_pass(principal: Any, condition: dict[str, Any] | None) -> None:
    if principal is UNKNOWN:
        assert list(no_wildcard_trust(Resource(ROLE, "role", {"assumeRolePolicy": UNKNOWN}), {})) == []
        return
    assert list(no_wildcard_trust(role(principal, condition), {})) == []


@pytest.mark.parametrize(
    ("principal", "kind", "shown"),
    [
        ("*", "AWS", "*"),
        ({"AWS": "*"}, "AWS", "*"),
        ({"AWS": ["arn:aws:iam::123456789012:role/a", "*"]}, "AWS", "*"),
        ({"AWS": "arn:aws:iam::*:role/a"}, "AWS", "arn:aws:iam::*:role/a"),
        ({"Service": "*"}, "Service", "*"),
        ({"Federated": "*"}, "Federated", "*"),
    ],
    ids=str,
)
@pytest.mark.parametrize("condition", [None, EXTERNAL_ID], ids=["free", "external id"])
def test_a_wildcard_principal_is_named_whatever_the_condition(
    principal: Any, kind: str, shown: str, condition: dict[str, Any] | None
) -> None:
    [found] = no_wildcard_trust(role(principal, condition), {})
    assert (found.problem.key, found.problem.value) == (f"assumeRolePolicy: Statement[0].Principal.{kind}", shown)


@pytest.mark.parametrize(
    "condition",
    [
        None,
        {"StringLike": {"sts:ExternalId": "*"}},
        {"StringEquals": {"sts:ExternalId": ""}},
        {"StringEquals": {"aws:SourceAccount": "999999999999"}},
    ],
    ids=str,
)
@pytest.mark.parametrize("principal", ["arn:aws:iam::999999999999:root", "999999999999"])
def test_a_whole_foreign_account_needs_an_external_id(principal: str, condition: dict[str, Any] | None) -> None:
    [found] = no_wildcard_trust(role({"AWS": principal}, condition), {})
    assert found.problem.value == f"{principal}: everybody whom that account lets"
    assert "123456789012" in found.problem.allowed


def test_a_foreign_account_can_be_trusted_by_the_config() -> None:
    trusting = role({"AWS": "arn:aws:iam::999999999999:root"})
    assert list(no_wildcard_trust(trusting, {"trustedAccounts": ["999999999999"]})) == []


def test_without_a_bound_provider_no_account_is_known() -> None:
    trust = document(Principal={"AWS": "123456789012"}, Action="sts:AssumeRole")
    [found] = no_wildcard_trust(Resource(ROLE, "role", {"assumeRolePolicy": trust}), {})
    assert "(none is known)" in found.problem.allowed


def test_not_principal_is_named_even_in_a_deny() -> None:
    trust = document(Effect="Deny", NotPrincipal={"AWS": "123456789012"}, Sid="Others", Action="sts:AssumeRole")
    [found] = no_wildcard_trust(Resource(ROLE, "role", {"assumeRolePolicy": trust}), {})
    assert found.problem.key == "assumeRolePolicy: Statement[Others].NotPrincipal"


@pytest.mark.parametrize("text", ["{", "[]", '"x"', '{"Statement": ["x"]}'])
def test_a_trust_policy_that_cannot_be_read_is_named_without_its_text(text: str) -> None:
    [found] = no_wildcard_trust(Resource(ROLE, "role", {"assumeRolePolicy": text}), {})
    assert found.problem.value == "a text that is no policy document"


def test_no_message_holds_an_external_id() -> None:
    [found] = no_wildcard_trust(role({"AWS": "*"}, EXTERNAL_ID), {})
    assert "a-long-random-text" not in found.message


@pytest.mark.parametrize(("type_", "key"), sorted(RESOURCE_POLICIES.items()))
def test_a_resource_policy_may_deny_everyone_and_allow_nobody_unnamed(type_: str, key: str) -> None:
    allowing = {"Principal": "*", "Action": "sns:Publish", "Resource": "arn"}
    [found] = no_wildcard_trust(Resource(type_, "it", {key: document(**allowing)}), {})
    assert found.problem.key == f"{key}: Statement[0].Principal.AWS"
    assert list(no_wildcard_trust(Resource(type_, "it", {key: document(**{**allowing, "Effect": "Deny"})}), {})) == []
    named = {**allowing, "Principal": {"Service": "cloudwatch.amazonaws.com"}}
    assert list(no_wildcard_trust(Resource(type_, "it", {key: document(**named)}), {})) == []
    assert list(no_wildcard_trust(Resource(type_, "it", {}), {})) == []


POLICY = "aws:iam/policy:Policy"


def policy(**statement: Any) -> Resource:
    return Resource(POLICY, "policy", {"policy": document(**statement)})


@pytest.mark.parametrize(
    ("statement", "shown"),
    [
        ({"Action": "*", "Resource": "*"}, "Allow * on *"),
        ({"Action": ["s3:Get*", "*:*"], "Resource": ["arn:a", "*"]}, "Allow * on *"),
        ({"NotAction": "iam:*", "Resource": "*"}, "Allow all but the NotAction on *"),
        ({"Action": "*", "NotResource": "arn:a"}, "Allow * on all but the NotResource"),
    ],
    ids=str,
)
def test_a_policy_that_allows_everything_is_named(statement: dict[str, Any], shown: str) -> None:
    [found] = no_wildcard_permissions(policy(**statement), {})
    assert (found.problem.key, found.problem.value) == ("policy: Statement[0]", shown)
    assert list(no_wildcard_permissions(policy(Effect="Deny", **statement), {})) == []


@pytest.mark.parametrize(
    "statement",
    [
        {"Action": "s3:*", "Resource": "*"},
        {"Action": "*", "Resource": "arn:aws:s3:::mine"},
        {"Action": "ecs:Describe*", "Resource": "*"},
    ],
    ids=str,
)
def test_a_policy_for_a_service_or_a_resource_passes(statement: dict[str, Any]) -> None:
    assert list(no_wildcard_permissions(policy(**statement), {})) == []


def test_policies_inside_roles_are_seen_too() -> None:
    wide = document(Action="*", Resource="*")
    inline = Resource(ROLE, "role", {"inlinePolicies": [{"policy": document(Action="s3:*")}, {"policy": wide}]})
    [found] = no_wildcard_permissions(inline, {})
    assert found.problem.key == "inlinePolicies[1].policy: Statement[0]"
    [found] = no_wildcard_permissions(Resource("aws:iam/rolePolicy:RolePolicy", "it", {"policy": wide}), {})
    assert found.problem.key == "policy: Statement[0]"


def test_the_administrator_policy_of_aws_may_not_be_attached() -> None:
    arn = "arn:aws:iam::aws:policy/AdministratorAccess"
    attached = Resource("aws:iam/rolePolicyAttachment:RolePolicyAttachment", "it", {"policyArn": arn})
    [found] = no_wildcard_permissions(attached, {})
    assert (found.problem.key, found.problem.value) == ("policyArn", arn)
    [found] = no_wildcard_permissions(Resource(ROLE, "role", {"managedPolicyArns": [UNKNOWN, arn]}), {})
    assert found.problem.key == "managedPolicyArns"
    other = {"policyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}
    assert (
        list(no_wildcard_permissions(Resource("aws:iam/rolePolicyAttachment:RolePolicyAttachment", "it", other), {}))
        == []
    )
