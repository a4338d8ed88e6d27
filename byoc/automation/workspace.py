"""The project as the Automation API sees it: its own program, its own stack files, the backend of Pulumi's settings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pulumi.automation import LocalWorkspace, OutputMap, Stack
from pulumi.automation.errors import CommandError

from byoc.automation.engines import Engines
from byoc.automation.failures import command_failure
from byoc.errors import ByocError
from byoc.project.project_file import Project, find_project, read_project
from byoc.project.stack_yaml import read_yaml


class ProjectWorkspace(LocalWorkspace):
    """A local workspace that leaves the user's selected stack as it is.

    The Automation API selects each stack that it touches, and the selection is one file per project: runs at the same
    time would write it together. Whether a stack exists is asked once, for all of them
    (:meth:`stacks_in_backend`).
    """

    def __init__(self, project: Project, engines: Engines) -> None:
        super().__init__(work_dir=str(project.root), pulumi_command=engines)
        self.project = project

    @classmethod
    def find(cls, folder: Path) -> ProjectWorkspace:
        """The workspace of the project that ``folder`` lies in, with the Pulumi CLI that is to run it.

        Raises :class:`~byoc.errors.InputError` if there is no project, or no CLI of the right version.
        """
        root = find_project(folder)
        return cls(read_project(root), Engines(root))

    @property
    def engines(self) -> Engines:
        """The CLI, and what it is running."""
        command = self.pulumi_command
        assert isinstance(command, Engines)  # noqa: S101 - the constructor put it there
        return command

    def select_stack(self, stack_name: str) -> None:
        """Nothing: each command names its stack."""

    def create_stack(self, stack_name: str) -> None:
        """Make the stack in the backend, as ``pulumi stack init --no-select``.

        Its secrets are encrypted as its file says under ``secretsprovider``, else as is the backend's default.
        """
        provider = read_yaml(self.project.stack_file(stack_name)).get("secretsprovider")
        chosen = ["--secrets-provider", provider] if isinstance(provider, str) else []
        self._pulumi("stack", "init", stack_name, "--no-select", *chosen)

    def stack_outputs(self, stack_name: str) -> OutputMap:  # noqa: ARG002 - the base's signature
        """Nothing: the engine's events told the outputs with the secrets masked, and nobody asked for them in plain."""
        return {}

    def existing(self, name: str) -> Stack:
        """A stack that is known to exist."""
        return Stack.select(name, self)

    def stacks_in_backend(self) -> frozenset[str]:
        """The names of this project's stacks that exist in the backend.

        Pulumi Cloud lists those of other organizations too, as ``ORGANIZATION/STACK``: commands that name a stack mean
        the default organization's, so those are left out.

        Raises :class:`~byoc.errors.ByocError` if the backend does not answer.
        """
        try:
            return frozenset(stack.name for stack in self.list_stacks() if "/" not in stack.name)
        except CommandError as error:
            raise ByocError(command_failure(str(error), stack="").render()) from None

    def save_config(self, stack: str, pairs: Mapping[str, str], file: Path | None = None) -> None:
        """Set config values in the stack's file, or in ``file``, as ``pulumi config set``.

        A key with dots after its namespace is a path into an object.
        """
        for path in (False, True):
            chosen = [f"{key}={value}" for key, value in pairs.items() if ("." in key.partition(":")[2]) is path]
            if chosen:
                words = [word for pair in chosen for word in ("--plaintext", pair)]
                target = ["--config-file", str(file)] if file else []
                flags = ["--path"] if path else []
                self._pulumi("config", "set-all", "--stack", stack, *target, *flags, *words)

    def resources(self, stack: str) -> tuple[Mapping[str, Any], ...]:
        """The resources in a stack's state, as ``pulumi stack export`` writes them: secrets stay encrypted.

        Raises :class:`~byoc.errors.ByocError` if the backend does not answer, or with something else than a state.
        """
        try:
            exported = json.loads(self._pulumi("stack", "export", "--stack", stack))
            return tuple((exported["deployment"] or {}).get("resources") or ())
        except (ValueError, KeyError, TypeError, AttributeError):
            raise ByocError(
                f"pulumi stack export --stack {stack} gives no state that can be read\n"
                "      mend it:  run it by hand and see what it says"
            ) from None

    def _pulumi(self, *words: str) -> str:
        try:
            return self.engines.run(list(words), self.work_dir, self.env_vars).stdout
        except CommandError as error:
            raise ByocError(command_failure(str(error), stack="").render()) from None
