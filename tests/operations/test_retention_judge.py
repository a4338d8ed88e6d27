"""Whether a deployment is told of or goes, by what is known about it: a table, and what holds for every case."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from byoc.config.retention import RetentionConfig
from byoc.operations.retention.judge import KEPT_DAYS, Action, Decision, Evidence, NotDeployed, NotKnown, judge
from byoc.operations.retention_record import Record

DEFAULTS = RetentionConfig()
DAY = timedelta(days=1)
FIRST = date(2026, 1, 1)
"""Nothing in these tests is older."""


def at(day: date, hour: int = 12) -> datetime:
    """A moment of a day."""
    return datetime.combine(day, time(hour), UTC)


def evidence(today: date, *, trace: date | None = None, record: Record | None = None, **more: Any) -> Evidence:
    """Of a deployment and a project from the first day on, watched every day since, unless told otherwise."""
    watched = Record(watched=FIRST, looked=today - DAY, traced=None)
    known: dict[str, Any] = {
        "now": at(today),
        "aws_now": at(today),
        "created": at(FIRST),
        "project_created": at(FIRST),
        "last_trace": at(trace) if trace else None,
        "record": watched if record is None else record,
    }
    return Evidence(**{**known, **more})


def noticed(day: date, today: date) -> Record:
    """A record with a notice, of a watch every day."""
    return Record(watched=FIRST, looked=today - DAY, noticed=day)


def without(case: Evidence, part: str, why: str) -> Evidence:
    """The case with a part that is not known."""
    unknown: dict[str, Any] = {part: NotKnown(why=why)}
    return replace(case, **unknown)


# A trace on the 1st of June: the 9th is the first day after 7 whole days without one, the 30th that after 28.
TRACE = date(2026, 6, 1)


@pytest.mark.parametrize(
    ("today", "notice", "action", "unused", "deletion"),
    [
        (date(2026, 6, 1), None, Action.KEEP, 0, date(2026, 6, 30)),
        (date(2026, 6, 2), None, Action.KEEP, 0, date(2026, 6, 30)),
        (date(2026, 6, 8), None, Action.KEEP, 6, date(2026, 6, 30)),
        (date(2026, 6, 9), None, Action.NOTIFY, 7, date(2026, 6, 30)),
        (date(2026, 6, 10), date(2026, 6, 9), Action.WAIT, 8, date(2026, 6, 30)),
        (date(2026, 6, 29), date(2026, 6, 9), Action.WAIT, 27, date(2026, 6, 30)),
        (date(2026, 6, 30), date(2026, 6, 9), Action.DELETE, 28, date(2026, 6, 30)),
        (date(2026, 8, 30), date(2026, 6, 9), Action.DELETE, 89, date(2026, 6, 30)),
        # A late notice puts the deletion off: it stands for 21 days.
        (date(2026, 7, 20), None, Action.NOTIFY, 48, date(2026, 8, 10)),
        (date(2026, 8, 9), date(2026, 7, 20), Action.WAIT, 68, date(2026, 8, 10)),
        (date(2026, 8, 10), date(2026, 7, 20), Action.DELETE, 69, date(2026, 8, 10)),
        # A notice of days without a trace that are over is none.
        (date(2026, 6, 20), date(2026, 5, 20), Action.NOTIFY, 18, date(2026, 7, 11)),
        (date(2026, 6, 20), TRACE, Action.NOTIFY, 18, date(2026, 7, 11)),
        (date(2026, 6, 5), date(2026, 5, 20), Action.KEEP, 3, date(2026, 6, 30)),
        # Nor is one that went out before a trace of an earlier day was told of.
        (date(2026, 6, 5), date(2026, 6, 2), Action.KEEP, 3, date(2026, 6, 30)),
        (date(2026, 6, 9), date(2026, 6, 8), Action.NOTIFY, 7, date(2026, 6, 30)),
    ],
)
def test_the_days_decide(today: date, notice: date | None, action: Action, unused: int, deletion: date) -> None:
    record = Record(watched=FIRST, looked=today - DAY, noticed=notice)
    decision = judge(evidence(today, trace=TRACE, record=record), DEFAULTS)
    assert (decision.action, decision.unused_days, decision.delete_on) == (action, unused, deletion)


def test_a_used_deployment_says_when_its_notice_would_be() -> None:
    assert judge(evidence(date(2026, 6, 3), trace=TRACE), DEFAULTS) == Decision(
        action=Action.KEEP,
        reason="last trace on 2026-06-01",
        unused_days=1,
        notify_on=date(2026, 6, 9),
        delete_on=date(2026, 6, 30),
        record=Record(watched=FIRST, looked=date(2026, 6, 3), traced=TRACE),
    )


def test_a_deletion_says_why() -> None:
    today = date(2026, 6, 30)
    decision = judge(evidence(today, trace=TRACE, record=noticed(date(2026, 6, 9), today)), DEFAULTS)
    assert decision.reason == "last trace on 2026-06-01; notice on 2026-06-09"


def test_other_days_can_be_chosen() -> None:
    settings = RetentionConfig.model_validate({"noticeDays": 1, "unusedDays": 2})
    found = [judge(evidence(TRACE + days * DAY, trace=TRACE), settings).action for days in range(4)]
    assert found == [Action.KEEP, Action.KEEP, Action.NOTIFY, Action.NOTIFY]
    told = noticed(TRACE + 2 * DAY, TRACE + 3 * DAY)
    assert judge(evidence(TRACE + 3 * DAY, trace=TRACE, record=told), settings).action is Action.DELETE


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"created": at(date(2026, 6, 20))}, "deployed on 2026-06-20"),
        ({"project_created": at(date(2026, 6, 20))}, "its tracing project was made on 2026-06-20"),
        ({"record": Record(watched=date(2026, 6, 20), looked=date(2026, 6, 29))}, "watched since 2026-06-20"),
        (
            {"record": Record(watched=FIRST, looked=date(2026, 6, 29), traced=date(2026, 6, 20))},
            "last trace on 2026-06-20",
        ),
        ({"last_trace": at(date(2026, 6, 20))}, "last trace on 2026-06-20"),
    ],
)
def test_the_count_begins_with_the_last_of_the_days_that_count_as_used(more: dict[str, Any], reason: str) -> None:
    decision = judge(evidence(date(2026, 6, 30), **more), DEFAULTS)
    assert (decision.action, decision.unused_days) == (Action.NOTIFY, 9)
    assert decision.reason == reason


def test_days_that_nobody_watched_do_not_count() -> None:
    today = date(2026, 6, 30)
    first_look = judge(evidence(today, trace=TRACE, record=Record()), DEFAULTS)
    assert (first_look.action, first_look.unused_days) == (Action.KEEP, 0)
    assert first_look.reason == "watched since 2026-06-30"
    assert first_look.record == Record(watched=today, looked=today, traced=TRACE)


@pytest.mark.parametrize(("slept", "watched"), [(1, FIRST), (KEPT_DAYS - 1, FIRST), (KEPT_DAYS, date(2026, 6, 30))])
def test_a_watch_that_sleeps_longer_than_traces_are_kept_begins_anew(slept: int, watched: date) -> None:
    today = date(2026, 6, 30)
    record = Record(watched=FIRST, looked=today - slept * DAY, noticed=date(2026, 6, 9))
    decision = judge(evidence(today, trace=TRACE, record=record), DEFAULTS)
    assert decision.record is not None
    assert decision.record.watched == watched
    assert decision.action is (Action.DELETE if watched == FIRST else Action.KEEP)
    assert (decision.record.noticed is None) == (watched == today)


def test_days_are_those_of_utc() -> None:
    evening = datetime(2026, 6, 8, 19, tzinfo=timezone(timedelta(hours=-7)))  # the 9th, 02:00 UTC
    case = evidence(date(2026, 6, 9), trace=TRACE, now=evening, aws_now=evening)
    assert judge(case, DEFAULTS).action is Action.NOTIFY
    night = datetime(2026, 6, 2, 1, tzinfo=timezone(timedelta(hours=5)))  # the 1st, 20:00 UTC
    assert judge(evidence(date(2026, 6, 9), last_trace=night), DEFAULTS).action is Action.NOTIFY


@pytest.mark.parametrize(
    ("trace", "notice", "deletion"),
    [
        (date(2028, 2, 20), date(2028, 2, 28), date(2028, 3, 20)),  # with a 29th of February
        (date(2027, 2, 20), date(2027, 2, 28), date(2027, 3, 21)),  # without
        (date(2026, 12, 24), date(2027, 1, 1), date(2027, 1, 22)),
        (date(2026, 10, 24), date(2026, 11, 1), date(2026, 11, 22)),  # the night in which Europe sets its clocks back
        (date(2027, 3, 13), date(2027, 3, 21), date(2027, 4, 11)),  # that in which America sets them forward
    ],
)
def test_months_leap_days_and_clock_changes_make_no_day_longer(trace: date, notice: date, deletion: date) -> None:
    for hour in (0, 23):
        last = evidence(notice - DAY, trace=trace, now=at(notice - DAY, hour), aws_now=at(notice - DAY, hour))
        assert (judge(last, DEFAULTS).action, judge(last, DEFAULTS).notify_on) == (Action.KEEP, notice)
        first = evidence(notice, trace=trace, now=at(notice, hour), aws_now=at(notice, hour))
        assert (judge(first, DEFAULTS).action, judge(first, DEFAULTS).delete_on) == (Action.NOTIFY, deletion)
        told = noticed(notice, deletion)
        due = evidence(deletion, trace=trace, record=told, now=at(deletion, hour), aws_now=at(deletion, hour))
        assert judge(due, DEFAULTS).action is Action.DELETE


def test_what_is_not_deployed_is_nobody_s_business() -> None:
    assert judge(NotDeployed(why="not deployed"), DEFAULTS) == Decision(action=Action.ABSENT, reason="not deployed")


DUE = evidence(date(2026, 6, 30), trace=TRACE, record=noticed(date(2026, 6, 9), date(2026, 6, 30)))
PARTS = ("aws_now", "created", "project_created", "last_trace", "record")


@pytest.mark.parametrize("part", PARTS)
def test_unknown_is_not_unused(part: str) -> None:
    assert judge(DUE, DEFAULTS).action is Action.DELETE
    assert judge(without(DUE, part, "throttled"), DEFAULTS) == Decision(action=Action.UNKNOWN, reason="throttled")


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        (
            {"aws_now": at(date(2026, 6, 29))},
            "the clocks differ: 2026-06-30 12:00 UTC here, 2026-06-29 12:00 UTC at AWS; set this machine's clock",
        ),
        (
            {"aws_now": at(date(2026, 6, 30)) + timedelta(minutes=6)},
            "the clocks differ: 2026-06-30 12:00 UTC here, 2026-06-30 12:06 UTC at AWS; set this machine's clock",
        ),
        (
            {"created": at(date(2026, 7, 2))},
            "the deployment was made at 2026-07-02 12:00 UTC, which is yet to come: a clock is wrong",
        ),
        (
            {"project_created": at(date(2026, 7, 2))},
            "the tracing project was made at 2026-07-02 12:00 UTC, which is yet to come: a clock is wrong",
        ),
        (
            {"record": Record(watched=FIRST, looked=date(2026, 7, 1))},
            "an earlier look noted 2026-07-01, which is yet to come: a clock is wrong",
        ),
    ],
)
def test_a_clock_that_cannot_be_right_deletes_nothing(more: dict[str, Any], reason: str) -> None:
    assert judge(replace(DUE, **more), DEFAULTS) == Decision(action=Action.UNKNOWN, reason=reason)


def test_a_clock_that_is_off_by_less_than_minutes_is_right() -> None:
    close = replace(DUE, aws_now=at(date(2026, 6, 30)) - timedelta(minutes=5))
    assert judge(close, DEFAULTS).action is Action.DELETE


@pytest.mark.parametrize("day", [date(2026, 7, 9), date.max])
def test_a_trace_that_is_yet_to_come_came_today(day: date) -> None:
    today = date(2026, 6, 30)
    for case in (
        replace(DUE, last_trace=at(day)),
        replace(DUE, record=Record(watched=FIRST, looked=today - DAY, traced=day)),
    ):
        decision = judge(case, DEFAULTS)
        assert (decision.action, decision.unused_days) == (Action.KEEP, 0)
        assert decision.record == Record(watched=FIRST, looked=today, traced=today)


# What holds for every case

days = st.integers(0, 400).map(lambda number: FIRST + number * DAY)
moments = st.builds(at, days, st.integers(0, 23))
records = st.builds(
    Record, watched=st.none() | days, looked=st.none() | days, traced=st.none() | days, noticed=st.none() | days
)
cases = st.builds(
    lambda now, **parts: Evidence(now=now, aws_now=now, **parts),
    moments,
    created=moments,
    project_created=moments,
    last_trace=st.none() | moments,
    record=records,
)
chosen = st.tuples(st.integers(1, 60), st.integers(1, 60)).map(
    lambda pair: RetentionConfig.model_validate({"noticeDays": pair[0], "unusedDays": sum(pair)})
)
ORDER = (Action.KEEP, Action.NOTIFY, Action.WAIT, Action.DELETE)


@given(cases, chosen, st.sampled_from(PARTS))
def test_nothing_is_told_or_deleted_where_anything_is_unknown(
    case: Evidence, settings: RetentionConfig, part: str
) -> None:
    decision = judge(without(case, part, "?"), settings)
    assert decision.action is Action.UNKNOWN
    assert (decision.record, decision.delete_on) == (None, None)


anything = st.builds(
    Evidence,
    now=moments,
    aws_now=st.builds(NotKnown, why=st.just("?")) | moments,
    created=st.builds(NotKnown, why=st.just("?")) | moments,
    project_created=st.builds(NotKnown, why=st.just("?")) | moments,
    last_trace=st.none() | st.builds(NotKnown, why=st.just("?")) | moments,
    record=st.builds(NotKnown, why=st.just("?")) | records,
)


@given(anything, chosen)
def test_no_mixture_of_unknowns_and_clocks_tells_or_deletes(case: Evidence, settings: RetentionConfig) -> None:
    decision = judge(case, settings)
    known = not any(isinstance(getattr(case, part), NotKnown) for part in PARTS)
    on_time = isinstance(case.aws_now, datetime) and abs(case.now - case.aws_now) <= timedelta(minutes=5)
    if not known or not on_time:
        assert decision.action is Action.UNKNOWN
        assert (decision.record, decision.delete_on, decision.notify_on) == (None, None, None)
        assert decision.reason
    elif decision.action is Action.UNKNOWN:
        assert "yet to come" in decision.reason


@given(cases, chosen)
def test_what_is_deleted_was_unused_watched_and_told_of_for_long_enough(
    case: Evidence, settings: RetentionConfig
) -> None:
    decision = judge(case, settings)
    if decision.action is not Action.DELETE:
        return
    today, least = case.now.date(), settings.unused_days * DAY
    record = case.record
    assert isinstance(case.created, datetime)
    assert isinstance(record, Record)
    assert record.watched is not None
    assert record.looked is not None
    assert record.noticed is not None
    assert today - case.created.date() > least
    assert today - record.watched > least
    assert today - record.looked < KEPT_DAYS * DAY
    assert today - record.noticed >= (settings.unused_days - settings.notice_days) * DAY
    assert all(today - day > least for day in (record.traced,) if day)
    if isinstance(case.last_trace, datetime):
        assert today - case.last_trace.date() > least


@given(cases, chosen, st.integers(0, 1))
def test_a_trace_always_resets(case: Evidence, settings: RetentionConfig, ago: int) -> None:
    decision = judge(replace(case, last_trace=case.now - ago * DAY), settings)
    assert decision.action in (Action.KEEP, Action.UNKNOWN)
    if decision.record is not None:
        assert decision.unused_days == 0
        assert decision.record.noticed is None


@given(cases, chosen, st.integers(1, KEPT_DAYS - 1))
def test_time_alone_never_takes_anything_back(case: Evidence, settings: RetentionConfig, later: int) -> None:
    first = judge(case, settings)
    if first.record is None:
        return
    then = case.now + later * DAY
    second = judge(replace(case, now=then, aws_now=then, record=first.record), settings)
    assert ORDER.index(second.action) >= ORDER.index(first.action)
    assert (second.unused_days or 0) >= (first.unused_days or 0)
    assert (second.unused_days or 0) <= (first.unused_days or 0) + later


@given(days, chosen)
def test_a_look_every_day_tells_once_and_deletes_on_the_day_that_it_said(
    start: date, settings: RetentionConfig
) -> None:
    record, told, ends = Record(), [], set()
    for number in range(settings.unused_days + 2):
        today = start + number * DAY
        made = {"created": at(start), "project_created": at(start)}
        decision = judge(evidence(today, record=record, **made), settings)
        assert decision.record is not None
        ends.add(decision.delete_on)
        record = decision.record
        if decision.action is Action.NOTIFY:
            told.append(today)
            record = replace(record, noticed=today)
        assert (decision.action is Action.DELETE) == (number > settings.unused_days)
    assert told == [start + (settings.notice_days + 1) * DAY]
    assert ends == {start + (settings.unused_days + 1) * DAY}


@given(records)
def test_a_record_is_read_back_as_it_was_written(record: Record) -> None:
    assert Record.of_text(record.text()) == record
    assert len(record.text()) <= 256  # the most that a tag's value may have


@pytest.mark.parametrize("text", ["", "watched=yesterday", "watched=2026-01-01 deleted=2026-01-02", "x", "="])
def test_a_record_that_nobody_wrote_is_empty(text: str) -> None:
    assert Record.of_text(text) == Record()
