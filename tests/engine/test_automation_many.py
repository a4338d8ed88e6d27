"""Many stacks at once with the real Pulumi CLI: order, failures, Ctrl-C, and runs that were detached."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.engine.automation_project import PASSPHRASE, SECRET, TinyProject
from tests.waiting import wait_until

pytestmark = [pytest.mark.engine, pytest.mark.slow]


@pytest.fixture
def tiny(tmp_path: Path) -> TinyProject:
    """A project without stacks."""
    return TinyProject.make(tmp_path)


def gated(tiny: TinyProject, stack: str) -> Path:
    """A stack whose first resource is not done before the gate is opened."""
    gate = tiny.root.parent / f"gate-{stack}"
    gate.mkdir()
    tiny.add(stack, gate=str(gate))
    return gate


def test_a_failed_account_holds_back_its_deployments_and_no_others(tiny: TinyProject) -> None:
    tiny.add("acme-chat", kind="deployment")
    tiny.add("acme", text="refused")
    tiny.add("other", account="222222222222")
    tiny.add("other-chat", kind="deployment", account="222222222222")
    ran = tiny.byoc("up", "--all", "--yes", "--skip-preview", "--json")
    assert ran.code == 1
    states = {item["stack"]: item["state"] for item in ran.document["stacks"]}
    assert states == {"acme": "failed", "acme-chat": "skipped", "other": "succeeded", "other-chat": "succeeded"}
    assert ran.document["state"] == "failed"
    (skipped,) = [item for item in ran.document["stacks"] if item["state"] == "skipped"]
    assert skipped["because"] == "it waits for acme, which did not succeed"


def test_deployments_are_destroyed_before_the_account_that_they_are_in(tiny: TinyProject) -> None:
    tiny.add("acme")
    tiny.add("acme-chat", kind="deployment")
    assert tiny.byoc("up", "acme", "acme-chat", "--yes", "--skip-preview").code == 0
    tiny.file("never-made").write_text("config:\n  tiny:kind: account\n")
    ran = tiny.byoc("destroy", "--all", "--yes", "--skip-preview")
    assert ran.code == 0, ran.err
    lines = [line for line in ran.out.splitlines() if "delete" in line and "Resource first" in line]
    assert ["acme-chat" in line for line in lines] == [True, False]
    assert "never-made" not in ran.out


def nothing_runs(tiny: TinyProject) -> None:
    wait_until(lambda: tiny.processes() == [], "the end of every process of the project")


def test_what_is_confirmed_is_done_and_after_a_no_nothing_else_is_begun(tiny: TinyProject) -> None:
    tiny.add("acme")
    tiny.add("acme-chat", kind="deployment")
    ran = tiny.answered("up", "acme", "acme-chat", answers="yn")
    assert ran.code == 1
    assert ran.out.index("up acme? [y/N]:") < ran.out.index("up acme-chat? [y/N]:")
    assert "not confirmed" in ran.out
    assert "second" in tiny.resources("acme")
    assert tiny.resources("acme-chat") == {}


def test_the_first_interrupt_lets_the_engine_finish_what_it_began(tiny: TinyProject) -> None:
    gate = gated(tiny, "one")
    begun = tiny.begin("up", "one", "--yes", "--skip-preview")
    wait_until((gate / "begun").exists, "the first resource")
    begun.interrupt()
    assert begun.process.poll() is None
    (gate / "open").touch()
    ran = begun.ended()
    assert ran.code == 130
    assert "stopping: what is under way is finished first" in ran.err
    assert "interrupted: run the same command again" in ran.err
    assert "Traceback" not in ran.out + ran.err
    assert "first" in tiny.resources("one")
    assert "second" not in tiny.resources("one")
    assert tiny.locks() == []
    nothing_runs(tiny)
    again = tiny.byoc("up", "one", "--yes", "--skip-preview", "--json").document
    assert (again["created"], again["failures"]) == (1, [])


@pytest.mark.parametrize("presses", [2, 3])
def test_a_further_interrupt_ends_the_engine_at_once_and_says_what_to_do(tiny: TinyProject, presses: int) -> None:
    gate = gated(tiny, "one")
    begun = tiny.begin("up", "one", "--yes", "--skip-preview")
    wait_until((gate / "begun").exists, "the first resource")
    for _ in range(presses):
        begun.interrupt()
    ran = begun.ended()
    assert ran.code == 130
    assert "the engine was ended while something was under way" in ran.out
    assert "byoc refresh one; if the stack is still locked, pulumi cancel --stack one before" in ran.out
    assert "Traceback" not in ran.out + ran.err
    nothing_runs(tiny)


def test_a_detached_run_is_listed_followed_and_leaves_no_secret_behind(tiny: TinyProject) -> None:
    gate = gated(tiny, "one")
    begun = tiny.byoc("up", "one", "--yes", "--detach", "--json")
    assert begun.code == 0, begun.err
    run = begun.document["run"]
    wait_until((gate / "begun").exists, "the first resource")
    (listed,) = tiny.byoc("runs", "--json").document["runs"]
    assert (listed["run"], listed["state"], listed["asked"]) == (run, "running", "up one")
    arguments = " ".join(tiny.processes())
    assert "byoc.cli.detached_run" in arguments
    assert PASSPHRASE not in arguments
    second = tiny.byoc("up", "one", "--yes", "--detach")
    assert second.code == 2
    assert f"stack 'one' is being worked on by run {run} (byoc up one); nothing was run" in second.err
    assert os.getsid(listed["pid"]) == listed["pid"] != os.getsid(0)
    (gate / "open").touch()
    shown = tiny.byoc("runs", "show", run, "--follow")
    assert shown.code == 0, shown.err
    assert "create pulumi-python:dynamic:Resource second" in shown.out
    assert f"run {run}: succeeded" in shown.out
    folder = Path(begun.document["folder"])
    assert folder.stat().st_mode & 0o777 == 0o700
    for path in folder.iterdir():
        assert path.stat().st_mode & 0o777 == 0o600, path
        assert SECRET not in path.read_text()
        assert PASSPHRASE not in path.read_text()
    assert (folder / "log.txt").read_text() == ""


def test_a_detached_run_that_is_stopped_finishes_what_it_began(tiny: TinyProject) -> None:
    gate = gated(tiny, "one")
    run = tiny.byoc("up", "one", "--yes", "--detach", "--skip-preview", "--json").document["run"]
    wait_until((gate / "begun").exists, "the first resource")
    assert tiny.byoc("runs", "stop", run).code == 0
    (gate / "open").touch()
    shown = tiny.byoc("runs", "show", run, "--follow", "--json")
    assert shown.code == 1
    assert shown.document["state"] == "interrupted"
    assert "first" in tiny.resources("one")
    assert tiny.byoc("runs", "stop", run).code == 1


def test_a_detached_run_that_was_killed_is_lost_and_its_engine_goes_on_under_its_lock(tiny: TinyProject) -> None:
    gate = gated(tiny, "one")
    run = tiny.byoc("up", "one", "--yes", "--detach", "--skip-preview", "--json").document["run"]
    wait_until((gate / "begun").exists, "the first resource")
    (listed,) = tiny.byoc("runs", "--json").document["runs"]
    os.kill(listed["pid"], signal.SIGKILL)
    wait_until(lambda: tiny.byoc("runs", "--json").document["runs"][0]["state"] == "lost", "the state 'lost'")
    shown = tiny.byoc("runs", "show", run)
    assert shown.code == 1
    assert "pulumi cancel --stack one" in shown.out
    other = tiny.byoc("destroy", "one", "--yes", "--skip-preview")
    assert other.code == 1
    assert "the stack is currently locked by 1 lock(s)" in other.out
    (gate / "open").touch()  # the engine was left alone: it goes on to its end, and lets go of its lock
    nothing_runs(tiny)
    assert {"first", "second"} <= set(tiny.resources("one"))
    assert tiny.locks() == []
