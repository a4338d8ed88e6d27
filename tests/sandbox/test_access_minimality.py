"""Each action of the supplement is needed: without it, a step of a deployment's life is denied exactly that action."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Collection, Mapping

import pytest

from byoc.components import ingress
from byoc.naming import Names
from byoc.permissions.evaluation.matching import like
from byoc.permissions.needs.stack import stack_needs
from byoc.permissions.policies.supplement import supplement
from byoc.types import AwsAccount
from tests.golden.examples import recorded
from tests.sandbox.access_steps import Calls, clear, denied, refresh, status, without
from tests.sandbox.sandbox_world import ACCOUNT, ADOPTED, ALL_IN_ONE, CHAT, SUPPORT, Run, World, Worlds

pytestmark = pytest.mark.slow

ELB = "elasticloadbalancing"
OF_THE_SESSION = {"sts:AssumeRole", "sts:GetCallerIdentity"}
LIFTED = {"deletionProtection": False}
_numbers = itertools.count(1)

READ = {
    ("ReadLoadBalancing", f"{ELB}:DescribeCapacityReservation"),
    ("ReadLoadBalancing", f"{ELB}:DescribeListenerAttributes"),
    ("ReadLoadBalancing", f"{ELB}:DescribeLoadBalancerAttributes"),
    ("ReadLoadBalancing", f"{ELB}:DescribeTags"),
    ("ReadLoadBalancing", f"{ELB}:DescribeTargetGroupAttributes"),
    ("CloudMapTags", "servicediscovery:ListTagsForResource"),
    ("ScalableTargetTags", "application-autoscaling:ListTagsForResource"),
}
"""Needed by a refresh."""
STATUS = {("ReadLoadBalancing", f"{ELB}:DescribeTargetHealth")}
"""Needed by the status."""
TEARDOWN = {
    ("Registrations", "servicediscovery:DeregisterInstance"),
    ("Registrations", "servicediscovery:ListInstances"),
}
"""Needed by a teardown that finds a registration whose container is gone."""
TAGS = {
    ("LoadBalancers", f"{ELB}:AddTags"),
    ("LoadBalancers", f"{ELB}:RemoveTags"),
    ("Listeners", f"{ELB}:AddTags"),
    ("Listeners", f"{ELB}:RemoveTags"),
    ("TargetGroups", f"{ELB}:AddTags"),
    ("TargetGroups", f"{ELB}:RemoveTags"),
    ("CloudMapTags", "servicediscovery:TagResource"),
    ("CloudMapTags", "servicediscovery:UntagResource"),
    ("ScalableTargetTags", "application-autoscaling:TagResource"),
    ("ScalableTargetTags", "application-autoscaling:UntagResource"),
    ("AlarmTags", "cloudwatch:TagResource"),
    ("AlarmTags", "cloudwatch:UntagResource"),
}
"""Needed by an update in which one tag takes the place of another."""
CONFIG = {
    ("LoadBalancers", f"{ELB}:ModifyLoadBalancerAttributes"): "ingress.idleTimeoutSeconds",
    ("LoadBalancers", f"{ELB}:SetSecurityGroups"): "runtime.loadBalancerSecurityGroupId",
    ("LoadBalancers", f"{ELB}:SetSubnets"): "runtime.privateSubnetIds",
    ("Listeners", f"{ELB}:ModifyListener"): "ingress.certificateArn",
}
"""Needed by an update of one key."""
VERSION = {
    ("TargetGroups", f"{ELB}:ModifyTargetGroup"): ("HEALTH_PATH", "/ready"),
    ("TargetGroups", f"{ELB}:ModifyTargetGroupAttributes"): ("DRAIN_SECONDS", 77),
}
"""Needed by an update to a version of the library with another constant."""
CREATE = (
    ("LoadBalancers", f"{ELB}:ModifyLoadBalancerAttributes"),
    ("TargetGroups", f"{ELB}:ModifyTargetGroupAttributes"),
    ("CloudMapTags", "servicediscovery:TagResource"),
)
"""Needed by a create, too."""
AS_PART_OF_A_CREATE = {"servicediscovery:TagResource"}
"""Of these, what AWS checks within another call, so that no call of its own is seen."""


@pytest.fixture(scope="module")
def life(worlds: Worlds) -> World:
    """An account and a deployment that has every part. Each test leaves it as its next update finds it."""
    world = worlds.new()
    world.up(ACCOUNT).done()
    world.up(SUPPORT).done()
    return world


def statements(world: World) -> dict[str, list[str]]:
    """The resource patterns of the supplement's statements."""
    document = supplement(AwsAccount(account_id=world.account_id, region=world.region), Names())
    return {item["Sid"]: [item["Resource"]] for item in document["Statement"]}


