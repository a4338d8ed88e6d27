"""Submitted revisions: one queue per stack, worked off by a process that the first submitter leaves behind.

There is no service that waits. Who finds nobody at work begins a worker, and hands it two locks by inheritance: that of
the queue's worker and that of the run. The worker ends when nothing is left. A worker that was killed holds no lock, so
the next submitter begins another one.

Everything that decides who works, and what is next, happens under the queue's own lock, which is held for moments only.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from byoc.automation.locks import BusyError, held
from byoc.automation.recording import prune
from byoc.automation.records import RunRecord, RunState, all_runs, runs_folder, unexpected

_PAUSE_SECONDS = 0.5
_STATES: Mapping[RunState, str] = {
    RunState.QUEUED: "QUEUED",
    RunState.RUNNING: "DEPLOYING",
    RunState.SUCCEEDED: "DEPLOYED",
    RunState.FAILED: "DEPLOY_FAILED",
    RunState.INTERRUPTED: "INTERRUPTED",
    RunState.LOST: "INTERRUPTED",
    RunState.SKIPPED: "SKIPPED",
}
"""The documents' states of a revision."""

Begin = Callable[[RunRecord, Sequence[int]], int]
"""Begins a worker with a run, and with the files of the locks that it inherits: the run's, then the queue's. Gives its
process id."""
CarryOut = Callable[[RunRecord], Mapping[str, Any]]
"""Does what a run was asked to do; gives the result that is written down."""


@dataclass(frozen=True, kw_only=True)
class Submission:
    """One submitted revision, and how it stands."""

    run: str
    stack: str
    state: str
    """One of the documents' states of a revision."""
    submitted_at: str
    by: str
    image: str
    """Empty where it takes what the stack's file says."""
    why: str = ""
    """Why it was not rolled out, in plain words."""

    def document(self) -> dict[str, str]:
        """For a program to read."""
        return asdict(self)


