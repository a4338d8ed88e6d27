"""A world whose control plane looks at it with the command line, as on AWS: by profile, through the role."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from tests.sandbox.cli_runner import Outcome, byoc
from tests.sandbox.sandbox_world import World


@dataclass
class Operated:
    """The command line over a world; ``calls`` are the AWS requests since this was made."""

    world: World
    capsys: pytest.CaptureFixture[str]
    first: int

    @classmethod
    def of(cls, world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Operated:
        """With the environment that ``byoc sandbox env`` prints."""
        for name, value in world.workspace.cli_environment().items():
            if name.startswith("AWS_"):
                monkeypatch.setenv(name, value)
        return cls(world, capsys, world.client.next_call())

    def byoc(self, *words: str) -> Outcome:
        """Run a verb in the world's folder."""
        return byoc(self.capsys, *words, "--cwd", str(self.world.root))

    def status(self, *words: str) -> tuple[int, dict[str, Any]]:
        """The exit code of ``byoc status --json``, and its rows by stack."""
        outcome = self.byoc("status", *words, "--json")
        assert outcome.err == ""
        return outcome.code, {row["stack"]: row for row in json.loads(outcome.out)["deployments"]}

    def calls(self) -> list[dict[str, Any]]:
        """The AWS requests in the world's account, but for those of its administrator."""
        return [call for call in self.world.calls(since=self.first) if ":assumed-role/" in call["principal"]]

    def denied(self) -> list[str]:
        """The actions that were denied."""
        return [call["action"] for call in self.calls() if call["outcome"] == "denied"]
