"""The server's services: private, without a shell, with every value pinned; the queue apart where asked for."""

from __future__ import annotations

from typing import Any

from byoc.components.service import Service
from byoc.components.spec import ContainerSize, DeploymentSpec, SeparateQueue
from byoc.types import DeploymentType
from tests.components.deployments import (
    CLUSTER_ARN,
    EXECUTION_ROLE,
    SERVICE,
    TAGS,
    TASK,
    TASK_ROLE,
    containers_of,
    declared_outputs,
    deploy,
    spec,
    waits_for,
)
from tests.components.programs import outputs_of

QUEUE = SeparateQueue(cpu=512, memory=1024, containers=2, max_containers=4)


def container(wanted: DeploymentSpec, task: str = "chat-service-api-task") -> Any:
    (only,) = containers_of(deploy(wanted).only(TASK, task))
    return only


def plain(definition: Any) -> dict[str, str]:
    return {entry["name"]: entry["value"] for entry in definition["environment"]}


def secret_names(definition: Any) -> list[str]:
    return [entry["name"] for entry in definition["secrets"]]


def test_the_service_is_private_has_no_shell_and_goes_back_when_a_revision_fails() -> None:
    recording = deploy()
    service = recording.only(SERVICE, "chat-service-api")
    assert service.plain == {
        "name": "langgraph-cloud-chat-api",
        "cluster": CLUSTER_ARN,
        "taskDefinition": service.plain["taskDefinition"],
        "launchType": "FARGATE",
        "desiredCount": 1,
        "deploymentMinimumHealthyPercent": 100,
        "deploymentMaximumPercent": 200,
        "deploymentCircuitBreaker": {"enable": True, "rollback": True},
        "networkConfiguration": {
            "subnets": ["subnet-a", "subnet-b"],
            "securityGroups": ["sg-service"],
            "assignPublicIp": False,
        },
        "loadBalancers": [
            {
                "targetGroupArn": "arn:aws:test:us-west-2:123456789012:chat-ingress-target-group",
                "containerName": "server",
                "containerPort": 8000,
            }
        ],
        "healthCheckGracePeriodSeconds": 300,
        "enableExecuteCommand": False,
        "enableEcsManagedTags": True,
        "propagateTags": "SERVICE",
        "waitForSteadyState": True,
        "tags": TAGS,
    }
    assert service.plain["taskDefinition"].startswith(
        "arn:aws:ecs:us-west-2:123456789012:task-definition/langgraph-cloud-chat-api:"
    )


def test_the_task_runs_the_image_under_the_runtimes_roles() -> None:
    inputs = dict(deploy().only(TASK, "chat-service-api-task").plain)
    del inputs["containerDefinitions"]
    assert inputs == {
        "family": "langgraph-cloud-chat-api",
        "requiresCompatibilities": ["FARGATE"],
        "networkMode": "awsvpc",
        "cpu": "1024",
        "memory": "2048",
        "runtimePlatform": {"operatingSystemFamily": "LINUX", "cpuArchitecture": "X86_64"},
        "executionRoleArn": EXECUTION_ROLE,
        "taskRoleArn": TASK_ROLE,
        "tags": TAGS,
    }


