"""A deployment that is well, with all its settings, and troubles to put in."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from byoc.config import DeploymentSection
from byoc.operations.recovery.facts import (
    AlarmSettings,
    DatabaseSettings,
    Expected,
    Group,
    Opening,
    RecoveryFacts,
    ScalingSettings,
    ServiceSettings,
    StoppedContainer,
    StoppedTask,
    TaskSettings,
)
from byoc.operations.status.facts import Note, ServiceFacts
from tests.operations import situations
from tests.operations.situations import AT

IMAGE = "123456789012.dkr.ecr.us-west-2.amazonaws.com/agents/chat:1.0.0"
TOPIC = "arn:aws:sns:us-west-2:123456789012:langgraph-cloud-alarms"
STEP = "arn:aws:autoscaling:us-west-2:123456789012:scalingPolicy:1:resource/ecs/service/c/s:policyName/p"
TAGS = {"byoc-install": "langgraph-cloud", "byoc-deployment": "chat"}
POLICIES = ("langgraph-cloud-chat-scale-out", "langgraph-cloud-chat-scale-in")
LATER = AT + timedelta(minutes=20)
"""Twenty minutes after the last roll-out."""
SECTION = DeploymentSection.model_validate(
    {
        "type": "production",
        "image": IMAGE,
        "size": {"minContainers": 2, "maxContainers": 8},
        "database": {"maxStorageGb": None},
    }
)


def settings(**changes: Any) -> ServiceSettings:
    """A service as this library sets it."""
    well = ServiceSettings(
        tags=TAGS,
        groups=("sg-service",),
        public_ip=False,
        breaker=True,
        shell=False,
        minimum_percent=100,
        maximum_percent=200,
    )
    return replace(well, **changes)


def database(**changes: Any) -> DatabaseSettings:
    """The database of a production deployment as this library sets it."""
    well = DatabaseSettings(
        tags=TAGS,
        groups=("sg-data",),
        instance_class="db.m7g.large",
        engine_version="16.4",
        storage_gib=50,
        max_storage_gib=None,
        multi_az=True,
        backup_days=7,
        deletion_protection=True,
        public=False,
        free_gib=40.0,
    )
    return replace(well, **changes)


def recovery_facts(**changes: Any) -> RecoveryFacts:
    """A deployment that is well, but for ``changes``; ``api`` changes its service, ``rds`` the database's state."""
    api = changes.pop("api", situations.service())
    status = situations.facts(api=api, database=situations.database(changes.pop("rds", "available")))
    status = replace(status, services={**status.services, "cache": situations.service("cache", desired=1, running=1)})
    well = RecoveryFacts(
        at=LATER,
        expected=Expected(
            stack="demo-chat",
            deployment="chat",
            section=SECTION,
            own_database=True,
            install="langgraph-cloud",
            cluster="langgraph-cloud-cluster",
            topic="langgraph-cloud-alarms",
            service_group="langgraph-cloud-service-sg",
            data_group="langgraph-cloud-data-sg",
            policies={"api": POLICIES},
        ),
        status=status,
        stopped={"api": (), "cache": ()},
        services={"api": settings(), "cache": settings(groups=("sg-data",), minimum_percent=0, maximum_percent=100)},
        tasks={
            "api": TaskSettings(image=IMAGE, cpu=SECTION.size.cpu, memory=SECTION.size.memory),
            "cache": TaskSettings(image=SECTION.cache.image, cpu=256, memory=512),
        },
        database=database(),
        alarms=(
            AlarmSettings(subject="errors", enabled=True, actions=(TOPIC,)),
            AlarmSettings(subject="scale-in", enabled=True, actions=(STEP,)),
        ),
        scaling={"api": ScalingSettings(minimum=2, maximum=8, suspended=(), policies=POLICIES)},
        groups={
            "sg-service": Group(
                id="sg-service", name="langgraph-cloud-service-sg", openings=(Opening("tcp", 8000, 8000, "sg-lb"),)
            ),
            "sg-data": Group(
                id="sg-data",
                name="langgraph-cloud-data-sg",
                openings=(Opening("tcp", 5432, 5432, "sg-service"), Opening("tcp", 6379, 6379, "sg-service")),
            ),
        },
    )
    return replace(well, **changes)


def stopped(reason: str, code: str = "TaskFailedToStart", **more: Any) -> StoppedTask:
    """A task of the running revision that stopped ten minutes after the roll-out."""
    exit_code, said = more.pop("exit_code", None), more.pop("said", "")
    containers = (StoppedContainer(name="server", exit_code=exit_code, reason=said),)
    values: dict[str, Any] = {"revision": 7, "containers": containers, "at": AT + timedelta(minutes=10), **more}
    return StoppedTask(id="9f8e7d6c5b4a", stop_code=code, reason=reason, **values)


def note(text: str, minutes: int = 10) -> Note:
    """What the API's service said, so many minutes after the roll-out."""
    return Note(at=AT + timedelta(minutes=minutes), text=f"(service langgraph-cloud-chat-api) {text}")


def down(**changes: Any) -> ServiceFacts:
    """The API's service without a container, trying."""
    return situations.service(**{"running": 0, "rollout": "IN_PROGRESS", "failed_tasks": 4, **changes})
