"""Whether a deployment is used, told of, or to go: a pure function of what is known about it.

Days are whole days by UTC. The day of the last trace and the day that is not over are used days: with a trace on the
1st, the 9th is the first day after seven whole days without one. Unknown is not unused: where anything is not known,
nothing is told and nothing goes.

No day counts that nobody watched. LangSmith keeps most traces for 14 days (LangSmith docs: "Data retention", base
tier), so that its silence about earlier days says nothing. Therefore the count begins when the watch does, and begins
anew when nobody looked for longer than that.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from byoc.config.retention import RetentionConfig
from byoc.operations.retention_record import Record

KEPT_DAYS = 14
"""How long LangSmith holds a trace at least, so how long a watch may sleep and still miss none."""
MOST_SKEW = timedelta(minutes=5)
"""Between this clock and AWS's. Who differs by more cannot say what day it is."""


class Action(enum.StrEnum):
    """What is to be done with a deployment."""

    KEEP = "keep"
    """It is used, or has not been unused for long enough."""
    NOTIFY = "notify"
    WAIT = "wait"
    """A notice went out; the day has not come."""
    DELETE = "delete"
    ABSENT = "absent"
    """It is not deployed."""
    UNKNOWN = "unknown"
    """Something is not known; it stays."""


@dataclass(frozen=True, kw_only=True)
class NotKnown:
    """What could not be learnt, and why; for people."""

    why: str


@dataclass(frozen=True, kw_only=True)
class NotDeployed:
    """AWS says that the deployment is not there: never made, or gone."""

    why: str


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What is known about one deployment that is there. Moments have a zone."""

    now: datetime
    """By this machine's clock."""
    aws_now: datetime | NotKnown
    """By AWS's clock, when it was asked."""
    created: datetime | NotKnown
    """When the deployment was made."""
    project_created: datetime | NotKnown
    """When its tracing project was made: what an earlier project of that name held is not known."""
    last_trace: datetime | NotKnown | None
    """The newest trace; None if LangSmith holds none."""
    record: Record | NotKnown
    """What earlier looks noted."""


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What is to be done, and why."""

    action: Action
    reason: str
    unused_days: int | None = None
    """Whole days without a trace, as far as they were watched; None where that is not known."""
    notify_on: date | None = None
    """The day of the notice, if no trace comes; None after it."""
    delete_on: date | None = None
    """The first day on which it may go, if no trace comes; None where that is not known."""
    record: Record | None = None
    """What is to be noted of this look; None where nothing is."""


@dataclass(frozen=True, kw_only=True)
class _Days:
    """The evidence as days, where all of it is known."""

    today: date
    created: date
    project_created: date
    record: Record
    """What earlier looks noted, and this one with it."""

    @property
    def quiet_since(self) -> date:
        """The last day that counts as used."""
        days = (self.created, self.project_created, self.record.watched, self.record.traced)
        return max(day for day in days if day)

    @property
    def why(self) -> str:
        """Which day the count begins with."""
        quiet = self.quiet_since
        if self.record.traced == quiet:
            return f"last trace on {quiet}"
        if self.created == quiet:
            return f"deployed on {quiet}"
        if self.project_created == quiet:
            return f"its tracing project was made on {quiet}"
        return f"watched since {quiet}"


def judge(evidence: Evidence | NotDeployed, settings: RetentionConfig) -> Decision:
    """What is to be done with a deployment, given what is known about it."""
    if isinstance(evidence, NotDeployed):
        return Decision(action=Action.ABSENT, reason=evidence.why)
    known = _known(evidence, settings)
    if isinstance(known, NotKnown):
        return Decision(action=Action.UNKNOWN, reason=known.why)
    today, quiet, record = known.today, known.quiet_since, known.record
    unused = max(0, (today - quiet).days - 1)
    delete_on = quiet + timedelta(days=settings.unused_days + 1)
    told = timedelta(days=settings.unused_days - settings.notice_days)  # between notice and deletion
    if unused < settings.notice_days:
        return Decision(
            action=Action.KEEP,
            reason=known.why,
            unused_days=unused,
            notify_on=quiet + timedelta(days=settings.notice_days + 1),
            delete_on=delete_on,
            record=record,
        )
    if record.noticed is None:
        action, delete_on, notice = Action.NOTIFY, max(delete_on, today + told), ""
    else:
        delete_on = max(delete_on, record.noticed + told)
        action = Action.DELETE if today >= delete_on else Action.WAIT
        notice = f"; notice on {record.noticed}"
    return Decision(
        action=action, reason=f"{known.why}{notice}", unused_days=unused, delete_on=delete_on, record=record
    )


def _known(evidence: Evidence, settings: RetentionConfig) -> _Days | NotKnown:
    """The evidence as days, or everything that keeps it from saying something."""
    aws_now, created, project = evidence.aws_now, evidence.created, evidence.project_created
    trace, record = evidence.last_trace, evidence.record
    missing = [part.why for part in (aws_now, created, project, trace, record) if isinstance(part, NotKnown)]
    missing = list(dict.fromkeys([*missing, *_clock_faults(evidence)]))
    if (
        missing
        or isinstance(created, NotKnown)
        or isinstance(project, NotKnown)
        or isinstance(trace, NotKnown)
        or isinstance(record, NotKnown)
    ):
        return NotKnown(why="; ".join(missing))
    today = _day(evidence.now)
    noted = _Days(
        today=today, created=_day(created), project_created=_day(project), record=_noted(record, trace, today)
    )
    noticed = noted.record.noticed
    if noticed is None or (noticed - noted.quiet_since).days > settings.notice_days:
        return noted
    # It went out for days without a trace that are over, or before a trace of theirs that LangSmith told of later.
    return replace(noted, record=replace(noted.record, noticed=None))


def _clock_faults(evidence: Evidence) -> Iterator[str]:
    """Why nobody can say what day it is."""
    now, aws_now, record = evidence.now, evidence.aws_now, evidence.record
    if isinstance(aws_now, datetime) and abs(now - aws_now) > MOST_SKEW:
        yield f"the clocks differ: {_shown(now)} here, {_shown(aws_now)} at AWS; set this machine's clock"
    for what, moment in (("deployment", evidence.created), ("tracing project", evidence.project_created)):
        if isinstance(moment, datetime) and moment > now + MOST_SKEW:
            yield f"the {what} was made at {_shown(moment)}, which is yet to come: a clock is wrong"
    if isinstance(record, Record) and any(day > _day(now) for day in record.looks):
        yield f"an earlier look noted {max(record.looks)}, which is yet to come: a clock is wrong"


def _noted(record: Record, trace: datetime | None, today: date) -> Record:
    """The record with this look: the newest trace, and a watch that begins today if it slept for too long.

    A trace has the day that its container says, which may be yet to come. It came today at the latest.
    """
    traces = [min(day, today) for day in (record.traced, _day(trace) if trace else None) if day]
    slept = record.looked is None or (today - record.looked).days >= KEPT_DAYS
    watched = today if slept or record.watched is None else record.watched
    return Record(watched=watched, looked=today, traced=max(traces, default=None), noticed=record.noticed)


def _day(moment: datetime) -> date:
    return moment.astimezone(UTC).date()


def _shown(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
