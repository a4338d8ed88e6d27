"""Who may speak to whom: every rule of the three security groups, whole."""

from __future__ import annotations

from typing import Any

import pytest

from byoc.components.runtime import AccountRuntimeSettings
from byoc.components.security_groups import LoadBalancerAccess
from tests.components.harness import Recording
from tests.components.programs import dependencies_by_name, inputs_by_name
from tests.components.runtimes import build

GROUP = "aws:ec2/securityGroup:SecurityGroup"
INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
EGRESS = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"


def rules(recording: Recording, token: str) -> list[dict[str, Any]]:
    return [dict(r.plain) for r in recording.of_type(token)]


def load_balancer_openings(access: LoadBalancerAccess) -> dict[str, tuple[int, int, str]]:
    found = inputs_by_name(build(AccountRuntimeSettings(load_balancer=access)), INGRESS)
    return {
        name: (rule["fromPort"], rule["toPort"], rule.get("cidrIpv4") or rule["cidrIpv6"])
        for name, rule in found.items()
        if rule["securityGroupId"] == "rt-lb-sg-id"
    }


def test_only_what_is_used_is_open_between_the_groups() -> None:
    recording = build()
    assert rules(recording, INGRESS) == [
        {
            "securityGroupId": "rt-lb-sg-id",
            "description": "HTTP from vpc",
            "ipProtocol": "tcp",
            "fromPort": 80,
            "toPort": 80,
            "cidrIpv4": "10.0.0.0/16",
        },
        {
            "securityGroupId": "rt-lb-sg-id",
            "description": "HTTPS from vpc",
            "ipProtocol": "tcp",
            "fromPort": 443,
            "toPort": 443,
            "cidrIpv4": "10.0.0.0/16",
        },
        {
            "securityGroupId": "rt-service-sg-id",
            "description": "Servers from load balancers",
            "ipProtocol": "tcp",
            "fromPort": 8000,
            "toPort": 8000,
            "referencedSecurityGroupId": "rt-lb-sg-id",
        },
        {
            "securityGroupId": "rt-data-sg-id",
            "description": "PostgreSQL from servers",
            "ipProtocol": "tcp",
            "fromPort": 5432,
            "toPort": 5432,
            "referencedSecurityGroupId": "rt-service-sg-id",
        },
        {
            "securityGroupId": "rt-data-sg-id",
            "description": "Redis from servers",
            "ipProtocol": "tcp",
            "fromPort": 6379,
            "toPort": 6379,
            "referencedSecurityGroupId": "rt-service-sg-id",
        },
    ]
    assert rules(recording, EGRESS) == [
        {
            "securityGroupId": "rt-data-sg-id",
            "description": "Caches pull their image and write their log",
            "ipProtocol": "tcp",
            "fromPort": 443,
            "toPort": 443,
            "cidrIpv4": "0.0.0.0/0",
        },
        {
            "securityGroupId": "rt-lb-sg-id",
            "description": "Load balancers to servers",
            "ipProtocol": "tcp",
            "fromPort": 8000,
            "toPort": 8000,
            "referencedSecurityGroupId": "rt-service-sg-id",
        },
        {
            "securityGroupId": "rt-service-sg-id",
            "description": "Servers call model providers, tracing, databases and caches",
            "ipProtocol": "-1",
            "cidrIpv4": "0.0.0.0/0",
        },
    ]


def test_allowed_addresses_take_the_place_of_the_vpc() -> None:
    access = LoadBalancerAccess(allowed_cidrs=("192.0.2.0/24", "2001:db8::/32", "192.0.2.0/24"))
    assert load_balancer_openings(access) == {
        "rt-lb-http-192.0.2.0/24": (80, 80, "192.0.2.0/24"),
        "rt-lb-https-192.0.2.0/24": (443, 443, "192.0.2.0/24"),
        "rt-lb-http-2001:db8::/32": (80, 80, "2001:db8::/32"),
        "rt-lb-https-2001:db8::/32": (443, 443, "2001:db8::/32"),
    }


def test_a_public_install_opens_https_to_everyone_and_http_to_the_vpc_alone() -> None:
    assert load_balancer_openings(LoadBalancerAccess(public=True)) == {
        "rt-lb-https-anywhere": (443, 443, "0.0.0.0/0"),
        "rt-lb-http-vpc": (80, 80, "10.0.0.0/16"),
    }


def test_a_public_install_for_known_addresses_is_open_to_these_and_to_the_vpc() -> None:
    access = LoadBalancerAccess(public=True, allowed_cidrs=("192.0.2.0/24",))
    assert load_balancer_openings(access) == {
        "rt-lb-https-192.0.2.0/24": (443, 443, "192.0.2.0/24"),
        "rt-lb-https-vpc": (443, 443, "10.0.0.0/16"),
        "rt-lb-http-vpc": (80, 80, "10.0.0.0/16"),
    }


@pytest.mark.parametrize(
    "access",
    [LoadBalancerAccess(), LoadBalancerAccess(public=True), LoadBalancerAccess(allowed_cidrs=("192.0.2.0/24",))],
)
def test_nothing_but_public_https_is_ever_open_to_everyone(access: LoadBalancerAccess) -> None:
    opened = rules(build(AccountRuntimeSettings(load_balancer=access)), INGRESS)
    to_everyone = [rule for rule in opened if rule.get("cidrIpv4") == "0.0.0.0/0" or rule.get("cidrIpv6") == "::/0"]
    assert [(rule["securityGroupId"], rule["fromPort"], rule["toPort"]) for rule in to_everyone] == (
        [("rt-lb-sg-id", 443, 443)] if access.public else []
    )


def test_no_group_carries_rules_of_its_own() -> None:
    # Inline rules would take away what the rule resources add.
    assert all("ingress" not in r.plain and "egress" not in r.plain for r in build().of_type(GROUP))


def test_rules_go_before_the_groups_that_they_name() -> None:
    recording = build()
    for name in ("rt-lb-to-service-in", "rt-postgres", "rt-redis"):
        rule = recording.only(INGRESS, name)
        assert len([d for d in dependencies_by_name(recording, rule) if d.startswith("SecurityGroup ")]) == 2
