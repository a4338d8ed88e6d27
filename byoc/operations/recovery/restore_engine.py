"""The real Pulumi engine, as ``byoc watch --restore`` runs it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from byoc.automation.asked import Asked, RunOptions, Verb
from byoc.automation.aws_profile import aws_profile
from byoc.automation.command import Command
from byoc.automation.stack_run import Guard
from byoc.runs import Listener, RunResult

_MESSAGE = "byoc watch --restore"


class PulumiEngine:
    """One stack of the project; the caller holds its lock. ``profile``: of AWS; None leaves the environment's."""

    def __init__(self, folder: Path, stack: str, profile: str | None = None) -> None:
        """Raises :class:`~byoc.errors.ByocError` without a CLI, without the backend, or if the stack is not in it."""
        asked = Asked(verb=Verb.UP, stacks=(stack,), options=RunOptions(refresh=True, message=_MESSAGE))
        self._profile = profile
        with aws_profile(profile):
            self._command = Command.prepare(folder, asked)

    def preview(self) -> RunResult:
        """What ``up`` with a refresh would do."""
        with aws_profile(self._profile):
            return replace(self._command, verb=Verb.PREVIEW).run().outcomes[0].result

    def up(self, targets: Sequence[str], guard: Guard, listener: Listener) -> RunResult:
        """``up`` with a refresh, of ``targets`` alone."""
        options = replace(self._command.options, targets=tuple(targets))
        with aws_profile(self._profile):
            return replace(self._command, options=options, guard=guard).run(listener).outcomes[0].result
