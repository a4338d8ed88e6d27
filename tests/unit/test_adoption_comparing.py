"""Which of the differences between what is there and what a program wants are changes."""

from __future__ import annotations

import json

import pytest

from byoc.adoption.comparing import TagRules, changes
from byoc.adoption.found import Found
from byoc.adoption.kinds import KINDS

ROLE = next(kind for kind in KINDS if kind.terraform == "aws_iam_role")


def role(**attributes_: object) -> Found:
    return Found(type="aws_iam_role", address="role", attributes={"name": "r", "path": "/", **attributes_})


def policy(**statement: object) -> str:
    return json.dumps({"Statement": [{"Effect": "Allow", **statement}]})


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (policy(Action="a:B"), policy(Action=["a:B"])),
        (policy(Action=["a:B", "a:C"]), policy(Action=["a:C", "a:B"])),
        (json.dumps({"Statement": {"Effect": "Allow"}}), json.dumps({"Statement": [{"Effect": "Allow"}]})),
    ],
)
def test_policies_that_mean_the_same_are_no_change(before: str, after: str) -> None:
    wanted = {"name": "r", "assumeRolePolicy": after}
    assert changes(ROLE, role(assume_role_policy=before), wanted, TagRules(default={}), ()) == ()


def test_another_statement_or_sid_is_a_change() -> None:
    wanted = {"name": "r", "assumeRolePolicy": policy(Action="a:B", Sid="S")}
    (change,) = changes(ROLE, role(assume_role_policy=policy(Action="a:B")), wanted, TagRules(default={}), ())
    assert change.property == "assumeRolePolicy"


def test_defaults_and_absence_mean_the_same() -> None:
    found = role(max_session_duration=3600, description="", permissions_boundary=None)
    assert changes(ROLE, found, {"name": "r", "maxSessionDuration": 3600}, TagRules(default={}), ()) == ()
    assert changes(ROLE, found, {"name": "r"}, TagRules(default={}), ()) == ()


def test_tags_of_aws_and_ignored_ones_are_no_change() -> None:
    tags = {"aws:cloudformation:stack-name": "x", "billing": "7", "team": "a"}
    rules = TagRules(default={"team": "a"}, ignored={"billing"})
    assert changes(ROLE, role(tags_all=tags), {"name": "r"}, rules, ()) == ()
    (change,) = changes(ROLE, role(tags_all=tags), {"name": "r"}, TagRules(default={"team": "a"}), ())
    assert (change.before, change.after) == ({"billing": "7", "team": "a"}, {"team": "a"})
