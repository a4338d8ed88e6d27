"""What IAM answers, case by case, as AWS's documentation says it does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from byoc.permissions.evaluation.evaluator import Decision, Document, Outcome, Request, evaluate, evaluate_trust

ROLE = "arn:aws:iam::123456789012:role/app"
BUCKET = "arn:aws:s3:::data"
Context = Mapping[str, str | Sequence[str]]


def document(*statements: Mapping[str, Any], version: str | None = "2012-10-17") -> Document:
    return {**({"Version": version} if version else {}), "Statement": list(statements)}


def statement(effect: str = "Allow", action: Any = "*", resource: Any = "*", **elements: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": action, "Resource": resource, **elements}


def ask(
    *statements: Mapping[str, Any],
    action: str = "s3:GetObject",
    resource: str = f"{BUCKET}/a",
    context: Context | None = None,
    boundary: Document | None = None,
) -> Decision:
    request = Request(principal=ROLE, action=action, resource=resource, context=context or {})
    return evaluate(request, identity={"app": document(*statements)}, boundary=boundary)


def met(condition: Mapping[str, Any], context: Context | None = None) -> bool:
    """Whether an allow under ``condition`` takes effect."""
    return ask(statement(Condition=condition), context=context).allowed


# --- the logic of decisions


def test_what_nothing_allows_is_denied_implicitly() -> None:
    decision = ask(statement(action="s3:PutObject"))
    assert (decision.outcome, decision.statement, decision.allowed) == (Outcome.IMPLICIT_DENY, None, False)
    assert decision.layer == "identity policies"


def test_a_principal_without_policies_may_do_nothing() -> None:
    request = Request(principal=ROLE, action="s3:GetObject", resource="*")
    assert evaluate(request, identity={}).outcome is Outcome.IMPLICIT_DENY


def test_an_allow_names_the_statement_and_the_policy_that_decided() -> None:
    allow = statement(action="s3:GetObject", Sid="Reads")
    decision = ask(statement(action="s3:PutObject"), allow)
    assert decision == Decision(outcome=Outcome.ALLOWED, statement=allow, layer="identity policy app")


def test_an_explicit_deny_wins_over_an_allow_in_another_policy() -> None:
    deny = statement("Deny", "s3:Get*")
    request = Request(principal=ROLE, action="s3:GetObject", resource="*")
    decision = evaluate(request, identity={"admin": document(statement()), "guard": document(deny)})
    assert decision == Decision(outcome=Outcome.EXPLICIT_DENY, statement=deny, layer="identity policy guard")


def test_a_deny_that_does_not_match_changes_nothing() -> None:
    assert ask(statement(), statement("Deny", "s3:DeleteObject")).allowed


def test_a_boundary_has_to_allow_as_well() -> None:
    decision = ask(statement(), boundary=document(statement(action="ec2:*")))
    assert (decision.outcome, decision.layer) == (Outcome.IMPLICIT_DENY, "boundary")
    assert ask(statement(), boundary=document(statement(action="s3:*"))).layer == "identity policy app"


def test_a_boundary_grants_nothing_by_itself() -> None:
    decision = ask(statement(action="ec2:*"), boundary=document(statement()))
    assert (decision.outcome, decision.layer) == (Outcome.IMPLICIT_DENY, "identity policies")


def test_a_deny_in_a_boundary_is_explicit() -> None:
    decision = ask(statement(), boundary=document(statement(), statement("Deny", "s3:*")))
    assert (decision.outcome, decision.layer) == (Outcome.EXPLICIT_DENY, "boundary")


def test_a_document_may_hold_one_statement_without_a_list() -> None:
    request = Request(principal=ROLE, action="s3:GetObject", resource="*")
    assert evaluate(request, identity={"app": {"Version": "2012-10-17", "Statement": statement()}}).allowed


def test_an_effect_that_is_neither_allow_nor_deny_is_an_error() -> None:
    with pytest.raises(ValueError, match="Allow or Deny, not 'allow'"):
        ask(statement("allow"))


# --- actions and resources


@pytest.mark.parametrize(
    ("pattern", "action", "matches"),
    [
        ("s3:GetObject", "s3:GetObject", True),
        ("S3:getobject", "s3:GetObject", True),
        ("s3:GetObject", "s3:GetObjectAcl", False),
        ("s3:Get*", "s3:GetObjectAcl", True),
        ("s3:*Object", "s3:GetObject", True),
        ("s3:?etObject", "s3:GetObject", True),
        ("s3:?GetObject", "s3:GetObject", False),
        ("*", "s3:GetObject", True),
        ("*:*", "s3:GetObject", True),
        ("ec2:*", "s3:GetObject", False),
        (["ec2:*", "s3:GetObject"], "s3:GetObject", True),
        ([], "s3:GetObject", False),
    ],
)
def test_actions_match_without_regard_to_case_and_with_wildcards(pattern: Any, action: str, matches: bool) -> None:
    assert ask(statement(action=pattern), action=action).allowed is matches


@pytest.mark.parametrize(
    ("pattern", "resource", "matches"),
    [
        ("*", "*", True),
        ("*", f"{BUCKET}/a", True),
        (f"{BUCKET}/*", f"{BUCKET}/a/b", True),
        (f"{BUCKET}/*", BUCKET, False),
        (f"{BUCKET}/?", f"{BUCKET}/a", True),
        (f"{BUCKET}/?", f"{BUCKET}/ab", False),
        (f"{BUCKET}/A", f"{BUCKET}/a", False),
        (f"{BUCKET}/*", "*", False),
        ("arn:aws:ecs:*:123456789012:service/c/*", "arn:aws:ecs:eu-west-1:123456789012:service/c/api", True),
        # A wildcard within a segment stays in it; one that ends a segment reaches on.
        ("arn:aws:ecs:eu-*-1:123456789012:x", "arn:aws:ecs:eu-west:99:-1:123456789012:x", False),
        ("arn:aws:logs:*:123456789012:log-group:a*", "arn:aws:logs:r:123456789012:log-group:a:log-stream:b", True),
        ("arn:aws:logs:*:123456789012:log-group:a*b", "arn:aws:logs:r:123456789012:log-group:a:log-stream:b", False),
        ("arn:aws:sqs", "arn:aws:sqs:eu-west-1:123456789012:queue", True),
        ("arn:aws:sqs", "arn:aws:sns:eu-west-1:123456789012:topic", False),
        ([f"{BUCKET}/b", f"{BUCKET}/a"], f"{BUCKET}/a", True),
        (f"{BUCKET}/(a|b).", f"{BUCKET}/ac", False),
    ],
)
def test_resources_match_exactly_or_by_wildcards(pattern: Any, resource: str, matches: bool) -> None:
    assert ask(statement(resource=pattern), resource=resource).allowed is matches


def test_not_action_covers_every_other_action() -> None:
    others = {"Effect": "Allow", "NotAction": ["iam:*", "S3:delete*"], "Resource": "*"}
    assert ask(others, action="s3:GetObject").allowed
    assert not ask(others, action="s3:DeleteObject").allowed
    assert not ask(others, action="iam:CreateRole").allowed


def test_not_resource_covers_every_other_resource_and_calls_without_one() -> None:
    deny = {"Effect": "Deny", "Action": "*", "NotResource": [f"{BUCKET}/*", BUCKET]}
    assert ask(statement(), deny, resource=f"{BUCKET}/a").allowed
    assert ask(statement(), deny, resource="arn:aws:s3:::other").outcome is Outcome.EXPLICIT_DENY
    assert ask(statement(), deny, resource="*").outcome is Outcome.EXPLICIT_DENY


# --- policy variables


@pytest.mark.parametrize(
    ("pattern", "context", "matches"),
    [
        (BUCKET + "/${aws:username}", {"aws:username": "a"}, True),
        (BUCKET + "/${AWS:UserName}", {"aws:username": "a"}, True),
        (BUCKET + "/${aws:PrincipalTag/team}", {"aws:PrincipalTag/team": "a"}, True),
        (BUCKET + "/${aws:PrincipalTag/team}", {"aws:PrincipalTag/team": "b"}, False),
        (BUCKET + "/${aws:username}*", {"aws:username": ""}, True),
        (BUCKET + "/${aws:username, 'a'}", {}, True),
        (BUCKET + "/${aws:username}", {}, False),
        (BUCKET + "/${aws:username}", {"aws:username": ["a", "b"]}, False),
        # What a variable stands for is no pattern.
        (BUCKET + "/${aws:username}", {"aws:username": "*"}, False),
        (BUCKET + "/${*}", {}, False),
    ],
)
def test_variables_stand_for_values_of_the_request(pattern: str, context: Context, matches: bool) -> None:
    assert ask(statement(resource=pattern), context=context).allowed is matches


@pytest.mark.parametrize("literal", ["*", "?", "$"])
def test_wildcards_and_dollars_are_written_as_variables(literal: str) -> None:
    allow = statement(resource=f"{BUCKET}/${{{literal}}}")
    assert ask(allow, resource=f"{BUCKET}/{literal}").allowed
    assert not ask(allow, resource=f"{BUCKET}/x").allowed


def test_a_statement_with_an_unknown_variable_does_not_match_and_others_still_do() -> None:
    deny = statement("Deny", resource=BUCKET + "/${aws:PrincipalTag/absent}")
    assert ask(deny, statement()).allowed


@pytest.mark.parametrize("version", [None, "2008-10-17"])
def test_documents_of_the_old_version_know_no_variables(version: str | None) -> None:
    allow = statement(resource=BUCKET + "/${aws:username}")
    request = Request(principal=ROLE, action="s3:GetObject", resource=f"{BUCKET}/a", context={"aws:username": "a"})
    assert not evaluate(request, identity={"app": document(allow, version=version)}).allowed
    literal = Request(principal=ROLE, action="s3:GetObject", resource=BUCKET + "/${aws:username}")
    assert evaluate(literal, identity={"app": document(allow, version=version)}).allowed


# --- conditions


KEY = "aws:PrincipalTag/team"
ARN = "arn:aws:ecs:us-west-2:123456789012:cluster/blue"


@pytest.mark.parametrize(
    ("operator", "wanted", "got", "holds"),
    [
        ("StringEquals", "a", "a", True),
        ("StringEquals", "a", "A", False),
        ("StringEquals", ["a", "b"], "b", True),
        ("StringEquals", "a*", "ab", False),
        ("StringNotEquals", "a", "b", True),
        ("StringNotEquals", ["a", "b"], "b", False),
        ("StringEqualsIgnoreCase", "a", "A", True),
        ("StringNotEqualsIgnoreCase", "a", "A", False),
        ("StringLike", "a*", "ab", True),
        ("StringLike", "A*", "ab", False),
        ("StringLike", "a?", "a", False),
        ("StringNotLike", "a*", "ab", False),
        ("stringequals", "a", "a", True),
        ("StringEquals", "${aws:username}", "ann", True),
        ("StringLike", "${aws:username}*", "anna", True),
        ("ArnEquals", ARN, ARN, True),
        ("ArnEquals", "arn:aws:ecs:*:*:cluster/bl*", ARN, True),
        ("ArnLike", "arn:aws:ecs:*:123456789012:cluster/*", ARN, True),
        ("ArnLike", "arn:aws:*:cluster/*", ARN, False),
        ("ArnLike", "blue", "blue", False),
        ("ArnNotEquals", ARN, ARN, False),
        ("ArnNotLike", "arn:aws:ecs:eu-*:*:cluster/*", ARN, True),
        ("NumericEquals", "10", "10.0", True),
        ("NumericNotEquals", 10, "11", True),
        ("NumericLessThan", "10", "9", True),
        ("NumericLessThan", "10", "10", False),
        ("NumericLessThanEquals", "10", "10", True),
        ("NumericGreaterThan", 10, "11", True),
        ("NumericGreaterThanEquals", "10", "9", False),
        ("NumericEquals", "10", "ten", False),
        ("DateEquals", "2026-01-01T00:00:00Z", "1767225600", True),
        ("DateNotEquals", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", False),
        ("DateLessThan", "2026-01-01T00:00:00Z", "2025-12-31T23:59:59Z", True),
        ("DateLessThanEquals", "2026-01-01", "2026-01-01T00:00:00Z", True),
        ("DateGreaterThan", "2026-01-01T00:00:00Z", "2026-01-01T02:00:00+02:00", False),
        ("DateGreaterThanEquals", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", True),
        ("DateLessThan", "tomorrow", "2026-01-01T00:00:00Z", False),
        ("Bool", "true", "true", True),
        ("Bool", True, "true", True),
        ("Bool", "true", "false", False),
        ("IpAddress", "10.0.0.0/8", "10.1.2.3", True),
        ("IpAddress", ["10.0.0.0/8", "192.0.2.7"], "192.0.2.7", True),
        ("IpAddress", "2001:db8::/32", "2001:db8::1", True),
        ("IpAddress", "10.0.0.0/8", "2001:db8::1", False),
        ("IpAddress", "10.0.0.0/8", "nowhere", False),
        ("NotIpAddress", "10.0.0.0/8", "11.1.2.3", True),
        ("NotIpAddress", "10.0.0.0/8", "10.1.2.3", False),
        ("BinaryEquals", "aGk=", "aGk=", True),
        ("BinaryEquals", "aGk=", "aG8=", False),
        ("Null", "true", "a", False),
        ("Null", "false", "a", True),
    ],
)
def test_a_condition_compares_a_key_of_the_request(operator: str, wanted: Any, got: str, holds: bool) -> None:
    assert met({operator: {KEY: wanted}}, {KEY: got, "aws:username": "ann"}) is holds


@pytest.mark.parametrize(
    ("operator", "holds"),
    [
        ("StringEquals", False),
        ("StringLike", False),
        ("ArnLike", False),
        ("NumericLessThan", False),
        ("DateGreaterThan", False),
        ("Bool", False),
        ("IpAddress", False),
        ("StringNotEquals", True),
        ("StringNotLike", True),
        ("StringNotEqualsIgnoreCase", True),
        ("ArnNotLike", True),
        ("NumericNotEquals", True),
        ("DateNotEquals", True),
        ("NotIpAddress", True),
        ("StringEqualsIfExists", True),
        ("BoolIfExists", True),
        ("StringNotEqualsIfExists", True),
        ("ForAllValues:StringEquals", True),
        ("ForAllValues:StringNotEquals", True),
        ("ForAnyValue:StringEquals", False),
        ("ForAnyValue:StringNotEquals", False),
        ("ForAnyValue:StringEqualsIfExists", False),
    ],
)
@pytest.mark.parametrize("context", [{}, {KEY: []}])
def test_a_missing_key_fails_a_comparison_and_passes_its_negation(operator: str, holds: bool, context: Context) -> None:
    assert met({operator: {KEY: "1"}}, context) is holds


@pytest.mark.parametrize("context", [{}, {KEY: []}])
def test_null_asks_whether_a_key_is_missing(context: Context) -> None:
    assert met({"Null": {KEY: "true"}}, context)
    assert not met({"Null": {KEY: "false"}}, context)


@pytest.mark.parametrize(
    ("operator", "got", "holds"),
    [
        ("ForAllValues:StringEquals", ["a", "b"], True),
        ("ForAllValues:StringEquals", ["a", "x"], False),
        ("ForAnyValue:StringEquals", ["a", "x"], True),
        ("ForAnyValue:StringEquals", ["x", "y"], False),
        ("ForAllValues:StringNotEquals", ["x", "y"], True),
        ("ForAllValues:StringNotEquals", ["x", "a"], False),
        ("ForAnyValue:StringNotEquals", ["x", "a"], True),
        ("ForAnyValue:StringNotEquals", ["a", "b"], False),
        ("ForAnyValue:StringLike", ["x", "bb"], False),
    ],
)
def test_quantifiers_look_at_every_value_of_a_key(operator: str, got: Sequence[str], holds: bool) -> None:
    assert met({operator: {"aws:TagKeys": ["a", "b"]}}, {"aws:TagKeys": got}) is holds


def test_keys_of_a_condition_match_without_regard_to_case() -> None:
    assert met({"StringEquals": {"AWS:principaltag/TEAM": "a"}}, {"aws:PrincipalTag/team": "a"})


def test_all_operators_and_all_keys_have_to_hold() -> None:
    context = {"aws:username": "ann", "aws:SourceIp": "10.0.0.1"}
    assert met({"StringEquals": {"aws:username": "ann"}, "IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, context)
    assert not met({"StringEquals": {"aws:username": "ann"}, "IpAddress": {"aws:SourceIp": "11.0.0.0/8"}}, context)
    assert not met({"StringEquals": {"aws:username": "ann", "aws:userid": "x"}}, context)


def test_an_unknown_variable_in_a_condition_equals_nothing() -> None:
    assert not met({"StringEquals": {KEY: "${aws:username}"}}, {KEY: ""})
    assert met({"StringNotEquals": {KEY: "${aws:username}"}}, {KEY: "a"})


@pytest.mark.parametrize("operator", ["StringEqual", "ForSomeValues:StringEquals", "NullIfExists", "ForAnyValue:Null"])
def test_an_operator_that_iam_does_not_know_is_an_error(operator: str) -> None:
    with pytest.raises(ValueError, match=f"IAM knows no condition operator '{operator}'"):
        met({operator: {KEY: "a"}}, {KEY: "a"})


@pytest.mark.parametrize(
    ("operator", "wanted", "got", "holds"),
    [
        # IfExists compares as its operator does, once there is a value.
        ("StringEqualsIfExists", "a", "b", False),
        ("StringNotEqualsIfExists", "a", "a", False),
        ("StringLikeIfExists", "a*", "ab", True),
        ("ArnLikeIfExists", "arn:aws:ecs:*:*:cluster/*", ARN, True),
        ("ArnNotLikeIfExists", "arn:aws:ecs:*:*:cluster/*", ARN, False),
        ("NumericLessThanIfExists", "10", "11", False),
        ("DateGreaterThanIfExists", "2026-01-01", "2026-01-02", True),
        ("BoolIfExists", "true", "false", False),
        ("IpAddressIfExists", "10.0.0.0/8", "11.0.0.1", False),
        ("NotIpAddressIfExists", "10.0.0.0/8", "10.0.0.1", False),
        # Several values under an operator that negates: none of them may match.
        ("StringNotLike", ["a*", "b*"], "bc", False),
        ("StringNotLike", ["a*", "b*"], "cb", True),
        ("NotIpAddress", ["10.0.0.0/8", "11.0.0.0/8"], "11.0.0.1", False),
        ("NumericNotEquals", ["1", "2"], "2", False),
        ("DateNotEquals", ["2026-01-01", "2026-01-02"], "2026-01-03", True),
        # Wildcards and escapes.
        ("StringLike", "a${*}", "a*", True),
        ("StringLike", "a${*}", "ab", False),
        ("StringEquals", "a${?}", "a?", True),
        ("StringEquals", "${$}{aws:username}", "${aws:username}", True),
        ("StringLike", "${aws:PrincipalTag/none, 'ann'}", "ann", True),
        ("StringEquals", "${aws:PrincipalTag/none, '*'}", "anything", False),
        ("StringLike", "", "", True),
        ("StringEquals", "a\\nb", "a\\nb", True),
        ("StringLike", "a*", "a\nb", True),
        # Numbers and dates.
        ("NumericEquals", "-1.50", "-1.5", True),
        ("NumericGreaterThan", "9", "10", True),
        ("DateEquals", "2026-01-01T01:00:00+01:00", "2026-01-01T00:00:00Z", True),
        ("DateGreaterThan", "1767225600", "2026-01-01T00:00:01Z", True),
        ("Bool", "True", "true", True),
        ("BinaryEquals", "not base64!", "aGk=", False),
        ("IpAddress", "10.0.0.7/8", "10.9.9.9", True),
    ],
)
def test_operators_with_if_exists_several_values_escapes_and_odd_values(
    operator: str, wanted: Any, got: str, holds: bool
) -> None:
    assert met({operator: {KEY: wanted}}, {KEY: got, "aws:username": "ann"}) is holds


@pytest.mark.parametrize(
    ("null", "context", "holds"),
    [
        ("true", {}, True),
        ("true", {KEY: "a"}, False),
        ("false", {KEY: "a"}, True),
        ("false", {}, False),
        (["true", "false"], {}, True),
        (["true", "false"], {KEY: "a"}, True),
    ],
)
def test_null_with_for_all_values_closes_the_gap_of_a_missing_key(null: Any, context: Context, holds: bool) -> None:
    assert met({"Null": {KEY: null}}, context) is holds
    guarded = {"ForAllValues:StringEquals": {KEY: "a"}, "Null": {KEY: null}}
    assert met(guarded, context) is holds


def test_a_multivalued_key_without_a_set_operator_matches_by_any_value_and_negates_by_all() -> None:
    context = {"aws:TagKeys": ["a", "x"]}
    assert met({"StringEquals": {"aws:TagKeys": "a"}}, context)
    assert not met({"StringNotEquals": {"aws:TagKeys": "a"}}, context)


# --- trust policies

SESSION = "arn:aws:sts::123456789012:assumed-role/app/session-1"


def trusts(principal: Any, caller: str, *, context: Context | None = None, **elements: Any) -> bool:
    trust = document({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", **elements})
    request = Request(
        principal=caller, action="sts:AssumeRole", resource="arn:aws:iam::1:role/x", context=context or {}
    )
    return evaluate_trust(request, trust).allowed


@pytest.mark.parametrize(
    ("principal", "caller", "trusted"),
    [
        ({"AWS": ROLE}, ROLE, True),
        ({"AWS": [ROLE]}, SESSION, True),
        ({"AWS": "arn:aws:iam::123456789012:role/team/app"}, SESSION, True),
        ({"AWS": SESSION}, SESSION, True),
        ({"AWS": SESSION}, "arn:aws:sts::123456789012:assumed-role/app/session-2", False),
        ({"AWS": ROLE}, "arn:aws:sts::210987654321:assumed-role/app/session-1", False),
        ({"AWS": ROLE}, "arn:aws:sts::123456789012:assumed-role/app2/session-1", False),
        ({"AWS": "arn:aws:iam::123456789012:role/*"}, ROLE, False),
        ({"AWS": "123456789012"}, ROLE, True),
        ({"AWS": "arn:aws:iam::123456789012:root"}, SESSION, True),
        ({"AWS": "arn:aws:iam::123456789012:root"}, "arn:aws:iam::210987654321:user/ann", False),
        ({"AWS": "arn:aws:iam::123456789012:user/ann"}, "arn:aws:iam::123456789012:user/ann", True),
        ({"AWS": "*"}, ROLE, True),
        ("*", ROLE, True),
        ("*", "ecs-tasks.amazonaws.com", True),
        ({"Service": "ecs-tasks.amazonaws.com"}, "ecs-tasks.amazonaws.com", True),
        ({"Service": "ecs-tasks.amazonaws.com"}, "ec2.amazonaws.com", False),
        ({"Service": "ecs-tasks.amazonaws.com"}, ROLE, False),
        ({"AWS": "*"}, "ec2.amazonaws.com", False),
    ],
)
def test_a_trust_policy_names_who_may_assume_the_role(principal: Any, caller: str, trusted: bool) -> None:
    assert trusts(principal, caller) is trusted


def test_not_principal_denies_everybody_else() -> None:
    trust = document(
        {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"},
        {"Effect": "Deny", "NotPrincipal": {"AWS": ROLE}, "Action": "sts:AssumeRole"},
    )
    for caller, outcome in [(SESSION, Outcome.ALLOWED), ("ec2.amazonaws.com", Outcome.EXPLICIT_DENY)]:
        request = Request(principal=caller, action="sts:AssumeRole", resource="*")
        assert evaluate_trust(request, trust).outcome is outcome


def test_a_statement_without_a_principal_trusts_nobody() -> None:
    request = Request(principal=ROLE, action="sts:AssumeRole", resource="*")
    assert evaluate_trust(request, document(statement())).outcome is Outcome.IMPLICIT_DENY


def test_a_trust_policy_is_about_its_action_only() -> None:
    trust = document({"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"})
    request = Request(principal=ROLE, action="sts:TagSession", resource="*")
    assert evaluate_trust(request, trust).outcome is Outcome.IMPLICIT_DENY


@pytest.mark.parametrize(
    ("operator", "context", "trusted"),
    [
        ("StringEquals", {"sts:ExternalId": "right"}, True),
        ("StringEquals", {"sts:ExternalId": "wrong"}, False),
        ("StringEquals", {}, False),
        # Traps in policies seen in public: these let a caller through that sends no external id at all.
        ("ForAllValues:StringEquals", {}, True),
        ("StringEqualsIfExists", {}, True),
    ],
)
def test_plain_string_equals_is_what_an_external_id_needs(operator: str, context: Context, trusted: bool) -> None:
    condition = {operator: {"sts:ExternalId": ["right", "older"]}}
    assert trusts({"AWS": ROLE}, SESSION, context=context, Condition=condition) is trusted
