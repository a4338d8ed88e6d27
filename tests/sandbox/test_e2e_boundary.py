"""The permissions boundary under enforcement: whole lives pass under it, and no rights that are attached get around it.

The role is given ``AdministratorAccess`` from outside: the boundary, and what the roles carry to keep it, is all that
holds it then.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from tests.sandbox.sandbox_world import ACCOUNT, CHAT, SUPPORT, Run, World, Worlds
from tests.sandbox.test_e2e_scoped import SIZES
from tests.sandbox.vendor_session import VendorSession, outcome

pytestmark = pytest.mark.slow

ROLE, BREAK_GLASS_ROLE = "LangGraphCloudBYOCRole", "LangGraphCloudBreakGlassRole"
TASK_ROLE, EXECUTION_ROLE = "LangGraphCloudECSTaskRole", "LangGraphCloudECSTaskExecutionRole"
STAYS, OWN = "BoundaryStays", "LangGraphCloudBoundary"
IMAGE = "registry.example.com/agents/chat:2.0.0"
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
ANYTHING = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
STEPS = ("create", "preview", "again", "revision", "size", "destroy")


def trust(principal: Mapping[str, str]) -> str:
    statement = {"Effect": "Allow", "Principal": dict(principal), "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def own_arn(world: World) -> str:
    return f"arn:aws:iam::{world.account_id}:policy/{OWN}"


def boundary_of(world: World, role: str) -> str | None:
    found = world.aws("iam").get_role(RoleName=role)["Role"].get("PermissionsBoundary")
    return str(found["PermissionsBoundaryArn"]) if found else None


def inline_policies(world: World, role: str) -> set[str]:
    return set(world.aws("iam").list_role_policies(RoleName=role)["PolicyNames"])


# A whole life


@dataclass(frozen=True)
class Life:
    world: World
    stack: str
    runs: Mapping[str, Run]
    left: list[tuple[str, str]]


@pytest.fixture(
    scope="module",
    params=[("documented", CHAT), ("scoped", CHAT), ("documented", SUPPORT), ("scoped", SUPPORT)],
    ids=str,
)
def life(request: pytest.FixtureRequest, worlds: Worlds) -> Life:
    """A deployment under our own boundary, with guardrails where there are any."""
    world = worlds.new()
    mode, stack = request.param
    access = {"mode": mode, "permissionsBoundary": "own"}
    world.configure(ACCOUNT, {"access": access, "breakGlass": {}})
    runs = {"account": world.up(ACCOUNT).done()}
    before = {item["id"] for item in world.inventory()}
    runs |= {"create": world.up(stack), "preview": world.preview(stack), "again": world.up(stack)}
    world.configure(stack, {"image": IMAGE})
    runs["revision"] = world.up(stack)
    world.configure(stack, SIZES[stack])
    runs["size"] = world.up(stack)
    runs["destroy"] = world.destroy(stack)
    left = [(item["service"], item["kind"]) for item in world.inventory() if item["id"] not in before]
    return Life(world, stack, runs, left)


@pytest.mark.parametrize("step", STEPS)
def test_every_step_of_a_deployment_s_life_passes_under_the_boundary(life: Life, step: str) -> None:
    run = life.runs[step].done()
    assert [call for call in run.calls if call["outcome"] == "denied"] == []
    assert step not in ("preview", "again") or run.mutating == []


def test_the_life_was_led_under_the_role_and_left_nothing_but_a_final_snapshot(life: Life) -> None:
    principals = {str(call["principal"]) for call in life.runs["create"].calls}
    assert any(f":assumed-role/{ROLE}/" in principal for principal in principals)
    assert {"rds:CreateDBInstance", "ecs:CreateService"} <= set(life.runs["create"].mutating)
    assert life.left == ([("rds", "snapshot")] if life.stack == SUPPORT else [])


@pytest.mark.parametrize("role", [ROLE, TASK_ROLE, EXECUTION_ROLE, BREAK_GLASS_ROLE])
def test_every_role_has_the_boundary_and_what_keeps_it(life: Life, role: str) -> None:
    assert boundary_of(life.world, role) == own_arn(life.world)
    assert (STAYS in inline_policies(life.world, role)) is (role != BREAK_GLASS_ROLE)


def test_the_boundary_is_there_before_the_roles(life: Life) -> None:
    calls = [(str(call["action"]), call["resources"]) for call in life.runs["account"].calls]
    roles = [at for at, (action, _) in enumerate(calls) if action == "iam:CreateRole"]
    assert len(roles) == 4
    assert calls.index(("iam:CreatePolicy", [own_arn(life.world)])) < min(roles)


def test_a_destroy_takes_the_roles_before_the_policy(worlds: Worlds) -> None:
    world = worlds.new()
    world.configure(ACCOUNT, {"access": {"permissionsBoundary": "own"}})
    world.up(ACCOUNT).done()
    destroyed = world.destroy(ACCOUNT).done()
    calls = [(str(call["action"]), call["resources"]) for call in destroyed.calls]
    policy = next(at for at, call in enumerate(calls) if call == ("iam:DeletePolicy", [own_arn(world)]))
    assert policy > max(at for at, (action, _) in enumerate(calls) if action == "iam:DeleteRole")
    assert not [item for item in world.inventory() if item["kind"] in ("role", "policy")]


# Switching


def supplied(world: World) -> str:
    """A boundary of the customer's that allows everything."""
    made = world.aws("iam").create_policy(PolicyName="CompanyBoundary", PolicyDocument=ANYTHING)
    return str(made["Policy"]["Arn"])


