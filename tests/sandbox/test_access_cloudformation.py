"""The access of an account as CloudFormation: the same role and policies as by Pulumi, and a deployment under it."""

from __future__ import annotations

import ast
import json
import urllib.parse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from cfnlint.api import lint

from byoc.access.cloudformation import template_of, template_text
from byoc.config import AccountConfig
from byoc.permissions.policies.access import POLICIES_VERSION
from tests.sandbox.cli_runner import byoc
from tests.sandbox.sandbox_world import ACCOUNT, ADOPTED, World, Worlds

EXTERNAL_ID = "cQ7vX2mKd9TzR4wLb8Ns"
STACKS = pytest.mark.parametrize("stack", [ACCOUNT, ADOPTED])
LEFT_OUT = "not in the template: network, cluster and task roles, alarm topic, service-linked roles"
SETTINGS: dict[str, Mapping[str, Any]] = {
    "documented": {"access": {"guardrails": False}},
    "guarded": {"access": {"guardrails": True}},
    "scoped": {"access": {"mode": "scoped"}},
    "suspended": {"access": {"guardrails": True, "suspend": True}},
    "scoped, suspended": {"access": {"mode": "scoped", "suspend": True}},
    "observing": {"access": {"observeOnly": True}},
    "no deletions": {"access": {"guardrails": True, "allowDelete": False}},
    "scoped, no deletions": {"access": {"mode": "scoped", "allowDelete": False}},
    "own boundary": {"access": {"guardrails": True, "permissionsBoundary": "own"}},
    "scoped, own boundary, path": {"access": {"mode": "scoped", "permissionsBoundary": "own", "rolePath": "/lgc/"}},
    "inline policies": {"access": {"guardrails": False}, "breakGlass": {}, "vendorActivity": {}},
}
"""Every mode, switch and policy inside of the role, over the example account."""
EVERY = pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)


def config_of(world: World, stack: str) -> AccountConfig:
    config = world.workspace.config(stack)
    assert isinstance(config, AccountConfig)
    return config


def exported(world: World, stack: str, capsys: pytest.CaptureFixture[str]) -> str:
    outcome = byoc(capsys, "access", "export", stack, "--cloudformation", "--cwd", str(world.root))
    assert (outcome.code, outcome.err.startswith(LEFT_OUT)) == (0, True)
    return outcome.out


@EVERY
def test_every_mode_and_switch_is_without_a_finding_and_carries_the_policies_version(
    world: World, capsys: pytest.CaptureFixture[str], settings: Mapping[str, Any]
) -> None:
    world.configure(ACCOUNT, settings)
    text = exported(world, ACCOUNT, capsys)
    assert [str(finding) for finding in lint(text)] == []
    template = json.loads(text)
    assert {item["Type"] for item in template["Resources"].values()} <= {"AWS::IAM::Role", "AWS::IAM::ManagedPolicy"}
    versions = [item["Metadata"] for item in template["Resources"].values()]
    assert versions == [{"byoc-policies-version": POLICIES_VERSION}] * len(versions)
    assert f"policies version {POLICIES_VERSION}. Not in it: network, " in template["Description"]


@EVERY
def test_what_denies_is_attached_first(
    world: World, capsys: pytest.CaptureFixture[str], settings: Mapping[str, Any]
) -> None:
    world.configure(ACCOUNT, settings)
    resources = json.loads(exported(world, ACCOUNT, capsys))["Resources"]
    denying = [
        isinstance(arn, dict)
        and all(
            statement["Effect"] == "Deny"
            for statement in resources[arn["Ref"]]["Properties"]["PolicyDocument"]["Statement"]
        )
        for arn in resources["AccessRole"]["Properties"]["ManagedPolicyArns"]
    ]
    assert denying == sorted(denying, reverse=True)


