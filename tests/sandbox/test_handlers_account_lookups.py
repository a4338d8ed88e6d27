"""What provider functions answer, on the emulator; and that the wire names are those of the SDK."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from byoc.errors import ByocError
from byoc.sandbox.emulator.server import Emulator
from byoc.sandbox.handlers import lookups, lookups_network
from byoc.sandbox.handlers.base import Properties
from byoc.sandbox.session import SandboxAws
from tests.sandbox.handler_life import HANDLERS, LISTED, Stage, administrator, sdk_names

INVOKES = {**lookups.INVOKES, **lookups_network.INVOKES}


@pytest.fixture(scope="module")
def account() -> Iterator[tuple[SandboxAws, list[str]]]:
    with Emulator.in_process() as emulator:
        yield administrator(emulator)


@pytest.fixture
def stage(account: tuple[SandboxAws, list[str]]) -> Iterator[Stage]:
    stage = Stage(*account)
    yield stage
    stage.strike()


MEASURED = {
    "aws:ec2/getSecurityGroup:getSecurityGroup": "data aws_security_group",
    "aws:ec2/getSubnet:getSubnet": "data aws_subnet",
    "aws:ec2/getSubnets:getSubnets": "data aws_subnets",
    "aws:ec2/getVpc:getVpc": "data aws_vpc",
    "aws:ec2/getVpcs:getVpcs": "data aws_vpcs",
    "aws:ecs/getCluster:getCluster": "data aws_ecs_cluster",
    "aws:iam/getRole:getRole": "data aws_iam_role",
    "aws:iam/getRoles:getRoles": "data aws_iam_roles",
    "aws:index/getAvailabilityZones:getAvailabilityZones": "data aws_availability_zones",
    "aws:index/getCallerIdentity:getCallerIdentity": "data aws_caller_identity",
    "aws:rds/getSubnetGroup:getSubnetGroup": "data aws_db_subnet_group",
    "aws:secretsmanager/getSecret:getSecret": "data aws_secretsmanager_secret",
    "aws:servicediscovery/getDnsNamespace:getDnsNamespace": "data aws_service_discovery_dns_namespace",
    "aws:sns/getTopic:getTopic": "data aws_sns_topic",
}
"""Functions whose AWS calls were measured on the provider: those calls are made, and no others."""


def ask(stage: Stage, token: str, **arguments: object) -> Properties:
    """An answer, which must have all the names of the SDK's result and no others, got by the provider's calls."""
    with stage.noted() as called:
        answer = INVOKES[token](stage.aws, dict(arguments))
    assert answer.keys() == sdk_names(token, "Result")
    if token in MEASURED:
        assert set(called) == set(LISTED[MEASURED[token]]["read"])
    return answer


@pytest.mark.parametrize("token", sorted(HANDLERS))
def test_every_input_that_forces_a_replacement_is_a_property_of_the_sdk(token: str) -> None:
    handler = HANDLERS[token]
    assert handler.replace_on <= sdk_names(token)
    assert handler.taggable == ("tagsAll" in sdk_names(token))


def test_the_caller_is_the_account_s_administrator(stage: Stage) -> None:
    answer = ask(stage, "aws:index/getCallerIdentity:getCallerIdentity")
    assert answer["accountId"] == answer["id"] == stage.aws.account_id
    assert answer["arn"].startswith(f"arn:aws:iam::{stage.aws.account_id}:")


def test_region_and_partition_need_no_call(stage: Stage) -> None:
    with stage.noted() as called:
        region = ask(stage, "aws:index/getRegion:getRegion")
        partition = ask(stage, "aws:index/getPartition:getPartition")
    assert called == []
    assert (region["region"], region["endpoint"]) == ("eu-west-1", "ec2.eu-west-1.amazonaws.com")
    assert (partition["partition"], partition["reverseDnsPrefix"]) == ("aws", "com.amazonaws")


def test_zones_come_sorted_and_without_those_left_out(stage: Stage) -> None:
    answer = ask(stage, "aws:index/getAvailabilityZones:getAvailabilityZones", state="available")
    assert answer["names"] == ["eu-west-1a", "eu-west-1b", "eu-west-1c"]
    assert len(answer["zoneIds"]) == 3
    fewer = ask(stage, "aws:index/getAvailabilityZones:getAvailabilityZones", excludeNames=["eu-west-1b"])
    assert fewer["names"] == ["eu-west-1a", "eu-west-1c"]


def test_a_vpc_is_found_by_id_tags_and_filters(stage: Stage) -> None:
    vpc = stage.make("vpc:Vpc", cidrBlock="10.7.0.0/16", enableDnsHostnames=True)
    answer = ask(stage, "aws:ec2/getVpc:getVpc", id=vpc.id)
    assert answer["cidrBlock"] == "10.7.0.0/16"
    assert answer["enableDnsHostnames"] is True
    assert answer["mainRouteTableId"] == vpc.outputs["mainRouteTableId"]
    assert answer["tags"] == stage.tags
    assert ask(stage, "aws:ec2/getVpc:getVpc", tags=dict(stage.tags))["id"] == vpc.id
    cidr = [{"name": "cidr", "values": ["10.7.0.0/16"]}]
    assert ask(stage, "aws:ec2/getVpcs:getVpcs", filters=cidr)["ids"] == [vpc.id]
    assert ask(stage, "aws:ec2/getVpcs:getVpcs", tags={"none": "such"})["ids"] == []


def test_none_and_several_are_errors_where_one_is_wanted(stage: Stage) -> None:
    stage.make("vpc:Vpc", cidrBlock="10.7.0.0/16")
    stage.make("vpc:Vpc", cidrBlock="10.8.0.0/16")
    with pytest.raises(ByocError, match="no matching EC2 VPC found"):
        ask(stage, "aws:ec2/getVpc:getVpc", tags={"none": "such"})
    with pytest.raises(ByocError, match="multiple EC2 VPCs matched"):
        ask(stage, "aws:ec2/getVpc:getVpc", tags=dict(stage.tags))


def test_subnets_are_found_by_vpc_and_tags(stage: Stage) -> None:
    network = stage.network()
    in_vpc = [{"name": "vpc-id", "values": [network["vpc"]]}]
    many = ask(stage, "aws:ec2/getSubnets:getSubnets", filters=in_vpc, tags=dict(stage.tags))
    assert set(many["ids"]) == {network["a"], network["b"]}
    one = ask(stage, "aws:ec2/getSubnet:getSubnet", vpcId=network["vpc"], availabilityZone="eu-west-1b")
    assert one["id"] == network["b"]
    assert one["cidrBlock"] == "10.0.1.0/24"


def test_security_groups_are_found_by_name_in_a_vpc(stage: Stage) -> None:
    vpc = stage.make("vpc:Vpc", cidrBlock="10.0.0.0/16").id
    group = stage.make("securityGroup:SecurityGroup", vpcId=vpc, name="service")
    one = ask(stage, "aws:ec2/getSecurityGroup:getSecurityGroup", name="service", vpcId=vpc)
    assert (one["id"], one["arn"]) == (group.id, group.outputs["arn"])
    named = [{"name": "group-name", "values": ["service"]}]
    many = ask(stage, "aws:ec2/getSecurityGroups:getSecurityGroups", filters=named)
    assert (many["ids"], many["arns"], many["vpcIds"]) == ([group.id], [group.outputs["arn"]], [vpc])
    with pytest.raises(ByocError, match="no matching EC2 Security Group found"):
        ask(stage, "aws:ec2/getSecurityGroup:getSecurityGroup", name="none", vpcId=vpc)


def test_roles_are_found_by_name_path_and_pattern(stage: Stage) -> None:
    trust = json.dumps({"Version": "2012-10-17", "Statement": []})
    role = stage.make("role:Role", name="one", path="/team/", assumeRolePolicy=trust, description="d")
    stage.make("role:Role", name="two", path="/team/", assumeRolePolicy=trust)
    answer = ask(stage, "aws:iam/getRole:getRole", name="one")
    assert (answer["arn"], answer["path"], answer["tags"]) == (role.outputs["arn"], "/team/", stage.tags)
    assert json.loads(answer["assumeRolePolicy"]) == json.loads(trust)
    under = ask(stage, "aws:iam/getRoles:getRoles", pathPrefix="/team/")
    assert sorted(under["names"]) == ["one", "two"]
    assert ask(stage, "aws:iam/getRoles:getRoles", nameRegex="^on")["names"] == ["one"]
    with pytest.raises(ByocError, match=r"IAM Role \(none\)"):
        ask(stage, "aws:iam/getRole:getRole", name="none")


def test_what_an_account_stack_made_is_found_by_name(stage: Stage) -> None:
    network = stage.network()
    cluster = stage.make("cluster:Cluster", name="graphs").id
    topic = stage.make("topic:Topic", name="graphs").id
    namespace = stage.make("privateDnsNamespace:PrivateDnsNamespace", name="graphs", vpc=network["vpc"])
    subnets = [network["a"], network["b"]]
    stage.make("subnetGroup:SubnetGroup", name="graphs", subnetIds=subnets)
    assert ask(stage, "aws:ecs/getCluster:getCluster", clusterName="graphs")["arn"] == cluster
    found = ask(stage, "aws:sns/getTopic:getTopic", name="graphs")
    assert (found["arn"], found["tags"]) == (topic, stage.tags)
    zone = ask(stage, "aws:servicediscovery/getDnsNamespace:getDnsNamespace", name="graphs", type="DNS_PRIVATE")
    assert (zone["id"], zone["hostedZone"]) == (namespace.id, namespace.outputs["hostedZone"])
    group = ask(stage, "aws:rds/getSubnetGroup:getSubnetGroup", name="graphs")
    assert (sorted(group["subnetIds"]), group["vpcId"]) == (sorted(subnets), network["vpc"])


@pytest.mark.parametrize(
    ("token", "arguments"),
    [
        ("aws:ecs/getCluster:getCluster", {"clusterName": "none"}),
        ("aws:sns/getTopic:getTopic", {"name": "none"}),
        ("aws:rds/getSubnetGroup:getSubnetGroup", {"name": "none"}),
        ("aws:secretsmanager/getSecret:getSecret", {"name": "none"}),
        ("aws:servicediscovery/getDnsNamespace:getDnsNamespace", {"name": "none", "type": "DNS_PRIVATE"}),
    ],
)
def test_what_is_not_there_is_an_error_that_names_it(stage: Stage, token: str, arguments: dict[str, str]) -> None:
    with pytest.raises(ByocError, match=r"\(none\)"):
        ask(stage, token, **arguments)


def test_a_secret_is_described_without_its_value(stage: Stage) -> None:
    client = stage.aws.client("secretsmanager")
    arn = client.create_secret(Name="graphs/env", SecretString="hidden")["ARN"]
    answer = ask(stage, "aws:secretsmanager/getSecret:getSecret", name="graphs/env")
    assert answer["arn"] == arn
    assert "hidden" not in json.dumps(answer)
