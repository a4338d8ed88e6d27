"""``byoc rollback``: back to an earlier revision."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from byoc.cli.operations.options import Every, Folder, Profile, Stacks, for_many

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


@dataclass(kw_only=True)
class _Case:
    """One deployment that is to go back, and how far it came."""

    stack: Stack
    target: Target
    writable: DeploymentConfig | None
    """The config, if it is to be written."""
    plan: Plan | None = None
    done: Done | None = None
    written: tuple[str, ...] | None = None
    differing: Sequence[str] = ()
    failure: str = ""
    """Why it did not go on."""

    @property
    def is_due(self) -> bool:
        """Whether there is something to be done, and nothing kept it from that."""
        return self.plan is not None and not self.failure

    def document(self) -> dict[str, Any]:
        """For a program to read."""
        about = {"stack": self.target.stack, "deployment": self.target.deployment}
        planned = {"from": None, "to": None, "changes": []} if self.plan is None else self.plan.document()
        return {
            **about,
            **planned,
            "taskDefinitions": dict(self.done.task_definitions) if self.done else {},
            "differingKeys": list(self.differing),
            "writtenKeys": list(self.written or ()),
            "failure": self.failure,
        }


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
    from byoc.automation.locks import held
    from byoc.operations.stacks import read_stacks
    from byoc.operations.targets import Accounts
    from byoc.project.project_file import find_project

    folder = cwd or Path.cwd()
    root = find_project(folder)
    read = read_stacks(folder, tuple(stacks or ()), every=every)
    cases = _cases(read, Accounts(profile), deployment, write_config=write_config)
    names = [case.target.stack for case in cases]
    with held(root, [] if dry_run else names, words=f"rollback {' '.join(names)}"):
        _over(cases, lambda case: _plan(case, to))
        if not json:
            for case in cases:
                _show_plan(case)
        due = [case for case in cases if case.is_due]
        if due and not dry_run:
            _ask(due, yes=yes, json=json)
            _over(due, lambda case: _carry_out(case, root, wait_for_it=not no_wait, quiet=json, several=len(due) > 1))
        return _end(cases, json=json, many=for_many(stacks or (), every=every))


def _cases(read: Sequence[Stack], accounts: Accounts, deployment: str, *, write_config: bool) -> list[_Case]:
    """What goes back; account stacks without a deployment of their own are left alone where there are others."""
    from byoc.operations.revisions.config_values import require_writable
    from byoc.operations.targets import targets

    found = [(stack, list(targets([stack], accounts))) for stack in read]
    with_deployments = [item for item in found if item[1]]
    return [
        _Case(
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


def _over(cases: Sequence[_Case], step: Callable[[_Case], None]) -> None:
    """A step for each, several at once. Where there is but one, its error is the command's."""
    from byoc.errors import ByocError
    from byoc.operations.answers import AbsentError
    from byoc.operations.many import each

    def tried(case: _Case) -> None:
        try:
            step(case)
        except (ByocError, AbsentError) as error:
            case.failure = str(error)

    if len(cases) == 1:
        step(cases[0])
    else:
        list(each(cases, tried))


def _plan(case: _Case, to: int | None) -> None:
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


def _show_plan(case: _Case) -> None:
    from byoc.cli.view import console

    out, plan = console(), case.plan
    if plan is None:
        return  # its failure is told at the end
    if plan.is_there:
        out.print(
            f"{plan.target.deployment}: revision {plan.running.number} has the content of {plan.to.number} already"
        )
        return
    out.print(f"{plan.target.deployment}: from revision {plan.running.number} back to {plan.to.number}:")
    for change in plan.changes:
        out.print(f"  {change.text()}")


def _ask(due: Sequence[_Case], *, yes: bool, json: bool) -> None:
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
    if not typer.confirm(question, default=False):
        raise typer.Exit(1)


def _carry_out(case: _Case, root: Path, *, wait_for_it: bool, quiet: bool, several: bool) -> None:
    from byoc.operations.revisions.rollback import carry_out

    plan = case.plan
    if plan is None:
        return
    if not plan.is_there:
        case.done = carry_out(plan)
        if wait_for_it:
            _wait(plan, case.done, quiet=quiet, label=f"{plan.target.label}: " if several else "")
    if case.writable is not None:
        case.written = _write(plan, case.writable, root)
        case.differing = ()


def _wait(plan: Plan, done: Done, *, quiet: bool, label: str) -> None:
    from byoc.cli.view import console
    from byoc.operations.revisions.rollback import wait

    told: set[str] = set()

    def look(services: Mapping[str, ServiceFacts]) -> None:
        for role, service in services.items():
            line = f"{label}{role}: {service.task_definition}: {service.running} of {service.desired} containers run"
            if not quiet and line not in told:
                told.add(line)
                console().print(line)

    wait(plan, done, look=look)


def _write(plan: Plan, config: DeploymentConfig, root: Path) -> tuple[str, ...]:
    from byoc.operations.revisions.config_values import config_values, write

    values = config_values(plan, config)
    write(root, plan.target.stack, values)
    return values.keys


def _end(cases: Sequence[_Case], *, json: bool, many: bool) -> int:
    from byoc.cli.view import show_json

    if json:
        documents = [case.document() for case in cases]
        show_json({"stacks": documents} if many else documents[0])
    else:
        for case in cases:
            _show_end(case)
    return 1 if any(case.failure for case in cases) else 0


def _show_end(case: _Case) -> None:
    from byoc.cli.view import console

    out, plan, stack = console(), case.plan, case.target.stack
    if case.failure:
        print(f"error: {stack}: {case.failure}", file=sys.stderr)
    if plan is None:
        return
    for role, name in case.done.task_definitions.items() if case.done else ():
        out.print(f"{role}: {name} has the content of revision {plan.to.number}")
    if case.written is not None:
        out.print(f"written to the file of {stack}: {', '.join(case.written) or 'nothing: it agrees already'}")
    elif case.differing:
        differing = ", ".join(case.differing)
        out.print(f"the config of {stack} still says otherwise, and a later up may follow it: {differing}")
        out.print(f"make it agree: byoc rollback {stack} --to {plan.to.number} --write-config")