def test_the_boundary_is_put_on_changed_and_taken_off_again_without_replacing_a_role(worlds: Worlds) -> None:
    world = worlds.new()
    company = supplied(world)
    world.up(ACCOUNT).done()
    roles = {item["id"] for item in world.inventory() if item["kind"] == "role"}
    expected = {"own": own_arn(world), company: company}
    for choice in ("own", None, company, "own", company, None):
        world.configure(ACCOUNT, {"access": {"permissionsBoundary": choice} if choice else {}})
        run = world.up(ACCOUNT).done()
        assert not any(op == "replace" or (kind == "iam:Role" and op != "update") for op, kind in run.changed_types)
        assert {item["id"] for item in world.inventory() if item["kind"] == "role"} == roles
        for role in (ROLE, TASK_ROLE, EXECUTION_ROLE):
            assert boundary_of(world, role) == (expected[choice] if choice else None)
            assert (STAYS in inline_policies(world, role)) is (choice is not None)
        names = {item["PolicyName"] for item in world.aws("iam").list_policies(Scope="Local")["Policies"]}
        assert (OWN in names) is (choice == "own")
        assert set(world.up(ACCOUNT).done().counts) == {"unchanged"}


# Rights that somebody attaches


@dataclass
class Attacked:
    """An account whose roles were all given AdministratorAccess, and things that are not this install's."""

    world: World
    boundary: str
    session: VendorSession


@pytest.fixture(scope="module", params=["own documented", "own scoped", "supplied documented", "supplied scoped"])
def attacked(request: pytest.FixtureRequest, worlds: Worlds) -> Attacked:
    world = worlds.new()
    whose, mode = request.param.split()
    arn = own_arn(world) if whose == "own" else supplied(world)
    access = {"mode": mode, "permissionsBoundary": "own" if whose == "own" else arn, "guardrails": False}
    world.configure(ACCOUNT, {"access": access, "breakGlass": {}})
    world.up(ACCOUNT).done()
    iam = world.aws("iam")
    root = trust({"AWS": f"arn:aws:iam::{world.account_id}:root"})
    iam.create_role(RoleName="another-team", AssumeRolePolicyDocument=root)
    iam.put_role_policy(RoleName="another-team", PolicyName="work", PolicyDocument=ANYTHING)
    iam.create_user(UserName="somebody")
    iam.create_policy(PolicyName="another-team", PolicyDocument=ANYTHING)
    for role in (ROLE, TASK_ROLE, EXECUTION_ROLE, BREAK_GLASS_ROLE):
        iam.attach_role_policy(RoleName=role, PolicyArn=ADMINISTRATOR)
    return Attacked(world, arn, VendorSession(world))


