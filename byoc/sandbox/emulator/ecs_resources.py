"""Which ECS resources a call is authorised on (AWS docs: Service Authorization Reference, Amazon ECS)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from byoc.sandbox.emulator.requests import ApiRequest

_ROLL_OUTS = {
    "DescribeServiceDeployments": "serviceDeploymentArns",
    "DescribeServiceRevisions": "serviceRevisionArns",
}
"""Where a question about roll-outs names what it is about."""


def ecs_resources(request: ApiRequest, arn: Callable[[str, str], str]) -> list[str]:
    """The ARNs; none where ECS does not limit the action by resource. ``arn`` makes one of a service and a resource."""

    def named(kind: str, value: str) -> str:
        return value if value.startswith("arn:") else arn("ecs", f"{kind}/{value}")

    operation = request.operation
    cluster = request.text("cluster").rpartition("/")[2] or "default"
    if request.get("resourceArn"):
        return [request.text("resourceArn")]
    if operation == "CreateCluster":
        return [named("cluster", request.text("clusterName") or "default")]
    if operation == "DescribeClusters":
        return [named("cluster", item) for item in request.get("clusters", ["default"])]
    if operation in ("DeleteCluster", "UpdateCluster", "UpdateClusterSettings", "PutClusterCapacityProviders"):
        return [named("cluster", cluster)]
    if operation == "RegisterTaskDefinition":
        return [named("task-definition", f"{request.text('family')}:*")]
    if operation == "StopTask":
        task = request.text("task")
        return [named("task", task if task.startswith("arn:") else f"{cluster}/{task}")]
    if operation == "DeleteTaskDefinitions":
        return [named("task-definition", str(item)) for item in request.get("taskDefinitions", [])]
    if operation == "DescribeTasks":
        return [
            named("task", item if item.startswith("arn:") else f"{cluster}/{item}") for item in request.get("tasks", [])
        ]
    if operation == "RunTask":
        return [named("task-definition", request.text("taskDefinition"))]
    services = request.get("services") or [request.text("serviceName") or request.text("service")]
    if operation in _ROLL_OUTS:
        return [each for item in request.get(_ROLL_OUTS[operation], []) for each in (_service_of(str(item)), str(item))]
    if operation in ("CreateService", "UpdateService", "DeleteService", "DescribeServices", "ListServiceDeployments"):
        return [named("service", item if item.startswith("arn:") else f"{cluster}/{item}") for item in services]
    return []


def _service_of(arn: str) -> str:
    """The service's ARN, which is authorised beside that of its revision or roll-out."""
    return re.sub(r":service-(revision|deployment)/", ":service/", arn.rpartition("/")[0])
