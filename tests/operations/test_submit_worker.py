"""What a worker does with one submitted run, and who it is left behind by."""

from __future__ import annotations

import getpass
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from byoc.automation.asked import Asked, Verb
from byoc.automation.command import Command
from byoc.automation.locks import held
from byoc.automation.records import RunRecord
from byoc.automation.submissions import Queue
from byoc.cli.operations import submit as submit_verb
from byoc.cli.operations import submit_worker
from byoc.errors import InputError
from byoc.operations.revisions import read
from byoc.operations.revisions.guard import RollingOutError
from byoc.operations.revisions.outcome import went_elsewhere
from byoc.operations.status.facts import Rollout
from byoc.operations.targets import Target
from tests.operations import situations
from tests.operations.test_submit import SECONDS
from tests.waiting import wait_until

REPOSITORY_ROOT = Path(__file__).resolve().parents[2]
ON_A_TERMINAL = """
import fcntl, sys, termios, time
from pathlib import Path
from byoc.automation.submissions import Queue
from byoc.cli.operations.submit_worker import begin
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
root = Path(sys.argv[1])
submission = {"stack": "chat", "image": "", "by": "me", "sandbox": False, "profile": None}
request = {"projectRoot": str(root), "asked": "submit chat", "stacks": ["chat"], "submission": submission}
print(Queue(root, "chat").submit(request, begin).id, flush=True)
time.sleep(60)
"""


def test_the_worker_outlives_the_terminal_of_who_submitted(tmp_path: Path) -> None:
    here, there = os.openpty()
    with held(tmp_path, ["chat"], words="up chat"):  # so that the run waits
        shell = subprocess.Popen(
            [sys.executable, "-c", ON_A_TERMINAL, str(tmp_path)],
            cwd=REPOSITORY_ROOT,
            stdin=there,
            stdout=there,
            stderr=there,
            start_new_session=True,
        )
        os.close(there)
        run = os.read(here, 100).decode().strip()
        os.close(here)  # the terminal is gone: its session is hung up
        assert shell.wait(30) != 0
        record = RunRecord(tmp_path / ".byoc" / "runs" / run)
        assert record.state.value == "running", (record.folder / "log.txt").read_text()
        assert Queue(tmp_path, "chat").is_at_work()
    wait_until(lambda: not Queue(tmp_path, "chat").is_at_work(), "the end of the worker", seconds=SECONDS)
    (shown,) = Queue(tmp_path, "chat").submissions()
    assert (shown.state, shown.why.startswith("no Pulumi.yaml in ")) == ("CREATE_FAILED", True), "there is no project"


def test_a_roll_out_that_a_run_of_this_project_is_at_refuses_no_submission_for_that_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rolling(*_: object, **__: object) -> None:
        raise RollingOutError("chat: langgraph-cloud-chat-api:1 is rolling out")

    monkeypatch.setattr(submit_worker, "refuse_a_new_revision", rolling)
    with pytest.raises(RollingOutError):
        submit_verb._refuse(tmp_path, "chat", sandbox=False, profile=None)
    with held(tmp_path, ["chat"], words="up chat"):
        submit_verb._refuse(tmp_path, "chat", sandbox=False, profile=None)
    with pytest.raises(RollingOutError):
        submit_verb._refuse(tmp_path, "chat", sandbox=False, profile=None)


def test_the_engine_uses_the_profile_that_was_named_as_the_questions_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: list[str | None] = []

    def prepare(*_: object, **__: object) -> Any:
        used.append(os.environ.get("AWS_PROFILE"))
        raise InputError("far enough")

    monkeypatch.setattr(submit_worker, "refuse_a_new_revision", lambda *_, **__: None)
    monkeypatch.setattr(Command, "prepare", prepare)
    monkeypatch.setattr(submit_worker, "_write_to_the_log_of", lambda _: None)
    monkeypatch.setenv("AWS_PROFILE", "ambient")
    for profile in ("named", None):
        asked = Asked(verb=Verb.UP, stacks=("chat",)).document()
        submission = {"stack": "chat", "image": "", "sandbox": False, "profile": profile}
        request = {**asked, "projectRoot": str(tmp_path), "asked": "submit chat", "submission": submission}
        result = submit_worker.carry_out(RunRecord.create(tmp_path, request))
        assert result == {"state": "failed", "stacks": [], "error": "far enough"}
    assert used == ["named", "ambient"]
    assert os.environ["AWS_PROFILE"] == "ambient"


SERVICE = {"op": "update", "urn": "urn", "type": "aws:ecs/service:Service", "changed": ["taskDefinition"]}
FAMILY = "langgraph-cloud-chat-api"


