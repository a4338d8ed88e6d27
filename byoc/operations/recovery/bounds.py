"""How far ``byoc watch --restore`` goes: judged by what a preview with a refresh would do, before anything is done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from byoc.runs import Op, RunResult, Step

_TAGS: Final = frozenset({"tags", "tagsAll"})
_COMPONENT: Final = "byoc:"
"""How the types of this library's components begin: they are nothing in AWS, what is in them is judged by itself."""

MADE: Final = frozenset(
    {
        "aws:cloudwatch/metricAlarm:MetricAlarm",
        "aws:appautoscaling/target:Target",
        "aws:appautoscaling/policy:Policy",
        "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
        "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
        "aws:ec2/tag:Tag",
    }
)
"""What may be made again, and set in every respect: none of it holds data, and none of it costs more than cents."""

SET: Final[Mapping[str, frozenset[str]]] = {
    "aws:ecs/service:Service": frozenset(
        {
            "deploymentCircuitBreaker",
            "deploymentMaximumPercent",
            "deploymentMinimumHealthyPercent",
            "desiredCount",
            "enableEcsManagedTags",
            "enableExecuteCommand",
            "healthCheckGracePeriodSeconds",
            "networkConfiguration",
            "propagateTags",
        }
    ),
    "aws:lb/targetGroup:TargetGroup": frozenset(
        {"deregistrationDelay", "healthCheck", "loadBalancingAlgorithmType", "slowStart", "stickiness"}
    ),
    "aws:lb/loadBalancer:LoadBalancer": frozenset(
        {
            "desyncMitigationMode",
            "dropInvalidHeaderFields",
            "enableDeletionProtection",
            "enableHttp2",
            "idleTimeout",
            "preserveHostHeader",
            "securityGroups",
            "xffHeaderProcessingMode",
        }
    ),
    "aws:lb/listener:Listener": frozenset({"defaultActions", "sslPolicy"}),
}
"""What may be set on a thing that is there, by its inputs; no task definition or certificate among them. With another
network configuration (addresses, groups, subnets) ECS replaces the containers, of the same revision."""

_NEVER: Final = ("aws:rds/", "aws:secretsmanager/", "aws:kms/", "aws:iam/", "aws:ecs/taskDefinition:")
"""What is not touched at all, not even for a tag: how the types begin."""
_SHOWN: Final = 3
"""Reasons that a refusal names."""


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What a preview comes to."""

    targets: tuple[str, ...] = ()
    """URNs of what may be restored; nothing else is touched."""
    left: tuple[str, ...] = ()
    """In plain words what a whole run would undo, and this one leaves: tags that somebody added."""
    refusal: str = ""
    """Why nothing is done; empty if nothing stands against it."""


def judge(preview: RunResult) -> Judgement:
    """Everything or nothing: one step beyond the bounds refuses the whole.

    A step that does no more than take tags off is left out, whatever it is on: the tags are somebody else's.
    """
    left = [step for step in preview.steps if _only_untags(step)]
    steps = [step for step in preview.steps if step not in left]
    against = [why for step in steps if (why := _against(step))]
    if against:
        more = f"; and {len(against) - _SHOWN} more" if len(against) > _SHOWN else ""
        return Judgement(refusal=f"{'; '.join(against[:_SHOWN])}{more}")
    return Judgement(
        targets=tuple(step.urn for step in steps),
        left=tuple(f"{_name(step)} keeps its tags beside ours: {', '.join(step.untagged)}" for step in left),
    )


def beyond(preview: RunResult, targets: Iterable[str]) -> str:
    """Why a run of ``targets`` is not the one that was judged; empty if it is."""
    judged = judge(preview)
    strangers = [_name(step) for step in preview.steps if step.urn not in set(targets)]
    if judged.refusal or judged.left:
        return judged.refusal or "; ".join(judged.left)
    return f"it would touch {', '.join(strangers)}, too" if strangers else ""


def _only_untags(step: Step) -> bool:
    return step.op is Op.UPDATE and bool(step.untagged) and not step.tagged and set(step.changed) <= _TAGS


def _against(step: Step) -> str:
    """Why a step is beyond the bounds; empty if it is within."""
    name = f"{step.op.value} {_name(step)} ({step.type})"
    if step.op not in (Op.CREATE, Op.UPDATE) or step.type.startswith(_NEVER):
        return name
    if step.untagged:
        return f"{name} takes off tags that somebody added: {', '.join(step.untagged)}"
    if step.type in MADE or step.type.startswith(_COMPONENT):
        return ""
    if step.op is Op.CREATE:
        return name
    others = sorted(set(step.changed) - SET.get(step.type, frozenset()) - _TAGS)
    if others or not step.changed:
        return f"{name}: {', '.join(others) or 'what it changes is not known'}"
    return "" if step.type in SET or step.type.startswith("aws:") else name


def _name(step: Step) -> str:
    return step.urn.rsplit("::", 1)[-1]
