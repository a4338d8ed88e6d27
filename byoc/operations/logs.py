"""What the containers of a deployment wrote, in order of time across them.

Each container writes into a stream of its own, ``<deployment>/<container>/<task>``, of the install's one log group.
"""

from __future__ import annotations

import heapq
import math
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from byoc.errors import InputError
from byoc.operations.answers import AbsentError, CredentialsError, NoAnswerError
from byoc.operations.log_streams import CONTAINERS, ROLES, Streams, no_log_group, streams_of_revision
from byoc.operations.targets import Target
from byoc.operations.times import iso, milliseconds, of_milliseconds

POLL_SECONDS = 2.0
"""Between two questions of ``follow``."""
LONGEST_PAUSE_SECONDS = 30.0
"""The most that ``follow`` waits when AWS is too busy."""
LATE = timedelta(seconds=30)
"""How late an entry may come and still be followed: containers send theirs in bundles, each on its own."""
STREAMS_SECONDS = 15.0
"""So long ``follow`` goes by the same streams of a revision; less than ``LATE``: it misses no entry of a new one."""
_PATTERN_SIGNS = ("{", "[", '"', "?", "-", "%")
"""What a filter pattern of CloudWatch begins with that is more than a text."""
_SEEN = 10_000
"""So many entries are remembered before those that cannot come again are forgotten."""
_FAILURES = 5
"""So many times in a row may the credentials be refused before ``follow`` gives up."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A line that a container wrote."""

    at: datetime
    role: str
    """``api``, ``queue`` or ``cache``; the container's name if it is none of ours."""
    task: str
    """The task's id."""
    message: str
    id: str
    """CloudWatch's id of the entry."""

    @property
    def document(self) -> dict[str, str]:
        """As one JSON object."""
        return {
            "time": iso(self.at, parts="milliseconds"),
            "role": self.role,
            "task": self.task,
            "message": self.message,
            "id": self.id,
        }


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which entries. ``role``: of one service alone; ``revision``: of one revision alone; ``pattern``: a text that they
    hold, or a filter pattern of CloudWatch (one that begins with a brace, a bracket, a quote, ``?``, ``-`` or ``%``).
    """

    since: datetime
    until: datetime | None = None
    role: str | None = None
    revision: int | None = None
    pattern: str | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if self.role is not None and self.role not in CONTAINERS:
            raise InputError(
                f"--role is '{self.role}'\n      allowed:  {', '.join(CONTAINERS)}\n      mend it:  --role api"
            )
        if self.until is not None and self.until <= self.since:
            raise InputError(
                f"--until ({iso(self.until)}) is not after --since ({iso(self.since)})\n"
                "      mend it:  leave one out, or turn them round"
            )


def read_entries(target: Target, wanted: Wanted) -> Iterator[Entry]:
    """The entries, the oldest first, page by page. Raises :class:`~byoc.operations.answers.AskingError` where AWS gives
    no answer, and :class:`~byoc.errors.ByocError` if there is no log group, or nothing is known of the revision.
    """
    yield from _since(target, wanted, wanted.since, _streams(target, wanted))


def follow(
    target: Target,
    wanted: Wanted,
    *,
    note: Callable[[str], None],
    last: int = 0,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Entry]:
    """The entries, and then each new one, until the caller stops; none comes twice.

    ``last``: so many of the newest of those that are there already; 0: all. A busy AWS is asked again after longer and
    longer pauses; with credentials that have expired, new ones are read. ``note`` is told of both.
    """
    seen: dict[str, datetime] = {}
    newest, pause, refused, bound = wanted.since, POLL_SECONDS, 0, _SEEN
    there: deque[Entry] | None = deque(maxlen=last) if last else None
    streams, looked = Streams(), -math.inf
    while True:
        try:
            if time.monotonic() - looked >= STREAMS_SECONDS:
                streams, looked = _streams(target, wanted), time.monotonic()
            for entry in _since(target, wanted, newest if not seen else max(wanted.since, newest - LATE), streams):
                if entry.id in seen:
                    continue
                seen[entry.id] = entry.at
                newest = max(newest, entry.at)
                if len(seen) > bound:
                    seen = _late(seen, newest)
                    bound = max(_SEEN, 2 * len(seen))
                if there is None:
                    yield entry
                else:
                    there.append(entry)
            yield from there or ()
            there, pause, refused = None, POLL_SECONDS, 0
        except NoAnswerError as error:
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
            note(f"{error.what}; trying again in {pause:.0f} s")
        except CredentialsError as error:
            refused += 1
            if refused >= _FAILURES:
                raise
            note(f"{error.what}; reading new credentials")
            target.account.reopen()
        seen = _late(seen, newest)
        sleep(pause)


def _late(seen: Mapping[str, datetime], newest: datetime) -> dict[str, datetime]:
    """Those that another question may bring again."""
    return {id_: at for id_, at in seen.items() if at >= newest - LATE}


def _since(target: Target, wanted: Wanted, first: datetime, streams: Streams) -> Iterator[Entry]:
    """CloudWatch puts the entries of one question in order; of several questions they are merged."""
    yield from heapq.merge(
        *(_asked(target, wanted, arguments, first) for arguments in streams.questions()), key=lambda entry: entry.at
    )


def _streams(target: Target, wanted: Wanted) -> Streams:
    if wanted.revision is not None:
        return streams_of_revision(target, wanted.revision, wanted.role)
    container = f"{CONTAINERS[wanted.role]}/" if wanted.role else ""
    return Streams(prefix=f"{target.deployment}/{container}")


def _asked(target: Target, wanted: Wanted, arguments: Mapping[str, Any], first: datetime) -> Iterator[Entry]:
    limits: dict[str, Any] = {"startTime": milliseconds(first)}
    if wanted.until is not None:
        limits["endTime"] = milliseconds(wanted.until)
    if wanted.pattern:
        limits["filterPattern"] = filter_pattern(wanted.pattern)
    group = target.names.log_group
    try:
        for item in target.account.all("logs:FilterLogEvents", "events", logGroupName=group, **arguments, **limits):
            yield _entry(item)
    except AbsentError as error:
        raise no_log_group(target, error) from error


def _entry(item: Mapping[str, Any]) -> Entry:
    _, container, task = (["", "", *str(item.get("logStreamName", "")).rsplit("/", 2)])[-3:]
    at = item.get("timestamp") or item.get("ingestionTime")
    return Entry(
        at=of_milliseconds(at) if at is not None else datetime.now(UTC),
        role=ROLES.get(container, container),
        task=task,
        message=str(item.get("message", "")).rstrip("\n"),
        id=str(item.get("eventId") or (item.get("logStreamName"), at, item.get("message"))),
    )


def filter_pattern(text: str) -> str:
    """A text as CloudWatch looks for it, as it stands; a pattern stays what it is."""
    if text.startswith(_PATTERN_SIGNS):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
