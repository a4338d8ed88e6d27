"""Ways out that only look like some, and what an ACL must let through: facts to answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from byoc.operations.doctor.asking import NoAnswer
from byoc.operations.doctor.checks import Area, Verdict, failed
from byoc.operations.doctor.place import AclRule, Door, NatGateway, Network, Passes, Route
from tests.operations.test_doctor_network import (
    ENDPOINTS,
    IGW,
    LOCAL,
    NAT,
    NAT_GATEWAY,
    NETWORK,
    OPEN,
    PRIVATE,
    PUBLIC,
    TO_S3,
    checks_of,
    routed,
)


def _way_out(network: Network) -> tuple[str, str]:
    check = checks_of(network)["way out of private subnets"]
    return check.verdict.value, check.evidence


@pytest.mark.parametrize(
    ("gateway", "verdict", "evidence"),
    [
        (
            replace(NAT_GATEWAY, subnet_id="subnet-9", routes=(LOCAL,)),
            "fail",
            "nat-1 is in subnet-9, which has no route to an internet gateway",
        ),
        (
            replace(NAT_GATEWAY, subnet_id="subnet-9", routes=(LOCAL, Route(destination="0.0.0.0/0", target="vpce-1"))),
            "unknown",
            "nat-1 is in subnet-9, which sends on to vpce-1: what is beyond it is not seen",
        ),
        (
            replace(NAT_GATEWAY, private=True),
            "unknown",
            "nat-1 is a private NAT gateway: what is beyond it cannot be seen from here",
        ),
        (replace(NAT_GATEWAY, subnet_id="", routes=()), "pass", "2 by NAT gateway nat-1"),
        (
            replace(NAT_GATEWAY, routes=NoAnswer(why="ec2:DescribeRouteTables: denied")),
            "unknown",
            "NAT gateway nat-1, whose own routes are not known: ec2:DescribeRouteTables: denied",
        ),
    ],
)
def test_a_nat_gateway_is_a_way_out_if_it_has_one_itself(gateway: NatGateway, verdict: str, evidence: str) -> None:
    answer, told = _way_out(replace(NETWORK, nats={"nat-1": gateway}))
    assert answer == verdict
    assert evidence in told


def test_what_another_account_shares_and_aws_does_not_show_is_unknown() -> None:
    shared = replace(NETWORK, shared=True, nats={})
    assert _way_out(shared)[0] == "unknown"
    assert "NAT gateway nat-1 of the account that shares vpc-1, which AWS does not show" in _way_out(shared)[1]
    assert _way_out(replace(shared, subnets=routed()))[0] == "unknown"
    assert checks_of(shared)["VPC"].evidence == "vpc-1, 10.0.0.0/16, shared by another account"


@pytest.mark.parametrize(
    ("routes", "verdict"),
    [
        ((Route(destination="pl-2", target="vpce-dynamodb"),), "fail"),
        ((Route(destination="10.9.0.0/16", target="vpce-firewall"),), "fail"),
        ((replace(TO_S3, blackhole=True),), "fail"),
        ((TO_S3,), "pass"),
    ],
)
def test_the_gateway_endpoint_of_s3_works_through_a_route_to_itself_alone(
    routes: Sequence[Route], verdict: str
) -> None:
    answer, told = _way_out(replace(NETWORK, subnets=routed(*routes), endpoints=ENDPOINTS))
    assert answer == verdict
    assert verdict == "pass" or "no usable endpoint for s3" in told


@pytest.mark.parametrize(
    ("doors", "groups", "verdict", "evidence"),
    [
        ((), frozenset(), "fail", "no security group of the endpoint lets it in on tcp 443: ecr.api"),
        ((Door(source="192.168.0.0/16"),), frozenset(), "fail", "lets it in on tcp 443: ecr.api"),
        ((Door(source="sg-other"),), frozenset({"sg-1"}), "fail", "lets it in on tcp 443: ecr.api"),
        ((Door(source="sg-1"),), frozenset({"sg-1"}), "pass", "2 by endpoints"),
        ((Door(source="10.0.1.0/24"),), frozenset(), "fail", "subnet-2: endpoints; no security group of the endpoint"),
        ((Door(source="10.0.1.0/28"), Door(source="10.0.2.0/28")), frozenset(), "unknown", "ecr.api (in part)"),
        ((Door(source="pl-7", prefix_list=True),), frozenset(), "unknown", "ecr.api (in part)"),
        (NoAnswer(why="ec2:DescribeSecurityGroups: denied"), frozenset(), "unknown", "ec2:DescribeSecurityGroups"),
    ],
)
def test_an_endpoint_must_let_the_containers_in(
    doors: tuple[Door, ...] | NoAnswer, groups: frozenset[str], verdict: str, evidence: str
) -> None:
    endpoints = (replace(ENDPOINTS[0], https=doors), *ENDPOINTS[1:])
    answer, told = _way_out(replace(NETWORK, subnets=routed(TO_S3), endpoints=endpoints, service_groups=groups))
    assert answer == verdict
    assert evidence in told


def test_endpoints_of_another_network_are_not_seen_from_here() -> None:
    inside = Route(destination="10.0.0.0/8", target="tgw-1")
    answer, told = _way_out(replace(NETWORK, subnets=routed(inside)))
    assert answer == "unknown"
    assert told.endswith("secretsmanager, s3; whether tgw-1 leads to them cannot be seen from here")


def test_a_default_route_in_two_halves_is_one() -> None:
    halves = (replace(NAT, destination="0.0.0.0/1"), replace(NAT, destination="128.0.0.0/1"))
    assert _way_out(replace(NETWORK, subnets=routed(*halves))) == ("pass", "2 by NAT gateway nat-1")
    assert _way_out(replace(NETWORK, subnets=routed(halves[0])))[0] != "pass"


@pytest.mark.parametrize("destination", ["0.0.0.0/1", "::/0", "52.0.0.0/8"])
def test_any_route_to_an_internet_gateway_makes_a_subnet_public(destination: str) -> None:
    check = checks_of(replace(NETWORK, subnets=routed(NAT, replace(IGW, destination=destination))))["private subnets"]
    assert (check.verdict, check.evidence) == (
        Verdict.FAIL,
        f"subnet-1, subnet-2: {destination} goes to an internet gateway",
    )


def test_a_public_subnet_behind_a_firewall_is_not_called_closed() -> None:
    behind = replace(PUBLIC[0], routes=(LOCAL, Route(destination="0.0.0.0/0", target="vpce-firewall")))
    check = checks_of(replace(NETWORK, subnets=(*PRIVATE, behind, PUBLIC[1])))["public subnets"]
    assert (check.verdict, check.evidence) == (
        Verdict.UNKNOWN,
        "subnet-3: 0.0.0.0/0 goes to vpce-firewall, a firewall's endpoint: what is beyond it cannot be seen from here",
    )


# Endpoints beside a NAT gateway: they take a service's name or route for themselves

BOTH = replace(NETWORK, subnets=routed(NAT, TO_S3), endpoints=ENDPOINTS)
S3_ALONE = replace(NETWORK, subnets=routed(NAT, TO_S3), endpoints=ENDPOINTS[-1:])
FORBIDS = Passes(denied=("s3:GetObject",))


def _with(network: Network, number: int, **changes: Any) -> Network:
    assert not isinstance(network.endpoints, NoAnswer)
    changed = [replace(each, **changes) if at == number else each for at, each in enumerate(network.endpoints)]
    return replace(network, endpoints=tuple(changed))


@pytest.mark.parametrize(
    ("network", "verdict", "evidence"),
    [
        (BOTH, "pass", "2 by NAT gateway nat-1"),
        (
            _with(BOTH, 0, https=()),
            "fail",
            "subnet-1, subnet-2: NAT gateway nat-1; no security group of the endpoint lets it in on tcp 443: ecr.api",
        ),
        (_with(BOTH, 0, https=(), private_dns=False), "pass", "2 by NAT gateway nat-1"),  # its name leads elsewhere
        (_with(BOTH, 0, https=(), state="pending"), "pass", "2 by NAT gateway nat-1"),
        (_with(BOTH, 0, https=(), service="sns"), "pass", "2 by NAT gateway nat-1"),
        (
            _with(BOTH, 0, https=NoAnswer(why="denied")),
            "unknown",
            "whether security groups of endpoints let it in is not known: ecr.api (denied)",
        ),
        (
            _with(S3_ALONE, 0, policy=FORBIDS),
            "fail",
            "NAT gateway nat-1; the policy of the endpoint does not allow what containers need: s3 (s3:GetObject)",
        ),
        (replace(_with(S3_ALONE, 0, policy=FORBIDS), subnets=routed(NAT)), "pass", "2 by NAT gateway nat-1"),
        (
            _with(S3_ALONE, 0, policy=Passes(unclear=("s3:GetObject",))),
            "unknown",
            "whether the policy of the endpoint allows it hangs on its conditions: s3 (s3:GetObject)",
        ),
        (
            replace(NETWORK, endpoints=NoAnswer(why="denied")),
            "unknown",
            "endpoints are in the way is not known: denied",
        ),
        (
            replace(
                _with(S3_ALONE, 0, policy=FORBIDS),
                subnets=routed(TO_S3, Route(destination="0.0.0.0/0", target="tgw-1")),
            ),
            "fail",
            "goes to tgw-1: what is beyond it cannot be seen from here; the policy of the endpoint does not allow",
        ),
        (
            _with(replace(BOTH, subnets=routed(TO_S3)), 3, policy=Passes(denied=("secretsmanager:GetSecretValue",))),
            "fail",
            "endpoints; the policy of the endpoint does not allow what containers need: secretsmanager",
        ),
    ],
)
def test_what_an_endpoint_does_not_let_through_goes_no_other_way(network: Network, verdict: str, evidence: str) -> None:
    answer, told = _way_out(network)
    assert answer == verdict
    assert evidence in told


def test_subnets_of_another_vpc_fail_and_are_not_judged_by_its_tables() -> None:
    checks = checks_of(replace(NETWORK, subnets=(replace(PRIVATE[0], vpc_id="vpc-2"), *NETWORK.subnets[1:])))
    assert list(checks.values()) == [
        failed(
            Area.NETWORK,
            "VPC",
            "not in vpc-1: subnet-1",
            "give subnets of one VPC: vpcId, privateSubnetIds and publicSubnetIds",
        )
    ]


# Flows that an ACL has to let through


def _acl(*rules: tuple[bool, str, tuple[int, int]]) -> tuple[AclRule, ...]:
    return tuple(
        AclRule(number=100 + index, outbound=outbound, allow=True, protocol="6", cidr=cidr, ports=ports)
        for index, (outbound, cidr, ports) in enumerate(rules)
    )


NARROW = _acl(
    (False, "10.0.0.0/16", (8000, 8000)),
    (True, "10.0.0.0/16", (5432, 5432)),
    (True, "10.0.0.0/16", (6379, 6379)),
    (True, "0.0.0.0/0", (443, 443)),
    (False, "0.0.0.0/0", (1024, 65535)),
)


def test_an_acl_has_to_let_answers_pass_and_the_database_be_reached() -> None:
    network = replace(NETWORK, subnets=(replace(PRIVATE[0], rules=NARROW), PRIVATE[1]))
    check = checks_of(network)["network ACLs"]
    assert check.verdict is Verdict.UNKNOWN  # two ports of those that answers may go to
    assert check.evidence == (
        "open in part: subnet-1: answers of containers, database and cache (tcp 1024-65535 to 10.0.0.0/16)"
    )
    one_way = replace(network, subnets=(replace(PRIVATE[0], rules=NARROW[:4]), PRIVATE[1]))
    closed = checks_of(one_way)["network ACLs"]
    assert closed.verdict is Verdict.FAIL
    assert "subnet-1: containers to the database (tcp 5432 from 10.0.0.0/16)" in closed.evidence


def test_a_block_of_the_vpc_that_no_subnet_of_the_stack_is_in_need_not_be_open() -> None:
    blocked = (replace(OPEN[0], number=1, allow=False, cidr="100.64.0.0/16"),)
    network = replace(NETWORK, cidrs=("10.0.0.0/16", "100.64.0.0/16"), nats={})
    subnets = tuple(replace(subnet, rules=(*blocked, *OPEN), routes=(LOCAL,)) for subnet in PRIVATE)
    assert checks_of(replace(network, subnets=subnets))["network ACLs"].verdict is Verdict.PASS


def test_s3_and_endpoints_have_to_get_through_where_there_is_no_other_way() -> None:
    inside = _acl(*((way, "10.0.0.0/16", (0, 65535)) for way in (True, False)))
    network = replace(NETWORK, endpoints=ENDPOINTS, subnets=tuple(replace(s, rules=inside) for s in routed(TO_S3)[:2]))
    check = checks_of(network)["network ACLs"]
    assert check.verdict is Verdict.UNKNOWN
    assert "subnet-1: HTTPS to S3 (tcp 443 to 0.0.0.0/0)" in check.evidence
    assert "endpoints" not in check.evidence
