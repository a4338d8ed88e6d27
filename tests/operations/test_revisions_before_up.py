"""Asked before an ``up`` makes a new revision: whether one is rolling out, and what is done where nobody can say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from byoc.automation.stack_run import REFUSED, Verdict
from byoc.errors import InputError
from byoc.operations.answers import DeniedError
from byoc.operations.revisions import before_up
from byoc.operations.status.facts import ServiceFacts
from byoc.runs import Op, RunResult, Step
from tests.operations import situations

SERVICE = "aws:ecs/service:Service"


def preview(*steps: tuple[Op, str]) -> RunResult:
    found = tuple(Step(op=op, urn=f"urn:pulumi:demo-chat::byoc::{type_}::x", type=type_) for op, type_ in steps)
    return RunResult(stack="demo-chat", steps=found)


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([], False),
        ([(Op.UPDATE, "aws:cloudwatch/metricAlarm:MetricAlarm")], False),
        ([(Op.CREATE, "aws:ecs/taskDefinition:TaskDefinition"), (Op.CREATE, SERVICE)], False),
        ([(Op.DELETE, SERVICE)], False),
        ([(Op.REPLACE, "aws:ecs/taskDefinition:TaskDefinition"), (Op.UPDATE, SERVICE)], True),
        ([(Op.REPLACE, SERVICE)], True),
    ],
)
def test_a_service_that_is_there_and_would_change_is_a_new_revision(
    steps: list[tuple[Op, str]], expected: bool
) -> None:
    assert before_up.makes_a_revision(preview(*steps)) is expected


class Asked:
    """What AWS is asked, and answers."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, answer: ServiceFacts | Exception | None) -> None:
        self.times = 0
        self.answer = answer
        target = _target()
        monkeypatch.setattr(before_up, "read_stacks", lambda _root, names: names)
        monkeypatch.setattr(before_up, "targets", lambda _stacks, _accounts: [target])
        monkeypatch.setattr(before_up, "present_services", self._services)

    def _services(self, _target: Any) -> dict[str, ServiceFacts]:
        self.times += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return {"api": self.answer} if self.answer is not None else {}


def _target(name: str = "chat") -> Any:
    class Names:
        cluster = "langgraph-cloud-cluster"

    class Target:
        stack, deployment, names = f"demo-{name}", name, Names()

    return Target()


def judged(shown: RunResult | None) -> Verdict:
    return before_up.no_roll_out_under_way(Path("/nowhere"))("demo-chat", shown)


CHANGED = preview((Op.UPDATE, SERVICE))
ROLLING = situations.service(rollout="IN_PROGRESS", running=1, desired=2)


@pytest.mark.parametrize("shown", [CHANGED, None])
def test_a_roll_out_under_way_refuses_a_change_and_what_was_not_previewed(
    monkeypatch: pytest.MonkeyPatch, shown: RunResult | None
) -> None:
    Asked(monkeypatch, ROLLING)
    refusal = judged(shown).refusal
    assert refusal is not None
    assert refusal.op == REFUSED
    assert " is rolling out" in refusal.error
    assert refusal.error.endswith(": 1 of 2 containers run; nothing was done")
    assert [line.strip().partition(":")[0] for line in refusal.remedy.splitlines()] == [
        "wait until it has ended (byoc status demo-chat); ECS goes back by itself if it fails",
        "a run of your own that was cut short",
        "a new revision instead of it",
        "back to the one before",
        "then",
    ]


@pytest.mark.parametrize(
    ("changed", "asked"),
    [
        (["account-deployment-chat-service-api"], ["chat"]),
        (["account-deployment-support-service-queue", "account-deployment-support-service-api"], ["support"]),
        (["account-deployment-chat-cache-service"], ["chat"]),
        (["account-deployment-support-service-api", "account-deployment-chat-service-api"], ["chat", "support"]),
        (["account-deployment-my-chat-service-api"], ["my-chat"]),
        (["account-deployment-chat-service-api", "of-nobody-that-is-known"], ["chat", "support", "my-chat"]),
    ],
)
def test_of_several_deployments_those_are_asked_about_whose_services_would_change(
    changed: list[str], asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def services(target: Any) -> dict[str, ServiceFacts]:
        found.append(target.deployment)
        return {}

    found: list[str] = []
    several = [_target(deployment) for deployment in ("chat", "support", "my-chat")]
    monkeypatch.setattr(before_up, "read_stacks", lambda _root, names: names)
    monkeypatch.setattr(before_up, "targets", lambda _stacks, _accounts: several)
    monkeypatch.setattr(before_up, "present_services", services)
    steps = tuple(Step(op=Op.UPDATE, urn=f"urn:pulumi:all::byoc::{SERVICE}::{name}", type=SERVICE) for name in changed)
    assert judged(RunResult(stack="all", steps=steps)) == Verdict()
    assert found == asked


def test_aws_is_not_asked_about_what_makes_no_revision(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Asked(monkeypatch, ROLLING)
    assert judged(preview((Op.CREATE, SERVICE))) == Verdict()
    assert asked.times == 0


@pytest.mark.parametrize("answer", [situations.service(), None])
def test_what_has_come_to_its_end_or_is_not_there_refuses_nothing(
    monkeypatch: pytest.MonkeyPatch, answer: ServiceFacts | None
) -> None:
    Asked(monkeypatch, answer)
    assert judged(CHANGED) == Verdict()


def test_where_aws_does_not_say_the_run_goes_on_and_that_is_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    Asked(monkeypatch, DeniedError("ecs:DescribeServices", "because no identity-based policy allows it"))
    verdict = judged(CHANGED)
    assert verdict.refusal is None
    (note,) = verdict.notes
    assert note.startswith("chat: whether a revision is rolling out is not known: ecs:DescribeServices: ")


def test_a_config_that_cannot_be_read_here_is_left_to_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreadable(_root: Path, _names: list[str]) -> None:
        raise InputError("no passphrase")

    monkeypatch.setattr(before_up, "read_stacks", unreadable)
    assert judged(CHANGED) == Verdict()
