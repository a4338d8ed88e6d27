"""Entries of several deployments: merged in time, each on its own when another cannot be read."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from byoc.errors import ByocError
from byoc.operations.answers import DeniedError
from byoc.operations.log_merge import Line, Unread, all_lines, follow_lines, newest_lines
from byoc.operations.logs import Wanted
from byoc.operations.targets import Target
from byoc.operations.times import milliseconds
from tests.operations.fake_account import FakeAccount, target

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
HOUR = Wanted(since=NOW - timedelta(hours=1))
DENIED = DeniedError("logs:FilterLogEvents", "")


def entries(*seconds: int) -> dict[str, Any]:
    return {
        "events": [
            {
                "eventId": str(number),
                "timestamp": milliseconds(NOW + timedelta(seconds=number)),
                "message": f"at {number}",
                "logStreamName": "chat/server/a1",
            }
            for number in seconds
        ]
    }


def wrote(stack: str, answer: object) -> Target:
    """A deployment whose log group answers so."""
    return replace(target(FakeAccount({"logs:FilterLogEvents": answer})), stack=stack)


def shown(found: Iterator[Line | Unread]) -> list[str]:
    return [
        f"{line.target.stack} {line.entry.message if isinstance(line, Line) else line.error.__class__.__name__}"
        for line in found
    ]


def test_entries_of_several_come_in_order_of_time() -> None:
    chosen = [wrote("a", entries(1, 4, 5)), wrote("b", entries(2, 3, 6))]
    expected = ["a at 1", "b at 2", "b at 3", "a at 4", "a at 5", "b at 6"]
    assert shown(newest_lines(chosen, HOUR, 100)) == expected
    assert shown(all_lines(chosen, HOUR)) == expected


def test_the_newest_are_the_newest_over_all() -> None:
    chosen = [wrote("a", entries(1, 2, 3)), wrote("b", entries(10, 11)), wrote("c", entries(4))]
    assert shown(newest_lines(chosen, HOUR, 3)) == ["c at 4", "b at 10", "b at 11"]


def test_one_that_cannot_be_read_hides_no_other() -> None:
    chosen = [wrote("a", entries(1)), wrote("b", DENIED), wrote("c", entries(2))]
    expected = ["b DeniedError", "a at 1", "c at 2"]
    assert shown(newest_lines(chosen, HOUR, 100)) == expected
    assert shown(all_lines(chosen, HOUR)) == expected


def test_an_error_that_nobody_expected_is_not_swallowed() -> None:
    chosen = [wrote("a", entries(1)), wrote("b", RuntimeError("a fault of ours"))]
    for read in (newest_lines(chosen, HOUR, 9), all_lines(chosen, HOUR), follow_lines(chosen, HOUR, note=_no_note)):
        with pytest.raises(RuntimeError, match="a fault of ours"):
            list(read)


def test_following_brings_the_entries_of_all_and_ends_when_none_can_be_read() -> None:
    def until_denied(*answers: dict[str, Any]) -> object:
        rounds: Iterator[dict[str, Any]] = iter(answers)
        return lambda _: next(rounds, DENIED)

    chosen = [wrote("a", until_denied(entries(1), entries(1, 3))), wrote("b", until_denied(entries(2)))]
    found = shown(follow_lines(chosen, HOUR, note=_no_note, sleep=lambda _: None))
    assert sorted(found) == ["a DeniedError", "a at 1", "a at 3", "b DeniedError", "b at 2"]
    assert [line for line in found if line.startswith("a")] == ["a at 1", "a at 3", "a DeniedError"]


def test_many_are_followed_few_at_a_time_and_each_less_often() -> None:
    busy, most, pauses, lock = [0], [0], set(), threading.Lock()

    def answer(_: dict[str, Any]) -> dict[str, Any]:
        with lock:
            busy[0] += 1
            most[0] = max(most[0], busy[0])
        time.sleep(0.01)
        with lock:
            busy[0] -= 1
        return entries(1)

    def sleep(seconds: float) -> None:
        pauses.add(seconds)
        time.sleep(0.01)

    chosen = [wrote(f"s{number:03d}", answer) for number in range(50)]
    reading = follow_lines(chosen, HOUR, note=_no_note, sleep=sleep)
    stacks = {next(reading).target.stack for _ in chosen}
    reading.close()  # type: ignore[attr-defined]
    assert len(stacks) == 50
    assert 1 < most[0] <= 16
    assert pauses == {8.0}  # two seconds for each sixteen


def test_nobody_is_asked_any_more_once_the_reader_stops() -> None:
    chosen = [wrote(stack, entries(number)) for number, stack in enumerate("abc")]
    reading = follow_lines(chosen, HOUR, note=_no_note)
    next(reading)
    reading.close()  # type: ignore[attr-defined]
    for thread in threading.enumerate():
        if thread.name.startswith("follow-"):
            thread.join(timeout=10)
            assert not thread.is_alive()


def test_a_line_s_document_says_whose_it_is() -> None:
    (line,) = newest_lines([wrote("demo-chat", entries(1))], HOUR, 9)
    assert isinstance(line, Line)
    assert list(line.document) == ["stack", "deployment", "time", "role", "task", "message", "id"]
    assert (line.document["stack"], line.document["deployment"]) == ("demo-chat", "chat")


def _no_note(_: Target, text: str) -> None:
    raise ByocError(text)
