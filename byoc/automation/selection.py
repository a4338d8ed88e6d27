"""Which of the stacks that a command means there are, and which of them has to go before which."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from byoc.errors import InputError
from byoc.project.project_file import Project
from byoc.project.stack_file import stack_setting
from byoc.project.stack_selection import Selection


def in_the_backend(
    selection: Selection, present: Collection[str], *, undoing: bool, init: bool
) -> tuple[Selection, tuple[str, ...]]:
    """The stacks to run, and those of them that ``init`` has to make first.

    A stack that does not exist in the backend is an error. It is left out instead where there is nothing to undo and a
    pattern picked it (``undoing``: destroy and refresh).
    """
    missing = tuple(name for name in selection.stacks if name not in present)
    if not missing:
        return selection, ()
    if undoing and selection.by_pattern:
        kept = tuple(name for name in selection.stacks if name in present)
        return Selection(stacks=kept, by_pattern=True), ()
    if init and not undoing:
        return selection, missing
    lines = "\n".join(f"                pulumi stack init {name}" for name in missing).lstrip()
    way = "" if undoing else "; or give --init, which does just that"
    raise InputError(
        f"not in the backend, though there is a file: {', '.join(missing)}; nothing was run\n"
        f"      mend it:  {lines}\n"
        f"                (with --secrets-provider, if not the backend's default: docs/backends.md){way}"
    )


def waits_for(project: Project, stacks: Iterable[str], *, undoing: bool) -> dict[str, frozenset[str]]:
    """For each stack, those that must be done before it.

    A deployment looks up what the account stack of its account made: so account stacks go first, and are destroyed
    last. A stack whose account cannot be read from its file waits for every account stack.
    """
    places = {name: _place(project, name) for name in stacks}
    waits: dict[str, set[str]] = {name: set() for name in places}
    for name, (kind, account) in places.items():
        for other, (other_kind, other_account) in places.items():
            is_of = kind != "account" and other_kind == "account" and account in ("", other_account)
            if is_of and undoing:
                waits[other].add(name)
            elif is_of:
                waits[name].add(other)
    return {name: frozenset(others) for name, others in waits.items()}


def layers(waits: Mapping[str, frozenset[str]]) -> list[list[str]]:
    """The stacks in groups: each group waits only for the groups before it."""
    left, found = dict(waits), []
    while left:
        ready = [name for name, others in left.items() if not others & left.keys()]
        found.append(ready)
        left = {name: others for name, others in left.items() if name not in ready}
    return found


def _place(project: Project, stack: str) -> tuple[str, str]:
    """The kind and the account that the stack's file says, as text."""
    return stack_setting(project, stack, "kind"), stack_setting(project, stack, "accountId")
