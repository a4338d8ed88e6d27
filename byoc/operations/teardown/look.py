"""Looks around an account for everything of a subject: each kind by name, then everything by tag."""

from __future__ import annotations

from collections.abc import Iterator

from byoc.errors import ByocError
from byoc.operations.answers import AbsentError, AskingError
from byoc.operations.many import each
from byoc.operations.teardown.by_tag import BY_TAG, tagged
from byoc.operations.teardown.found import Found, Look, NotAsked
from byoc.operations.teardown.kinds import Kind, kinds_of
from byoc.operations.teardown.subject import Subject

_AT_ONCE = 8
"""Kinds that are asked about at once: AWS counts requests by account."""


def look_around(subject: Subject) -> Look:
    """Everything of a subject that is there, in the order in which it can go.

    A kind that AWS cannot be asked about is not known: it is neither there nor gone.
    """
    found: list[Found] = []
    not_asked: list[NotAsked] = []
    for items, refused in each(kinds_of(subject), lambda kind: _asked(kind, subject), at_once=_AT_ONCE):
        found += items
        not_asked += refused
    known = frozenset(item.key for item in found)
    try:
        for item in tagged(subject, known):
            found.append(item) if isinstance(item, Found) else not_asked.append(item)
    except ByocError as error:
        not_asked.append(NotAsked(what=BY_TAG, why=reason(error)))
    return Look(found=tuple(_once(found)), not_asked=tuple(not_asked))


def _asked(kind: Kind, subject: Subject) -> tuple[list[Found], list[NotAsked]]:
    try:
        return list(kind.look(subject)), []
    except AbsentError:
        return [], []
    except ByocError as error:
        return [], [NotAsked(what=kind.words, why=reason(error))]


def reason(error: ByocError) -> str:
    """Why AWS gave no answer, in one line."""
    return f"{error.action}: {error.what}" if isinstance(error, AskingError) else str(error).splitlines()[0]


def _once(found: list[Found]) -> Iterator[Found]:
    seen: set[tuple[str, str]] = set()
    for item in found:
        if item.key not in seen:
            seen.add(item.key)
            yield item
