"""Load balancer, target group, listener and rule, through their whole lives on the emulator."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from byoc.errors import ByocError
from byoc.sandbox.emulator.server import Emulator
from tests.sandbox.deployment_life import HANDLERS, Stage, Thing, changed, ended, live, make, open_stage

BALANCER = "aws:lb/loadBalancer:LoadBalancer"
GROUP = "aws:lb/targetGroup:TargetGroup"
LISTENER = "aws:lb/listener:Listener"
RULE = "aws:lb/listenerRule:ListenerRule"
LOOK_AND_CREATE = 2
"""The provider looks whether the name is free before it creates."""


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator.in_process() as running:
        yield running


@pytest.fixture
def stage(emulator: Emulator) -> Stage:
    return open_stage(emulator)


def balancer_inputs(stage: Stage) -> dict[str, Any]:
    places = stage.network()
    return {
        "name": "langgraph-cloud-chat",
        "internal": True,
        "subnets": [places["a"], places["b"]],
        "securityGroups": [places["group"]],
        "idleTimeout": 3600,
        "dropInvalidHeaderFields": True,
    }


def attributes(stage: Stage, thing: Thing) -> dict[str, str]:
    answer = stage.aws.client("elbv2").describe_load_balancer_attributes(LoadBalancerArn=thing.id)
    return {pair["Key"]: pair["Value"] for pair in answer["Attributes"]}


def forward_to(group: Thing) -> list[dict[str, Any]]:
    return [{"type": "forward", "targetGroupArn": group.id}]


def test_a_load_balancer_makes_the_provider_s_calls_all_its_life(stage: Stage) -> None:
    inputs = balancer_inputs(stage)
    other = stage.aws.client("ec2").create_security_group(GroupName="other", Description="x", VpcId=stage_vpc(stage))
    thing = live(
        stage,
        BALANCER,
        "aws_lb",
        inputs,
        calls_of_create=LOOK_AND_CREATE,
        changes=[
            {"idleTimeout": 120},
            {"enableDeletionProtection": True},
            {"enableDeletionProtection": False},
            {"securityGroups": [other["GroupId"]]},
        ],
    )
    assert thing.id == thing.outputs["arn"]
    assert thing.outputs["arnSuffix"].startswith("app/langgraph-cloud-chat/")
    assert thing.outputs["dnsName"].endswith(".elb.amazonaws.com")
    assert thing.outputs["zoneId"]
    assert thing.outputs["vpcId"] == stage_vpc(stage)
    assert thing.outputs["internal"] is True


def stage_vpc(stage: Stage) -> str:
    return str(
        stage.aws.client("ec2").describe_vpcs(Filters=[{"Name": "cidr", "Values": ["10.0.0.0/16"]}])["Vpcs"][0]["VpcId"]
    )


def test_a_load_balancer_gets_its_attributes_after_it_was_made(stage: Stage) -> None:
    thing = make(stage, BALANCER, **balancer_inputs(stage))
    there = attributes(stage, thing)
    assert there["idle_timeout.timeout_seconds"] == "3600"
    assert there["routing.http.drop_invalid_header_fields.enabled"] == "true"
    assert there["access_logs.s3.enabled"] == "false"
    assert thing.outputs["idleTimeout"] == 3600
    assert thing.outputs["dropInvalidHeaderFields"] is True


def test_a_changed_attribute_is_written_alone(stage: Stage) -> None:
    inputs = balancer_inputs(stage)
    thing = make(stage, BALANCER, **inputs)
    stage.aws.client("elbv2").modify_load_balancer_attributes(
        LoadBalancerArn=thing.id, Attributes=[{"Key": "client_keep_alive.seconds", "Value": "60"}]
    )
    changed(stage, thing, {**inputs, "idleTimeout": 90})
    there = attributes(stage, thing)
    assert (there["idle_timeout.timeout_seconds"], there["client_keep_alive.seconds"]) == ("90", "60")


def test_an_attribute_that_is_taken_away_goes_back_to_its_default(stage: Stage) -> None:
    inputs = balancer_inputs(stage)
    thing = make(stage, BALANCER, **inputs)
    changed(stage, thing, {key: value for key, value in inputs.items() if key != "idleTimeout"})
    assert attributes(stage, thing)["idle_timeout.timeout_seconds"] == "60"


def test_a_load_balancer_of_somebody_else_is_neither_adopted_nor_touched(stage: Stage) -> None:
    inputs = balancer_inputs(stage)
    stranger = make(stage, BALANCER, **inputs, tags={"team": "another"})
    ours = stage.checked(HANDLERS[BALANCER], inputs)
    assert HANDLERS[BALANCER].find(stage.aws, ours) is None
    with pytest.raises(ByocError, match="load balancer 'langgraph-cloud-chat' already exists"):
        HANDLERS[BALANCER].create(stage.aws, ours)
    assert stranger.handler.read(stage.aws, stranger.id, stranger.inputs) == stranger.outputs


def test_a_target_group_makes_the_provider_s_calls_all_its_life(stage: Stage) -> None:
    places = stage.network()
    check = {"path": "/ok", "protocol": "HTTP", "matcher": "200", "interval": 15, "timeout": 5, "healthyThreshold": 2}
    thing = live(
        stage,
        GROUP,
        "aws_lb_target_group",
        {
            "namePrefix": "langg-",
            "port": 8000,
            "protocol": "HTTP",
            "targetType": "ip",
            "vpcId": places["vpc"],
            "healthCheck": check,
        },
        calls_of_create=LOOK_AND_CREATE,
        changes=[{"deregistrationDelay": 60}, {"deregistrationDelay": 60, "slowStart": 30}],
    )
    assert thing.inputs["name"].startswith("langg-")
    assert len(thing.inputs["name"]) == 32
    assert thing.outputs["arnSuffix"].startswith(f"targetgroup/{thing.inputs['name']}/")
    assert thing.outputs["healthCheck"] == {
        **check,
        "enabled": True,
        "port": "traffic-port",
        "unhealthyThreshold": 3,
    }


def test_a_changed_health_check_is_modified_in_place(stage: Stage) -> None:
    places = stage.network()
    inputs = {"name": "checked", "port": 80, "protocol": "HTTP", "vpcId": places["vpc"], "healthCheck": {"path": "/ok"}}
    thing = make(stage, GROUP, **inputs)
    new = stage.checked(thing.handler, {**inputs, "healthCheck": {"path": "/info", "interval": 10}}, thing.inputs)
    thing.handler.update(stage.aws, thing.id, thing.inputs, new)
    outputs = thing.handler.read(stage.aws, thing.id, new)
    assert outputs is not None
    assert (outputs["healthCheck"]["path"], outputs["healthCheck"]["interval"]) == ("/info", 10)


def test_sticky_sessions_are_switched_on_and_off(stage: Stage) -> None:
    places = stage.network()
    inputs = {"name": "sticky", "port": 80, "protocol": "HTTP", "vpcId": places["vpc"]}
    thing = make(stage, GROUP, **inputs, stickiness={"type": "lb_cookie", "cookieDuration": 60})

    def there() -> dict[str, str]:
        answer = stage.aws.client("elbv2").describe_target_group_attributes(TargetGroupArn=thing.id)
        return {pair["Key"]: pair["Value"] for pair in answer["Attributes"]}

    assert there()["stickiness.enabled"] == "true"
    assert there()["stickiness.lb_cookie.duration_seconds"] == "60"
    changed(stage, thing, inputs)
    assert there()["stickiness.enabled"] == "false"


def test_a_target_group_that_is_in_use_goes_when_its_listener_has_gone(stage: Stage) -> None:
    balancer = make(stage, BALANCER, **balancer_inputs(stage))
    group = make(stage, GROUP, name="used", port=80, protocol="HTTP", vpcId=balancer.outputs["vpcId"])
    listener = make(
        stage, LISTENER, loadBalancerArn=balancer.id, port=80, protocol="HTTP", defaultActions=forward_to(group)
    )
    client = stage.aws.client("elbv2")
    refused: list[str] = []

    def let_go(**_: Any) -> None:
        if not refused:
            refused.append("once")
        else:
            client.delete_listener(ListenerArn=listener.id)
            client.meta.events.unregister("before-call.elastic-load-balancing-v2.DeleteTargetGroup", let_go)

    client.meta.events.register("before-call.elastic-load-balancing-v2.DeleteTargetGroup", let_go)
    group.handler.delete(stage.aws, group.id, group.state)
    assert refused
    assert group.handler.read(stage.aws, group.id, group.inputs) is None


def test_a_listener_and_its_rules_make_the_provider_s_calls_all_their_lives(stage: Stage) -> None:
    balancer = make(stage, BALANCER, **balancer_inputs(stage))
    group = make(stage, GROUP, name="first", port=80, protocol="HTTP", vpcId=balancer.outputs["vpcId"])
    other = make(stage, GROUP, name="second", port=80, protocol="HTTP", vpcId=balancer.outputs["vpcId"])
    inputs = {"loadBalancerArn": balancer.id, "port": 80, "protocol": "HTTP", "defaultActions": forward_to(group)}
    thing = live(
        stage,
        LISTENER,
        "aws_lb_listener",
        inputs,
        changes=[
            {"defaultActions": forward_to(other)},
            {
                "defaultActions": [
                    {"type": "fixed-response", "fixedResponse": {"contentType": "text/plain", "statusCode": "503"}}
                ]
            },
            {"port": 8080},
        ],
    )
    assert thing.outputs["arn"].startswith(f"{balancer.id.replace(':loadbalancer/', ':listener/')}/")
    listener = make(stage, LISTENER, **inputs)
    rule = live(
        stage,
        RULE,
        "aws_lb_listener_rule",
        {
            "listenerArn": listener.id,
            "priority": 10,
            "actions": forward_to(group),
            "conditions": [{"pathPattern": {"values": ["/a/*"]}}, {"hostHeader": {"values": ["a.example"]}}],
        },
        changes=[
            {"actions": forward_to(other)},
            {"conditions": [{"pathPattern": {"values": ["/b/*"]}}]},
            {"priority": 20},
        ],
    )
    assert rule.outputs["priority"] == 10


def test_rules_without_a_priority_come_one_after_the_other(stage: Stage) -> None:
    balancer = make(stage, BALANCER, **balancer_inputs(stage))
    group = make(stage, GROUP, name="first", port=80, protocol="HTTP", vpcId=balancer.outputs["vpcId"])
    listener = make(stage, LISTENER, loadBalancerArn=balancer.id, port=80, defaultActions=forward_to(group))
    made = [
        make(
            stage,
            RULE,
            listenerArn=listener.id,
            actions=forward_to(group),
            conditions=[{"pathPattern": {"values": [path]}}],
        )
        for path in ("/a", "/b")
    ]
    assert [rule.outputs["priority"] for rule in made] == [1, 2]
    assert listener.outputs["protocol"] == "HTTP"


def test_a_deleted_load_balancer_takes_its_listener_with_it_and_both_deletions_pass(stage: Stage) -> None:
    balancer = make(stage, BALANCER, **balancer_inputs(stage))
    group = make(stage, GROUP, name="first", port=80, protocol="HTTP", vpcId=balancer.outputs["vpcId"])
    listener = make(stage, LISTENER, loadBalancerArn=balancer.id, port=80, defaultActions=forward_to(group))
    ended(stage, balancer, "aws_lb")
    ended(stage, listener, "aws_lb_listener")
