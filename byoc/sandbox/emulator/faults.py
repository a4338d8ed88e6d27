"""Faults and latency on request: throttling, server errors, lost answers; seeded, so that a run can be repeated."""

from __future__ import annotations

import fnmatch
import random
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Literal, Self

from byoc.sandbox.emulator.answers import INTERNAL_ERROR, THROTTLED, UNAVAILABLE, AwsError

Kind = Literal["throttle", "500", "503", "drop"]
When = Literal["before", "after"]

_ERRORS: Mapping[str, AwsError] = {
    "throttle": AwsError("Rate exceeded", THROTTLED),
    "500": AwsError("An internal error has occurred. Retry your request.", INTERNAL_ERROR),
    "503": AwsError("The service is unable to handle your request.", UNAVAILABLE),
}
_READS = ("Describe", "Get", "List", "Head", "BatchGet", "Lookup", "Search", "Simulate")


def is_read(operation: str) -> bool:
    """Whether an operation only reads, by AWS's naming."""
    return operation.startswith(_READS)


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A fault that calls may meet.

    ``kind``: ``throttle``, ``500``, ``503``, or ``drop`` (the connection closes without an answer). ``when``:
    ``before`` the call is carried out (nothing happens), or ``after`` it (it happened, but the caller is not told).
    ``actions``: patterns such as ``rds:*``; ``run``: only calls of that run; ``writes_only``: not calls that only read.
    ``at``: exactly the k-th matching call, counted from 1; otherwise each with ``probability`` (default: every one),
    drawn from ``seed``, and at most ``limit`` times (default: no limit).
    """

    kind: Kind
    when: When = "before"
    actions: tuple[str, ...] = ("*",)
    run: str | None = None
    writes_only: bool = False
    at: int | None = None
    probability: float = 1.0
    seed: int = 0
    limit: int | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be meant; ``ValueError`` names the field."""
        if self.kind not in ("throttle", "500", "503", "drop"):
            raise ValueError(f"kind is {self.kind!r}; allowed: throttle, 500, 503, drop")
        if self.when not in ("before", "after"):
            raise ValueError(f"when is {self.when!r}; allowed: before, after")
        if not 0 <= self.probability <= 1:
            raise ValueError(f"probability is {self.probability}; allowed: 0 to 1")
        if self.at is not None and self.at < 1:
            raise ValueError(f"at is {self.at}; calls are counted from 1")

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """A fault from the control API; ``ValueError`` on an unknown field."""
        return cls(**_known_fields(cls, value))

    @property
    def error(self) -> AwsError | None:
        """What the caller is told; None for a dropped connection."""
        return _ERRORS.get(self.kind)


@dataclass(frozen=True, kw_only=True)
class Latency:
    """How long matching calls take, in seconds; the first match counts."""

    seconds: float
    actions: tuple[str, ...] = ("*",)
    run: str | None = None

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """A latency from the control API; ``ValueError`` on an unknown field."""
        return cls(**_known_fields(cls, value))


@dataclass
class _Armed:
    fault: Fault
    dice: random.Random
    seen: int = 0
    fired: int = 0


@dataclass
class Disturbances:
    """The faults and latencies that are set; safe to use from many threads."""

    _armed: list[_Armed] = field(default_factory=list)
    _latencies: tuple[Latency, ...] = ()
    _times_replaced: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _replaced: threading.Condition = field(default_factory=threading.Condition)

    def set_faults(self, faults: Iterable[Fault]) -> None:
        """Replace all faults; their counts start again."""
        with self._lock:
            self._armed = [_Armed(fault, random.Random(fault.seed)) for fault in faults]  # noqa: S311 - no secret

    def set_latency(self, latencies: Iterable[Latency]) -> None:
        """Replace all latencies; who waits because of an earlier one goes on at once."""
        with self._replaced:
            self._latencies = tuple(latencies)
            self._times_replaced += 1
            self._replaced.notify_all()

    def pause(self, action: str, run: str) -> None:
        """Wait as long as a call takes beyond its own work."""
        with self._replaced:
            seconds = self._seconds(action, run)
            if seconds > 0:
                now = self._times_replaced
                self._replaced.wait_for(lambda: self._times_replaced != now, seconds)

    def _seconds(self, action: str, run: str) -> float:
        for latency in self._latencies:
            if _matches(action, latency.actions) and latency.run in (None, run):
                return latency.seconds
        return 0.0

    def draw(self, action: str, operation: str, run: str) -> Fault | None:
        """The fault that this call meets; counts the call for every fault that it matches."""
        if not self._armed:
            return None
        hit: Fault | None = None
        with self._lock:
            for armed in self._armed:
                fault = armed.fault
                if fault.run not in (None, run) or (fault.writes_only and is_read(operation)):
                    continue
                if _matches(action, fault.actions) and self._fires(armed) and hit is None:
                    armed.fired += 1
                    hit = fault
        return hit

    @staticmethod
    def _fires(armed: _Armed) -> bool:
        armed.seen += 1
        fault = armed.fault
        if fault.at is not None:
            return armed.seen == fault.at
        chosen = armed.dice.random() < fault.probability
        return chosen and (fault.limit is None or armed.fired < fault.limit)

    def state(self) -> list[dict[str, Any]]:
        """Every fault with how many calls it matched (``seen``) and hit (``fired``)."""
        with self._lock:
            return [{**_as_json(armed.fault), "seen": armed.seen, "fired": armed.fired} for armed in self._armed]


def _matches(action: str, patterns: Sequence[str]) -> bool:
    return any(fnmatch.fnmatchcase(action.lower(), pattern.lower()) for pattern in patterns)


def _known_fields(cls: type[Any], value: Mapping[str, Any]) -> dict[str, Any]:
    names = {item.name for item in fields(cls)}
    unknown = sorted(value.keys() - names)
    if unknown:
        raise ValueError(f"unknown: {', '.join(unknown)}; allowed: {', '.join(sorted(names))}")
    return {key: tuple(item) if isinstance(item, list) else item for key, item in value.items()}


def _as_json(fault: Fault) -> dict[str, Any]:
    return {item.name: getattr(fault, item.name) for item in fields(fault)}
