"""What goes wrong in AWS: a denied action, throttling, server errors, answers that never arrive."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

import pytest

from byoc.sandbox.emulator.faults import Fault
from tests.sandbox.sandbox_world import ACCOUNT, CHAT, Settled, World, Worlds, short

ROLE = "LangGraphCloudBYOCRole"


def deny(world: World, *actions: str) -> None:
    """Take actions from the control plane's role, as a guardrail of the customer's would."""
    statement = {"Effect": "Deny", "Action": list(actions), "Resource": "*"}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    world.aws("iam").put_role_policy(RoleName=ROLE, PolicyName="denied", PolicyDocument=json.dumps(document))


def test_a_denied_action_stops_what_depends_on_it_and_the_rest_finishes(settled: Settled, world: World) -> None:
    world.up(ACCOUNT).done()
    deny(world, "elasticloadbalancing:CreateTargetGroup")
    run = world.up(CHAT)
    (failure,) = run.result.failures
    assert failure.urn.endswith("::deployment-ingress-target-group")
    assert failure.op == "create"
    assert failure.action == "elasticloadbalancing:CreateTargetGroup"
    assert failure.error.startswith("AccessDenied: User: arn:aws:sts::")
    assert "elasticloadbalancing:CreateTargetGroup" in failure.error
    assert "elasticloadbalancing:CreateTargetGroup" in failure.remedy
    text = failure.render()
    assert "create aws:lb/targetGroup:TargetGroup 'deployment-ingress-target-group' failed" in text
    assert all(word in text for word in ("action:", "error:", "to do:"))
    skipped = {urn.rsplit("::", 1)[1] for urn in run.result.skipped}
    assert {"deployment-ingress-listener", "deployment-service-api"} <= skipped
    made = {short(step.type) for step in run.result.steps}
    assert {"rds:Instance", "secretsmanager:SecretVersion", "lb:LoadBalancer", "servicediscovery:Service"} <= made
    assert [call["outcome"] for call in run.calls if call["action"] == "elasticloadbalancing:CreateTargetGroup"] == [
        "denied"
    ]
    world.aws("iam").delete_role_policy(RoleName=ROLE, PolicyName="denied")
    again = world.up(CHAT).done()
    assert again.counts["created"] == len(run.result.skipped) + 1
    assert world.kinds() == settled.kinds[CHAT]
    assert set(world.up(CHAT).done().counts) == {"unchanged"}


@pytest.mark.slow
def test_a_denied_deletion_is_named_and_the_next_destroy_finishes(world: World) -> None:
    world.up(ACCOUNT).done()
    before = world.inventory()
    world.up(CHAT).done()
    deny(world, "rds:DeleteDBInstance")
    run = world.destroy(CHAT)
    assert [(failure.action, failure.op) for failure in run.result.failures] == [("rds:DeleteDBInstance", "delete")]
    assert "rds instance" in world.kinds()
    world.aws("iam").delete_role_policy(RoleName=ROLE, PolicyName="denied")
    world.destroy(CHAT).done()
    assert world.inventory() == before


def test_a_wrong_external_id_makes_nothing_and_is_not_shown(world: World) -> None:
    world.up(ACCOUNT).done()
    before = world.inventory()
    world.configure_secret(CHAT, "externalId", "not-the-right-external-id")
    run = world.up(CHAT)
    text = "\n".join(failure.render() for failure in run.result.failures)
    assert f"cannot assume arn:aws:iam::{world.account_id}:role/{ROLE}" in text
    assert "AccessDenied" in text
    assert "mend it:  run the account stack first" in text
    assert "not-the-right-external-id" not in text
    assert "Traceback" not in text
    assert world.inventory() == before


# Disturbances


@pytest.fixture
def disturbed(world: World, quick_retries: None) -> Iterator[World]:
    """A world whose calls may fail; nothing is left of the faults afterwards."""
    yield world
    world.client.clear_faults()


def assert_made_once(world: World, settled: Settled, faults: Sequence[Fault]) -> None:
    """Bring up account and deployment under faults: everything is there once, and goes again."""
    world.client.set_faults(*faults)
    world.up(ACCOUNT).done()
    assert world.kinds() == settled.kinds[ACCOUNT]
    world.up(CHAT).done()
    assert world.kinds() == settled.kinds[CHAT]
    fired = [fault["fired"] for fault in world.client.faults()]
    assert all(fired), f"a fault never fired: {world.client.faults()}"
    world.client.clear_faults()
    for stack in (ACCOUNT, CHAT):
        assert set(world.up(stack).done().counts) == {"unchanged"}
    world.client.set_faults(*faults)
    for stack in (CHAT, ACCOUNT):
        world.destroy(stack).done()
    assert world.inventory() == []


def random_faults(seed: int) -> list[Fault]:
    return [
        Fault(kind="throttle", probability=0.15, seed=seed),
        Fault(kind="500", probability=0.1, seed=seed + 100),
        Fault(kind="503", when="after", probability=0.07, seed=seed + 200, writes_only=True),
        Fault(kind="drop", when="after", probability=0.05, seed=seed + 300),
    ]


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.slow), pytest.param(3, marks=pytest.mark.slow)])
def test_throttling_server_errors_and_lost_answers_at_random_calls_are_survived(
    settled: Settled, disturbed: World, seed: int
) -> None:
    assert_made_once(disturbed, settled, random_faults(seed))


@pytest.mark.parametrize("place", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_lost_answer_at_each_changing_action_makes_nothing_twice(
    settled: Settled, disturbed: World, place: int
) -> None:
    """The call is carried out, and nobody hears of it: the first (or second) time that each action is called."""
    counted = settled.runs[ACCOUNT].mutating + settled.runs[CHAT].mutating
    actions = sorted({action for action in counted if counted.count(action) >= place})
    assert len(actions) > (25 if place == 1 else 10)
    world = disturbed
    faults = [Fault(kind="drop", when="after", actions=(action,), at=place) for action in actions]
    world.client.set_faults(*faults)
    for stack in (ACCOUNT, CHAT):
        world.up(stack).done()
    unfired = [fault["actions"] for fault in world.client.faults() if not fault["fired"]]
    assert unfired == []
    assert world.kinds() == settled.kinds[CHAT]
    for stack in (ACCOUNT, CHAT):
        assert set(world.up(stack).done().counts) == {"unchanged"}


def test_what_an_account_does_not_recover_from_is_said(worlds: Worlds, quick_retries: None) -> None:
    """A server error that never ends is reported with the action; a later run takes up where this one stopped."""
    world = worlds.new()
    world.client.set_faults(Fault(kind="500", actions=("sns:CreateTopic",)))
    try:
        run = world.up(ACCOUNT)
    finally:
        world.client.clear_faults()
    assert [failure.action for failure in run.result.failures] == ["sns:CreateTopic"]
    assert "run the same command again" in run.result.failures[0].remedy
    made = run.counts["created"]
    again = world.up(ACCOUNT).done()
    assert again.counts["unchanged"] == made