def test_what_of_the_stack_is_not_in_the_template_is_told(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    where = ("access", "export", ACCOUNT, "--cloudformation", "--cwd", str(world.root))
    assert byoc(capsys, *where).err == f"{LEFT_OUT}\n"
    world.configure(ACCOUNT, {"breakGlass": {}, "vendorActivity": {}})
    outcome = byoc(capsys, *where)
    more = (
        "the break-glass role and its alarm (byoc:breakGlass), "
        "the rules that tell of the control plane (byoc:vendorActivity)"
    )
    assert outcome.err == f"{LEFT_OUT}, {more}\n"
    assert more in json.loads(outcome.out)["Description"]
    assert "BreakGlassRole" not in outcome.out


@STACKS
def test_the_template_is_without_a_finding_and_holds_no_external_id(
    world: World, capsys: pytest.CaptureFixture[str], stack: str
) -> None:
    text = exported(world, stack, capsys)
    assert [str(finding) for finding in lint(text)] == []
    ids = config_of(world, stack).external_ids
    assert ids
    assert [secret for secret in ids if secret in text] == []


def test_the_linter_would_find_a_mistake(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert lint(exported(world, ACCOUNT, capsys).replace('"RoleName"', '"RoleNam"'))


def documents(world: World, region: str) -> dict[str, Any]:
    """The role and its policies as AWS has them: texts, limits, tags."""
    iam = world.aws("iam", region)
    (role,) = [item for item in iam.list_roles()["Roles"] if item["RoleName"].endswith("BYOCRole")]
    role = iam.get_role(RoleName=role["RoleName"])["Role"]
    found: dict[str, Any] = {
        "trust": _text(role["AssumeRolePolicyDocument"]),
        "path": role["Path"],
        "description": role.get("Description"),
        "session": role["MaxSessionDuration"],
        "boundary": role.get("PermissionsBoundary"),
        "tags": sorted((tag["Key"], tag["Value"]) for tag in role["Tags"]),
    }
    for name in iam.list_role_policies(RoleName=role["RoleName"])["PolicyNames"]:
        found[f"inline {name}"] = _text(
            iam.get_role_policy(RoleName=role["RoleName"], PolicyName=name)["PolicyDocument"]
        )
    for policy in iam.list_policies(Scope="Local")["Policies"]:
        described = iam.get_policy(PolicyArn=policy["Arn"])["Policy"]
        version = iam.get_policy_version(PolicyArn=policy["Arn"], VersionId=described["DefaultVersionId"])
        text = _text(version["PolicyVersion"]["Document"])
        found[policy["PolicyName"]] = (described["Path"], described.get("Description"), text)
    found.pop("CompanyBoundary", None)  # what the config takes for granted
    return found


def _text(document: Any) -> str:
    """A policy document as text without white space, keys in the order in which it was written."""
    if isinstance(document, str):
        text = urllib.parse.unquote(document)
        # The emulator's CloudFormation hands the policies inside of a role on as Python writes them.
        document = ast.literal_eval(text) if text.startswith("{'") else json.loads(text)
    return json.dumps(document, separators=(",", ":"))


@STACKS
def test_cloudformation_and_pulumi_make_the_same_to_the_byte(
    worlds: Worlds, capsys: pytest.CaptureFixture[str], stack: str
) -> None:
    same_to_the_byte(worlds, capsys, stack, {})


@pytest.mark.slow
@EVERY
def test_they_make_the_same_to_the_byte_in_every_mode_and_under_every_switch(
    worlds: Worlds, capsys: pytest.CaptureFixture[str], settings: Mapping[str, Any]
) -> None:
    same_to_the_byte(worlds, capsys, ACCOUNT, settings)


def same_to_the_byte(
    worlds: Worlds, capsys: pytest.CaptureFixture[str], stack: str, settings: Mapping[str, Any]
) -> None:
    by_pulumi, by_template = worlds.new(), worlds.new()
    for world in (by_pulumi, by_template):
        world.configure(stack, settings)
    by_pulumi.configure_secret(stack, "externalId", EXTERNAL_ID)
    region = str(by_pulumi.value(stack, "region"))
    by_pulumi.up(stack).done()
    by_template.workspace.provide(stack)
    template = exported(by_template, stack, capsys)
    make_stack(by_template, region, template)
    ours = json.loads(json.dumps(documents(by_pulumi, region)).replace(by_pulumi.account_id, by_template.account_id))
    theirs = json.loads(json.dumps(documents(by_template, region)))
    assert ours.keys() == theirs.keys()
    assert {key: (ours[key], theirs[key]) for key in ours if ours[key] != theirs[key]} == {}
    # The emulator's CloudFormation attaches no policies, so that these are read in the template.
    resources = json.loads(template)["Resources"]
    attached = [
        resources[arn["Ref"]]["Properties"]["ManagedPolicyName"] if isinstance(arn, dict) else arn.rpartition("/")[2]
        for arn in resources["AccessRole"]["Properties"]["ManagedPolicyArns"]
    ]
    iam, name = by_pulumi.aws("iam", region), resources["AccessRole"]["Properties"]["RoleName"]
    policies = iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    assert sorted(attached) == sorted(policy["PolicyName"] for policy in policies)


def make_stack(world: World, region: str, template: str) -> None:
    client = world.aws("cloudformation", region)
    client.create_stack(
        StackName="access",
        TemplateBody=template,
        Capabilities=["CAPABILITY_NAMED_IAM"],
        Parameters=[{"ParameterKey": "ExternalId", "ParameterValue": EXTERNAL_ID}],
    )
    (stack,) = client.describe_stacks(StackName="access")["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    (output,) = stack["Outputs"]
    assert output["OutputKey"] == "RoleArn"
    assert output["OutputValue"].startswith(f"arn:aws:iam::{world.account_id}:role/")


def test_both_external_ids_of_a_rotation_are_parameters_in_their_order(world: World) -> None:
    world.configure_secret(ACCOUNT, "previousExternalId", "hP3yV8nJf6WqG5kZc2Dt")
    template = template_of(ACCOUNT, config_of(world, ACCOUNT))
    assert list(template["Parameters"]) == ["ExternalId", "PreviousExternalId"]
    (statement,) = template["Resources"]["AccessRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Condition"] == {
        "StringEquals": {"sts:ExternalId": [{"Ref": "ExternalId"}, {"Ref": "PreviousExternalId"}]}
    }
    assert all(parameter["NoEcho"] for parameter in template["Parameters"].values())


def test_a_long_template_loses_its_white_space_and_nothing_else() -> None:
    template = {"Resources": {f"r{number}": {"Properties": ["x" * 40] * 2} for number in range(500)}}
    text = template_text(template)
    assert text.count("\n") == 1
    assert json.loads(text) == template


def test_an_export_without_a_format_or_a_role_is_refused(
    world: World, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    where = ("--cwd", str(world.root))
    assert byoc(capsys, "access", "export", ACCOUNT, *where).code == 2
    refused = byoc(capsys, "access", "export", "all-in-one", "--cloudformation", *where)
    assert refused.code == 2
    assert "byoc:access.enabled is false" in refused.err
    path = tmp_path / "access.json"
    written = byoc(capsys, "access", "export", ACCOUNT, "--cloudformation", "--out", str(path), *where)
    assert written.out == f"written: {path}\n"
    assert json.loads(path.read_text())["AWSTemplateFormatVersion"] == "2010-09-09"
