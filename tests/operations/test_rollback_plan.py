"""How far back is read, what is begun half-way, what is left alone: on answers that AWS would give."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any, cast

import pytest

from byoc.automation.locks import BusyError, held
from byoc.cli.operations import rollback as rollback_verb
from byoc.cli.operations.rollback_view import Case
from byoc.errors import ByocError, InputError
from byoc.naming import Names
from byoc.operations.account import Account
from byoc.operations.answers import AbsentError, CredentialsError, NoAnswerError
from byoc.operations.revisions import guard, rollback, waiting
from byoc.operations.revisions.definitions import Definition
from byoc.operations.revisions.history import RevisionState, RolledOut
from byoc.operations.revisions.moved import moved
from byoc.operations.revisions.read import Revision, Revisions
from byoc.operations.revisions.rollback import Done, Plan, carry_out, plan_rollback
from byoc.operations.status.facts import ServiceFacts
from byoc.operations.targets import Stack, Target
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
    missing = [{"arn": f"arn:aws:ecs:us-west-2:123456789012:service/{QUEUE}", "reason": "MISSING"}]
    target = cast("Target", FakeTarget(Told({"ecs:DescribeServices": {"services": [item], "failures": missing}})))
    if not refused:
        guard.refuse_while_rolling_out(target)
        return
    with pytest.raises(InputError, match=f"chat: {FAMILY}:3 is rolling out"):
        guard.refuse_while_rolling_out(target)


@pytest.mark.parametrize(
    ("answer", "lacking"),
    [
        ({"services": [], "failures": []}, f"it tells nothing of {FAMILY}"),
        ({"services": [], "failures": [{"arn": f"a/{FAMILY}", "reason": "ACCESS_DENIED"}]}, "ACCESS_DENIED"),
        ({}, "it lacks services"),
    ],
)
def test_a_service_that_ecs_tells_nothing_of_is_never_taken_for_one_that_is_not_there(
    answer: dict[str, Any], lacking: str
) -> None:
    target = cast("Target", FakeTarget(Told({"ecs:DescribeServices": answer})))
    with pytest.raises(NoAnswerError, match=lacking):
        guard.refuse_while_rolling_out(target)


def waited(monkeypatch: pytest.MonkeyPatch, *looks: Any) -> list[float]:
    """The pauses of a wait; each look is what the services are, or an error."""
    told, pauses = list(looks), list[float]()

    def read(_: Target) -> dict[str, ServiceFacts]:
        look = told.pop(0)
        if isinstance(look, Exception):
            raise look
        return {"api": look}

    monkeypatch.setattr(waiting, "read_services", read)
    item = revision(sample(4))
    target = cast("Target", FakeTarget())
    plan = Plan(target=target, running=item, to=item, now={}, definitions={}, secrets_are_current=True)
    waiting.wait(plan, Done(task_definitions={"api": f"{FAMILY}:4"}), sleep=pauses.append)
    return pauses


def test_an_aws_that_is_too_busy_for_one_look_does_not_end_the_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    busy = NoAnswerError("ecs:DescribeServices", "AWS is too busy for this account: Throttling", "repeat it later")
    assert len(waited(monkeypatch, busy, busy, service(4))) == 2


def test_credentials_that_run_out_while_it_waits_leave_no_doubt_that_ecs_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    expired = CredentialsError(
        "ecs:DescribeServices", "AWS does not take the credentials: ExpiredToken", "sign in again"
    )
    with pytest.raises(ByocError) as raised:
        waited(monkeypatch, service(3), expired)
    assert str(raised.value).splitlines() == [
        "chat: ECS goes on with the content of revision 4; what becomes of it is not known: ecs:DescribeServices: "
        "AWS does not take the credentials: ExpiredToken",
        "      mend it:  sign in again: byoc status demo-chat",
    ]


def test_settings_that_no_write_config_writes_are_named_so_that_nobody_takes_the_config_for_the_same() -> None:
    now, then = sample(2, environment={"LOG_LEVEL": "DEBUG"}), sample(1, environment={"LOG_LEVEL": "INFO"}, tag="0.9.0")
    (case,) = cases("demo-chat")
    case.plan = Plan(
        target=cast("Target", FakeTarget()),
        running=revision(now, running=True),
        to=revision(then),
        now={"api": now},
        definitions={"api": then},
        secrets_are_current=True,
    )
    rollback_verb._carry_out(case, root=Path(), wait_for_it=False, quiet=True, several=False, stopped=Event())
    assert case.notes == (
        "other settings of the config differ, too, and are set by hand: environment LOG_LEVEL changed",
    )
    assert "DEBUG" not in str(case.document())


OLD, NEW = "sha256:" + "a" * 64, "sha256:" + "b" * 64


def rolled(tag: str, digest: str) -> Revision:
    told = RolledOut(state=RevisionState.DEPLOYED, at=None, digest=digest, reason="")
    return replace(revision(sample(2, tag=tag)), rolled_out=told)


@pytest.mark.parametrize(
    ("before", "after", "is_told"), [(OLD, NEW, True), (OLD, OLD, False), ("", NEW, False), (OLD, "", False)]
)
def test_a_tag_that_names_another_image_by_now_is_told(before: str, after: str, is_told: bool) -> None:
    text = moved(rolled("2.0.0", before), rolled("2.0.0", after))
    assert (
        text.startswith(f"the image is not the one of that time: {REPOSITORY}:2.0.0 was {OLD} and is {NEW} ") is is_told
    )
    assert bool(text) is is_told


def cases(*names: str) -> list[Case]:
    made = []
    for name in names:
        target = FakeTarget()
        target.stack = name
        made.append(Case(stack=cast("Stack", None), target=cast("Target", target), writable=None))
    return made


def test_a_stack_that_another_run_is_at_keeps_no_other_from_going_back(tmp_path: Path) -> None:
    first, second = cases("one", "two")
    with held(tmp_path, ["one"], words="up one"):
        with ExitStack() as locks:
            rollback_verb._hold([first, second], tmp_path, locks)
            assert first.failure.startswith("stack 'one' is being worked on by process")
            assert not second.failure
            with pytest.raises(BusyError):
                held(tmp_path, ["two"], words="up two").__enter__()
        with ExitStack() as locks, pytest.raises(BusyError):
            rollback_verb._hold([first], tmp_path, locks)


@pytest.mark.parametrize("alone", [True, False])
def test_what_is_gone_in_the_meantime_is_told_and_is_no_traceback(alone: bool) -> None:
    (case,) = cases("one")

    def gone(_: Case) -> None:
        raise AbsentError("ServiceNotFoundException: Service not found.")

    if alone:
        with pytest.raises(ByocError, match="chat: what was there a moment ago is gone: ServiceNotFoundException"):
            rollback_verb._over([case], gone, alone=True, stopped=Event())
    else:
        rollback_verb._over([case], gone, alone=False, stopped=Event())
        assert case.failure.startswith("chat: what was there a moment ago is gone: ServiceNotFoundException")


def test_ctrl_c_does_not_wait_for_the_end_of_roll_outs() -> None:
    first, second = cases("one", "two")
    stopped = Event()

    def step(case: Case) -> None:
        if case is first:
            raise KeyboardInterrupt
        assert stopped.wait(30), "it waits on"

    with pytest.raises(KeyboardInterrupt):
        rollback_verb._over([first, second], step, alone=False, stopped=stopped)
    assert stopped.is_set()
