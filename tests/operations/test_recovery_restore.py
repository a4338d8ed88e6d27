"""One bounded run of the engine, for which something else stands in: when it begins, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from byoc.automation.records import all_runs
from byoc.automation.stack_run import REFUSED, Guard, Verdict
from byoc.errors import ByocError, InputError
from byoc.operations.recovery.finding import Area, Finding, Restore, Severity
from byoc.operations.recovery.remedies import Outcome
from byoc.operations.recovery.restoration import Restoration, Wanted
from byoc.operations.recovery.restore import Restorer
from byoc.operations.recovery.tries import Tries
from byoc.runs import Failure, Listener, Op, RunResult, Step

NOW = datetime(2026, 5, 1, 8, 0, tzinfo=UTC)
ALARM = Step(
    op=Op.CREATE,
    urn="urn:pulumi:demo-chat::byoc::aws:cloudwatch/metricAlarm:MetricAlarm::errors",
    type="aws:cloudwatch/metricAlarm:MetricAlarm",
)
UNTAG = Step(
    op=Op.UPDATE,
    urn="urn:pulumi:demo-chat::byoc::aws:ecs/service:Service::api",
    type="aws:ecs/service:Service",
    changed=("tags",),
    untagged=("team",),
)
DATABASE = Step(op=Op.REPLACE, urn="urn:pulumi:demo-chat::byoc::x::database", type="aws:rds/instance:Instance")
ABSENT = Finding(
    id="watching.alarm-absent",
    area=Area.WATCHING,
    part="errors",
    severity=Severity.WARNING,
    words="alarm errors is not there",
    restore=Restore.WATCH,
)
WANTED = Wanted(stack="demo-chat", findings=(("chat", ABSENT),))


def shown(*steps: Step, **more: Any) -> RunResult:
    """What a run did, or would do."""
    return RunResult(stack="demo-chat", steps=steps, **more)


@dataclass
class Engine:
    """Gives what it is told to, and notes what it was asked."""

    previews: list[RunResult]
    """What the two previews show: of the whole, and of the targets alone."""
    done: RunResult
    targets: list[Sequence[str]] = field(default_factory=list)

    def preview(self) -> RunResult:
        return self.previews[0]

    def up(self, targets: Sequence[str], guard: Guard, listener: Listener) -> RunResult:
        self.targets.append(targets)
        verdict = guard("demo-chat", self.previews[-1])
        return shown(failures=(verdict.refusal,)) if verdict.refusal else self.done


@contextmanager
def free(_stack: str) -> Iterator[None]:
    yield


@contextmanager
def busy(stack: str) -> Iterator[None]:
    raise InputError(f"stack '{stack}' is being worked on by process 7\n      mend it:  wait")
    yield


@dataclass
class Case:
    """A project's folder, and a restorer over it."""

    root: Path
    engine: Callable[[str], Engine]
    at: datetime = NOW

    def restore(self, wanted: Wanted = WANTED, **more: Any) -> Restoration:
        tries = Tries(self.root / ".byoc" / "watch.json")
        settings: dict[str, Any] = {"guard": free, **more}
        return Restorer(root=self.root, tries=tries, engine=self.engine, clock=lambda: self.at, **settings).restore(
            wanted
        )


def over(root: Path, *previews: RunResult, done: RunResult | None = None) -> tuple[Case, Engine]:
    engine = Engine(list(previews), done or shown(ALARM))
    return Case(root, lambda _: engine), engine


def test_what_is_within_the_bounds_is_done_and_recorded_and_what_somebody_added_is_left(tmp_path: Path) -> None:
    case, engine = over(tmp_path, shown(ALARM, UNTAG), shown(ALARM))
    done = case.restore()
    assert (done.outcome, done.steps, done.left) == (Outcome.DONE, (ALARM,), ("api keeps its tags beside ours: team",))
    assert engine.targets == [(ALARM.urn,)]
    assert done.tried
    (record,) = all_runs(tmp_path)
    assert (record.id, record.state.value, record.request["asked"]) == (
        done.run,
        "succeeded",
        "watch demo-chat --apply --restore",
    )


def test_a_dry_run_opens_no_engine(tmp_path: Path) -> None:
    def none(_stack: str) -> Engine:
        raise AssertionError("nobody asked for an engine")

    assert Case(tmp_path, none).restore(guard=None).outcome is Outcome.WOULD
    assert list(tmp_path.rglob("*")) == []


