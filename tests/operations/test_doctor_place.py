"""A network read from AWS's answers, with those that the embedded AWS does not give."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import pytest

from byoc.access.required import Planned
from byoc.operations.answers import AbsentError, DeniedError
from byoc.operations.doctor.asking import NoAnswer
from byoc.operations.doctor.doctor import subject_of
from byoc.operations.doctor.place import Door, Network, Place, Route
from byoc.operations.doctor.place_reading import read_place
from byoc.operations.doctor.subject import SERVICE
from byoc.operations.targets import Accounts, Stack
from byoc.program_recording import Registered
from byoc.project.stack_file import read_stack_file
from byoc.stack_config import load_stack_config
from tests.golden.examples import PASSPHRASE, ROOT
from tests.operations.fake_account import FakeAccount

VPC = "vpc-0a1b2c3d4e5f60718"
PRIVATE_1, PRIVATE_2, PUBLIC_1, PUBLIC_2 = (f"subnet-0a1b2c3d4e5f6071{number}" for number in range(1, 5))
ANY_SOURCE = {"CidrIp": "0.0.0.0/0"}
TO_NAT = {"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-1", "State": "active"}
TO_GATEWAY = {"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1", "State": "active"}
ENTRY = {
    "RuleNumber": 100,
    "Egress": False,
    "RuleAction": "allow",
    "Protocol": "6",
    "CidrBlock": "10.0.0.0/16",
    "PortRange": {"From": 8000, "To": 8000},
}


def _table(*subnets: str, routes: list[Mapping[str, Any]], main: bool = False) -> dict[str, Any]:
    own: list[dict[str, Any]] = [{"SubnetId": subnet, "Main": False} for subnet in subnets]
    return {"Associations": [*own, {"Main": True}] if main else own, "Routes": routes}


def _subnet(subnet_id: str, **more: Any) -> dict[str, Any]:
    return {
        "SubnetId": subnet_id,
        "VpcId": VPC,
        "AvailabilityZone": "eu-central-1a",
        "CidrBlock": "10.0.1.0/24",
        "AvailableIpAddressCount": 250,
        **more,
    }


def _answers(**changed: Any) -> dict[str, Any]:
    """What AWS says of the VPC of the example ``adopted-vpc``; ``changed``: by operation."""
    answers: dict[str, Any] = {
        "DescribeVpcs": {"Vpcs": [{"VpcId": VPC, "CidrBlock": "10.0.0.0/16", "OwnerId": "123456789012"}]},
        "DescribeVpcAttribute": lambda asked: {
            f"{asked['Attribute'][0].upper()}{asked['Attribute'][1:]}": {"Value": True}
        },
        "DescribeSubnets": {"Subnets": [_subnet(each) for each in (PRIVATE_1, PRIVATE_2, PUBLIC_1, PUBLIC_2)]},
        "DescribeRouteTables": {
            "RouteTables": [
                _table(routes=[TO_NAT], main=True),
                _table(PUBLIC_1, PUBLIC_2, routes=[TO_GATEWAY]),
            ]
        },
        "DescribeNetworkAcls": {"NetworkAcls": [{"Associations": [], "IsDefault": True, "Entries": [ENTRY]}]},
        "DescribeVpcEndpoints": {"VpcEndpoints": []},
        "DescribeSecurityGroups": {"SecurityGroups": []},
        "DescribeNatGateways": {
            "NatGateways": [
                {"NatGatewayId": "nat-1", "State": "available", "SubnetId": PUBLIC_1, "ConnectivityType": "public"},
                {"NatGatewayId": "nat-0", "State": "deleted", "SubnetId": PUBLIC_1},
            ]
        },
    }
    return {f"ec2:{name}": answer for name, answer in {**answers, **changed}.items()}


def _read(answers: Mapping[str, Any], *registered: Registered) -> Network:
    place = _place(answers, *registered)
    assert isinstance(place, Network), place
    return place


def _place(answers: Mapping[str, Any], *registered: Registered) -> Place:
    file = read_stack_file(ROOT, "adopted-vpc", passphrase=lambda: PASSPHRASE)
    config = load_stack_config(file.config, file.secret_keys, source=file.path.name)
    planned = Planned(registered=registered, functions=frozenset())
    subject = subject_of(Stack(name="adopted-vpc", config=config), planned, Accounts(), None)
    return read_place(dataclasses.replace(subject, account=FakeAccount(answers)))


def test_a_subnet_without_a_table_of_its_own_has_the_main_one() -> None:
    network = _read(_answers())
    to_nat, to_gateway = (Route(destination="0.0.0.0/0", target=target) for target in ("nat-1", "igw-1"))
    assert [subnet.routes for subnet in network.subnets] == [(to_nat,), (to_nat,), (to_gateway,), (to_gateway,)]
    assert isinstance(network.nats, Mapping)
    assert {key: (nat.subnet_id, nat.routes) for key, nat in network.nats.items()} == {
        "nat-1": (PUBLIC_1, (to_gateway,))
    }
    assert not network.shared


@pytest.mark.parametrize("tables", [[], [_table(PUBLIC_1, PUBLIC_2, routes=[TO_GATEWAY])]])
def test_an_answer_without_a_subnets_route_table_does_not_say_that_it_has_no_route(tables: list[Any]) -> None:
    network = _read(_answers(DescribeRouteTables={"RouteTables": tables}))
    assert network.subnets[0].routes == NoAnswer(
        why=f"AWS's answer has no route table for {PRIVATE_1}", remedy="repeat it later"
    )


def test_an_answer_without_a_subnets_acl_does_not_say_that_all_is_closed() -> None:
    network = _read(_answers(DescribeNetworkAcls={"NetworkAcls": []}))
    assert network.subnets[0].rules == NoAnswer(
        why=f"AWS's answer has no network ACL for {PRIVATE_1}", remedy="repeat it later"
    )


@pytest.mark.parametrize(
    ("route", "target"),
    [
        ({"CoreNetworkArn": "arn:aws:networkmanager::1:core-network/core-network-1"}, "arn:aws:networkmanager::1:"),
        ({"LocalGatewayId": "lgw-1"}, "lgw-1"),
        ({"CarrierGatewayId": "cagw-1"}, "cagw-1"),
        ({"GatewayId": "vpce-1"}, "vpce-1"),
        ({"TransitGatewayId": "tgw-1"}, "tgw-1"),
    ],
)
def test_every_kind_of_target_has_its_name(route: Mapping[str, str], target: str) -> None:
    table = _table(routes=[{"DestinationCidrBlock": "0.0.0.0/0", **route}], main=True)
    network = _read(_answers(DescribeRouteTables={"RouteTables": [table]}))
    (found,) = network.subnets[0].default_routes
    assert found.startswith(target)


def test_a_subnet_of_ipv6_alone_is_read_and_has_no_room() -> None:
    only = [_subnet(PRIVATE_1, CidrBlock=None, Ipv6Native=True, AvailableIpAddressCount=0)]
    to_ipv6 = {"DestinationIpv6CidrBlock": "::/0", "EgressOnlyInternetGatewayId": "eigw-1"}
    tables = {"RouteTables": [_table(routes=[to_ipv6], main=True)]}
    others = [_subnet(each) for each in (PRIVATE_2, PUBLIC_1, PUBLIC_2)]
    subnet, *_ = _read(_answers(DescribeSubnets={"Subnets": [*only, *others]}, DescribeRouteTables=tables)).subnets
    assert (subnet.cidr, subnet.free, subnet.default_routes) == ("", 0, ())
    assert subnet.routes == (Route(destination="::/0", target="eigw-1"),)


def test_subnets_that_are_not_in_the_answer_are_no_subnets_too_few() -> None:
    place = _place(_answers(DescribeSubnets={"Subnets": [_subnet(PRIVATE_1), _subnet(PUBLIC_1), _subnet(PUBLIC_2)]}))
    assert place == NoAnswer(why=f"AWS's answer has no '{PRIVATE_2}'", remedy="repeat it later")


def test_a_vpc_of_another_account_is_shared_and_blocks_that_it_lost_do_not_count() -> None:
    blocks = [
        {"CidrBlock": "10.0.0.0/16", "CidrBlockState": {"State": "associated"}},
        {"CidrBlock": "100.64.0.0/16", "CidrBlockState": {"State": "disassociated"}},
        {"CidrBlock": "100.65.0.0/16", "CidrBlockState": {"State": "failed"}},
    ]
    vpc = {
        "VpcId": VPC,
        "CidrBlock": "10.0.0.0/16",
        "OwnerId": "999999999999",
        "CidrBlockAssociationSet": blocks,
    }
    network = _read(_answers(DescribeVpcs={"Vpcs": [vpc]}))
    assert (network.shared, network.cidrs) == (True, ("10.0.0.0/16",))


def _endpoint(**more: Any) -> dict[str, Any]:
    return {
        "VpcEndpointId": "vpce-1",
        "ServiceName": "com.amazonaws.eu-central-1.ecr.api",
        "State": "available",
        "VpcEndpointType": "Interface",
        "PrivateDnsEnabled": True,
        "Groups": [{"GroupId": "sg-1", "GroupName": "endpoints"}],
        **more,
    }


def _group(*permissions: Mapping[str, Any]) -> dict[str, Any]:
    return {"GroupId": "sg-1", "GroupName": "endpoints", "IpPermissions": list(permissions)}


@pytest.mark.parametrize(
    ("permission", "doors"),
    [
        ({"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [ANY_SOURCE]}, ("0.0.0.0/0",)),
        ({"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": "sg-2"}]}, ("sg-2",)),
        ({"IpProtocol": "tcp", "FromPort": 0, "ToPort": 65535, "IpRanges": [ANY_SOURCE]}, ("0.0.0.0/0",)),
        ({"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": [ANY_SOURCE]}, ()),
        ({"IpProtocol": "udp", "FromPort": 443, "ToPort": 443, "IpRanges": [ANY_SOURCE]}, ()),
    ],
)
def test_whom_the_groups_of_an_endpoint_let_in_on_https(permission: Mapping[str, Any], doors: tuple[str, ...]) -> None:
    answers = _answers(
        DescribeVpcEndpoints={"VpcEndpoints": [_endpoint()]},
        DescribeSecurityGroups={"SecurityGroups": [_group(permission)]},
    )
    endpoints = _read(answers).endpoints
    assert not isinstance(endpoints, NoAnswer)
    assert [each.https for each in endpoints] == [tuple(Door(source=source) for source in doors)]


def test_groups_that_are_not_told_of_are_not_known() -> None:
    answers = _answers(DescribeVpcEndpoints={"VpcEndpoints": [_endpoint()]})
    endpoints = _read(answers).endpoints
    assert not isinstance(endpoints, NoAnswer)
    assert isinstance(endpoints[0].https, NoAnswer)
    denied = DeniedError("ec2:DescribeSecurityGroups", "")
    answers["ec2:DescribeSecurityGroups"] = denied
    endpoints = _read(answers).endpoints
    assert not isinstance(endpoints, NoAnswer)
    assert isinstance(endpoints[0].https, NoAnswer)


def test_a_name_that_only_a_resolver_endpoint_answers_is_no_private_dns() -> None:
    only = _endpoint(DnsOptions={"PrivateDnsOnlyForInboundResolverEndpoint": True})
    answers = _answers(
        DescribeVpcEndpoints={"VpcEndpoints": [_endpoint(), only]},
        DescribeSecurityGroups={"SecurityGroups": [_group()]},
    )
    endpoints = _read(answers).endpoints
    assert not isinstance(endpoints, NoAnswer)
    assert [each.private_dns for each in endpoints] == [True, False]


def test_containers_of_more_than_ten_services_are_all_counted() -> None:
    services = [
        Registered(
            type=SERVICE,
            name=f"s{number}",
            parent="",
            provider="",
            custom=True,
            inputs={"name": f"s{number}"},
            version="",
        )
        for number in range(12)
    ]

    def described(asked: Mapping[str, Any]) -> dict[str, Any] | Exception:
        if len(asked["services"]) > 10:
            return AbsentError("Services cannot have more than 10 elements.")
        return {"services": [{"runningCount": 1} for _ in asked["services"]]}

    network = _read({**_answers(), "ecs:DescribeServices": described}, *services)
    assert network.running == 12
