"""Which actions a stack needs: as measured, plus extensions that each say where they come from."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from byoc.permissions.needs.actions import MEASURED, Need, Phase, is_read, needs_of, required_actions
from byoc.permissions.needs.deployment import FUNCTIONS, TYPES, deployment_needs
from byoc.permissions.needs.extensions import extensions
from byoc.permissions.needs.tokens import FUNCTIONS as FUNCTION_TOKENS
from byoc.permissions.needs.tokens import RESOURCES as RESOURCE_TOKENS
from byoc.permissions.package_data import package_data

INSTANCE = "aws:rds/instance:Instance"


def actions(token: str, phase: Phase) -> set[str]:
    return {need.action for need in needs_of(token) if need.phase is phase}


def test_every_measured_call_is_a_need_of_its_pulumi_token() -> None:
    measured = package_data("needs", "provider-calls.json")["resources"]
    assert len(measured) > 60
    for type_, phases in measured.items():
        data = type_.startswith("data ")
        token = FUNCTION_TOKENS[type_.removeprefix("data ")] if data else RESOURCE_TOKENS[type_]
        for phase, calls in phases.items():
            assert set(calls) <= actions(token, Phase(phase)), type_


def test_what_a_create_reads_is_what_a_refresh_reads() -> None:
    assert actions("aws:lb/targetGroup:TargetGroup", Phase.READ) == {
        "elasticloadbalancing:DescribeTags",
        "elasticloadbalancing:DescribeTargetGroupAttributes",
        "elasticloadbalancing:DescribeTargetGroups",
    }


def test_a_need_says_where_it_comes_from() -> None:
    needs = {(need.phase, need.action): need.reason for need in needs_of(INSTANCE)}
    assert needs[Phase.CREATE, "rds:CreateDBInstance"] == MEASURED
    assert needs[Phase.UPDATE, "rds:ModifyDBInstance"] == "a changed argument (AWS provider)"
    assert needs[Phase.CREATE, "rds:AddTagsToResource"].startswith("tags are part of the create call")
    assert all(need.reason.strip() for need in deployment_needs())


def test_no_extension_repeats_what_was_measured() -> None:
    measured = package_data("needs", "provider-calls.json")["resources"]
    repeated = {
        (entry.type, entry.phase, action)
        for entry in extensions()
        for action in entry.actions
        if action in measured.get(entry.type, {}).get(entry.phase, ())
    }
    # Tags and arguments were both changed in one measured update of a database; the table of tag actions stays whole.
    assert repeated == {("aws_db_instance", "update", "rds:AddTagsToResource")}


@pytest.mark.parametrize(
    ("token", "action"),
    [
        ("aws:appautoscaling/target:Target", "application-autoscaling:TagResource"),
        ("aws:cloudwatch/metricAlarm:MetricAlarm", "cloudwatch:TagResource"),
        ("aws:ecs/service:Service", "ecs:TagResource"),
        ("aws:ecs/taskDefinition:TaskDefinition", "ecs:TagResource"),
        ("aws:ecs/taskDefinition:TaskDefinition", "iam:PassRole"),
        ("aws:ec2/vpc:Vpc", "ec2:CreateTags"),
        ("aws:lb/loadBalancer:LoadBalancer", "elasticloadbalancing:AddTags"),
        ("aws:rds/parameterGroup:ParameterGroup", "rds:AddTagsToResource"),
        ("aws:secretsmanager/secret:Secret", "secretsmanager:TagResource"),
        ("aws:servicediscovery/service:Service", "servicediscovery:TagResource"),
    ],
)
def test_a_create_needs_what_aws_checks_beside_the_call(token: str, action: str) -> None:
    assert action in actions(token, Phase.CREATE)


@pytest.mark.parametrize(
    ("token", "action"),
    [
        (INSTANCE, "rds:ModifyDBInstance"),
        ("aws:lb/listener:Listener", "elasticloadbalancing:ModifyListener"),
        ("aws:lb/loadBalancer:LoadBalancer", "elasticloadbalancing:SetSubnets"),
        ("aws:lb/targetGroup:TargetGroup", "elasticloadbalancing:ModifyTargetGroup"),
        ("aws:secretsmanager/secret:Secret", "secretsmanager:UpdateSecret"),
        ("aws:servicediscovery/service:Service", "servicediscovery:UpdateService"),
    ],
)
def test_an_update_needs_its_own_calls(token: str, action: str) -> None:
    assert action in actions(token, Phase.UPDATE)


def test_a_stack_needs_what_its_types_and_functions_need_once_each() -> None:
    needs = required_actions([INSTANCE, INSTANCE], ["aws:ec2/getSubnets:getSubnets"])
    assert {need.token for need in needs} == {INSTANCE, "aws:ec2/getSubnets:getSubnets"}
    assert Need("aws:ec2/getSubnets:getSubnets", Phase.READ, "ec2:DescribeSubnets", MEASURED) in needs
    assert list(needs) == sorted(set(needs))


def test_types_of_other_providers_need_nothing_of_aws() -> None:
    assert needs_of("random:index/randomPassword:RandomPassword") == ()


def test_a_type_that_nobody_measured_is_an_error_and_not_one_without_needs() -> None:
    with pytest.raises(KeyError, match="aws:s3/bucket:Bucket"):
        required_actions(["aws:s3/bucket:Bucket"])


def test_every_token_has_needs() -> None:
    assert all(needs_of(token) for token in (*RESOURCE_TOKENS.values(), *FUNCTION_TOKENS.values()))


def test_every_action_is_written_as_iam_writes_it() -> None:
    for token in (*RESOURCE_TOKENS.values(), *FUNCTION_TOKENS.values()):
        for need in needs_of(token):
            assert re.fullmatch(r"[a-z0-9-]+:[A-Z][A-Za-z0-9]+", need.action), need


@pytest.mark.parametrize(
    ("action", "reads"), [("ec2:DescribeVpcs", True), ("iam:ListRoles", True), ("iam:CreateRole", False)]
)
def test_reads_are_told_from_changes_by_their_verb(action: str, reads: bool) -> None:
    assert is_read(action) is reads


@pytest.mark.parametrize("token", sorted({*RESOURCE_TOKENS.values(), *FUNCTION_TOKENS.values()}))
def test_every_token_is_one_of_the_aws_package(token: str) -> None:
    assert token in _tokens_of_the_sdk()


def test_a_deployment_is_made_of_measured_types() -> None:
    assert set(TYPES) <= set(RESOURCE_TOKENS.values())
    assert set(FUNCTIONS) <= set(FUNCTION_TOKENS.values())


_known: set[str] = set()


def _tokens_of_the_sdk() -> set[str]:
    """All tokens that the installed AWS SDK speaks of, read from its sources: importing them all takes too long."""
    if not _known:
        import pulumi_aws

        root = Path(pulumi_aws.__file__).parent
        modules = {token.split(":")[1].split("/")[0] for token in RESOURCE_TOKENS.values()}
        sources = [*root.glob("get_*.py"), *(file for module in modules for file in (root / module).glob("*.py"))]
        for source in sources:
            _known.update(re.findall(r"'(aws:[\w]+/[\w]+:[\w]+)'", source.read_text("utf-8")))
    return _known
