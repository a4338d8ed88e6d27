"""Which stacks an export is about."""

from __future__ import annotations

from collections.abc import Sequence

from byoc.errors import Problem
from byoc.fleet.stacks import Fleet, FleetStack
from byoc.project.stack_names import matching

_MOST_LISTED = 12


def choose(fleet: Fleet, words: Sequence[str]) -> tuple[tuple[FleetStack, ...], list[Problem]]:
    """The stacks that ``words`` name (names, or patterns; none: all stacks), sorted, and what is wrong with them.

    A word that meets no stack is a problem, not an empty export; so is a stack whose file is wrong.
    """
    if not fleet.names:
        return (), [_no_stacks(fleet)]
    problems: list[Problem] = []
    names: set[str] = set()
    for word in words or ("*",):
        matches = matching(fleet.names, word)
        names.update(matches)
        if not matches:
            problems.append(_no_stack(fleet, word))
    for name in sorted(names & fleet.unreadable.keys()):
        problems += fleet.unreadable[name]
    return tuple(stack for stack in fleet.stacks if stack.name in names), problems


def _no_stack(fleet: Fleet, word: str) -> Problem:
    return Problem(
        key=f"stack {word}",
        value="no stack of this name",
        allowed=listed(fleet.names),
        remedy="name one of these, or a pattern in quotes such as 'acme-*'",
    )


def _no_stacks(fleet: Fleet) -> Problem:
    return Problem(
        key="stacks",
        value="none",
        allowed=f"at least one file Pulumi.<stack>.yaml in {fleet.project.stack_config_dir}",
        remedy="write one, or name the project's folder with --cwd",
    )


def listed(words: Sequence[str]) -> str:
    """Names for a message: the first ones, and how many more there are."""
    more = len(words) - _MOST_LISTED
    return ", ".join(words[:_MOST_LISTED]) + (f" and {more} more" if more > 0 else "")
