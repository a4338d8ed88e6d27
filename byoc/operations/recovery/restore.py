"""Carries out what ``byoc watch --restore`` is to do: one bounded run of the engine for each stack."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Protocol

from byoc.automation.many import Outcome as RunOutcome
from byoc.automation.many import StackOutcome
from byoc.automation.recording import recorded
from byoc.automation.stack_run import REFUSED, Verdict, unguarded
from byoc.automation.stack_run import Guard as UpGuard
from byoc.errors import ByocError, InputError
from byoc.operations.recovery.bounds import beyond, judge
from byoc.operations.recovery.read import now
from byoc.operations.recovery.remedies import Guard, Outcome
from byoc.operations.recovery.restoration import Restoration, Wanted
from byoc.operations.recovery.tries import Tries
from byoc.runs import Failure, Listener, RunResult, ignore

_MEND = "mend it:"


class Engine(Protocol):
    """The engine over one stack."""

    def preview(self) -> RunResult:
        """What ``up`` with a refresh would do; nothing is changed."""

    def up(self, targets: Sequence[str], guard: UpGuard, listener: Listener) -> RunResult:
        """Refresh and bring up ``targets`` alone; ``guard`` is asked with a preview of exactly that."""


@dataclass(frozen=True, kw_only=True)
class Restorer:
    """Restores stacks, one after the other.

    ``guard``: keeps other runs off a stack meanwhile; None for a dry run. ``engine``: raises
    :class:`~byoc.errors.ByocError` where there is none for a stack. ``also``: asked before the run, after the bounds.
    """

    root: Path
    tries: Tries
    engine: Callable[[str], Engine]
    guard: Guard | None = None
    also: UpGuard = unguarded
    clock: Callable[[], datetime] = now

    def restore(self, wanted: Wanted) -> Restoration:
        """Do it, if it is within the bounds; raises nothing of the engine's or the backend's."""
        at = self.clock()
        first = Restoration(at=at, wanted=wanted, outcome=Outcome.WOULD)
        if wanted.for_a_person:
            return _refused(first, "; ".join(wanted.for_a_person))
        key = f"{wanted.stack}/restore"
        try:
            if self.guard is None:
                why = self.tries.why_not(key, at)
                return replace(first, outcome=Outcome.WAITS, detail=why) if why else first
            with self.guard(wanted.stack):
                return self._with_engine(first, key)
        except InputError as error:  # a run is at the stack
            return replace(first, outcome=Outcome.WAITS, detail=str(error).partition("\n")[0])
        except ByocError as error:
            return _failed(first, error)

    def _with_engine(self, first: Restoration, key: str) -> Restoration:
        try:
            why = self.tries.why_not(key, first.at)
            engine = None if why else self.engine(first.wanted.stack)
            why = why or self.tries.claim(key, first.at)
            if engine is None or why:
                return replace(first, outcome=Outcome.WAITS, detail=why)
        except ByocError as error:
            return _failed(first, error)
        begun = replace(first, tried=True)
        try:
            return self._judged(begun, engine)
        except ByocError as error:
            return _failed(begun, error)

    def _judged(self, first: Restoration, engine: Engine) -> Restoration:
        preview = engine.preview()
        if preview.interrupted or not preview.ok:
            return _ended(first, preview)
        judged = judge(preview)
        if judged.refusal:
            return _refused(first, judged.refusal)
        first = replace(first, left=judged.left)
        if not judged.targets:
            detail = "a preview with a refresh shows nothing that is to be made or set"
            return replace(
                first, outcome=Outcome.FAILED, detail=detail, way_out=f"byoc preview --refresh {first.wanted.stack}"
            )
        return self._run(first, engine, judged.targets)

    def _run(self, first: Restoration, engine: Engine, targets: Sequence[str]) -> Restoration:
        stack = first.wanted.stack

        def guard(name: str, preview: RunResult | None) -> Verdict:
            why = "there was no preview" if preview is None else beyond(preview, targets)
            if why:
                return Verdict(
                    refusal=Failure(urn="", type="", op=REFUSED, action="", error=why, remedy=_by_a_person(stack))
                )
            return self.also(name, preview)

        request = {
            "verb": "up",
            "stacks": [stack],
            "asked": f"watch {stack} --apply --restore",
            "options": {"targets": list(targets)},
        }
        with recorded(self.root, request) as recording:
            result = engine.up(targets, guard, recording.listener(ignore))
            outcome = StackOutcome(stack=stack, outcome=_outcome(result), result=result)
            recording.ended({"state": outcome.outcome.value, "stacks": [outcome.document()]})
        return replace(_ended(first, result), run=recording.record.id)


def _outcome(result: RunResult) -> RunOutcome:
    if result.interrupted:
        return RunOutcome.INTERRUPTED
    return RunOutcome.SUCCEEDED if result.ok else RunOutcome.FAILED


def _ended(first: Restoration, result: RunResult) -> Restoration:
    if result.interrupted:
        again = f"byoc resume {first.wanted.stack}"
        return replace(
            first,
            outcome=Outcome.FAILED,
            detail="interrupted",
            way_out=again,
            steps=result.steps,
            interrupted=True,
        )
    if result.ok:
        return replace(first, outcome=Outcome.DONE, steps=result.steps)
    failure = result.failures[0] if result.failures else None
    if failure is None:
        return replace(first, outcome=Outcome.FAILED, detail="some steps were not tried", steps=result.steps)
    refused = all(item.op == REFUSED for item in result.failures)
    outcome = Outcome.REFUSED if refused else Outcome.FAILED
    where = f"{failure.urn.rsplit('::', 1)[-1]}: " if failure.urn else ""
    return replace(first, outcome=outcome, detail=f"{where}{failure.error}", way_out=failure.remedy, steps=result.steps)


def _refused(first: Restoration, why: str) -> Restoration:
    stack = first.wanted.stack
    return replace(first, outcome=Outcome.REFUSED, detail=why, way_out=_by_a_person(stack))


def _by_a_person(stack: str) -> str:
    return (
        f"byoc preview --refresh {stack} shows the whole, byoc up --refresh {stack} does it; tags that are to stay "
        "belong into byoc:ignoreTags first"
    )


def _failed(first: Restoration, error: ByocError) -> Restoration:
    """An error's first line, and its way out."""
    text, _, way_out = str(error).partition(_MEND)
    return replace(
        first, outcome=Outcome.FAILED, detail=text.partition("\n")[0].strip(), way_out=" ".join(way_out.split())
    )
