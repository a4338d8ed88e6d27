"""Whether a run that ended well left ECS at the revision that it made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from byoc.operations.status.facts import ServiceFacts

_SERVICE = "aws:ecs/service:Service"


def is_service_of(deployment: str, logical_name: str) -> bool:
    """Whether a resource of an account stack is a service of a deployment (``byoc.components.account``)."""
    parts = ("service-api", "service-queue", "cache-service")
    return logical_name.endswith(tuple(f"-deployment-{deployment}-{part}" for part in parts))


def went_elsewhere(outcome: Mapping[str, Any], deployment: str, services: Mapping[str, ServiceFacts]) -> str:
    """What ECS is at instead of the new revision of one of a stack's deployments, in words; empty if it is there. Pure.

    ``outcome``: a stack's part of a run's result. A run that did not change the deployment's services says nothing: a
    rollback may be what runs. Neither does a stack that does not tell the task definition that it made.
    """
    outputs = outcome.get("outputs", {})
    inline = outputs.get("taskDefinitionArns")  # of an account stack
    arn = outputs.get("taskDefinitionArn") if inline is None else inline.get(deployment)
    made = str(arn or "").rpartition("/")[2]
    changed = any(
        step["type"] == _SERVICE
        and step["op"] in ("update", "replace")
        and (inline is None or is_service_of(deployment, step["urn"].rpartition("::")[2]))
        for step in outcome["steps"]
    )
    api = services.get("api")
    if not made or not changed or api is None or (api.task_definition == made and api.rollout != "FAILED"):
        return ""
    failed = next((item.reason for item in api.replaced if item.task_definition == made), "") or api.rollout_reason
    where = "it failed" if api.task_definition == made else f"ECS is at {api.task_definition}"
    return f"{made} did not become healthy: {where}{f': {failed}' if failed else ''}"
