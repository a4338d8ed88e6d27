"""Asks AWS about the alarms and the scaling of a deployment."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from byoc.operations.recovery.alarm_rules import told_rule
from byoc.operations.recovery.facts import AlarmSettings, Part, ScalingSettings
from byoc.operations.status.alarms import alarm_subjects
from byoc.operations.status.facts import Absent, Unknown
from byoc.operations.status.read import known
from byoc.operations.targets import Target

Item = Mapping[str, Any]
Value = TypeVar("Value")


def told(action: str, ask: Callable[[], Any], read: Callable[[Any], Value]) -> Value | Unknown:
    """As :func:`known`, where nothing can be absent."""
    found = known(action, ask, read)
    return Unknown(why=f"{action}: no answer") if isinstance(found, Absent) else found


def read_alarms(target: Target) -> tuple[AlarmSettings, ...] | Unknown:
    """The alarms of a deployment that are there."""
    subjects = {target.names.alarm(target.deployment, subject): subject for subject in alarm_subjects(target)}
    return told(
        "cloudwatch:DescribeAlarms",
        lambda: list(target.account.all("cloudwatch:DescribeAlarms", "MetricAlarms", AlarmNames=list(subjects))),
        lambda items: tuple(
            AlarmSettings(
                subject=subjects[item["AlarmName"]],
                enabled=bool(item["ActionsEnabled"]),
                actions=tuple(item.get("AlarmActions") or ()),
                rule=told_rule(item),
            )
            for item in items
        ),
    )


def read_scaling(target: Target, role: str) -> ScalingSettings | Part:
    """How the number of a service's containers follows the load."""
    place: dict[str, Any] = {
        "ServiceNamespace": "ecs",
        "ScalableDimension": "ecs:service:DesiredCount",
    }
    resource = f"service/{target.names.cluster}/{target.names.service(target.deployment, role)}"
    limits = known(
        "application-autoscaling:DescribeScalableTargets",
        lambda: list(
            target.account.all(
                "application-autoscaling:DescribeScalableTargets", "ScalableTargets", ResourceIds=[resource], **place
            )
        ),
        lambda items: items[0] if items else None,
    )
    if limits is None:
        return Absent()
    if isinstance(limits, Absent | Unknown):
        return limits
    return known(
        "application-autoscaling:DescribeScalingPolicies",
        lambda: list(
            target.account.all(
                "application-autoscaling:DescribeScalingPolicies", "ScalingPolicies", ResourceId=resource, **place
            )
        ),
        lambda policies: _scaling_settings(limits, policies),
    )


def _scaling_settings(limits: Item, policies: Iterable[Item]) -> ScalingSettings:
    state = limits.get("SuspendedState") or {}
    return ScalingSettings(
        minimum=int(limits["MinCapacity"]),
        maximum=int(limits["MaxCapacity"]),
        suspended=tuple(sorted(name for name, off in state.items() if off)),
        policies=tuple(policy["PolicyName"] for policy in policies),
    )
