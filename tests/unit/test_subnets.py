from __future__ import annotations

import ipaddress
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from byoc.subnets import SubnetPlan, plan_subnets


def test_default_network_has_the_documented_subnets() -> None:
    assert plan_subnets("10.0.0.0/16", 3) == SubnetPlan(
        private=("10.0.1.0/24", "10.0.2.0/24", "10.0.3.0/24"),
        public=("10.0.4.0/24", "10.0.5.0/24", "10.0.6.0/24"),
    )


@pytest.mark.parametrize("cidr", ["10.0.0.0/16", "172.16.0.0/18", "192.168.0.0/20"])
def test_adding_a_zone_leaves_the_subnets_of_the_others_in_place(cidr: str) -> None:
    for zones in range(1, 6):
        before, after = plan_subnets(cidr, zones), plan_subnets(cidr, zones + 1)
        assert after.private[:zones] == before.private
        assert after.public[:zones] == before.public


@pytest.mark.parametrize(
    ("cidr", "zones", "length"),
    [
        ("10.0.0.0/20", 3, 24),
        ("10.0.0.0/21", 3, 24),
        ("10.0.0.0/22", 3, 25),
        ("10.0.0.0/23", 2, 25),
        ("10.0.0.0/24", 3, 27),
    ],
)
def test_smaller_vpcs_get_the_largest_subnets_that_fit(cidr: str, zones: int, length: int) -> None:
    plan = plan_subnets(cidr, zones)
    assert {ipaddress.ip_network(block).prefixlen for block in plan.private + plan.public} == {length}


def test_an_asked_for_length_is_kept() -> None:
    plan = plan_subnets("10.0.0.0/16", 3, 20)
    assert plan.private == ("10.0.16.0/20", "10.0.32.0/20", "10.0.48.0/20")
    assert plan.public == ("10.0.64.0/20", "10.0.80.0/20", "10.0.96.0/20")


@given(prefix=st.integers(16, 28), zones=st.integers(1, 6), length=st.none() | st.integers(16, 30))
def test_subnets_lie_in_the_vpc_apart_from_each_other_or_the_error_says_what_fits(
    prefix: int, zones: int, length: int | None
) -> None:
    vpc = ipaddress.IPv4Network((int(ipaddress.IPv4Address("10.128.0.0")), prefix))
    try:
        plan = plan_subnets(str(vpc), zones, length)
    except ValueError as error:
        message = str(error)
    else:
        message = ""
    if message:
        assert "what fits are subnets of /" in message or "they need a VPC of /" in message
        room = 2 ** ((length or 28) - prefix) if (length or 28) >= prefix else 0
        assert room < 2 * zones or (length or 0) > 28
        return
    blocks = [ipaddress.IPv4Network(block) for block in plan.private + plan.public]
    assert len(plan.private) == len(plan.public) == zones
    assert all(block.subnet_of(vpc) and block.prefixlen <= 28 for block in blocks)
    assert not any(one.overlaps(two) for place, one in enumerate(blocks) for two in blocks[place + 1 :])


@pytest.mark.parametrize(
    ("cidr", "zones", "length", "message"),
    [
        ("10.0.0.0/27", 3, None, "AWS makes no subnet smaller than /28; they need a VPC of /25"),
        ("10.0.0.0/24", 3, 26, "what fits are subnets of /27 to /28"),
        ("10.0.0.0/16", 3, 16, "what fits are subnets of /19 to /28"),
        ("10.0.0.0/16", 3, 29, "what fits are subnets of /19 to /28"),
        ("10.0.0.1/16", 3, None, "does not begin at its network address; the block is 10.0.0.0/16"),
        ("10.0.0.0", 3, None, "has no prefix length; write it as 10.0.0.0/16"),
        ("10.0.0.0/8", 3, None, "a VPC has a prefix length of 16 to 28, not 8"),
        ("10.0.0.0/29", 3, None, "a VPC has a prefix length of 16 to 28, not 29"),
        ("fd00::/16", 3, None, "is not an IPv4 block such as 10.0.0.0/16"),
        ("ten", 3, None, "is not an IPv4 block such as 10.0.0.0/16"),
        ("10.0.0.0/16", 0, None, "at least 1 is needed"),
    ],
)
def test_the_error_says_what_fits(cidr: str, zones: int, length: int | None, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        plan_subnets(cidr, zones, length)
