"""Worlds for end-to-end tests: a copy of the project with an AWS account of its own on the embedded AWS.

Each world has its own folder, state and account number, so that worlds share one emulator process and still know
nothing of each other. Everything goes through :class:`byoc.sandbox.workspace.Workspace`, as the command line does.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import yaml

from byoc.aws_models import core_session
from byoc.project.passphrase import PassphraseCrypter
from byoc.runs import RunResult
from byoc.sandbox.emulator.client import EmulatorClient
from byoc.sandbox.emulator.process import RunningEmulator
from byoc.sandbox.emulator.state_file import STATE_FILE
from byoc.sandbox.session import CallObserver
from byoc.sandbox.workspace import Workspace

PROJECT = Path(__file__).resolve().parents[2]
PASSPHRASE = "byoc-demo"
ACCOUNT, CHAT, SUPPORT, ALL_IN_ONE, ADOPTED = "demo-account", "demo-chat", "demo-support", "all-in-one", "adopted-vpc"
EXAMPLE_ACCOUNT = "123456789012"
"""The account number in the example stacks, which each world replaces with its own."""
READS = ("Describe", "Get", "List", "Head", "BatchGet")
"""What the names of AWS operations that change nothing begin with."""

_numbers = itertools.count(1)
_NUMBER_DIGITS = 5
"""The last digits of an account number, which tell the worlds of one test process apart."""


@dataclass(frozen=True)
class Run:
    """One run of the engine, with every AWS request that it made."""

    result: RunResult
    calls: Sequence[Mapping[str, Any]] = ()

    @property
    def counts(self) -> dict[str, int]:
        """What happened to how many resources; nothing that did not happen."""
        return {name: count for name, count in self.result.counts.items() if count}

    @property
    def mutating(self) -> list[str]:
        """The actions that change something, in the order in which they were answered."""
        return [str(call["action"]) for call in self.calls if not is_read(str(call["action"]))]

    @property
    def changed_types(self) -> set[tuple[str, str]]:
        """Operation and short type (``ecs:Service``) of every step."""
        return {(step.op.value, short(step.type)) for step in self.result.steps}

    def done(self) -> Run:
        """This run, if it did everything that it was to do."""
        assert self.result.ok, "\n".join(failure.render() for failure in self.result.failures) or self.result.skipped
        return self


def is_read(action: str) -> bool:
    """Whether an action changes nothing in the account; to ask for credentials does not."""
    return action.partition(":")[2].startswith(READS) or action in ("sts:AssumeRole", "sts:GetCallerIdentity")


def short(token: str) -> str:
    """``aws:ec2/vpc:Vpc`` as ``ec2:Vpc``."""
    return ":".join((token.split(":")[1].split("/")[0], token.rsplit(":", 1)[1]))


@dataclass
class World:
    """A project folder, its state, and an account that nothing else uses."""

    root: Path
    account_id: str
    client: EmulatorClient
    region: str = "us-west-2"

    @property
    def home(self) -> Path:
        """Where the sandbox keeps its files."""
        return self.root / ".byoc" / "sandbox"

    @property
    def workspace(self) -> Workspace:
        """The workspace of this folder; a new one each time, as each command has."""
        return Workspace(self.root)

    # Runs

    def up(self, stack: str, *overrides: str, on_call: CallObserver | None = None) -> Run:
        """``byoc sandbox up``."""
        return self._with_calls(self.workspace.up(stack, overrides=overrides, on_call=on_call))

    def preview(self, stack: str, *overrides: str) -> Run:
        """``byoc sandbox preview``."""
        return self._with_calls(self.workspace.preview(stack, overrides=overrides))

    def destroy(self, stack: str, on_call: CallObserver | None = None) -> Run:
        """``byoc sandbox destroy``."""
        return self._with_calls(self.workspace.destroy(stack, on_call=on_call))

    def _with_calls(self, result: RunResult) -> Run:
        return Run(result, self.client.calls(run=result.run_id))

    # Config

    def file(self, stack: str) -> Path:
        """The stack's file."""
        return self.root / "stacks" / f"Pulumi.{stack}.yaml"

    def value(self, stack: str, key: str) -> Any:
        """What a stack's file says for a key, without the ``byoc:`` namespace."""
        return yaml.safe_load(self.file(stack).read_text())["config"][f"byoc:{key}"]

    def configure(self, stack: str, changes: Mapping[str, Any]) -> None:
        """Change keys of a stack's file, without the ``byoc:`` namespace; None removes one."""
        content = yaml.safe_load(self.file(stack).read_text())
        for key, value in changes.items():
            if value is None:
                content["config"].pop(f"byoc:{key}", None)
            else:
                content["config"][f"byoc:{key}"] = value
        self.file(stack).write_text(json.dumps(content, indent=1))  # YAML too, with every text in quotes

    def configure_secret(self, stack: str, key: str, text: str) -> None:
        """Set a secret of a stack's file, encrypted under the examples' passphrase."""
        content = yaml.safe_load(self.file(stack).read_text())
        crypter = PassphraseCrypter.of_salt(content["encryptionsalt"], PASSPHRASE)
        content["config"][f"byoc:{key}"] = {"secure": crypter.encrypt(text)}
        self.file(stack).write_text(json.dumps(content, indent=1))  # YAML too, with every text in quotes

    def copy_stack(self, stack: str, name: str, changes: Mapping[str, Any]) -> str:
        """Another stack with the config of ``stack``, but for ``changes``."""
        shutil.copy(self.file(stack), self.file(name))
        self.configure(name, changes)
        return name

    # What is there

    def calls(self, *, since: int) -> list[dict[str, Any]]:
        """Every AWS request from an index on, but for what others still ask in the accounts of their worlds."""
        return [call for call in self.client.calls(since=since) if not self._is_of_another_world(call["account"])]

    def _is_of_another_world(self, account_id: str) -> bool:
        return account_id != self.account_id and account_id.startswith(self.account_id[:-_NUMBER_DIGITS])

    def aws(self, service: str, region: str = "") -> Any:
        """A client of the account's administrator."""
        return boto3.Session(botocore_session=core_session()).client(
            service,
            endpoint_url=self.client.endpoint,
            region_name=region or self.region,
            **self.client.administrator(self.account_id).boto3,
        )

    def inventory(self, region: str = "") -> list[dict[str, str]]:
        """Everything in the account beyond AWS's defaults."""
        return self.client.inventory(self.account_id, region or self.region)

    def kinds(self, region: str = "") -> Counter[str]:
        """How many things of each kind are in the account."""
        return Counter(f"{item['service']} {item['kind']}" for item in self.inventory(region))

    def state_files(self) -> dict[str, bytes]:
        """Every file of the state, by name; the locks that runs hold are no state."""
        folder = self.home / "state"
        return {
            str(path.relative_to(folder)): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file() and path.suffix != ".lock"
        }

    def resource(self, stack: str, name: str) -> str:
        """The id of the resource with a logical name."""
        (found,) = [item["id"] for item in self.workspace.resources(stack) if item["name"] == name]
        return str(found)