def test_what_is_beyond_the_bounds_refuses_the_whole_and_leaves_no_run(tmp_path: Path) -> None:
    case, engine = over(tmp_path, shown(ALARM, DATABASE))
    refused = case.restore()
    assert (refused.outcome, refused.detail) == (Outcome.REFUSED, "replace database (aws:rds/instance:Instance)")
    assert refused.way_out.startswith("byoc preview --refresh demo-chat shows the whole")
    assert (engine.targets, list(all_runs(tmp_path))) == ([], [])


def test_a_run_that_turns_out_to_be_another_one_is_refused_before_it_begins(tmp_path: Path) -> None:
    case, engine = over(tmp_path, shown(ALARM), shown(ALARM, DATABASE))
    refused = case.restore()
    assert (refused.outcome, refused.steps) == (Outcome.REFUSED, ())
    assert "database" in refused.detail
    assert len(engine.targets) == 1


def test_what_a_person_alone_may_do_is_refused_before_any_preview(tmp_path: Path) -> None:
    case, engine = over(tmp_path, shown(ALARM))
    refused = case.restore(Wanted(stack="demo-chat", findings=WANTED.findings, for_a_person=("another image",)))
    assert (refused.outcome, refused.detail, engine.targets) == (Outcome.REFUSED, "another image", [])
    assert not refused.tried  # of what was not begun the log says nothing, however often it is looked


def test_while_a_revision_rolls_out_nothing_is_restored(tmp_path: Path) -> None:
    case, _ = over(tmp_path, shown(ALARM), shown(ALARM))
    why = Failure(urn="", type="", op=REFUSED, action="", error="chat is rolling out", remedy="wait")
    refused = case.restore(also=lambda _stack, _preview: Verdict(refusal=why))
    assert (refused.outcome, refused.detail, refused.way_out) == (Outcome.REFUSED, "chat is rolling out", "wait")


def test_a_preview_that_shows_nothing_is_no_success(tmp_path: Path) -> None:
    case, _ = over(tmp_path, shown())
    failed = case.restore()
    assert (failed.outcome, failed.way_out) == (Outcome.FAILED, "byoc preview --refresh demo-chat")


def test_a_stack_that_another_run_is_at_waits_and_loses_no_try(tmp_path: Path) -> None:
    case, _ = over(tmp_path, shown(ALARM))
    waits = case.restore(guard=busy)
    assert (waits.outcome, waits.detail) == (Outcome.WAITS, "stack 'demo-chat' is being worked on by process 7")
    assert not (tmp_path / ".byoc" / "watch.json").exists()


def test_it_is_tried_three_times_a_day_with_pauses(tmp_path: Path) -> None:
    failure = Failure(urn="", type="", op="create", action="", error="no backend", remedy="sign in")
    case, engine = over(tmp_path, shown(ALARM), done=shown(failures=(failure,)))
    assert (case.restore().outcome, case.restore().outcome) == (Outcome.FAILED, Outcome.WAITS)
    for hours in (1, 3, 6, 9):
        case.at = NOW + timedelta(hours=hours)
        last = case.restore()
    assert len(engine.targets) == 3
    assert (last.outcome, last.detail) == (
        Outcome.WAITS,
        "tried 3 times within a day, which is the most: it takes a person",
    )


@pytest.mark.parametrize("error", [ByocError, InputError])
def test_without_an_engine_it_failed_with_the_way_out_and_loses_no_try(tmp_path: Path, error: type[ByocError]) -> None:
    def none(stack: str) -> Engine:
        raise error(f"there is no pulumi for {stack}\n      mend it:  make pulumi")

    failed = Case(tmp_path, none).restore()
    assert (failed.outcome, failed.detail, failed.way_out) == (
        Outcome.FAILED,
        "there is no pulumi for demo-chat",
        "make pulumi",
    )
    assert not (tmp_path / ".byoc" / "watch.json").exists()


def test_a_run_that_was_interrupted_says_how_to_go_on(tmp_path: Path) -> None:
    case, _ = over(tmp_path, shown(ALARM), done=shown(interrupted=True))
    stopped = case.restore()
    assert (stopped.interrupted, stopped.outcome, stopped.way_out) == (True, Outcome.FAILED, "byoc resume demo-chat")
    (record,) = all_runs(tmp_path)
    assert record.state.value == "interrupted"
