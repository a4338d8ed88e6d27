"""Other ways to install: two in one account, over an existing VPC, all in one stack, without NAT, with one's own."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from tests.sandbox.sandbox_world import ACCOUNT, ADOPTED, ALL_IN_ONE, CHAT, World

BOUNDARY = "CompanyBoundary"


def test_two_installs_share_an_account_and_the_end_of_one_leaves_the_other_as_it_was(world: World) -> None:
    world.up(ACCOUNT).done()
    world.up(CHAT).done()
    first = world.inventory()
    account = world.copy_stack(ACCOUNT, "second-account", {"namePrefix": "team-b", "runtime": None})
    chat = world.copy_stack(CHAT, "second-chat", {"namePrefix": "team-b"})
    world.up(account).done()
    made = world.up(chat).done()
    assert [call for call in made.calls if call["outcome"] == "denied"] == []
    assert {str(call["principal"]) for call in made.calls[1:]} == {
        f"arn:aws:sts::{world.account_id}:assumed-role/team-b-BYOCRole/byoc"
    }
    both = [item["id"] for item in world.inventory()]
    assert len(both) == len(set(both))
    assert sum("team-b-chat" in item for item in both) >= 3
    for stack in (chat, account):
        world.destroy(stack).done()
    assert world.inventory() == first
    for stack in (ACCOUNT, CHAT):
        assert set(world.up(stack).done().counts) == {"unchanged"}


# A VPC that is there already


class Landscape:
    """A VPC as a network team makes it, with four subnets, a security group and tags of its own."""

    def __init__(self, world: World) -> None:
        world.region = "eu-central-1"
        self._world = world
        self._ec2 = world.aws("ec2")
        self.vpc_id = str(self._ec2.create_vpc(CidrBlock="10.20.0.0/16")["Vpc"]["VpcId"])
        self._ec2.modify_vpc_attribute(VpcId=self.vpc_id, EnableDnsHostnames={"Value": True})
        self.subnet_ids = [
            str(
                self._ec2.create_subnet(
                    VpcId=self.vpc_id,
                    CidrBlock=f"10.20.{number}.0/24",
                    AvailabilityZone=f"eu-central-1{'ab'[number % 2]}",
                )["Subnet"]["SubnetId"]
            )
            for number in range(4)
        ]
        table = self._ec2.create_route_table(VpcId=self.vpc_id)["RouteTable"]["RouteTableId"]
        self._ec2.associate_route_table(RouteTableId=table, SubnetId=self.subnet_ids[0])
        self._ec2.create_security_group(GroupName="theirs", Description="Theirs", VpcId=self.vpc_id)
        self._ec2.create_tags(
            Resources=[self.vpc_id, *self.subnet_ids],
            Tags=[{"Key": "network-owner", "Value": "net"}, {"Key": "kubernetes.io/role", "Value": "elb"}],
        )
        boundary = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}], "Version": "2012-10-17"}
        world.aws("iam").create_policy(PolicyName=BOUNDARY, PolicyDocument=json.dumps(boundary))

    def adopt(self, *, tag: bool) -> None:
        """Have the example stack adopt it."""
        network = {
            "kind": "existing",
            "vpcId": self.vpc_id,
            "privateSubnetIds": self.subnet_ids[:2],
            "publicSubnetIds": self.subnet_ids[2:],
            "tag": tag,
        }
        self._world.configure(ADOPTED, {"network": network})

    def described(self) -> dict[str, Any]:
        """Everything of the network that AWS shows, but for tags and the install's own security groups."""
        mine = [{"Name": "vpc-id", "Values": [self.vpc_id]}]
        groups = self._ec2.describe_security_groups(Filters=mine)["SecurityGroups"]
        found = {
            "vpcs": self._ec2.describe_vpcs(VpcIds=[self.vpc_id])["Vpcs"],
            "subnets": self._ec2.describe_subnets(Filters=mine)["Subnets"],
            "route tables": self._ec2.describe_route_tables(Filters=mine)["RouteTables"],
            "acls": self._ec2.describe_network_acls(Filters=mine)["NetworkAcls"],
            "groups": [group for group in groups if group["GroupName"] in ("default", "theirs")],
            "gateways": self._ec2.describe_internet_gateways()["InternetGateways"],
            "endpoints": self._ec2.describe_vpc_endpoints(Filters=mine)["VpcEndpoints"],
        }
        attributes = {
            name: self._ec2.describe_vpc_attribute(VpcId=self.vpc_id, Attribute=name)[key]
            for name, key in (("enableDnsHostnames", "EnableDnsHostnames"), ("enableDnsSupport", "EnableDnsSupport"))
        }
        return {**{key: [_without_tags(item) for item in items] for key, items in found.items()}, **attributes}

    def tags(self) -> dict[str, dict[str, str]]:
        """The tags of the VPC and its subnets."""
        found: dict[str, dict[str, str]] = {}
        mine = [{"Name": "resource-id", "Values": [self.vpc_id, *self.subnet_ids]}]
        for tag in self._ec2.describe_tags(Filters=mine)["Tags"]:
            found.setdefault(tag["ResourceId"], {})[tag["Key"]] = tag["Value"]
        return found


