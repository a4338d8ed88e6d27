"""``byoc resume``: what stopped a half-built stack, whether it still does, and on it goes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from byoc.cli.operations.options import Every, Folder, Profile, Stacks, Tracing, for_many

if TYPE_CHECKING:
    from byoc.automation.many import StackOutcome
    from byoc.operations.recovery.carry_on import Up
    from byoc.operations.recovery.last_run import LastRun
    from byoc.operations.recovery.resume import Plan, Seen
    from byoc.runs import Listener, RunResult

_STYLES = {"gone": "green", "there": "red", "unknown": "yellow"}
_STILL = {"gone": "is over", "there": "is still there", "unknown": "may be over"}


@dataclass(frozen=True, kw_only=True)
class _Case:
    """One stack, what stopped it, and what became of going on."""

    stack: str
    found: Plan | None = None
    outcome: StackOutcome | None = None
    failure: str = ""
    """Why nothing could be said of it, or it was not run."""

    @property
    def well(self) -> bool:
        """Whether there is nothing to do, or it is done."""
        if self.failure or self.found is None:
            return False
        return self.found.well if self.outcome is None else self.outcome.result.ok

    @property
    def is_half_built(self) -> bool:
        """Whether what waits for it cannot go on."""
        if self.outcome is not None:
            return not self.outcome.result.ok
        return bool(self.failure) or (self.found is not None and (self.found.needed or self.found.undoing))

    @property
    def was_interrupted(self) -> bool:
        """Whether somebody stopped it."""
        return self.outcome is not None and self.outcome.result.interrupted

    def document(self) -> dict[str, Any]:
        """For a program to read."""
        found = {"stack": self.stack} if self.found is None else self.found.document()
        applied = None if self.outcome is None else self.outcome.document()
        return {**found, "applied": applied, "failure": self.failure}


def resume(
    stacks: Stacks = None,
    every: Every = False,
    apply: Annotated[bool, typer.Option("--apply", help="Go on. Without it: only say what stopped it.")] = False,
    sandbox: Annotated[
        bool, typer.Option("--sandbox", help="Go on as 'byoc sandbox up' does: for stacks of 'byoc sandbox up'.")
    ] = False,
    tracing: Tracing = True,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
    profile: Profile = None,
    own_credentials: Annotated[
        bool,
        typer.Option("--own-credentials", help="Ask with your own credentials in the account, not through the role."),
    ] = False,
    cwd: Folder = None,
) -> int:
    """Say what stopped half-built stacks and the way past it; with --apply go on, unless it is known to stop again.

    It reads the record of the last run from this folder, and asks AWS what stands in the way: through the cross-account
    role, which may not ask what it may do; an administrator of the account may, with --own-credentials. Account stacks
    go before their deployments. Exit code 0 if there is nothing to do, or it is done; 1 if one is half-built still.
    """
    from byoc.automation.selection import layers, waits_for
    from byoc.cli.view import show_json
    from byoc.operations.recovery.resume import plan
    from byoc.project.project_file import find_project, read_project
    from byoc.project.stack_selection import select_stacks

    folder = cwd or Path.cwd()
    many = for_many(stacks or (), every=every)
    project = read_project(find_project(folder))
    waits = waits_for(project, select_stacks(project, stacks or (), every=every).stacks, undoing=False)

    def one(stack: str) -> _Case:
        run = _last_run(folder, stack)
        found = plan(stack, run, _seen(folder, stack, run, profile, own_credentials=own_credentials))
        if not json:
            _show(found, apply=apply)
        if not (apply and found.goes_on):
            return _Case(stack=stack, found=found)
        # One's own credentials are for asking: a deployment goes on through the role, as the control plane does.
        run_with = None if own_credentials else profile
        if sandbox:
            up = _by_the_sandbox(folder, stack, stale=found.refresh and not json)
        else:
            up = _by_pulumi(folder, stack, run_with, refresh=found.refresh, tracing=tracing)
        return _Case(stack=stack, found=found, outcome=_go_on(folder, stack, up, json=json))

    cases: dict[str, _Case] = {}
    for stack in (name for layer in layers(waits) for name in layer):
        if any(case.was_interrupted for case in cases.values()):
            raise KeyboardInterrupt
        before = sorted(name for name in waits[stack] if apply and cases[name].is_half_built)
        cases[stack] = _after(stack, before) if before else _tried(stack, one, many=many)
        if cases[stack].failure and not json:
            print(f"error: {cases[stack].failure}", file=sys.stderr)
    if json:
        documents = [cases[stack].document() for stack in waits]
        show_json({"stacks": documents} if many else documents[0])
    if any(case.was_interrupted for case in cases.values()):
        raise KeyboardInterrupt
    return 0 if all(case.well for case in cases.values()) else 1


def _after(stack: str, before: Sequence[str]) -> _Case:
    return _Case(
        stack=stack, failure=f"{stack}: not run: {', '.join(before)} is half-built still, or down, and goes before it"
    )


def _tried(stack: str, one: Callable[[str], _Case], *, many: bool) -> _Case:
    """One of many keeps no other from its turn; the error of the only one is the command's."""
    from byoc.errors import ByocError

    try:
        return one(stack)
    except ByocError as error:
        if not many:
            raise
        return _Case(stack=stack, failure=f"{stack}: {error}")


