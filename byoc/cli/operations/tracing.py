"""``byoc tracing``: the LangSmith project that a deployment traces to is there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from byoc.cli.operations.options import Every, Folder, Profile, Stacks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from byoc.operations.langsmith.project import Found

Check = Annotated[bool, typer.Option("--check", help="Look only: make nothing.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


def tracing(
    stacks: Stacks = None,
    every: Every = False,
    check: Check = False,
    profile: Profile = None,
    json: Json = False,
    cwd: Folder = None,
) -> int:
    """See to it that deployments' LangSmith projects are there; make those that are not.

    The key is read from the deployment's secret. No project is ever deleted. Exit code 1 if one is absent or unknown.
    """
    from byoc.cli.view import show_json
    from byoc.operations.langsmith.project import ProjectState, ensure_project
    from byoc.operations.many import each
    from byoc.operations.stacks import read_stacks
    from byoc.operations.targets import Accounts, targets

    read = read_stacks(cwd or Path.cwd(), stacks or (), every=every)
    chosen = targets(read, Accounts(profile))
    found = list(each(chosen, lambda target: ensure_project(target, check=check), at_once=4, only_looks=check))
    if json:
        show_json({"projects": [item.document() for item in found]})
    else:
        _show(found)
    bad = (ProjectState.ABSENT, ProjectState.UNKNOWN)
    return 1 if any(item.state in bad for item in found) else 0


def _show(found: Sequence[Found]) -> None:
    from byoc.cli.view import console, rows_table
    from byoc.operations.langsmith.project import ProjectState

    out = console()
    if not found:
        out.print("no deployments in these stacks")
        return
    rows = [(item.deployment, item.project, item.host, item.state.value) for item in found]
    out.print(rows_table(("deployment", "project", "LangSmith", "state"), rows))
    for item in found:
        if item.why:
            out.print(f"{item.deployment}: {item.why}")
    if absent := sorted({item.stack for item in found if item.state is ProjectState.ABSENT}):
        out.print(f"absent ones are made by: byoc tracing {' '.join(absent)}")
