"""``byoc resume`` with the real Pulumi CLI: runs that stopped half-way go on, and nothing is made twice."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.engine.operated_project import OperatedProject
from tests.engine.real_world import RealWorld
from tests.sandbox.sandbox_world import ACCOUNT, CHAT, World, Worlds
from tests.waiting import wait_until

pytestmark = [pytest.mark.engine, pytest.mark.slow]


@pytest.fixture
def project(world: World) -> OperatedProject:
    """An account, and a deployment whose stack is there and empty."""
    real = RealWorld(world)
    real.init(ACCOUNT)
    real.up(ACCOUNT).done()
    real.init(CHAT)
    return OperatedProject(real)


@pytest.fixture(scope="module")
def whole(worlds: Worlds) -> Counter[str]:
    """What is in an account in which nothing went wrong."""
    other = worlds.new()
    other.up(ACCOUNT).done()
    other.up(CHAT).done()
    return other.kinds()


def is_whole(project: OperatedProject, whole: Counter[str]) -> bool:
    """Whether everything is there, once, and the state says so."""
    assert project.world.kinds() == whole
    unchanged = project.done("preview", CHAT, "--refresh", "--expect-no-changes")
    return (unchanged["created"], unchanged["updated"], unchanged["replaced"]) == (0, 0, 0)


def test_an_attached_run_that_a_denial_stopped_is_told_and_goes_on_once_it_is_lifted(
    project: OperatedProject, whole: Counter[str]
) -> None:
    project.forbid("rds:CreateDBInstance")
    assert project.byoc("up", CHAT, "--yes").code == 1
    (run,) = project.done("runs")["runs"]
    assert (run["state"], run["asked"]) == ("failed", "up demo-chat")

    told = project.byoc("resume", CHAT, "--json")
    assert told.code == 1
    assert (told.document["lastRun"]["run"], told.document["lastRun"]["state"]) == (run["run"], "failed")
    assert [(block["kind"], block["still"]) for block in told.document["blocks"]] == [("permission", "unknown")]
    assert told.document["blocks"][0]["evidence"].startswith("deployment-database-instance (rds:CreateDBInstance)")

    # The administrator may ask what the role may do, and that it may not is known: nothing is tried.
    known = project.byoc("resume", CHAT, "--apply", "--own-credentials", "--profile", "account", "--json")
    assert known.code == 1, known.err
    assert (known.document["refused"], known.document["applied"]) == (True, None)

    project.forbid()
    gone_on = project.done("resume", CHAT, "--apply")
    assert gone_on["applied"]["state"] == "succeeded"
    assert is_whole(project, whole)
    assert project.done("resume", CHAT)["needed"] is False


def test_a_run_whose_process_was_killed_goes_on_and_makes_nothing_twice(
    project: OperatedProject, whole: Counter[str]
) -> None:
    project.killed_at("rds:CreateDBInstance", "up", CHAT, "--yes", "--skip-preview")
    (run,) = project.done("runs")["runs"]
    assert run["state"] == "lost"
    told = project.byoc("resume", CHAT, "--json").document
    assert [(block["kind"], told["refreshFirst"]) for block in told["blocks"]] == [("cut short", True)]

    # Its engine finishes what it began. While it is at work the backend's lock keeps the next run off.
    wait_until(lambda: project.engines() == [], "the end of the engine")
    gone_on = project.done("resume", CHAT, "--apply")
    assert gone_on["applied"]["state"] == "succeeded"
    assert is_whole(project, whole)
    assert [item["state"] for item in project.done("runs")["runs"]] == ["lost", "succeeded"]
