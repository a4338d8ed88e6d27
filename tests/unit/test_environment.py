"""The environment of the server: what is set to what, and what is kept secret."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from byoc.components.environment import pool_size, server_environment
from byoc.components.spec import (
    ContainerSize,
    CreateDatabase,
    DeploymentSpec,
    ExistingDatabase,
    SeparateQueue,
    Tracing,
)
from byoc.errors import ByocError
from byoc.types import DeploymentType

QUEUE = SeparateQueue(cpu=512, memory=1024)


def spec(**changes: Any) -> DeploymentSpec:
    kind = DeploymentType.DEVELOPMENT
    made = DeploymentSpec(
        name="chat", type=kind, image="x:1", size=ContainerSize.of(kind), database=CreateDatabase.of(kind)
    )
    return replace(made, **changes)


def test_the_least_environment() -> None:
    made = server_environment(spec())
    assert dict(made.api.plain) == {
        "BG_JOB_SHUTDOWN_GRACE_PERIOD_SECS": "100",
        "LANGCHAIN_TRACING_V2": "false",
        "LANGGRAPH_POSTGRES_POOL_MAX_SIZE": "51",
        "LOG_JSON": "true",
        "N_JOBS_PER_WORKER": "10",
        "PORT": "8000",
    }
    assert made.secret == {}
    assert made.api.secret_names == ()
    assert made.queue is None


def test_all_that_a_user_sets_and_every_key_is_secret() -> None:
    made = server_environment(
        spec(
            environment={"GREETING": "hello"},
            secret_environment={"TOKEN": "t"},
            tracing=Tracing(project="chat", endpoint="https://eu.api.smith.langchain.com", api_key="lsv2"),
            license_key="licence",
        )
    )
    assert made.secret == {
        "GREETING": "hello",
        "TOKEN": "t",
        "LANGSMITH_API_KEY": "lsv2",
        "LANGGRAPH_CLOUD_LICENSE_KEY": "licence",
    }
    assert made.api.secret_names == ("GREETING", "LANGGRAPH_CLOUD_LICENSE_KEY", "LANGSMITH_API_KEY", "TOKEN")
    assert not made.secret.keys() & made.api.plain.keys()


def test_tracing_goes_to_its_endpoint_under_its_project() -> None:
    plain = server_environment(spec(tracing=Tracing(project="chat", endpoint="https://smith.acme.example"))).api.plain
    assert plain["LANGCHAIN_TRACING_V2"] == "true"
    assert plain["LANGSMITH_PROJECT"] == "chat"
    assert plain["LANGSMITH_ENDPOINT"] == "https://smith.acme.example"


def test_without_tracing_the_key_is_still_a_licence_credential_at_its_endpoint() -> None:
    tracing = Tracing(project="chat", endpoint="https://eu.api.smith.langchain.com", api_key="lsv2", enabled=False)
    made = server_environment(spec(tracing=tracing))
    assert made.api.plain["LANGCHAIN_TRACING_V2"] == "false"
    assert "LANGSMITH_PROJECT" not in made.api.plain
    assert made.api.plain["LANGSMITH_ENDPOINT"] == "https://eu.api.smith.langchain.com"
    assert made.secret == {"LANGSMITH_API_KEY": "lsv2"}


def test_optional_settings_appear_only_when_set() -> None:
    plain = server_environment(spec(mount_prefix="/agents", log_level="DEBUG", shutdown_grace_seconds=30)).api.plain
    assert plain["MOUNT_PREFIX"] == "/agents"
    assert plain["LOG_LEVEL"] == "DEBUG"
    assert plain["BG_JOB_SHUTDOWN_GRACE_PERIOD_SECS"] == "30"


def test_a_users_own_number_of_jobs_goes_before_the_default() -> None:
    made = server_environment(spec(environment={"N_JOBS_PER_WORKER": "3"}))
    assert "N_JOBS_PER_WORKER" not in made.api.plain
    assert "N_JOBS_PER_WORKER" in made.api.secret_names


def test_with_a_separate_queue_only_its_workers_run_jobs() -> None:
    for environment in ({}, {"N_JOBS_PER_WORKER": "3"}):
        made = server_environment(spec(queue=QUEUE, environment=environment))
        assert made.api.plain["N_JOBS_PER_WORKER"] == "0"
        assert "N_JOBS_PER_WORKER" not in made.api.secret_names
        assert made.queue is not None
        assert ("N_JOBS_PER_WORKER" in made.queue.secret_names) == bool(environment)
        assert made.queue.plain.get("N_JOBS_PER_WORKER") == (None if environment else "10")


@pytest.mark.parametrize(
    ("given", "pool"),
    [
        # db.t4g.micro: 112 connections less 10, for 2 containers in a rolling update.
        ({}, 51),
        ({"queue": QUEUE}, 25),
        ({"size": ContainerSize(cpu=1024, memory=2048, max_containers=4)}, 12),
        # db.m7g.large: 901 less 10 for 20.
        (
            {
                "database": CreateDatabase(instance_class="db.m7g.large"),
                "size": ContainerSize.of(DeploymentType.PRODUCTION),
            },
            44,
        ),
        ({"database": CreateDatabase(instance_class="db.m7g.large")}, 150),
        ({"database": CreateDatabase(instance_class="db.t4g.micro", pool_size=7)}, 7),
        ({"database": ExistingDatabase(uri="postgresql://x", pool_size=20)}, 20),
        ({"database": ExistingDatabase(uri="postgresql://x")}, None),
    ],
)
def test_the_pool_lets_every_container_of_a_rolling_update_connect(given: dict[str, Any], pool: int | None) -> None:
    assert pool_size(spec(**given)) == pool


@pytest.mark.parametrize("source", ["environment", "secret_environment"])
@pytest.mark.parametrize("name", ["DATABASE_URI", "PORT", "LANGSMITH_API_KEY", "LANGGRAPH_POSTGRES_POOL_MAX_SIZE"])
def test_a_variable_of_the_deployments_own_is_refused_without_its_value(source: str, name: str) -> None:
    with pytest.raises(ByocError) as refused:
        server_environment(spec(**{source: {name: "the-value", "FINE": "1"}}))
    message = str(refused.value)
    assert f".{name}\n" in message
    assert "the-value" not in message
    assert "FINE" not in message


@pytest.mark.parametrize("seconds", [-1, 120, 180])
def test_a_grace_that_fargate_would_cut_short_is_refused(seconds: int) -> None:
    with pytest.raises(ByocError, match="0 to 119"):
        server_environment(spec(shutdown_grace_seconds=seconds))


def test_development_and_production_are_the_documented_ones() -> None:
    assert ContainerSize.of(DeploymentType.DEVELOPMENT) == ContainerSize(cpu=1024, memory=2048)
    assert ContainerSize.of(DeploymentType.PRODUCTION) == ContainerSize(cpu=2048, memory=4096, max_containers=10)
    assert CreateDatabase.of(DeploymentType.DEVELOPMENT) == CreateDatabase(instance_class="db.t4g.micro")
    assert CreateDatabase.of(DeploymentType.PRODUCTION) == CreateDatabase(
        instance_class="db.m7g.large",
        storage_gb=50,
        max_storage_gb=500,
        multi_zone=True,
        backup_retention_days=7,
        deletion_protection=True,
        final_snapshot=True,
    )