def test_the_container_has_settings_in_plain_and_all_else_pinned_in_secrets_manager() -> None:
    definition = container(spec())
    sources = {entry["name"]: entry["valueFrom"] for entry in definition.pop("secrets")}
    base = "arn:aws:secretsmanager:us-west-2:123456789012:secret:langgraph-cloud/chat"
    assert {name: source.rpartition("::")[0] for name, source in sources.items()} == {
        "DATABASE_URI": f"{base}/connections:DATABASE_URI",
        "GREETING": f"{base}/environment:GREETING",
        "LANGSMITH_API_KEY": f"{base}/environment:LANGSMITH_API_KEY",
        "OPENAI_API_KEY": f"{base}/environment:OPENAI_API_KEY",
        "REDIS_URI": f"{base}/connections:REDIS_URI",
    }
    assert all(source.rpartition("::")[2].startswith("v-") for source in sources.values())
    assert definition == {
        "name": "server",
        "image": "123456789012.dkr.ecr.us-west-2.amazonaws.com/chat:1",
        "essential": True,
        "portMappings": [{"containerPort": 8000, "hostPort": 8000, "protocol": "tcp"}],
        "environment": [
            {"name": "BG_JOB_SHUTDOWN_GRACE_PERIOD_SECS", "value": "100"},
            {"name": "LANGCHAIN_TRACING_V2", "value": "true"},
            {"name": "LANGGRAPH_POSTGRES_POOL_MAX_SIZE", "value": "51"},
            {"name": "LANGSMITH_ENDPOINT", "value": "https://api.smith.langchain.com"},
            {"name": "LANGSMITH_PROJECT", "value": "chat"},
            {"name": "LOG_JSON", "value": "true"},
            {"name": "N_JOBS_PER_WORKER", "value": "10"},
            {"name": "PORT", "value": "8000"},
        ],
        "stopTimeout": 120,
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


def test_a_changed_secret_is_a_changed_task_definition() -> None:
    before, after = container(spec()), container(spec(secret_environment={"OPENAI_API_KEY": "sk-new"}))
    assert "sk-new" not in str(after)
    assert before["secrets"] != after["secrets"]
    connections = [entry for entry in before["secrets"] if entry["name"] in ("DATABASE_URI", "REDIS_URI")]
    assert all(entry in after["secrets"] for entry in connections)


def test_the_service_comes_after_the_listener_and_the_cache() -> None:
    recording = deploy()
    assert waits_for(recording, recording.only(SERVICE, "chat-service-api")) == {
        "TaskDefinition chat-service-api-task",
        "TargetGroup chat-ingress-target-group",
        "Listener chat-ingress-listener",
        "Service chat-cache-service",
    }


def test_a_number_of_containers_that_follows_the_load_is_left_to_the_scaling() -> None:
    fixed = deploy(spec(size=ContainerSize(cpu=1024, memory=2048, min_containers=3, max_containers=3)))
    scaled = deploy(spec(DeploymentType.PRODUCTION))
    assert fixed.only(SERVICE, "chat-service-api").plain["desiredCount"] == 3
    assert fixed.only(SERVICE, "chat-service-api").ignore_changes == ()
    assert scaled.only(SERVICE, "chat-service-api").plain["desiredCount"] == 1
    assert scaled.only(SERVICE, "chat-service-api").ignore_changes == ("desiredCount",)


def test_by_default_one_service_does_both() -> None:
    recording = deploy()
    assert [r.name for r in recording.of_type(SERVICE)] == ["chat-cache-service", "chat-service-api"]
    assert outputs_of(recording, "byoc:index:Service")["queue_service_name"] == ""


def test_a_separate_queue_is_the_same_image_without_a_load_balancer() -> None:
    recording = deploy(spec(queue=QUEUE))
    service = recording.only(SERVICE, "chat-service-queue")
    api = recording.only(SERVICE, "chat-service-api")
    differences = {
        key for key in api.plain.keys() | service.plain.keys() if api.plain.get(key) != service.plain.get(key)
    }
    assert differences == {
        "name",
        "taskDefinition",
        "desiredCount",
        "loadBalancers",
        "healthCheckGracePeriodSeconds",
    }
    assert (service.plain["name"], service.plain["desiredCount"]) == ("langgraph-cloud-chat-queue", 2)
    assert service.ignore_changes == ("desiredCount",)
    task = recording.only(TASK, "chat-service-queue-task")
    assert (task.plain["cpu"], task.plain["memory"], task.plain["family"]) == (
        "512",
        "1024",
        "langgraph-cloud-chat-queue",
    )
    (worker,) = containers_of(task)
    assert (worker["name"], worker["command"]) == ("queue", ["/storage/queue_entrypoint.sh"])
    assert worker["image"] == "123456789012.dkr.ecr.us-west-2.amazonaws.com/chat:1"


def test_with_a_separate_queue_the_api_runs_no_background_runs() -> None:
    wanted = spec(queue=QUEUE, environment={"N_JOBS_PER_WORKER": "4"})
    api, worker = container(wanted), container(wanted, "chat-service-queue-task")
    assert plain(api)["N_JOBS_PER_WORKER"] == "0"
    assert "N_JOBS_PER_WORKER" not in secret_names(api)
    assert "N_JOBS_PER_WORKER" not in plain(worker)
    assert "N_JOBS_PER_WORKER" in secret_names(worker)


def test_no_variable_is_given_twice() -> None:
    wanted = spec(queue=QUEUE, environment={"N_JOBS_PER_WORKER": "4"}, log_level="DEBUG", mount_prefix="/x")
    for task in ("chat-service-api-task", "chat-service-queue-task"):
        definition = container(wanted, task)
        names = [*plain(definition), *secret_names(definition)]
        assert len(names) == len(set(names))


def test_outputs_are_what_is_registered() -> None:
    recording = deploy(spec(queue=QUEUE))
    outputs = outputs_of(recording, "byoc:index:Service")
    assert outputs.keys() == declared_outputs(Service)
    assert outputs["service_name"] == "langgraph-cloud-chat-api"
    assert outputs["queue_service_name"] == "langgraph-cloud-chat-queue"
