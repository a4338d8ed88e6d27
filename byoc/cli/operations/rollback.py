"""``byoc rollback``: back to an earlier revision."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Annotated

import typer

from byoc.cli.asking import confirmed
from byoc.cli.operations.options import Every, Folder, Profile, Stacks, for_many
from byoc.cli.operations.rollback_view import Case, show_end, show_plan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from byoc.config import DeploymentConfig
    from byoc.operations.revisions.rollback import Done, Plan
    from byoc.operations.status.facts import ServiceFacts
    from byoc.operations.targets import Accounts, Stack, Target

Deployment = Annotated[
    str, typer.Option("--deployment", help="Which one, of an account stack in which several deployments stand.")
]
To = Annotated[
    int | None, typer.Option("--to", min=1, help="The revision's number. Default: the last good one before this.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done; change nothing.")]
WriteConfig = Annotated[
    bool, typer.Option("--write-config", help="Write the revision's values into the stack's file, so that 'up' agrees.")
]
NoWait = Annotated[bool, typer.Option("--no-wait", help="Do not wait for the end of the roll-out.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


def rollback(
    stacks: Stacks = None,
    every: Every = False,
    to: To = None,
    deployment: Deployment = "",
    yes: Yes = False,
    dry_run: DryRun = False,
    write_config: WriteConfig = False,
    no_wait: NoWait = False,
    profile: Profile = None,
    json: Json = False,
    cwd: Folder = None,
) -> int:
    """Go back to an earlier revision: its image, its environment, the versions of its secrets, its size.

    The service is updated at once, without a run of Pulumi; the config that a later 'up' would read is named, and
    written with --write-config. Refused while a revision is rolling out, and if a secret version is gone. Several
    stacks go back at the same time, each to its own revision; one that cannot keeps no other from it.
    """
    from byoc.operations.stacks import read_stacks
    from byoc.operations.targets import Accounts
    from byoc.project.project_file import find_project

    folder = cwd or Path.cwd()
    root = find_project(folder)
    read = read_stacks(folder, tuple(stacks or ()), every=every)
    cases = _cases(read, Accounts(profile), deployment, write_config=write_config)
    over = partial(_over, alone=len(cases) == 1, stopped=(stopped := Event()))
    with ExitStack() as locks:
        if not dry_run:
            _hold(cases, root, locks)
        over([case for case in cases if not case.failure], lambda case: _plan(case, to))
        if not json:
            for case in cases:
                show_plan(case)
        due = [case for case in cases if case.is_due]
        if due and not dry_run:
            _ask(due, yes=yes, json=json)
            carry_out = partial(_carry_out, root=root, quiet=json, several=len(due) > 1, stopped=stopped)
            over(due, partial(carry_out, wait_for_it=not no_wait))
        return _end(cases, json=json, many=for_many(stacks or (), every=every))


def _cases(read: Sequence[Stack], accounts: Accounts, deployment: str, *, write_config: bool) -> list[Case]:
    """What goes back; account stacks without a deployment of their own are left alone where there are others."""
    from byoc.operations.revisions.config_values import require_writable
    from byoc.operations.targets import targets

    found = [(stack, list(targets([stack], accounts))) for stack in read]
    with_deployments = [item for item in found if item[1]]
    return [
        Case(
            stack=stack,
            target=_chosen(there, stack.name, deployment),
            writable=require_writable(stack.config, stack.name) if write_config else None,
        )
        for stack, there in with_deployments or found
    ]


def _chosen(found: Sequence[Target], stack: str, name: str) -> Target:
    from byoc.errors import InputError

    there = ", ".join(target.deployment for target in found) or "none"
    if name:
        found = [target for target in found if target.deployment == name]
    if len(found) != 1:
        got = f"there is no deployment {name}" if name else f"{len(found)} deployments"
        raise InputError(
            f"{stack}: {got}\n      allowed:  one of: {there}\n      mend it:  --deployment NAME, one of these"
        )
    return found[0]


def _hold(cases: Sequence[Case], root: Path, locks: ExitStack) -> None:
    """Keep other runs off the stacks; one that another run is at keeps no other from going back."""
    from byoc.automation.locks import BusyError, held

    for case in cases:
        name = case.target.stack
        try:
            locks.enter_context(held(root, [name], words=f"rollback {name}"))
        except BusyError as error:
            if len(cases) == 1:
                raise
            case.failure = str(error)


def _over(cases: Sequence[Case], step: Callable[[Case], None], *, alone: bool, stopped: Event) -> None:
    """A step for each, several at once. Where the command is about one ``alone``, its error is the command's.

    ``stopped`` is set when the command was interrupted.
    """
    from byoc.errors import ByocError
    from byoc.operations.answers import AbsentError
    from byoc.operations.many import AT_ONCE

    def tried(case: Case) -> None:
        try:
            step(case)
        except AbsentError as error:
            gone = ByocError(
                f"{case.target.deployment}: what was there a moment ago is gone: {error}\n"
                f"      mend it:  see byoc status {case.target.stack}, then repeat it"
            )
            if alone:
                raise gone from None
            case.failure = str(gone)
        except ByocError as error:
            if alone:
                raise
            case.failure = str(error)

    if alone:
        for case in cases:
            tried(case)
        return
    with ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="byoc") as pool:
        futures = [pool.submit(tried, case) for case in cases]
        try:
            for future in futures:
                future.result()
        except BaseException:  # Ctrl-C: what waits for the end of a roll-out need not
            stopped.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _plan(case: Case, to: int | None) -> None:
    from byoc.errors import InputError
    from byoc.operations.revisions.config_values import differing_keys
    from byoc.operations.revisions.rollback import plan_rollback

    plan = plan_rollback(case.target, to)
    if plan.is_there and case.writable is None:
        raise InputError(
            f"{case.target.deployment}: what runs, revision {plan.running.number}, has the content of revision "
            f"{plan.to.number} already; nothing was done\n"
            f"      mend it:  name another one that 'byoc revisions {case.target.stack}' lists"
        )
    case.plan = plan
    case.differing = differing_keys(plan, case.stack.config)


def _ask(due: Sequence[Case], *, yes: bool, json: bool) -> None:
    from byoc.errors import InputError

    plans = [case.plan for case in due if case.plan is not None and not case.plan.is_there]
    if yes or not plans:
        return
    if json or not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise InputError(
            "rollback asks before it changes anything, and there is no terminal to ask on\n"
            f"      mend it:  look at it with --dry-run first, then byoc rollback {plans[0].target.stack} ... --yes"
        )
    question = f"go back to revision {plans[0].to.number}?" if len(plans) == 1 else f"go back with {len(plans)} stacks?"
    if not confirmed(question):
        raise typer.Exit(1)


def _carry_out(case: Case, *, root: Path, wait_for_it: bool, quiet: bool, several: bool, stopped: Event) -> None:
    from byoc.operations.revisions.rollback import carry_out

    plan = case.plan
    if plan is None:
        return
    if not plan.is_there:
        case.done = carry_out(plan)
        if plan.unwritten:
            settings = "; ".join(change.text() for change in plan.unwritten)
            case.notes = (f"other settings of the config differ, too, and are set by hand: {settings}",)
        if wait_for_it:
            _wait(plan, case.done, quiet=quiet, label=f"{plan.target.label}: " if several else "", stopped=stopped)
            case.notes = tuple(filter(None, [*case.notes, _moved(plan)]))
    if case.writable is not None:
        case.written = _write(plan, case.writable, root)
        case.differing = ()


def _wait(plan: Plan, done: Done, *, quiet: bool, label: str, stopped: Event) -> None:
    from byoc.cli.view import console
    from byoc.operations.revisions.waiting import wait

    told: set[str] = set()

    def look(services: Mapping[str, ServiceFacts]) -> None:
        for role, service in services.items():
            line = f"{label}{role}: {service.task_definition}: {service.running} of {service.desired} containers run"
            if not quiet and line not in told:
                told.add(line)
                console().print(line)

    def pause(seconds: float) -> None:
        if stopped.wait(seconds):
            raise KeyboardInterrupt

    wait(plan, done, look=look, sleep=pause)


def _moved(plan: Plan) -> str:
    from byoc.errors import ByocError
    from byoc.operations.revisions.moved import moved_tag

    try:
        return moved_tag(plan)
    except ByocError as error:
        first_line = str(error).partition("\n")[0]
        return f"whether its image is the one of that time is not known: {first_line}"


def _write(plan: Plan, config: DeploymentConfig, root: Path) -> tuple[str, ...]:
    from byoc.operations.revisions.config_values import config_values, write

    values = config_values(plan, config)
    write(root, plan.target.stack, values)
    return values.keys


def _end(cases: Sequence[Case], *, json: bool, many: bool) -> int:
    from byoc.cli.view import show_json

    if json:
        documents = [case.document() for case in cases]
        show_json({"stacks": documents} if many else documents[0])
    else:
        for case in cases:
            show_end(case)
    return 1 if any(case.failure for case in cases) else 0
