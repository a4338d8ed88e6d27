"""Deployments that stand in an account stack: an ``up`` is refused while one of them rolls out; on the embedded AWS."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest

from byoc.automation.stack_run import Verdict
from byoc.operations.account import Account
from byoc.operations.revisions.before_up import no_roll_out_under_way
from byoc.runs import Failure
from tests.sandbox.sandbox_world import ALL_IN_ONE, World

SERVICE = "agents-assistant-api"


@pytest.mark.slow
def test_a_new_revision_in_an_account_stack_is_refused_while_one_of_its_deployments_rolls_out(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.region = "us-east-1"
    for name, value in world.workspace.cli_environment().items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_PROFILE", "account")
    world.up(ALL_IN_ONE).done()
    guard = no_roll_out_under_way(world.root)
    unchanged = world.preview(ALL_IN_ONE).result
    deployments = world.value(ALL_IN_ONE, "deployments")
    of_the_other = deepcopy(deployments)
    of_the_other["sandbox"]["environment"] = {"GREETING": "Hi"}
    deployments["assistant"]["image"] = deployments["assistant"]["image"].rpartition(":")[0] + ":9.9.9"
    world.configure(ALL_IN_ONE, {"deployments": deployments})
    changed = world.preview(ALL_IN_ONE).result
    assert changed.ok
    other = world.preview(ALL_IN_ONE, f"byoc:deployments={json.dumps(of_the_other)}").result
    assert other.ok
    assert guard(ALL_IN_ONE, changed) == Verdict(), "asked with credentials of the account, and nothing rolls out"

    asked = Account.ask

    def ask(self: Account, action: str, **arguments: Any) -> dict[str, Any]:
        answer = asked(self, action, **arguments)
        for service in answer["services"] if action == "ecs:DescribeServices" else ():
            if service["serviceName"] == SERVICE:
                service["deployments"][0].update(rolloutState="IN_PROGRESS")
        return answer

    monkeypatch.setattr(Account, "ask", ask)
    refusal = guard(ALL_IN_ONE, changed).refusal
    assert isinstance(refusal, Failure)
    assert refusal.error.startswith(f"assistant: {SERVICE}:1 is rolling out, last changed 20")
    assert f"byoc up {ALL_IN_ONE} --supersede" in refusal.remedy
    assert guard(ALL_IN_ONE, other) == Verdict(), "that of another deployment may be rolled out"
    assert guard(ALL_IN_ONE, unchanged) == Verdict(), "what changes no service is no new revision"
    assert guard(ALL_IN_ONE, None).refusal == refusal, "without a preview it is always asked"
