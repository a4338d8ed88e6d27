"""What a config takes for granted is in the embedded AWS before a run, as the customer's own."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from rich.console import Console

from byoc.cli.view import show_result
from byoc.config import load
from byoc.sandbox.emulator import process
from byoc.sandbox.emulator.client import EmulatorClient, EmulatorError
from byoc.sandbox.emulator.prerequisites import ALLOW_ALL
from byoc.sandbox.prerequisites import ExistingVpc, Prerequisites, taken_for_granted
from byoc.tags import ENABLED, PRIVATE_SUBNET, PUBLIC_SUBNET
from tests.sandbox.sandbox_world import ACCOUNT, ADOPTED, ALL_IN_ONE, CHAT, SUPPORT, World, Worlds

REGION = "us-west-2"
VPC_ID = "vpc-0a1b2c3d4e5f60718"
PRIVATE = ("subnet-0a1b2c3d4e5f60711", "subnet-0a1b2c3d4e5f60712")
PUBLIC = ("subnet-0a1b2c3d4e5f60713", "subnet-0a1b2c3d4e5f60714")
VPC = ExistingVpc(vpc_id=VPC_ID, private_subnet_ids=PRIVATE, public_subnet_ids=PUBLIC)
UNPROTECTED = {"deletionProtection": False}

# What is taken for granted

ACCOUNT_ID = "123456789012"
CERTIFICATE = f"arn:aws:acm:{REGION}:{ACCOUNT_ID}:certificate/0d5a7c1e-3b2f-4c68-9a1d-5e7f90b2c4d6"
BOUNDARY = f"arn:aws:iam::{ACCOUNT_ID}:policy/CompanyBoundary"
ANY_KIND = {"accountId": ACCOUNT_ID, "region": REGION, "externalId": "c31f9b7d20aa4e5d8f6b"}
SERVER = {"type": "production", "image": "registry.example.com/agents:1"}
KEYS = {"langsmithApiKey": "lsv2_key"}


def granted(config: Mapping[str, Any]) -> Prerequisites:
    return taken_for_granted(load({**ANY_KIND, **config}, source="test"))


def test_a_config_that_names_nothing_of_the_customers_takes_nothing_for_granted() -> None:
    assert granted({"kind": "account"}) == Prerequisites()
    assert not granted({"kind": "deployment", "name": "chat", **SERVER, **KEYS})


def test_a_deployment_takes_its_certificate_for_granted_but_no_ids_of_the_account_stack() -> None:
    ids = {"vpcId": VPC_ID, "privateSubnetIds": PRIVATE, "publicSubnetIds": PUBLIC}
    config = {"kind": "deployment", "name": "chat", "ingress": {"certificateArn": CERTIFICATE}, "runtime": ids}
    assert granted({**config, **SERVER, **KEYS}) == Prerequisites(certificates=(CERTIFICATE,))


def test_an_account_takes_its_vpc_its_boundary_and_each_certificate_of_its_deployments_once() -> None:
    server = {**SERVER, "ingress": {"certificateArn": CERTIFICATE}}
    config = {
        "kind": "account",
        "access": {"permissionsBoundary": BOUNDARY},
        "network": {"kind": "existing", "vpcId": VPC_ID, "privateSubnetIds": PRIVATE, "publicSubnetIds": PUBLIC},
        "deployments": {"one": server, "two": server, "three": SERVER},
        "deploymentSecrets": dict.fromkeys(("one", "two", "three"), KEYS),
    }
    assert granted(config) == Prerequisites(certificates=(CERTIFICATE,), vpc=VPC, policies=(BOUNDARY,))


def test_the_boundary_counts_even_without_a_cross_account_role_since_task_roles_have_it_too() -> None:
    access = {"enabled": False, "permissionsBoundary": BOUNDARY}
    assert granted({"kind": "account", "access": access}).policies == (BOUNDARY,)


def test_a_boundary_that_the_stack_makes_itself_is_not_taken_for_granted() -> None:
    assert not granted({"kind": "account", "access": {"permissionsBoundary": "own"}})


def test_a_policy_that_aws_manages_is_in_every_account_and_needs_no_providing() -> None:
    boundary = "arn:aws:iam::aws:policy/PowerUserAccess"
    assert not granted({"kind": "account", "access": {"permissionsBoundary": boundary}})


@pytest.mark.parametrize("vpc", [VPC, None])
def test_prerequisites_are_the_same_after_a_journey_as_json(vpc: ExistingVpc | None) -> None:
    wanted = Prerequisites(certificates=(CERTIFICATE,), vpc=vpc, policies=(BOUNDARY,))
    assert Prerequisites.from_json(json.loads(json.dumps(wanted.to_json()))) == wanted


# What the embedded AWS makes of it


def provide(world: World, **wanted: Any) -> list[str]:
    return world.client.provide(world.account_id, world.region, Prerequisites(**wanted))


def test_a_provided_certificate_is_issued_under_its_arn_and_made_once(world: World) -> None:
    arn = CERTIFICATE.replace(ACCOUNT_ID, world.account_id)
    assert provide(world, certificates=(arn,)) == [f"certificate {arn}, self-signed for sandbox.example.com"]
    first = world.aws("acm").describe_certificate(CertificateArn=arn)["Certificate"]
    assert (first["CertificateArn"], first["Status"]) == (arn, "ISSUED")
    assert first["DomainName"] == "sandbox.example.com"
    assert provide(world, certificates=(arn,)) == []
    assert world.aws("acm").describe_certificate(CertificateArn=arn)["Certificate"]["Serial"] == first["Serial"]
    assert world.inventory() == []


def test_a_certificate_of_iam_is_provided_in_iam(world: World) -> None:
    arn = f"arn:aws:iam::{world.account_id}:server-certificate/company/front-door"
    assert len(provide(world, certificates=(arn,))) == 1
    found = world.aws("iam").get_server_certificate(ServerCertificateName="front-door")["ServerCertificate"]
    assert found["ServerCertificateMetadata"]["Arn"] == arn
    assert found["CertificateBody"].startswith("-----BEGIN CERTIFICATE-----")
    assert provide(world, certificates=(arn,)) == []
    assert world.inventory() == []


def test_a_provided_policy_allows_everything_under_its_arn(world: World) -> None:
    arn = f"arn:aws:iam::{world.account_id}:policy/company/Boundary"
    assert provide(world, policies=(arn,)) == [f"policy {arn}, which allows everything"]
    iam = world.aws("iam")
    policy = iam.get_policy(PolicyArn=arn)["Policy"]
    assert (policy["PolicyName"], policy["Path"]) == ("Boundary", "/company/")
    version = iam.get_policy_version(PolicyArn=arn, VersionId=policy["DefaultVersionId"])["PolicyVersion"]
    assert version["Document"]["Statement"] == [{"Effect": "Allow", "Action": "*", "Resource": "*"}]
    assert provide(world, policies=(arn,)) == []
    assert world.inventory() == []


def test_a_provided_vpc_has_both_dns_attributes_and_its_subnets_lie_in_the_zones_in_order(world: World) -> None:
    assert len(provide(world, vpc=VPC)) == 5
    ec2 = world.aws("ec2")
    for attribute in ("enableDnsSupport", "enableDnsHostnames"):
        found = ec2.describe_vpc_attribute(VpcId=VPC_ID, Attribute=attribute)
        assert found[attribute[0].upper() + attribute[1:]] == {"Value": True}
    subnets = ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [VPC_ID]}])["Subnets"]
    assert {subnet["SubnetId"]: subnet["AvailabilityZone"] for subnet in subnets} == {
        PRIVATE[0]: f"{REGION}a",
        PRIVATE[1]: f"{REGION}b",
        PUBLIC[0]: f"{REGION}a",
        PUBLIC[1]: f"{REGION}b",
    }
    assert not any(subnet["MapPublicIpOnLaunch"] for subnet in subnets)
    assert provide(world, vpc=VPC) == []
    assert world.inventory() == []


def test_only_the_public_subnets_of_a_provided_vpc_have_a_route_to_the_internet_gateway(world: World) -> None:
    provide(world, vpc=VPC)
    ec2 = world.aws("ec2")
    attached = [{"Name": "attachment.vpc-id", "Values": [VPC_ID]}]
    (gateway,) = ec2.describe_internet_gateways(Filters=attached)["InternetGateways"]
    tables = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [VPC_ID]}])["RouteTables"]
    routes = {
        association["SubnetId"]: {route["DestinationCidrBlock"]: route["GatewayId"] for route in table["Routes"]}
        for table in tables
        for association in table["Associations"]
        if "SubnetId" in association
    }
    local = {ec2.describe_vpcs(VpcIds=[VPC_ID])["Vpcs"][0]["CidrBlock"]: "local"}
    assert routes == {
        **dict.fromkeys(PRIVATE, local),
        **{subnet_id: {**local, "0.0.0.0/0": gateway["InternetGatewayId"]} for subnet_id in PUBLIC},
    }


def test_the_same_vpc_has_the_same_addresses_in_every_account(worlds: Worlds) -> None:
    blocks = []
    for world in (worlds.new(), worlds.new()):
        provide(world, vpc=VPC)
        found = world.aws("ec2").describe_subnets(Filters=[{"Name": "vpc-id", "Values": [VPC_ID]}])["Subnets"]
        blocks.append({subnet["SubnetId"]: subnet["CidrBlock"] for subnet in found})
    assert blocks[0] == blocks[1]
    assert len(set(blocks[0].values())) == 4


def test_a_subnet_that_is_named_later_joins_the_others_and_their_route_table(world: World) -> None:
    provide(world, vpc=ExistingVpc(vpc_id=VPC_ID, private_subnet_ids=PRIVATE))
    later = ExistingVpc(vpc_id=VPC_ID, private_subnet_ids=(*PRIVATE, "subnet-0a1b2c3d"))
    (made,) = provide(world, vpc=later)
    assert made.startswith("private subnet subnet-0a1b2c3d with ")
    assert made.endswith(f" in {REGION}c")
    tables = world.aws("ec2").describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [VPC_ID]}])["RouteTables"]
    assert [len(table["Associations"]) for table in tables if not table["Associations"][0]["Main"]] == [3]


def test_a_vpc_that_somebody_made_gets_no_subnets_it_lacks(world: World) -> None:
    vpc_id = world.aws("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    before = world.inventory()
    assert provide(world, vpc=ExistingVpc(vpc_id=vpc_id, private_subnet_ids=PRIVATE)) == []
    assert world.inventory() == before != []


@pytest.mark.parametrize(
    ("wanted", "region", "said"),
    [
        (Prerequisites(certificates=(CERTIFICATE,)), REGION, "not of account"),
        (Prerequisites(policies=(BOUNDARY,)), REGION, "not of account"),
        (Prerequisites(vpc=VPC), "us-west-9", "no region us-west-9"),
    ],
)
def test_what_cannot_be_in_the_account_and_region_is_refused_and_nothing_made(
    world: World, wanted: Prerequisites, region: str, said: str
) -> None:
    with pytest.raises(EmulatorError, match=said):
        world.client.provide(world.account_id, region, wanted)
    assert world.aws("acm").list_certificates()["CertificateSummaryList"] == []


def test_a_certificate_of_another_region_is_refused(world: World) -> None:
    arn = f"arn:aws:acm:eu-west-1:{world.account_id}:certificate/0d5a7c1e-3b2f-4c68-9a1d-5e7f90b2c4d6"
    with pytest.raises(EmulatorError, match="not of region us-west-2"):
        provide(world, certificates=(arn,))


def test_a_reset_takes_what_was_provided_with_it_and_the_record_of_it(tmp_path: Path) -> None:
    emulator = process.start(tmp_path)
    try:
        client: EmulatorClient = emulator.client
        wanted = Prerequisites(policies=(BOUNDARY,))
        assert len(client.provide(ACCOUNT_ID, REGION, wanted)) == 1
        assert client.inventory(ACCOUNT_ID, REGION) == []
        client.reset()
        world = World(tmp_path, ACCOUNT_ID, client)
        world.aws("iam").create_policy(PolicyName="CompanyBoundary", PolicyDocument=ALLOW_ALL)
        assert [item["id"] for item in world.inventory()] == [BOUNDARY]
    finally:
        process.stop(tmp_path)


# Stacks


def unprotect_support(world: World) -> None:
    world.up(ACCOUNT).done()
    world.configure(SUPPORT, {"database": UNPROTECTED})


def unprotect_all_in_one(world: World) -> None:
    world.region = "us-east-1"
    deployments = yaml.safe_load(world.file(ALL_IN_ONE).read_text())["config"]["byoc:deployments"]
    deployments["assistant"]["database"] = UNPROTECTED
    world.configure(ALL_IN_ONE, {"deployments": deployments})


def in_europe(world: World) -> None:
    world.region = "eu-central-1"


@pytest.mark.parametrize(
    ("stack", "prepare", "provided", "snapshots"),
    [
        (SUPPORT, unprotect_support, ["certificate"], 1),
        (ADOPTED, in_europe, ["policy", "VPC", "private", "private", "public", "public"], 0),
        (ALL_IN_ONE, unprotect_all_in_one, ["certificate"], 1),
    ],
)
def test_an_example_that_takes_things_for_granted_comes_up_stays_and_leaves_nothing_but_snapshots(
    world: World, stack: str, prepare: Callable[[World], None], provided: list[str], snapshots: int
) -> None:
    prepare(world)
    first = world.up(stack).done().result
    assert [sentence.split()[0] for sentence in first.provided] == provided
    assert first.document()["provided"] == list(first.provided)
    second = world.up(stack).done()
    assert set(second.counts) == {"unchanged"}
    assert second.result.provided == ()
    world.destroy(stack).done()
    if stack == SUPPORT:
        world.destroy(ACCOUNT).done()
    assert dict(world.kinds()) == ({"rds snapshot": snapshots} if snapshots else {})


def test_nothing_is_provided_for_configs_that_take_nothing_for_granted(world: World) -> None:
    for stack in (ACCOUNT, CHAT):
        assert world.up(stack).done().result.provided == ()
    assert world.aws("acm").list_certificates()["CertificateSummaryList"] == []
    vpcs = world.aws("ec2").describe_vpcs(Filters=[{"Name": "is-default", "Values": ["false"]}])["Vpcs"]
    assert [vpc["VpcId"] for vpc in vpcs] == [world.workspace.outputs(ACCOUNT)["vpcId"]]


def landscape(world: World) -> dict[str, Any]:
    """The provided VPC with everything in it, as AWS describes it."""
    ec2 = world.aws("ec2")
    inside = [{"Name": "vpc-id", "Values": [VPC_ID]}]
    attached = [{"Name": "attachment.vpc-id", "Values": [VPC_ID]}]
    return {
        "vpc": ec2.describe_vpcs(VpcIds=[VPC_ID])["Vpcs"],
        "subnets": ec2.describe_subnets(Filters=inside)["Subnets"],
        "tables": ec2.describe_route_tables(Filters=inside)["RouteTables"],
        "groups": ec2.describe_security_groups(Filters=inside)["SecurityGroups"],
        "acls": ec2.describe_network_acls(Filters=inside)["NetworkAcls"],
        "gateways": ec2.describe_internet_gateways(Filters=attached)["InternetGateways"],
    }


def tags(world: World) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for tag in world.aws("ec2").describe_tags()["Tags"]:
        found.setdefault(tag["ResourceId"], set()).add(tag["Key"])
    return {resource_id: keys for resource_id, keys in found.items() if resource_id in (VPC_ID, *PRIVATE, *PUBLIC)}


def test_a_provided_vpc_is_tagged_by_the_stack_and_after_its_end_as_it_was_before(world: World) -> None:
    in_europe(world)
    assert len(world.preview(ADOPTED).done().result.provided) == 6
    world.aws("ec2").create_tags(Resources=[VPC_ID, PRIVATE[0]], Tags=[{"Key": "network-owner", "Value": "network"}])
    before = landscape(world)
    assert tags(world) == {VPC_ID: {"network-owner"}, PRIVATE[0]: {"network-owner"}}
    assert world.up(ADOPTED).done().result.provided == ()
    assert tags(world) == {
        VPC_ID: {"network-owner", *ENABLED},
        PRIVATE[0]: {"network-owner", *PRIVATE_SUBNET},
        PRIVATE[1]: {*PRIVATE_SUBNET},
        PUBLIC[0]: {*PUBLIC_SUBNET},
        PUBLIC[1]: {*PUBLIC_SUBNET},
    }
    assert landscape(world) != before
    world.destroy(ADOPTED).done()
    assert landscape(world) == before
    assert world.inventory() == []


def test_people_are_told_what_was_provided_before_the_counts(world: World) -> None:
    in_europe(world)
    shown = io.StringIO()
    result = world.preview(ADOPTED).done().result
    show_result(Console(file=shown, width=1000), result, preview=True)
    lines = shown.getvalue().splitlines()
    assert lines[0] == "sandbox: provided what the config takes for granted:"
    assert lines[1:7] == [f"  {sentence}" for sentence in result.provided]
    shown.truncate(shown.seek(0))
    show_result(Console(file=shown, width=1000), world.preview(ADOPTED).done().result, preview=True)
    assert "provided" not in shown.getvalue()
