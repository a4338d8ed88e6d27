"""What the containers of a deployment wrote, in order of time across them.

Each container writes into a stream of its own, ``<deployment>/<container>/<task>``, of the install's one log group.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from byoc.errors import ByocError, InputError
from byoc.operations.answers import AbsentError, CredentialsError, NoAnswerError
from byoc.operations.log_streams import CONTAINERS, ROLES, Streams, streams_of_revision
from byoc.operations.targets import Target
from byoc.operations.times import iso, milliseconds, of_milliseconds

POLL_SECONDS = 2.0
"""Between two questions of ``follow``."""
LONGEST_PAUSE_SECONDS = 30.0
"""The most that ``follow`` waits when AWS is too busy."""
LATE = timedelta(seconds=30)
"""How late an entry may come and still be followed: containers send theirs in bundles, each on its own."""
_PATTERN_SIGNS = ("{", "[", '"', "?", "-", "%")
"""What a filter pattern of CloudWatch begins with that is more than a text."""
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
    streams = _streams(target, wanted)
    for arguments in streams.questions():
        yield from _asked(target, wanted, arguments, wanted.since)


def follow(
    target: Target,
    wanted: Wanted,
    *,
    note: Callable[[str], None],
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Entry]:
    """The entries, and then each new one, until the caller stops; none comes twice.

    A busy AWS is asked again after longer and longer pauses; with credentials that have expired, new ones are read.
    ``note`` is told of both.
    """
    seen: dict[str, datetime] = {}
    newest, pause, refused = wanted.since, POLL_SECONDS, 0
    while True:
        try:
            for entry in _since(target, wanted, newest if not seen else max(wanted.since, newest - LATE)):
                if entry.id not in seen:
                    seen[entry.id] = entry.at
                    newest = max(newest, entry.at)
                    yield entry
            pause, refused = POLL_SECONDS, 0
        except NoAnswerError as error:
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
            note(f"{error.what}; trying again in {pause:.0f} s")
        except CredentialsError as error:
            refused += 1
            if refused >= _FAILURES:
                raise
            note(f"{error.what}; reading new credentials")
            target.account.reopen()
        seen = {id_: at for id_, at in seen.items() if at >= newest - LATE}
        sleep(pause)


def _since(target: Target, wanted: Wanted, first: datetime) -> Iterator[Entry]:
    for arguments in _streams(target, wanted).questions():
        yield from _asked(target, wanted, arguments, first)


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
        raise ByocError(
            f"there is no log group {group} in account {target.account.account.account_id}, "
            f"{target.account.account.region}: {error}\n"
            "      mend it:  see whether the account stack is up, and whether byoc:namePrefix is the same in both"
        ) from error


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
