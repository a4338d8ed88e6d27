"""Rows of a status: accounts that are tried once, and account stacks without deployments of their own."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from rich.console import Console

from byoc.cli.operations.status import name_of, show
from byoc.config import AccountConfig
from byoc.errors import InputError
from byoc.operations.account import Account, AssumedRole
from byoc.operations.answers import AbsentError, CredentialsError, DeniedError, NoAnswerError
from byoc.operations.many import each
from byoc.operations.status.read import read_facts
from byoc.operations.status.report import Ways, all_well, deployment_document, read_status, summary
from byoc.operations.status.states import verdict
from byoc.operations.targets import Accounts, Stack
from byoc.stack_config import load_stack_config
from tests.operations.fake_account import FakeAccount, target
from tests.operations.test_status_reading import well

RIGHT = {"Account": "123456789012", "Arn": "arn:aws:iam::123456789012:user/admin"}
WRONG = {"Account": "210987654321", "Arn": "arn:aws:iam::210987654321:user/else"}
MISSING = {
    "clusters": [],
    "failures": [{"arn": "arn:aws:ecs:us-west-2:123456789012:cluster/langgraph-cloud-cluster", "reason": "MISSING"}],
}
CLUSTER = {"status": "ACTIVE", "activeServicesCount": 5, "runningTasksCount": 6}


def account_stack(name: str = "acme", **more: str) -> Stack:
    values = {
        "byoc:kind": "account",
        "byoc:accountId": "123456789012",
        "byoc:region": "us-west-2",
        "byoc:access": json.dumps({"enabled": False}),
        **{f"byoc:{key}": value for key, value in more.items()},
    }
    config = load_stack_config(values, {"byoc:externalId"} & set(values), source=f"Pulumi.{name}.yaml")
    assert isinstance(config, AccountConfig)
    return Stack(name=name, config=config)


class Given(Accounts):
    """One account for every stack, with answers that are given."""

    def __init__(self, answers: dict[str, Any]) -> None:
        super().__init__()
        self.account = FakeAccount({"sts:GetCallerIdentity": RIGHT, **answers})

    def of(self, config: object) -> Account:
        return self.account


def rows(answers: dict[str, Any], *stacks: Stack) -> list[dict[str, Any]]:
    return list(read_status(stacks or (account_stack(),), Given(answers)))


def test_an_account_stack_without_deployments_tells_of_the_cluster_that_it_shares() -> None:
    (row,) = rows({"ecs:DescribeClusters": {"clusters": [CLUSTER]}})
    assert row == {
        "kind": "account",
        "stack": "acme",
        "deployment": None,
        "account": "123456789012",
        "region": "us-west-2",
        "state": "ACTIVE",
        "health": "healthy",
        "cluster": {"name": "langgraph-cloud-cluster", "state": "ACTIVE", "services": 5, "containers": 6},
        "findings": [],
    }


@pytest.mark.parametrize(
    ("answer", "state", "health", "finding"),
    [
        (MISSING, "ABSENT", "down", "the cluster langgraph-cloud-cluster is not there"),
        (AbsentError("gone"), "ABSENT", "down", "the cluster langgraph-cloud-cluster is not there"),
        ({"clusters": [{"status": "INACTIVE"}]}, "ABSENT", "down", "the cluster langgraph-cloud-cluster is not there"),
        ({"clusters": [{"status": "FAILED"}]}, "FAILED", "degraded", "the cluster langgraph-cloud-cluster is failed"),
        (DeniedError("ecs:DescribeClusters", ""), "UNKNOWN", "unknown", "not known: ecs:DescribeClusters: denied"),
        (
            {"clusters": [{}]},
            "UNKNOWN",
            "unknown",
            "not known: ecs:DescribeClusters: half an answer (KeyError: 'status')",
        ),
        (
            {"clusters": []},
            "UNKNOWN",
            "unknown",
            "not known: ecs:DescribeClusters: half an answer: it tells nothing of langgraph-cloud-cluster",
        ),
    ],
)
def test_a_cluster_that_is_not_well_or_not_known(answer: object, state: str, health: str, finding: str) -> None:
    (row,) = rows({"ecs:DescribeClusters": answer})
    assert (row["state"], row["health"], row["findings"]) == (state, health, [finding])
    assert not all_well([row])


@pytest.mark.parametrize(
    ("identity", "why"),
    [
        (WRONG, "the credentials are of account 210987654321, not of 123456789012 (--profile, AWS_PROFILE)"),
        (NoAnswerError("sts:GetCallerIdentity", "timed out", "later"), "sts:GetCallerIdentity: timed out"),
    ],
)
def test_an_account_that_cannot_be_reached_is_a_row_with_the_reason(identity: object, why: str) -> None:
    (row,) = rows({"sts:GetCallerIdentity": identity})
    assert (row["state"], row["health"], row["findings"]) == ("UNKNOWN", "unknown", [f"not known: {why}"])


def test_stacks_of_one_account_try_its_way_once() -> None:
    given = Given({"ecs:DescribeClusters": {"clusters": [CLUSTER]}})
    found = list(read_status([account_stack(name) for name in ("a", "b", "c")], given))
    assert [row["stack"] for row in found] == ["a", "b", "c"]
    assert [action for action, _ in given.account.asked].count("sts:GetCallerIdentity") == 1


def test_only_a_role_that_says_no_is_told_to_say_no() -> None:
    role = AssumedRole(role_arn="arn:aws:iam::123456789012:role/r", external_id="secret")

    def why(error: Exception) -> str:
        given = Given({"sts:GetCallerIdentity": error})
        given.account.role = role
        (row,) = list(read_status([account_stack()], given))
        (finding,) = row["findings"]
        return str(finding)

    refused = "arn:aws:iam::123456789012:role/r does not let these credentials in, or the external id is wrong"
    assert why(DeniedError("sts:AssumeRole", "")) == f"not known: sts:AssumeRole: denied: {refused}"
    assert why(NoAnswerError("sts:AssumeRole", "timed out", "later")) == "not known: sts:AssumeRole: timed out"
    assert why(CredentialsError("sts:AssumeRole", "ExpiredToken", "")) == "not known: sts:AssumeRole: ExpiredToken"


class Expiring(FakeAccount):
    """An account whose credentials, once read, are not taken; new ones are, if somebody has signed in."""

    def __init__(self, *, opened: bool, signed_in: bool) -> None:
        super().__init__({"sts:GetCallerIdentity": lambda _: RIGHT if self.reopened and signed_in else EXPIRED})
        self._read = opened

    @property
    def is_open(self) -> bool:
        return self._read


EXPIRED = CredentialsError("sts:GetCallerIdentity", "AWS does not take the credentials: ExpiredToken", "sign in")


@pytest.mark.parametrize(
    ("opened", "signed_in", "reached", "times"),
    [(True, True, True, 2), (True, False, False, 2), (False, True, False, 1)],
)
def test_who_looks_for_hours_reads_credentials_anew_when_somebody_has_signed_in_again(
    opened: bool, signed_in: bool, reached: bool, times: int
) -> None:
    given = Given({})
    given.account = account = Expiring(opened=opened, signed_in=signed_in)
    (way,) = Ways(given).open([account_stack()]).values()
    assert (way is account) is reached
    assert len(account.asked) == times


def test_two_installs_of_one_account_are_reached_each_through_its_own_role(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    class Door(Account):
        def ask(self, action: str, **_: Any) -> dict[str, Any]:
            if self.role is None:
                raise CredentialsError("sts:GetCallerIdentity", "none of this account", "")
            asked.append(self.role.role_arn)
            return RIGHT

    monkeypatch.setattr("byoc.operations.targets.Account", Door)
    access = json.dumps({"controlPlane": "us"})
    secret = "7f3c9a51-2e84-4b6d-a1c0-5d9e8f724b36"
    stacks = [
        account_stack(name, namePrefix=name, access=access, externalId=secret) for name in ("team-one", "team-two")
    ]
    accounts, every = Accounts(), [account_stack("bare"), *stacks]
    ways = Ways(accounts).open(every)
    assert ways["team-one"] is Ways(accounts).open(every)["team-one"]  # who watches keeps its session
    assert ways["bare"] == "sts:GetCallerIdentity: none of this account"
    roles = [way.role.role_arn for way in ways.values() if isinstance(way, Account) and way.role]
    assert roles == sorted(set(asked))
    assert [arn.rpartition("/")[2] for arn in roles] == [
        "team-one-BYOCRole",
        "team-two-BYOCRole",
    ]


def test_the_summary_counts_and_only_healthy_is_well() -> None:
    (row,) = rows({"ecs:DescribeClusters": {"clusters": [CLUSTER]}})
    listed = [row, *({**row, "health": health} for health in ("degraded", "down", "unknown", "down"))]
    document = summary(listed)
    assert document["summary"] == {"healthy": 1, "degraded": 1, "down": 2, "unknown": 1}
    assert document["at"].endswith("Z")
    assert all_well([row])
    assert not any(all_well([row, other]) for other in listed[1:])
    assert all_well([])


def document(**changes: Any) -> dict[str, Any]:
    chosen = target(FakeAccount({**well(), **changes}))
    facts = read_facts(chosen)
    return deployment_document(chosen, facts, verdict(facts))


def test_a_part_that_is_not_there_or_not_known_says_so_in_its_state() -> None:
    found = document(
        **{
            "rds:DescribeDBInstances": AbsentError("gone"),
            "cloudwatch:DescribeAlarms": DeniedError("cloudwatch:DescribeAlarms", ""),
            "elasticloadbalancing:DescribeLoadBalancers": AbsentError("gone"),
        }
    )
    assert found["database"] == {"state": "ABSENT"}
    assert found["alarms"] == {"state": "UNKNOWN", "why": "cloudwatch:DescribeAlarms: denied"}
    assert found["url"] is None
    assert found["services"]["api"] == {
        "state": "ACTIVE",
        "running": 1,
        "desired": 1,
        "pending": 0,
        "revision": 3,
        "rollout": "COMPLETED",
    }


def test_a_document_is_json_with_the_same_keys_whatever_is_known() -> None:
    whole = document()
    none = document(**dict.fromkeys(well(), DeniedError("a:B", "")))
    assert list(json.loads(json.dumps(whole))) == list(json.loads(json.dumps(none)))
    assert none["health"] == "unknown"
    assert none["revision"] == {"number": None, "state": "UNKNOWN", "image": None, "changedAt": None, "wentBack": False}


def test_an_inline_deployment_is_named_with_its_stack() -> None:
    assert name_of({"stack": "all-in-one", "deployment": "assistant"}) == "all-in-one/assistant"
    assert name_of({"stack": "demo-chat", "deployment": "chat"}) == "demo-chat"
    assert name_of({"stack": "chat", "deployment": "chat"}) == "chat"
    assert name_of({"stack": "acme", "deployment": None}) == "acme"


def drawn(rows: list[dict[str, Any]], width: int = 80) -> list[str]:
    out = Console(width=width, record=True, file=io.StringIO())
    show(rows, out)
    return [line.rstrip() for line in out.export_text().splitlines()]


def test_a_row_of_the_table_fits_eighty_columns_and_many_rows_have_no_details() -> None:
    few, many = drawn([document()]), drawn([document() for _ in range(4)])
    assert few[1].split() == ["demo-chat", "READY", "3", "DEPLOYED", "1/1", "healthy", "available", "available", "0"]
    assert "demo-chat: http://chat.elb.example" in few
    assert "demo-chat: http://chat.elb.example" not in many
    assert many[-1] == "4 healthy"


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_on_a_narrow_terminal_no_word_and_no_address_is_cut(width: int) -> None:
    address = "https://langgraph-cloud-assistant-1234567890.us-west-2.elb.amazonaws.com/a-long-mount-prefix"
    lines = drawn([{**document(), "stack": "acme-production-of-the-chat", "url": address}], width)
    words = {word for line in lines for word in line.split()}
    assert {"revision", "running", "health", "database", "alarms", "healthy", "available", "DEPLOYED"} <= words
    assert lines[1].startswith("acme-product")
    assert f"acme-production-of-the-chat: {address}" in lines
    assert max(len(line) for line in lines[:2]) <= max(width, 72)


def test_a_name_alone_is_folded_where_the_rest_fits() -> None:
    head, first, second, *_ = drawn([{**document(), "stack": "acme-production-of-the-chat"}], 80)
    assert (head.split()[0], first.split()[1], second.split()[1:]) == ("stack", "READY", [])
    assert "acme-production-of-the-chat".startswith(first.split()[0] + second.split()[0])


def test_each_begins_no_more_when_the_caller_stops() -> None:
    begun: list[int] = []

    def work(number: int) -> int:
        begun.append(number)
        if number == 2:
            raise InputError("the third")
        return number

    def numbers() -> Iterator[int]:
        yield from range(500)

    with pytest.raises(InputError, match="the third"):
        list(each(numbers(), work, at_once=1))
    assert begun[:3] == [0, 1, 2]
    assert len(begun) < 20


@pytest.mark.parametrize("only_looks", [False, True])
def test_each_is_the_same_whether_it_is_waited_for_or_not(only_looks: bool) -> None:
    found = each(range(300), lambda number: -number, at_once=4, only_looks=only_looks)
    assert list(found) == [-number for number in range(300)]
    with pytest.raises(InputError, match="the third"):
        list(each((1, 2, 3), _third, at_once=2, only_looks=only_looks))


def _third(number: int) -> int:
    if number == 3:
        raise InputError("the third")
    return number


def test_who_only_looks_is_not_waited_for_when_somebody_stops() -> None:
    silent, begun, ended = threading.Event(), threading.Event(), threading.Event()

    def work(number: int) -> int:
        if number:
            begun.set()
            silent.wait(60)
            ended.set()
        return number

    results = each(range(3), work, at_once=2, only_looks=True)
    try:
        assert next(results) == 0
        assert begun.wait(60)
        results.close()  # type: ignore[attr-defined]
        assert not ended.is_set()
        assert all(thread.daemon for thread in threading.enumerate() if thread.name == "byoc")
    finally:
        silent.set()


def test_each_gives_results_in_order_and_of_none_nothing() -> None:
    assert list(each(range(300), lambda number: -number, at_once=4)) == [-number for number in range(300)]
    assert list(each((), lambda number: number)) == []
