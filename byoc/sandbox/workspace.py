"""A project folder seen from the sandbox: its stacks, its embedded AWS, and the state of both under ``.byoc/``."""

from __future__ import annotations

import importlib
import json
import os
import threading
import uuid
from collections.abc import Iterable
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from byoc.config import AccountConfig, DeploymentConfig
from byoc.errors import InputError
from byoc.program_run import Program, script
from byoc.project.project_file import find_project, read_project
from byoc.project.stack_file import read_stack_file, stack_setting
from byoc.runs import Listener, RunResult, ignore
from byoc.sandbox.aws_profiles import CONTROL_PLANE, account_profiles, profiles_environment
from byoc.sandbox.cli_environment import cli_environment
from byoc.sandbox.emulator import process
from byoc.sandbox.emulator_cloud import DOCUMENTED_PRINCIPAL, EmulatorCloud
from byoc.sandbox.engine import Engine
from byoc.sandbox.overrides import with_overrides
from byoc.sandbox.prerequisites import taken_for_granted
from byoc.sandbox.state import StackState
from byoc.sandbox.state_crypto import StateCrypter
from byoc.stack_config import load_stack_config
from byoc.values import hidden, plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from byoc.sandbox.emulator.process import RunningEmulator
    from byoc.sandbox.session import CallObserver


@contextmanager
def _loading_the_sdk() -> Iterator[None]:
    """Load the large packages of the AWS SDK meanwhile: the key of a stack's secrets takes the better part of a second.

    Nobody else may use them before the block ends: a package that one thread is loading looks broken in another.
    """

    def load() -> None:
        for package in ("ec2", "ecs", "iam", "cloudwatch"):
            getattr(getattr(importlib.import_module("pulumi_aws"), package), "__all__", None)

    thread = threading.Thread(target=load, name="sdk")
    thread.start()
    try:
        yield
    finally:
        thread.join()