def outcome(*steps: dict[str, Any], made: int = 8) -> dict[str, Any]:
    arn = f"arn:aws:ecs:us-west-2:123456789012:task-definition/{FAMILY}:{made}"
    return {"stack": "chat", "state": "succeeded", "steps": list(steps), "outputs": {"taskDefinitionArn": arn}}


def account_outcome(*changed: str) -> dict[str, Any]:
    """Of an account stack with two deployments, of which those of these services changed."""
    urn = (
        "urn:pulumi:eu::byoc::byoc:index:CustomerAccount$byoc:index:Deployment$aws:ecs/service:Service::eu-deployment-"
    )
    arns = {name: f"arn:aws:ecs:us-west-2:123456789012:task-definition/langgraph-cloud-{name}-api:8" for name in BOTH}
    return {"steps": [{**SERVICE, "urn": urn + name} for name in changed], "outputs": {"taskDefinitionArns": arns}}


BOTH = ("chat", "support")
BACK = Rollout(task_definition=f"{FAMILY}:8", state="FAILED", reason="tasks failed to start.")


@pytest.mark.parametrize(
    ("told", "service", "found"),
    [
        (outcome(SERVICE, made=7), {}, ""),
        (outcome(SERVICE), {}, f"{FAMILY}:8 did not become healthy: ECS is at {FAMILY}:7"),
        (
            outcome(SERVICE),
            {"replaced": (BACK,)},
            f"{FAMILY}:8 did not become healthy: ECS is at {FAMILY}:7: tasks failed to start.",
        ),
        (
            outcome(SERVICE, made=7),
            {"rollout": "FAILED", "rollout_reason": "no health."},
            f"{FAMILY}:7 did not become healthy: it failed: no health.",
        ),
        (outcome(), {}, ""),
        ({"steps": [SERVICE], "outputs": {}}, {}, ""),
        (account_outcome("chat-service-api"), {}, f"{FAMILY}:8 did not become healthy: ECS is at {FAMILY}:7"),
        (account_outcome("chat-service-queue"), {}, f"{FAMILY}:8 did not become healthy: ECS is at {FAMILY}:7"),
        (account_outcome("support-service-api", "other-chat-service-api"), {}, ""),  # a rollback of chat stays one
        (account_outcome("chat-service-api"), {"task_definition": f"{FAMILY}:8"}, ""),
        ({**account_outcome("chat-service-api"), "outputs": {"taskDefinitionArns": {}}}, {}, ""),
    ],
)
def test_a_run_after_which_ecs_went_back_is_found_out(
    told: dict[str, Any], service: dict[str, Any], found: str
) -> None:
    assert went_elsewhere(told, "chat", {"api": situations.service(**service)}) == found


@pytest.mark.parametrize("at", [7, 8])
def test_a_run_is_deployed_only_if_ecs_is_at_its_revision(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    kept: list[str] = []
    target = cast("Target", SimpleNamespace(deployment="chat"))
    facts = situations.service(task_definition=f"{FAMILY}:{at}")
    monkeypatch.setattr(read, "present_services", lambda _: {"api": facts})
    monkeypatch.setattr(submit_worker, "_targets", lambda *_: [target])
    monkeypatch.setattr(submit_worker, "refuse_a_new_revision", lambda *_, **__: None)
    monkeypatch.setattr(submit_worker, "_write_to_the_log_of", lambda _: None)
    monkeypatch.setattr(submit_worker, "_by_pulumi", lambda *_: {"state": "succeeded", "stacks": [outcome(SERVICE)]})
    monkeypatch.setattr(submit_worker, "_keep", lambda *_: kept.append("kept"))
    submission = {"stack": "chat", "image": "", "sandbox": False, "profile": None, "number": 1}
    record = RunRecord.create(
        tmp_path, {"projectRoot": str(tmp_path), "asked": "submit chat", "submission": submission, "stacks": ["chat"]}
    )
    record.write("result.json", submit_worker.carry_out(record))
    (shown,) = Queue(tmp_path, "chat").submissions()
    if at == 8:
        assert (shown.state, shown.why, kept) == ("DEPLOYED", "", ["kept"])
    else:
        assert (shown.state, kept) == ("DEPLOY_FAILED", [])
        assert shown.why == f"chat: {FAMILY}:8 did not become healthy: ECS is at {FAMILY}:7"


def test_who_submits_has_a_number_where_the_system_knows_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def nameless() -> str:
        raise KeyError("getpwuid(): uid not found: 4711")

    monkeypatch.setattr(getpass, "getuser", nameless)
    monkeypatch.setattr(os, "getuid", lambda: 4711)
    assert submit_verb._who() == "user 4711"
