"""Runs that are written down while the command that began them waits for their end; the records are bounded in number.

A detached run writes its record itself (:mod:`byoc.automation.detached`). These are the same records, so that
``byoc runs`` and ``byoc resume`` know both.
"""

from __future__ import annotations

import os
import shutil
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from byoc.automation.many import Outcome, StackOutcome
from byoc.automation.records import RunRecord, RunState, all_runs, runs_folder, unexpected
from byoc.errors import ByocError, InputError
from byoc.runs import Event, Listener, RunResult, ignore

KEPT = 50
"""Records of attached runs that are kept in a project, and of submitted ones for each stack. One takes a few kilobytes,
a first ``up`` some twenty."""
_ATTACHED = "attached"
_WAITS_OR_RUNS = frozenset({RunState.QUEUED, RunState.RUNNING})


class Recording:
    """The record of a run that is under way."""

    def __init__(self, record: RunRecord) -> None:
        self.record = record
        self._write = record.listener()

    def listener(self, also: Listener) -> Listener:
        """Writes every event down, then tells ``also``."""

        def told(event: Event) -> None:
            self._write(event)
            also(event)

        return told

    def ended(self, result: Mapping[str, Any]) -> None:
        """Write down what came of it."""
        self.record.write("result.json", result)


@contextmanager
def recorded(root: Path, request: Mapping[str, Any], *, forget_input_errors: bool = False) -> Iterator[Recording]:
    """A record in ``.byoc/runs`` of the project for as long as the block lasts, which says how the run ended.

    An error that ends the block before it said so is written down, and raised. With ``forget_input_errors``, one that
    says that the input is wrong leaves no record, for nothing was begun. A process that is killed leaves the record as
    it is: the run is lost. Older records of such runs are removed (:func:`prune`).
    """
    record = RunRecord.create(root, {**request, "projectRoot": str(root), _ATTACHED: True})
    with record.hold():
        record.write("process.json", {"pid": os.getpid()})
        prune(root, KEPT)
        recording = Recording(record)
        try:
            yield recording
        except ByocError as error:
            if forget_input_errors and isinstance(error, InputError):
                _forget(root, record)
                raise
            recording.ended({"state": RunState.FAILED.value, "stacks": [], "error": str(error)})
            raise
        except KeyboardInterrupt:
            recording.ended({"state": RunState.INTERRUPTED.value, "stacks": []})
            raise
        except Exception as error:
            with record.open("log.txt") as log:
                log.write(traceback.format_exc().encode())
            recording.ended(unexpected(record, error))
            raise


def recorded_run(
    root: Path,
    stack: str,
    run: Callable[[Listener], RunResult],
    listener: Listener = ignore,
    *,
    verb: str,
    asked: str,
) -> StackOutcome:
    """Run one stack under a record; what came of it is written down. Raises what ``run`` raises."""
    request = {"verb": verb, "stacks": [stack], "asked": asked}
    with recorded(root, request, forget_input_errors=True) as recording:
        result = run(recording.listener(listener))
        outcome = StackOutcome(stack=stack, outcome=_outcome(result), result=result)
        recording.ended({"state": outcome.outcome.value, "stacks": [outcome.document()]})
    return outcome


def _outcome(result: RunResult) -> Outcome:
    if result.interrupted:
        return Outcome.INTERRUPTED
    return Outcome.SUCCEEDED if result.ok else Outcome.FAILED


def prune(root: Path, kept: int = KEPT) -> None:
    """Remove the oldest records of attached and of submitted runs beyond ``kept``.

    Never one that waits or is under way, or the last of a stack; those of detached runs stay.
    """
    last: set[str] = set()
    counts: Counter[str] = Counter()
    for record in reversed(list(all_runs(root))):
        request = record.request
        stacks = set(request.get("stacks", ()))
        is_last_of_one = not stacks <= last
        last |= stacks
        pile = _pile(request)
        counts[pile] += 1
        if pile and counts[pile] > kept and not is_last_of_one and record.state not in _WAITS_OR_RUNS:
            _remove(record)


def _pile(request: Mapping[str, Any]) -> str:
    """What a record is counted with; empty for one that stays."""
    if request.get(_ATTACHED):
        return _ATTACHED
    return f"submitted: {request['submission'].get('stack')}" if "submission" in request else ""


def _forget(root: Path, record: RunRecord) -> None:
    """As if it had never been: with the folders that it was the first in."""
    _remove(record)
    for folder in (runs_folder(root), runs_folder(root).parent):
        with suppress(OSError):  # others are in it
            folder.rmdir()


def _remove(record: RunRecord) -> None:
    """Out of the list in one step, then from disk."""
    gone = runs_folder(record.folder.parents[2]).parent / f"removed-{record.id}"
    try:
        record.folder.rename(gone)
    except FileNotFoundError:  # another command removed it at the same moment
        return
    shutil.rmtree(gone, ignore_errors=True)
