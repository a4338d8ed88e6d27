"""Runs on disk: what was asked, what happens, what came of it, under ``.byoc/runs/<id>/`` of the project.

Only their owner may read them. No secret is in them: the engine masks secrets before it tells of anything, and a
passphrase goes from environment to environment. A run holds a lock on its folder for as long as it lives, so that one
that was killed is told from one that runs, whoever has its process id by now.
"""

from __future__ import annotations

import enum
import fcntl
import json
import os
import re
import signal
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from byoc.errors import InputError
from byoc.runs import Event, Op, Phase

_FOLDER_MODE = 0o700
_FILE_MODE = 0o600
_SECOND = len("20260501-080000")
"""As many characters of an id say when the run began."""
_IN_THE_LOG = "      a fault of byoc itself, or of what it runs on; where it happened is in"


class RunState(enum.StrEnum):
    """How a run stands."""

    QUEUED = "queued"
    """Submitted (``byoc submit``), and not begun."""
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    """Stopped in good order: what was under way was finished and recorded."""
    LOST = "lost"
    """Its process is gone and left no result: it was killed, or the machine went down."""
    SKIPPED = "skipped"
    """Submitted and never begun: a newer one of its stack was submitted meanwhile."""


@dataclass(frozen=True)
class RunRecord:
    """One run, by its folder."""

    folder: Path

    @property
    def id(self) -> str:
        """The run's id, which is its folder's name."""
        return self.folder.name

    @classmethod
    def create(cls, project_root: Path, request: Mapping[str, Any], run_id: str = "") -> RunRecord:
        """A folder for a new run that is to do what ``request`` says."""
        runs = runs_folder(project_root)
        runs.mkdir(parents=True, exist_ok=True, mode=_FOLDER_MODE)
        folder = runs / (run_id or new_run_id())
        folder.mkdir(mode=_FOLDER_MODE, parents=True)  # parents: one that came to nothing may just have removed them
        record = cls(folder)
        record.open("lock").close()  # before the request, which is what others find a run by
        record.write("request.json", {**request, "startedAt": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"})
        return record

    @property
    def request(self) -> dict[str, Any]:
        """What the run was asked to do: verb, stacks, options, the command as it was written, when."""
        return self._read("request.json") or {}

    @property
    def result(self) -> dict[str, Any] | None:
        """What came of it; None until it has ended, and for ever if it was killed."""
        return self._read("result.json")

    @property
    def pid(self) -> int | None:
        """The id of the run's process."""
        found = self._read("process.json")
        return int(found["pid"]) if found else None

    @property
    def state(self) -> RunState:
        """How the run stands."""
        alive = self.is_alive()  # asked first: a run writes its result before it lets go of the lock
        result = self.result
        if result is not None:
            return RunState(result["state"])
        if alive:
            return RunState.RUNNING
        return RunState.QUEUED if self.was_submitted and self.pid is None else RunState.LOST

    @property
    def was_submitted(self) -> bool:
        """Whether it is one of a stack's queue (``byoc.automation.submissions``)."""
        return "submission" in self.request

    def is_alive(self) -> bool:
        """Whether a process holds the run's lock."""
        try:
            with (self.folder / "lock").open("rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except FileNotFoundError:  # the record is being removed, or was cut short by somebody
            return False
        return False

    def hold(self) -> IO[bytes]:
        """Take the run's lock; it is held until the file is closed by every process that has it."""
        lock = (self.folder / "lock").open("rb")
        fcntl.flock(lock, fcntl.LOCK_EX)
        return lock

    def stop(self) -> bool:
        """Interrupt the run as Ctrl-C does: once in good order, a second time at once. False if it does not run."""
        pid = self.pid
        if pid is None or not self.is_alive():
            return False
        os.kill(pid, signal.SIGINT)
        return True

    def events(self, begin: int = 0) -> tuple[list[Event], int]:
        """The events from a place in the file on, and the place after the last whole one."""
        try:
            with (self.folder / "events.jsonl").open("rb") as file:
                file.seek(begin)
                text = file.read()
        except FileNotFoundError:
            return [], begin
        whole = text[: text.rfind(b"\n") + 1]
        told = [_read_event(line) for line in whole.splitlines()]
        return [event for event in told if event is not None], begin + len(whole)

    def listener(self) -> Callable[[Event], None]:
        """A listener that writes every event down, as long as the disk takes it."""
        file = self.open("events.jsonl")

        def write(event: Event) -> None:
            with suppress(OSError):  # a full disk is no reason to break off what the engine is in the middle of
                file.write(json.dumps(_event_document(event)).encode() + b"\n")  # one write: whole lines, any thread

        return write

    def write(self, name: str, document: Mapping[str, Any]) -> None:
        """Write a document; a reader sees all of it or nothing, after a kill or on a full disk as well."""
        draft = self.folder / f"{name}.new"
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC  # a draft that a kill left behind is none to go on with
        with os.fdopen(os.open(draft, flags, _FILE_MODE), "wb") as file:  # buffered: half a write is an error there
            file.write(json.dumps(document, indent=1).encode())
        draft.replace(self.folder / name)

    def open(self, name: str) -> IO[bytes]:
        """A file of the run to write to, for its owner alone; nothing is buffered."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        return os.fdopen(os.open(self.folder / name, flags, _FILE_MODE), "ab", buffering=0)

    def _read(self, name: str) -> dict[str, Any] | None:
        """A document; None if it is not there. One that cannot be read says nothing, and stands in no other's way."""
        try:
            found = json.loads((self.folder / name).read_bytes())
        except (FileNotFoundError, ValueError):
            return None
        return found if isinstance(found, dict) else None


def unexpected(record: RunRecord, error: Exception) -> dict[str, Any]:
    """The result of a run that a fault of byoc itself ended."""
    why = f"{type(error).__name__}: {error}".strip(": ")
    return {
        "state": RunState.FAILED.value,
        "stacks": [],
        "error": f"{why}\n{_IN_THE_LOG} {record.folder / 'log.txt'}",
        "fault": True,
    }


def new_run_id() -> str:
    """An id for a run: when it began, and a word that keeps it apart from others of that second."""
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{uuid.uuid4().hex[:6]}"


def runs_folder(project_root: Path) -> Path:
    """Where the runs of a project lie."""
    return project_root / ".byoc" / "runs"


def all_runs(project_root: Path) -> Iterator[RunRecord]:
    """The runs of a project, the oldest first."""
    for path in sorted(runs_folder(project_root).glob("*/request.json"), key=_begun):
        yield RunRecord(path.parent)


def _begun(request: Path) -> tuple[str, int]:
    """The second that the id tells, then the moment: an id does not tell which of one second was first."""
    try:
        moment = request.stat().st_mtime_ns
    except FileNotFoundError:  # another command removed the record this very moment
        moment = 0
    return request.parent.name[:_SECOND], moment


def find_run(project_root: Path, run_id: str) -> RunRecord:
    """The run with this id; raises :class:`~byoc.errors.InputError` if there is none."""
    folder = runs_folder(project_root) / run_id
    if not re.fullmatch(r"[0-9a-f-]+", run_id) or not (folder / "request.json").is_file():
        raise InputError(f"there is no run '{run_id}'\n      mend it:  name one that 'byoc runs' lists")
    return RunRecord(folder)


def _event_document(event: Event) -> dict[str, Any]:
    return {
        "op": event.op.value,
        "phase": event.phase.value,
        "urn": event.urn,
        "type": event.type,
        "seconds": round(event.seconds, 3),
        "changed": list(event.changed),
    }


def _read_event(line: bytes) -> Event | None:
    """An event; None of a line that was cut short by a full disk."""
    try:
        return _event(json.loads(line))
    except (ValueError, KeyError):
        return None


def _event(document: Mapping[str, Any]) -> Event:
    return Event(
        op=Op(document["op"]),
        phase=Phase(document["phase"]),
        urn=document["urn"],
        type=document["type"],
        seconds=document["seconds"],
        changed=tuple(document["changed"]),
    )
