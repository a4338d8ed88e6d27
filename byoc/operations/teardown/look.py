"""Looks around an account for everything of a subject: each kind by name, then everything by tag."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

from byoc.errors import ByocError
from byoc.operations.answers import AbsentError, AskingError
from byoc.operations.many import each
from byoc.operations.teardown.by_tag import BY_TAG, tagged
from byoc.operations.teardown.found import Found, Look, NotAsked
from byoc.operations.teardown.kinds import Kind, kinds_of
from byoc.operations.teardown.subject import Subject

Thing = TypeVar("Thing")
_AT_ONCE = 8
"""Kinds that are asked about at once: AWS counts requests by account."""
HALF = (AttributeError, KeyError, IndexError, TypeError, ValueError)
"""What reading an answer raises that lacks what AWS documents to be in it."""


def look_around(subject: Subject) -> Look:
    """Everything of a subject that is there, in the order in which it can go.

    A kind that AWS cannot be asked about is not known: it is neither there nor gone.
    """
    found: list[Found] = []
    not_asked: list[NotAsked] = []
    for items, refused in each(
        kinds_of(subject), lambda kind: _asked(kind, subject), at_once=_AT_ONCE, only_looks=True
    ):
        found += items
        not_asked += refused
    by_tag, unheard = gathered(BY_TAG, tagged(subject, frozenset(item.key for item in found)))
    for item in by_tag:
        found.append(item) if isinstance(item, Found) else not_asked.append(item)
    return Look(found=tuple(_once(found)), not_asked=(*not_asked, *unheard))


def _asked(kind: Kind, subject: Subject) -> tuple[list[Found], list[NotAsked]]:
    return gathered(kind.words, kind.look(subject))


def gathered(what: str, things: Iterable[Thing]) -> tuple[list[Thing], list[NotAsked]]:
    """What was found until AWS did not answer, and why it did not: what came before is there all the same.

    That one thing is gone says nothing of the others that were asked about with it. Each look knows for itself what it
    means if what it asks about is absent; what is raised here, nobody expected.
    """
    found: list[Thing] = []
    try:
        found.extend(things)  # keeps what it has when the rest fails
    except (ByocError, AbsentError) as error:
        return found, [NotAsked(what=what, why=reason(error))]
    except HALF as error:
        return found, [NotAsked(what=what, why=f"half an answer ({type(error).__name__}: {error})")]
    return found, []


def reason(error: Exception) -> str:
    """Why AWS gave no answer, in one line."""
    if isinstance(error, AskingError):
        return f"{error.action}: {error.what}"
    said = str(error).partition("\n")[0]
    return f"something went while it was asked about: {said}" if isinstance(error, AbsentError) else said


def _once(found: list[Found]) -> Iterator[Found]:
    seen: set[tuple[str, str]] = set()
    for item in found:
        if item.key not in seen:
            seen.add(item.key)
            yield item
