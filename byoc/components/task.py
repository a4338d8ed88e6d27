"""Container definitions of ECS tasks, as data. Pure: nothing is made here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi


@dataclass(frozen=True, kw_only=True)
class Container:
    """The one container of a task.

    ``environment``: plain values. ``secrets``: references into Secrets Manager, by variable. ``command``: by default
    the image's own. ``user``: by default the image's own. ``health_command``: a shell command, run every ten seconds
    inside the container; by default ECS does not look. ``stop_timeout_seconds``: from the request to stop to the
    kill, at most 120.
    """

    name: str
    image: pulumi.Input[str]
    port: int
    log_group_name: pulumi.Input[str]
    log_prefix: str
    region: str
    environment: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    secrets: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    command: Sequence[str] = ()
    user: str | None = None
    health_command: str | None = None
    stop_timeout_seconds: int


def container_definitions(container: Container) -> pulumi.Output[str]:
    """The JSON text of a task definition with this one container.

    Keys and variables are in order, so that the same container is the same text. Logs go to the given group without
    ever holding up the container: what 4 MB cannot buffer is dropped (AWS docs: awslogs ``non-blocking``).
    """
    definition: dict[str, object] = {
        "name": container.name,
        "image": container.image,
        "essential": True,
        "portMappings": [{"containerPort": container.port, "hostPort": container.port, "protocol": "tcp"}],
        "environment": [{"name": name, "value": value} for name, value in sorted(container.environment.items())],
        "secrets": [{"name": name, "valueFrom": source} for name, source in sorted(container.secrets.items())],
        "stopTimeout": container.stop_timeout_seconds,
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {
                "awslogs-group": container.log_group_name,
                "awslogs-region": container.region,
                "awslogs-stream-prefix": container.log_prefix,
                "mode": "non-blocking",
                "max-buffer-size": "4m",
            },
        },
    }
    if container.command:
        definition["command"] = list(container.command)
    if container.user is not None:
        definition["user"] = container.user
    if container.health_command is not None:
        definition["healthCheck"] = {
            "command": ["CMD-SHELL", container.health_command],
            "interval": 10,
            "timeout": 5,
            "retries": 3,
            "startPeriod": 10,
        }
    return pulumi.Output.json_dumps([definition], sort_keys=True)
