"""A stack needs what its own resources need: a feature that is off asks for nothing."""

from __future__ import annotations

import json
import runpy
from collections.abc import Mapping
from typing import Any

import pytest

from byoc.config import AccountConfig, DeploymentConfig
from byoc.naming import Names
from byoc.permissions.needs.actions import Phase, is_read
from byoc.permissions.needs.deployment import (
    FUNCTIONS,
    TYPES,
    DeploymentParts,
    deployment_needs,
    deployment_types,
    lookups_of,
    missing_needs,
    parts_of,
)
from byoc.permissions.needs.features import HEALTH, Feature, feature_needs
from byoc.permissions.needs.requests import requests_of
from byoc.permissions.needs.stack import stack_needs
from byoc.permissions.policies.managed import documented_identity
from byoc.project.stack_file import read_stack_file
from byoc.stack_config import load_stack_config
from byoc.types import AwsAccount
from tests.components.deployments import COMPUTED
from tests.components.harness import Recording, run
from tests.golden.examples import ANSWERS, PASSPHRASE, ROOT, STACKS, recorded
from tests.unit.example_stacks import config as example_config

DATABASE = "aws:rds/instance:Instance"
BALANCER = "aws:lb/loadBalancer:LoadBalancer"
URI = "postgresql://user:made-up-password@db.example.com:5432/chat"
REDIS = "redis://cache.example.com:6379"
GIVEN = {
    "vpcId": "vpc-0a1b2c3d4e5f60718",
    "privateSubnetIds": ["subnet-0a1b2c3d4e5f60711", "subnet-0a1b2c3d4e5f60712"],
    "publicSubnetIds": ["subnet-0a1b2c3d4e5f60713", "subnet-0a1b2c3d4e5f60714"],
    "loadBalancerSecurityGroupId": "sg-0a1b2c3d4e5f60711",
    "serviceSecurityGroupId": "sg-0a1b2c3d4e5f60712",
    "dataSecurityGroupId": "sg-0a1b2c3d4e5f60713",
    "namespaceId": "ns-0a1b2c3d4e5f6071",
}
VARIANTS: Mapping[str, Mapping[str, Any]] = {
    "as it is": {},
    "another's database": {"postgresUriCustom": URI, "database": None},
    "another's cache": {"redisUriCustom": REDIS},
    "another's database and cache": {"postgresUriCustom": URI, "redisUriCustom": REDIS, "database": None},
    "fixed numbers": {"size": {"minContainers": 2, "maxContainers": 2}, "queue": {"mode": "combined"}},
    "only the queue scales": {
        "size": {"minContainers": 2, "maxContainers": 2},
        "queue": {"mode": "separate", "containers": 1, "maxContainers": 3},
    },
    "a given runtime": {"runtime": GIVEN},
    "given subnets": {"runtime": {"privateSubnetIds": GIVEN["privateSubnetIds"]}},
}
CASES = [
    (stack, name)
    for stack in ("demo-chat", "demo-support")
    for name, changes in VARIANTS.items()
    # A development deployment does not scale.
    if stack == "demo-support" or not {"size", "queue"} & changes.keys()
]
SECRET = {"byoc:postgresUriCustom", "byoc:redisUriCustom"}


def variant(stack: str, changes: Mapping[str, Any]) -> tuple[DeploymentConfig, Recording]:
    """The config of an example with changes, and what the program registers under it."""
    file = read_stack_file(ROOT, stack, passphrase=lambda: PASSPHRASE)
    values = dict(file.config)
    for key, value in changes.items():
        values.pop(f"byoc:{key}", None)
        if value is not None:
            values[f"byoc:{key}"] = value if isinstance(value, str) else json.dumps(value)
    secret = frozenset(file.secret_keys) | (SECRET & values.keys())
    config = load_stack_config(values, secret, source=stack)
    assert isinstance(config, DeploymentConfig)
    recording = run(
        lambda: runpy.run_path(str(file.project.main / "__main__.py"), run_name="__main__"),
        answers=ANSWERS,
        computed=COMPUTED,
        stack=stack,
        config=values,
        secret_config=tuple(sorted(secret)),
    )
    return config, recording


def of_aws(recording: Recording) -> set[str]:
    return {token for token in recording.types if token.startswith("aws:")}


@pytest.mark.parametrize(("stack", "name"), CASES)
def test_the_types_of_a_config_are_those_that_its_program_registers(stack: str, name: str) -> None:
    config, recording = variant(stack, VARIANTS[name])
    assert set(deployment_types(parts_of(config.deployment, config.secrets))) == of_aws(recording)
    assert set(lookups_of(config.runtime)) == {call.token for call in recording.calls}


