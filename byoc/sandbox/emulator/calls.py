"""The log of AWS calls: who called what, where, with which outcome; never with which parameter values."""

from __future__ import annotations

import itertools
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

CAPACITY = 200_000
"""Records kept; the oldest go first. About 100 MB when full."""


@dataclass(frozen=True, kw_only=True)
class Call:
    """One AWS request.

    ``time`` is UTC in ISO 8601 with milliseconds, ``principal`` the caller's ARN (empty when the key is unknown),
    ``action`` such as ``ec2:CreateVpc``; ``outcome`` is ``ok``, ``denied`` or the AWS error code; ``run`` the id from
    the caller's user agent; ``resources`` the ARNs that the call was authorised on.
    """

    index: int
    time: str
    principal: str
    action: str
    outcome: str
    account: str
    region: str
    run: str
    resources: tuple[str, ...]


class CallLog:
    """Calls in the order in which they were answered; safe to use from many threads."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._calls: deque[Call] = deque(maxlen=capacity)
        self._numbers = itertools.count()
        self._lock = threading.Lock()

    def record(
        self,
        *,
        principal: str,
        action: str,
        outcome: str,
        account: str,
        region: str,
        run: str,
        resources: Sequence[str],
    ) -> None:
        """Add one call; its index is one more than that of the call before."""
        time = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        with self._lock:
            self._calls.append(
                Call(
                    index=next(self._numbers),
                    time=time,
                    principal=principal,
                    action=action,
                    outcome=outcome,
                    account=account,
                    region=region,
                    run=run,
                    resources=tuple(resources),
                )
            )

    def since(self, index: int = 0, *, run: str | None = None, limit: int | None = None) -> list[dict[str, Any]]:
        """The calls with at least this index, of one run if ``run`` is given, oldest first, at most ``limit``."""
        with self._lock:
            calls = list(self._calls)
        first = max(0, index - calls[0].index) if calls else 0
        chosen = (call for call in itertools.islice(calls, first, None) if run is None or call.run == run)
        return [asdict(call) for call in itertools.islice(chosen, limit)]

    def next_index(self) -> int:
        """The index that the next call will have."""
        with self._lock:
            return self._calls[-1].index + 1 if self._calls else 0

    def clear(self) -> None:
        """Forget all calls and count from zero again."""
        with self._lock:
            self._calls.clear()
            self._numbers = itertools.count()
