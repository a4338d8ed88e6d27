"""``byoc submit``, ``rollback`` and ``up`` while a revision is rolling out, with the real Pulumi CLI."""

from __future__ import annotations

import pytest

from byoc.automation.submissions import Queue
from tests.engine.operated_project import SERVICE, OperatedProject
from tests.engine.real_world import RealWorld
from tests.sandbox.sandbox_world import ACCOUNT, CHAT, World
from tests.waiting import wait_until

pytestmark = [pytest.mark.engine, pytest.mark.slow]
FIRST = "1.0.0"


@pytest.fixture
def project(world: World) -> OperatedProject:
    """An account and a deployment, up."""
    real = RealWorld(world)
    for stack in (ACCOUNT, CHAT):
        real.init(stack)
        real.up(stack).done()
    return OperatedProject(real)


def test_quick_pushes_a_rollback_and_an_up_end_with_config_state_and_account_agreeing(
    project: OperatedProject,
) -> None:
    assert project.image == project.tagged(FIRST)
    for number in (1, 2, 3):
        submitted = project.byoc("submit", CHAT, "--image", project.tagged(f"2.{number}.0"))
        assert submitted.code == 0, submitted.err
    wait_until(lambda: not Queue(project.world.root, CHAT).is_at_work(), "the end of the queue")
    submissions = project.done("revisions", CHAT)["submissions"]
    assert [item["state"] for item in submissions] == ["DEPLOYED", "SKIPPED", "DEPLOYED"], submissions
    assert project.image == project.tagged("2.3.0")

    back = project.done("rollback", CHAT, "--to", "1", "--yes", "--write-config")
    assert "byoc:image" in back["writtenKeys"]
    assert (project.image, project.world.value(CHAT, "image")) == (project.tagged(FIRST), project.tagged(FIRST))

    assert project.byoc("up", CHAT, "--yes").code == 0
    assert project.image == project.tagged(FIRST)
    unchanged = project.done("preview", CHAT, "--refresh", "--expect-no-changes")
    assert (unchanged["created"], unchanged["updated"], unchanged["replaced"]) == (0, 0, 0)
    (in_state,) = [
        item["outputs"]["taskDefinition"]
        for item in project.real.resources(CHAT)
        if item["type"] == "aws:ecs/service:Service" and item["outputs"]["name"] == SERVICE
    ]
    assert in_state == project.running["taskDefinitionArn"]


def test_an_up_makes_no_new_revision_while_one_is_rolling_out(project: OperatedProject) -> None:
    project.roll_out_stands("IN_PROGRESS")
    assert project.byoc("up", CHAT, "--yes").code == 0, "what changes no service is no new revision"

    newer = ("-c", f"image={project.tagged('1.1.0')}")
    refused = project.byoc("up", CHAT, "--yes", *newer, "--json")
    assert refused.code == 1
    (failure,) = refused.document["failures"]
    assert failure["error"].startswith("chat: langgraph-cloud-chat-api:1 is rolling out, last changed 20")
    assert failure["error"].endswith(": 1 of 1 containers run; nothing was done")
    assert "byoc resume demo-chat --apply" in failure["remedy"]
    assert "byoc up demo-chat --supersede" in failure["remedy"]
    assert (project.image, project.world.value(CHAT, "image")) == (project.tagged(FIRST), project.tagged(FIRST))
    assert project.byoc("resume", CHAT, "--json").document["lastRun"]["state"] == "succeeded"

    project.world.configure(CHAT, {"image": project.tagged("1.1.0")})
    blind = project.byoc("up", CHAT, "--yes", "--skip-preview")
    assert (blind.code, "is rolling out" in blind.out) == (1, True)
    detached = project.done("up", CHAT, "--yes", "--detach")["run"]
    shown = project.byoc("runs", "show", detached, "--follow")
    assert (shown.code, "is rolling out" in shown.out) == (1, True)
    assert project.image == project.tagged(FIRST)

    superseded = project.byoc("up", CHAT, "--yes", "--supersede")
    assert superseded.code == 0, superseded.out
    assert project.image == project.tagged("1.1.0")


def test_where_aws_does_not_say_whether_a_revision_is_rolling_out_the_run_goes_on_and_says_so(
    project: OperatedProject,
) -> None:
    project.roll_out_stands("IN_PROGRESS")
    project.world.configure(CHAT, {"image": project.tagged("1.1.0")})
    project.forbid("ecs:DescribeServices")
    ran = project.byoc("up", CHAT, "--yes", "--json")
    notes = [note for note in ran.document["notes"] if "whether a revision is rolling out is not known" in note]
    assert len(notes) == 1
    assert "ecs:DescribeServices" in notes[0]