@pytest.mark.parametrize("stack", STACKS)
def test_the_inline_deployments_of_an_account_are_made_of_the_same_types(stack: str) -> None:
    config = example_config(stack)
    if not isinstance(config, AccountConfig):
        return
    wanted: set[str] = set()
    for name, section in config.deployments.items():
        wanted.update(deployment_types(parts_of(section, config.secrets_of(name))))
    assert of_aws(recorded(stack)) & set(TYPES) == wanted


@pytest.mark.parametrize("stack", STACKS)
def test_every_type_and_look_up_of_an_example_has_needs(stack: str) -> None:
    recording = recorded(stack)
    needs = stack_needs(recording.types, {call.token for call in recording.calls})
    assert {need.token for need in needs} == of_aws(recording) | {call.token for call in recording.calls}


@pytest.mark.parametrize(
    ("parts", "services"),
    [
        (DeploymentParts(database=False), {"kms", "rds"}),
        (DeploymentParts(cache=False), {"servicediscovery"}),
        (DeploymentParts(scaling=False), {"application-autoscaling"}),
    ],
)
def test_a_part_that_is_off_asks_for_nothing(parts: DeploymentParts, services: set[str]) -> None:
    # Doctor looks for the private subnets of any deployment by the group of subnets that is for databases.
    features = [feature for feature in Feature if feature is not Feature.PREFLIGHT]

    def asked(chosen: DeploymentParts) -> set[str]:
        return {need.action.partition(":")[0] for need in deployment_needs(chosen, (), features)}

    assert asked(DeploymentParts()) - asked(parts) == services


def test_without_parts_every_part_is_meant() -> None:
    assert deployment_needs() == stack_needs(TYPES, FUNCTIONS)


def test_a_feature_that_is_off_asks_for_nothing() -> None:
    plain = {need.action for need in deployment_needs()}
    assert not plain & {"logs:FilterLogEvents", "rds:RestoreDBInstanceFromDBSnapshot", "iam:CreateServiceLinkedRole"}
    restoring = {need.action for need in deployment_needs(features=[Feature.RESTORE])}
    assert restoring - plain == {
        "rds:DescribeDBInstanceAutomatedBackups",
        "rds:DescribeDBSnapshots",
        "rds:RestoreDBInstanceFromDBSnapshot",
        "rds:RestoreDBInstanceToPointInTime",
    }


@pytest.mark.parametrize("feature", HEALTH)
def test_looking_after_a_deployment_only_reads(feature: Feature) -> None:
    needs = list(feature_needs([feature], TYPES))
    assert needs
    assert {need.phase for need in needs} == {Phase.READ}
    # FilterLogEvents is a read by another verb (its access level is Read).
    assert [need.action for need in needs if not is_read(need.action)] in ([], ["logs:FilterLogEvents"])


def test_a_feature_asks_only_about_what_is_there() -> None:
    assert list(feature_needs(list(Feature), ["aws:ec2/subnet:Subnet"])) == []
    of_a_network = {need.action for need in feature_needs(list(Feature), ["aws:ec2/vpc:Vpc"])}
    assert of_a_network == {
        "ec2:DescribeAvailabilityZones",
        "servicequotas:GetAWSDefaultServiceQuota",
        "servicequotas:GetServiceQuota",
    }
    of_balancers = {need.token for need in feature_needs(list(Feature), [BALANCER])}
    assert of_balancers == {BALANCER}


def test_a_service_linked_role_is_asked_for_by_its_own_arn_and_service() -> None:
    account = AwsAccount(account_id="123456789012", region="us-west-2")
    needs = feature_needs([Feature.SERVICE_LINKED_ROLES], [DATABASE])
    (request,) = [request for need in needs for request in requests_of(need, account, Names())]
    roles = "arn:aws:iam::123456789012:role/aws-service-role"
    assert request.resource == f"{roles}/rds.amazonaws.com/AWSServiceRoleForRDS"
    assert request.context["iam:AWSServiceName"] == "rds.amazonaws.com"


def test_the_documented_role_cannot_make_the_service_linked_role_of_load_balancing() -> None:
    account = AwsAccount(account_id="123456789012", region="us-west-2")
    missing = missing_needs(documented_identity(), account, Names(), features=[Feature.SERVICE_LINKED_ROLES])
    assert {need.token for need in missing if need.action == "iam:CreateServiceLinkedRole"} == {BALANCER}


def test_every_need_of_a_feature_says_where_it_is_written_down() -> None:
    for need in feature_needs(list(Feature), TYPES):
        assert "(" in need.reason, need
        assert need.reason.endswith(")"), need


def test_components_and_other_packages_need_nothing_of_aws() -> None:
    assert stack_needs(["byoc:index:Network", "random:index/randomId:RandomId", "pulumi:providers:aws"]) == ()


def test_an_aws_type_that_nobody_measured_is_an_error() -> None:
    with pytest.raises(KeyError, match="aws:s3/bucket:Bucket"):
        stack_needs(["aws:s3/bucket:Bucket", DATABASE])
