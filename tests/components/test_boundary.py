"""The install's own permissions boundary: made before the roles, given to them all, and never in two places."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pulumi
import pytest

from byoc.access.cloudformation import template_of
from byoc.components.access import ControlPlaneAccess, ControlPlaneAccessArgs, with_made_boundary
from byoc.components.account import CustomerAccount, CustomerAccountArgs
from byoc.components.boundary import OwnBoundary, PermissionsBoundary, PermissionsBoundaryArgs
from byoc.components.break_glass import BreakGlassSettings
from byoc.components.runtime import AccountRuntime, AccountRuntimeArgs, AccountRuntimeSettings
from byoc.errors import ByocError
from byoc.naming import Names
from byoc.permissions.policies.access import POLICIES_VERSION
from byoc.permissions.policies.boundary import boundary_stays, own_boundary
from tests.components.harness import Recording
from tests.components.programs import ACCOUNT, annotated, dependencies_by_name, outputs_of, under_providers
from tests.unit.config_samples import account as account_config

ROLE, POLICY = "aws:iam/role:Role", "aws:iam/policy:Policy"
ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
COMPONENT = "byoc:index:PermissionsBoundary"
US = "arn:aws:iam::640174622193:role/HostBackendRoleProd"
COMPANY = "arn:aws:iam::123456789012:policy/CompanyBoundary"
OWN = "arn:aws:iam::123456789012:policy/LangGraphCloudBoundary"
ANSWERS: Mapping[str, Any] = {"aws:iam/getRoles:getRoles": {"id": "r", "arns": [], "names": []}}
COMPUTED: Mapping[str, Any] = {
    POLICY: lambda name, inputs: {"arn": f"arn:aws:iam::123456789012:policy{inputs['path']}{inputs['name']}"}
}
STAYS = {"access-boundary-stays", "runtime-execution-role-boundary-stays", "runtime-task-role-boundary-stays"}


def access(boundary: str | OwnBoundary | None, **settings: Any) -> ControlPlaneAccessArgs:
    given = {"principals": (US,), "external_ids": ["5f0c1b7e9a3d42c8"], "permissions_boundary": boundary, **settings}
    return ControlPlaneAccessArgs(account=ACCOUNT, **given)


def account(
    of_access: str | OwnBoundary | None,
    of_runtime: str | OwnBoundary | None,
    *,
    path: str = "/",
    **changes: Any,
) -> Recording:
    def program(opts: pulumi.ResourceOptions) -> None:
        args: dict[str, Any] = {
            "account": ACCOUNT,
            "access": access(of_access, role_path=path, event_rules="break_glass" in changes),
            "runtime": AccountRuntimeSettings(
                permissions_boundary=of_runtime, role_path=path, event_alarms="break_glass" in changes
            ),
        }
        CustomerAccount("acct", CustomerAccountArgs(**{**args, **changes}), opts)

    return under_providers(program, answers=ANSWERS, computed=COMPUTED)


def test_the_policy_holds_the_document_and_says_of_which_version_it_is() -> None:
    def program(opts: pulumi.ResourceOptions) -> None:
        args = PermissionsBoundaryArgs(account=ACCOUNT, names=Names("acme"), role_path="/teams/ai/")
        PermissionsBoundary("boundary", args, opts)

    recording = under_providers(program, computed=COMPUTED)
    policy = recording.only(POLICY, "boundary-policy").plain
    assert json.loads(policy.pop("policy")) == own_boundary(ACCOUNT, Names("acme"), role_path="/teams/ai/")
    assert policy == {
        "name": "acme-Boundary",
        "path": "/teams/ai/",
        "description": "The most that any role of LangGraph Cloud may do, whatever is attached to it; grants nothing",
        "tags": {"byoc-policies-version": POLICIES_VERSION},
    }
    assert outputs_of(recording, COMPONENT) == {"policy_arn": "arn:aws:iam::123456789012:policy/teams/ai/acme-Boundary"}
    assert set(outputs_of(recording, COMPONENT)) == annotated(PermissionsBoundary)


def test_a_prefix_too_long_for_the_policy_is_refused() -> None:
    def program(opts: pulumi.ResourceOptions) -> None:
        args = PermissionsBoundaryArgs(account=ACCOUNT, names=Names("p" * 1500))
        PermissionsBoundary("boundary", args, opts)

    with pytest.raises(ByocError) as caught:
        under_providers(program)
    assert "the permissions boundary cannot be set up" in str(caught.value)
    assert "AWS allows 6144" in str(caught.value)
    assert "mend it:  give a shorter prefix, or a shorter rolePath" in str(caught.value)


def test_every_role_of_an_account_waits_for_the_boundary_and_has_it() -> None:
    recording = account(
        OwnBoundary(), OwnBoundary(), break_glass=BreakGlassSettings(permissions_boundary=OwnBoundary())
    )
    roles = recording.of_type(ROLE)
    assert len(roles) == 4
    for role in roles:
        assert role.plain["permissionsBoundary"] == OWN
        assert "Policy acct-boundary-policy" in dependencies_by_name(recording, role)
    (boundary,) = recording.of_type(COMPONENT)
    assert (boundary.name, boundary.parent.rpartition("::")[2]) == ("acct-boundary", "acct")


@pytest.mark.parametrize(("boundary", "arn"), [(OwnBoundary(), OWN), (COMPANY, COMPANY)])
def test_every_role_but_break_glass_carries_what_keeps_it_there(boundary: str | OwnBoundary, arn: str) -> None:
    settings = BreakGlassSettings(permissions_boundary=boundary)
    recording = account(boundary, boundary, break_glass=settings)
    kept = {r.name: r for r in recording.of_type(ROLE_POLICY) if r.name.endswith("-boundary-stays")}
    assert set(kept) == {f"acct-{name}" for name in STAYS}
    for policy in kept.values():
        assert policy.plain["name"] == "BoundaryStays"
        assert json.loads(policy.plain["policy"]) == boundary_stays(ACCOUNT, Names(), arn)
    assert {policy.plain["role"] for policy in kept.values()} == {
        role.plain["name"] for role in recording.of_type(ROLE) if "break-glass" not in role.name
    }


def test_without_a_boundary_there_is_none_of_it() -> None:
    recording = account(None, None)
    assert recording.of_type(COMPONENT) == []
    assert [r.name for r in recording.custom if "boundary" in r.name] == []
    assert all("permissionsBoundary" not in role.plain for role in recording.of_type(ROLE))


def test_with_a_customer_s_boundary_no_policy_is_made_for_it() -> None:
    assert account(COMPANY, COMPANY).of_type(COMPONENT) == []


def test_parts_may_have_different_boundaries() -> None:
    recording = account(COMPANY, OwnBoundary())
    found = {role.name: role.plain["permissionsBoundary"] for role in recording.of_type(ROLE)}
    assert found == {
        "acct-access-role": COMPANY,
        "acct-runtime-execution-role": OWN,
        "acct-runtime-task-role": OWN,
    }


def test_the_boundary_lies_under_the_path_of_the_roles() -> None:
    recording = account(OwnBoundary(), OwnBoundary(), path="/teams/ai/")
    arn = "arn:aws:iam::123456789012:policy/teams/ai/LangGraphCloudBoundary"
    assert recording.only(POLICY, "acct-boundary-policy").plain["path"] == "/teams/ai/"
    assert {role.plain["permissionsBoundary"] for role in recording.of_type(ROLE)} == {arn}
    (policy,) = (r for r in recording.of_type(ROLE_POLICY) if r.name == "acct-access-boundary-stays")
    assert json.loads(policy.plain["policy"]) == boundary_stays(ACCOUNT, Names(), arn)


def test_a_break_glass_role_under_another_path_than_the_boundary_is_refused() -> None:
    settings = BreakGlassSettings(permissions_boundary=OwnBoundary(), role_path="/emergency/")
    with pytest.raises(ByocError, match=r"break_glass\.role_path"):
        account(OwnBoundary(), OwnBoundary(), break_glass=settings)


def test_access_alone_takes_the_install_s_own_boundary_to_be_there() -> None:
    recording = under_providers(lambda opts: ControlPlaneAccess("access", access(OwnBoundary()), opts))
    assert recording.only(ROLE).plain["permissionsBoundary"] == OWN
    assert recording.of_type(COMPONENT) == []


def test_access_alone_can_make_the_boundary_too() -> None:
    def program(opts: pulumi.ResourceOptions) -> None:
        ControlPlaneAccess("access", with_made_boundary("boundary", access(OwnBoundary()), opts), opts)

    recording = under_providers(program, computed=COMPUTED)
    role = recording.only(ROLE)
    assert role.plain["permissionsBoundary"] == OWN
    assert "Policy boundary-policy" in dependencies_by_name(recording, role)


def test_the_template_for_accounts_without_pulumi_holds_it_too() -> None:
    config = account_config(access={"permissionsBoundary": "own", "rolePath": "/teams/ai/"})
    resources = template_of("demo", config)["Resources"]
    assert resources["AccessRole"]["Properties"]["PermissionsBoundary"] == {"Ref": "BoundaryPolicy"}
    policy = resources["BoundaryPolicy"]["Properties"]
    assert (policy["ManagedPolicyName"], policy["Path"]) == ("LangGraphCloudBoundary", "/teams/ai/")
    assert policy["PolicyDocument"] == own_boundary(ACCOUNT, Names(), role_path="/teams/ai/")
    inline = {item["PolicyName"]: item["PolicyDocument"] for item in resources["AccessRole"]["Properties"]["Policies"]}
    arn = "arn:aws:iam::123456789012:policy/teams/ai/LangGraphCloudBoundary"
    assert inline == {"BoundaryStays": boundary_stays(ACCOUNT, Names(), arn)}


@pytest.mark.parametrize("boundary", [None, COMPANY])
def test_there_is_nothing_to_make_for_another_boundary(boundary: str | None) -> None:
    assert with_made_boundary("boundary", access(boundary)) == access(boundary)


@pytest.mark.parametrize("mode", ["documented", "scoped"])
def test_what_grants_waits_for_what_keeps_the_boundary(mode: str) -> None:
    args = access(COMPANY, mode=mode, guardrails=False)
    recording = under_providers(lambda opts: ControlPlaneAccess("access", args, opts))
    attached = recording.of_type(ATTACHMENT)
    assert len(attached) >= 6
    for attachment in attached:
        assert "RolePolicy access-boundary-stays" in dependencies_by_name(recording, attachment)


def test_whoever_uses_the_task_roles_waits_for_what_keeps_their_boundary() -> None:
    class Probe(pulumi.CustomResource):
        def __init__(self, name: str, value: pulumi.Input[str], opts: pulumi.ResourceOptions) -> None:
            super().__init__("aws:probe:Probe", name, {"value": value}, opts)

    def program(opts: pulumi.ResourceOptions) -> None:
        args = AccountRuntimeArgs(
            account=ACCOUNT,
            names=Names(),
            vpc_id="vpc-1",
            vpc_cidr="10.0.0.0/16",
            private_subnet_ids=["subnet-a"],
            settings=AccountRuntimeSettings(permissions_boundary=COMPANY),
        )
        runtime = AccountRuntime("rt", args, opts)
        Probe("execution", runtime.execution_role_arn, pulumi.ResourceOptions(parent=runtime))
        Probe("task", runtime.task_role_arn, pulumi.ResourceOptions(parent=runtime))

    recording = under_providers(program)
    for role in ("execution", "task"):
        waits_for = dependencies_by_name(recording, recording.only("aws:probe:Probe", role))
        assert f"RolePolicy rt-{role}-role-boundary-stays" in waits_for