@dataclass(frozen=True)
class Settled:
    """A world with the account and both deployments up. Tests look at it, and try what must change nothing."""

    world: World
    runs: Mapping[str, Run]
    """The first ``up`` of each stack."""
    kinds: Mapping[str, Counter[str]]
    """What was in the account after each, by kind."""


@dataclass(frozen=True)
class Worlds:
    """Makes worlds on one emulator, below one folder."""

    emulator: RunningEmulator
    emulator_home: Path
    folder: Path

    def new(self) -> World:
        """A world with an empty account."""
        number = next(_numbers)
        account_id = f"4{os.getpid() % 10**6:06d}{number:0{_NUMBER_DIGITS}d}"
        root = self.folder / f"world-{number}"
        copy_project(root, account_id)
        home = root / ".byoc" / "sandbox"
        home.mkdir(parents=True)
        # The worlds of a test process share one emulator: each of them finds it under its own roof.
        shutil.copy(self.emulator_home / STATE_FILE, home / STATE_FILE)
        return World(root, account_id, self.emulator.client)


def copy_project(root: Path, account_id: str = EXAMPLE_ACCOUNT) -> None:
    """The project's program and example stacks, with another account number."""
    (root / "stacks").mkdir(parents=True)
    shutil.copy(PROJECT / "Pulumi.yaml", root)
    shutil.copy(PROJECT / "stacks" / "__main__.py", root / "stacks")
    for path in (PROJECT / "stacks").glob("Pulumi.*.yaml"):
        (root / "stacks" / path.name).write_text(path.read_text().replace(EXAMPLE_ACCOUNT, account_id))


def in_a_process(act: Callable[[], bool]) -> int:
    """Run ``act`` in a forked process: 0 if it says yes, 1 if no, 9 if it was killed, 2 if it raised."""
    child = os.fork()
    if child == 0:
        code = 2
        try:
            code = 0 if act() else 1
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
