"""``byoc resume`` over the embedded AWS: a stack that stopped half-way, why, and on it goes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from byoc.automation.records import RunRecord, RunState, all_runs
from tests.operations.operated_world import Operated
from tests.sandbox.sandbox_world import ACCOUNT, CHAT, World, is_read

pytestmark = pytest.mark.slow
ROLE = "LangGraphCloudBYOCRole"


@pytest.fixture
def operated(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, quick_retries: None
) -> Operated:
    """The command line over an account without a deployment."""
    world.up(ACCOUNT).done()
    return Operated.of(world, capsys, monkeypatch)


def resume(operated: Operated, *words: str) -> tuple[int, dict[str, Any]]:
    """The exit code of ``byoc resume --json`` and what it says."""
    outcome = operated.byoc("resume", CHAT, *words, "--sandbox", "--json")
    assert outcome.err == ""
    found: dict[str, Any] = json.loads(outcome.out)
    return outcome.code, found


def forbid(world: World, *actions: str) -> None:
    """A policy of the role that denies these actions; none: there is no such policy."""
    iam, policy = world.aws("iam"), {"RoleName": ROLE, "PolicyName": "Forbidden"}
    if actions:
        deny = {"Effect": "Deny", "Action": list(actions), "Resource": "*"}
        iam.put_role_policy(**policy, PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [deny]}))
    else:
        iam.delete_role_policy(**policy)


def changing(operated: Operated) -> list[str]:
    """What was asked of AWS that changes something, in the whole world."""
    asked = [call["action"] for call in operated.calls() if not is_read(call["action"])]
    return [action for action in asked if action != "iam:SimulatePrincipalPolicy"]


def test_a_stack_that_a_denial_stopped_goes_on_once_it_is_lifted(operated: Operated) -> None:
    world = operated.world
    forbid(world, "rds:CreateDBInstance")
    code, found = resume(operated, "--apply")
    assert (code, found["lastRun"], found["needed"]) == (1, None, True)
    assert [failure["action"] for failure in found["applied"]["failures"]] == ["rds:CreateDBInstance"]

    code, found = resume(operated)
    assert (code, found["lastRun"]["state"], found["applied"]) == (1, "failed", None)
    assert [block["kind"] for block in found["blocks"]] == ["permission"]
    assert found["blocks"][0]["evidence"].startswith(
        "deployment-database-instance (rds:CreateDBInstance): AccessDenied"
    )

    # The role may not ask what it may do: only a try can tell.
    assert (found["blocks"][0]["still"], found["refused"]) == ("unknown", False)

    forbid(world)
    code, found = resume(operated, "--apply")
    assert (code, found["applied"]["state"], found["applied"]["failures"]) == (0, "succeeded", [])
    assert [record.state for record in all_runs(world.root)] == [RunState.FAILED, RunState.SUCCEEDED]

    code, found = resume(operated, "--apply")
    assert (code, found["needed"], found["applied"]) == (0, False, None)


def test_a_stack_is_not_run_against_a_name_that_is_taken_still(operated: Operated) -> None:
    rds = operated.world.aws("rds")
    taken = {"DBInstanceIdentifier": "langgraph-cloud-chat"}
    storage = {"AllocatedStorage": 20, "DBInstanceClass": "db.t4g.micro", "Engine": "postgres"}
    rds.create_db_instance(**taken, **storage, MasterUsername="x", MasterUserPassword="somebody-else")
    code, found = resume(operated, "--apply")
    assert (code, [failure["action"] for failure in found["applied"]["failures"]]) == (1, ["rds:CreateDBInstance"])

    operated.first = operated.world.client.next_call()
    code, found = resume(operated, "--apply")
    assert (code, found["refused"], found["applied"], changing(operated)) == (1, True, None, [])
    (block,) = [item for item in found["blocks"] if item["still"] == "there"]
    assert block["kind"] == "drift"
    assert block["why"].startswith("byoc doctor: ")

    rds.delete_db_instance(**taken, SkipFinalSnapshot=True)
    code, found = resume(operated, "--apply")
    assert (code, found["applied"]["state"]) == (0, "succeeded")


def test_what_it_says_is_for_people_too(operated: Operated) -> None:
    outcome = operated.byoc("resume", CHAT)
    assert outcome.code == 1
    assert outcome.out.startswith("demo-chat: no run is recorded here; what follows is what AWS tells\n")
    assert "byoc watch demo-chat shows them" in outcome.out
    assert outcome.out.endswith("--apply goes on, after a refresh: what is there is kept, and only the rest is done\n")


def test_a_run_under_way_is_left_alone(operated: Operated) -> None:
    record = RunRecord.create(operated.world.root, {"verb": "up", "stacks": [CHAT], "asked": "up demo-chat"})
    with record.hold():
        outcome = operated.byoc("resume", CHAT, "--apply", "--sandbox")
    assert outcome.code == 2
    assert f"stack 'demo-chat' is being worked on by run {record.id}" in outcome.err
    assert operated.calls() == []


def test_a_role_that_does_not_open_is_named_and_nothing_is_run(
    operated: Operated, monkeypatch: pytest.MonkeyPatch
) -> None:
    operated.world.configure_secret(CHAT, "externalId", "another-external-id-0123456789")
    code, found = resume(operated, "--apply")
    assert (code, found["refused"], found["applied"]) == (1, True, None)
    assert found["blocks"][0]["kind"] == "permission"
    assert found["unknown"][0].startswith("not known: everything: sts:AssumeRole: ")


def test_a_stack_without_a_file_is_wrong_input(operated: Operated) -> None:
    assert operated.byoc("resume", "nobody").code == 2
    assert operated.byoc("resume").code == 2


def test_several_stacks_go_on_account_first_and_what_waits_for_one_that_did_not_is_not_run(operated: Operated) -> None:
    world = operated.world
    forbid(world, "rds:CreateDBInstance")
    told = operated.byoc("resume", CHAT, ACCOUNT, "--apply", "--sandbox", "--json")
    chat, account = json.loads(told.out)["stacks"]
    assert (told.code, chat["stack"], account["stack"]) == (1, CHAT, ACCOUNT)
    assert (account["needed"], account["applied"], account["failure"]) == (False, None, "")
    assert [failure["action"] for failure in chat["applied"]["failures"]] == ["rds:CreateDBInstance"]

    record = RunRecord.create(world.root, {"verb": "up", "stacks": [ACCOUNT], "asked": "up demo-account"})
    with record.hold():
        told = operated.byoc("resume", "demo-[ac]*", "--apply", "--sandbox", "--json")
    account, chat = json.loads(told.out)["stacks"]
    assert told.code == 1
    assert account["failure"].startswith("demo-account: stack 'demo-account' is being worked on by run ")
    assert chat["failure"] == "demo-chat: not run: demo-account is half-built still, or down, and goes before it"
    assert chat["applied"] is None


def test_what_the_sandbox_brought_up_and_took_down_is_known_and_not_made_again(operated: Operated) -> None:
    assert operated.byoc("sandbox", "up", CHAT, "--json").code == 0
    code, found = resume(operated)
    assert (code, found["lastRun"]["verb"], found["lastRun"]["state"], found["needed"]) == (0, "up", "succeeded", False)

    assert operated.byoc("sandbox", "destroy", CHAT, "--json").code == 0
    operated.first = operated.world.client.next_call()
    code, found = resume(operated, "--apply")
    assert (code, found["lastRun"]["verb"], found["undoing"], found["applied"]) == (0, "destroy", True, None)
    assert changing(operated) == []
    outcome = operated.byoc("resume", CHAT, "--apply", "--sandbox")
    assert outcome.out.endswith("not run: the last run has taken it down; byoc up demo-chat makes it again\n")


def test_a_stack_that_was_torn_down_is_not_made_again(operated: Operated) -> None:
    assert operated.byoc("sandbox", "up", CHAT, "--json").code == 0
    operated.byoc("teardown", CHAT, "--sandbox", "--yes", "--json")
    code, found = resume(operated, "--apply")
    assert (code, found["lastRun"]["verb"], found["applied"]) == (0, "destroy", None)
