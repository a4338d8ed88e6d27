"""Networks: facts to answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from byoc.operations.doctor.acls import Flow, Passage, passage
from byoc.operations.doctor.asking import Absent, NoAnswer
from byoc.operations.doctor.checks import Area, Check, Verdict, failed, passed, unknown
from byoc.operations.doctor.egress import judge_egress
from byoc.operations.doctor.network import Demand, judge_place, judge_zones
from byoc.operations.doctor.place import AclRule, Door, Endpoint, NatGateway, Network, Route, Several, Subnet

OPEN = tuple(AclRule(number=100, outbound=way, allow=True, protocol="-1", cidr="0.0.0.0/0") for way in (True, False))
NAT, IGW = Route(destination="0.0.0.0/0", target="nat-1"), Route(destination="0.0.0.0/0", target="igw-1")
LOCAL = Route(destination="10.0.0.0/16", target="local")
TO_S3 = Route(destination="pl-1", target="vpce-s3")
TAGS = {"langgraph-cloud-enabled": "1"}
NAT_GATEWAY = NatGateway(state="available", private=False, subnet_id="subnet-3", routes=(LOCAL, IGW))


def _subnet(number: int, *routes: Route, public: bool = False, free: int = 250) -> Subnet:
    return Subnet(
        subnet_id=f"subnet-{number}",
        vpc_id="vpc-1",
        zone=f"us-west-2{'ab'[number % 2]}",
        cidr=f"10.0.{number}.0/24",
        free=free,
        public=public,
        tags={**TAGS, "langgraph-cloud-private": "0" if public else "1"},
        routes=(LOCAL, *routes),
        rules=OPEN,
    )


NETWORK = Network(
    vpc_id="vpc-1",
    cidrs=("10.0.0.0/16",),
    tags=TAGS,
    dns={"enableDnsSupport": True, "enableDnsHostnames": True},
    subnets=(_subnet(1, NAT), _subnet(2, NAT), _subnet(3, IGW, public=True), _subnet(4, IGW, public=True)),
    endpoints=(),
    nats={"nat-1": NAT_GATEWAY},
)
DEMAND = Demand(
    is_deployment=True,
    created=False,
    tagging=False,
    internet_facing=False,
    containers=4,
    databases=1,
)
PRIVATE, PUBLIC = NETWORK.subnets[:2], NETWORK.subnets[2:]
ENDPOINTS = (
    *(
        Endpoint(
            endpoint_id=f"vpce-{name}",
            service=name,
            state="available",
            gateway=False,
            private_dns=True,
            https=(Door(source="10.0.0.0/16"),),
        )
        for name in ("ecr.api", "ecr.dkr", "logs", "secretsmanager")
    ),
    Endpoint(endpoint_id="vpce-s3", service="s3", state="available", gateway=True, private_dns=False),
)


def checks_of(network: Network, wanted: Demand = DEMAND) -> dict[str, Check]:
    return {check.name: check for check in judge_place(network, wanted, "langgraph-cloud")}


def routed(*routes: Route) -> tuple[Subnet, ...]:
    return (*(replace(subnet, routes=(LOCAL, *routes)) for subnet in PRIVATE), *PUBLIC)


def test_a_sound_network_passes_every_check() -> None:
    assert {name: check.verdict.value for name, check in checks_of(NETWORK).items()} == dict.fromkeys(
        (
            "VPC",
            "DNS",
            "zones of private subnets",
            "zones of public subnets",
            "free addresses",
            "private subnets",
            "public subnets",
            "way out of private subnets",
            "network ACLs",
            "documented tags",
        ),
        "pass",
    )


def test_dns_attributes_that_are_off_fail_with_the_commands_that_set_them() -> None:
    check = checks_of(replace(NETWORK, dns={"enableDnsSupport": False, "enableDnsHostnames": False}))["DNS"]
    assert check == failed(
        Area.NETWORK,
        "DNS",
        "off in vpc-1: enableDnsSupport, enableDnsHostnames; caches and endpoints are found by name",
        "aws ec2 modify-vpc-attribute --vpc-id vpc-1 --enable-dns-support && aws ec2 modify-vpc-attribute --vpc-id "
        "vpc-1 --enable-dns-hostnames",
    )


def test_subnets_of_one_zone_fail() -> None:
    one = replace(NETWORK, subnets=(PRIVATE[0], replace(PRIVATE[1], zone=PRIVATE[0].zone), *PUBLIC))
    check = checks_of(one)["zones of private subnets"]
    assert (check.verdict, check.evidence) == (Verdict.FAIL, "2 private subnets in 1 zones: us-west-2b")


def test_who_faces_the_internet_needs_public_subnets() -> None:
    check = checks_of(replace(NETWORK, subnets=PRIVATE), replace(DEMAND, internet_facing=True))[
        "zones of public subnets"
    ]
    assert (check.verdict, check.evidence) == (Verdict.FAIL, "0 public subnets in 0 zones")


@pytest.mark.parametrize(
    ("free", "running", "there", "verdict", "evidence"),
    [
        (250, 0, False, "pass", "500 free in the private subnets; containers and databases need 5 more at most"),
        (
            7,
            0,
            False,
            "fail",
            "14 free in the private subnets; containers and databases need 5 more at most; fewer than 8 are free in "
            "subnet-1 (7), subnet-2 (7)",
        ),
        (7, 2, True, "pass", "14 free in the private subnets; containers and databases need 2 more at most"),
        (0, 2, True, "fail", "0 free in the private subnets; containers and databases need 2 more at most"),
        (0, 4, True, "pass", "0 free in the private subnets; containers and databases need 0 more at most"),
    ],
)
def test_addresses_must_suffice_for_what_is_not_there_yet(
    free: int, running: int, there: bool, verdict: str, evidence: str
) -> None:
    subnets = (*(replace(subnet, free=free) for subnet in PRIVATE), *PUBLIC)
    network = replace(NETWORK, subnets=subnets, running=running, balancer_there=there)
    check = checks_of(network)["free addresses"]
    assert (check.verdict.value, check.evidence) == (verdict, evidence)


def test_a_private_subnet_with_a_route_to_an_internet_gateway_is_not_private() -> None:
    check = checks_of(replace(NETWORK, subnets=routed(IGW)))["private subnets"]
    assert check == failed(
        Area.NETWORK,
        "private subnets",
        "subnet-1, subnet-2: 0.0.0.0/0 goes to an internet gateway",
        "give them a route table whose way out is a NAT gateway, or name other subnets",
    )


def test_a_public_subnet_without_one_is_not_public() -> None:
    closed = replace(NETWORK, subnets=(*PRIVATE, replace(PUBLIC[0], routes=(LOCAL, NAT)), PUBLIC[1]))
    check = checks_of(closed)["public subnets"]
    assert (check.verdict, check.evidence) == (
        Verdict.FAIL,
        "subnet-3: 0.0.0.0/0 does not go to an internet gateway",
    )


@pytest.mark.parametrize(
    ("routes", "endpoints", "nat_state", "verdict", "evidence"),
    [
        ((NAT,), (), "available", "pass", "2 by NAT gateway nat-1"),
        ((NAT,), (), "failed", "fail", "nat-1 is failed"),
        ((NAT,), (), "", "fail", "nat-1 is gone"),
        ((IGW,), (), "available", "fail", "0.0.0.0/0 goes to igw-1, and containers have no public address"),
        (
            (Route(destination="0.0.0.0/0", target="tgw-1"),),
            (),
            "available",
            "unknown",
            "0.0.0.0/0 goes to tgw-1: what is beyond it cannot be seen from here",
        ),
        ((TO_S3,), ENDPOINTS, "available", "pass", "2 by endpoints"),
        ((), ENDPOINTS, "available", "fail", "no route to 0.0.0.0/0, and no usable endpoint for s3"),
        ((TO_S3,), ENDPOINTS[1:], "available", "fail", "no route to 0.0.0.0/0, and no usable endpoint for ecr.api"),
        (
            (TO_S3,),
            (replace(ENDPOINTS[0], private_dns=False), *ENDPOINTS[1:]),
            "available",
            "fail",
            "no usable endpoint for ecr.api",
        ),
        ((TO_S3,), (replace(ENDPOINTS[0], state="pending"), *ENDPOINTS[1:]), "available", "fail", "ecr.api"),
        (
            (replace(NAT, blackhole=True),),
            (),
            "available",
            "fail",
            "no route to 0.0.0.0/0 (its default route leads to what is gone), and no usable endpoint for ecr.api, "
            "ecr.dkr, logs, secretsmanager, s3",
        ),
    ],
)
def test_private_subnets_need_a_way_to_images_secrets_and_logs(
    routes: Sequence[Route], endpoints: Sequence[Endpoint], nat_state: str, verdict: str, evidence: str
) -> None:
    nats = {"nat-1": replace(NAT_GATEWAY, state=nat_state)} if nat_state else {}
    network = replace(NETWORK, subnets=routed(*routes), endpoints=tuple(endpoints), nats=nats)
    check = checks_of(network)["way out of private subnets"]
    assert check.verdict.value == verdict
    assert evidence in check.evidence


DENIED = NoAnswer(why="ec2:Describe…: denied", remedy="allow it")


@pytest.mark.parametrize(
    ("network", "silent"),
    [
        (replace(NETWORK, dns=DENIED), {"DNS"}),
        (
            replace(NETWORK, endpoints=DENIED),
            {"way out of private subnets"},
        ),  # one may be in the way to the NAT gateway
        (replace(NETWORK, nats=DENIED), {"way out of private subnets", "network ACLs"}),
        (
            replace(NETWORK, subnets=(replace(PRIVATE[0], rules=DENIED), *NETWORK.subnets[1:])),
            {"network ACLs"},
        ),
        (
            replace(NETWORK, subnets=tuple(replace(subnet, routes=DENIED) for subnet in NETWORK.subnets)),
            {"private subnets", "public subnets", "way out of private subnets", "network ACLs"},
        ),
        (replace(NETWORK, subnets=routed(TO_S3), endpoints=DENIED), {"way out of private subnets"}),
    ],
)
def test_what_aws_does_not_answer_is_unknown_and_the_rest_is_judged(network: Network, silent: set[str]) -> None:
    checks = checks_of(network)
    assert {name for name, check in checks.items() if check.verdict is Verdict.UNKNOWN} == silent
    assert {check.verdict for name, check in checks.items() if name not in silent} == {Verdict.PASS}
    assert all("ec2:Describe…: denied" in checks[name].evidence for name in silent)


def _rule(number: int, allow: bool, cidr: str = "0.0.0.0/0", ports: tuple[int, int] | None = None) -> AclRule:
    return AclRule(number=number, outbound=False, allow=allow, protocol="6", cidr=cidr, ports=ports)


DENY_ALL = AclRule(number=32767, outbound=False, allow=False, protocol="-1", cidr="0.0.0.0/0")


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ([_rule(100, True)], Passage.OPEN),
        ([_rule(100, True, ports=(443, 443)), DENY_ALL], Passage.OPEN),
        ([DENY_ALL], Passage.CLOSED),
        ([], Passage.CLOSED),
        ([_rule(90, False, ports=(443, 443)), _rule(100, True)], Passage.CLOSED),
        ([_rule(100, True), _rule(110, False)], Passage.OPEN),
        ([_rule(100, True, cidr="198.51.100.0/24"), DENY_ALL], Passage.IN_PART),
        ([_rule(90, False, cidr="203.0.113.0/24"), _rule(100, True)], Passage.IN_PART),
        ([_rule(90, False, cidr="203.0.113.0/24")], Passage.CLOSED),
        ([_rule(90, False, cidr="203.0.113.0/24"), DENY_ALL], Passage.CLOSED),
        ([replace(_rule(100, True), protocol="17"), DENY_ALL], Passage.CLOSED),
        ([replace(_rule(100, True), outbound=True), DENY_ALL], Passage.CLOSED),
        ([_rule(100, True, ports=(80, 442)), DENY_ALL], Passage.CLOSED),
    ],
)
def test_the_first_rule_of_a_network_acl_that_fits_decides(rules: list[AclRule], expected: Passage) -> None:
    flow = Flow(outbound=False, cidr="0.0.0.0/0", ports=(443, 443), words="HTTPS")
    assert passage(rules, flow) is expected
    assert passage(list(reversed(rules)), flow) is expected


def test_a_closed_network_acl_names_subnet_flow_and_ports() -> None:
    closed = (OPEN[0], AclRule(number=100, outbound=False, allow=True, protocol="6", cidr="10.0.0.0/16"))
    network = replace(NETWORK, subnets=(replace(PRIVATE[0], rules=closed), PRIVATE[1]), nats={})
    check = checks_of(network)["network ACLs"]
    assert check == unknown(
        Area.NETWORK,
        "network ACLs",
        "open in part: subnet-1: answers from the internet (tcp 32768-60999 from 0.0.0.0/0)",
        "see that what is open is enough",
    )
    shut = replace(network, subnets=(replace(PRIVATE[0], rules=(OPEN[1],)), PRIVATE[1]))
    check = checks_of(shut)["network ACLs"]
    assert check.verdict is Verdict.FAIL
    assert "subnet-1: containers to the database (tcp 5432 to 10.0.0.0/16)" in check.evidence


@pytest.mark.parametrize(
    ("wanted", "verdict", "end"),
    [
        (replace(DEMAND, created=True), "fail", "langgraph-cloud-private=1"),
        (replace(DEMAND, tagging=True, is_deployment=False), "pass", "; up writes them"),
        (DEMAND, "pass", "and nothing needs the tags"),
    ],
)
def test_missing_tags_matter_where_the_stack_writes_them(wanted: Demand, verdict: str, end: str) -> None:
    bare = replace(NETWORK, subnets=(replace(PRIVATE[0], tags=TAGS), *NETWORK.subnets[1:]))
    check = checks_of(bare, wanted)["documented tags"]
    assert check.verdict.value == verdict
    assert check.evidence.startswith("not there: subnet-1: langgraph-cloud-private=1")
    assert check.evidence.endswith(end)


def test_no_network_yet_is_well_for_who_makes_it_and_not_for_who_needs_it() -> None:
    created = replace(DEMAND, is_deployment=False, created=True)
    assert judge_place(Absent(), created, "p") == (passed(Area.NETWORK, "VPC", "is not there yet: up makes it"),)
    (needed,) = judge_place(Absent(), DEMAND, "p")
    assert (needed.verdict, needed.evidence) == (
        Verdict.FAIL,
        "the runtime of install p is not there: no security group p-service-sg, or no DB subnet group "
        "p-db-subnet-group",
    )
    (adopted,) = judge_place(Absent(), replace(DEMAND, is_deployment=False), "p")
    assert adopted.evidence == "AWS knows no VPC or subnet of one of the ids in byoc:network"
    (silent,) = judge_place(NoAnswer(why="ec2:DescribeVpcs: denied"), created, "p")
    assert silent == unknown(Area.NETWORK, "VPC", "ec2:DescribeVpcs: denied")
    (several,) = judge_place(Several(vpc_ids=("vpc-1", "vpc-2")), DEMAND, "p")
    assert several.evidence == "2 VPCs are of install p: vpc-1, vpc-2"


@pytest.mark.parametrize(
    ("wanted", "there", "verdict", "evidence"),
    [
        (2, ("r-1a", "r-1b"), "pass", "r-1 has 2 for this account: r-1a, r-1b"),
        (3, ("r-1a", "r-1b"), "fail", "r-1 has 2 for this account: r-1a, r-1b; 3 are wanted"),
        (("r-1a", "r-1c"), ("r-1a", "r-1b"), "fail", "r-1 has 2 for this account: r-1a, r-1b; not r-1c"),
        (2, NoAnswer(why="busy"), "unknown", "busy"),
    ],
)
def test_a_network_to_come_needs_its_zones(
    wanted: int | tuple[str, ...], there: tuple[str, ...] | NoAnswer, verdict: str, evidence: str
) -> None:
    check = judge_zones(wanted, there, "r-1")
    assert (check.verdict.value, check.evidence) == (verdict, evidence)


def test_egress_is_never_guessed() -> None:
    hosts = ("beacon.langchain.com:443", "langsmith.example.com:8443")
    licence, own = judge_egress(hosts, NETWORK)
    assert (licence.verdict, own.verdict) == (Verdict.UNKNOWN, Verdict.UNKNOWN)
    assert licence.evidence == (
        "cannot be tried from outside the subnets: a firewall, proxy or DNS rule on the way is not seen from here"
    )
    assert [check.verdict for check in judge_egress(hosts, Absent())] == [Verdict.UNKNOWN] * 2


def test_a_proxy_or_a_route_of_ipv6_may_lead_to_the_licence_check() -> None:
    inside = replace(NETWORK, subnets=routed(TO_S3))
    for proxies in (("HTTPS_PROXY",), ("ALL_PROXY", "SSL_CERT_FILE")):
        (licence,) = judge_egress(("beacon.langchain.com:443",), inside, proxies)
        assert licence.verdict is Verdict.UNKNOWN
    (licence,) = judge_egress(("beacon.langchain.com:443",), inside, ("SSL_CERT_FILE",))
    assert licence.verdict is Verdict.FAIL
    over_ipv6 = replace(NETWORK, subnets=routed(Route(destination="::/0", target="eigw-1")))
    assert judge_egress(("beacon.langchain.com:443",), over_ipv6)[0].verdict is Verdict.UNKNOWN


def test_no_route_at_all_fails_for_the_licence_and_not_for_a_host_that_may_be_inside() -> None:
    inside = replace(NETWORK, subnets=routed(TO_S3))
    licence, own = judge_egress(("beacon.langchain.com:443", "langsmith.example.com:443"), inside)
    assert (licence.verdict, licence.evidence) == (Verdict.FAIL, "no route to 0.0.0.0/0 in subnet-1, subnet-2")
    assert own.verdict is Verdict.UNKNOWN
