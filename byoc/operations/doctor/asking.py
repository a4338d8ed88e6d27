"""Questions to AWS whose failure is an answer of its own: not there, or not answered."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from byoc.errors import ByocError
from byoc.operations.answers import AbsentError, AskingError, DeniedError
from byoc.operations.doctor.checks import Area, Check, unknown

Fact = TypeVar("Fact")


HALF = (AttributeError, KeyError, IndexError, TypeError, ValueError)
"""What reading an answer raises that is not whole, or not as AWS documents it."""


@dataclass(frozen=True, kw_only=True)
class Absent:
    """What was asked for is not there: a fact."""


@dataclass(frozen=True, kw_only=True)
class NoAnswer:
    """AWS did not answer: denied, throttled, out of reach."""

    why: str
    remedy: str = ""

    def check(self, area: Area, name: str) -> Check:
        """The check that comes of it."""
        return unknown(area, name, self.why, self.remedy)


def known(ask: Callable[[], Fact]) -> Fact | Absent | NoAnswer:
    """What ``ask`` answers; nothing that AWS says raises."""
    try:
        return ask()
    except AbsentError:
        return Absent()
    except ByocError as error:
        return no_answer(error)
    except HALF as error:
        return half_answer(error)


def known_or_absent(ask: Callable[[], Fact], absent: Fact) -> Fact | NoAnswer:
    """What ``ask`` answers, ``absent`` where nothing is there."""
    answer = known(ask)
    return absent if isinstance(answer, Absent) else answer


def silence_of(facts: Iterable[object]) -> NoAnswer | None:
    """The first of some facts that AWS did not answer."""
    return next((fact for fact in facts if isinstance(fact, NoAnswer)), None)


def no_answer(error: ByocError) -> NoAnswer:
    """Why AWS did not answer, in plain words."""
    if isinstance(error, DeniedError):
        return NoAnswer(why=f"{error.action}: {error.what}", remedy=f"allow {error.action} to who asks, then repeat")
    if isinstance(error, AskingError):
        return NoAnswer(why=f"{error.action}: {error.what}", remedy=error.remedy)
    return NoAnswer(why=str(error).partition("\n")[0])


def half_answer(error: Exception) -> NoAnswer:
    """AWS answered, and something is missing from it."""
    what = f"has no {error}" if isinstance(error, KeyError) else f"is not as documented: {error}"
    return NoAnswer(why=f"AWS's answer {what}", remedy="repeat it later")


def tags_of(item: Mapping[str, Any], key: str = "Tags") -> dict[str, str]:
    """Tags of one of AWS's answers as a mapping, in either of its spellings."""
    found: dict[str, str] = {}
    for tag in item.get(key) or []:
        lowered = {str(name).lower(): value for name, value in tag.items()}
        found[str(lowered["key"])] = str(lowered.get("value") or "")
    return found
