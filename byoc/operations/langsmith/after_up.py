"""After ``byoc up``: the tracing projects of what was brought up are there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from byoc.automation.stack_run import After
from byoc.errors import ByocError
from byoc.operations.langsmith.project import Found, ProjectState, ensure_project
from byoc.operations.many import each
from byoc.operations.stacks import read_stacks
from byoc.operations.targets import Accounts, Target, targets
from byoc.runs import RunResult

_AT_ONCE = 4
"""Deployments of one stack that LangSmith is asked about at a time."""


def projects_are_there(root: Path, profile: str | None = None) -> After:
    """Sees to the project of each deployment of a stack, once something of the stack was changed; tells what it made.

    What cannot be found out is told with the way to try again, and is no failure of the run: the deployment is up, and
    its server makes the project itself with the first trace.
    """
    accounts = Accounts(profile)

    def after(stack: str, done: RunResult) -> tuple[str, ...]:
        if not done.steps:
            return ()
        try:
            found = list(targets(read_stacks(root, [stack]), accounts))
        except ByocError as error:
            return (f"tracing projects: not known: {_first_line(error)}",)
        return tuple(note for item in each(found, _seen_to, at_once=_AT_ONCE) for note in _notes(item))

    return after


def _seen_to(target: Target) -> Found:
    return ensure_project(target, check=False)


def _notes(item: Found) -> Iterator[str]:
    if item.state is ProjectState.MADE:
        yield f"tracing project {item.project} was made at {item.host}"
    elif item.state is ProjectState.UNKNOWN:
        why = item.why.partition("\n")[0]
        yield f"tracing project {item.project}: not known: {why}; byoc tracing {item.stack} tries again"


def _first_line(error: ByocError) -> str:
    return str(error).partition("\n")[0]
