"""Whole runs on the emulator: CLI start, account, deployment, revision."""

from __future__ import annotations

import json
import subprocess
import sys
import time

from bench.measure import Timing, process
from bench.world import ACCOUNT, DEPLOYMENT, mutating, sandbox
from byoc.runs import RunResult
from byoc.sandbox.workspace import Workspace

_CLI = ["-c", "from byoc.cli import main; main()"]


def cli_start() -> Timing:
    """``byoc --help`` as a process."""
    return process([*_CLI, "--help"], runs=7)


def lives(count: int = 3) -> dict[str, Timing]:
    """Account and deployment, made, left as they are, changed and destroyed, ``count`` times; each a CLI process."""
    seconds: dict[str, list[tuple[float, float]]] = {}

    def step(title: str, workspace: Workspace, *words: str) -> None:
        started = time.monotonic()
        command = [sys.executable, *_CLI, "sandbox", *words, "--json"]
        done = subprocess.run(command, cwd=workspace.root, check=True, capture_output=True)
        taken = time.monotonic() - started
        seconds.setdefault(title, []).append((taken, json.loads(done.stdout)["seconds"]))

    for index in range(count):
        with sandbox() as workspace:
            step("account up", workspace, "up", ACCOUNT)
            step("account up again (no change)", workspace, "up", ACCOUNT)
            step("deployment up", workspace, "up", DEPLOYMENT)
            step("deployment up again (no change)", workspace, "up", DEPLOYMENT)
            image = f"byoc:image={workspace.deployment_config(DEPLOYMENT).image}-{index}"
            step("revision", workspace, "up", DEPLOYMENT, "-c", image)
            step("deployment destroy", workspace, "destroy", DEPLOYMENT)
            step("account destroy", workspace, "destroy", ACCOUNT)
    return {
        title: Timing(tuple(whole for whole, _ in values), inside=tuple(inside for _, inside in values))
        for title, values in seconds.items()
    }


def revision_calls() -> tuple[list[str], list[str]]:
    """The mutating AWS calls of a revision: with another image, and with another environment."""
    with sandbox() as workspace:
        for stack in (ACCOUNT, DEPLOYMENT):
            _must(workspace.up(stack))
        image = f"byoc:image={workspace.deployment_config(DEPLOYMENT).image}-next"
        first = _must(workspace.up(DEPLOYMENT, overrides=[image]))
        second = _must(workspace.up(DEPLOYMENT, overrides=[image, 'byoc:environment={"GREETING": "Hi"}']))
        return mutating(workspace, first.run_id), mutating(workspace, second.run_id)


def _must(result: RunResult) -> RunResult:
    if not result.ok:
        raise RuntimeError("\n".join(failure.render() for failure in result.failures))
    return result