class Workspace:
    """One project folder. Every method that runs a stack starts the embedded AWS if none is running."""

    def __init__(self, root: Path, home: Path | None = None) -> None:
        """``home`` is where the sandbox keeps its files; by default ``.byoc/sandbox`` in the project."""
        self.root = root
        self.home = home or root / ".byoc" / "sandbox"

    @classmethod
    def find(cls, folder: Path) -> Workspace:
        """The workspace of the project that ``folder`` lies in; raises ``InputError`` if it lies in none."""
        return cls(find_project(folder))

    # The embedded AWS

    def start(self, port: int = 0) -> RunningEmulator:
        """Start the embedded AWS, or find the one that is running."""
        return process.start(self.home, port=port)

    def stop(self) -> bool:
        """Stop the embedded AWS; says whether one was running."""
        return process.stop(self.home)

    def status(self) -> dict[str, Any]:
        """Whether the embedded AWS runs, where, and how many resources each stack has in it."""
        emulator = process.status(self.home)
        if emulator is None:
            return {"running": False, "endpoint": None, "pid": None, "stacks": {}}
        folder = self._state_folder(emulator)
        names = sorted({path.stem for path in [*folder.glob("*.json"), *folder.glob("*.journal")]})
        stacks = {name: len(self._state(emulator, name).resources) for name in names}
        return {"running": True, "endpoint": emulator.endpoint, "pid": emulator.pid, "stacks": stacks}

    def cli_environment(self) -> dict[str, str]:
        """What to set so that the real Pulumi CLI, the AWS CLI and byoc's own verbs work on the embedded AWS.

        Starts it if none is running.
        """
        emulator = self.start()
        tools = self.root / ".tools" / "pulumi" / "bin"
        client = emulator.client
        accounts = {account_id: client.administrator(account_id).boto3 for account_id in self._account_ids()}
        profiles = {
            CONTROL_PLANE: client.control_plane(DOCUMENTED_PRINCIPAL).boto3,
            **account_profiles(accounts),
        }
        return {
            **cli_environment(self.home, emulator.id, tools, os.environ.get("PATH", "")),
            **profiles_environment(self.home.resolve() / "aws" / emulator.id, emulator.endpoint, profiles),
        }

    def provide(self, stack: str) -> tuple[str, ...]:
        """Give the embedded AWS what the stack's config takes for granted and is not there yet; says what it was."""
        return self._provide(self.config(stack))

    # Stacks

    def up(
        self,
        stack: str,
        *,
        overrides: Iterable[str] = (),
        listener: Listener = ignore,
        calls: Path | None = None,
        on_call: CallObserver | None = None,
    ) -> RunResult:
        """Make what the stack's config says. ``overrides``: see ``with_overrides``.

        What the config takes for granted is given to the embedded AWS first; the result says what was.
        """
        program, config = self._program(stack, overrides)
        provided = self._provide(config)
        with self._engine(stack, listener, calls, on_call) as engine:
            return replace(engine.up(program), provided=provided)

    def preview(
        self, stack: str, *, overrides: Iterable[str] = (), listener: Listener = ignore, calls: Path | None = None
    ) -> RunResult:
        """Say what ``up`` would do; what the config takes for granted is given to the embedded AWS, as for ``up``."""
        program, config = self._program(stack, overrides)
        provided = self._provide(config)
        with self._engine(stack, listener, calls) as engine:
            return replace(engine.preview(program), provided=provided)

    def destroy(
        self,
        stack: str,
        *,
        listener: Listener = ignore,
        calls: Path | None = None,
        on_call: CallObserver | None = None,
    ) -> RunResult:
        """Delete what the stack made."""
        self._must_exist(stack)
        with self._engine(stack, listener, calls, on_call) as engine:
            return engine.destroy()

    def outputs(self, stack: str, *, show_secrets: bool = False) -> dict[str, Any]:
        """The outputs of the stack's last ``up``."""
        state = self.recorded(stack)
        found: dict[str, Any] = (plain if show_secrets else hidden)(dict(state.outputs))
        return found

    def resources(self, stack: str) -> list[dict[str, Any]]:
        """What the stack has made, in the order in which it was made."""
        return [
            {"type": item.type, "name": item.name, "id": item.id, "urn": item.urn, "protect": item.protect}
            for item in self.recorded(stack).resources.values()
        ]

    def exported(self, stack: str) -> list[dict[str, Any]]:
        """The recorded resources by the names that ``pulumi stack export`` gives their parts."""
        return [
            {"type": item.type, "delete": item.superseded, "inputs": item.inputs, "outputs": item.outputs}
            for item in self.recorded(stack).resources.values()
        ]

    def config(self, stack: str) -> AccountConfig | DeploymentConfig:
        """The stack's validated config."""
        file = read_stack_file(self.root, stack)
        return load_stack_config(file.config, file.secret_keys, source=file.path.name)

    def deployment_config(self, stack: str) -> DeploymentConfig:
        """The config of a stack of kind ``deployment``; raises ``InputError`` for another kind."""
        config = self.config(stack)
        if not isinstance(config, DeploymentConfig):
            raise InputError(f"stack '{stack}' is of kind '{config.kind}', not 'deployment'")
        return config

    def recorded(self, stack: str) -> StackState:
        """The stack's state after its last run; raises ``InputError`` if it is not up."""
        self._must_exist(stack)
        emulator = process.status(self.home)
        state = self._state(emulator, stack) if emulator is not None else None
        if state is None or not state.resources:
            raise InputError(f"stack '{stack}' is not up\n      mend it:  byoc sandbox up {stack}")
        return state

    # Inside

    def _program(self, stack: str, overrides: Iterable[str]) -> tuple[Program, AccountConfig | DeploymentConfig]:
        with _loading_the_sdk():
            file = read_stack_file(self.root, stack)
        config = with_overrides(file.config, overrides, file.project.name)
        # A wrong config stops here, before any AWS call.
        validated = load_stack_config(config, file.secret_keys, source=file.path.name)
        program = Program(
            main=script(file.project.main / "__main__.py"),
            project=file.project.name,
            config=config,
            secret_keys=file.secret_keys,
        )
        return program, validated

    def _provide(self, config: AccountConfig | DeploymentConfig) -> tuple[str, ...]:
        """Give the embedded AWS what ``config`` takes for granted and is not there yet; what was made, in words."""
        wanted = taken_for_granted(config)
        return tuple(self.start().client.provide(config.account_id, config.region, wanted)) if wanted else ()

    def _account_ids(self) -> tuple[str, ...]:
        """The accounts that the project's stacks name, as far as they can be read without a passphrase."""
        project = read_project(self.root)
        found = [stack_setting(project, stack, "accountId") for stack in project.stacks()]
        return tuple(sorted({account_id for account_id in found if len(account_id) == 12 and account_id.isdigit()}))

    def _must_exist(self, stack: str) -> None:
        project = read_project(self.root)
        if not project.stack_file(stack).is_file():
            raise InputError(
                f"there is no stack '{stack}'\n"
                f"      allowed:  {', '.join(project.stacks()) or 'none has a file yet'}\n"
                f"      mend it:  name one of these, or write {project.stack_file(stack)}"
            )

    def _state_folder(self, emulator: RunningEmulator) -> Path:
        # An emulator that was stopped took everything with it: its state means nothing to the next one.
        return self.home / "state" / emulator.id

    @cached_property
    def _crypter(self) -> StateCrypter:
        return StateCrypter.of_folder(self.home)

    def _state(self, emulator: RunningEmulator, stack: str) -> StackState:
        return StackState(self._state_folder(emulator), stack, self._crypter)

    @contextmanager
    def _engine(
        self, stack: str, listener: Listener, calls: Path | None, on_call: CallObserver | None = None
    ) -> Iterator[Engine]:
        emulator = self.start()
        run_id = uuid.uuid4().hex[:12]
        try:
            yield Engine(
                state=self._state(emulator, stack),
                cloud=EmulatorCloud(emulator.client),
                listener=listener,
                run_id=run_id,
                on_call=on_call,
                stop=threading.Event(),
            )
        finally:
            if calls is not None:
                with calls.open("w") as file:
                    for record in emulator.client.calls(run=run_id):
                        file.write(json.dumps(record) + "\n")
