"""A deployment as a whole: what belongs to each type, what waits for what, and what a revision changes."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from byoc.components.deployment import Deployment
from byoc.components.spec import (
    ContainerSize,
    CreateDatabase,
    DeploymentSpec,
    ExistingCache,
    ExistingDatabase,
    IngressSettings,
    SeparateQueue,
    Tracing,
)
from byoc.errors import ByocError
from byoc.types import DeploymentType
from tests.components.deployments import (
    ALARM,
    CERTIFICATE,
    INSTANCE,
    LISTENER,
    LOAD_BALANCER,
    PARAMETERS,
    PASSWORD,
    POLICY,
    RANDOM_ID,
    REGISTRY,
    SECRET,
    SERVICE,
    TARGET,
    TARGET_GROUP,
    TASK,
    VERSION,
    containers_of,
    declared_outputs,
    deploy,
    spec,
    waiting_for,
)
from tests.components.harness import Recording, Secret
from tests.components.programs import outputs_of

PRODUCTION = DeploymentType.PRODUCTION
CUSTOM: dict[str, Any] = {
    "database": ExistingDatabase(uri="postgresql://me:secret-db@db.example/x"),
    "cache": ExistingCache(uri="redis://:secret-redis@redis.example"),
}


def counts(recording: Recording) -> dict[str, int]:
    return dict(Counter(r.type for r in recording.custom))


# What belongs to each type


def test_a_development_deployment_is_these_resources() -> None:
    assert counts(deploy()) == {
        PASSWORD: 2,
        PARAMETERS: 1,
        INSTANCE: 1,
        SECRET: 3,
        VERSION: 3,
        REGISTRY: 1,
        LOAD_BALANCER: 1,
        TARGET_GROUP: 1,
        LISTENER: 1,
        TASK: 2,
        SERVICE: 2,
        ALARM: 9,
    }


def test_a_production_deployment_adds_scaling_and_the_name_of_a_final_snapshot() -> None:
    added = Counter(counts(deploy(spec(PRODUCTION)))) - Counter(counts(deploy()))
    assert added == {RANDOM_ID: 1, TARGET: 1, POLICY: 2, ALARM: 2}


def test_sizes_are_the_documented_ones() -> None:
    sizes = {}
    for kind in DeploymentType:
        recording = deploy(spec(kind))
        task = recording.only(TASK, "chat-service-api-task").plain
        sizes[kind] = (task["cpu"], task["memory"], [t.plain["maxCapacity"] for t in recording.of_type(TARGET)])
    assert sizes == {DeploymentType.DEVELOPMENT: ("1024", "2048", []), PRODUCTION: ("2048", "4096", [10])}


def test_only_a_production_database_is_protected() -> None:
    assert [r.name for r in deploy().registrations if r.protect] == []
    assert [r.name for r in deploy(spec(PRODUCTION)).registrations if r.protect] == ["chat-database-instance"]


def test_custom_uris_create_no_database_and_no_cache() -> None:
    recording = deploy(spec(**CUSTOM))
    assert not recording.types & {INSTANCE, PARAMETERS, PASSWORD, RANDOM_ID, REGISTRY}
    assert [r.name for r in recording.of_type(SERVICE)] == ["chat-service-api"]
    assert [r.plain["name"] for r in recording.of_type(SECRET)] == [
        "langgraph-cloud/chat/connections",
        "langgraph-cloud/chat/environment",
    ]
    sealed = recording.only(VERSION, "chat-secrets-connections-version").inputs["secretString"]
    assert isinstance(sealed, Secret)
    assert json.loads(sealed.value) == {
        "DATABASE_URI": "postgresql://me:secret-db@db.example/x",
        "REDIS_URI": "redis://:secret-redis@redis.example",
    }
    assert recording.outputs[recording.only("byoc:index:Deployment").urn]["database_identifier"] == ""
    assert not {"byoc:index:Database", "byoc:index:Cache"} & {r.type for r in recording.registrations}


def test_a_custom_database_without_pool_size_leaves_the_servers_own() -> None:
    (container,) = containers_of(deploy(spec(**CUSTOM)).only(TASK))
    assert "LANGGRAPH_POSTGRES_POOL_MAX_SIZE" not in {entry["name"] for entry in container["environment"]}


# What waits for what


def test_only_the_server_and_what_follows_it_waits_for_the_database() -> None:
    recording = deploy(spec(PRODUCTION, queue=SeparateQueue(cpu=512, memory=1024, max_containers=2)))
    assert waiting_for(recording, recording.only(INSTANCE)) == {
        "SecretVersion chat-secrets-connections-version",
        "TaskDefinition chat-service-api-task",
        "TaskDefinition chat-service-queue-task",
        "Service chat-service-api",
        "Service chat-service-queue",
        "Target chat-scaling-target",
        "Policy chat-scaling-in",
        "Policy chat-scaling-out",
        "MetricAlarm chat-scaling-in-alarm",
        "MetricAlarm chat-scaling-out-alarm",
        "Target chat-queue-scaling-target",
        "Policy chat-queue-scaling-cpu",
        "MetricAlarm chat-alarms-api-not-running",
        "MetricAlarm chat-alarms-api-tasks-missing",
        "MetricAlarm chat-alarms-queue-not-running",
        "MetricAlarm chat-alarms-queue-tasks-missing",
    }


def test_the_cache_waits_for_nothing_but_its_own() -> None:
    recording = deploy()
    cache = recording.only(SERVICE, "chat-cache-service")
    before = {r.name for r in recording.custom if cache.urn in _downstream(recording, r.urn)}
    assert before == {
        "chat-cache-password",
        "chat-cache-secret",
        "chat-cache-secret-version",
        "chat-cache-registry",
        "chat-cache-task",
    }


def _downstream(recording: Recording, urn: str) -> set[str]:
    found: set[str] = set()
    waiting = [urn]
    while waiting:
        needed = waiting.pop()
        more = {r.urn for r in recording.custom if needed in r.dependencies} - found
        found |= more
        waiting += more
    return found


# What a revision changes


def changed(before: Recording, after: Recording) -> set[str]:
    old, new = ({r.urn: r for r in recording.custom} for recording in (before, after))
    assert old.keys() == new.keys()
    return {
        f"{new[urn].type.rsplit(':', 1)[1]} {new[urn].name}"
        for urn in old
        if old[urn].plain != new[urn].plain or old[urn].ignore_changes != new[urn].ignore_changes
    }


TASK_AND_SERVICE = {"TaskDefinition chat-service-api-task", "Service chat-service-api"}
ENVIRONMENT = {"SecretVersion chat-secrets-environment-version"}


@pytest.mark.parametrize("kind", list(DeploymentType))
@pytest.mark.parametrize(
    ("change", "also"),
    [
        ({"image": "other:2"}, set()),
        ({"environment": {"GREETING": "bye"}}, ENVIRONMENT),
        ({"environment": {}}, ENVIRONMENT),
        ({"secret_environment": {"OPENAI_API_KEY": "sk-new"}}, ENVIRONMENT),
        ({"license_key": "new"}, ENVIRONMENT),
        ({"tracing": Tracing(project="chat", endpoint="https://eu.api.smith.langchain.com", api_key="k")}, ENVIRONMENT),
        ({"log_level": "DEBUG"}, set()),
        ({"shutdown_grace_seconds": 60}, set()),
    ],
)
def test_a_revision_changes_the_task_definition_and_the_service(
    kind: DeploymentType, change: dict[str, Any], also: set[str]
) -> None:
    assert changed(deploy(spec(kind)), deploy(spec(kind, **change))) == TASK_AND_SERVICE | also


def test_a_revision_of_another_container_size_changes_nothing_else() -> None:
    larger = ContainerSize(cpu=4096, memory=8192, max_containers=10)
    assert changed(deploy(spec(PRODUCTION)), deploy(spec(PRODUCTION, size=larger))) == TASK_AND_SERVICE


def test_other_bounds_change_the_scaling_and_the_pool() -> None:
    wider = ContainerSize(cpu=2048, memory=4096, max_containers=12)
    assert changed(deploy(spec(PRODUCTION)), deploy(spec(PRODUCTION, size=wider))) == TASK_AND_SERVICE | {
        "Target chat-scaling-target",
        "Policy chat-scaling-in",
        "Policy chat-scaling-out",
        "MetricAlarm chat-scaling-in-alarm",
        "MetricAlarm chat-scaling-out-alarm",
    }


def test_a_revision_with_a_separate_queue_changes_both_services() -> None:
    queue = SeparateQueue(cpu=512, memory=1024, max_containers=3)
    before, after = deploy(spec(PRODUCTION, queue=queue)), deploy(spec(PRODUCTION, queue=queue, image="other:2"))
    assert changed(before, after) == TASK_AND_SERVICE | {
        "TaskDefinition chat-service-queue-task",
        "Service chat-service-queue",
    }


# Secrets


def test_no_secret_is_seen_outside_sealed_inputs() -> None:
    wanted = spec(PRODUCTION, license_key="licence-value")
    recording = deploy(wanted)
    secrets = ("sk-user", "lsv2-key", "licence-value", "0Value")
    for registration in recording.registrations:
        open_text = json.dumps(dict(registration.inputs), default=lambda _: "[sealed]")
        assert not any(secret in open_text for secret in secrets), registration.name
    for urn, outputs in recording.outputs.items():
        open_text = json.dumps(dict(outputs), default=lambda _: "[sealed]")
        assert not any(secret in open_text for secret in secrets), urn


# The outside


def test_outputs_are_what_is_registered() -> None:
    queue = SeparateQueue(cpu=512, memory=1024)
    recording = deploy(spec(queue=queue, ingress=IngressSettings(certificate_arn=CERTIFICATE), mount_prefix="/chat"))
    outputs = outputs_of(recording, "byoc:index:Deployment")
    arn = "arn:aws:secretsmanager:us-west-2:123456789012:secret:langgraph-cloud/chat"
    assert outputs.keys() == declared_outputs(Deployment)
    assert outputs == {
        "url": "https://langgraph-cloud-chat.elb.amazonaws.com/chat",
        "load_balancer_dns_name": "langgraph-cloud-chat.elb.amazonaws.com",
        "service_name": "langgraph-cloud-chat-api",
        "queue_service_name": "langgraph-cloud-chat-queue",
        "task_definition_arn": recording.only(SERVICE, "chat-service-api").plain["taskDefinition"],
        "image": "123456789012.dkr.ecr.us-west-2.amazonaws.com/chat:1",
        "database_identifier": "langgraph-cloud-chat",
        "environment_secret_arn": f"{arn}/environment",
        "connections_secret_arn": f"{arn}/connections",
    }


def test_everything_is_a_child_of_the_deployment_and_carries_its_tag() -> None:
    recording = deploy(spec(PRODUCTION, queue=SeparateQueue(cpu=512, memory=1024, max_containers=2)))
    assert all("byoc:index:Deployment$byoc:index:" in r.urn for r in recording.custom)
    untagged = {r.type for r in recording.custom if r.plain.get("tags", {}).get("byoc-deployment") != "chat"}
    assert untagged == {PASSWORD, RANDOM_ID, VERSION, POLICY}  # these cannot carry tags


def test_two_deployments_stand_beside_each_other() -> None:
    names = {
        deployment: {r.plain["name"] for r in deploy(_named(deployment)).custom if "name" in r.plain}
        for deployment in ("chat", "support")
    }
    assert not names["chat"] & names["support"]


def _named(name: str) -> DeploymentSpec:
    made = spec(PRODUCTION)
    return DeploymentSpec(name=name, type=made.type, image=made.image, size=made.size, database=made.database)


def test_without_tracing_it_is_switched_off_and_no_key_is_asked_for() -> None:
    recording = deploy(_named("chat"))
    (container,) = containers_of(recording.only(TASK, "chat-service-api-task"))
    plain = {entry["name"]: entry["value"] for entry in container["environment"]}
    assert plain["LANGCHAIN_TRACING_V2"] == "false"
    assert not {"LANGSMITH_PROJECT", "LANGSMITH_ENDPOINT"} & plain.keys()
    assert recording.only(VERSION, "chat-secrets-environment-version").plain["secretString"] == "{}"


def test_a_reserved_variable_is_refused_before_anything_is_made() -> None:
    with pytest.raises(ByocError, match=r"environment\.DATABASE_URI"):
        deploy(spec(environment={"DATABASE_URI": "postgresql://mine"}))


def test_all_containers_of_a_rolling_update_fit_the_database() -> None:
    tiny = CreateDatabase(instance_class="db.t4g.small")
    wanted = spec(PRODUCTION, database=tiny, queue=SeparateQueue(cpu=512, memory=1024, containers=1, max_containers=5))
    recording = deploy(wanted)
    (container,) = containers_of(recording.only(TASK, "chat-service-api-task"))
    pool = {entry["name"]: entry["value"] for entry in container["environment"]}["LANGGRAPH_POSTGRES_POOL_MAX_SIZE"]
    # 2 GiB are 225 connections, 10 of them kept free, for 2 x 10 API and 2 x 5 queue containers.
    assert int(pool) == (225 - 10) // 30
