"""Which stacks a command means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from byoc.errors import InputError
from byoc.project.project_file import Project
from byoc.project.stack_names import is_pattern, matching


@dataclass(frozen=True, kw_only=True)
class Selection:
    """The stacks that a command means, in the order in which they were named."""

    stacks: tuple[str, ...]
    by_pattern: bool
    """Whether any was picked by a pattern or by ``--all``: then the command is one for many, whatever it matched."""


def select_stacks(project: Project, words: Sequence[str], *, every: bool) -> Selection:
    """The stacks that ``words`` name: names, and patterns with ``*``, ``?`` and ``[...]`` over the stack files.

    Raises :class:`~byoc.errors.InputError` for a name without a file, for a pattern that matches none, and if nothing
    is named.
    """
    known = project.stacks()
    if bool(words) is every:
        raise InputError(
            "name the stacks to run, or all of them with --all, but not both\n"
            f"      allowed:  {listed(known)}\n"
            "      mend it:  name some of these, a pattern in quotes such as 'acme-*', or --all"
        )
    found: list[str] = []
    for word in words or ["*"]:
        matches = matching(known, word)
        if not matches:
            mend = (
                "write another pattern"
                if is_pattern(word)
                else f"name one of these, or write {project.stack_file(word)}"
            )
            noun = "stack like" if is_pattern(word) else "stack"
            raise InputError(f"there is no {noun} '{word}'\n      allowed:  {listed(known)}\n      mend it:  {mend}")
        found += matches
    by_pattern = every or any(map(is_pattern, words))
    return Selection(stacks=tuple(dict.fromkeys(found)), by_pattern=by_pattern)


def listed(known: Sequence[str]) -> str:
    """Stacks as a message names them."""
    return ", ".join(known) or "none has a file yet"