def _last_run(folder: Path, stack: str) -> LastRun | None:
    from byoc.automation.records import RunState, all_runs
    from byoc.errors import InputError
    from byoc.operations.recovery.last_run import last_run
    from byoc.project.project_file import find_project

    run = last_run(all_runs(find_project(folder)), stack)
    if run is not None and run.state is RunState.RUNNING:
        raise InputError(
            f"stack '{stack}' is being worked on by run {run.id}\n"
            f"      mend it:  wait until it has ended: byoc runs show {run.id} --follow"
        )
    return run


def _seen(folder: Path, name: str, run: LastRun | None, profile: str | None, *, own_credentials: bool) -> Seen:
    """What AWS says now; a pass of ``byoc doctor`` and a diagnosis of each deployment."""
    from datetime import UTC, datetime

    from byoc.access.required import planned
    from byoc.operations.doctor.doctor import examine, subject_of
    from byoc.operations.recovery.resume import Seen
    from byoc.operations.recovery.tries import Tries
    from byoc.operations.recovery.watch import Watcher
    from byoc.operations.stacks import read_stack_files
    from byoc.operations.targets import Accounts, Stack
    from byoc.project.project_file import find_project
    from byoc.stack_config import load_stack_config

    (file,) = read_stack_files(folder, [name])
    stack = Stack(name=name, config=load_stack_config(file.config, file.secret_keys, source=file.path.name))
    accounts = Accounts(profile)
    report = examine(subject_of(stack, planned(file), accounts, profile, own_credentials=own_credentials))
    tries = Tries(find_project(folder) / ".byoc" / "watch.json")
    cases = Watcher(stacks=[stack], accounts=accounts, tries=tries, profile=profile).look()
    written = datetime.fromtimestamp(file.path.stat().st_mtime, UTC)
    return Seen(
        checks=report.checks,
        diagnoses=[case.diagnosis for case in cases],
        config_changed=run is not None and written > run.began,
    )


def _go_on(folder: Path, stack: str, up: Up, *, json: bool) -> StackOutcome:
    from byoc.cli.view import console, following, show_result
    from byoc.operations.recovery.carry_on import carry_on
    from byoc.project.project_file import find_project

    root = find_project(folder)
    if json:
        return carry_on(root, stack, up, lambda _: None)
    out = console()
    with following(out, f"updating {stack}") as listener:
        outcome = carry_on(root, stack, up, listener)
    show_result(out, outcome.result)
    return outcome


def _by_pulumi(folder: Path, stack: str, profile: str | None, *, refresh: bool, tracing: bool) -> Up:
    """Goes on as ``byoc up --yes`` does, with the AWS profile that was named, if any."""
    from byoc.automation.asked import Asked, RunOptions, Verb
    from byoc.automation.aws_profile import aws_profile
    from byoc.automation.command import Command
    from byoc.automation.stack_run import nothing_after
    from byoc.operations.langsmith.after_up import projects_are_there
    from byoc.project.project_file import find_project

    options = RunOptions(refresh=refresh, message="byoc resume")
    after = projects_are_there(find_project(folder), profile) if tracing else nothing_after
    with aws_profile(profile):
        command = Command.prepare(folder, Asked(verb=Verb.UP, stacks=(stack,), options=options), after=after)

    def up(listener: Listener) -> RunResult:
        with command.locked(), aws_profile(profile):
            return command.run(listener).outcomes[0].result

    return up


def _by_the_sandbox(folder: Path, stack: str, *, stale: bool) -> Up:
    """Goes on as ``byoc sandbox up`` does; ``stale``: whether to say that the state should be read anew before."""
    from byoc.sandbox.workspace import Workspace

    if stale:
        typer.echo("byoc sandbox up does not refresh: what was changed by hand stays so", err=True)

    return lambda listener: Workspace.find(folder).up(stack, listener=listener)


def _show(found: Plan, *, apply: bool) -> None:
    from rich.text import Text

    from byoc.cli.view import console

    out = console()
    run = found.run
    if run is None:
        out.print(f"{found.stack}: no run is recorded here; what follows is what AWS tells")
    else:
        out.print(f"{found.stack}: the last run ({run.verb}, {run.id}) {run.state.value}")
    for item in found.judged:
        out.print(Text(f"  {item.kind.value} {_STILL[item.still.value]}: {item.why}", style=_STYLES[item.still.value]))
        if item.evidence:
            out.print(Text(f"    {item.evidence}", style="dim"))
        out.print(f"    way out: {item.fix}", markup=False)
    for text in found.unknown:
        out.print(Text(f"  {text}", style="magenta"))
    if found.wrong:
        out.print(f"  findings of its deployments: {found.wrong}; byoc watch {found.stack} shows them")
    if found.undoing:
        goes_on = f"was to take it down: byoc destroy {found.stack} goes on with that"
        out.print(
            f"not run: the last run {'has taken it down' if found.well else goes_on}; "
            f"byoc up {found.stack} makes it again"
        )
    elif found.refused:
        out.print(Text("not run: what is still there would stop it again", style="red"))
    elif found.well:
        out.print("nothing to go on with: the last run did all it was to do, and AWS shows nothing wrong")
    elif not found.needed:
        out.print("not run: nothing is known to be left, and not everything is known")
    elif not apply:
        refresh = ", after a refresh" if found.refresh else ""
        out.print(f"--apply goes on{refresh}: what is there is kept, and only the rest is done")
