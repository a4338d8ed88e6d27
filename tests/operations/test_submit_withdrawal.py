"""Submitted revisions that are taken out of the queue before they begin."""

from __future__ import annotations

from pathlib import Path

import pytest

from byoc.automation.records import RunRecord, RunState
from byoc.automation.submissions import Queue
from tests.operations.submit_probe import GATE
from tests.operations.test_submit import begun, log, states, submit, wait_for_the_end
from tests.sandbox.cli_runner import byoc


def test_a_queued_run_can_be_taken_out_of_the_queue_and_the_others_go_on_as_if_it_had_not_been(tmp_path: Path) -> None:
    running = submit(tmp_path, image="chat:1")
    kept = submit(tmp_path, image="chat:2")
    wrong = submit(tmp_path, image="chat:3")
    newest = submit(tmp_path)
    begun(tmp_path)
    queue = Queue(tmp_path, "chat")
    assert [item.image for item in queue.submissions()] == ["chat:1", "chat:2", "chat:3", "chat:3"]
    assert not queue.withdraw(running)
    assert not Queue(tmp_path, "support").withdraw(wrong)
    assert queue.withdraw(wrong)
    assert not queue.withdraw(wrong)
    assert [(item.state, item.image) for item in queue.submissions()] == [
        ("DEPLOYING", "chat:1"),
        ("QUEUED", "chat:2"),
        ("INTERRUPTED", "chat:3"),
        ("QUEUED", "chat:2"),
    ]
    assert queue.withdraw(newest)
    (tmp_path / GATE).touch()
    wait_for_the_end(tmp_path, "chat")
    assert states(tmp_path) == ["DEPLOYED", "DEPLOYED", "INTERRUPTED", "INTERRUPTED"]
    assert queue.submissions()[-1].why == "it was taken out of the queue before it began"
    assert log(tmp_path)[-1] == f"end {kept.id}"


def test_when_the_only_queued_run_is_taken_out_the_worker_ends_and_the_next_one_takes_the_file_as_it_is(
    tmp_path: Path,
) -> None:
    submit(tmp_path)
    gone = submit(tmp_path, image="chat:2")
    follower = submit(tmp_path)
    begun(tmp_path)
    assert Queue(tmp_path, "chat").withdraw(gone)
    assert follower.request["submission"]["image"] == ""
    assert Queue(tmp_path, "chat").withdraw(follower)
    (tmp_path / GATE).touch()
    wait_for_the_end(tmp_path, "chat")
    assert states(tmp_path) == ["DEPLOYED", "INTERRUPTED", "INTERRUPTED"]
    assert submit(tmp_path).state is not RunState.QUEUED
    wait_for_the_end(tmp_path, "chat")


def test_runs_stop_takes_what_is_queued_out_of_the_queue_and_stops_what_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: byoc\nruntime: python\nmain: stacks\nstackConfigDir: stacks\n")
    running, queued = submit(tmp_path), submit(tmp_path)
    begun(tmp_path)

    def stop(record: RunRecord) -> tuple[int, str]:
        outcome = byoc(capsys, "runs", "stop", record.id, "-C", str(tmp_path))
        assert outcome.err == ""
        return outcome.code, outcome.out

    assert stop(queued) == (0, f"run {queued.id} was taken out of the queue; nothing of it was done\n")
    assert stop(queued) == (1, f"run {queued.id} does not run: it is interrupted\n")
    assert stop(running) == (0, f"run {running.id} was told to stop; what is under way is finished first\n")
    (tmp_path / GATE).touch()
    wait_for_the_end(tmp_path, "chat")
    assert [line.split()[0] for line in log(tmp_path)].count("begin") == 1
