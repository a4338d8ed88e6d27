"""How far back is read, what is begun half-way, what is left alone: on answers that AWS would give."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import pytest

from byoc.errors import InputError
from byoc.naming import Names
from byoc.operations.account import Account
from byoc.operations.revisions import guard, rollback
from byoc.operations.revisions.definitions import Definition
from byoc.operations.revisions.history import RevisionState
from byoc.operations.revisions.read import Revision, Revisions
from byoc.operations.revisions.rollback import Plan, carry_out, plan_rollback
from byoc.operations.status.facts import ServiceFacts
from byoc.operations.targets import Target
from tests.operations import situations
from tests.operations.revision_samples import FAMILY, REPOSITORY, described, sample

QUEUE = "langgraph-cloud-chat-queue"
FAILED = RevisionState.DEPLOY_FAILED


class Told:
    """An account that answers as it is told to, and notes what it was asked to change."""

    def __init__(self, answers: Mapping[str, Any] | None = None) -> None:
        self.answers = answers or {}
        self.changed: list[tuple[str, str]] = []

    def ask(self, action: str, **arguments: Any) -> Any:
        if action == "ecs:UpdateService":
            self.changed.append((arguments["service"], arguments["taskDefinition"].rpartition("/")[2]))
            return {}
        if action == "ecs:DescribeTaskDefinition":
            return self.answers[arguments["taskDefinition"]]
        return self.answers[action]

    def all(self, action: str, _key: str, **_: Any) -> Any:
        return self.answers.get(action, [])


class FakeTarget:
    stack, deployment, names, service_roles = "demo-chat", "chat", Names(), ("api", "queue")

    def __init__(self, account: Told | None = None) -> None:
        self.account = cast("Account", account or Told())


def known(account: Told, *items: Revision, queue: int | None = None) -> Revisions:
    services = {"api": service(next(item.number for item in items if item.running))}
    if queue is not None:
        services["queue"] = service(queue, QUEUE)
    return Revisions(
        target=cast("Target", FakeTarget(account)), services=services, items=items, queue_items=(), notes=()
    )


def service(number: int, family: str = FAMILY) -> ServiceFacts:
    return situations.service(task_definition=f"{family}:{number}")


def revision(
    item: Definition,
    *,
    running: bool = False,
    state: RevisionState = RevisionState.DEPLOYED,
    queue: Definition | None = None,
) -> Revision:
    return Revision(definition=item, queue=queue, state=state, running=running, rolled_out=None, changes=())


def planned(
    monkeypatch: pytest.MonkeyPatch, items: tuple[Revision, ...], account: Told | None = None, **more: Any
) -> Plan:
    """The plan of going back by default, when AWS has these revisions; the newest first, as many as are asked for."""
    told = account or Told()

    def read(_: Target, *, limit: int) -> Revisions:
        shown = items[:limit]
        if not any(item.running for item in shown):
            return Revisions(
                target=cast("Target", FakeTarget(told)),
                services={"api": service(1)},
                items=shown,
                queue_items=(),
                notes=(),
            )
        return known(told, *shown, **more)

    monkeypatch.setattr(rollback, "read_revisions", read)
    monkeypatch.setattr(rollback, "_require_secrets", lambda *_: True)
    return plan_rollback(cast("Target", FakeTarget(told)))


def test_what_runs_is_found_behind_any_number_of_failed_revisions(monkeypatch: pytest.MonkeyPatch) -> None:
    failed = tuple(revision(sample(number, tag=f"{number}"), state=FAILED) for number in range(60, 2, -1))
    plan = planned(monkeypatch, (*failed, revision(sample(2, tag="2"), running=True), revision(sample(1, tag="1"))))
    assert (plan.running.number, plan.to.number) == (2, 1)


def test_a_good_one_is_found_behind_any_number_of_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    copies = tuple(
        revision(sample(number, tag="2", tags={"byoc-copy-of": "2"}), running=number == 40)
        for number in range(40, 2, -1)
    )
    plan = planned(monkeypatch, (*copies, revision(sample(2, tag="2")), revision(sample(1, tag="1"))))
    assert (plan.running.number, plan.to.number) == (40, 1)


def test_where_there_is_none_reading_ends_and_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    failed = tuple(revision(sample(number, tag=f"{number}"), state=FAILED) for number in range(30, 1, -1))
    with pytest.raises(InputError, match="chat: there is no revision before 1 to go back to"):
        planned(monkeypatch, (*failed, revision(sample(1, tag="1"), running=True)))


def separate(number: int, tag: str, cpu: str = "512") -> dict[str, Any]:
    return described(number, tag=tag, family=QUEUE, cpu=cpu)


def queue_of(number: int, tag: str, cpu: str = "512") -> Definition:
    return sample(number, tag=tag, family=QUEUE, cpu=cpu)


def with_queue(monkeypatch: pytest.MonkeyPatch, *, copy: bool, at: int) -> tuple[Plan, Told]:
    """Revisions 1 and 2, and 3 as what the API is at: a copy of 1, or one of its own; the queue is at ``at``."""
    account = Told({f"{QUEUE}:1": separate(1, "1"), f"{QUEUE}:2": separate(2, "2"), f"{QUEUE}:3": separate(3, "3")})
    third = sample(3, tag="1", tags={"byoc-copy-of": "1"}) if copy else sample(3, tag="3")
    items = (
        revision(third, running=True, queue=queue_of(1, "1")),
        revision(sample(2, tag="2"), queue=queue_of(2, "2")),
        revision(sample(1, tag="1", active=False), queue=queue_of(1, "1")),
    )
    account.answers = {
        **account.answers,
        "ecs:ListTaskDefinitions": [f"{FAMILY}:3"],
        f"{FAMILY}:3": described(3, tag="1", tags={"byoc-copy-of": "1"}),
    }
    return planned(monkeypatch, items, account, queue=at), account


def test_a_rollback_that_came_as_far_as_the_api_goes_on_with_the_queue_and_not_further_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plan, account = with_queue(monkeypatch, copy=True, at=2)
    assert (plan.to.number, plan.is_there) == (1, False)
    assert [change.text() for change in plan.changes] == ["image of the queue: 2 -> 1"]
    done = carry_out(plan)
    assert account.changed == [(QUEUE, f"{QUEUE}:1")], "the API has the content already"
    assert done.task_definitions == {"api": f"{FAMILY}:3", "queue": f"{QUEUE}:1"}


def test_a_rollback_that_is_through_goes_further_back_and_there_is_nothing_before_the_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(InputError, match="chat: there is no revision before 1 to go back to"):
        with_queue(monkeypatch, copy=True, at=1)


def test_an_up_that_came_as_far_as_the_api_is_gone_back_from_with_both(monkeypatch: pytest.MonkeyPatch) -> None:
    plan, account = with_queue(monkeypatch, copy=False, at=1)
    assert plan.to.number == 2
    assert [change.text() for change in plan.changes] == ["image: 3 -> 2", "image of the queue: 1 -> 2"]
    carry_out(plan)
    assert account.changed == [(f"{FAMILY}", f"{FAMILY}:2"), (QUEUE, f"{QUEUE}:2")]


def test_the_order_in_which_ecs_tells_variables_makes_no_other_content() -> None:
    names = ("A", "B")
    one = sample(1, environment={"X": "1", "Y": "2"}, names=names)
    other = sample(2, environment={"Y": "2", "X": "1"}, names=names[::-1])
    assert one.has_content_of(other)
    assert not one.has_content_of(sample(3, environment={"X": "2", "Y": "1"}, names=names))


@pytest.mark.parametrize(("state", "refused"), [("IN_PROGRESS", True), ("COMPLETED", False)])
def test_a_service_that_the_config_asks_for_and_is_not_there_yet_hides_no_roll_out_of_the_other(
    state: str, refused: bool
) -> None:
    item = {
        "serviceName": FAMILY,
        "status": "ACTIVE",
        "desiredCount": 1,
        "runningCount": 1,
        "deployments": [{"status": "PRIMARY", "rolloutState": state, "taskDefinition": f"{REPOSITORY}/{FAMILY}:3"}],
    }
    missing = [{"arn": QUEUE, "reason": "MISSING"}]
    target = cast("Target", FakeTarget(Told({"ecs:DescribeServices": {"services": [item], "failures": missing}})))
    if not refused:
        guard.refuse_while_rolling_out(target)
        return
    with pytest.raises(InputError, match=f"chat: {FAMILY}:3 is rolling out"):
        guard.refuse_while_rolling_out(target)
