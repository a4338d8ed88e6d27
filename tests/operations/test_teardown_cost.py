"""What a stack cost: a table of answers, and the embedded Cost Explorer asked by the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from botocore.exceptions import ClientError

from byoc.operations.account import Account
from byoc.operations.answers import DeniedError, NoAnswerError
from byoc.operations.teardown import bill as asking
from byoc.operations.teardown.bill import Bill
from byoc.operations.teardown.cost import (
    Cost,
    CostNotKnown,
    Money,
    Period,
    Tags,
    TagsNotKnown,
    TagState,
    cost_of,
    inactive,
)
from byoc.operations.teardown.report import cost_rows, cost_words
from byoc.operations.teardown.subject import Subject
from byoc.sandbox.emulator import costs
from byoc.sandbox.emulator.costs import Line
from byoc.sandbox.emulator.faults import Fault
from tests.operations.fake_account import FakeAccount, target
from tests.operations.teardown_world import Teardowns, teardowns
from tests.sandbox.cli_runner import Outcome, byoc
from tests.sandbox.sandbox_world import ACCOUNT, CHAT, World, Worlds

TODAY = date(2026, 11, 24)
PERIOD = Period.before(TODAY)
LONG_AGO = TagState(is_active=True, since=date(2026, 1, 2))
ACTIVE: Tags = {"byoc-install": LONG_AGO, "byoc-deployment": LONG_AGO}
MEMBER = TagsNotKnown(why="ce:ListCostAllocationTags: denied")
WITHOUT = "without credits, refunds, tax and what carries no tags, such as some of the traffic"


def day(*groups: tuple[str, str, str], estimated: bool = False) -> dict[str, Any]:
    """A day of an answer: service, amount, currency."""
    return {
        "Total": {},
        "Estimated": estimated,
        "Groups": [
            {"Keys": [service], "Metrics": {"UnblendedCost": {"Amount": amount, "Unit": unit}}}
            for service, amount, unit in groups
        ],
    }


def known(*days: dict[str, Any], tags: Tags = ACTIVE) -> Cost:
    cost = cost_of(PERIOD, days, tags)
    assert isinstance(cost, Cost)
    return cost


def unknown(*days: dict[str, Any], tags: Tags = ACTIVE) -> CostNotKnown:
    cost = cost_of(PERIOD, days, tags)
    assert isinstance(cost, CostNotKnown)
    return cost


def test_it_is_about_thirty_whole_days_without_the_one_that_is_not_over() -> None:
    assert str(PERIOD) == "2026-10-25 to 2026-11-23 (UTC)"
    assert PERIOD.interval == {"Start": "2026-10-25", "End": "2026-11-24"}


def test_days_are_summed_by_service_and_the_dearest_comes_first() -> None:
    cost = known(
        day(("Amazon ECS", "0.1", "USD"), ("Amazon RDS", "1.05", "USD")), day(("Amazon RDS", "1.0000000001", "USD"))
    )
    assert cost_rows(cost) == [("Amazon RDS", "2.05 USD"), ("Amazon ECS", "0.10 USD"), ("total", "2.15 USD")]
    assert cost.totals == (Money(amount=Decimal("2.1500000001"), currency="USD"),)
    assert cost_words(cost) == ("what it cost, 2026-10-25 to 2026-11-23 (UTC):", f"note: {WITHOUT}")


def test_what_aws_may_still_correct_is_estimated() -> None:
    cost = known(day(("Amazon RDS", "1", "USD")), day(("Amazon RDS", "1", "USD"), estimated=True))
    assert cost_rows(cost)[-1] == ("total (estimated)", "2.00 USD")
    assert not known(day(("Amazon RDS", "1", "USD")), day(estimated=True)).is_estimated


def test_an_answer_that_does_not_say_whether_it_is_final_is_estimated() -> None:
    said = day(("Amazon RDS", "1", "USD"))
    del said["Estimated"]
    assert known(said).is_estimated


def test_currencies_are_never_added_up() -> None:
    cost = known(day(("Amazon RDS", "7", "CNY"), ("Amazon ECS", "1", "USD"), ("Amazon RDS", "2", "USD")))
    assert cost_rows(cost) == [
        ("Amazon RDS", "7.00 CNY"),
        ("Amazon RDS", "2.00 USD"),
        ("Amazon ECS", "1.00 USD"),
        ("total", "7.00 CNY"),
        ("total", "3.00 USD"),
    ]


@pytest.mark.parametrize(
    ("amount", "shown"),
    [("0", "0.00 USD"), ("0.004", "under 0.01 USD"), ("0.0051", "0.01 USD"), ("1234.5", "1,234.50 USD")],
)
def test_an_amount_is_shown_to_the_hundredth_and_little_is_not_nothing(amount: str, shown: str) -> None:
    assert str(Money(amount=Decimal(amount), currency="USD")) == shown


@pytest.mark.parametrize(
    "group",
    [
        {"Keys": ["Amazon RDS"], "Metrics": {}},
        {"Keys": ["Amazon RDS"], "Metrics": {"UnblendedCost": {"Amount": "1"}}},
        {"Keys": ["Amazon RDS"], "Metrics": {"UnblendedCost": {"Amount": "much", "Unit": "USD"}}},
        {"Keys": ["Amazon RDS"], "Metrics": {"UnblendedCost": {"Amount": "NaN", "Unit": "USD"}}},
        {"Keys": [], "Metrics": {"UnblendedCost": {"Amount": "1", "Unit": "USD"}}},
        {},
    ],
)
def test_half_an_answer_is_no_sum(group: dict[str, Any]) -> None:
    whole = day(("Amazon ECS", "1", "USD"))
    assert unknown(whole, {"Groups": [group]}).why.startswith("Cost Explorer answers with")


def test_an_answer_that_names_nothing_is_not_zero() -> None:
    assert unknown(day(), day()).why == "Cost Explorer names nothing with these tags, though they are active"
    assert unknown(tags=MEMBER).why == (
        "Cost Explorer names nothing with these tags, and does not say whether they are active: "
        "ce:ListCostAllocationTags: denied"
    )


def test_a_zero_counts_only_if_the_tags_are_known_to_be_active() -> None:
    free = day(("Amazon ECS", "0", "USD"))
    assert cost_rows(known(free)) == [("Amazon ECS", "0.00 USD"), ("total", "0.00 USD")]
    assert "names nothing" in unknown(free, tags=MEMBER).why


def test_tags_that_became_active_meanwhile_are_told_of() -> None:
    late: Tags = {"byoc-install": LONG_AGO, "byoc-deployment": TagState(is_active=True, since=date(2026, 11, 10))}
    assert known(day(("Amazon ECS", "1", "USD")), tags=late).notes == (
        WITHOUT,
        "days before 2026-11-10 may be missing: the tags became active then",
    )
    assert known(day(("Amazon ECS", "1", "USD")), tags=MEMBER).notes == (
        WITHOUT,
        "whether the tags were active on all of these days is not known: ce:ListCostAllocationTags: denied",
    )


@pytest.mark.parametrize(
    ("tags", "off"),
    [
        (ACTIVE, ""),
        (MEMBER, ""),
        ({}, "byoc-install and byoc-deployment: not active as cost-allocation tags"),
        ({"byoc-install": LONG_AGO}, "byoc-deployment: not active as cost-allocation tag"),
        (
            {"byoc-install": TagState(is_active=False), "byoc-deployment": LONG_AGO},
            "byoc-install: not active as cost-allocation tag",
        ),
    ],
)
def test_a_bill_that_is_not_kept_by_the_tags_cannot_be_read_by_them(tags: Tags, off: str) -> None:
    found = inactive(tags, ("byoc-install", "byoc-deployment"))
    assert (found.why if found else "") == (f"the bill is not kept by {off}" if off else "")


# Asked of an account whose answers are given

SUBJECT_ACCOUNT = FakeAccount({})
LISTED = {"CostAllocationTags": [{"TagKey": key, "Status": "Active"} for key in ("byoc-install", "byoc-deployment")]}


def subject(account: Account = SUBJECT_ACCOUNT) -> Subject:
    found = target(account)
    return Subject(stack=CHAT, account=account, names=found.names, deployments=(found,), install=None)


def bill(usage: Any, tags: Any = LISTED) -> tuple[FakeAccount, Cost | CostNotKnown]:
    account = FakeAccount(
        {
            "sts:GetCallerIdentity": {"Account": "123456789012", "Arn": "arn:aws:iam::123456789012:user/payer"},
            "ce:ListCostAllocationTags": tags,
            "ce:GetCostAndUsage": usage,
        }
    )
    return account, Bill(account).cost(subject(), TODAY)


def test_pages_are_put_together() -> None:
    pages = {
        None: {"ResultsByTime": [day(("Amazon RDS", "1", "USD")), day()], "NextPageToken": "2"},
        "2": {"ResultsByTime": [day(("Amazon ECS", "1", "USD")), day(("Amazon RDS", "1", "USD"))]},
    }
    account, cost = bill(lambda asked: pages[asked.get("NextPageToken")])
    assert isinstance(cost, Cost)
    assert cost_rows(cost) == [("Amazon RDS", "2.00 USD"), ("Amazon ECS", "1.00 USD"), ("total", "3.00 USD")]
    assert [action for action, _ in account.asked].count("ce:GetCostAndUsage") == 2


def test_an_answer_without_end_is_not_paid_for_without_end() -> None:
    account, cost = bill({"ResultsByTime": [day(("Amazon RDS", "1", "USD"))], "NextPageToken": "again"})
    assert isinstance(cost, CostNotKnown)
    assert cost.why == "ce:GetCostAndUsage: an answer of more than 20 pages; no more were paid for"
    assert [action for action, _ in account.asked].count("ce:GetCostAndUsage") == asking.MOST_PAGES


def test_tags_on_a_later_page_are_found() -> None:
    first, second = ({"CostAllocationTags": [item]} for item in LISTED["CostAllocationTags"])
    pages = {None: {**first, "NextToken": "2"}, "2": second}
    _, cost = bill({"ResultsByTime": [day(("Amazon RDS", "1", "USD"))]}, lambda asked: pages[asked.get("NextToken")])
    assert isinstance(cost, Cost)
    assert cost.notes == (WITHOUT,)


@pytest.mark.parametrize("tags", [{"CostAllocationTags": [{"TagKey": "byoc-install"}]}, {"CostAllocationTags": [{}]}])
def test_half_an_answer_about_tags_says_nothing_of_them(tags: dict[str, Any]) -> None:
    _, cost = bill({"ResultsByTime": []}, tags)
    assert isinstance(cost, CostNotKnown)
    assert cost.why.endswith("whether they are active: ce:ListCostAllocationTags: half an answer")


def test_inactive_tags_cost_no_second_request() -> None:
    account, cost = bill({}, {"CostAllocationTags": []})
    assert isinstance(cost, CostNotKnown)
    assert [action for action, _ in account.asked] == ["sts:GetCallerIdentity", "ce:ListCostAllocationTags"]


def test_the_tags_are_asked_about_once_for_all_stacks_of_a_bill() -> None:
    account, _ = bill({"ResultsByTime": []})
    one = Bill(account)
    account.asked.clear()
    one.cost(subject(), TODAY)
    one.cost(subject(), TODAY)
    asked = [action for action, _ in account.asked]
    assert (asked.count("ce:ListCostAllocationTags"), asked.count("ce:GetCostAndUsage")) == (1, 2)


def test_a_stack_is_asked_about_by_its_tags_its_account_and_its_region() -> None:
    account, _ = bill({"ResultsByTime": []})
    (asked,) = [arguments for action, arguments in account.asked if action == "ce:GetCostAndUsage"]
    assert asked == {
        "TimePeriod": {"Start": "2026-10-25", "End": "2026-11-24"},
        "Granularity": "DAILY",
        "Metrics": ["UnblendedCost"],
        "GroupBy": [{"Type": "DIMENSION", "Key": "SERVICE"}],
        "Filter": {
            "And": [
                {"Tags": {"Key": "byoc-install", "Values": ["langgraph-cloud"]}},
                {"Dimensions": {"Key": "LINKED_ACCOUNT", "Values": ["123456789012"]}},
                {"Dimensions": {"Key": "REGION", "Values": ["us-west-2"]}},
                {"Not": {"Dimensions": {"Key": "RECORD_TYPE", "Values": ["Credit", "Refund", "Tax"]}}},
                {"Tags": {"Key": "byoc-deployment", "Values": ["chat"]}},
            ]
        },
    }


@pytest.mark.parametrize(
    ("error", "why", "remedy"),
    [
        (DeniedError("ce:GetCostAndUsage", ""), "ce:GetCostAndUsage: denied", "ask with --account-profile"),
        (
            NoAnswerError("ce:GetCostAndUsage", "AWS is too busy for this account", "later"),
            "ce:GetCostAndUsage: AWS is too busy for this account",
            "ask again later",
        ),
    ],
)
def test_a_refusal_is_told_with_the_way_out(error: Exception, why: str, remedy: str) -> None:
    _, cost = bill(error)
    assert isinstance(cost, CostNotKnown)
    assert cost.why == why
    assert cost.remedy.startswith(remedy)


def test_credentials_of_another_account_are_not_asked_for_a_bill() -> None:
    account = FakeAccount({"sts:GetCallerIdentity": {"Account": "999999999999", "Arn": "arn:aws:iam::9:user/x"}})
    cost = Bill(account).cost(subject(), TODAY)
    assert isinstance(cost, CostNotKnown)
    assert cost.why == "the credentials are of account 999999999999"
    assert cost_words(cost)[1].startswith("what to do: ask with --account-profile")


# The embedded Cost Explorer


def days_ago(number: int) -> str:
    return str(datetime.now(UTC).date() - timedelta(days=number))


INSTALL = {"byoc-install": "langgraph-cloud"}
OF_CHAT = {**INSTALL, "byoc-deployment": "chat"}
BILL = costs.Bill(
    active={"byoc-install": "2026-01-02T00:00:00Z", "byoc-deployment": "2026-01-02T00:00:00Z"},
    lines=(
        Line(day=days_ago(0), service="Amazon ECS", amount="100", tags=OF_CHAT),
        Line(day=days_ago(1), service="Amazon ECS", amount="0.5", tags=OF_CHAT),
        Line(day=days_ago(30), service="Amazon RDS", amount="1.25", tags=OF_CHAT),
        Line(day=days_ago(31), service="Amazon RDS", amount="100", tags=OF_CHAT),
        Line(day=days_ago(2), service="Amazon VPC", amount="2", tags=INSTALL),
        Line(day=days_ago(2), service="Amazon RDS", amount="100", tags={**INSTALL, "byoc-deployment": "support"}),
        Line(day=days_ago(2), service="Amazon RDS", amount="100", tags={**OF_CHAT, "byoc-install": "other"}),
        Line(day=days_ago(2), service="Amazon RDS", amount="100", tags=OF_CHAT, region="eu-central-1"),
        Line(day=days_ago(2), service="Amazon RDS", amount="100", tags=OF_CHAT, account="999999999999"),
        Line(day=days_ago(2), service="Amazon RDS", amount="-100", tags=OF_CHAT, record_type="Credit"),
        Line(day=days_ago(2), service="Amazon S3", amount="100"),
    ),
)


@pytest.fixture(scope="module")
def standing(worlds: Worlds) -> Iterator[Teardowns]:
    """An account and a deployment that no test takes down."""
    world = worlds.new()
    world.up(ACCOUNT).done()
    world.up(CHAT).done()
    with teardowns(world) as found:
        yield found


@pytest.fixture(autouse=True)
def no_faults(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "standing" in request.fixturenames:
        request.getfixturevalue("standing").world.client.clear_faults()


def teardown(capsys: pytest.CaptureFixture[str], world: World, *words: str) -> Outcome:
    return byoc(capsys, "teardown", "-C", str(world.root), *words)


def cost_in(told: Outcome) -> dict[str, Any]:
    (plan,) = json.loads(told.out)["plans"]
    cost: dict[str, Any] = plan["cost"]
    return cost


AS_ACCOUNT = ("--cost", "--account-profile", "account")


@pytest.mark.slow
def test_the_plan_says_what_the_deployment_cost_and_by_service(
    standing: Teardowns, capsys: pytest.CaptureFixture[str]
) -> None:
    standing.world.client.set_bill(standing.world.account_id, replace(BILL, estimated_from=days_ago(1), page=1))
    with standing.changing_nothing():
        told = teardown(capsys, standing.world, CHAT, *AS_ACCOUNT)
    assert told.code == 0
    lines = [line.split() for line in told.out.splitlines()]
    begin = lines.index(f"what it cost, {days_ago(30)} to {days_ago(1)} (UTC):".split())
    assert lines[begin + 1 : begin + 6] == [
        ["service", "cost"],
        ["Amazon", "RDS", "1.25", "USD"],
        ["Amazon", "ECS", "0.50", "USD"],
        ["total", "(estimated)", "1.75", "USD"],
        f"note: {WITHOUT}".split(),
    ]


@pytest.mark.slow
def test_for_a_program_and_for_paper_it_is_there_as_well(
    standing: Teardowns, capsys: pytest.CaptureFixture[str]
) -> None:
    standing.world.client.set_bill(standing.world.account_id, BILL)
    assert cost_in(teardown(capsys, standing.world, CHAT, *AS_ACCOUNT, "--json")) == {
        "known": True,
        "firstDay": days_ago(30),
        "lastDay": days_ago(1),
        "estimated": False,
        "totals": [{"amount": "1.75", "currency": "USD"}],
        "services": [
            {"service": "Amazon RDS", "amount": "1.25", "currency": "USD"},
            {"service": "Amazon ECS", "amount": "0.5", "currency": "USD"},
        ],
        "notes": [WITHOUT],
    }
    told = teardown(capsys, standing.world, CHAT, *AS_ACCOUNT, "--markdown")
    assert "## What it cost\n" in told.out
    assert "| Amazon RDS | 1.25 USD |\n| Amazon ECS | 0.50 USD |\n| total | 1.75 USD |\n" in told.out


@pytest.mark.slow
def test_an_account_stack_costs_what_all_of_its_install_does(
    standing: Teardowns, capsys: pytest.CaptureFixture[str]
) -> None:
    standing.world.client.set_bill(standing.world.account_id, BILL)
    cost = cost_in(teardown(capsys, standing.world, ACCOUNT, *AS_ACCOUNT, "--json"))
    assert cost["totals"] == [{"amount": "103.75", "currency": "USD"}]


@pytest.mark.slow
def test_nobody_is_asked_who_was_not_to_be(standing: Teardowns, capsys: pytest.CaptureFixture[str]) -> None:
    first = standing.world.client.next_call()
    told = teardown(capsys, standing.world, CHAT)
    assert "what it cost: not asked; --cost asks AWS Cost Explorer, which charges the account USD 0.01" in told.out
    asked = {str(call["action"]) for call in standing.world.calls(since=first)}
    assert not any(action.startswith("ce:") for action in asked)


@pytest.mark.slow
def test_the_control_plane_is_not_shown_the_bill(standing: Teardowns, capsys: pytest.CaptureFixture[str]) -> None:
    first = standing.world.client.next_call()
    told = teardown(capsys, standing.world, CHAT, "--cost", "--json")
    cost = cost_in(told)
    assert (told.code, cost["known"]) == (0, False)
    assert cost["why"].startswith("the credentials are of account ")
    assert cost["remedy"].startswith("ask with --account-profile: credentials of the account itself")
    asked = {str(call["action"]) for call in standing.world.calls(since=first)}
    assert not any(action.startswith("ce:") for action in asked)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("bill", "why"),
    [
        (costs.Bill(), "the bill is not kept by byoc-install and byoc-deployment: not active as cost-allocation tags"),
        (
            replace(BILL, active={"byoc-install": ""}, inactive=("byoc-deployment",)),
            "the bill is not kept by byoc-deployment: not active as cost-allocation tag",
        ),
        (replace(BILL, lines=()), "Cost Explorer names nothing with these tags, though they are active"),
        (
            costs.Bill(is_member=True),
            "Cost Explorer names nothing with these tags, and does not say whether they are active: "
            "ce:ListCostAllocationTags: denied",
        ),
    ],
)
def test_what_the_bill_does_not_tell_is_not_known_and_never_nothing(
    standing: Teardowns, capsys: pytest.CaptureFixture[str], bill: costs.Bill, why: str
) -> None:
    standing.world.client.set_bill(standing.world.account_id, bill)
    told = teardown(capsys, standing.world, CHAT, *AS_ACCOUNT)
    assert told.code == 0  # a plan does not hang on its cost
    assert f"what it cost: not known: {why}\n" in told.out
    assert "0.00" not in told.out


@pytest.mark.slow
def test_a_member_of_an_organization_is_told_what_its_bill_names(
    standing: Teardowns, capsys: pytest.CaptureFixture[str]
) -> None:
    standing.world.client.set_bill(standing.world.account_id, replace(BILL, is_member=True))
    cost = cost_in(teardown(capsys, standing.world, CHAT, *AS_ACCOUNT, "--json"))
    assert cost["totals"] == [{"amount": "1.75", "currency": "USD"}]
    assert cost["notes"][1].startswith("whether the tags were active on all of these days is not known: ")


@pytest.mark.slow
@pytest.mark.usefixtures("quick_retries")
def test_a_busy_cost_explorer_keeps_no_plan_from_being_shown(
    standing: Teardowns, capsys: pytest.CaptureFixture[str]
) -> None:
    standing.world.client.set_bill(standing.world.account_id, BILL)
    standing.world.client.set_faults(Fault(kind="throttle", actions=("ce:*",)))
    told = teardown(capsys, standing.world, CHAT, *AS_ACCOUNT, "--json")
    assert told.code == 0
    assert cost_in(told)["why"].startswith("ce:GetCostAndUsage: AWS is too busy for this account")


@pytest.mark.slow
def test_an_administrator_who_may_not_see_the_bill_is_told_how_to_ask(
    standing: Teardowns, capsys: pytest.CaptureFixture[str]
) -> None:
    iam = standing.world.aws("iam")
    name = iam.list_users()["Users"][0]["UserName"]
    deny = '{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "ce:*", "Resource": "*"}}'
    iam.put_user_policy(UserName=name, PolicyName="no-bill", PolicyDocument=deny)
    try:
        cost = cost_in(teardown(capsys, standing.world, CHAT, *AS_ACCOUNT, "--json"))
    finally:
        iam.delete_user_policy(UserName=name, PolicyName="no-bill")
    assert cost["why"].startswith("ce:GetCostAndUsage: denied by an explicit deny in ")
    assert "ce:GetCostAndUsage and ce:ListCostAllocationTags" in cost["remedy"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [
        {"Granularity": "MONTHLY"},
        {"GroupBy": [{"Type": "TAG", "Key": "byoc-install"}]},
        {"Filter": {"CostCategories": {"Key": "x", "Values": ["y"]}}},
    ],
)
def test_what_the_embedded_cost_explorer_does_not_do_is_an_error_and_no_empty_bill(
    standing: Teardowns, changes: dict[str, Any]
) -> None:
    standing.world.client.set_bill(standing.world.account_id, BILL)
    asked = {
        "TimePeriod": {"Start": days_ago(3), "End": days_ago(1)},
        "Granularity": "DAILY",
        "Metrics": ["UnblendedCost"],
        "GroupBy": [{"Type": "DIMENSION", "Key": "SERVICE"}],
    }
    explorer = standing.world.aws("ce")
    assert explorer.get_cost_and_usage(**asked)["ResultsByTime"]
    with pytest.raises(ClientError, match="NotImplemented"):
        explorer.get_cost_and_usage(**{**asked, **changes})


def test_a_bill_with_an_unknown_field_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^unknown: rows; allowed: active, estimated_from, "):
        costs.Bill.from_json({"rows": []})


@pytest.mark.slow
def test_a_sweep_has_no_cost(standing: Teardowns, capsys: pytest.CaptureFixture[str]) -> None:
    told = teardown(capsys, standing.world, CHAT, "--sweep-only", "--cost")
    assert told.code == 2
    assert "--cost belongs to a plan" in told.err
