"""Going on with a stack: one run, with a record that tells the next 'byoc resume' what became of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from byoc.automation.many import Outcome, StackOutcome
from byoc.automation.recording import recorded
from byoc.runs import Listener, RunResult

Up = Callable[[Listener], RunResult]
"""Brings a stack up, and tells the listener of each step."""


def carry_on(root: Path, stack: str, up: Up, listener: Listener) -> StackOutcome:
    """Run ``up`` under a record in ``.byoc/runs`` of the project; the outcome is written down whatever it is."""
    with recorded(root, {"verb": "up", "stacks": [stack], "asked": f"resume {stack} --apply"}) as recording:
        result = up(recording.listener(listener))
        outcome = StackOutcome(stack=stack, outcome=_outcome(result), result=result)
        recording.ended({"state": outcome.outcome.value, "stacks": [outcome.document()]})
    return outcome


def _outcome(result: RunResult) -> Outcome:
    if result.interrupted:
        return Outcome.INTERRUPTED
    return Outcome.SUCCEEDED if result.ok else Outcome.FAILED