def assert_denied(world: World, calls: Calls, sid: str, action: str) -> None:
    """Nothing but ``action`` was denied, and on resources of the statement alone."""
    found = denied(calls)
    assert found.actions == {action}
    patterns = statements(world)[sid]
    assert [r for r in found.resources if not any(like(p, r, {}, variables=False) for p in patterns)] == []


def assert_passes(run: Run, action: str) -> None:
    """The step that failed without ``action`` passes with it, and calls it: nothing else was in its way."""
    assert denied(run.done().calls).actions == set()
    assert action in {str(call["action"]) for call in run.calls}


STEPS: Mapping[str, Collection[tuple[str, str]]] = {
    "refresh": READ,
    "status": STATUS,
    "a teardown": TEARDOWN,
    "an update of tags": TAGS,
    "an update of a key of the config": CONFIG,
    "an update to another version of the library": VERSION,
}
"""What fails without which action; the status is what looking after a deployment asks first, a teardown last."""


def test_every_action_of_every_statement_has_one_step_that_fails_without_it() -> None:
    document = supplement(AwsAccount(account_id="123456789012", region="us-west-2"), Names())
    whole = [(statement["Sid"], action) for statement in document["Statement"] for action in statement["Action"]]
    assert sorted(grant for grants in STEPS.values() for grant in grants) == sorted(whole)
    assert set(CREATE) <= set(whole)


@pytest.mark.parametrize(("sid", "action"), sorted(READ))
def test_without_it_a_refresh_is_denied(life: World, sid: str, action: str) -> None:
    with without(life, sid, action):
        calls = refresh(life, SUPPORT)
    assert_denied(life, calls, sid, action)


def test_with_all_of_it_a_refresh_the_status_and_a_teardown_are_denied_nothing_and_call_all_of_it(life: World) -> None:
    for step, grants in ((refresh, READ), (status, STATUS), (clear, TEARDOWN)):
        calls = step(life, SUPPORT)
        assert {action for _, action in grants} <= {str(call["action"]) for call in calls}
        assert denied(calls).actions == set()


@pytest.mark.parametrize(("sid", "action"), sorted(STATUS))
def test_without_it_the_status_is_denied(life: World, sid: str, action: str) -> None:
    with without(life, sid, action):
        calls = status(life, SUPPORT)
    assert_denied(life, calls, sid, action)


@pytest.mark.parametrize(("sid", "action"), sorted(TEARDOWN))
def test_without_it_a_teardown_is_denied(life: World, sid: str, action: str) -> None:
    with without(life, sid, action):
        calls = clear(life, SUPPORT)
    assert_denied(life, calls, sid, action)


@pytest.mark.parametrize(("sid", "action"), sorted(TAGS))
def test_without_it_an_update_of_tags_is_denied(life: World, sid: str, action: str) -> None:
    another = f"byoc:tags={json.dumps({f'key-{next(_numbers)}': 'value'})}"
    life.up(SUPPORT, another).done()
    another = f"byoc:tags={json.dumps({f'key-{next(_numbers)}': 'value'})}"
    with without(life, sid, action):
        run = life.up(SUPPORT, another)
    assert refused(run) == {action}
    assert_denied(life, run.calls, sid, action)
    assert_passes(life.up(SUPPORT, another), action)


@pytest.mark.parametrize(("sid", "action"), sorted(CONFIG))
def test_without_it_an_update_of_a_key_is_denied(life: World, sid: str, action: str) -> None:
    changed = override(life, CONFIG[sid, action])
    with without(life, sid, action):
        run = life.up(SUPPORT, changed)
    assert refused(run) == {action}
    assert_denied(life, run.calls, sid, action)
    assert_passes(life.up(SUPPORT, changed), action)
    life.up(SUPPORT).done()


