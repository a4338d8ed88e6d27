"""What a probe asks ECS for, and what may be there because of it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

from byoc.operations.doctor.probe_plan import CONTAINER, CPU_UNITS, MEMORY_MIB, Plan
from byoc.operations.doctor.probe_site import Site


@dataclass(kw_only=True)
class Made:
    """What may be there because of this probe."""

    started_by: str = field(default_factory=lambda: f"byoc-doctor-{secrets.token_hex(8)}")
    asked_for_definition: bool = False
    definition: str = ""
    asked_for_task: bool = False
    task: str = ""
    task_ended: bool = False


def task_definition(plan: Plan, region: str) -> dict[str, Any]:
    """What ``ecs:RegisterTaskDefinition`` is asked for. No task role: the container has no rights of its own."""
    script = files("byoc.operations.doctor").joinpath("probe_script.py").read_text(encoding="utf-8")
    container = {
        "name": CONTAINER,
        "image": plan.image,
        "essential": True,
        "entryPoint": ["python3", "-c"],
        "command": [script],
        "environment": [{"name": "BYOC_EGRESS", "value": " ".join(plan.destinations)}],
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {
                "awslogs-group": plan.log_group,
                "awslogs-region": region,
                "awslogs-stream-prefix": plan.log_prefix,
            },
        },
    }
    return {
        "family": plan.family,
        "requiresCompatibilities": ["FARGATE"],
        "networkMode": "awsvpc",
        "cpu": str(CPU_UNITS),
        "memory": str(MEMORY_MIB),
        "executionRoleArn": plan.execution_role_arn,
        "runtimePlatform": {"operatingSystemFamily": "LINUX", "cpuArchitecture": "X86_64"},
        "containerDefinitions": [container],
        "tags": _tags(plan),
    }


def one_task(plan: Plan, site: Site, made: Made) -> dict[str, Any]:
    """What ``ecs:RunTask`` is asked for. ``startedBy`` finds the task again if the answer is lost."""
    return {
        "cluster": plan.cluster,
        "taskDefinition": made.definition,
        "launchType": "FARGATE",
        "count": 1,
        "startedBy": made.started_by,
        "tags": _tags(plan),
        "networkConfiguration": {
            "awsvpcConfiguration": {
                "subnets": list(site.subnet_ids),
                "securityGroups": [site.group_id],
                "assignPublicIp": "DISABLED",
            }
        },
    }


def _tags(plan: Plan) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in plan.tags.items()]
