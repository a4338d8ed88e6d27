"""The rules about encryption, each shown to pass what is right and to name what is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from byoc.policy.at_rest import SWITCHES, encrypted_at_rest
from byoc.policy.facts import UNKNOWN, Resource
from byoc.policy.in_flight import encrypted_in_flight, plain_http_inside_alone

LISTENER = "aws:lb/listener:Listener"
PARAMETERS = "aws:rds/parameterGroup:ParameterGroup"
INSTANCE = "aws:rds/instance:Instance"
TOPIC = "aws:sns/topic:Topic"
FORWARD = [{"type": "forward", "targetGroupArn": "arn:tg"}]


@pytest.mark.parametrize(("type_", "switch"), sorted(SWITCHES.items()))
def test_what_aws_does_not_encrypt_unasked_must_be_asked_for(type_: str, switch: str) -> None:
    assert list(encrypted_at_rest(Resource(type_, "it", {switch: True}), {})) == []
    assert list(encrypted_at_rest(Resource(type_, "it", {switch: UNKNOWN}), {})) == []
    for value, shown in ((False, "false"), (None, "not set")):
        [found] = encrypted_at_rest(Resource(type_, "it", {switch: value}), {})
        assert (found.problem.key, found.problem.value) == (switch, shown)
    [found] = encrypted_at_rest(Resource(type_, "it", {}), {})
    assert found.problem.allowed == "true: AWS does not encrypt this unless told to"


@pytest.mark.parametrize(
    "type_",
    [
        "aws:cloudwatch/logGroup:LogGroup",
        "aws:ecr/repository:Repository",
        "aws:secretsmanager/secret:Secret",
        "aws:sqs/queue:Queue",
        TOPIC,
    ],
)
def test_what_aws_encrypts_by_itself_and_topics_need_nothing(type_: str) -> None:
    assert list(encrypted_at_rest(Resource(type_, "it", {}), {})) == []


def test_a_queue_whose_encryption_is_switched_off_is_named() -> None:
    queue = "aws:sqs/queue:Queue"
    [found] = encrypted_at_rest(Resource(queue, "it", {"sqsManagedSseEnabled": False}), {})
    assert (found.problem.key, found.problem.value) == ("sqsManagedSseEnabled", "false")
    own_key = Resource(queue, "it", {"sqsManagedSseEnabled": False, "kmsMasterKeyId": "alias/mine"})
    assert list(encrypted_at_rest(own_key, {})) == []


def test_topics_need_a_key_where_the_config_says_so() -> None:
    [found] = encrypted_at_rest(Resource(TOPIC, "alarms", {}), {"topicKeys": True})
    assert found.problem.key == "kmsMasterKeyId"
    for key in ("alias/alarms", UNKNOWN):
        assert list(encrypted_at_rest(Resource(TOPIC, "alarms", {"kmsMasterKeyId": key}), {"topicKeys": True})) == []


def listener(**props: Any) -> Resource:
    return Resource(LISTENER, "it", {"protocol": "HTTPS", "defaultActions": FORWARD, **props}, urn="urn:it")


@pytest.mark.parametrize(
    "policy",
    [
        "ELBSecurityPolicy-TLS13-1-2-2021-06",
        "ELBSecurityPolicy-TLS13-1-3-2021-06",
        "ELBSecurityPolicy-TLS13-1-2-Res-2021-06",
        "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09",
        "ELBSecurityPolicy-TLS13-1-2-FIPS-PQ-2025-09",
        "ELBSecurityPolicy-FS-1-2-Res-2020-10",
        UNKNOWN,
    ],
)
def test_a_modern_tls_policy_passes(policy: object) -> None:
    assert list(encrypted_in_flight(listener(sslPolicy=policy), {})) == []


@pytest.mark.parametrize(
    "policy",
    [
        None,
        "ELBSecurityPolicy-2016-08",
        "ELBSecurityPolicy-TLS13-1-0-2021-06",
        "ELBSecurityPolicy-TLS13-1-2-Ext1-2021-06",
        "ELBSecurityPolicy-FS-2018-06",
        "ELBSecurityPolicy-TLS-1-2-2017-01",
    ],
)
def test_a_tls_policy_with_old_versions_or_ciphers_is_named_with_the_one_to_take(policy: str | None) -> None:
    [found] = encrypted_in_flight(listener(sslPolicy=policy), {})
    assert (found.problem.key, found.problem.value) == ("sslPolicy", policy or "not set")
    assert found.problem.remedy == "set ELBSecurityPolicy-TLS13-1-2-2021-06"


def test_the_config_can_name_the_tls_policies_that_are_allowed() -> None:
    settings = {"tlsPolicies": ["ELBSecurityPolicy-TLS13-1-3-2021-06"]}
    assert list(encrypted_in_flight(listener(sslPolicy="ELBSecurityPolicy-TLS13-1-3-2021-06"), settings)) == []
    [found] = encrypted_in_flight(listener(sslPolicy="ELBSecurityPolicy-TLS13-1-2-2021-06"), settings)
    assert found.problem.allowed == "ELBSecurityPolicy-TLS13-1-3-2021-06"


def parameters(family: object, *entries: object) -> Resource:
    return Resource(PARAMETERS, "it", {"family": family, "parameters": list(entries)})


def entry(name: str, value: object) -> dict[str, Any]:
    return {"name": name, "value": value}


@pytest.mark.parametrize(
    ("family", "name", "value"),
    [
        ("postgres16", "rds.force_ssl", "1"),
        ("aurora-postgresql15", "rds.force_ssl", "1"),
        ("sqlserver-se-15.0", "rds.force_ssl", "1"),
        ("mysql8.0", "require_secure_transport", "ON"),
        ("mariadb10.11", "require_secure_transport", "1"),
    ],
)
def test_a_parameter_group_must_force_tls_by_its_engines_own_parameter(family: str, name: str, value: str) -> None:
    assert list(encrypted_in_flight(parameters(family, entry(name, value)), {})) == []
    assert list(encrypted_in_flight(parameters(family, entry(name, UNKNOWN)), {})) == []
    assert list(encrypted_in_flight(parameters(family, UNKNOWN), {})) == []
    [found] = encrypted_in_flight(parameters(family, entry(name, "0")), {})
    assert (found.problem.key, found.problem.value) == (f"parameters: {name}", "0")
    [found] = encrypted_in_flight(parameters(family, entry("log_statement", "all")), {})
    assert found.problem.value == "not set"


@pytest.mark.parametrize("family", ["oracle-se2-19", UNKNOWN, None])
def test_a_parameter_group_of_another_or_unknown_family_is_left(family: object) -> None:
    assert list(encrypted_in_flight(parameters(family), {})) == []


@pytest.mark.parametrize(
    ("version", "group", "passes"),
    [
        ("14.12", None, False),
        ("14", "default.postgres14", False),
        ("14", "mine", True),
        ("14", UNKNOWN, True),
        ("15.4", None, True),
        (None, None, True),
        (UNKNOWN, None, True),
    ],
)
def test_an_instance_without_a_group_of_its_own_must_be_of_a_version_that_forces_tls(
    version: object, group: object, passes: bool
) -> None:
    props = {"engine": "postgres", "engineVersion": version, "parameterGroupName": group}
    found = list(encrypted_in_flight(Resource(INSTANCE, "it", props), {}))
    assert [violation.problem.key for violation in found] == ([] if passes else ["parameterGroupName"])


def test_a_cache_cluster_must_encrypt_in_transit() -> None:
    type_ = "aws:elasticache/replicationGroup:ReplicationGroup"
    assert list(encrypted_in_flight(Resource(type_, "it", {"transitEncryptionEnabled": True}), {})) == []
    [found] = encrypted_in_flight(Resource(type_, "it", {}), {})
    assert (found.problem.key, found.problem.value) == ("transitEncryptionEnabled", "not set")


def balancer(internal: object) -> Resource:
    return Resource("aws:lb/loadBalancer:LoadBalancer", "lb", {"arn": "arn:lb", "internal": internal}, urn="urn:lb")


def plain(**props: Any) -> Resource:
    return listener(protocol="HTTP", loadBalancerArn="arn:lb", **props)


def redirect(protocol: str) -> list[dict[str, Any]]:
    return [{"type": "redirect", "redirect": {"protocol": protocol, "statusCode": "HTTP_301"}}]


def test_plain_http_passes_at_an_internal_load_balancer_and_to_redirect() -> None:
    assert list(plain_http_inside_alone([balancer(True), plain()], {})) == []
    assert list(plain_http_inside_alone([balancer(UNKNOWN), plain()], {})) == []
    assert list(plain_http_inside_alone([balancer(False), plain(defaultActions=redirect("HTTPS"))], {})) == []


@pytest.mark.parametrize("actions", [FORWARD, redirect("HTTP"), [*redirect("HTTPS"), *FORWARD]])
@pytest.mark.parametrize("internal", [False, None])
def test_plain_http_that_faces_the_internet_is_named(actions: list[Any], internal: object) -> None:
    [found] = plain_http_inside_alone([balancer(internal), plain(defaultActions=actions)], {})
    assert found.resource.urn == "urn:it"
    assert (found.problem.key, found.problem.value) == ("protocol", "HTTP, at lb, which faces the internet")
