"""The sections `breakGlass` and `vendorActivity`: off by default, open only with everything that an opening needs."""

from __future__ import annotations

from typing import Any

import pytest

from byoc.permissions.policies.break_glass import Opening
from tests.unit.config_samples import ACCOUNT, DEPLOYMENT, EXTERNAL_ID, account, problems

ALICE = "arn:aws:iam::123456789012:role/OnCall"
VENDOR = "arn:aws:iam::640174622193:role/Support"
OPEN: dict[str, Any] = {
    "open": True,
    "principals": [ALICE],
    "sourceIdentities": ["alice@example.com"],
    "ticket": "OPS-1234",
    "notBefore": "2026-05-01T08:00:00Z",
    "until": "2026-05-03T08:00:00Z",
}
NO_ACCESS = {"access": {"enabled": False}, "externalId": None}


def found(**settings: Any) -> dict[str, Any]:
    return dict(problems({**ACCOUNT, **settings}))


def opened(**changes: Any) -> dict[str, Any]:
    """The problems of an opening with other values; None leaves a key out."""
    section = {key: value for key, value in {**OPEN, **changes}.items() if value is not None}
    return {key.removeprefix("byoc:breakGlass."): problem for key, problem in found(breakGlass=section).items()}


def test_by_default_there_is_neither_a_second_role_nor_a_ledger() -> None:
    assert account().break_glass is None
    assert account().vendor_activity is None


def test_the_section_alone_makes_a_closed_role() -> None:
    config = account(breakGlass={}).break_glass
    assert config is not None
    assert not config.open
    assert config.opening is None


def test_an_opening_says_who_what_for_and_how_long() -> None:
    config = account(breakGlass=OPEN).break_glass
    assert config is not None
    assert config.opening == Opening(
        principals=(ALICE,),
        source_identities=("alice@example.com",),
        ticket="OPS-1234",
        not_before="2026-05-01T08:00:00Z",
        until="2026-05-03T08:00:00Z",
    )


def test_one_word_closes_it_and_the_rest_may_stay() -> None:
    config = account(breakGlass={**OPEN, "open": False}).break_glass
    assert config is not None
    assert config.opening is None


def test_a_window_that_is_long_over_blocks_nothing() -> None:
    past = {**OPEN, "notBefore": "2020-01-01T00:00:00Z", "until": "2020-01-02T00:00:00Z"}
    config = account(breakGlass=past).break_glass
    assert config is not None
    assert config.opening is not None
    assert config.opening.until == "2020-01-02T00:00:00Z"


def test_everything_that_an_opening_lacks_comes_in_one_message() -> None:
    assert list(found(breakGlass={"open": True})) == [
        "byoc:breakGlass.principals",
        "byoc:breakGlass.sourceIdentities",
        "byoc:breakGlass.ticket",
        "byoc:breakGlass.notBefore",
        "byoc:breakGlass.until",
    ]


@pytest.mark.parametrize("key", ["principals", "sourceIdentities", "ticket", "notBefore", "until"])
def test_an_opening_without_one_of_them_is_refused(key: str) -> None:
    (problem,) = opened(**{key: None}).values()
    assert "since open is true" in problem.allowed
    assert "set open to false" in problem.remedy


@pytest.mark.parametrize(
    ("key", "value", "allowed"),
    [
        ("principals", ["*"], "the ARN of an IAM role or user"),
        ("principals", ["arn:aws:iam::123456789012:root"], "the ARN of an IAM role or user"),
        ("principals", ["arn:aws:iam::123456789012:role/*"], "the ARN of an IAM role or user"),
        ("principals", ["arn:aws-cn:iam::123456789012:role/x"], "principals of the partition aws"),
        ("principals", [ALICE, ALICE], "every entry once"),
        ("sourceIdentities", ["*"], "2 to 64 letters"),
        ("sourceIdentities", ["alice *"], "2 to 64 letters"),
        ("ticket", "OPS-*", "2 to 64 letters"),
        ("ticket", "OPS 1", "2 to 64 letters"),
        ("notBefore", "2026-05-01", "a moment in UTC"),
        ("until", "2026-05-03T08:00:00+02:00", "a moment in UTC"),
        ("until", "2026-05-03T24:00:00Z", "a moment in UTC"),
        ("until", "2026-05-01T08:00:00Z", "a moment after notBefore, which is 2026-05-01T08:00:00Z"),
        ("until", "2026-05-08T08:00:01Z", "at most 7 days after notBefore: 2026-05-08T08:00:00Z"),
        ("until", "2036-05-03T08:00:00Z", "at most 7 days after notBefore: 2026-05-08T08:00:00Z"),
        ("open", "yes", "true or false"),
    ],
)
def test_what_is_wider_or_other_than_it_may_be_is_refused(key: str, value: object, allowed: str) -> None:
    (problem,) = opened(**{key: value}).values()
    assert allowed in problem.allowed


def test_seven_days_are_allowed() -> None:
    config = account(breakGlass={**OPEN, "until": "2026-05-08T08:00:00Z"}).break_glass
    assert config is not None
    assert config.opening is not None


def test_principals_of_another_account_need_an_external_id_of_their_own() -> None:
    section = {**OPEN, "principals": [ALICE, VENDOR]}
    missing = found(breakGlass=section)
    assert list(missing) == ["byoc:breakGlassExternalId"]
    assert VENDOR in missing["byoc:breakGlassExternalId"].allowed
    assert ALICE not in missing["byoc:breakGlassExternalId"].allowed
    assert account(breakGlass={**section, "open": False})
    assert account(breakGlass=section, breakGlassExternalId="c7d19a40b2f85e63")


def test_the_control_planes_external_id_is_not_that_of_break_glass() -> None:
    same = found(breakGlass=OPEN, breakGlassExternalId=EXTERNAL_ID)
    assert list(same) == ["byoc:breakGlassExternalId"]
    assert same["byoc:breakGlassExternalId"].value == "[secret]"


def test_only_an_account_stack_has_them() -> None:
    raw = {**DEPLOYMENT, "breakGlass": {}, "vendorActivity": {}}
    assert {problem.remedy for problem in problems(raw).values()} == {"remove it: it is a key of kind account"}


# --- the ledger


def test_an_empty_ledger_section_tells_everything() -> None:
    told = account(vendorActivity={}).vendor_activity
    assert told is not None
    assert (told.sessions, told.denied, told.deletes, told.break_glass) == (True, True, True, True)


def test_a_ledger_of_nothing_is_refused() -> None:
    off = dict.fromkeys(("sessions", "denied", "deletes", "breakGlass"), False)
    assert list(found(vendorActivity=off)) == ["byoc:vendorActivity.breakGlass"]
    assert account(vendorActivity={**off, "deletes": True})


def test_a_ledger_needs_a_role_to_tell_of() -> None:
    assert list(found(**NO_ACCESS, vendorActivity={})) == ["byoc:vendorActivity"]
    assert account(**NO_ACCESS, vendorActivity={}, breakGlass={})
