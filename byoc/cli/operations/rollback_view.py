"""What ``byoc rollback`` tells of each deployment that goes back."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from byoc.config import DeploymentConfig
    from byoc.operations.revisions.rollback import Done, Plan
    from byoc.operations.targets import Stack, Target


@dataclass(kw_only=True)
class Case:
    """One deployment that is to go back, and how far it came."""

    stack: Stack
    target: Target
    writable: DeploymentConfig | None
    """The config, if it is to be written."""
    plan: Plan | None = None
    done: Done | None = None
    written: tuple[str, ...] | None = None
    differing: Sequence[str] = ()
    notes: tuple[str, ...] = ()
    """What is not as it was, or not as the config says, though all went well."""
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
            "notes": list(self.notes),
            "failure": self.failure,
        }


def show_plan(case: Case) -> None:
    """What would change, before anything does."""
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


def show_end(case: Case) -> None:
    """What was done, and what a later ``up`` may make of it; a failure on standard error."""
    from byoc.cli.view import console

    out, plan, stack = console(), case.plan, case.target.stack
    if case.failure:
        print(f"error: {stack}: {case.failure}", file=sys.stderr)
    if plan is None:
        return
    for role, name in case.done.task_definitions.items() if case.done else ():
        out.print(f"{role}: {name} has the content of revision {plan.to.number}")
    for note in case.notes:
        out.print(note)
    if case.written is not None:
        out.print(f"written to the file of {stack}: {', '.join(case.written) or 'nothing: it agrees already'}")
    elif case.differing:
        differing = ", ".join(case.differing)
        out.print(
            f"the config of {stack} still says otherwise, and a later up may follow it: {differing}", soft_wrap=True
        )
        out.print(f"make it agree: byoc rollback {stack} --to {plan.to.number} --write-config", soft_wrap=True)
