"""What a new version of the policies newly allows, or no longer allows."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any

import pytest

from byoc.access.differences import NOT_NEEDED, Difference, Kind, Policies, differences
from byoc.access.grants import allowing, grants_of
from byoc.naming import Names
from byoc.permissions.policies.guardrails import guardrails
from byoc.permissions.policies.supplement import REASONS, supplement
from byoc.types import AwsAccount

ACTIONS = ("rds:CreateDBInstance", "rds:DeleteDBInstance", "rds:DescribeDBInstances", "s3:GetObject")
ACCOUNT = AwsAccount(account_id="123456789012", region="us-west-2")


def expand(pattern: str) -> Iterable[str]:
    return [action for action in ACTIONS if fnmatchcase(action, pattern)] or [pattern]


def statement(effect: str, action: Any, resource: Any = "*", sid: str = "", **more: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": action, "Resource": resource, **({"Sid": sid} if sid else {}), **more}


def policies(*statements: dict[str, Any], name: str = "one", **reasons: str) -> Policies:
    return Policies(documents={name: {"Statement": list(statements)}}, reasons=reasons)


def told(old: Policies, new: Policies) -> dict[str, Difference]:
    return {item.action: item for item in differences(old, new, expand)}


def test_what_is_only_renamed_moved_or_written_otherwise_makes_no_difference() -> None:
    written, otherwise = ({"StringEquals": {"aws:ResourceTag/a": value}} for value in (["x", "y"], ["y", "x"]))
    both = ["rds:CreateDBInstance", "rds:DeleteDBInstance"]
    old = policies(statement("Allow", both, ["b", "a"], sid="Databases", Condition=written))
    new = Policies(
        documents={
            "two": {"Statement": statement("Allow", "rds:DeleteDBInstance", ["a", "b"], Condition=otherwise)},
            "three": {"Statement": [statement("Allow", "rds:Create*", ["a", "b"], "Other", Condition=written)]},
        },
        reasons={},
    )
    assert differences(old, new, expand) == []


def test_newly_allowed_actions_come_first_with_the_reason_of_their_statement() -> None:
    old = policies(statement("Allow", "s3:GetObject"), statement("Allow", "rds:DescribeDBInstances"))
    new = policies(
        statement("Allow", "rds:*", "db-1", sid="Databases"), Databases="databases are made with the deployment"
    )
    found = differences(old, new, expand)
    assert [(item.action, item.kind) for item in found] == [
        ("rds:CreateDBInstance", Kind.NEWLY_ALLOWED),
        ("rds:DeleteDBInstance", Kind.NEWLY_ALLOWED),
        ("s3:GetObject", Kind.NO_LONGER_ALLOWED),
        ("rds:DescribeDBInstances", Kind.SCOPE_CHANGED),
    ]
    assert found[0].reasons == ("databases are made with the deployment",)
    assert [scope.words for scope in found[0].gained] == ["db-1"]
    changed = found[3]
    assert [scope.words for scope in changed.gained] == ["db-1"]
    assert [scope.words for scope in changed.lost] == ["everything"]


def test_a_condition_that_is_taken_away_is_a_gain() -> None:
    condition = {"StringEquals": {"aws:ResourceTag/byoc-install": "x"}}
    old = policies(statement("Allow", "rds:DeleteDBInstance", Condition=condition))
    new = policies(statement("Allow", "rds:DeleteDBInstance"))
    difference = told(old, new)["rds:DeleteDBInstance"]
    assert difference.kind is Kind.SCOPE_CHANGED
    assert [scope.words for scope in difference.gained] == ["everything"]
    assert [scope.words for scope in difference.lost] == [
        'everything, if {"StringEquals": {"aws:ResourceTag/byoc-install": "x"}}'
    ]


def test_a_deny_everywhere_means_no_longer_allowed_and_its_end_newly_allowed() -> None:
    granted = statement("Allow", "rds:*")
    denied = statement("Deny", "rds:DeleteDBInstance", sid="NoDeletes")
    closed = told(policies(granted), policies(granted, denied, NoDeletes="deletion rights are switched off"))
    assert {action: item.kind for action, item in closed.items()} == {"rds:DeleteDBInstance": Kind.NO_LONGER_ALLOWED}
    assert closed["rds:DeleteDBInstance"].reasons == ("deletion rights are switched off",)
    opened = told(policies(granted, denied), policies(granted))
    assert {action: item.kind for action, item in opened.items()} == {"rds:DeleteDBInstance": Kind.NEWLY_ALLOWED}


def test_a_deny_in_some_places_changes_the_scope_and_of_nothing_changes_nothing() -> None:
    granted = statement("Allow", "rds:*")
    some = {"Effect": "Deny", "Action": "rds:DeleteDBInstance", "NotResource": ["a"]}
    difference = told(policies(granted), policies(granted, some))["rds:DeleteDBInstance"]
    assert difference.kind is Kind.SCOPE_CHANGED
    assert [(scope.effect, scope.words) for scope in difference.lost] == [("Deny", "everything but a")]
    assert told(policies(granted), policies(granted, statement("Deny", "s3:GetObject"))) == {}


def test_a_deny_of_all_but_some_actions_is_written_out_over_what_is_allowed() -> None:
    denied = {"Effect": "Deny", "NotAction": "rds:Describe*", "Resource": "*"}
    grants = grants_of(policies(statement("Allow", "rds:*"), denied).documents, expand)
    assert {action for action, scopes in grants.items() if allowing(scopes)} == {"rds:DescribeDBInstances"}


def test_an_allow_of_all_but_some_actions_cannot_be_listed() -> None:
    wide = {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*", "Sid": "Wide"}
    with pytest.raises(ValueError, match="policy one, statement Wide: Allow with NotAction"):
        grants_of(policies(wide).documents, expand)


def test_an_unknown_action_is_compared_as_it_is_written() -> None:
    found = told(policies(), policies(statement("Allow", "made:Up*")))
    assert found["made:Up*"].kind is Kind.NEWLY_ALLOWED


def test_our_own_policies_differ_from_nothing_in_everything_and_from_themselves_in_nothing() -> None:
    documents = {"supplement": supplement(ACCOUNT, Names()), "guardrails": guardrails(ACCOUNT, Names())}
    ours = Policies(documents=documents, reasons=REASONS)
    nothing = Policies(documents={}, reasons={})
    assert differences(ours, ours, expand) == []
    gained = differences(nothing, ours, expand)
    assert {item.kind for item in gained} == {Kind.NEWLY_ALLOWED}
    assert {action for entry in documents["supplement"]["Statement"] for action in entry["Action"]} == {
        item.action for item in gained
    }
    assert all(item.reasons for item in gained)
    document = gained[0].document()
    assert set(document) == {"action", "kind", "gained", "lost", "reasons"}


def test_a_deny_of_everything_takes_every_action_away() -> None:
    allowed = statement("Allow", ["rds:DeleteDBInstance", "s3:GetObject"])
    old, new = policies(allowed), policies(allowed, statement("Deny", "*", sid="Stop"), Stop="somebody stopped it")
    found = differences(old, new, expand)
    assert [(item.action, item.kind) for item in found] == [
        ("rds:DeleteDBInstance", Kind.NO_LONGER_ALLOWED),
        ("s3:GetObject", Kind.NO_LONGER_ALLOWED),
    ]
    assert found[0].reasons == ("somebody stopped it",)
    assert found[1].reasons == ("somebody stopped it", NOT_NEEDED)
