"""``byoc retention --apply`` as a scheduler runs it in production: the real engine destroys what is due."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from byoc.operations.langsmith import transport
from tests.engine.real_world import RealWorld
from tests.operations.langsmith_server import KEY, langsmith_server
from tests.operations.retention_world import Traced
from tests.sandbox.cli_runner import byoc
from tests.sandbox.sandbox_world import ACCOUNT, CHAT, World

pytestmark = [pytest.mark.engine, pytest.mark.slow]


@pytest.fixture
def life(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Traced]:
    """A deployment made by the real engine, with its tracing project, and the scheduler's environment."""
    real = RealWorld(world)
    with langsmith_server(tmp_path) as server:
        monkeypatch.setattr(transport, "PAUSE_SECONDS", 0)
        world.configure(CHAT, {"tracing": {"endpoint": server.endpoint}, "retention": {}})
        world.configure_secret(CHAT, "langsmithApiKey", KEY)
        for stack in (ACCOUNT, CHAT):
            real.init(stack)
            real.up(stack).done()
        for name, text in real.environment.items():
            if os.environ.get(name) != text:
                monkeypatch.setenv(name, text)
        monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
        server.add_project("chat")
        yield Traced(world, server)


def test_a_deployment_that_is_due_is_destroyed_and_the_next_run_finds_it_gone(
    life: Traced, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("byoc.operations.retention.read.Clock", lambda: life.clock)
    life.set_record(f"watched={life.day(0)} looked={life.day(39)} noticed={life.day(8)}")
    life.on(40)
    words = ("retention", "demo-*", "--apply", "--json", "-C", str(life.world.root))
    ran = byoc(capsys, *words)
    assert ran.code == 0, ran.out + ran.err
    (case,) = json.loads(ran.out)["deployments"]
    assert (case["stack"], case["action"], case["done"], case["failure"]) == (CHAT, "delete", "deleted", "")
    assert life.world.kinds()["rds instance"] == life.world.kinds()["ecs service"] == 0
    assert life.world.kinds()["ecs cluster"] == 1  # the account stack stays
    assert life.server.names() == ["chat"]

    ran = byoc(capsys, *words)
    (case,) = json.loads(ran.out)["deployments"]
    assert (ran.code, case["action"], case["done"]) == (0, "absent", "nothing")
