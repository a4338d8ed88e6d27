"""The rules about what is open to the internet."""

from __future__ import annotations

from typing import Any

import pytest

from byoc.policy.facts import UNKNOWN, Resource
from byoc.policy.ingress import only_at_load_balancers, only_open_ports
from byoc.policy.openings import is_everyone

GROUP = "aws:ec2/securityGroup:SecurityGroup"
RULE = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"


def rule(**props: Any) -> Resource:
    opened = {"securityGroupId": "sg-1", "ipProtocol": "tcp", "fromPort": 443, "toPort": 443, "cidrIpv4": "0.0.0.0/0"}
    return Resource(RULE, "open", {**opened, **props}, urn="urn:open")


@pytest.mark.parametrize(
    ("address", "everyone"),
    [
        ("0.0.0.0/0", True),
        ("128.0.0.0/1", True),
        ("::/0", True),
        ("2000::/3", True),
        ("10.0.0.0/8", False),
        ("203.0.113.7/32", False),
        ("2001:db8::/32", False),
        ("pl-1", False),
    ],
)
def test_everyone_is_any_network_that_is_nobodys_own(address: str, everyone: bool) -> None:
    assert is_everyone(address) is everyone


@pytest.mark.parametrize(
    "props",
    [
        {},
        {"cidrIpv4": None, "cidrIpv6": "::/0"},
        {"fromPort": 5432, "toPort": 5432, "cidrIpv4": "10.0.0.0/16"},
        {"fromPort": 22, "toPort": 22, "cidrIpv4": UNKNOWN},
        {"fromPort": UNKNOWN},
    ],
)
def test_https_for_everyone_and_anything_for_somebody_passes(props: dict[str, Any]) -> None:
    assert list(only_open_ports(rule(**props), {})) == []


@pytest.mark.parametrize(
    ("props", "key", "value"),
    [
        ({"fromPort": 80, "toPort": 80}, "cidrIpv4", "0.0.0.0/0, with tcp 80"),
        ({"fromPort": 443, "toPort": 444}, "cidrIpv4", "0.0.0.0/0, with tcp 443 to 444"),
        ({"ipProtocol": "udp"}, "cidrIpv4", "0.0.0.0/0, with udp 443"),
        ({"ipProtocol": "-1", "fromPort": None, "toPort": None}, "cidrIpv4", "0.0.0.0/0, with every protocol and port"),
        ({"cidrIpv4": None, "cidrIpv6": "::/0", "fromPort": 22, "toPort": 22}, "cidrIpv6", "::/0, with tcp 22"),
        ({"cidrIpv4": "0.0.0.0/1", "fromPort": 22, "toPort": 22}, "cidrIpv4", "0.0.0.0/1, with tcp 22"),
    ],
)
def test_anything_else_for_everyone_is_named(props: dict[str, Any], key: str, value: str) -> None:
    [found] = only_open_ports(rule(**props), {})
    assert (found.problem.key, found.problem.value) == (key, value)
    assert found.problem.allowed == "TCP on 443 is all that may be open to everyone"
    assert "byoc:runtime.loadBalancer.allowedCidrs" in found.problem.remedy


def test_the_older_forms_of_rules_are_seen_too() -> None:
    block = {"protocol": "tcp", "fromPort": 22, "toPort": 22, "cidrBlocks": ["10.0.0.0/8", "0.0.0.0/0"]}
    older = Resource("aws:ec2/securityGroupRule:SecurityGroupRule", "older", {"type": "ingress", **block})
    [found] = only_open_ports(older, {})
    assert found.problem.key == "cidrBlocks"
    for type_ in (GROUP, "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"):
        [found] = only_open_ports(Resource(type_, "inside", {"ingress": [UNKNOWN, block]}), {})
        assert found.problem.key == "ingress[1].cidrBlocks"
    outgoing = Resource("aws:ec2/securityGroupRule:SecurityGroupRule", "out", {"type": "egress", **block})
    assert list(only_open_ports(outgoing, {})) == []


def test_the_config_says_which_ports_may_be_open() -> None:
    settings = {"openPorts": [443.0, 80.0]}  # numbers arrive as floats
    assert list(only_open_ports(rule(fromPort=80, toPort=80), settings)) == []
    [found] = only_open_ports(rule(fromPort=22, toPort=22), settings)
    assert found.problem.allowed == "TCP on 443, 80 is all that may be open to everyone"
    [found] = only_open_ports(rule(), {"openPorts": []})
    assert found.problem.allowed == "TCP on no port is all that may be open to everyone"


def group(name: str) -> Resource:
    return Resource(GROUP, "group", {"id": "sg-1", "name": name}, urn="urn:group")


def test_only_a_group_of_load_balancers_is_open_to_everyone() -> None:
    assert list(only_at_load_balancers([group("acme-lb-sg"), rule()], {})) == []
    worn = Resource("aws:lb/loadBalancer:LoadBalancer", "lb", {"securityGroups": ["sg-1"]})
    assert list(only_at_load_balancers([group("mine"), worn, rule()], {})) == []
    [found] = only_at_load_balancers([group("acme-service-sg"), rule()], {})
    assert found.resource.urn == "urn:open"
    assert found.problem.value == "0.0.0.0/0 into group, which is no group of load balancers"
    assert list(only_at_load_balancers([group("acme-service-sg"), rule(cidrIpv4="10.0.0.0/16")], {})) == []


def test_a_group_in_another_stack_cannot_be_seen_and_is_left() -> None:
    assert list(only_at_load_balancers([rule(securityGroupId="sg-elsewhere"), group("acme-service-sg")], {})) == []
