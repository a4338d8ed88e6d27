"""What a deployment stack is made of, and which of its actions a set of policies does not grant."""

from __future__ import annotations

from collections.abc import Mapping

from byoc.permissions.evaluation.evaluator import Document, evaluate
from byoc.permissions.install import Account, InstallNames
from byoc.permissions.needs.actions import Need, required_actions
from byoc.permissions.needs.requests import requests_of

TYPES = (
    "aws:appautoscaling/policy:Policy",
    "aws:appautoscaling/target:Target",
    "aws:cloudwatch/metricAlarm:MetricAlarm",
    "aws:ecs/service:Service",
    "aws:ecs/taskDefinition:TaskDefinition",
    "aws:lb/listener:Listener",
    "aws:lb/loadBalancer:LoadBalancer",
    "aws:lb/targetGroup:TargetGroup",
    "aws:rds/instance:Instance",
    "aws:rds/parameterGroup:ParameterGroup",
    "aws:secretsmanager/secret:Secret",
    "aws:secretsmanager/secretVersion:SecretVersion",
    "aws:servicediscovery/service:Service",
)
"""The AWS resource types of a deployment, whatever its config."""
FUNCTIONS = (
    "aws:ec2/getSecurityGroups:getSecurityGroups",
    "aws:ec2/getSubnets:getSubnets",
    "aws:rds/getSubnetGroup:getSubnetGroup",
    "aws:servicediscovery/getDnsNamespace:getDnsNamespace",
)
"""The look-ups with which a deployment stack finds its runtime."""


def deployment_needs() -> tuple[Need, ...]:
    """Every action that a deployment stack calls for over its life: create, refresh, update, delete."""
    return required_actions(TYPES, FUNCTIONS)


def missing_needs(
    identity: Mapping[str, Document], account: Account, names: InstallNames, *, boundary: Document | None = None
) -> tuple[Need, ...]:
    """The needs of a deployment stack that the given policies of a role do not meet.

    ``identity``: documents by name, as for the evaluator. A need is met if every request that comes of it is allowed.
    """
    return tuple(
        need
        for need in deployment_needs()
        if not all(
            evaluate(request, identity=identity, boundary=boundary).allowed
            for request in requests_of(need, account, names)
        )
    )
