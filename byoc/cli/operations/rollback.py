"""``byoc rollback``: back to an earlier revision."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from byoc.cli.operations.options import Folder, Profile

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from byoc.config import DeploymentConfig
    from byoc.operations.revisions.rollback import Done, Plan
    from byoc.operations.status.facts import ServiceFacts
    from byoc.operations.targets import Stack, Target

StackName = Annotated[str, typer.Argument(metavar="STACK", help="The stack: stacks/Pulumi.<STACK>.yaml.")]
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
    stack: StackName,
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
    written with --write-config. Refused while a revision is rolling out, and if a secret version is gone.
    """
    from byoc.automation.locks import held
    from byoc.errors import InputError
    from byoc.operations.revisions.config_values import differing_keys, require_writable
    from byoc.operations.revisions.rollback import plan_rollback
    from byoc.operations.stacks import read_stacks
    from byoc.operations.targets import Accounts, targets
    from byoc.project.project_file import find_project

    folder = cwd or Path.cwd()
    root = find_project(folder)
    (read,) = _single(read_stacks(folder, [stack]), stack)
    target = _chosen(list(targets([read], Accounts(profile))), stack, deployment)
    writable = require_writable(read.config, stack) if write_config else None
    with held(root, [] if dry_run else [stack], words=f"rollback {stack}"):
        plan = plan_rollback(target, to)
        if plan.is_there and writable is None:
            raise InputError(
                f"{target.deployment}: what runs, revision {plan.running.number}, has the content of revision "
                f"{plan.to.number} already; nothing was done\n"
                f"      mend it:  name another one that 'byoc revisions {stack}' lists"
            )
        if not json:
            _show_plan(plan)
        if dry_run:
            return _end(plan, None, differing_keys(plan, read.config), None, json=json)
        _ask(plan, yes=yes, json=json)
        done = None if plan.is_there else _go(plan, wait_for_it=not no_wait, quiet=json)
        written = _write(plan, writable, root) if writable is not None else None
        differing = differing_keys(plan, read.config) if written is None else ()
        return _end(plan, done, differing, written, json=json)


def _single(stacks: Sequence[Stack], word: str) -> tuple[Stack]:
    from byoc.errors import InputError

    if len(stacks) != 1:
        raise InputError(
            f"'{word}' means {len(stacks)} stacks\n      allowed:  one\n      mend it:  name the one to go back with"
        )
    return (stacks[0],)


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


def _show_plan(plan: Plan) -> None:
    from byoc.cli.view import console

    out = console()
    if plan.is_there:
        out.print(
            f"{plan.target.deployment}: revision {plan.running.number} has the content of {plan.to.number} already"
        )
        return
    out.print(f"{plan.target.deployment}: from revision {plan.running.number} back to {plan.to.number}:")
    for change in plan.changes:
        out.print(f"  {change.text()}")


def _ask(plan: Plan, *, yes: bool, json: bool) -> None:
    from byoc.errors import InputError

    if yes or plan.is_there:
        return
    if json or not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise InputError(
            "rollback asks before it changes anything, and there is no terminal to ask on\n"
            f"      mend it:  look at it with --dry-run first, then byoc rollback {plan.target.stack} ... --yes"
        )
    if not typer.confirm(f"go back to revision {plan.to.number}?", default=False):
        raise typer.Exit(1)


def _go(plan: Plan, *, wait_for_it: bool, quiet: bool) -> Done:
    from byoc.cli.view import console
    from byoc.operations.revisions.rollback import carry_out, wait

    done = carry_out(plan)
    told: set[str] = set()

    def look(services: Mapping[str, ServiceFacts]) -> None:
        for role, service in services.items():
            line = f"{role}: {service.task_definition}: {service.running} of {service.desired} containers run"
            if not quiet and line not in told:
                told.add(line)
                console().print(line)

    if wait_for_it:
        wait(plan, done, look=look)
    return done


def _write(plan: Plan, config: DeploymentConfig, root: Path) -> tuple[str, ...]:
    from byoc.operations.revisions.config_values import config_values, write

    values = config_values(plan, config)
    write(root, plan.target.stack, values)
    return values.keys


def _end(plan: Plan, done: Done | None, differing: Sequence[str], written: Sequence[str] | None, *, json: bool) -> int:
    from byoc.cli.view import console, show_json

    if json:
        handed = dict(done.task_definitions) if done else {}
        more = {"taskDefinitions": handed, "differingKeys": list(differing), "writtenKeys": list(written or ())}
        show_json({**plan.document(), **more})
        return 0
    out = console()
    for role, name in done.task_definitions.items() if done else ():
        out.print(f"{role}: {name} has the content of revision {plan.to.number}")
    stack = plan.target.stack
    if written is not None:
        out.print(f"written to the file of {stack}: {', '.join(written) or 'nothing: it agrees already'}")
    elif differing:
        out.print(f"the config of {stack} still says otherwise, and a later up may follow it: {', '.join(differing)}")
        out.print(f"make it agree: byoc rollback {stack} --to {plan.to.number} --write-config")
    return 0
