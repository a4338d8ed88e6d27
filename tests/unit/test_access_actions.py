"""What a stack asks of AWS comes of its own resources: `byoc access actions`."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Collection, Mapping
from typing import Any

import pytest

from byoc.access.required import Planned, planned
from byoc.cli.app import app, exit_code
from byoc.config.network import NO_NAT_ENDPOINTS
from byoc.errors import ByocError
from byoc.permissions.needs.features import HEALTH, Feature
from byoc.program_recording import Registered
from tests.golden.examples import STACKS, recorded
from tests.unit.example_stacks import PASSPHRASE, ROOT, stack_file

ACCOUNT, DEPLOYMENT = "demo-account", "demo-support"
EXISTING = {
    "kind": "existing",
    "vpcId": "vpc-0a1b2c3d4e5f60718",
    "privateSubnetIds": ["subnet-0a1b2c3d4e5f60711", "subnet-0a1b2c3d4e5f60712"],
}
OPEN = {
    "open": True,
    "principals": ["arn:aws:iam::123456789012:role/OnCall"],
    "sourceIdentities": ["ann@example.com"],
    "ticket": "INC-1",
    "notBefore": "2026-05-01T08:00:00Z",
    "until": "2026-05-01T12:00:00Z",
}
EVENTS = {"events:DeleteRule", "events:PutRule", "events:PutTargets", "events:RemoveTargets"}


def actions(changes: Mapping[str, Any], stack: str = ACCOUNT) -> set[str]:
    """The actions of an example stack with another config."""
    file = stack_file(stack)
    values = {f"byoc:{key}": value if isinstance(value, str) else json.dumps(value) for key, value in changes.items()}
    return {need.action for need in planned(dataclasses.replace(file, config={**file.config, **values})).needs()}


@pytest.mark.parametrize("stack", STACKS)
def test_the_types_and_look_ups_of_every_example_are_those_of_its_program(stack: str) -> None:
    found, recording = planned(stack_file(stack)), recorded(stack)
    assert found.types == recording.types
    later = {"aws:iam/getRole:getRole"} if "aws:iam/serviceLinkedRole:ServiceLinkedRole" in found.types else set()
    assert found.functions == {call.token for call in recording.calls} | later


@pytest.mark.parametrize("stack", STACKS)
def test_every_type_of_every_example_is_known(stack: str) -> None:
    found = planned(stack_file(stack))
    of_aws = {token for token in found.types if token.startswith("aws:")}
    assert {need.token for need in found.needs()} == of_aws | found.functions


@pytest.mark.parametrize(
    ("on", "off", "gone"),
    [
        (
            {"network": {"kind": "create", "nat": "single"}},
            {"network": {"kind": "create", "nat": "none", "interfaceEndpoints": list(NO_NAT_ENDPOINTS)}},
            {"ec2:AllocateAddress", "ec2:CreateNatGateway", "ec2:DeleteNatGateway", "ec2:ReleaseAddress"},
        ),
        (
            {"network": {"kind": "create"}},
            {"network": EXISTING},
            {"ec2:CreateVpc", "ec2:CreateSubnet", "ec2:CreateInternetGateway", "ec2:CreateNatGateway"},
        ),
        ({"network": EXISTING}, {"network": {**EXISTING, "tag": False}}, {"ec2:DescribeTags"}),
        (
            {"network": {"kind": "create"}},
            {"network": {"kind": "create", "s3Endpoint": False}},
            {"ec2:CreateVpcEndpoint", "ec2:DeleteVpcEndpoints"},
        ),
        ({}, {"runtime": {"alarmEmails": []}}, {"ecr:CreateRepository", "ecr:DeleteRepository", "sns:Subscribe"}),
        ({"vendorActivity": {}}, {}, EVENTS),
        ({"breakGlass": {}}, {}, EVENTS),
        ({}, {"serviceLinkedRoles": "false"}, {"iam:CreateServiceLinkedRole"}),
        ({}, {"access": {"enabled": False}}, {"iam:CreatePolicy", "iam:CreatePolicyVersion"}),
    ],
    ids=["nat", "network", "tags", "endpoint", "repositories", "ledger", "break-glass", "linked roles", "access"],
)
def test_a_feature_that_is_off_asks_for_nothing(
    on: Mapping[str, Any], off: Mapping[str, Any], gone: Collection[str]
) -> None:
    with_it, without = actions(on), actions(off)
    assert set(gone) <= with_it
    assert not set(gone) & without


def test_an_account_without_the_ledger_asks_nothing_of_eventbridge() -> None:
    assert {action for action in actions({}) if action.startswith("events:")} == set()


def test_one_nat_gateway_asks_for_what_one_in_each_zone_does() -> None:
    single, each = ({"network": {"kind": "create", "nat": nat}} for nat in ("single", "per-zone"))
    assert actions(single) == actions(each)


def test_an_own_boundary_is_a_policy_to_make_even_where_no_control_plane_has_access() -> None:
    closed = {"enabled": False}
    assert "iam:CreatePolicy" not in actions({"access": closed})
    assert "iam:CreatePolicy" in actions({"access": {**closed, "permissionsBoundary": "own"}})


def test_no_type_of_an_account_with_everything_on_is_unknown() -> None:
    changes = {
        "access": {"controlPlane": "us", "mode": "scoped", "permissionsBoundary": "own"},
        "breakGlass": {**OPEN, "shell": True},
        "vendorActivity": {},
        "network": {"kind": "create", "nat": "per-zone", "interfaceEndpoints": ["ecr.api", "logs"]},
    }
    assert actions(changes) > {"ec2:CreateVpcEndpoint", "events:PutRule", "iam:PutRolePolicy"}


def test_what_is_done_with_a_stack_beside_is_asked_for_by_name() -> None:
    found = planned(stack_file(DEPLOYMENT))
    provisioning, watched = found.needs(), found.needs(HEALTH)
    assert set(provisioning) < set(watched)
    assert "logs:FilterLogEvents" in {need.action for need in watched} - {need.action for need in provisioning}


def test_a_type_that_nobody_measured_is_an_error_that_names_it() -> None:
    bucket = Registered(
        type="aws:s3/bucket:Bucket", name="b", parent="", provider="aws", custom=True, inputs={}, version=""
    )
    with pytest.raises(ByocError, match="never measured") as caught:
        Planned(registered=(bucket,), functions=frozenset()).needs()
    assert "got:      aws:s3/bucket:Bucket" in str(caught.value)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", PASSPHRASE)

    def call(*arguments: str) -> tuple[int, str, str]:
        given = ["access", "actions", *arguments, "--cwd", str(ROOT)]
        code = exit_code(lambda: app(given, prog_name="byoc", standalone_mode=False))
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def test_the_verb_prints_each_action_of_each_type_once_with_phases_and_reason(run: Any) -> None:
    code, out, _ = run(ACCOUNT)
    assert code == 0
    (row,) = (line for line in out.splitlines() if line.startswith("ec2:CreateTags ") and "ec2/vpc:Vpc" in line)
    assert "create, update" in row
    assert "tags are part of the create call" in row
    assert out.splitlines()[0].split() == ["action", "resource", "type", "phases", "reason"]


def test_the_verb_prints_one_json_object(run: Any) -> None:
    code, out, _ = run(DEPLOYMENT, "--json", "--feature", "logs")
    document = json.loads(out)
    assert (code, document["stack"]) == (0, DEPLOYMENT)
    needs = planned(stack_file(DEPLOYMENT)).needs([Feature.LOGS])
    assert [(item["action"], item["type"], item["phase"]) for item in document["actions"]] == [
        (need.action, need.token, need.phase.value) for need in needs
    ]
    assert all(item["reason"] for item in document["actions"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((ACCOUNT, "--feature", "everything"), "error: --feature: 'everything'\n      allowed:  status, logs,"),
        (("nowhere",), "Pulumi.nowhere.yaml: there is no such file"),
    ],
)
def test_bad_input_is_refused(run: Any, arguments: tuple[str, ...], message: str) -> None:
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert message in err


def test_the_help_names_every_feature(run: Any) -> None:
    from byoc.cli.access.actions import _FEATURES

    assert _FEATURES.split(", ") == [feature.value for feature in Feature]
