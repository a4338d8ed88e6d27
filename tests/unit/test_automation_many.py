"""Many stacks at once: how many run together, what follows what, and what a failure stops."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from byoc.automation.asked import Limits
from byoc.automation.many import Outcome, StackOutcome, run_many
from byoc.errors import ByocError
from byoc.runs import Failure, RunResult

NONE: frozenset[str] = frozenset()
FAILURE = Failure(urn="", type="", op="run", action="", error="no", remedy="none")


def answering(**failing: bool) -> Callable[[str], RunResult]:
    return lambda stack: RunResult(stack=stack, failures=(FAILURE,) if failing.get(stack) else ())


def states(outcomes: list[StackOutcome]) -> dict[str, str]:
    return {item.stack: item.outcome.value for item in outcomes}


def test_no_more_than_the_jobs_run_at_once_and_as_many_as_that_do() -> None:
    lock, most, now = threading.Lock(), 0, 0
    together = threading.Barrier(2, timeout=30)

    def run(stack: str) -> RunResult:
        nonlocal most, now
        with lock:
            now += 1
            most = max(most, now)
        together.wait()  # breaks unless two run at once
        with lock:
            now -= 1
        return RunResult(stack=stack)

    outcomes = run_many({str(number): NONE for number in range(6)}, run, limits=Limits(jobs=2))
    assert {item.outcome for item in outcomes} == {Outcome.SUCCEEDED}
    assert most == 2


def test_a_stack_begins_after_those_that_it_waits_for_and_outcomes_keep_the_order_asked_for() -> None:
    begun: list[str] = []

    def run(stack: str) -> RunResult:
        begun.append(stack)
        return RunResult(stack=stack)

    outcomes = run_many({"d": frozenset({"a"}), "a": NONE}, run, limits=Limits())
    assert begun == ["a", "d"]
    assert [item.stack for item in outcomes] == ["d", "a"]


def test_a_failure_holds_back_what_waits_for_it_however_far_and_nothing_else() -> None:
    waits = {"a": NONE, "b": frozenset({"a"}), "c": frozenset({"b"}), "other": NONE}
    outcomes = run_many(waits, answering(a=True), limits=Limits(jobs=1))
    assert states(outcomes) == {"a": "failed", "b": "skipped", "c": "skipped", "other": "succeeded"}
    assert [item.because for item in outcomes if item.because] == [
        "it waits for a, which did not succeed",
        "it waits for b, which did not succeed",
    ]


def test_fail_fast_begins_nothing_after_the_first_failure() -> None:
    outcomes = run_many({"a": NONE, "b": NONE, "c": NONE}, answering(a=True), limits=Limits(jobs=1, fail_fast=True))
    assert states(outcomes) == {"a": "failed", "b": "skipped", "c": "skipped"}
    assert outcomes[1].because == "a failed, and --fail-fast was given"


def test_after_an_interrupt_what_runs_is_finished_and_nothing_is_begun() -> None:
    stop = threading.Event()

    def run(stack: str) -> RunResult:
        stop.set()
        return RunResult(stack=stack, interrupted=True)

    outcomes = run_many({"a": NONE, "b": NONE}, run, limits=Limits(jobs=1), interrupted=stop.is_set)
    assert states(outcomes) == {"a": "interrupted", "b": "skipped"}
    assert outcomes[1].because == "interrupted before it was begun"


def test_an_error_of_one_stack_is_its_own_failure() -> None:
    def run(stack: str) -> RunResult:
        if stack == "a":
            raise ByocError("the config cannot be saved")
        return RunResult(stack=stack)

    outcomes = run_many({"a": NONE, "b": NONE}, run, limits=Limits(jobs=1))
    assert states(outcomes) == {"a": "failed", "b": "succeeded"}
    assert outcomes[0].result.failures[0].error == "the config cannot be saved"


def test_a_fault_of_our_own_is_not_swallowed() -> None:
    def run(_: str) -> RunResult:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_many({"a": NONE}, run, limits=Limits())


def test_an_outcome_survives_being_written_down() -> None:
    outcome = run_many({"a": NONE}, answering(a=True), limits=Limits())[0]
    assert StackOutcome.of_document(outcome.document()) == outcome
    skipped = run_many({"a": NONE, "b": frozenset({"a"})}, answering(a=True), limits=Limits())[1]
    assert StackOutcome.of_document(skipped.document()) == skipped
