"""A world that the real Pulumi CLI provisions: the sandbox's world, run as ``byoc sandbox env`` has it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from byoc.values import RESOURCE_SIGNATURE, SECRET_SIGNATURE, SIGNATURE_KEY, Secret
from tests.sandbox.sandbox_world import PASSPHRASE, PROJECT, World

_TIMEOUT_SECONDS = 300
_COUNT = re.compile(r"(\d+) (?:to )?(creat|updat|replac|delet|import|unchanged|errored)")
_WORDS = {"creat": "created", "updat": "updated", "replac": "replaced", "delet": "deleted", "import": "imported"}
NO_CLI = "the engine tests need the Pulumi CLI: run 'make pulumi' first"


@dataclass(frozen=True)
class Ran:
    """What a command of the CLI came to."""

    command: Sequence[str]
    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        """All that it wrote, to both streams."""
        return f"{self.out}\n{self.err}"

    @property
    def document(self) -> Any:
        """The JSON object that it printed."""
        return json.loads(self.out)

    def done(self) -> Ran:
        """This run, if it succeeded."""
        assert self.code == 0, f"pulumi {' '.join(self.command)}: exit code {self.code}\n{self.text}"
        return self

    def failed(self) -> Ran:
        """This run, if it failed."""
        assert self.code != 0, f"pulumi {' '.join(self.command)} did not fail:\n{self.text}"
        return self

    @property
    def counts(self) -> dict[str, int]:
        """How many resources came to what, by the CLI's own summary; the stack itself counts as one."""
        summary = self.out.rpartition("Resources:\n")[2]
        return {_WORDS.get(word, word): int(number) for number, word in _COUNT.findall(summary)}


@dataclass
class RealWorld:
    """A world, and the environment in which the CLI works on it."""

    world: World
    environment: Mapping[str, str] = field(init=False)

    def __post_init__(self) -> None:
        root = self.world.root
        for name in (".venv", ".tools"):
            if not (root / name).exists():
                (root / name).symlink_to(PROJECT / name)
        self.environment = {
            **os.environ,
            **self.world.workspace.cli_environment(),
            "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
        }
        assert shutil.which("pulumi", path=self.environment["PATH"]), NO_CLI

    def pulumi(self, *words: str, stack: str = "", also: Mapping[str, str] | None = None) -> Ran:
        """Run the CLI in the world's folder; ``also``: more of its environment."""
        command = [*words, *(["--stack", stack] if stack else [])]
        with subprocess.Popen(
            ["pulumi", "--non-interactive", "--color", "never", *command],
            cwd=self.world.root,
            env={**self.environment, **(also or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                out, err = process.communicate(timeout=_TIMEOUT_SECONDS)
            finally:
                process.kill()
        return Ran(command, process.returncode, out, err)

    def init(self, stack: str) -> Ran:
        """Make a stack, and what it takes for granted."""
        self.world.workspace.provide(stack)
        return self.pulumi("stack", "init", "--no-select", stack=stack).done()

    def preview(self, stack: str, *words: str) -> Ran:
        """``pulumi preview``."""
        return self.pulumi("preview", *words, stack=stack)

    def up(self, stack: str, *words: str) -> Ran:
        """``pulumi up``, without a preview before."""
        return self.pulumi("up", "--yes", "--skip-preview", *words, stack=stack)

    def refresh(self, stack: str, *words: str) -> Ran:
        """``pulumi refresh``, without a preview before."""
        return self.pulumi("refresh", "--yes", "--skip-preview", *words, stack=stack)

    def destroy(self, stack: str, *words: str) -> Ran:
        """``pulumi destroy``, without a preview before."""
        return self.pulumi("destroy", "--yes", "--skip-preview", *words, stack=stack)

    def exported(self, stack: str, *words: str) -> str:
        """What ``pulumi stack export`` writes."""
        return self.pulumi("stack", "export", *words, stack=stack).done().out

    def resources(self, stack: str) -> list[dict[str, Any]]:
        """The resources of the stack's state, secrets marked and open."""
        deployment = json.loads(self.exported(stack, "--show-secrets"))["deployment"]
        return [_decoded(resource) for resource in deployment.get("resources") or []]

    def resource(self, stack: str, name: str) -> dict[str, Any]:
        """The resource with a logical name."""
        (found,) = [item for item in self.resources(stack) if item["urn"].rsplit("::", 1)[1] == name]
        return found

    def state_files(self) -> list[Path]:
        """Every file that the CLI keeps: state, history, backups."""
        folder = Path(self.environment["PULUMI_BACKEND_URL"].removeprefix("file://"))
        return [path for path in folder.rglob("*") if path.is_file()]


def _decoded(value: Any) -> Any:
    if isinstance(value, list):
        return [_decoded(item) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get(SIGNATURE_KEY) == SECRET_SIGNATURE:
        return Secret(_decoded(json.loads(value["plaintext"])))
    if value.get(SIGNATURE_KEY) == RESOURCE_SIGNATURE:
        return value.get("id") or value["urn"]
    return {key: _decoded(item) for key, item in value.items()}
