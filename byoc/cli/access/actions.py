"""``byoc access actions``: what a stack asks of AWS, for those who write the policies of whoever runs it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from byoc.permissions.needs.actions import Need

_FEATURES = (
    "status, logs, events, metrics, tracing, retention, revisions, snapshots, restore, recovery, teardown, "
    "preflight, egress-probe, service-linked-roles"
)


def actions(
    stack: Annotated[str, typer.Argument(help="A stack of any kind: stacks/Pulumi.<STACK>.yaml.")],
    features: Annotated[
        list[str] | None,
        typer.Option("--feature", help=f"What is done with it beside, repeatable: {_FEATURES}."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
    cwd: Annotated[
        Path | None, typer.Option("--cwd", "-C", help="The project's folder, or one below it. Default: this folder.")
    ] = None,
) -> None:
    """List the AWS actions that a stack calls for over its life: create, read, update, delete. AWS is not asked.

    They are those of its own resources: a feature that is off asks for nothing. Beside them it assumes its role, if it
    has one (sts:AssumeRole).
    """
    from byoc.access.required import planned
    from byoc.cli.view import console, rows_table, show_json
    from byoc.project.project_file import find_project
    from byoc.project.stack_file import read_stack_file

    wanted = [_feature(name) for name in features or ()]
    needs = planned(read_stack_file(find_project(cwd or Path.cwd()), stack)).needs(wanted)
    if json:
        show_json({"stack": stack, "actions": [_document(need) for need in needs]})
        return
    console().print(rows_table(("action", "resource type", "phases", "reason"), list(_rows(needs))))


def _feature(name: str) -> Any:  # noqa: ANN401 - an enum of a room that is imported late
    from byoc.errors import InputError
    from byoc.permissions.needs.features import Feature

    try:
        return Feature(name)
    except ValueError:
        raise InputError(
            f"--feature: {name!r}\n      allowed:  {_FEATURES}\n      mend it:  name one of them"
        ) from None


def _rows(needs: tuple[Need, ...]) -> Iterator[tuple[str, str, str, str]]:
    """One row for each action of each type, in the order of the actions; a reason stands once."""
    from byoc.permissions.needs.actions import MEASURED, Phase

    order = list(Phase)
    found: dict[tuple[str, str], list[Need]] = {}
    for need in needs:
        found.setdefault((need.action, need.token), []).append(need)
    for (action, token), of_type in sorted(found.items()):
        phases = sorted({need.phase for need in of_type}, key=order.index)
        reasons = {"the AWS provider was seen calling it" if n.reason == MEASURED else n.reason for n in of_type}
        yield action, token, ", ".join(phases), "; ".join(sorted(reasons))


def _document(need: Need) -> dict[str, str]:
    return {"action": need.action, "type": need.token, "phase": need.phase.value, "reason": need.reason}
