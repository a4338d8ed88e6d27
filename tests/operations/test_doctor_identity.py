"""Who asks, and whether the role opens to the right external id alone: facts to answers."""

from __future__ import annotations

from typing import Any

import pytest

from byoc.operations.answers import DeniedError
from byoc.operations.doctor.asking import Absent, NoAnswer
from byoc.operations.doctor.checks import Area, Check, Verdict, failed, passed, unknown
from byoc.operations.doctor.identity import (
    Attempt,
    Attempts,
    Caller,
    LetIn,
    NoCredentials,
    TurnedAway,
    judge_attempts,
    judge_caller,
)
from byoc.operations.doctor.trust import Trust, Trusted, judge_trust, principals_of

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/LangGraphCloudBYOCRole"
CONTROL_PLANE = "arn:aws:iam::640174622193:role/HostBackendRoleProd"
CALLER = Caller(arn=f"arn:aws:iam::{ACCOUNT}:user/ada", account_id=ACCOUNT)
THROTTLED = NoAnswer(why="sts:AssumeRole: AWS is too busy for this account: Throttling", remedy="repeat it later")
IN, OUT = LetIn(account_id=ACCOUNT), TurnedAway()


def test_credentials_of_the_right_account_pass() -> None:
    assert judge_caller(CALLER, ACCOUNT) == passed(
        Area.IDENTITY, "credentials", "arn:aws:iam::123456789012:user/ada, account 123456789012"
    )


def test_credentials_of_another_account_fail_and_name_both() -> None:
    assert judge_caller(CALLER, "999999999999") == failed(
        Area.IDENTITY,
        "credentials",
        "arn:aws:iam::123456789012:user/ada is of account 123456789012; byoc:accountId is 999999999999",
        "choose another profile (--profile, AWS_PROFILE), or correct byoc:accountId",
    )


def test_who_assumes_a_role_may_be_of_any_account() -> None:
    assert judge_caller(CALLER, None).verdict is Verdict.PASS


def test_no_credentials_fail_and_silence_of_sts_is_unknown() -> None:
    none = NoCredentials(why="Unable to locate credentials", remedy="name credentials: AWS_PROFILE, or aws sso login")
    assert judge_caller(none, ACCOUNT) == failed(Area.IDENTITY, "credentials", none.why, none.remedy)
    assert judge_caller(THROTTLED, ACCOUNT) == unknown(Area.IDENTITY, "credentials", THROTTLED.why, THROTTLED.remedy)


@pytest.mark.parametrize(
    ("with_id", "without", "another", "verdicts"),
    [
        (IN, OUT, OUT, "pass pass pass"),
        (IN, IN, OUT, "pass fail pass"),
        (IN, OUT, IN, "pass pass fail"),
        (OUT, OUT, OUT, "fail unknown unknown"),
        (OUT, IN, OUT, "fail fail unknown"),
        (THROTTLED, OUT, OUT, "unknown unknown unknown"),
        (IN, THROTTLED, OUT, "pass unknown pass"),
    ],
)
def test_the_role_must_open_to_the_external_id_and_to_nothing_else(
    with_id: Attempt, without: Attempt, another: Attempt, verdicts: str
) -> None:
    checks = judge_attempts(Attempts(with_id=with_id, without=without, with_another=another), ROLE)
    assert " ".join(check.verdict.value for check in checks) == verdicts


def test_a_role_that_opens_without_an_external_id_is_told_in_plain_words() -> None:
    _, without, _ = judge_attempts(Attempts(with_id=IN, without=IN, with_another=OUT), ROLE)
    assert without == failed(
        Area.IDENTITY,
        "role without an external id",
        "the role opens",
        "its trust policy must ask for sts:ExternalId with StringEquals: run the account stack's up, and look who "
        "changed the role",
    )


def test_a_role_that_turns_away_names_the_layer_where_sts_does() -> None:
    by_scp = TurnedAway(layer="an explicit deny in a service control policy of the organization")
    opens, *_ = judge_attempts(Attempts(with_id=by_scp, without=OUT, with_another=OUT), ROLE)
    assert opens.evidence == (
        f"sts:AssumeRole on {ROLE}: denied by an explicit deny in a service control policy of the organization"
    )


@pytest.mark.parametrize(
    ("words", "verdict"),
    [
        ("because no role trust policy allows the sts:AssumeRole action", Verdict.PASS),
        ("with an explicit deny in the role trust policy", Verdict.PASS),
        ("because no resource-based policy allows the sts:AssumeRole action", Verdict.PASS),
        ("on resource: arn:aws:iam::123456789012:role/LangGraphCloudBYOCRole", Verdict.PASS),
        ("because no identity-based policy allows the sts:AssumeRole action", Verdict.UNKNOWN),
        ("with an explicit deny in a service control policy", Verdict.UNKNOWN),
        ("because no permissions boundary allows the sts:AssumeRole action", Verdict.UNKNOWN),
    ],
)
def test_a_door_is_closed_by_the_roles_trust_and_not_by_what_the_caller_may_try(words: str, verdict: Verdict) -> None:
    message = f"User: arn:aws:iam::1:user/x is not authorized to perform: sts:AssumeRole {words}"
    away = TurnedAway(layer=DeniedError("sts:AssumeRole", message).layer)
    _, without, another = judge_attempts(Attempts(with_id=IN, without=away, with_another=away), ROLE)
    assert (without.verdict, another.verdict) == (verdict, verdict)


def _statement(condition: dict[str, Any]) -> dict[str, Any]:
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": "sts:AssumeRole",
                "Principal": {"AWS": CONTROL_PLANE},
                "Condition": condition,
            }
        ],
    }