@pytest.mark.parametrize(("sid", "action"), sorted(VERSION))
def test_without_it_an_update_to_another_version_is_denied(
    life: World, monkeypatch: pytest.MonkeyPatch, sid: str, action: str
) -> None:
    constant, value = VERSION[sid, action]
    monkeypatch.setattr(ingress, constant, value)
    with without(life, sid, action):
        run = life.up(SUPPORT)
    assert refused(run) == {action}
    assert_denied(life, run.calls, sid, action)
    assert_passes(life.up(SUPPORT), action)


@pytest.mark.parametrize(("sid", "action"), CREATE)
def test_without_it_a_create_is_denied_and_what_was_made_can_go(life: World, sid: str, action: str) -> None:
    with without(life, sid, action):
        run = life.up(CHAT)
    # The log has the call that was made; AWS's message has the action that it lacked (tags within a create call).
    assert denied(run.calls).actions
    assert refused(run) == {action}
    assert denied(life.destroy(CHAT).done().calls).actions == set()


def test_with_all_of_it_the_same_create_and_its_delete_are_denied_nothing(life: World) -> None:
    created = life.up(CHAT).done().calls
    assert {action for _, action in CREATE} - {str(call["action"]) for call in created} == AS_PART_OF_A_CREATE
    assert denied(created).actions == denied(life.destroy(CHAT).done().calls).actions == set()


def refused(run: Run) -> set[str]:
    """The actions that the failures of a run name as not allowed."""
    texts = [failure.render() for failure in run.result.failures]
    return {action for text in texts for action in re.findall(r"not authorized to perform: ([\w-]+:\w+)", text)}


def override(world: World, key: str) -> str:
    """Another value of a key, in a section that is otherwise as it was."""
    section, _, name = key.partition(".")
    before = world.value(SUPPORT, section) if section == "ingress" else {}
    return f"byoc:{section}={json.dumps({**before, name: other(world, name)})}"


def other(world: World, name: str) -> object:
    ec2 = world.aws("ec2")
    if name == "idleTimeoutSeconds":
        return 900
    if name == "certificateArn":
        return f"arn:aws:acm:{world.region}:{world.account_id}:certificate/0d5a7c1e-3b2f-4c68-9a1d-5e7f90b2c4d7"
    groups = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["langgraph-cloud-*"]}])
    if name == "loadBalancerSecurityGroupId":
        return next(item["GroupId"] for item in groups["SecurityGroups"] if "service" in item["GroupName"])
    subnets = ec2.describe_subnets(Filters=[{"Name": "tag:langgraph-cloud-private", "Values": ["1"]}])["Subnets"]
    assert len(subnets) == 3
    return sorted(subnet["SubnetId"] for subnet in subnets)[:2]


@pytest.fixture(scope="module")
def lives(worlds: Worlds) -> dict[str, set[str]]:
    """Every action that was seen in a create, an update and a delete of each example stack."""
    seen: dict[str, set[str]] = {}
    for stacks in ((ACCOUNT, CHAT, SUPPORT), (ALL_IN_ONE,), (ADOPTED,)):
        world = worlds.new()
        for stack in stacks:
            calls = [*world.up(stack).done().calls, *world.up(stack, 'byoc:tags={"team": "agents"}').done().calls]
            seen[stack] = {str(call["action"]) for call in calls}
        for stack in reversed(stacks):
            lift_protection(world, stack)
            world.up(stack).done()
            seen[stack] |= {str(call["action"]) for call in world.destroy(stack).done().calls}
    return seen


def lift_protection(world: World, stack: str) -> None:
    """So that the databases of a stack can be deleted."""
    if stack == SUPPORT:
        world.configure(stack, {"database": {**world.value(stack, "database"), **LIFTED}})
    if stack == ALL_IN_ONE:
        inline = world.value(stack, "deployments")
        for section in inline.values():
            section["database"] = {**section.get("database", {}), **LIFTED}
        world.configure(stack, {"deployments": inline})


@pytest.mark.parametrize("stack", [ACCOUNT, CHAT, SUPPORT, ALL_IN_ONE, ADOPTED])
def test_every_action_of_a_whole_life_is_a_need_of_the_stack(lives: dict[str, set[str]], stack: str) -> None:
    recording = recorded(stack)
    needs = {need.action for need in stack_needs(recording.types, {call.token for call in recording.calls})}
    assert len(lives[stack]) > 20
    assert lives[stack] - needs - OF_THE_SESSION == set()
