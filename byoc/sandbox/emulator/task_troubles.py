"""Troubles of ECS tasks on request: containers stop for a reason that AWS gave, and no other takes their place.

The emulator runs no container, so none fails by itself. What is planted here lasts until the service is updated: then
it is as well as any.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from moto.core.utils import utcnow

from byoc.sandbox.emulator.stored import Model, backend


@dataclass(frozen=True, kw_only=True)
class TaskTrouble:
    """What befalls a service. By default all of its containers stop, and nothing else is said."""

    cluster: str
    service: str
    reason: str = ""
    """ECS's ``stoppedReason``; empty: no container stops."""
    stop_code: str = "TaskFailedToStart"
    count: int | None = None
    """How many containers stop; None: all."""
    containers: tuple[Mapping[str, Any], ...] = ()
    """``reason`` and ``exitCode`` of the containers of each task, in their order."""
    events: tuple[str, ...] = ()
    """What the service says of it, the oldest first; ``(service <name>) `` is put before."""
    rollout: Mapping[str, Any] = field(default_factory=dict)
    """Fields of its newest roll-out that change, such as ``rolloutState``."""

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """A trouble from the control API; ``TypeError`` on an unknown field."""
        given: dict[str, Any] = {name: tuple(item) if isinstance(item, list) else item for name, item in value.items()}
        return cls(**given)


def befall(account: str, region: str, trouble: TaskTrouble) -> None:
    """Let it happen. Raises ``ValueError`` if there is no such service."""
    held = backend("ecs", account, region)
    service = held.services.get(f"{trouble.cluster}:{trouble.service}") if held is not None else None
    if held is None or service is None:
        raise ValueError(f"there is no service {trouble.service} in cluster {trouble.cluster}")
    if trouble.reason:
        _leave_groups(service, _stop(held, service, trouble), account, region)
    for text in trouble.events:
        message = f"(service {service.name}) {text}"
        service.events.insert(0, {"id": f"trouble-{len(service.events)}", "createdAt": utcnow(), "message": message})
    if service.deployments:
        service.deployments[0].update(trouble.rollout)


def _stop(held: Model, service: Model, trouble: TaskTrouble) -> list[dict[str, Any]]:
    group = f"service:{service.name}"
    tasks: list[dict[str, Any]] = [
        task
        for task in getattr(held, "service_tasks", {}).values()
        if task["group"] == group and task["lastStatus"] == "RUNNING"
    ][: trouble.count]
    for task in tasks:
        task.update(
            lastStatus="STOPPED",
            desiredStatus="STOPPED",
            stopCode=trouble.stop_code,
            stoppedReason=trouble.reason,
            stoppedAt=utcnow(),
        )
        for number, container in enumerate(task["containers"]):
            said = trouble.containers[number] if number < len(trouble.containers) else {}
            container.update(lastStatus="STOPPED", **said)
    service.running_count -= len(tasks)
    if service.deployments:
        newest = service.deployments[0]
        newest.update(runningCount=service.running_count, failedTasks=newest.get("failedTasks", 0) + len(tasks))
    return tasks


def _leave_groups(service: Model, tasks: list[dict[str, Any]], account: str, region: str) -> None:
    """A task that stopped is not behind the load balancer."""
    held = backend("elbv2", account, region)
    addresses = [task["attachments"][0]["details"][0]["value"] for task in tasks]
    for balancer in service.load_balancers or []:
        group = held.target_groups.get(balancer.get("targetGroupArn")) if held is not None else None
        if group is not None:
            for address in addresses:
                group.targets.pop(address, None)
