"""Many stacks at once: bounded, in an order that their dependencies allow, each on its own when another fails."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any

from byoc.automation.asked import Limits
from byoc.automation.failures import command_failure
from byoc.errors import ByocError
from byoc.runs import RunResult


class Outcome(enum.StrEnum):
    """What became of one stack."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    SKIPPED = "skipped"
    """Not run, because a stack that it waits for did not succeed, or because the others were stopped."""
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, kw_only=True)
class StackOutcome:
    """What became of one stack, and why."""

    stack: str
    outcome: Outcome
    result: RunResult
    because: str = ""
    """Why a skipped stack was not run, in plain words."""

    @classmethod
    def of_document(cls, document: Mapping[str, Any]) -> StackOutcome:
        """What :meth:`document` wrote."""
        return cls(
            stack=document["stack"],
            outcome=Outcome(document["state"]),
            result=RunResult.of_document(document),
            because=document.get("because", ""),
        )

    def document(self) -> dict[str, Any]:
        """The outcome for a program to read: that of the run, its state, and the reason."""
        return {
            **self.result.document(),
            "state": self.outcome.value,
            **({"because": self.because} if self.because else {}),
        }


def run_many(
    waits: Mapping[str, frozenset[str]],
    run: Callable[[str], RunResult],
    *,
    limits: Limits,
    interrupted: Callable[[], bool] = lambda: False,
    done: Callable[[StackOutcome], None] = lambda _: None,
) -> list[StackOutcome]:
    """Call ``run`` for every stack of ``waits``, each after those that it waits for.

    What waits for a stack that did not succeed is skipped; the rest goes on, unless ``limits`` says to fail fast: then
    what has begun is finished and nothing else is begun. ``done`` is told of each outcome, from this thread. The
    outcomes come in the order of ``waits``.
    """
    outcomes: dict[str, StackOutcome] = {}
    running: dict[Future[RunResult], str] = {}

    def settle(outcome: StackOutcome) -> None:
        outcomes[outcome.stack] = outcome
        done(outcome)

    with ThreadPoolExecutor(max_workers=limits.jobs, thread_name_prefix="stack") as pool:
        while len(outcomes) < len(waits):
            stopped = why_stopped(outcomes, limits, interrupted=interrupted())
            for stack in [name for name in waits if name not in outcomes and name not in running.values()]:
                reason = stopped or why_not(waits[stack], outcomes)
                if reason:
                    settle(skipped(stack, reason))
                elif waits[stack] <= outcomes.keys() and len(running) < limits.jobs:
                    running[pool.submit(run, stack)] = stack
            ended = wait(running, return_when=FIRST_COMPLETED).done if running else ()
            for future in ended:
                settle(_outcome(running.pop(future), future))
    return [outcomes[stack] for stack in waits]


def _outcome(stack: str, future: Future[RunResult]) -> StackOutcome:
    try:
        result = future.result()
    except ByocError as error:  # the config could not be saved
        failure = command_failure(f"error: {error}", stack=stack)
        result = RunResult(stack=stack, failures=(failure,))
    if result.interrupted:
        return StackOutcome(stack=stack, outcome=Outcome.INTERRUPTED, result=result)
    return StackOutcome(stack=stack, outcome=Outcome.SUCCEEDED if result.ok else Outcome.FAILED, result=result)


def skipped(stack: str, because: str) -> StackOutcome:
    """The outcome of a stack that was not run."""
    return StackOutcome(stack=stack, outcome=Outcome.SKIPPED, result=RunResult(stack=stack), because=because)


def why_stopped(outcomes: Mapping[str, StackOutcome], limits: Limits, *, interrupted: bool) -> str:
    """Why nothing else is to be begun; empty if it may."""
    if interrupted:
        return "interrupted before it was begun"
    failed = next((item.stack for item in outcomes.values() if item.outcome is Outcome.FAILED), None)
    return f"{failed} failed, and --fail-fast was given" if limits.fail_fast and failed else ""


def why_not(needed: frozenset[str], outcomes: Mapping[str, StackOutcome]) -> str:
    """Why a stack that needs others is not to be run; empty if nothing is known against it."""
    unmet = sorted(name for name in needed if name in outcomes and outcomes[name].outcome is not Outcome.SUCCEEDED)
    return f"it waits for {', '.join(unmet)}, which did not succeed" if unmet else ""