def ways_out(attacked: Attacked) -> dict[str, tuple[str, dict[str, Any]]]:
    """Calls of IAM that would leave the boundary behind, by what they would do: the method and its arguments."""
    account, boundary = attacked.world.account_id, attacked.boundary
    assumed = trust({"AWS": f"arn:aws:iam::{account}:root"})
    minted = {"RoleName": "minted", "AssumeRolePolicyDocument": assumed}
    somebody = {"UserName": "somebody"}
    written = {"PolicyName": "more", "PolicyDocument": ANYTHING}
    anew = {"PolicyDocument": ANYTHING, "SetAsDefault": True}
    theirs = f"arn:aws:iam::{account}:policy/another-team"
    found: dict[str, tuple[str, dict[str, Any]]] = {
        "make a role without a boundary": ("create_role", minted),
        "make a role with another boundary": ("create_role", {**minted, "PermissionsBoundary": ADMINISTRATOR}),
        "make a role of the install's names": (
            "create_role",
            {**minted, "RoleName": BREAK_GLASS_ROLE, "PermissionsBoundary": boundary},
        ),
        "make a user": ("create_user", {"UserName": "minted"}),
        "make keys": ("create_access_key", somebody),
        "attach to a user": ("attach_user_policy", {**somebody, "PolicyArn": ADMINISTRATOR}),
        "write to a user": ("put_user_policy", {**somebody, **written}),
        "edit the boundary": ("create_policy_version", {"PolicyArn": boundary, **anew}),
        "go back to another version": ("set_default_policy_version", {"PolicyArn": boundary, "VersionId": "v1"}),
        "delete a version": ("delete_policy_version", {"PolicyArn": boundary, "VersionId": "v2"}),
        "delete the boundary": ("delete_policy", {"PolicyArn": boundary}),
        "edit another policy": ("create_policy_version", {"PolicyArn": theirs, **anew}),
    }
    for role in ("another-team", ROLE, TASK_ROLE):
        on, anybody = {"RoleName": role}, trust({"AWS": "*"})
        changes: dict[str, tuple[str, dict[str, Any]]] = {
            "take the boundary off": ("delete_role_permissions_boundary", on),
            "set another boundary": ("put_role_permissions_boundary", {**on, "PermissionsBoundary": ADMINISTRATOR}),
            "attach more": ("attach_role_policy", {**on, "PolicyArn": ADMINISTRATOR}),
            "write more": ("put_role_policy", {**on, **written}),
            "take off what denies": ("delete_role_policy", {**on, "PolicyName": STAYS}),
            "rewrite the trust": ("update_assume_role_policy", {**on, "PolicyDocument": anybody}),
            "delete it": ("delete_role", on),
        }
        found |= {f"{what}: {role}": call for what, call in changes.items()}
    return found


def test_administrator_access_gets_the_role_nowhere_without_the_boundary(attacked: Attacked) -> None:
    iam = attacked.session.aws("iam")
    tried = {
        what: outcome(partial(getattr(iam, method), **arguments))
        for what, (method, arguments) in ways_out(attacked).items()
    }
    assert tried == dict.fromkeys(tried, "denied")


def test_a_role_under_the_boundary_can_be_made_filled_and_deleted(attacked: Attacked) -> None:
    iam = attacked.session.aws("iam")
    assumed = trust({"AWS": f"arn:aws:iam::{attacked.world.account_id}:root"})
    name = {"RoleName": "bounded"}
    iam.create_role(**name, AssumeRolePolicyDocument=assumed, PermissionsBoundary=attacked.boundary)
    iam.put_role_policy(**name, PolicyName="work", PolicyDocument=ANYTHING)
    iam.attach_role_policy(**name, PolicyArn=ADMINISTRATOR)
    assert outcome(lambda: iam.delete_role_permissions_boundary(**name)) == "denied"
    rewritten = trust({"AWS": "*"})
    assert outcome(lambda: iam.update_assume_role_policy(**name, PolicyDocument=rewritten)) == "denied"
    iam.detach_role_policy(**name, PolicyArn=ADMINISTRATOR)
    iam.delete_role_policy(**name, PolicyName="work")
    iam.delete_role(**name)


def test_what_is_attached_counts_for_everything_else(attacked: Attacked) -> None:
    logs = attacked.session.aws("logs")
    assert outcome(lambda: logs.create_log_group(logGroupName="/another/team")) == "ok"
    attacked.world.aws("logs").delete_log_group(logGroupName="/another/team")


def test_our_own_boundary_lets_no_other_role_be_assumed_or_passed(attacked: Attacked) -> None:
    sts, ecs = attacked.session.aws("sts"), attacked.session.aws("ecs")
    theirs = f"arn:aws:iam::{attacked.world.account_id}:role/another-team"
    containers = [{"name": "api", "image": "x", "memory": 128}]
    passing = {"family": "langgraph-cloud-x", "containerDefinitions": containers, "taskRoleArn": theirs}
    tried = {
        "assume": outcome(lambda: sts.assume_role(RoleArn=theirs, RoleSessionName="out")),
        "pass": outcome(lambda: ecs.register_task_definition(**passing)),
    }
    # The text of a boundary that the customer supplies is the customer's; this one allows everything.
    ours = attacked.boundary == own_arn(attacked.world)
    assert tried == dict.fromkeys(tried, "denied" if ours else "ok")
