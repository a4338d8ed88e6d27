"""The access of an account as CloudFormation: the same role and policies as by Pulumi, and a deployment under it."""

from __future__ import annotations

import json
import urllib.parse
from pathlib import Path
from typing import Any

import pytest
from cfnlint.api import lint

from byoc.access.cloudformation import template_of, template_text
from byoc.config import AccountConfig
from tests.sandbox.cli_runner import byoc
from tests.sandbox.sandbox_world import ACCOUNT, ADOPTED, World, Worlds

EXTERNAL_ID = "of-the-cloudformation-stack"
STACKS = pytest.mark.parametrize("stack", [ACCOUNT, ADOPTED])


def config_of(world: World, stack: str) -> AccountConfig:
    config = world.workspace.config(stack)
    assert isinstance(config, AccountConfig)
    return config


def exported(world: World, stack: str, capsys: pytest.CaptureFixture[str]) -> str:
    outcome = byoc(capsys, "access", "export", stack, "--cloudformation", "--cwd", str(world.root))
    assert (outcome.code, outcome.err) == (0, "")
    return outcome.out


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
    for policy in iam.list_policies(Scope="Local")["Policies"]:
        described = iam.get_policy(PolicyArn=policy["Arn"])["Policy"]
        version = iam.get_policy_version(PolicyArn=policy["Arn"], VersionId=described["DefaultVersionId"])
        text = _text(version["PolicyVersion"]["Document"])
        found[policy["PolicyName"]] = (described["Path"], described.get("Description"), text)
    found.pop("CompanyBoundary", None)  # what the config takes for granted
    return found


def _text(document: Any) -> str:
    """A policy document as text without white space, keys in the order in which it was written."""
    parsed = json.loads(urllib.parse.unquote(document)) if isinstance(document, str) else document
    return json.dumps(parsed, separators=(",", ":"))


@STACKS
def test_cloudformation_and_pulumi_make_the_same_to_the_byte(
    worlds: Worlds, capsys: pytest.CaptureFixture[str], stack: str
) -> None:
    by_pulumi, by_template = worlds.new(), worlds.new()
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
    world.configure_secret(ACCOUNT, "previousExternalId", "the-one-before-4711")
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
