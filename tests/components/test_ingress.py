"""A deployment's ingress: internal unless asked for otherwise, and never public without TLS."""

from __future__ import annotations

import pytest

from byoc.components.ingress import Ingress, IngressArgs
from byoc.components.spec import IngressSettings
from byoc.errors import ByocError
from byoc.naming import Names
from tests.components.deployments import (
    CERTIFICATE,
    LISTENER,
    LOAD_BALANCER,
    NAMES,
    RUNTIME,
    TAGS,
    TARGET_GROUP,
    construct,
    declared_outputs,
)
from tests.components.harness import Recording
from tests.components.programs import outputs_of

PUBLIC = IngressSettings(scheme="internet-facing", certificate_arn=CERTIFICATE)


def build(
    ingress: IngressSettings | None = None,
    *,
    names: Names = NAMES,
    deployment: str = "chat",
    mount_prefix: str | None = None,
) -> Recording:
    args = IngressArgs(
        names=names,
        deployment=deployment,
        ingress=ingress or IngressSettings(),
        runtime=RUNTIME,
        mount_prefix=mount_prefix,
    )
    return construct(lambda opts: Ingress("in", args, opts))


def test_without_a_certificate_it_is_internal_and_http() -> None:
    recording = build()
    assert recording.only(LOAD_BALANCER, "in-load-balancer").plain == {
        "name": "langgraph-cloud-chat",
        "loadBalancerType": "application",
        "internal": True,
        "subnets": ["subnet-a", "subnet-b"],
        "securityGroups": ["sg-lb"],
        "idleTimeout": 3600,
        "dropInvalidHeaderFields": True,
        "tags": TAGS,
    }
    assert recording.only(LISTENER, "in-listener").plain == {
        "loadBalancerArn": "arn:aws:test:us-west-2:123456789012:in-load-balancer",
        "port": 80,
        "protocol": "HTTP",
        "defaultActions": [
            {"type": "forward", "targetGroupArn": "arn:aws:test:us-west-2:123456789012:in-target-group"}
        ],
        "tags": TAGS,
    }
    assert outputs_of(recording, "byoc:index:Ingress")["url"] == "http://langgraph-cloud-chat.elb.amazonaws.com"


def test_with_a_certificate_an_internal_one_listens_with_tls_only() -> None:
    recording = build(IngressSettings(certificate_arn=CERTIFICATE))
    assert recording.only(LOAD_BALANCER).plain["internal"] is True
    listener = recording.only(LISTENER).plain
    assert (listener["port"], listener["protocol"]) == (443, "HTTPS")


def test_a_public_one_is_in_the_public_subnets_with_tls_only() -> None:
    recording = build(PUBLIC)
    balancer = recording.only(LOAD_BALANCER).plain
    assert (balancer["internal"], balancer["subnets"]) == (False, ["subnet-p", "subnet-q"])
    listener = recording.only(LISTENER).plain
    assert {key: listener[key] for key in ("port", "protocol", "certificateArn", "sslPolicy")} == {
        "port": 443,
        "protocol": "HTTPS",
        "certificateArn": CERTIFICATE,
        "sslPolicy": "ELBSecurityPolicy-TLS13-1-2-2021-06",
    }
    assert outputs_of(recording, "byoc:index:Ingress")["url"] == "https://langgraph-cloud-chat.elb.amazonaws.com"


def test_a_public_one_without_a_certificate_is_refused() -> None:
    with pytest.raises(ByocError) as refused:
        build(IngressSettings(scheme="internet-facing"))
    assert str(refused.value) == (
        "deployment chat: keys and prompts would cross the internet unencrypted\n"
        "  ingress.certificateArn\n"
        "      got:      none, with ingress.scheme internet-facing\n"
        "      allowed:  the ARN of an ACM certificate of the same region\n"
        "      mend it:  give one, or leave the scheme internal"
    )


def test_containers_are_asked_for_their_health_and_drained_for_streams() -> None:
    assert build().only(TARGET_GROUP, "in-target-group").plain == {
        "namePrefix": "langg-",
        "port": 8000,
        "protocol": "HTTP",
        "targetType": "ip",
        "vpcId": "vpc-1",
        "deregistrationDelay": 300,
        "healthCheck": {
            "path": "/ok",
            "protocol": "HTTP",
            "matcher": "200",
            "interval": 15,
            "timeout": 5,
            "healthyThreshold": 2,
            "unhealthyThreshold": 3,
        },
        "tags": TAGS,
    }


@pytest.mark.parametrize("prefix", ["a", "acme", "acme-west", "abcd-x"])
def test_a_target_groups_prefix_is_what_aws_accepts(prefix: str) -> None:
    given = build(names=Names(prefix)).only(TARGET_GROUP).plain["namePrefix"]
    assert len(given) <= 6
    assert given.endswith("-")
    assert not given.endswith("--")


def test_long_names_stay_within_what_load_balancers_accept_and_stay_different() -> None:
    one, two = (build(deployment=f"{'a' * 50}-{end}").only(LOAD_BALANCER).plain["name"] for end in ("one", "two"))
    assert max(len(one), len(two)) <= 32
    assert one != two


def test_the_url_carries_the_mount_prefix_and_the_idle_timeout_is_the_settings() -> None:
    recording = build(IngressSettings(idle_timeout_seconds=60), mount_prefix="/agents")
    assert outputs_of(recording, "byoc:index:Ingress")["url"].endswith(".elb.amazonaws.com/agents")
    assert recording.only(LOAD_BALANCER).plain["idleTimeout"] == 60


def test_outputs_are_what_is_registered() -> None:
    outputs = outputs_of(build(), "byoc:index:Ingress")
    assert outputs.keys() == declared_outputs(Ingress)
    assert outputs["load_balancer_arn_suffix"] == "app/langgraph-cloud-chat/1"
