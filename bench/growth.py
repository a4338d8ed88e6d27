"""How program time and memory grow with the number of inline deployments in one account stack."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass

import yaml

from bench.measure import peak_mib
from bench.world import ACCOUNT, ROOT, sandbox
from byoc.sandbox.workspace import Workspace

SIZES = (1, 10, 100, 300)


@dataclass(frozen=True)
class Growth:
    """One preview of an account with so many inline deployments."""

    deployments: int
    resources: int
    seconds: float
    peak_mib: float


def growth() -> list[Growth]:
    """Preview each size in a process of its own: the program runs whole, and nothing waits for AWS."""
    found = []
    for size in SIZES:
        command = [sys.executable, "-m", "bench.growth", str(size)]
        out = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout
        found.append(Growth(**json.loads(out)))
    return found


def _preview(size: int) -> Growth:
    with sandbox() as workspace:
        _add_deployments(workspace, size)
        before = time.monotonic()
        result = workspace.preview(ACCOUNT)
        seconds = time.monotonic() - before
        if not result.ok:
            raise RuntimeError(result.failures[0].render())
        return Growth(size, result.counts["created"], round(seconds, 2), round(peak_mib(), 1))


def _add_deployments(workspace: Workspace, size: int) -> None:
    path = workspace.root / "stacks" / f"Pulumi.{ACCOUNT}.yaml"
    document = yaml.safe_load(path.read_text())
    image = "123456789012.dkr.ecr.us-west-2.amazonaws.com/agents/chat:1.0.0"
    document["config"]["byoc:deployments"] = {
        f"agent-{index}": {"type": "development", "image": image} for index in range(size)
    }
    path.write_text(yaml.safe_dump(document))


if __name__ == "__main__":
    print(json.dumps(vars(_preview(int(sys.argv[1])))))