class Queue:
    """The submitted revisions of one stack of a project."""

    def __init__(self, project_root: Path, stack: str) -> None:
        self._root = project_root
        self._stack = stack
        self._folder = project_root / ".byoc" / "queues" / stack

    def submit(self, request: Mapping[str, Any], begin: Begin) -> RunRecord:
        """Queue a run; if nobody is at work, it begins at once, in a process that ``begin`` starts.

        What a worker that was killed left in the queue is skipped: this run is newer. One that is queued without an
        image behind others takes that of the last of them, which would stand in the file by then if they were run.
        """
        record = self._queue_or_begin(request, begin)
        prune(self._root)
        return record

    def work_off(self, first: RunRecord, locks: Sequence[int], carry_out: CarryOut) -> None:
        """Carry out ``first``, then the newest that was submitted meanwhile, until none is left.

        A run that ends with an error that nobody expected has failed; its log holds the traceback, and the next begins.
        ``locks``: the files that were inherited, as ``begin`` was given them.
        """
        lock, worker = locks
        record: RunRecord | None = first
        while record is not None:
            record.write("result.json", _carried_out(record, carry_out))
            os.close(lock)
            record, lock = self._next(worker)

    def withdraw(self, record: RunRecord) -> bool:
        """Take a run that is queued out of the queue; False if it has begun, has ended, or is not of this queue.

        One that was queued after it, and took its image, takes that of the one before instead.
        """
        with self._locked():
            pending = self._pending()
            if record not in pending:
                return False
            why = "it was taken out of the queue before it began"
            record.write("result.json", {"state": RunState.INTERRUPTED.value, "stacks": [], "error": why})
            left = [other for other in pending if other != record]
            for before, other in zip([None, *left], left, strict=False):
                self._inherit(other, before)
            self._write_pending(left)
        return True

    def submissions(self) -> list[Submission]:
        """What was submitted, the oldest first."""
        read = [(record.request, record) for record in all_runs(self._root)]
        mine = [(request, record) for request, record in read if _stack_of(request) == self._stack]
        waiting = self._waiting() if mine else frozenset()
        return [
            self._submission(request, record, waits=record.id in waiting)
            for request, record in sorted(mine, key=lambda pair: pair[0]["submission"]["number"])
        ]

    @contextmanager
    def stack_held(self, record: RunRecord) -> Iterator[None]:
        """Hold the stack's lock, waiting for another run (``byoc up``) that is at it."""
        with ExitStack() as locks:
            while True:
                try:
                    locks.enter_context(held(self._root, [self._stack], words=record.request["asked"], run=record.id))
                    break
                except BusyError:
                    time.sleep(_PAUSE_SECONDS)
            yield

    # Inside; what changes something is called under the queue's lock, but for the first, which takes it.

    def _queue_or_begin(self, request: Mapping[str, Any], begin: Begin) -> RunRecord:
        with self._locked():
            submission = {**request.get("submission", {}), "stack": self._stack, "number": time.time_ns()}
            worker = self._free_worker()
            before = self._pending()
            if worker is None and before and not submission.get("image"):
                submission |= {"image": _image(before[-1]), "inherits": True}
            record = RunRecord.create(self._root, {**request, "submission": submission})
            if worker is None:
                self._write_pending([*before, record])
                return record
            with worker, record.hold() as lock:
                self._skip(before, record)
                self._write_pending([])
                record.write("process.json", {"pid": begin(record, (lock.fileno(), worker.fileno()))})
        return record

    def _next(self, worker: int) -> tuple[RunRecord | None, int]:
        with self._locked():
            pending = self._pending()
            if not pending:
                os.close(worker)  # before the queue's lock is let go: who comes next finds nobody at work
                return None, -1
            newest = pending[-1]
            self._skip(pending[:-1], newest)
            with newest.hold() as file:
                lock = os.dup(file.fileno())
            newest.write("process.json", {"pid": os.getpid()})
            self._write_pending([])
            return newest, lock

    def _inherit(self, record: RunRecord, before: RunRecord | None) -> None:
        """Give a queued run that was submitted without an image that of the one before it."""
        request, image = record.request, _image(before) if before is not None else ""
        if request["submission"].get("inherits") and _image(record) != image:
            record.write("request.json", {**request, "submission": {**request["submission"], "image": image}})

    def _skip(self, records: Sequence[RunRecord], newer: RunRecord) -> None:
        for record in records:
            why = f"a newer revision was submitted before this one began: run {newer.id}"
            record.write("result.json", {"state": RunState.SKIPPED.value, "stacks": [], "error": why})

    def _waiting(self) -> frozenset[str]:
        """The ids of those that a worker which lives will come to."""
        with self._locked():
            found = self._free_worker()
            if found is None:
                return frozenset(record.id for record in self._pending())
            found.close()
            return frozenset()

    def _submission(self, request: Mapping[str, Any], record: RunRecord, *, waits: bool) -> Submission:
        state, asked = record.state, request["submission"]
        why = str((record.result or {}).get("error", ""))
        shown = _STATES[state]
        result = record.result or {}
        if state is RunState.FAILED and why and not result.get("fault") and not result.get("stacks"):
            shown = "CREATE_FAILED"  # refused before there was anything to roll out
        elif state is RunState.LOST:
            why = f"its process was killed: byoc runs show {record.id}"
        elif state is RunState.QUEUED and not waits:
            shown, why = "INTERRUPTED", f"the process that was to begin it was killed: byoc submit {self._stack}"
        return Submission(
            run=record.id,
            stack=self._stack,
            state=shown,
            submitted_at=request["startedAt"],
            by=asked.get("by", ""),
            image=asked.get("image", ""),
            why=why.partition("\n")[0],
        )

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with self._file("lock") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _free_worker(self) -> IO[bytes] | None:
        """The worker's lock, taken; None if a worker has it."""
        file = self._file("worker")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return None
        return file

    def is_at_work(self) -> bool:
        """Whether a worker lives."""
        if not self._folder.is_dir():
            return False
        with self._locked():  # a submitter that looks at the same moment is not taken for a worker
            found = self._free_worker()
            if found is not None:
                found.close()
            return found is None

    def _file(self, name: str) -> IO[bytes]:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return os.fdopen(os.open(self._folder / name, os.O_RDWR | os.O_CREAT, 0o600), "r+b", buffering=0)

    def _pending(self) -> list[RunRecord]:
        """Queued runs, the oldest first, without those that were begun by a worker that was killed meanwhile.

        A list that cannot be read, and records that somebody deleted, are nothing to wait for.
        """
        try:
            ids = [str(run_id) for run_id in json.loads((self._folder / "pending.json").read_bytes())]
        except (FileNotFoundError, ValueError, TypeError):
            return []
        records = [RunRecord(runs_folder(self._root) / run_id) for run_id in ids]
        return [record for record in records if record.was_submitted and record.state is RunState.QUEUED]

    def _write_pending(self, records: Sequence[RunRecord]) -> None:
        draft = self._folder / "pending.json.new"
        draft.write_text(json.dumps([record.id for record in records]), encoding="utf-8")
        draft.chmod(0o600)
        draft.replace(self._folder / "pending.json")


def _stack_of(request: Mapping[str, Any]) -> str:
    """The stack that a request was submitted for; empty if it was not submitted."""
    return str(request.get("submission", {}).get("stack", ""))


def _image(record: RunRecord) -> str:
    return str(record.request["submission"].get("image", ""))


def _carried_out(record: RunRecord, carry_out: CarryOut) -> Mapping[str, Any]:
    try:
        return carry_out(record)
    except Exception as error:  # noqa: BLE001 - whatever it is: the next run in the queue must not wait for ever
        with record.open("log.txt") as log:
            log.write(traceback.format_exc().encode())
        return unexpected(record, error)
