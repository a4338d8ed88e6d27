"""``byoc retention``: deployments that nobody uses, told of and deleted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from byoc.cli.operations.options import Every, Folder, Profile, Stacks

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from byoc.operations.retention.run import Case, Destroy
    from byoc.runs import RunResult

Apply = Annotated[bool, typer.Option("--apply", help="Note, notify and delete. Without it: only say what would be.")]
Sandbox = Annotated[
    bool, typer.Option("--sandbox", help="Delete as 'byoc sandbox destroy' does: for stacks of 'byoc sandbox up'.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


def retention(
    stacks: Stacks = None,
    every: Every = False,
    apply: Apply = False,
    sandbox: Sandbox = False,
    profile: Profile = None,
    json: Json = False,
    cwd: Folder = None,
) -> int:
    """Say which deployments nobody uses, who is told and which go, and when; with --apply do it. Meant for a scheduler.

    It is about stacks with byoc:retention; others are left alone. Exit code 1 if something is not known or failed.
    """
    from byoc.cli.view import show_json
    from byoc.operations.retention.read import Clock
    from byoc.operations.retention.run import carry_out, look_at_all, subjects
    from byoc.operations.stacks import read_stacks
    from byoc.operations.targets import Accounts

    folder = cwd or Path.cwd()
    read = read_stacks(folder, stacks or (), every=every)
    chosen = subjects(read, Accounts(profile))
    left_alone = [stack.name for stack in read if stack.name not in {item.target.stack for item in chosen}]
    kept = {item.target.stack for item in chosen if item.keeps_snapshot}
    destroy = _by_the_sandbox(folder, kept) if sandbox else _by_pulumi(folder, kept)
    cases = carry_out(chosen, Clock(), destroy) if apply else look_at_all(chosen, Clock())
    if json:
        show_json(
            {"applied": apply, "deployments": [case.document() for case in cases], "withoutRetention": left_alone}
        )
    else:
        _show(cases, left_alone, apply=apply)
    return 0 if all(case.well for case in cases) else 1


def _by_pulumi(folder: Path, kept: Collection[str]) -> Destroy:
    """Destroys a stack as ``byoc destroy --yes`` does; one that is among ``kept`` only with a final snapshot."""

    def destroy(stack: str) -> None:
        from byoc.automation.asked import Asked, RunOptions, Verb
        from byoc.automation.command import Command
        from byoc.operations.final_snapshots import refuse_lost_snapshot

        options = RunOptions(message="unused: byoc retention")
        command = Command.prepare(folder, Asked(verb=Verb.DESTROY, stacks=(stack,), options=options))
        with command.locked():
            if stack in kept:
                refuse_lost_snapshot(stack, command.workspace.resources(stack))
            _destroyed(folder, stack, lambda: command.run().outcomes[0].result)

    return destroy


def _by_the_sandbox(folder: Path, kept: Collection[str]) -> Destroy:
    """Destroys a stack as ``byoc sandbox destroy`` does; one that is among ``kept`` only with a final snapshot."""

    def destroy(stack: str) -> None:
        from byoc.operations.final_snapshots import refuse_lost_snapshot
        from byoc.sandbox.workspace import Workspace

        workspace = Workspace.find(folder)
        if stack in kept:
            refuse_lost_snapshot(stack, workspace.exported(stack))
        _destroyed(folder, stack, lambda: workspace.destroy(stack))

    return destroy


def _destroyed(folder: Path, stack: str, run: Callable[[], RunResult]) -> None:
    """Run it under a record, as ``byoc destroy`` leaves one; raises ``ByocError`` if it failed."""
    from byoc.automation.many import Outcome
    from byoc.automation.recording import recorded_run
    from byoc.errors import ByocError
    from byoc.project.project_file import find_project

    asked = f"retention {stack}"
    ended = recorded_run(find_project(folder), stack, lambda _: run(), verb="destroy", asked=asked)
    if ended.outcome is not Outcome.SUCCEEDED:
        failures = [failure.render() for failure in ended.result.failures]
        raise ByocError("\n".join(failures) or f"destroying {stack}: {ended.outcome.value}")


def _show(cases: Sequence[Case], left_alone: Sequence[str], *, apply: bool) -> None:
    from byoc.cli.view import console, rows_table

    out = console()
    if cases:
        done = ("done",) if apply else ()
        columns = ("deployment", "unused days", "decision", *done, "notice", "deletion", "data that stays", "why")
        out.print(rows_table(columns, [_row(case, apply=apply) for case in cases]))
    for case in cases:
        if _is_unknown(case):
            out.print(f"{case.subject.target.deployment}: not known: {case.decision.reason}")
        elif case.failure:
            out.print(f"{case.subject.target.deployment}: {case.failure}")
        elif case.subject.blocked and case.decision.delete_on is not None:
            out.print(
                f"{case.subject.target.deployment}: {case.subject.blocked}: it is not deleted as long as that is so"
            )
    if left_alone:
        out.print(f"without byoc:retention, left alone: {', '.join(left_alone)}")
    if not apply and cases:
        out.print("nothing was noted, sent or deleted: --apply does it")


def _row(case: Case, *, apply: bool) -> tuple[str, ...]:
    decision = case.decision
    return (
        case.subject.target.deployment,
        _shown(decision.unused_days),
        decision.action.value,
        *((case.done.value,) if apply else ()),
        f"sent {case.noticed}" if case.noticed else _shown(decision.notify_on),
        "blocked" if case.subject.blocked and decision.delete_on else _shown(decision.delete_on),
        case.subject.stays or "none",
        "" if _is_unknown(case) else decision.reason,  # a long one has a line of its own
    )


def _is_unknown(case: Case) -> bool:
    from byoc.operations.retention.judge import Action

    return case.decision.action is Action.UNKNOWN


def _shown(value: object) -> str:
    return "" if value is None else str(value)
