"""``byoc teardown`` as in production: the real engine destroys, and is killed or stopped on the way."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from byoc.sandbox.emulator.faults import Latency
from tests.engine.real_world import RealWorld
from tests.engine.test_failures import comes
from tests.sandbox.sandbox_world import ACCOUNT, CHAT, SUPPORT, Worlds

pytestmark = [pytest.mark.engine, pytest.mark.slow]

_PATIENCE_SECONDS = 180
NOTE = {"Key": "byoc-retention", "Value": "watched=2026-11-24 looked=2026-11-24"}
ENVIRONMENT = "langgraph-cloud/chat/environment"


@dataclass
class Production:
    """An account made by the real engine, and ``byoc`` at work on it as a user's command."""

    real: RealWorld

    def begin(self, *words: str) -> subprocess.Popen[str]:
        """``byoc`` with these words, in a session of its own, so that a signal meets it and its engine alone."""
        return subprocess.Popen(
            [sys.executable, "-c", "from byoc.cli import main; main()", *words],
            cwd=self.real.world.root,
            env=dict(self.real.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def teardown(self, *words: str) -> tuple[int, dict[str, Any]]:
        """Exit code and document of ``byoc teardown --yes --json``, for one stack."""
        process = self.begin("teardown", *words, "--yes", "--json")
        out, err = process.communicate(timeout=_PATIENCE_SECONDS)
        assert out, err
        (stack,) = json.loads(out)["stacks"]
        return process.returncode, stack

    def processes(self) -> list[int]:
        """The commands, engines and plugins that are at work on this project."""
        mark = f"PULUMI_HOME={self.real.environment['PULUMI_HOME']}\0".encode()
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):  # it has just ended, or is another user's
                if mark in (folder / "environ").read_bytes():
                    found.append(int(folder.name))
        return found

    def support(self) -> None:
        """A production deployment, up."""
        self.real.up(SUPPORT).done()

    def snapshots(self) -> list[dict[str, Any]]:
        """Every snapshot that outlives its database."""
        found: list[dict[str, Any]] = self.real.world.aws("rds").describe_db_snapshots(SnapshotType="manual")[
            "DBSnapshots"
        ]
        return found

    def in_the_middle(self) -> subprocess.Popen[str]:
        """A teardown that has begun to delete and is far from its end."""
        client = self.real.world.client
        first = client.next_call()
        client.set_latency([Latency(seconds=1.0, actions=("*:Delete*", "*:Deregister*"))])
        process = self.begin("teardown", SUPPORT, "--unprotect", "--yes")
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not any(":Delete" in str(call["action"]) for call in client.calls(since=first)):
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline, "nothing was deleted"
            time.sleep(0.1)
        return process


@pytest.fixture(scope="module")
def production(worlds: Worlds) -> Production:
    """The account, and a stack for the production deployment."""
    real = RealWorld(worlds.new())
    real.init(ACCOUNT)
    real.up(ACCOUNT).done()
    real.init(SUPPORT)
    return Production(real)


@pytest.fixture(autouse=True)
def quick(production: Production) -> Iterator[None]:
    yield
    production.real.world.client.set_latency([])


def test_a_production_deployment_goes_by_the_real_engine_leaves_a_verified_snapshot_and_its_names(
    production: Production,
) -> None:
    real = production.real
    before, there = real.world.kinds(), len(production.snapshots())
    production.support()
    code, stack = production.teardown(SUPPORT)
    assert (code, stack["destroyed"]) == (1, None)
    assert "database langgraph-cloud-support: it is protected from deletion" in stack["error"]

    code, stack = production.teardown(SUPPORT, "--unprotect")
    assert (code, stack["error"], stack["clean"]) == (0, "", True)
    assert [change["action"] for change in stack["changes"]] == ["rds:ModifyDBInstance", "unprotect", "destroy"]
    assert stack["destroyed"]["deleted"] > 40
    assert stack["sweep"]["conclusion"] == f"nothing is left but {there + 2} kept on purpose"
    newest = max(production.snapshots(), key=lambda item: item["SnapshotCreateTime"])
    assert (newest["Status"], newest["Encrypted"]) == ("available", True)
    assert newest["DBSnapshotIdentifier"] in [entry["id"] for entry in stack["sweep"]["entries"]]
    assert real.world.kinds() - before == {"rds snapshot": 1}
    assert real.resources(SUPPORT) == []

    production.support()  # at once: every name, and so those of its secrets, can be used again
    code, stack = production.teardown(SUPPORT, "--unprotect")
    assert (code, stack["clean"]) == (0, True)
    assert len(production.snapshots()) == there + 2


def test_ctrl_c_ends_a_teardown_and_the_next_one_takes_down_the_rest(production: Production) -> None:
    there = len(production.snapshots())
    production.support()
    process = production.in_the_middle()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=_PATIENCE_SECONDS)
    assert process.returncode == 130, out + err
    assert "interrupted" in err
    assert "Traceback" not in out + err
    assert production.real.resources(SUPPORT), "the signal came too late"
    production.real.world.client.set_latency([])
    code, stack = production.teardown(SUPPORT, "--unprotect")
    assert (code, stack["error"], stack["clean"]) == (0, "", True)
    assert len(production.snapshots()) == there + 1


