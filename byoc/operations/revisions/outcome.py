"""Whether a run that ended well left ECS at the revision that it made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from byoc.operations.status.facts import ServiceFacts

_SERVICE = "aws:ecs/service:Service"


def went_elsewhere(outcome: Mapping[str, Any], services: Mapping[str, ServiceFacts]) -> str:
    """What ECS is at instead of the stack's new revision, in words; empty if it is there. Pure.

    ``outcome``: a stack's part of a run's result. A run that changed no service says nothing: a rollback may be what
    runs. Neither does a stack that does not tell the task definition that it made, as one with several deployments.
    """
    made = str(outcome.get("outputs", {}).get("taskDefinitionArn") or "").rpartition("/")[2]
    changed = any(step["type"] == _SERVICE and step["op"] in ("update", "replace") for step in outcome["steps"])
    api = services.get("api")
    if not made or not changed or api is None or (api.task_definition == made and api.rollout != "FAILED"):
        return ""
    failed = next((item.reason for item in api.replaced if item.task_definition == made), "") or api.rollout_reason
    where = "it failed" if api.task_definition == made else f"ECS is at {api.task_definition}"
    return f"{made} did not become healthy: {where}{f': {failed}' if failed else ''}"
