"""Points in time as people write and read them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from byoc.errors import InputError

_SPAN = re.compile(r"(\d{1,6})([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


_FIRST = datetime(1970, 1, 1, tzinfo=UTC)
"""Before this, services of AWS's know no time."""


def moment(text: str, now: datetime, *, option: str, may_come: bool = False) -> datetime:
    """The moment that an option means, in UTC: so long before ``now`` (``15m``, ``2h``, ``3d``), or a time in ISO 8601.

    A time without a zone is UTC; one before 1970 is 1970. Raises :class:`~byoc.errors.InputError` for anything else,
    and for a moment that is still to come unless ``may_come``.
    """
    span = _SPAN.fullmatch(text.strip())
    try:
        if span:
            found = now - timedelta(**{_UNITS[span.group(2)]: int(span.group(1))})
        else:
            found = datetime.fromisoformat(text.strip())
            found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise InputError(
            f"{option} is '{text}'\n"
            "      allowed:  a span such as 90s, 15m, 2h, 3d or 1w, or a time in ISO 8601: 2026-05-01T08:00:00Z\n"
            f"      mend it:  {option} 1h"
        ) from None
    if found > now and not may_come:
        raise InputError(
            f"{option} is '{text}', which is still to come: now it is {iso(now)}\n"
            "      allowed:  a moment that has passed; without a zone, a time is UTC\n"
            f"      mend it:  {option} 1h"
        )
    return max(found, _FIRST)


def iso(at: datetime, *, parts: str = "seconds") -> str:
    """ISO 8601 in UTC: ``2026-05-01T08:00:00Z``; ``parts``: how fine, as ``datetime.isoformat`` names it."""
    return at.astimezone(UTC).isoformat(timespec=parts).replace("+00:00", "Z")


def of_milliseconds(value: int) -> datetime:
    """The moment of a time stamp of CloudWatch Logs."""
    return datetime.fromtimestamp(value / 1000, UTC)


def milliseconds(at: datetime) -> int:
    """The time stamp of CloudWatch Logs for a moment."""
    return round(at.timestamp() * 1000)
