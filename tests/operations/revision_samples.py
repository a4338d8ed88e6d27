"""Answers of ECS about task definitions and services, as its API reference describes them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from byoc.operations.revisions.definitions import Definition, definition

FAMILY = "langgraph-cloud-chat-api"
REPOSITORY = "123456789012.dkr.ecr.us-west-2.amazonaws.com/agents/chat"
SECRET = "arn:aws:secretsmanager:us-west-2:123456789012:secret:langgraph-cloud/chat"
ROLE = "arn:aws:sts::123456789012:assumed-role/LangGraphCloudBYOCRole/byoc"
START = datetime(2026, 5, 1, 8, tzinfo=UTC)


def described(
    number: int,
    *,
    tag: str = "1.0.0",
    environment: dict[str, str] | None = None,
    names: tuple[str, ...] = ("OPENAI_API_KEY",),
    version: str = "v1",
    cpu: str = "1024",
    memory: str = "2048",
    active: bool = True,
    tags: dict[str, str] | None = None,
    family: str = FAMILY,
    **container: Any,
) -> dict[str, Any]:
    """An answer of ``ecs:DescribeTaskDefinition``."""
    secrets = [{"name": name, "valueFrom": f"{SECRET}/environment-AbCdEf:{name}::{version}"} for name in names]
    secrets.append({"name": "DATABASE_URI", "valueFrom": f"{SECRET}/connections-GhIjKl:DATABASE_URI::c1"})
    plain = {"PORT": "8000"} if environment is None else environment
    return {
        "taskDefinition": {
            "taskDefinitionArn": f"arn:aws:ecs:us-west-2:123456789012:task-definition/{family}:{number}",
            "family": family,
            "revision": number,
            "status": "ACTIVE" if active else "INACTIVE",
            "cpu": cpu,
            "memory": memory,
            "networkMode": "awsvpc",
            "executionRoleArn": "arn:aws:iam::123456789012:role/LangGraphCloudECSTaskExecutionRole",
            "volumes": [],
            "containerDefinitions": [
                {
                    "name": "server",
                    "image": f"{REPOSITORY}:{tag}",
                    "environment": [{"name": name, "value": value} for name, value in plain.items()],
                    "secrets": secrets,
                    "stopTimeout": 120,
                    **container,
                }
            ],
            "requiresAttributes": [{"name": "com.amazonaws.ecs.capability.task-iam-role"}],
            "compatibilities": ["EC2", "FARGATE"],
            "registeredAt": START + timedelta(hours=number),
            "registeredBy": ROLE,
        },
        "tags": [{"key": key, "value": value} for key, value in (tags or {"byoc-deployment": "chat"}).items()],
    }


def sample(number: int, **more: Any) -> Definition:
    """A registered task definition."""
    return definition(described(number, **more))
