"""Which container definitions mean the same, as the AWS provider compares them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from byoc.sandbox.handlers.ecs_task import TaskDefinition, equivalent_form

TASK = TaskDefinition()


def container(**more: Any) -> dict[str, Any]:
    return {"name": "server", "image": "i:1", **more}


AS_ECS_ANSWERS = container(
    cpu=0,
    essential=True,
    environment=[{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
    mountPoints=[],
    portMappings=[{"containerPort": 8000, "hostPort": 8000, "protocol": "tcp"}],
    secrets=[],
    volumesFrom=[],
)


@pytest.mark.parametrize(
    "written",
    [
        container(
            environment=[{"value": "2", "name": "B"}, {"name": "A", "value": "1"}],
            portMappings=[{"containerPort": 8000}],
        ),
        container(
            essential=True,
            environment=[{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
            portMappings=[{"containerPort": 8000, "hostPort": 8000}],
            command=None,
        ),
    ],
)
def test_containers_that_mean_the_same_are_the_same(written: dict[str, Any]) -> None:
    assert equivalent_form([written], "awsvpc") == equivalent_form([AS_ECS_ANSWERS], "awsvpc")
    old = {"family": "chat", "networkMode": "awsvpc", "containerDefinitions": json.dumps([written])}
    new = {**old, "containerDefinitions": json.dumps([AS_ECS_ANSWERS])}
    assert not TASK.diff(old, new).changed


@pytest.mark.parametrize(
    "change",
    [
        {"image": "i:2"},
        {"environment": [{"name": "A", "value": "1"}, {"name": "B", "value": "3"}]},
        {"essential": False},
        {"cpu": 128},
        {"secrets": [{"name": "C", "valueFrom": "arn:1"}]},
        {"portMappings": [{"containerPort": 8001, "hostPort": 8001, "protocol": "tcp"}]},
        {"portMappings": [{"containerPort": 8000, "protocol": "udp"}]},
        {"command": ["b", "a"]},
    ],
)
def test_containers_that_mean_something_else_replace_the_task_definition(change: dict[str, Any]) -> None:
    old = {"family": "chat", "networkMode": "awsvpc", "containerDefinitions": json.dumps([AS_ECS_ANSWERS])}
    new = {**old, "containerDefinitions": json.dumps([{**AS_ECS_ANSWERS, **change}])}
    assert TASK.diff(old, new).replaces == {"containerDefinitions"}


def test_the_order_of_a_command_matters_and_that_of_containers_does_not() -> None:
    first, second = container(command=["a", "b"]), {"name": "sidecar", "image": "s:1"}
    assert equivalent_form([first, second], "awsvpc") == equivalent_form([second, first], "awsvpc")
    assert equivalent_form([first], "awsvpc") != equivalent_form([container(command=["b", "a"])], "awsvpc")


def test_a_fixed_host_port_is_part_of_the_meaning_outside_awsvpc() -> None:
    fixed = container(portMappings=[{"containerPort": 8000, "hostPort": 8000}])
    free = container(portMappings=[{"containerPort": 8000, "hostPort": 0}])
    assert equivalent_form([fixed], "bridge") != equivalent_form([free], "bridge")
