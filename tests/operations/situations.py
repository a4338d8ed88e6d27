"""Facts of a deployment that is well, and how AWS's answers were when it was not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from byoc.operations.status.facts import (
    AlarmFacts,
    DatabaseFacts,
    Facts,
    IngressFacts,
    Note,
    Rollout,
    ServiceFacts,
    Unknown,
)

AT = datetime(2026, 5, 1, 8, 0, tzinfo=UTC)
DENIED = Unknown(why="rds:DescribeDBInstances: denied by the permissions boundary: no statement allows it")
THROTTLED = Unknown(why="ecs:DescribeServices: AWS is too busy for this account: ThrottlingException")


def service(role: str = "api", **changes: Any) -> ServiceFacts:
    """A service with two containers on its seventh revision."""
    well = ServiceFacts(
        name=f"langgraph-cloud-chat-{role}",
        status="ACTIVE",
        desired=2,
        running=2,
        pending=0,
        task_definition=f"langgraph-cloud-chat-{role}:7",
        rollout="COMPLETED",
        rollout_id="ecs-svc/7777777777777777777",
        changed_at=AT,
    )
    return replace(well, **changes)


def database(status: str = "available") -> DatabaseFacts:
    """A database in a state."""
    return DatabaseFacts(
        identifier="langgraph-cloud-chat",
        status=status,
        instance_class="db.m7g.large",
        engine_version="16.4",
        storage_gib=20,
        multi_az=True,
    )


def ingress(healthy: int | None = 2, *, state: str = "active", **unhealthy: int) -> IngressFacts:
    """A load balancer; the reasons of the unhealthy ones with an underscore for the dot."""
    reasons = {reason.replace("_", ".", 1): count for reason, count in unhealthy.items()}
    return IngressFacts(state=state, url="http://chat.example", healthy=healthy, unhealthy=reasons)


def facts(**changes: Any) -> Facts:
    """A deployment that is well, but for ``changes``; ``api`` and ``cache`` change its services."""
    services = {"api": changes.pop("api", service()), "cache": changes.pop("cache", service("cache"))}
    well = Facts(
        services=services,
        database=database(),
        ingress=ingress(),
        alarms=(AlarmFacts(subject="errors", state="OK"), AlarmFacts(subject="scale-in", state="ALARM")),
        image="registry/agents/chat:7",
    )
    return replace(well, **changes)


FAILED_ROLLOUT = Rollout(
    task_definition="langgraph-cloud-chat-api:8",
    state="FAILED",
    reason="ECS deployment circuit breaker: tasks failed to start.",
)
BACK = Note(at=AT, text="(service langgraph-cloud-chat-api) rolling back to deployment ecs-svc/7777777777777777777.")
BACK_LONG_AGO = Note(
    at=AT, text="(service langgraph-cloud-chat-api) rolling back to deployment ecs-svc/5555555555555555555."
)
