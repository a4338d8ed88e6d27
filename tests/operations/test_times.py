"""Moments as they are written on the command line: spans, times, and what is neither."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from byoc.errors import InputError
from byoc.operations.times import iso, moment

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90s", "2026-05-01T11:58:30Z"),
        ("15m", "2026-05-01T11:45:00Z"),
        ("2h", "2026-05-01T10:00:00Z"),
        ("3d", "2026-04-28T12:00:00Z"),
        ("1w", "2026-04-24T12:00:00Z"),
        ("2026-04-30", "2026-04-30T00:00:00Z"),
        ("2026-04-30T08:30", "2026-04-30T08:30:00Z"),
        ("2026-04-30T08:30:00Z", "2026-04-30T08:30:00Z"),
        ("2026-04-30T08:30:00+02:00", "2026-04-30T06:30:00Z"),
        ("1900-01-01", "1970-01-01T00:00:00Z"),
    ],
)
def test_a_moment_is_a_span_or_a_time(text: str, expected: str) -> None:
    assert iso(moment(text, NOW, option="--since")) == expected


@pytest.mark.parametrize("text", ["", "yesterday", "5", "5x", "-5m", "999999w", "2026-13-01", "0001-01-01T00:00+14:00"])
def test_what_is_neither_is_refused_with_what_is_allowed(text: str) -> None:
    with pytest.raises(InputError) as caught:
        moment(text, NOW, option="--since")
    assert str(caught.value) == (
        f"--since is '{text}'\n"
        "      allowed:  a span such as 90s, 15m, 2h, 3d or 1w, or a time in ISO 8601: 2026-05-01T08:00:00Z\n"
        "      mend it:  --since 1h"
    )


def test_a_moment_that_is_still_to_come_is_refused_unless_it_may() -> None:
    with pytest.raises(InputError) as caught:
        moment("2026-05-01T14:00:01+02:00", NOW, option="--since")
    assert str(caught.value) == (
        "--since is '2026-05-01T14:00:01+02:00', which is still to come: now it is 2026-05-01T12:00:00Z\n"
        "      allowed:  a moment that has passed; without a zone, a time is UTC\n"
        "      mend it:  --since 1h"
    )
    assert iso(moment("2026-06-01", NOW, option="--until", may_come=True)) == "2026-06-01T00:00:00Z"
