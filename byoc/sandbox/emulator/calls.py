"""The log of AWS calls: who called what, where, with which outcome; never with which parameter values."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

CAPACITY = 200_000
"""Records kept; the oldest go first. About 100 MB when full."""


@dataclass(frozen=True, kw_only=True)
class Call:
    """One AWS request.

    ``index`` counts requests as they come in, ``time`` is when the answer was ready, UTC in ISO 8601 with milliseconds,
    ``principal`` the caller's ARN (empty when the key is unknown),
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
        self._next = 0
        self._lock = threading.Lock()

    def arrived(self) -> int:
        """Count a request that has come in: the index that it will be recorded with."""
        with self._lock:
            self._next += 1
            return self._next - 1

    def record(
        self,
        *,
        index: int,
        principal: str,
        action: str,
        outcome: str,
        account: str,
        region: str,
        run: str,
        resources: Sequence[str],
    ) -> None:
        """Add one call, now that its answer is ready."""
        time = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        with self._lock:
            self._calls.append(
                Call(
                    index=index,
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
        """The calls with at least this index, of one run if ``run`` is given, as answered, at most ``limit``.

        A call that came in before and is answered later is not among them: its caller was there before.
        """
        with self._lock:
            calls = list(self._calls)
        chosen = (call for call in calls if call.index >= index and run in (None, call.run))
        return [asdict(call) for call in islice(chosen, limit)]

    def next_index(self) -> int:
        """The index that the next call will have."""
        with self._lock:
            return self._next

    def clear(self) -> None:
        """Forget all calls and count from zero again."""
        with self._lock:
            self._calls.clear()
            self._next = 0
