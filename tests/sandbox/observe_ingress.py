"""How the types of an ingress are observed: load balancer, target group, listener and its rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from byoc.sandbox.handlers.base import Properties
from tests.sandbox.observe_account import RESOURCE_TAGS, call
from tests.sandbox.observe_stage import Act, Case, Made, Stage


def balancer(stage: Stage) -> Properties:
    places = stage.network()
    return {
        "name": "chat",
        "internal": True,
        "subnets": [places["b"], places["a"]],
        "securityGroups": [places["group"]],
        "idleTimeout": 3600,
        "dropInvalidHeaderFields": True,
        "enableDeletionProtection": False,
        "loadBalancerType": "application",
        **RESOURCE_TAGS,
    }


def balancer_attribute(key: str, value: str) -> Act:
    return call(
        "elbv2",
        "modify_load_balancer_attributes",
        lambda made: {"LoadBalancerArn": made.id, "Attributes": [{"Key": key, "Value": value}]},
    )


def other_groups(made: Made) -> None:
    vpc = made.stage.network()["vpc"]
    other = made.stage.client("ec2").create_security_group(GroupName="other", Description="x", VpcId=vpc)["GroupId"]
    made.stage.client("elbv2").set_security_groups(LoadBalancerArn=made.id, SecurityGroups=[other])


def group(stage: Stage) -> Properties:
    return {
        "name": "chat",
        "port": 8000,
        "protocol": "HTTP",
        "targetType": "ip",
        "vpcId": stage.network()["vpc"],
        "deregistrationDelay": 60,
        "slowStart": 30,
        "healthCheck": {"path": "/ok", "interval": 15, "timeout": 5, "matcher": "200", "healthyThreshold": 2},
        "stickiness": {"type": "lb_cookie", "cookieDuration": 60},
        **RESOURCE_TAGS,
    }


def group_attribute(key: str, value: str) -> Act:
    return call(
        "elbv2",
        "modify_target_group_attributes",
        lambda made: {"TargetGroupArn": made.id, "Attributes": [{"Key": key, "Value": value}]},
    )


def groups(stage: Stage) -> list[str]:
    vpc = stage.network()["vpc"]
    return [
        stage.make("aws:lb/targetGroup:TargetGroup", name=name, port=80, protocol="HTTP", vpcId=vpc).id
        for name in ("first", "second")
    ]


def listener(stage: Stage) -> Properties:
    made = stage.make("aws:lb/loadBalancer:LoadBalancer", **balancer(stage))
    return {
        "loadBalancerArn": made.id,
        "port": 80,
        "protocol": "HTTP",
        "defaultActions": [
            {"type": "redirect", "redirect": {"protocol": "HTTPS", "port": "443", "statusCode": "HTTP_301"}}
        ],
        **RESOURCE_TAGS,
    }


def change_listener(**change: Any) -> Act:
    return call("elbv2", "modify_listener", lambda made: {"ListenerArn": made.id, **change})


NOT_FOUND = {"Type": "fixed-response", "FixedResponseConfig": {"ContentType": "text/plain", "StatusCode": "404"}}


def rule(stage: Stage) -> Properties:
    made = stage.make("aws:lb/listener:Listener", **listener(stage))
    return {
        "listenerArn": made.id,
        "priority": 10,
        "actions": [{"type": "forward", "targetGroupArn": groups(stage)[0]}],
        "conditions": [
            {"pathPattern": {"values": ["/a/*"]}, "hostHeader": {"values": ["a.example"]}},
            {"queryStrings": [{"key": "v", "value": "1"}]},
        ],
        **RESOURCE_TAGS,
    }


def change_rule(**change: Any) -> Act:
    return call("elbv2", "modify_rule", lambda made: {"RuleArn": made.id, **change})


CASES: Mapping[str, Case] = {
    "aws:lb/loadBalancer:LoadBalancer": Case(
        inputs=balancer,
        behind={
            "dropInvalidHeaderFields": balancer_attribute("routing.http.drop_invalid_header_fields.enabled", "false"),
            "enableDeletionProtection": balancer_attribute("deletion_protection.enabled", "true"),
            "idleTimeout": balancer_attribute("idle_timeout.timeout_seconds", "60"),
            "securityGroups": other_groups,
        },
    ),
    "aws:lb/targetGroup:TargetGroup": Case(
        inputs=group,
        behind={
            "deregistrationDelay": group_attribute("deregistration_delay.timeout_seconds", "300"),
            "healthCheck": call(
                "elbv2", "modify_target_group", lambda made: {"TargetGroupArn": made.id, "HealthCheckPath": "/info"}
            ),
            "slowStart": group_attribute("slow_start.duration_seconds", "0"),
            "stickiness": group_attribute("stickiness.enabled", "false"),
        },
    ),
    "aws:lb/listener:Listener": Case(
        inputs=listener,
        behind={
            "defaultActions": change_listener(DefaultActions=[NOT_FOUND]),
            "port": change_listener(Port=8080),
        },
    ),
    "aws:lb/listenerRule:ListenerRule": Case(
        inputs=rule,
        behind={
            "actions": change_rule(Actions=[NOT_FOUND]),
            "conditions": change_rule(
                Conditions=[{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/b/*"]}}]
            ),
            "priority": call(
                "elbv2",
                "set_rule_priorities",
                lambda made: {"RulePriorities": [{"RuleArn": made.id, "Priority": 20}]},
            ),
        },
    ),
}
