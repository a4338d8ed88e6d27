"""Submitted revisions: queued, skipped, never two at a time, found again after a kill; rolled out in the sandbox."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from byoc.automation.locks import held
from byoc.automation.recording import prune
from byoc.automation.records import RunRecord, RunState, all_runs
from byoc.automation.submissions import Queue, Submission
from byoc.cli.operations import submit_worker
from byoc.operations.account import Account
from tests.operations.submit_probe import GATE, LOG, begin
from tests.sandbox.cli_runner import Outcome, byoc
from tests.sandbox.sandbox_world import ACCOUNT, CHAT, World
from tests.waiting import wait_until

SECONDS = 60.0
REPOSITORY = "123456789012.dkr.ecr.us-west-2.amazonaws.com/agents/chat"


def submit(root: Path, stack: str = "chat", image: str = "", **more: Any) -> RunRecord:
    request = {"projectRoot": str(root), "asked": f"submit {stack}", "submission": {"image": image, "by": "me"}}
    return Queue(root, stack).submit({**request, **more}, begin)


def wait_for_the_end(root: Path, *stacks: str) -> None:
    wait_until(
        lambda: not any(Queue(root, stack).is_at_work() for stack in stacks), "the end of the worker", seconds=SECONDS
    )


def states(root: Path, stack: str = "chat") -> list[str]:
    return [item.state for item in Queue(root, stack).submissions()]


def log(root: Path) -> list[str]:
    path = root / LOG
    return path.read_text().splitlines() if path.exists() else []


def begun(root: Path) -> None:
    wait_until(lambda: log(root), "a run", seconds=SECONDS)


def test_of_quick_pushes_the_first_and_the_last_are_rolled_out_and_those_between_are_skipped(tmp_path: Path) -> None:
    records = [submit(tmp_path, image=f"chat:{number}") for number in range(5)]
    begun(tmp_path)
    assert states(tmp_path) == ["DEPLOYING", "QUEUED", "QUEUED", "QUEUED", "QUEUED"]
    (tmp_path / GATE).touch()
    wait_for_the_end(tmp_path, "chat")
    assert states(tmp_path) == ["DEPLOYED", "SKIPPED", "SKIPPED", "SKIPPED", "DEPLOYED"]
    assert [item.image for item in Queue(tmp_path, "chat").submissions()] == [f"chat:{number}" for number in range(5)]
    first, last = records[0].id, records[-1].id
    assert log(tmp_path) == [f"begin {first}", f"end {first}", f"begin {last}", f"end {last}"]
    why = {item.why for item in Queue(tmp_path, "chat").submissions() if item.state == "SKIPPED"}
    assert why == {f"a newer revision was submitted before this one began: run {last}"}


def test_a_run_that_fails_does_not_keep_the_next_one_from_beginning(tmp_path: Path) -> None:
    submit(tmp_path, ends="failed")
    submit(tmp_path)
    (tmp_path / GATE).touch()
    wait_for_the_end(tmp_path, "chat")
    assert states(tmp_path) == ["DEPLOY_FAILED", "DEPLOYED"]


def test_a_fault_of_byoc_fails_the_run_with_its_reason_and_the_next_one_begins(tmp_path: Path) -> None:
    broken = submit(tmp_path, fault="no way")
    submit(tmp_path)
    (tmp_path / GATE).touch()
    wait_for_the_end(tmp_path, "chat")
    assert states(tmp_path) == ["DEPLOY_FAILED", "DEPLOYED"]
    assert Queue(tmp_path, "chat").submissions()[0].why == "ZeroDivisionError: no way"
    assert broken.state is RunState.FAILED
    traceback = (broken.folder / "log.txt").read_text()
    assert traceback.startswith("Traceback (most recent call last):")
    assert "submit_probe.py" in traceback


def test_queues_of_two_stacks_do_not_wait_for_each_other(tmp_path: Path) -> None:
    submit(tmp_path, "chat")
    submit(tmp_path, "support")
    wait_until(lambda: len(log(tmp_path)) == 2, "the beginning of both", seconds=SECONDS)
    (tmp_path / GATE).touch()
    wait_for_the_end(tmp_path, "chat", "support")
    assert (states(tmp_path, "chat"), states(tmp_path, "support")) == (["DEPLOYED"], ["DEPLOYED"])


def test_a_worker_that_is_killed_is_found_out_and_the_next_submission_goes_on(tmp_path: Path) -> None:
    first = submit(tmp_path)
    lost = submit(tmp_path)
    begun(tmp_path)
    assert first.pid is not None
    os.kill(first.pid, signal.SIGKILL)
    os.waitpid(first.pid, 0)
    assert states(tmp_path) == ["INTERRUPTED", "INTERRUPTED"]
    assert [item.why for item in Queue(tmp_path, "chat").submissions()] == [
        f"its process was killed: byoc runs show {first.id}",
        "the process that was to begin it was killed: byoc submit chat",
    ]
    assert [str(record.state) for record in (first, lost)] == ["lost", "queued"]
    (tmp_path / GATE).touch()
    submit(tmp_path)
    wait_for_the_end(tmp_path, "chat")
    assert states(tmp_path) == ["INTERRUPTED", "SKIPPED", "DEPLOYED"]


def test_many_submitters_at_once_never_make_two_runs_of_a_stack_at_a_time_and_lose_none(tmp_path: Path) -> None:
    (tmp_path / GATE).touch()
    with ThreadPoolExecutor(max_workers=8) as pool:
        records = list(pool.map(lambda _: submit(tmp_path), range(24)))
    wait_for_the_end(tmp_path, "chat")
    assert len({record.id for record in records}) == 24
    found = states(tmp_path)
    assert set(found) <= {"DEPLOYED", "SKIPPED"}
    assert found[-1] == "DEPLOYED", "what was submitted last is what is there in the end"
    lines = [line.split() for line in log(tmp_path)]
    assert [word for word, _ in lines] == ["begin", "end"] * found.count("DEPLOYED")
    assert [lines[at][1] for at in range(0, len(lines), 2)] == [lines[at][1] for at in range(1, len(lines), 2)]


def test_what_is_queued_without_an_image_keeps_that_of_the_one_it_takes_the_place_of(tmp_path: Path) -> None:
    submit(tmp_path, image="chat:1")
    begun(tmp_path)
    submit(tmp_path, image="chat:2")
    submit(tmp_path)
    (tmp_path / GATE).touch()
    wait_for_the_end(tmp_path, "chat")
    found = Queue(tmp_path, "chat").submissions()
    assert [(item.state, item.image) for item in found] == [
        ("DEPLOYED", "chat:1"),
        ("SKIPPED", "chat:2"),
        ("DEPLOYED", "chat:2"),
    ]


def test_one_whose_submitter_was_killed_before_it_was_queued_is_not_said_to_wait(tmp_path: Path) -> None:
    submit(tmp_path)
    begun(tmp_path)
    request = {"projectRoot": str(tmp_path), "submission": {"stack": "chat", "number": time.time_ns()}}
    RunRecord.create(tmp_path, request)
    submit(tmp_path)
    assert states(tmp_path) == ["DEPLOYING", "INTERRUPTED", "QUEUED"]
    (tmp_path / GATE).touch()
    wait_for_the_end(tmp_path, "chat")
    assert states(tmp_path) == ["DEPLOYED", "INTERRUPTED", "DEPLOYED"]


@pytest.mark.parametrize("spoil", ["list", "records"])
def test_a_queue_that_was_spoiled_or_whose_records_were_deleted_goes_on(tmp_path: Path, spoil: str) -> None:
    submit(tmp_path)
    begun(tmp_path)
    lost = submit(tmp_path)
    if spoil == "list":
        (tmp_path / ".byoc" / "queues" / "chat" / "pending.json").write_text('["')
    else:
        shutil.rmtree(lost.folder)
    last = submit(tmp_path)
    (tmp_path / GATE).touch()
    wait_for_the_end(tmp_path, "chat")
    assert log(tmp_path)[-1] == f"end {last.id}"
    assert states(tmp_path) == ["DEPLOYED", *(["INTERRUPTED"] if spoil == "list" else []), "DEPLOYED"]


def test_of_submitted_runs_the_newest_are_kept_and_none_that_waits_is_removed(tmp_path: Path) -> None:
    (tmp_path / GATE).touch()
    for _ in range(3):
        submit(tmp_path)
        wait_for_the_end(tmp_path, "chat")
    (tmp_path / GATE).unlink()
    records = [submit(tmp_path) for _ in range(3)]
    prune(tmp_path, 1)
    assert {record.id for record in all_runs(tmp_path)} == {record.id for record in records}
    (tmp_path / GATE).touch()
    wait_for_the_end(tmp_path, "chat")


def test_a_run_waits_for_another_that_is_at_its_stack(tmp_path: Path) -> None:
    with held(tmp_path, ["chat"], words="up chat"):
        record = submit(tmp_path)
        wait_until(lambda: record.pid is not None, "a worker", seconds=SECONDS)
        assert states(tmp_path) == ["DEPLOYING"]
        assert log(tmp_path) == []
        assert record.state is RunState.RUNNING
    (tmp_path / GATE).touch()
    wait_for_the_end(tmp_path, "chat")
    assert log(tmp_path) == [f"begin {record.id}", f"end {record.id}"]


def test_only_the_owner_may_read_the_queue(tmp_path: Path) -> None:
    submit(tmp_path)
    submit(tmp_path)
    (tmp_path / GATE).touch()
    wait_for_the_end(tmp_path, "chat")
    folder = tmp_path / ".byoc" / "queues" / "chat"
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


@pytest.fixture
def run(world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    for name, value in world.workspace.cli_environment().items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    return lambda *words: byoc(capsys, *words, "-C", str(world.root))


@pytest.mark.slow
def test_five_quick_submissions_in_the_sandbox_make_two_revisions(world: World, run: Callable[..., Outcome]) -> None:
    world.up(ACCOUNT).done()
    world.up(CHAT).done()
    submitted = [run("submit", CHAT, "--sandbox", "--image", f"{REPOSITORY}:2.{number}.0") for number in range(5)]
    assert [outcome.code for outcome in submitted] == [0] * 5
    assert submitted[0].out.startswith("demo-chat: run 20")
    assert " has begun; follow it with: byoc runs show 20" in submitted[0].out
    wait_for_the_end(world.root, CHAT)
    document = json.loads(run("revisions", CHAT, "--json").out)
    found = document["submissions"]
    assert found[-1]["state"] == found[0]["state"] == "DEPLOYED", (world.root, found)
    assert {item["state"] for item in found[1:-1]} <= {"SKIPPED", "DEPLOYED"}
    revisions = document["deployments"][0]["revisions"]
    assert len(revisions) == 1 + sum(item["state"] == "DEPLOYED" for item in found)
    assert [revisions[0]["image"], revisions[-2]["image"]] == [f"{REPOSITORY}:2.4.0", f"{REPOSITORY}:2.0.0"]
    assert world.value(CHAT, "image") == f"{REPOSITORY}:2.4.0"
    assert run("runs", "show", found[0]["run"]).code == 0
    listed = json.loads(run("runs", "--json").out)["runs"]
    assert [item["state"] for item in listed if item["run"] == found[-1]["run"]] == ["succeeded"]


@pytest.mark.slow
def test_what_is_wrong_is_refused_before_anything_is_queued(
    world: World, run: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    latest = run("submit", CHAT, "--sandbox", "--image", f"{REPOSITORY}:latest")
    assert (latest.code, latest.err.splitlines()[0]) == (2, f"error: --image is '{REPOSITORY}:latest'")
    account = run("submit", ACCOUNT, "--sandbox", "--image", f"{REPOSITORY}:2.0.0")
    assert account.code == 2
    assert "--image, and demo-account is an account stack" in account.err
    assert run("submit", "no-such-stack", "--sandbox").code == 2

    world.up(ACCOUNT).done()
    world.up(CHAT).done()
    asked = Account.ask

    def ask(self: Account, action: str, **arguments: Any) -> dict[str, Any]:
        answer = asked(self, action, **arguments)
        if action == "ecs:DescribeServices":
            answer["services"][0]["deployments"][0].update(rolloutState="IN_PROGRESS")
        return answer

    monkeypatch.setattr(Account, "ask", ask)
    rolling = run("submit", CHAT, "--sandbox", "--image", f"{REPOSITORY}:2.0.0")
    assert rolling.code == 2
    assert "langgraph-cloud-chat-api:1 is rolling out, last changed 20" in rolling.err
    assert list(all_runs(world.root)) == []
    assert Queue(world.root, CHAT).submissions() == list[Submission]()


@pytest.mark.slow
def test_a_submission_that_cannot_be_made_says_why(world: World, run: Callable[..., Outcome]) -> None:
    world.up(ACCOUNT).done()
    submitted = json.loads(run("submit", CHAT, "--sandbox", "--json").out)["submissions"]
    assert [(item["stack"], item["state"]) for item in submitted] == [(CHAT, "running")]
    wait_for_the_end(world.root, CHAT)
    assert states(world.root, CHAT) == ["DEPLOYED"], "a deployment that is not there yet is made"

    world.configure(CHAT, {"image": "not an image"})
    record = Queue(world.root, CHAT).submit(
        {**RunRecord(world.root / ".byoc" / "runs" / submitted[0]["run"]).request},
        submit_worker.begin,
    )
    wait_for_the_end(world.root, CHAT)
    (_, failed) = Queue(world.root, CHAT).submissions()
    assert (failed.run, failed.state) == (record.id, "CREATE_FAILED")
    assert failed.why.startswith("Pulumi.demo-chat.yaml")
    assert run("runs", "show", record.id).code == 1
