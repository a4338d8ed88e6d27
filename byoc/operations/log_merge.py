"""What several deployments wrote, in order of time across them; each on its own when another cannot be read."""

from __future__ import annotations

import heapq
import math
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from queue import Queue

from byoc.errors import ByocError
from byoc.operations.logs import Entry, Wanted, follow, read_entries
from byoc.operations.many import AT_ONCE, each
from byoc.operations.targets import Target

_WAITING = 1000
"""Entries that wait for the reader while several deployments are followed: then those who bring them wait, too."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """An entry, and whose it is."""

    target: Target
    entry: Entry

    @property
    def document(self) -> dict[str, str]:
        """As one JSON object."""
        return {"stack": self.target.stack, "deployment": self.target.deployment, **self.entry.document}


@dataclass(frozen=True, kw_only=True)
class Unread:
    """A deployment whose entries could not be read."""

    target: Target
    error: ByocError


def newest_lines(targets: Sequence[Target], wanted: Wanted, count: int) -> Iterator[Line | Unread]:
    """The newest ``count`` entries over all, the oldest first; before them, what could not be read.

    Several deployments are read at once; ``count`` of each are kept at most.
    """
    kept: list[Line] = []
    for found in each(targets, lambda target: _tail(target, wanted, count), only_looks=True):
        if isinstance(found, Unread):
            yield found
        else:
            kept = sorted([*kept, *found], key=_at)[-count:]
    yield from kept


def all_lines(targets: Sequence[Target], wanted: Wanted) -> Iterator[Line | Unread]:
    """All entries, the oldest first, page by page; what could not be read comes where it breaks off."""
    return heapq.merge(*(_lines(target, wanted) for target in targets), key=_at)


def follow_lines(
    targets: Sequence[Target],
    wanted: Wanted,
    *,
    note: Callable[[Target, str], None],
    last: int = 0,
    sleep: Callable[[float], None] | None = None,
) -> Iterator[Line | Unread]:
    """The entries of all and then each new one, as they come, until the caller stops or none can be read any more.

    ``last``: so many of the newest of those that are there already, of each deployment; 0: all. ``note`` is told of
    pauses and new credentials, as with :func:`~byoc.operations.logs.follow`. One of the deployments that cannot be read
    stops no other. At most :data:`~byoc.operations.many.AT_ONCE` ask at a time; of more, each asks less often.
    """
    brought: Queue[Line | Unread | Exception | None] = Queue(_WAITING)
    stopped, turns = threading.Event(), threading.Semaphore(AT_ONCE)
    rounds = math.ceil(len(targets) / AT_ONCE)

    def pause(seconds: float) -> None:
        turns.release()
        if sleep is not None:
            sleep(seconds * rounds)
        if stopped.wait(0 if sleep is not None else seconds * rounds):
            raise _StoppedError  # without a turn of its own: nobody wants one any more
        turns.acquire()

    def bring(target: Target) -> None:
        try:
            with turns:
                brought_by(target)
        except _StoppedError:
            return
        brought.put(None)

    def brought_by(target: Target) -> None:
        try:
            for entry in follow(target, wanted, note=lambda text: note(target, text), last=last, sleep=pause):
                brought.put(Line(target=target, entry=entry))
        except _StoppedError:
            raise
        except ByocError as error:
            brought.put(Unread(target=target, error=error))
        except Exception as error:  # noqa: BLE001 - is raised again where it is taken
            brought.put(error)

    for target in targets:
        threading.Thread(target=bring, args=(target,), name=f"follow-{target.deployment}", daemon=True).start()
    try:
        yield from _taken(brought, len(targets))
    finally:
        stopped.set()


def _taken(brought: Queue[Line | Unread | Exception | None], ends: int) -> Iterator[Line | Unread]:
    """What is brought, until so many have said that they bring no more; an error that nobody expected is raised."""
    while ends:
        found = brought.get()
        if found is None:
            ends -= 1
        elif isinstance(found, Exception):
            raise found
        else:
            yield found


class _StoppedError(Exception):
    """Nobody reads any more."""


def _tail(target: Target, wanted: Wanted, count: int) -> Unread | list[Line]:
    try:
        return [Line(target=target, entry=entry) for entry in deque(read_entries(target, wanted), maxlen=count)]
    except ByocError as error:
        return Unread(target=target, error=error)


def _lines(target: Target, wanted: Wanted) -> Iterator[Line | Unread]:
    try:
        for entry in read_entries(target, wanted):
            yield Line(target=target, entry=entry)
    except ByocError as error:
        yield Unread(target=target, error=error)


def _at(found: Line | Unread) -> float:
    return found.entry.at.timestamp() if isinstance(found, Line) else 0.0
