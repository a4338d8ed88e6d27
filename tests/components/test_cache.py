"""A deployment's cache: found by name, with a password that no command line shows, and nothing lasting in it."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

from byoc.components.cache import Cache, CacheArgs, start_script
from byoc.components.spec import CreateCache
from tests.components.deployments import (
    CLUSTER_ARN,
    EXECUTION_ROLE,
    NAMES,
    PASSWORD,
    REGISTRY,
    RUNTIME,
    SECRET,
    SECRET_TAGS,
    SERVICE,
    TAGS,
    TASK,
    VERSION,
    construct,
    containers_of,
    declared_outputs,
    waits_for,
)
from tests.components.harness import Recording, Secret
from tests.components.programs import ACCOUNT, outputs_of


def build(cache: CreateCache | None = None) -> Recording:
    args = CacheArgs(account=ACCOUNT, names=NAMES, deployment="chat", cache=cache or CreateCache(), runtime=RUNTIME)
    return construct(lambda opts: Cache("cache", args, opts))


def test_the_service_is_private_without_a_shell_and_never_runs_twice_at_once() -> None:
    recording = build()
    task = recording.only(TASK, "cache-task")
    registry = recording.only(REGISTRY, "cache-registry")
    assert registry.plain == {
        "name": "chat",
        "description": "The cache of LangGraph deployment chat",
        "dnsConfig": {
            "namespaceId": "ns-1",
            "routingPolicy": "MULTIVALUE",
            "dnsRecords": [{"type": "A", "ttl": 10}],
        },
        "tags": TAGS,
    }
    service = recording.only(SERVICE, "cache-service")
    assert service.plain == {
        "name": "langgraph-cloud-chat-cache",
        "cluster": CLUSTER_ARN,
        "taskDefinition": service.plain["taskDefinition"],
        "launchType": "FARGATE",
        "desiredCount": 1,
        "deploymentMinimumHealthyPercent": 0,
        "deploymentMaximumPercent": 100,
        "availabilityZoneRebalancing": "DISABLED",
        "deploymentCircuitBreaker": {"enable": True, "rollback": True},
        "networkConfiguration": {
            "subnets": ["subnet-a", "subnet-b"],
            "securityGroups": ["sg-data"],
            "assignPublicIp": False,
        },
        "serviceRegistries": {"registryArn": "arn:aws:test:us-west-2:123456789012:cache-registry"},
        "enableExecuteCommand": False,
        "enableEcsManagedTags": True,
        "propagateTags": "SERVICE",
        "waitForSteadyState": True,
        "tags": TAGS,
    }
    assert waits_for(recording, service) == {"TaskDefinition cache-task", "Service cache-registry"}
    assert waits_for(recording, task) == {"Secret cache-secret", "SecretVersion cache-secret-version"}


def test_the_task_has_no_task_role_and_its_password_is_pinned_to_a_version() -> None:
    recording = build()
    task = recording.only(TASK)
    version = recording.only(VERSION, "cache-secret-version")
    inputs = dict(task.plain)
    del inputs["containerDefinitions"]
    assert inputs == {
        "family": "langgraph-cloud-chat-cache",
        "requiresCompatibilities": ["FARGATE"],
        "networkMode": "awsvpc",
        "cpu": "256",
        "memory": "512",
        "runtimePlatform": {"operatingSystemFamily": "LINUX", "cpuArchitecture": "X86_64"},
        "executionRoleArn": EXECUTION_ROLE,
        "tags": TAGS,
    }
    (container,) = containers_of(task)
    (secret,) = container.pop("secrets")
    assert secret["name"] == "REDIS_PASSWORD"
    arn, _, pinned = secret["valueFrom"].partition(":REDIS_PASSWORD::")
    assert arn == "arn:aws:secretsmanager:us-west-2:123456789012:secret:langgraph-cloud/chat/cache"
    assert pinned.startswith("v-")
    assert version.plain["secretId"] == arn
    assert container == {
        "name": "cache",
        "image": "public.ecr.aws/docker/library/redis:7.4-alpine",
        "essential": True,
        "user": "999:1000",
        "command": ["sh", "-c", start_script(512)],
        "environment": [],
        "portMappings": [{"containerPort": 6379, "hostPort": 6379, "protocol": "tcp"}],
        "stopTimeout": 30,
        "healthCheck": {
            "command": ["CMD-SHELL", 'REDISCLI_AUTH="$REDIS_PASSWORD" redis-cli ping | grep -q PONG'],
            "interval": 10,
            "timeout": 5,
            "retries": 3,
            "startPeriod": 10,
        },
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {
                "awslogs-group": "/aws/ecs/langgraph-cloud",
                "awslogs-region": "us-west-2",
                "awslogs-stream-prefix": "chat",
                "mode": "non-blocking",
                "max-buffer-size": "4m",
            },
        },
    }


def test_the_password_is_kept_in_a_secret_of_its_own_and_nowhere_else() -> None:
    recording = build()
    assert recording.only(PASSWORD).plain == {"length": 40, "special": False}
    assert recording.only(SECRET, "cache-secret").plain == {
        "name": "langgraph-cloud/chat/cache",
        "description": "The cache of LangGraph deployment chat",
        "recoveryWindowInDays": 0,
        "tags": SECRET_TAGS,
    }
    sealed = recording.only(VERSION).inputs["secretString"]
    assert isinstance(sealed, Secret)
    assert json.loads(sealed.value) == {"REDIS_PASSWORD": "cache-password0Value"}
    elsewhere = [r.name for r in recording.custom if r.type != VERSION and "0Value" in json.dumps(r.plain)]
    assert elsewhere == []


def test_the_start_script_hands_the_password_over_in_a_file_and_not_as_an_argument(tmp_path: Path) -> None:
    # Run for real, with a redis-server that notes what it was given.
    fake = tmp_path / "redis-server"
    fake.write_text(
        '#!/bin/sh\necho "args: $*"\necho "env: [$REDIS_PASSWORD]"\nstat -c "mode: %a" "$1"\necho "conf: $(cat "$1")"\n'
    )
    fake.chmod(0o755)
    config = tmp_path / "redis.conf"
    script = start_script(512).replace("/tmp/redis.conf", str(config))
    shell = shutil.which("sh")
    assert shell is not None
    shown = subprocess.run(
        [shell, "-c", script],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin", "REDIS_PASSWORD": "pass"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert shown.splitlines() == [
        f"args: {config} --save  --appendonly no --maxmemory 384mb --maxmemory-policy noeviction",
        "env: []",
        "mode: 600",
        "conf: requirepass pass",
    ]


def test_the_uri_is_known_by_name_and_secret() -> None:
    uri = outputs_of(build(), "byoc:index:Cache")["uri"]
    assert uri == Secret("redis://:cache-password0Value@chat.langgraph-cloud-redis:6379/0")


def test_outputs_are_what_is_registered() -> None:
    outputs = outputs_of(build(), "byoc:index:Cache")
    assert outputs.keys() == declared_outputs(Cache)
    assert outputs["service_name"] == "langgraph-cloud-chat-cache"