def _without_tags(item: Any) -> Any:
    return {key: value for key, value in item.items() if key != "Tags"}


@pytest.mark.parametrize("tag", [True, False])
def test_an_adopted_vpc_gets_the_documented_tags_if_asked_for_and_nothing_else(world: World, tag: bool) -> None:
    landscape = Landscape(world)
    network, own_tags = landscape.described(), landscape.tags()
    rest = world.inventory()
    landscape.adopt(tag=tag)
    made = world.up(ADOPTED).done()
    enabled = {"langgraph-cloud-enabled": "1"}
    documented = {
        landscape.vpc_id: enabled,
        **{subnet_id: {**enabled, "langgraph-cloud-private": "1"} for subnet_id in landscape.subnet_ids[:2]},
        **{subnet_id: {**enabled, "langgraph-cloud-private": "0"} for subnet_id in landscape.subnet_ids[2:]},
    }
    added = documented if tag else {}
    assert landscape.tags() == {key: {**value, **added.get(key, {})} for key, value in own_tags.items()}
    assert landscape.described() == network
    tag_calls = [call for call in made.calls if call["action"] == "ec2:CreateTags"]
    assert len(tag_calls) == (9 if tag else 0)
    theirs = ("vpc", "subnet", "route-table", "internet-gateway", "nat-gateway", "vpc-endpoint", "elastic-ip")
    assert [item for item in world.inventory() if item["service"] == "ec2" and item["kind"] in theirs] == [
        item for item in rest if item["service"] == "ec2" and item["kind"] in theirs
    ]
    assert set(world.up(ADOPTED).done().counts) == {"unchanged"}
    world.destroy(ADOPTED).done()
    assert landscape.tags() == own_tags
    assert landscape.described() == network
    assert world.inventory() == rest


def test_an_all_in_one_stack_comes_up_stays_and_goes(world: World) -> None:
    world.region = "us-east-1"
    made = world.up(ALL_IN_ONE).done()
    urls = made.result.document()["outputs"]["deploymentUrls"]
    assert urls["assistant"].startswith("https://")
    assert urls["sandbox"].startswith("http://")
    assert {str(call["principal"]).split("/")[0].rsplit(":", 1)[1] for call in made.calls} == {"user"}
    assert set(world.up(ALL_IN_ONE).done().counts) == {"unchanged"}
    deployments = world.value(ALL_IN_ONE, "deployments")
    deployments["assistant"]["database"] = {"deletionProtection": False}
    world.configure(ALL_IN_ONE, {"deployments": deployments})
    world.up(ALL_IN_ONE).done()
    gone = world.destroy(ALL_IN_ONE).done()
    assert any("database snapshot agents-assistant-final-" in kept for kept in gone.result.kept)
    assert [(item["service"], item["kind"]) for item in world.inventory()] == [("rds", "snapshot")]


@pytest.mark.slow
def test_without_nat_there_are_endpoints_instead(world: World) -> None:
    services = ["ecr.api", "ecr.dkr", "logs", "secretsmanager"]
    world.configure(ACCOUNT, {"network": {"kind": "create", "zones": 2, "nat": "none", "interfaceEndpoints": services}})
    world.up(ACCOUNT).done()
    kinds = world.kinds()
    assert (kinds["ec2 nat-gateway"], kinds["ec2 elastic-ip"], kinds["ec2 subnet"]) == (0, 0, 4)
    endpoints = world.aws("ec2").describe_vpc_endpoints()["VpcEndpoints"]
    assert Counter(item["ServiceName"].removeprefix("com.amazonaws.us-west-2.") for item in endpoints) == Counter(
        [*services, "s3"]
    )
    # A deployment lives in such a network as in any other.
    world.up(CHAT).done()
    for stack in (CHAT, ACCOUNT):
        world.destroy(stack).done()
    assert world.inventory() == []


def test_a_database_and_a_cache_of_one_s_own_are_used_and_none_is_made(world: World) -> None:
    world.up(ACCOUNT).done()
    uris = {
        "postgresUriCustom": "postgresql://me:hunter2hunter2@db.example.com:5432/chat?sslmode=require",
        "redisUriCustom": "rediss://:hunter3hunter3@redis.example.com:6379/0",
    }
    for key, uri in uris.items():
        world.configure_secret(CHAT, key, uri)
    before = world.kinds()
    world.up(CHAT).done()
    kinds = world.kinds() - before
    assert {
        kind: kinds[kind] for kind in ("rds instance", "rds parameter-group", "ecs service", "ecs task-definition")
    } == {
        "rds instance": 0,
        "rds parameter-group": 0,
        "ecs service": 1,
        "ecs task-definition": 1,
    }
    secret = world.aws("secretsmanager").get_secret_value(SecretId="langgraph-cloud/chat/connections")["SecretString"]
    assert json.loads(secret) == {"DATABASE_URI": uris["postgresUriCustom"], "REDIS_URI": uris["redisUriCustom"]}
    assert set(world.up(CHAT).done().counts) == {"unchanged"}
    world.destroy(CHAT).done()
    assert world.kinds() == before
