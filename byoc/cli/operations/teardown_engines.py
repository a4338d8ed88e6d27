"""The engines that ``byoc teardown`` hands the deletion to: Pulumi's own, and the sandbox's."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from byoc.automation.aws_profile import aws_profile
from byoc.operations.final_snapshots import final_snapshots
from byoc.operations.teardown.run import Engine

if TYPE_CHECKING:
    from byoc.automation.command import Command
    from byoc.automation.workspace import ProjectWorkspace
    from byoc.runs import RunResult


def pulumi_engine(folder: Path, profiles: Mapping[str, str | None]) -> Engine:
    """Destroys as ``byoc destroy --yes`` does, and goes on with the rest where one resource cannot be deleted.

    ``profiles``: the AWS profile of each stack; None leaves the environment's.

    Raises :class:`~byoc.errors.InputError` before anything is changed if there is no CLI, or no such stack.
    """
    from byoc.automation.asked import Asked, RunOptions, Verb
    from byoc.automation.command import Command as Prepared

    os.environ["PULUMI_CONTINUE_ON_ERROR"] = "true"  # an option of pulumi destroy that the Automation API lacks

    def prepare(*names: str) -> Command:
        asked = Asked(verb=Verb.DESTROY, stacks=names, options=RunOptions(message="byoc teardown"))
        return Prepared.prepare(folder, asked)

    def destroy(stack: str) -> RunResult:
        command = prepare(stack)
        with command.locked(), aws_profile(profiles[stack]):
            result = command.run().outcomes[0].result
        # Told to go on after errors, the engine calls a run well that was interrupted, with most of it undone.
        return replace(result, interrupted=result.interrupted or command.workspace.engines.interrupted)

    def unprotect(stack: str) -> None:
        command = prepare(stack)
        with command.locked():
            _unprotect(command.workspace, stack)

    def recorded(stack: str) -> Mapping[str, bool]:
        command = prepare(stack)
        with command.locked():  # whoever is at the stack is told of before anything is changed
            return final_snapshots(command.workspace.resources(stack))

    prepare(*profiles)
    return Engine(destroy=destroy, unprotect=unprotect, final_snapshots=recorded)


def _unprotect(workspace: ProjectWorkspace, stack: str) -> None:
    """``pulumi state unprotect --all``; what AWS itself protects stays so."""
    from pulumi.automation.errors import CommandError

    from byoc.automation.failures import command_failure
    from byoc.errors import ByocError

    words = ["state", "unprotect", "--all", "--yes", "--stack", stack]
    try:
        workspace.engines.run(words, workspace.work_dir, workspace.env_vars)
    except CommandError as error:
        raise ByocError(command_failure(str(error), stack=stack).render()) from None


def sandbox_engine(folder: Path) -> Engine:
    """Destroys as ``byoc sandbox destroy`` does."""
    from byoc.sandbox.unprotection import unprotect
    from byoc.sandbox.workspace import Workspace

    workspace = Workspace.find(folder)

    def lift(stack: str) -> None:
        if workspace.status()["stacks"].get(stack):
            unprotect(workspace.recorded(stack))

    def recorded(stack: str) -> Mapping[str, bool]:
        if not workspace.status()["stacks"].get(stack):
            return {}
        return final_snapshots(workspace.exported(stack))

    return Engine(destroy=workspace.destroy, unprotect=lift, final_snapshots=recorded)
