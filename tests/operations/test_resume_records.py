"""What the records of runs tell of the last one: which counts, what stopped it, whether it was cut short."""

from __future__ import annotations

from pathlib import Path

from byoc.automation.many import Outcome, StackOutcome
from byoc.automation.records import RunRecord, RunState, all_runs
from byoc.automation.stack_run import REFUSED
from byoc.operations.recovery.blocks import Block, Kind
from byoc.operations.recovery.last_run import LastRun, last_run
from byoc.operations.recovery.resume import Seen, plan
from byoc.runs import Failure, RunResult
from tests.operations.test_resume_plan import DENIED, of_aws


def recorded(
    root: Path,
    verb: str,
    result: RunResult | None,
    run_id: str,
    outcome: Outcome = Outcome.FAILED,
    targets: tuple[str, ...] = (),
) -> None:
    """A run's record, as a run leaves it."""
    stacks = [result.stack] if result is not None else ["demo-chat"]
    request = {"verb": verb, "stacks": stacks, "asked": verb, "options": {"targets": list(targets)}}
    record = RunRecord.create(root, request, run_id)
    if result is not None:
        told = StackOutcome(stack=result.stack, outcome=outcome, result=result)
        record.write("result.json", {"state": outcome.value, "stacks": [told.document()]})


def test_the_last_run_that_changed_the_stack_counts(tmp_path: Path) -> None:
    failure = of_aws(DENIED)
    recorded(tmp_path, "up", RunResult(stack="demo-chat", failures=(failure,)), "20260501-080000-aaaaaa")
    recorded(tmp_path, "up", RunResult(stack="other"), "20260501-090000-bbbbbb", Outcome.SUCCEEDED)
    recorded(tmp_path, "preview", RunResult(stack="demo-chat"), "20260501-100000-cccccc", Outcome.SUCCEEDED)
    recorded(tmp_path, "up", RunResult(stack="demo-chat"), "20260501-110000-dddddd", Outcome.SKIPPED)
    found = last_run(all_runs(tmp_path), "demo-chat")
    assert found is not None
    assert (found.id, found.state) == ("20260501-080000-aaaaaa", RunState.FAILED)
    assert found.failures == (Block(kind=Kind.PERMISSION, failure=failure, fix=failure.remedy),)
    assert last_run(all_runs(tmp_path), "nobody") is None


def test_a_run_that_was_killed_was_cut_short(tmp_path: Path) -> None:
    recorded(tmp_path, "up", None, "20260501-080000-aaaaaa")
    found = last_run(all_runs(tmp_path), "demo-chat")
    assert found is not None
    assert (found.state, [block.kind for block in found.failures]) == (RunState.LOST, [Kind.CUT_SHORT])
    assert plan("demo-chat", found, Seen()).refresh


def kinds(found: LastRun | None) -> tuple[str, list[Kind]]:
    """The run's id, and what stopped it."""
    assert found is not None
    return found.id[-6:], [block.kind for block in found.failures]


def test_a_run_that_was_refused_hides_nothing_that_went_before_it(tmp_path: Path) -> None:
    refusal = Failure(urn="", type="", op=REFUSED, action="", error="a revision is rolling out", remedy="wait")
    recorded(tmp_path, "up", None, "20260501-080000-aaaaaa")
    recorded(tmp_path, "up", RunResult(stack="demo-chat", failures=(refusal,)), "20260501-090000-bbbbbb")
    assert kinds(last_run(all_runs(tmp_path), "demo-chat")) == ("aaaaaa", [Kind.CUT_SHORT])


def test_a_run_of_some_resources_hides_nothing_that_went_before_it(tmp_path: Path) -> None:
    recorded(tmp_path, "up", None, "20260501-080000-aaaaaa")
    one = ("urn:pulumi:demo-chat::byoc::x::errors",)
    recorded(tmp_path, "up", RunResult(stack="demo-chat"), "20260501-090000-bbbbbb", Outcome.SUCCEEDED, one)
    assert kinds(last_run(all_runs(tmp_path), "demo-chat")) == ("aaaaaa", [Kind.CUT_SHORT])


def test_a_run_that_was_cut_short_counts_until_one_has_succeeded(tmp_path: Path) -> None:
    locked = Failure(urn="", type="", op="pulumi", action="", error="the stack is currently locked", remedy="wait")
    recorded(tmp_path, "up", None, "20260501-080000-aaaaaa")
    recorded(tmp_path, "up", RunResult(stack="demo-chat", failures=(locked,)), "20260501-090000-bbbbbb")
    found = last_run(all_runs(tmp_path), "demo-chat")
    assert kinds(found) == ("bbbbbb", [Kind.CUT_SHORT, Kind.COMMAND])
    assert plan("demo-chat", found, Seen()).refresh
    recorded(tmp_path, "up", RunResult(stack="demo-chat"), "20260501-100000-cccccc", Outcome.SUCCEEDED)
    recorded(tmp_path, "up", RunResult(stack="demo-chat", failures=(locked,)), "20260501-110000-dddddd")
    found = last_run(all_runs(tmp_path), "demo-chat")
    assert kinds(found) == ("dddddd", [Kind.COMMAND])
    assert not plan("demo-chat", found, Seen()).refresh


def test_what_a_killed_run_made_and_did_not_record_is_told_apart_from_a_name_that_is_taken(tmp_path: Path) -> None:
    exists = of_aws(
        "operation error RDS: CreateDBInstance, api error DBInstanceAlreadyExists: DB instance already exists"
    )
    recorded(tmp_path, "up", RunResult(stack="demo-chat", failures=(exists,)), "20260501-080000-aaaaaa")
    found = last_run(all_runs(tmp_path), "demo-chat")
    assert found is not None
    assert found.failures[0].fix.startswith("the name is taken: choose another")
    recorded(tmp_path, "up", None, "20260501-090000-bbbbbb")
    recorded(tmp_path, "up", RunResult(stack="demo-chat", failures=(exists,)), "20260501-100000-cccccc")
    found = last_run(all_runs(tmp_path), "demo-chat")
    assert found is not None
    assert [block.kind for block in found.failures] == [Kind.CUT_SHORT, Kind.DRIFT]
    assert found.failures[1].fix.startswith("the run that was cut short may have made it, unrecorded")
