"""Task definition, service, scaling, alarms and dashboard, through their whole lives on the emulator."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from byoc.errors import ByocError
from byoc.sandbox.emulator.server import Emulator
from byoc.sandbox.handlers.ecs_service import _is_steady
from tests.sandbox.deployment_life import (
    HANDLERS,
    Stage,
    Thing,
    assert_listed,
    born,
    changed,
    ended,
    live,
    make,
    open_stage,
)

TASK = "aws:ecs/taskDefinition:TaskDefinition"
SERVICE = "aws:ecs/service:Service"
TARGET = "aws:appautoscaling/target:Target"
POLICY = "aws:appautoscaling/policy:Policy"
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
DASHBOARD = "aws:cloudwatch/dashboard:Dashboard"


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator.in_process() as running:
        yield running


@pytest.fixture
def stage(emulator: Emulator) -> Stage:
    return open_stage(emulator)


def task_inputs(image: str = "repository/image:1", **more: Any) -> dict[str, Any]:
    container = {
        "name": "server",
        "image": image,
        "essential": True,
        "portMappings": [{"containerPort": 8000, "hostPort": 8000, "protocol": "tcp"}],
        "environment": [{"name": "B", "value": "2"}, {"name": "A", "value": "1"}],
        "stopTimeout": 120,
    }
    return {
        "family": "langgraph-cloud-chat-api",
        "containerDefinitions": json.dumps([container]),
        "cpu": "1024",
        "memory": "2048",
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "runtimePlatform": {"operatingSystemFamily": "LINUX", "cpuArchitecture": "X86_64"},
        **more,
    }


def service_inputs(stage: Stage, task: Thing, **more: Any) -> dict[str, Any]:
    places = stage.network()
    cluster = stage.aws.client("ecs").create_cluster(clusterName="langgraph-cloud-cluster")["cluster"]["clusterArn"]
    return {
        "name": "langgraph-cloud-chat-api",
        "cluster": cluster,
        "taskDefinition": task.outputs["arn"],
        "launchType": "FARGATE",
        "desiredCount": 2,
        "deploymentCircuitBreaker": {"enable": True, "rollback": True},
        "networkConfiguration": {
            "subnets": [places["a"], places["b"]],
            "securityGroups": [places["group"]],
            "assignPublicIp": False,
        },
        "enableEcsManagedTags": True,
        "propagateTags": "SERVICE",
        "waitForSteadyState": True,
        **more,
    }


def service_of(stage: Stage, thing: Thing) -> Mapping[str, Any]:
    answer = stage.aws.client("ecs").describe_services(cluster=thing.inputs["cluster"], services=[thing.id])
    found: Mapping[str, Any] = answer["services"][0]
    return found


def revisions(stage: Stage, status: str = "ACTIVE") -> list[str]:
    arns = stage.aws.client("ecs").list_task_definitions(status=status)["taskDefinitionArns"]
    return [arn.rpartition("/")[2] for arn in arns]


def test_a_task_definition_makes_the_provider_s_calls_all_its_life(stage: Stage) -> None:
    thing = born(stage, TASK, "aws_ecs_task_definition", task_inputs())
    assert thing.id == "langgraph-cloud-chat-api"
    arn = f"arn:aws:ecs:eu-west-1:{stage.aws.account_id}:task-definition/langgraph-cloud-chat-api"
    assert (thing.outputs["arn"], thing.outputs["arnWithoutRevision"]) == (f"{arn}:1", arn)
    assert thing.outputs["revision"] == 1
    with stage.noted() as of_update:
        new = born(stage, TASK, "aws_ecs_task_definition", task_inputs("repository/image:2"))
        thing.handler.delete(stage.aws, thing.id, thing.state)
    assert_listed("aws_ecs_task_definition", "update", of_update)
    assert new.id == thing.id
    assert revisions(stage) == ["langgraph-cloud-chat-api:2"]
    ended(stage, new, "aws_ecs_task_definition")
    assert revisions(stage) == []


def test_tags_of_a_task_definition_change_without_another_revision(stage: Stage) -> None:
    thing = make(stage, TASK, **task_inputs())
    tagged = changed(stage, thing, {**task_inputs(), "tags": {"team": "a"}})
    assert tagged.outputs == thing.outputs
    tags = stage.aws.client("ecs").list_tags_for_resource(resourceArn=thing.outputs["arn"])["tags"]
    assert {"key": "team", "value": "a"} in tags
    changed(stage, tagged, task_inputs())
    tags = stage.aws.client("ecs").list_tags_for_resource(resourceArn=thing.outputs["arn"])["tags"]
    assert [tag["key"] for tag in tags] == ["byoc-install"]


def test_a_revision_is_known_by_its_content_when_somebody_else_has_registered_another(stage: Stage) -> None:
    ours = make(stage, TASK, **task_inputs())
    make(stage, TASK, **task_inputs("repository/image:strange"))
    assert ours.handler.read(stage.aws, ours.id, ours.inputs) == ours.outputs


def test_a_revision_with_our_content_and_other_tags_is_not_taken_for_ours(stage: Stage) -> None:
    theirs = make(stage, TASK, **task_inputs(), tags={"team": "another"})
    assert theirs.handler.find(stage.aws, theirs.inputs) == theirs.id
    assert theirs.handler.find(stage.aws, stage.checked(theirs.handler, task_inputs())) is None


def test_a_revision_that_was_registered_and_never_read_is_deregistered_all_the_same(stage: Stage) -> None:
    handler = HANDLERS[TASK]
    inputs = stage.checked(handler, task_inputs())
    made = handler.create(stage.aws, inputs)
    handler.delete(stage.aws, made, inputs)
    assert revisions(stage) == []


def test_a_task_definition_that_is_kept_says_so(stage: Stage) -> None:
    thing = make(stage, TASK, **task_inputs(skipDestroy=True))
    thing.handler.delete(stage.aws, thing.id, thing.state)
    assert revisions(stage) == ["langgraph-cloud-chat-api:1"]
    assert thing.handler.leaves(thing.state) == (f"task definition {thing.outputs['arn']}",)


def test_a_service_makes_the_provider_s_calls_all_its_life(stage: Stage) -> None:
    first = make(stage, TASK, **task_inputs())
    second = make(stage, TASK, **task_inputs("repository/image:2"))
    inputs = service_inputs(stage, first)
    thing = live(
        stage,
        SERVICE,
        "aws_ecs_service",
        inputs,
        changes=[
            {"taskDefinition": second.outputs["arn"]},
            {"desiredCount": 3},
            {"healthCheckGracePeriodSeconds": 300, "deploymentMinimumHealthyPercent": 50},
            {"waitForSteadyState": False},
        ],
    )
    assert thing.id == thing.outputs["arn"]
    assert thing.outputs["name"] == "langgraph-cloud-chat-api"
    assert thing.outputs["cluster"] == inputs["cluster"]
    assert thing.outputs["taskDefinition"] == first.outputs["arn"]


def test_a_revision_updates_the_service_with_its_task_definition_and_nothing_else(stage: Stage) -> None:
    first = make(stage, TASK, **task_inputs())
    second = make(stage, TASK, **task_inputs("repository/image:2"))
    inputs = service_inputs(stage, first)
    thing = make(stage, SERVICE, **inputs)
    sent: list[Mapping[str, Any]] = []
    client = stage.aws.client("ecs")

    def note(params: Mapping[str, Any], **_: Any) -> None:
        sent.append(json.loads(params["body"]))

    client.meta.events.register("before-call.ecs.UpdateService", note)
    try:
        new = stage.checked(thing.handler, {**inputs, "taskDefinition": second.outputs["arn"]}, thing.inputs)
        thing.handler.update(stage.aws, thing.id, thing.inputs, new)
    finally:
        client.meta.events.unregister("before-call.ecs.UpdateService", note)
    assert sent == [
        {
            "cluster": inputs["cluster"],
            "service": thing.id,
            "taskDefinition": second.outputs["arn"],
            "forceNewDeployment": False,
        }
    ]


def test_a_service_is_scaled_to_nothing_before_it_is_deleted(stage: Stage) -> None:
    thing = make(stage, SERVICE, **service_inputs(stage, make(stage, TASK, **task_inputs())))
    with stage.noted() as called:
        thing.handler.delete(stage.aws, thing.id, thing.state)
    assert [action for action in called if "Describe" not in action] == ["ecs:UpdateService", "ecs:DeleteService"]
    assert service_of(stage, thing)["status"] == "INACTIVE"


def test_a_service_of_somebody_else_is_not_taken_for_ours(stage: Stage) -> None:
    inputs = service_inputs(stage, make(stage, TASK, **task_inputs()))
    make(stage, SERVICE, **inputs, tags={"team": "another"})
    assert HANDLERS[SERVICE].find(stage.aws, stage.checked(HANDLERS[SERVICE], inputs)) is None


def described(**more: Any) -> dict[str, Any]:
    deployment = {"status": "PRIMARY", "rolloutState": "COMPLETED"}
    return {"deployments": [deployment], "runningCount": 2, "desiredCount": 2, "taskDefinition": "arn:new", **more}


def test_a_service_is_steady_when_all_tasks_of_its_only_deployment_run() -> None:
    wanted = {"name": "chat", "taskDefinition": "arn:new"}
    assert _is_steady(described(), wanted)
    assert not _is_steady(described(runningCount=1), wanted)
    assert not _is_steady(described(deployments=[{"status": "PRIMARY"}, {"status": "ACTIVE"}]), wanted)


def test_a_rollout_that_ecs_gave_up_is_an_error_and_not_a_success() -> None:
    wanted = {"name": "chat", "taskDefinition": "arn:new"}
    with pytest.raises(ByocError, match="service chat did not become healthy: ECS went back to arn:old"):
        _is_steady(described(taskDefinition="arn:old"), wanted)
    failed = [{"status": "PRIMARY", "rolloutState": "FAILED", "rolloutStateReason": "tasks failed to start"}]
    with pytest.raises(ByocError, match="did not become healthy: tasks failed to start"):
        _is_steady(described(deployments=failed, runningCount=0), wanted)
