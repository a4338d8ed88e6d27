"""The last run that was to change a stack, and what stopped it, as the records under ``.byoc/runs`` tell."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from byoc.automation.many import Outcome, StackOutcome
from byoc.automation.records import RunRecord, RunState
from byoc.automation.stack_run import REFUSED
from byoc.operations.recovery.blocks import Block, Kind, classify

_IS_THERE = re.compile(r"already ?exists", re.IGNORECASE)
_CHANGES = frozenset({"up", "destroy", "refresh"})
"""Verbs of runs that leave something behind."""


@dataclass(frozen=True, kw_only=True)
class LastRun:
    """The last run that changed a stack, as its record tells."""

    id: str
    verb: str
    state: RunState
    began: datetime
    failures: tuple[Block, ...]

    @property
    def ok(self) -> bool:
        """Whether it did all that it was to do."""
        return self.state is RunState.SUCCEEDED

    @property
    def was_cut_short(self) -> bool:
        """Whether it was stopped or killed: what was under way may not be recorded."""
        return self.state in (RunState.LOST, RunState.INTERRUPTED)


def last_run(records: Iterable[RunRecord], stack: str) -> LastRun | None:
    """The newest run that was to change ``stack``; None if none is recorded. ``records``: the oldest first.

    Runs that were not begun are passed over: skipped ones, and those that were refused while a revision was rolling
    out. So are those that did what they were to do, but for some resources alone (``--target``): the rest is as it
    was. One that was cut short counts until a run has succeeded: what followed it has not read the state anew.
    """
    told = (run for record in reversed(list(records)) if (run := _run_of(record, stack)) is not None)
    newest = next(told, None)
    if newest is None or newest.ok or newest.was_cut_short:
        return newest
    before = next((run for run in told if run.ok or run.was_cut_short), None)
    if before is None or before.ok:
        return newest
    return replace(newest, failures=(*before.failures, *(_unrecorded(block, stack) for block in newest.failures)))


def _unrecorded(block: Block, stack: str) -> Block:
    """What is there already after a run that was killed is most likely what that run was making."""
    if block.kind is not Kind.DRIFT or block.failure is None or not _IS_THERE.search(block.failure.error):
        return block
    fix = (
        "the run that was cut short may have made it, unrecorded, and Pulumi takes it for somebody else's: if it has "
        f"this deployment's tags and nothing is in it, delete it in the account; then byoc resume {stack} --apply"
    )
    return replace(block, fix=fix)


def _run_of(record: RunRecord, stack: str) -> LastRun | None:
    """What a record tells of the stack; None if its run was not about it, or was not begun."""
    request = record.request
    if stack not in request.get("stacks", ()) or request.get("verb") not in _CHANGES:
        return None
    outcome = _outcome(record, stack)
    if outcome is not None and (outcome.outcome is Outcome.SKIPPED or _was_refused(outcome)):
        return None
    if outcome is not None and outcome.outcome is Outcome.SUCCEEDED and request.get("options", {}).get("targets"):
        return None
    return _told(record, stack, outcome)


def _was_refused(outcome: StackOutcome) -> bool:
    return any(failure.op == REFUSED for failure in outcome.result.failures)


def _outcome(record: RunRecord, stack: str) -> StackOutcome | None:
    found = [item for item in (record.result or {}).get("stacks", ()) if item["stack"] == stack]
    return StackOutcome.of_document(found[0]) if found else None


def _told(record: RunRecord, stack: str, outcome: StackOutcome | None) -> LastRun:
    state = record.state
    if outcome is not None:
        state = RunState(outcome.outcome.value)
    failures = classify(outcome.result.failures) if outcome is not None else ()
    if not failures and state in (RunState.LOST, RunState.INTERRUPTED):
        fix = f"byoc refresh {stack} records what became of it; if the stack is locked: pulumi cancel --stack {stack}"
        failures = (Block(kind=Kind.CUT_SHORT, failure=None, fix=fix),)
    return LastRun(
        id=record.id,
        verb=str(record.request["verb"]),
        state=state,
        began=datetime.fromisoformat(record.request["startedAt"]),
        failures=failures,
    )
