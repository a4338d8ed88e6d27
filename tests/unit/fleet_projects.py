"""Small Pulumi projects with many stacks, for the tests of ``byoc fleet``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.sandbox.cli_runner import Outcome, byoc

SETTINGS: dict[str, Any] = {
    "organization": "acme",
    "source": {"repository": "https://github.com/acme/fleet", "branch": "main"},
    "roles": {
        "account": "arn:aws:iam::{accountId}:role/provisioner",
        "deployment": "arn:aws:iam::210987654321:role/control-plane",
    },
    "environment": {"AWS_MAX_ATTEMPTS": "10"},
    "secretEnvironment": ["PULUMI_ACCESS_TOKEN", "PULUMI_CONFIG_PASSPHRASE"],
}
"""Enough for every format."""
ENCRYPTED = "v1:nonce:ciphertext-of-the-external-id"


@dataclass
class FleetProject:
    """A project of its own; ``fleet.yaml`` says :data:`SETTINGS` until a test says something else."""

    root: Path
    capsys: pytest.CaptureFixture[str]

    def stack(self, name: str, kind: str, account: str, region: str = "us-west-2", **more: object) -> None:
        """Write a stack file; its external id is encrypted under a passphrase."""
        config: dict[str, object] = {"byoc:kind": kind, "byoc:accountId": account, "byoc:region": region}
        config |= {f"byoc:{key}": value for key, value in more.items()}
        content = {"encryptionsalt": "v1:salt", "config": {**config, "byoc:externalId": {"secure": ENCRYPTED}}}
        (self.root / "stacks" / f"Pulumi.{name}.yaml").write_text(yaml.safe_dump(content))

    def customer(self, name: str, account: str, deployments: int, region: str = "us-west-2") -> None:
        """An account stack, and deployments in it."""
        self.stack(name, "account", account, region)
        for number in range(deployments):
            self.stack(f"{name}-{number}", "deployment", account, region)

    def settings(self, **changed: object) -> None:
        """Write ``fleet.yaml``: :data:`SETTINGS` but for what is named; ``None`` leaves a key out."""
        content = {key: value for key, value in {**SETTINGS, **changed}.items() if value is not None}
        (self.root / "fleet.yaml").write_text(yaml.safe_dump(content))

    def export(self, form: str, *words: str) -> Outcome:
        """Run ``byoc fleet export``."""
        return byoc(self.capsys, "fleet", "export", "--format", form, "--cwd", str(self.root), *words)

    def exported(self, form: str, *words: str) -> dict[str, Any]:
        """Run it, and the JSON object that it prints."""
        outcome = self.export(form, *words, "--json")
        assert outcome.code == 0, outcome.err
        found: dict[str, Any] = json.loads(outcome.out)
        return found

    def out(self, form: str) -> Path:
        """The folder that is written by default."""
        return self.root / "fleet" / form

    def texts(self, form: str) -> dict[str, str]:
        """What an export wrote: text by name, without the marker."""
        return {path.name: path.read_text() for path in self.out(form).iterdir() if not path.name.startswith(".")}

    def documents(self, form: str, name: str) -> list[Any]:
        """The YAML documents of a file that an export wrote."""
        return list(yaml.safe_load_all((self.out(form) / name).read_text()))


@pytest.fixture
def fleet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> FleetProject:
    """One customer with two deployments, and the settings."""
    root = tmp_path / "project"
    (root / "stacks").mkdir(parents=True)
    (root / "Pulumi.yaml").write_text("name: byoc\nruntime: python\nmain: stacks\nstackConfigDir: stacks\n")
    (root / "stacks" / "requirements.txt").write_text("..\n")
    project = FleetProject(root, capsys)
    project.customer("acme", "111111111111", 2)
    project.settings()
    return project
