"""The section `retention` of a deployment stack: off unless it is there, with the documented days by default."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import SecretStr

from byoc.config import DeploymentConfig
from byoc.config.retention import RetentionConfig
from byoc.operations.account import Account
from byoc.operations.retention.run import Subject, subjects
from byoc.operations.targets import Accounts, Stack, Target, targets
from tests.unit.config_samples import ACCOUNT, DEPLOYMENT, account, deployment, problems
from tests.unit.test_stack_needs import variant


def found(section: Any) -> dict[str, Any]:
    return dict(problems({**DEPLOYMENT, "retention": section}))


def subject(**settings: Any) -> Subject:
    (only,) = subjects([Stack(name="chat", config=deployment(retention={}, **settings))], Accounts())
    return only


def test_nothing_is_ever_deleted_unless_the_section_is_there() -> None:
    assert deployment().retention is None
    assert subjects([Stack(name="chat", config=deployment())], Accounts()) == ()


def test_the_section_alone_takes_the_documented_days() -> None:
    assert deployment(retention={}).retention == RetentionConfig.model_validate({"noticeDays": 7, "unusedDays": 28})


def test_other_days_are_taken() -> None:
    for notice, unused in ((1, 2), (3649, 3650)):
        chosen = deployment(retention={"noticeDays": notice, "unusedDays": unused}).retention
        assert chosen is not None
        assert (chosen.notice_days, chosen.unused_days) == (notice, unused)


@pytest.mark.parametrize(
    ("section", "key", "allowed"),
    [
        ({"noticeDays": 28}, "unusedDays", "more than noticeDays (28)"),
        ({"noticeDays": 10, "unusedDays": 10}, "unusedDays", "more than noticeDays (10)"),
        ({"unusedDays": 7}, "unusedDays", "more than noticeDays (7)"),
    ],
)
def test_a_deletion_without_days_of_notice_is_refused(section: Any, key: str, allowed: str) -> None:
    (problem,) = found(section).items()
    assert problem[0] == f"byoc:retention.{key}"
    assert problem[1].allowed == allowed


@pytest.mark.parametrize("section", [{"noticeDays": 0}, {"unusedDays": 3651}, {"unusedDays": "28"}, {"days": 28}])
def test_what_is_no_number_of_days_is_refused(section: Any) -> None:
    assert list(found(section)) == [f"byoc:retention.{next(iter(section))}"]


def test_a_deployment_within_an_account_stack_has_no_retention() -> None:
    inline = {"type": "development", "image": DEPLOYMENT["image"], "retention": {}}
    refused = dict(problems({**ACCOUNT, "deployments": {"chat": inline}}))
    assert "byoc:deployments.chat.retention" in refused
    assert subjects([Stack(name="account", config=account())], Accounts()) == ()


@pytest.mark.parametrize(
    ("settings", "stays", "blocked"),
    [
        ({"type": "development"}, "", ""),
        ({"type": "production"}, "a final snapshot", "database.deletionProtection is on"),
        ({"type": "production", "database": {"deletionProtection": False}}, "a final snapshot", ""),
        ({"type": "production", "database": {"deletionProtection": False, "finalSnapshot": False}}, "", ""),
    ],
)
def test_the_plan_says_what_stays_and_what_keeps_it(settings: Any, stays: str, blocked: str) -> None:
    case = subject(**settings)
    assert (case.stays, case.blocked) == (stays, blocked)


def test_a_database_of_the_customer_s_own_stays_and_keeps_nothing() -> None:
    uri = SecretStr("postgresql://user:password@host:5432/database")
    config = deployment(type="production", retention={})
    own = config.model_copy(update={"postgres_uri_custom": uri})
    assert isinstance(own, DeploymentConfig)
    (case,) = subjects([Stack(name="chat", config=own)], Accounts())
    assert (case.stays, case.blocked) == ("your own database", "")


def test_a_target_of_retention_goes_through_the_cross_account_role() -> None:
    target = subject().target
    assert isinstance(target, Target)
    assert isinstance(target.account, Account)
    assert target.account.role is not None
    assert [item.deployment for item in targets([Stack(name="x", config=deployment())], Accounts())] == [
        target.deployment
    ]


@pytest.mark.parametrize(
    ("changes", "ignored"),
    [
        ({}, None),
        ({"retention": {}}, ["byoc-retention"]),
        ({"retention": {}, "ignoreTags": {"keys": ["CostCenter"]}}, ["CostCenter", "byoc-retention"]),
        ({"retention": {}, "ignoreTags": {"keys": ["byoc-retention"]}}, ["byoc-retention"]),
    ],
)
def test_the_provider_leaves_the_note_alone(changes: dict[str, Any], ignored: list[str] | None) -> None:
    _, recording = variant("demo-chat", changes)
    inputs = recording.only("pulumi:providers:aws").plain
    assert json.loads(inputs.get("ignoreTags", "{}")).get("keys") == ignored


@pytest.mark.parametrize("key", ["retention", "deployments.chat.retention"])
def test_in_an_account_stack_it_is_refused_with_the_way_to_have_it(key: str) -> None:
    raw: dict[str, Any] = json.loads(json.dumps(ACCOUNT))
    if key == "retention":
        raw["retention"] = {}
    else:
        raw["deployments"] = {"chat": {"type": "development", "image": DEPLOYMENT["image"], "retention": {}}}
    problem = problems(raw)[f"byoc:{key}"]
    assert problem.value == "an unknown key"
    assert problem.remedy == (
        "remove it: a deployment in an account stack does not go without its neighbours; give it a stack of its own "
        "(kind deployment), and write byoc:retention there"
    )
