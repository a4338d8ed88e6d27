"""How often a remedy was tried: a small record in the project's folder, so that a new process knows it, too."""

from __future__ import annotations

import fcntl
import json
import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from byoc.errors import ByocError
from byoc.operations.times import iso

TRIES_A_DAY = 3
FIRST_PAUSE = timedelta(minutes=5)
"""Before the second try; each pause is three times the one before, and up to half as long again by chance."""
FACTOR = 3
_DAY = timedelta(days=1)
_SKEW = timedelta(minutes=5)
"""Between clocks that are thought right."""
_BROKEN = (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError)
"""What reading a file raises that is not to be had, or holds anything else than a record, be it text or not."""
_KEPT = timedelta(days=7)
"""How long a try stays in the record; a clock that was put back within this does not give more tries."""


@dataclass
class Tries:
    """The record of tries: ``.byoc/watch.json`` in the project. Safe for several processes at once.

    A try is written down before it is made: one that was cut short counts.
    """

    path: Path
    a_day: int = TRIES_A_DAY
    dice: random.Random = field(default_factory=random.SystemRandom)

    def claim(self, key: str, now: datetime) -> str:
        """Take one try of ``key``; empty if there is one, else why not.

        Raises :class:`~byoc.errors.ByocError` if the record cannot be read or written: then nothing may be tried.
        """
        with self._locked():
            known = self._read()
            made = [_Try.of(item) for item in known.get(key, ())]
            why = self._why_not(made, now)
            if not why:
                pause = FIRST_PAUSE * FACTOR ** self._count(made, now) * self.dice.uniform(1.0, 1.5)
                made.append(_Try(at=now, pause=pause))
                known[key] = [each.document() for each in made if now - each.at < _KEPT]
                self._write(known)
            return why

    def why_not(self, key: str, now: datetime) -> str:
        """Why no try of ``key`` would be made now; empty if one would. Nothing is written."""
        return self._why_not([_Try.of(item) for item in self._read().get(key, ())], now)

    def _why_not(self, made: list[_Try], now: datetime) -> str:
        count = self._count(made, now)
        last = max((each.at for each in made), default=now)
        astray = f"; one was noted for {iso(last)}, which is yet to come: if a clock was wrong, delete {self.path}"
        hint = astray if last > now + _SKEW else ""
        if count >= self.a_day:
            return f"tried {count} times within a day, which is the most: it takes a person{hint}"
        after = max((each.at + each.pause for each in made), default=now)
        return f"tried before; the next try is not before {iso(after)}{hint}" if now < after else ""

    @staticmethod
    def _count(made: list[_Try], now: datetime) -> int:
        """A try of the future counts: the clock was put back."""
        return sum(now - each.at < _DAY for each in made)

    def _read(self) -> dict[str, list[dict[str, Any]]]:
        try:
            text = self.path.read_text(encoding="utf-8")
            found: dict[str, list[dict[str, Any]]] = json.loads(text)["tries"]
            for items in found.values():
                for item in items:
                    _Try.of(item)
        except FileNotFoundError:
            return {}
        except _BROKEN as error:
            raise self._broken(error) from error
        return found

    def _write(self, known: dict[str, list[dict[str, Any]]]) -> None:
        draft = self.path.with_suffix(".new")
        try:
            with draft.open("w", encoding="utf-8") as file:
                json.dump({"tries": known}, file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self.path)
        except OSError as error:
            raise self._broken(error) from error

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = self.path.with_suffix(".lock").open("wb")
        except OSError as error:
            raise self._broken(error) from error
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX)
            except OSError as error:  # a file system without locks
                raise self._broken(error) from error
            yield

    def _broken(self, error: Exception) -> ByocError:
        return ByocError(
            f"{self.path}: the record of tries cannot be used ({type(error).__name__}: {error}); nothing was tried\n"
            "      mend it:  look at the file; if it is broken, delete it"
        )


@dataclass(frozen=True, kw_only=True)
class _Try:
    at: datetime
    pause: timedelta

    @classmethod
    def of(cls, item: dict[str, Any]) -> _Try:
        at = datetime.fromisoformat(item["at"])
        if at.tzinfo is None:
            raise ValueError("a time without a zone")
        pause = timedelta(seconds=float(item["pauseSeconds"]))
        if pause < timedelta():
            raise ValueError("a pause of less than nothing")
        _ = at + pause  # raises if the calendar has no such day
        return cls(at=at, pause=pause)

    def document(self) -> dict[str, Any]:
        return {"at": self.at.isoformat(), "pauseSeconds": round(self.pause.total_seconds(), 3)}