def _trust(**condition: Any) -> Check:
    wanted = Trusted(role_arn=ROLE, principals=(CONTROL_PLANE,), external_ids=("right-one",), made=True)
    return judge_trust(Trust(document=_statement(condition)), wanted)


def test_a_trust_policy_with_the_external_id_passes() -> None:
    assert _trust(StringEquals={"sts:ExternalId": ["right-one"]}) == passed(
        Area.IDENTITY,
        "trust of the control plane's role",
        f"{CONTROL_PLANE} with the external id, and not without or with a wrong one",
    )


def test_a_trust_policy_without_a_condition_fails_for_both_ways_in() -> None:
    assert _trust().evidence == (
        f"{CONTROL_PLANE} is let in without an external id; {CONTROL_PLANE} is let in with a wrong external id"
    )


def test_a_trust_policy_that_is_satisfied_by_a_missing_key_fails() -> None:
    check = _trust(StringEqualsIfExists={"sts:ExternalId": "right-one"})
    assert check.verdict is Verdict.FAIL
    assert check.evidence == f"{CONTROL_PLANE} is let in without an external id"


def test_a_trust_policy_with_another_id_turns_the_control_plane_away() -> None:
    check = _trust(StringEquals={"sts:ExternalId": "old-one"})
    assert check.evidence == (
        f"{CONTROL_PLANE} is turned away with the external id; "
        f"{CONTROL_PLANE} is let in with an external id that the config does not have"
    )


def test_an_absent_role_passes_where_up_makes_it_and_fails_where_it_is_needed() -> None:
    made = Trusted(role_arn=ROLE, principals=(CONTROL_PLANE,), external_ids=("x",), made=True)
    needed = Trusted(role_arn=ROLE, principals=(), external_ids=("x",), made=False)
    assert judge_trust(Absent(), made).evidence == "there is no role LangGraphCloudBYOCRole yet: up makes it"
    assert judge_trust(Absent(), needed).verdict is Verdict.FAIL
    assert judge_trust(NoAnswer(why="iam:GetRole: denied"), needed).verdict is Verdict.UNKNOWN


def test_a_role_that_trusts_nobody_fails_where_the_config_names_nobody() -> None:
    needed = Trusted(role_arn=ROLE, principals=(), external_ids=("x",), made=False)
    assert judge_trust(Trust(document={"Statement": []}), needed).evidence == "it trusts nobody"


def test_principals_are_those_of_allowing_statements_once_each() -> None:
    allow = _statement({})["Statement"][0]
    deny = {**allow, "Effect": "Deny", "Principal": {"AWS": "arn:aws:iam::1:root"}}
    service = {**allow, "Principal": {"Service": "ecs-tasks.amazonaws.com"}}
    assert principals_of({"Statement": [allow, deny, service, allow]}) == (CONTROL_PLANE,)


WANTED = Trusted(role_arn=ROLE, principals=(CONTROL_PLANE,), external_ids=("right-one",), made=True)
STRANGER = "arn:aws:iam::999999999999:root"


@pytest.mark.parametrize(
    ("more", "evidence"),
    [
        ({"Principal": {"AWS": STRANGER}}, f"{STRANGER} is trusted, and byoc:access does not name it"),
        (
            {"Principal": {"Service": "ec2.amazonaws.com"}},
            "ec2.amazonaws.com is trusted, and byoc:access does not name it",
        ),
        (
            {"Principal": {"Federated": "accounts.google.com"}, "Action": "sts:AssumeRoleWithWebIdentity"},
            "accounts.google.com is trusted, and byoc:access does not name it",
        ),
        (
            {"Principal": {"AWS": "*"}, "Condition": {"StringEquals": {"sts:ExternalId": "right-one"}}},
            "everybody (*) is trusted",
        ),
        (
            {
                "Principal": {"AWS": CONTROL_PLANE},
                "Condition": {"StringLike": {"sts:externalid": ["old-one", "right-*"]}},
            },
            f"{CONTROL_PLANE} is let in with an external id that the config does not have",
        ),
        ({"Effect": "Deny", "Principal": {"AWS": STRANGER}}, ""),
    ],
)
def test_who_else_is_trusted_and_with_which_other_id_is_found(more: dict[str, Any], evidence: str) -> None:
    own = _statement({"StringEquals": {"sts:ExternalId": "right-one"}})
    added = {"Effect": "Allow", "Action": "sts:AssumeRole", **more}
    check = judge_trust(Trust(document={**own, "Statement": [*own["Statement"], added]}), WANTED)
    assert (check.verdict, check.evidence) == (
        (Verdict.FAIL, evidence)
        if evidence
        else (Verdict.PASS, f"{CONTROL_PLANE} with the external id, and not without or with a wrong one")
    )


def test_a_role_that_trusts_everybody_is_no_role_that_trusts_nobody() -> None:
    condition = {"StringEquals": {"sts:ExternalId": "x"}}
    open_ = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": "*", "Condition": condition}
    needed = Trusted(role_arn=ROLE, principals=(), external_ids=("x",), made=False)
    check = judge_trust(Trust(document={"Statement": [open_]}), needed)
    assert (check.verdict, check.evidence) == (Verdict.FAIL, "everybody (*) is trusted")


def test_the_second_id_of_a_rotation_is_none_of_a_deployments_business() -> None:
    both = _statement({"StringEquals": {"sts:ExternalId": ["old-one", "right-one"]}})
    needed = Trusted(role_arn=ROLE, principals=(), external_ids=("right-one",), made=False)
    assert judge_trust(Trust(document=both), needed).verdict is Verdict.PASS
    assert judge_trust(Trust(document=both), WANTED).verdict is Verdict.FAIL
