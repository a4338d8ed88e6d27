"""A network of one's own: what is made, in which order, and what a change leaves as it is."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest

from byoc.components.created_network import service_name
from byoc.components.network import CreateNetwork, Nat, Network, NetworkArgs
from byoc.errors import ByocError
from byoc.naming import Names
from byoc.types import AwsAccount
from tests.components.harness import Recording
from tests.components.programs import (
    ACCOUNT,
    AVAILABILITY_ZONES,
    ZONES,
    annotated,
    dependencies_by_name,
    inputs_by_name,
    outputs_of,
    under_providers,
)

VPC, SUBNET = "aws:ec2/vpc:Vpc", "aws:ec2/subnet:Subnet"
GATEWAY, ROUTE, TABLE = (
    "aws:ec2/internetGateway:InternetGateway",
    "aws:ec2/route:Route",
    "aws:ec2/routeTable:RouteTable",
)
ASSOCIATION = "aws:ec2/routeTableAssociation:RouteTableAssociation"
NAT, EIP, ENDPOINT = "aws:ec2/natGateway:NatGateway", "aws:ec2/eip:Eip", "aws:ec2/vpcEndpoint:VpcEndpoint"
GROUP = "aws:ec2/securityGroup:SecurityGroup"
INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"


def build(network: CreateNetwork, prefix: str = "langgraph-cloud") -> Recording:
    args = NetworkArgs(account=ACCOUNT, names=Names(prefix), network=network)
    return under_providers(lambda opts: Network("net", args, opts))


def test_the_default_network_is_that_of_the_documented_setup() -> None:
    recording = build(CreateNetwork())
    assert recording.only(VPC).plain == {
        "cidrBlock": "10.0.0.0/16",
        "enableDnsSupport": True,
        "enableDnsHostnames": True,
        "tags": {"Name": "langgraph-cloud", "langgraph-cloud-enabled": "1"},
    }
    subnets = inputs_by_name(recording, SUBNET)
    assert subnets["net-private-us-west-2a"] == {
        "vpcId": "net-vpc-id",
        "availabilityZone": "us-west-2a",
        "cidrBlock": "10.0.1.0/24",
        "mapPublicIpOnLaunch": False,
        "tags": {
            "Name": "langgraph-cloud-private-us-west-2a",
            "langgraph-cloud-enabled": "1",
            "langgraph-cloud-private": "1",
        },
    }
    assert subnets["net-public-us-west-2c"] == {
        "vpcId": "net-vpc-id",
        "availabilityZone": "us-west-2c",
        "cidrBlock": "10.0.6.0/24",
        "mapPublicIpOnLaunch": False,
        "tags": {
            "Name": "langgraph-cloud-public-us-west-2c",
            "langgraph-cloud-enabled": "1",
            "langgraph-cloud-private": "0",
        },
    }
    assert {name: subnet["cidrBlock"] for name, subnet in subnets.items()} == {
        "net-private-us-west-2a": "10.0.1.0/24",
        "net-private-us-west-2b": "10.0.2.0/24",
        "net-private-us-west-2c": "10.0.3.0/24",
        "net-public-us-west-2a": "10.0.4.0/24",
        "net-public-us-west-2b": "10.0.5.0/24",
        "net-public-us-west-2c": "10.0.6.0/24",
    }
    assert [r.name for r in recording.of_type(NAT)] == ["net-nat-us-west-2a"]
    assert len(recording.of_type(GATEWAY)) == 1


def test_zones_are_asked_for_by_kind_and_taken_in_order_of_name() -> None:
    recording = build(CreateNetwork(zones=2))
    (call,) = recording.calls
    assert (call.token, call.args) == (
        AVAILABILITY_ZONES,
        {"filters": [{"name": "zone-type", "values": ["availability-zone"]}]},
    )
    assert {r.plain["availabilityZone"] for r in recording.of_type(SUBNET)} == {"us-west-2a", "us-west-2b"}


def test_named_zones_are_used_without_asking() -> None:
    recording = build(CreateNetwork(zones=("us-west-2d", "us-west-2b")))
    assert recording.calls == []
    assert {r.plain["availabilityZone"] for r in recording.of_type(SUBNET)} == {"us-west-2d", "us-west-2b"}


def test_more_zones_than_the_region_has_is_an_error_before_anything_is_made() -> None:
    with pytest.raises(ByocError, match=r"byoc:network\.zones[\s\S]*at most 4 in us-west-2: us-west-2a, us-west-2b"):
        build(CreateNetwork(zones=5))


def test_everything_of_a_zone_is_named_by_it_so_that_a_zone_more_changes_nothing_else() -> None:
    three, four = build(CreateNetwork(zones=3, nat=Nat.PER_ZONE)), build(CreateNetwork(zones=4, nat=Nat.PER_ZONE))
    before = {r.urn: r.plain for r in three.custom if r.type != ENDPOINT}
    later = {r.urn: r.plain for r in four.custom if r.type != ENDPOINT}
    assert {urn: later[urn] for urn in before} == before
    assert all(ZONES[3] in urn for urn in later.keys() - before.keys())


@pytest.mark.parametrize(
    ("nat", "gateways", "private_tables"),
    [
        (Nat.NONE, [], {"net-private-routes"}),
        (Nat.SINGLE, ["net-nat-us-west-2a"], {"net-private-routes"}),
        (
            Nat.PER_ZONE,
            ["net-nat-us-west-2a", "net-nat-us-west-2b"],
            {"net-private-us-west-2a-routes", "net-private-us-west-2b-routes"},
        ),
    ],
)
def test_private_subnets_go_out_through_as_many_nat_gateways_as_asked_for(
    nat: Nat, gateways: list[str], private_tables: set[str]
) -> None:
    recording = build(CreateNetwork(zones=2, nat=nat))
    assert [r.name for r in recording.of_type(NAT)] == gateways == [r.name for r in recording.of_type(EIP)]
    assert {r.name for r in recording.of_type(TABLE)} == {"net-public-routes", *private_tables}
    ways_out = {r.plain["routeTableId"]: r.plain for r in recording.of_type(ROUTE)}
    assert ways_out.pop("net-public-routes-id") == {
        "routeTableId": "net-public-routes-id",
        "destinationCidrBlock": "0.0.0.0/0",
        "gatewayId": "net-internet-gateway-id",
    }
    assert sorted(route["natGatewayId"] for route in ways_out.values()) == [f"{name}-id" for name in gateways]
    if gateways:
        assert ways_out.keys() == {f"{name}-id" for name in private_tables}


def test_each_zone_uses_the_nat_gateway_in_its_own_public_subnet() -> None:
    recording = build(CreateNetwork(zones=2, nat=Nat.PER_ZONE))
    for zone in ("us-west-2a", "us-west-2b"):
        assert recording.only(NAT, f"net-nat-{zone}").plain == {
            "subnetId": f"net-public-{zone}-id",
            "allocationId": f"net-nat-{zone}-id",
            "tags": {"Name": f"langgraph-cloud-nat-{zone}"},
        }
        assert recording.only(ROUTE, f"net-private-{zone}-internet").plain["natGatewayId"] == f"net-nat-{zone}-id"
        assert recording.only(ASSOCIATION, f"net-private-{zone}-association").plain == {
            "subnetId": f"net-private-{zone}-id",
            "routeTableId": f"net-private-{zone}-routes-id",
        }


def test_addresses_and_nat_gateways_come_after_the_internet_gateway_and_go_before_it() -> None:
    recording = build(CreateNetwork())
    for registration in (*recording.of_type(NAT), *recording.of_type(EIP)):
        assert "InternetGateway net-internet-gateway" in dependencies_by_name(recording, registration)


def test_image_layers_come_through_a_gateway_endpoint_in_every_private_table() -> None:
    recording = build(CreateNetwork(zones=2, nat=Nat.PER_ZONE))
    assert recording.only(ENDPOINT).plain == {
        "vpcId": "net-vpc-id",
        "vpcEndpointType": "Gateway",
        "serviceName": "com.amazonaws.us-west-2.s3",
        "routeTableIds": ["net-private-us-west-2a-routes-id", "net-private-us-west-2b-routes-id"],
        "tags": {"Name": "langgraph-cloud-endpoint-s3"},
    }
    assert build(CreateNetwork(s3_endpoint=False)).of_type(ENDPOINT) == []


def test_without_nat_services_are_reached_through_endpoints_that_only_the_vpc_can_use() -> None:
    recording = build(CreateNetwork(cidr="10.7.0.0/16", zones=2, nat=Nat.NONE, interface_endpoints=("ecr.api", "logs")))
    assert recording.only(ENDPOINT, "net-endpoint-ecr.api").plain == {
        "vpcId": "net-vpc-id",
        "vpcEndpointType": "Interface",
        "serviceName": "com.amazonaws.us-west-2.ecr.api",
        "subnetIds": ["net-private-us-west-2a-id", "net-private-us-west-2b-id"],
        "securityGroupIds": ["net-endpoints-sg-id"],
        "privateDnsEnabled": True,
        "tags": {"Name": "langgraph-cloud-endpoint-ecr.api"},
    }
    assert recording.only(GROUP).plain == {
        "description": "Security group for LangGraph Cloud VPC endpoints",
        "vpcId": "net-vpc-id",
        "tags": {"Name": "langgraph-cloud-endpoints-sg"},
    }
    assert recording.only(INGRESS).plain == {
        "securityGroupId": "net-endpoints-sg-id",
        "description": "HTTPS from the VPC",
        "ipProtocol": "tcp",
        "fromPort": 443,
        "toPort": 443,
        "cidrIpv4": "10.7.0.0/16",
    }
    assert recording.of_type("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule") == []


@pytest.mark.parametrize(
    ("region", "service", "name"),
    [
        ("eu-west-1", "ecr.dkr", "com.amazonaws.eu-west-1.ecr.dkr"),
        ("cn-north-1", "cn.com.amazonaws.cn-north-1.ecr.api", "cn.com.amazonaws.cn-north-1.ecr.api"),
        ("eu-west-1", "com.amazonaws.vpce.eu-west-1.vpce-svc-1", "com.amazonaws.vpce.eu-west-1.vpce-svc-1"),
    ],
)
def test_an_endpoint_service_is_given_by_its_short_name_or_whole(region: str, service: str, name: str) -> None:
    assert service_name(AwsAccount(account_id="123456789012", region=region), service) == name


def waits(which: str, network: CreateNetwork) -> set[str]:
    """What a resource made with an output of the network waits for."""
    used: list[pulumi.Resource] = []

    class Probe(pulumi.CustomResource):
        def __init__(self, value: pulumi.Input[Any], opts: pulumi.ResourceOptions) -> None:
            super().__init__("aws:probe:Probe", "probe", {"value": value}, opts)

    def program(opts: pulumi.ResourceOptions) -> None:
        net = Network("net", NetworkArgs(account=ACCOUNT, names=Names(), network=network), opts)
        used.append(Probe(getattr(net, which), pulumi.ResourceOptions(parent=net)))

    recording = under_providers(program)
    return dependencies_by_name(recording, recording.only("aws:probe:Probe"))


def test_a_task_in_private_subnets_waits_for_its_way_out_and_a_database_does_not() -> None:
    network = CreateNetwork(zones=2, interface_endpoints=("logs",))
    subnets = {"Subnet net-private-us-west-2a", "Subnet net-private-us-west-2b"}
    assert waits("database_subnet_ids", network) == subnets
    assert waits("private_subnet_ids", network) == subnets | {
        "RouteTableAssociation net-private-us-west-2a-association",
        "RouteTableAssociation net-private-us-west-2b-association",
        "Route net-private-internet",
        "VpcEndpoint net-endpoint-s3",
        "VpcEndpoint net-endpoint-logs",
        "SecurityGroupIngressRule net-endpoints-https",
    }


def test_a_load_balancer_in_public_subnets_waits_for_the_route_to_the_internet() -> None:
    assert waits("public_subnet_ids", CreateNetwork(zones=2)) == {
        "Subnet net-public-us-west-2a",
        "Subnet net-public-us-west-2b",
        "RouteTableAssociation net-public-us-west-2a-association",
        "RouteTableAssociation net-public-us-west-2b-association",
        "Route net-public-internet",
    }


def test_the_outputs_of_a_created_network_are_its_parts() -> None:
    outputs = outputs_of(build(CreateNetwork(zones=2)), "byoc:index:Network")
    assert set(outputs) == annotated(Network)
    assert outputs == {
        "vpc_id": "net-vpc-id",
        "vpc_cidr": "10.0.0.0/16",
        "private_subnet_ids": ["net-private-us-west-2a-id", "net-private-us-west-2b-id"],
        "database_subnet_ids": ["net-private-us-west-2a-id", "net-private-us-west-2b-id"],
        "public_subnet_ids": ["net-public-us-west-2a-id", "net-public-us-west-2b-id"],
    }


def test_another_prefix_shows_in_every_name_tag() -> None:
    recording = build(CreateNetwork(interface_endpoints=("logs",)), prefix="team-b")
    tagged = [r.plain["tags"] for r in recording.custom if "tags" in r.plain]
    assert len(tagged) == 15
    assert all(tags["Name"].startswith("team-b") for tags in tagged)
