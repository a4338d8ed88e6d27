"""The rules about databases, each shown to pass what is right and to name what is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from byoc.policy.databases import in_private_subnets, not_public, open_to_servers_alone
from byoc.policy.facts import UNKNOWN, Resource

INSTANCE = "aws:rds/instance:Instance"
GROUP = "aws:ec2/securityGroup:SecurityGroup"
RULE = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"


def group(name: str) -> Resource:
    return Resource(GROUP, name, {"id": f"sg-{name}", "name": f"acme-{name}"}, urn=f"urn:{name}")


def rule(target: str, **props: Any) -> Resource:
    opened = {"securityGroupId": target, "ipProtocol": "tcp", "fromPort": 5432, "toPort": 5432, **props}
    return Resource(RULE, "postgres", opened, urn="urn:postgres")


DATA, SERVERS, BALANCERS = group("data-sg"), group("service-sg"), group("lb-sg")


@pytest.mark.parametrize("type_", [INSTANCE, "aws:rds/cluster:Cluster", "aws:rds/clusterInstance:ClusterInstance"])
def test_a_database_with_a_public_address_is_named_with_the_way_out(type_: str) -> None:
    [found] = not_public(Resource(type_, "db", {"publiclyAccessible": True}), {})
    assert found.message == (
        f"db ({type_})\n"
        "  publiclyAccessible\n"
        "      got:      true\n"
        "      allowed:  false: a database is reached from inside its VPC alone\n"
        "      mend it:  leave it out or set it to false; people reach it through a bastion host or a VPN"
    )


@pytest.mark.parametrize("value", [False, None, UNKNOWN])
def test_a_database_without_a_public_address_or_not_known_yet_passes(value: object) -> None:
    assert list(not_public(Resource(INSTANCE, "db", {"publiclyAccessible": value}), {})) == []


def network(**subnet: Any) -> list[Resource]:
    return [
        Resource("aws:rds/subnetGroup:SubnetGroup", "databases", {"subnetIds": ["subnet-1"]}, urn="urn:databases"),
        Resource("aws:ec2/subnet:Subnet", "a", {"id": "subnet-1", **subnet}, urn="urn:a"),
        Resource("aws:ec2/routeTable:RouteTable", "table", {"id": "rtb-1"}, urn="urn:table"),
        Resource(
            "aws:ec2/routeTableAssociation:RouteTableAssociation",
            "a-table",
            {"subnetId": "subnet-1", "routeTableId": "rtb-1"},
            urn="urn:a-table",
        ),
    ]


def route(**props: Any) -> Resource:
    return Resource("aws:ec2/route:Route", "out", {"routeTableId": "rtb-1", **props}, urn="urn:out")


def test_a_subnet_group_of_private_subnets_passes() -> None:
    resources = network(mapPublicIpOnLaunch=False, tags={"langgraph-cloud-private": "1"})
    assert list(in_private_subnets([*resources, route(natGatewayId="nat-1")], {})) == []


@pytest.mark.parametrize(
    ("subnet", "reason"),
    [
        ({"mapPublicIpOnLaunch": True}, "mapPublicIpOnLaunch is true"),
        ({"tags": {"langgraph-cloud-private": "0"}}, "its tag langgraph-cloud-private is 0"),
    ],
)
def test_a_public_subnet_in_a_subnet_group_is_found_by_what_it_says_of_itself(
    subnet: dict[str, Any], reason: str
) -> None:
    [found] = in_private_subnets(network(**subnet), {})
    assert found.resource.name == "databases"
    assert found.problem.value == f"the subnet a, which is public: {reason}"


def test_a_subnet_with_a_route_to_an_internet_gateway_is_public() -> None:
    reason = "the subnet a, which is public: its route table table has a route to an internet gateway"
    [found] = in_private_subnets([*network(), route(gatewayId="igw-1")], {})
    assert found.problem.value == reason
    inside = network()
    inside[2] = Resource("aws:ec2/routeTable:RouteTable", "table", {"id": "rtb-1", "routes": [{"gatewayId": "igw-1"}]})
    [found] = in_private_subnets(inside, {})
    assert found.problem.value == reason


def test_a_public_subnet_is_found_in_a_preview_by_what_the_group_depends_on() -> None:
    resources = [
        Resource(
            "aws:rds/subnetGroup:SubnetGroup",
            "databases",
            {"subnetIds": [UNKNOWN]},
            urn="urn:databases",
            references={"subnetIds": ("urn:a",)},
        ),
        Resource("aws:ec2/subnet:Subnet", "a", {"id": UNKNOWN, "mapPublicIpOnLaunch": True}, urn="urn:a"),
        Resource("aws:ec2/subnet:Subnet", "b", {"id": UNKNOWN, "mapPublicIpOnLaunch": True}, urn="urn:b"),
    ]
    [found] = in_private_subnets(resources, {})
    assert found.problem.value == "the subnet a, which is public: mapPublicIpOnLaunch is true"


def test_servers_may_reach_databases_and_databases_each_other() -> None:
    resources = [DATA, SERVERS, rule("sg-data-sg", referencedSecurityGroupId="sg-service-sg")]
    assert list(open_to_servers_alone(resources, {})) == []
    assert list(open_to_servers_alone([DATA, rule("sg-data-sg", referencedSecurityGroupId="sg-data-sg")], {})) == []


def test_another_group_may_not_reach_databases() -> None:
    resources = [DATA, SERVERS, BALANCERS, rule("sg-data-sg", referencedSecurityGroupId="sg-lb-sg")]
    [found] = open_to_servers_alone(resources, {})
    assert found.resource.name == "postgres"
    assert found.problem.key == "referencedSecurityGroupId"
    assert found.problem.value == "lb-sg may reach the databases in data-sg"
    assert found.problem.allowed == (
        "the group of the install's servers (its name ends in -service-sg), or data-sg itself"
    )


@pytest.mark.parametrize(
    ("key", "source"),
    [("cidrIpv4", "10.0.0.0/16"), ("cidrIpv6", "fd00::/8"), ("prefixListId", "pl-1")],
)
def test_addresses_may_not_reach_databases(key: str, source: str) -> None:
    [found] = open_to_servers_alone([DATA, rule("sg-data-sg", **{key: source})], {})
    assert (found.problem.key, found.problem.value) == (key, f"{source} may reach the databases in data-sg")


def test_addresses_may_not_reach_databases_by_the_older_forms_of_rules() -> None:
    older = Resource(
        "aws:ec2/securityGroupRule:SecurityGroupRule",
        "older",
        {"type": "ingress", "securityGroupId": "sg-data-sg", "cidrBlocks": ["10.0.0.0/16"]},
    )
    inside = Resource(
        GROUP, "inside", {"name": "acme-data-sg", "ingress": [{"cidrBlocks": ["10.0.0.0/16"], "protocol": "tcp"}]}
    )
    [found] = open_to_servers_alone([DATA, older], {})
    assert (found.resource.name, found.problem.key) == ("older", "cidrBlocks")
    [found] = open_to_servers_alone([inside], {})
    assert (found.resource.name, found.problem.key) == ("inside", "ingress[0].cidrBlocks")


def test_a_group_that_a_database_wears_counts_whatever_its_name() -> None:
    worn = Resource(GROUP, "mine", {"id": "sg-1", "name": "mine"}, urn="urn:mine")
    database = Resource(INSTANCE, "db", {"vpcSecurityGroupIds": ["sg-1"]}, urn="urn:db")
    [found] = open_to_servers_alone([worn, database, rule("sg-1", cidrIpv4="10.0.0.0/16")], {})
    assert found.problem.value == "10.0.0.0/16 may reach the databases in mine"
    assert list(open_to_servers_alone([worn, rule("sg-1", cidrIpv4="10.0.0.0/16")], {})) == []


def test_a_preview_tells_groups_apart_by_what_each_property_is_taken_from() -> None:
    groups = [
        Resource(GROUP, name, {"id": UNKNOWN, "name": f"acme-{name}"}, urn=f"urn:{name}")
        for name in ("data-sg", "service-sg", "lb-sg")
    ]

    def planned(source: str) -> Resource:
        props = {"securityGroupId": UNKNOWN, "referencedSecurityGroupId": UNKNOWN}
        taken_from = {"securityGroupId": ("urn:data-sg",), "referencedSecurityGroupId": (source,)}
        return Resource(RULE, "postgres", props, urn="urn:postgres", references=taken_from)

    assert list(open_to_servers_alone([*groups, planned("urn:service-sg")], {})) == []
    [found] = open_to_servers_alone([*groups, planned("urn:lb-sg")], {})
    assert found.problem.value == "lb-sg may reach the databases in data-sg"
