"""Going on with a stack: one run, with a record that tells the next 'byoc resume' what became of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from byoc.automation.many import StackOutcome
from byoc.automation.recording import recorded_run
from byoc.runs import Listener, RunResult

Up = Callable[[Listener], RunResult]
"""Brings a stack up, and tells the listener of each step."""


def carry_on(root: Path, stack: str, up: Up, listener: Listener) -> StackOutcome:
    """Run ``up`` under a record in ``.byoc/runs`` of the project; the outcome is written down whatever it is."""
    return recorded_run(root, stack, up, listener, verb="up", asked=f"resume {stack} --apply")