def test_a_teardown_that_was_killed_leaves_its_engine_to_finish_and_the_next_one_waits_for_it(
    production: Production,
) -> None:
    there = len(production.snapshots())
    production.support()
    process = production.in_the_middle()
    process.kill()
    process.communicate(timeout=_PATIENCE_SECONDS)
    code, stack = production.teardown(SUPPORT, "--unprotect")
    assert code == 1
    assert "the stack is currently locked by 1 lock(s)" in stack["error"]
    assert "wait for the other run" in stack["error"]
    production.real.world.client.set_latency([])
    assert comes(lambda: not production.processes()), "the engine does not end"
    code, stack = production.teardown(SUPPORT, "--unprotect")
    assert (code, stack["error"], stack["clean"]) == (0, "", True)
    assert len(production.snapshots()) == there + 1


def test_a_teardown_that_was_killed_with_its_engine_goes_on_once_its_lock_is_lifted(production: Production) -> None:
    there = len(production.snapshots())
    production.support()
    process = production.in_the_middle()
    while left := production.processes():
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    process.communicate(timeout=_PATIENCE_SECONDS)
    production.real.world.client.set_latency([])
    assert production.real.resources(SUPPORT), "the signal came too late"
    code, stack = production.teardown(SUPPORT, "--unprotect")
    assert code == 1
    assert f"pulumi cancel --stack {SUPPORT}" in stack["error"]
    production.real.pulumi("cancel", "--yes", stack=SUPPORT).done()
    code, stack = production.teardown(SUPPORT, "--unprotect")
    assert (code, stack["error"], stack["clean"]) == (0, "", True)
    assert production.real.resources(SUPPORT) == []
    assert len(production.snapshots()) == there + 1


def test_the_note_of_retention_survives_refresh_and_up(production: Production) -> None:
    real = production.real
    real.world.configure(CHAT, {"retention": {}})
    real.init(CHAT)
    real.up(CHAT).done()
    secrets = real.world.aws("secretsmanager")
    secrets.tag_resource(SecretId=ENVIRONMENT, Tags=[NOTE])
    real.refresh(CHAT, "--expect-no-changes").done()
    real.up(CHAT, "--expect-no-changes").done()
    real.world.configure(CHAT, {"tags": {"team": "agents"}, "environment": {"GREETING": "hello again"}})
    assert real.up(CHAT, "--refresh").done().counts["updated"] > 0
    assert NOTE in secrets.describe_secret(SecretId=ENVIRONMENT)["Tags"]
    assert production.teardown(CHAT)[0] == 0
