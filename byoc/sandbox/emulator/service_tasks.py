"""The tasks of ECS services, which moto leaves out: listed, described, behind the load balancer, with their first log
entry, and told of in the service's events.

Nothing is executed: a task counts as running from the moment its service wants it, and as healthy behind its load
balancer. Its one log entry says so.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

from moto.core.utils import unix_time_millis, utcnow
from moto.moto_api._internal import mock_random

from byoc.sandbox.emulator.requests import ApiRequest
from byoc.sandbox.emulator.stored import Model, backend

EVENTS_KEPT = 100
"""Events in a service's description (Amazon ECS API Reference: Service)."""
_SCALED = "Scaling activity initiated by (deployment {})"
"""Why ECS stops a task that its service no longer wants (Amazon ECS Developer Guide: stopped tasks error codes)."""

Task = dict[str, Any]
"""A task by the names of the service model."""


def run_tasks(service: Model, account: str, region: str) -> None:
    """Bring the tasks of a service to what its deployment wants, and tell of it as ECS does."""
    held = backend("ecs", account, region)
    if held is None:
        return
    deployment = service.deployments[0]["id"] if service.deployments else ""
    mine = [task for task in _running(held) if task["group"] == f"service:{service.name}"]
    kept = [task for task in mine if task["startedBy"] == deployment][: service.running_count]
    stopped = [task for task in mine if task not in kept]
    started = [_start(held, service, deployment) for _ in range(service.running_count - len(kept))]
    for task in stopped:
        _stop(task, deployment)
    for task in started:
        write_first_entry(held, task, account, region)
    _register(service, [*kept, *started], stopped, account, region)
    _tell(service, deployment, started, stopped)
    _count(held, service.cluster_name)


def list_tasks(request: ApiRequest, account: str) -> Mapping[str, Any] | None:
    """The tasks of services, and those that were run by themselves; None where moto knows no such cluster."""
    held, cluster = _cluster(request, account)
    if held is None or cluster is None:
        return None
    status, family = request.text("desiredStatus") or "RUNNING", request.text("family")
    service = request.text("serviceName").rpartition("/")[2]
    wanted = {
        "clusterArn": cluster.arn,
        "desiredStatus": status,
        **({"group": f"service:{service}"} if service else {}),
        **({"startedBy": request.text("startedBy")} if request.get("startedBy") else {}),
    }
    found = [
        task["taskArn"]
        for task in tasks_of(held).values()
        if all(task[key] == value for key, value in wanted.items()) and (not family or _family(task) == family)
    ]
    others = [] if service else held.list_tasks(cluster.name, None, family, request.get("startedBy"), None, status)
    return {"taskArns": [*found, *(task.task_arn for task in others)]}


def describe_tasks(request: ApiRequest, account: str) -> Mapping[str, Any] | None:
    """The tasks of services; None where all that is asked for was run by itself, which moto knows."""
    held, cluster = _cluster(request, account)
    if held is None or cluster is None:
        return None
    by_id = {arn.rpartition("/")[2]: task for arn, task in tasks_of(held).items() if task["clusterArn"] == cluster.arn}
    asked = [str(name).rpartition("/")[2] for name in request.get("tasks", [])]
    if not any(id_ in by_id for id_ in asked):
        return None
    others = [id_ for id_ in asked if id_ not in by_id]
    run = held.describe_tasks(cluster.name, others) if others else []
    known = {task.task_arn.rpartition("/")[2] for task in run}
    lost = [{"arn": id_, "reason": "MISSING"} for id_ in others if id_ not in known]
    return {"tasks": [*(by_id[id_] for id_ in asked if id_ in by_id), *run], "failures": lost}


def _cluster(request: ApiRequest, account: str) -> tuple[Model | None, Model | None]:
    held = backend("ecs", account, request.region)
    name = request.text("cluster").rpartition("/")[2] or "default"
    return held, held.clusters.get(name) if held is not None else None


def tasks_of(held: Model) -> dict[str, Task]:
    """The tasks that the emulator itself keeps, by ARN: those of services, and single ones."""
    if not hasattr(held, "service_tasks"):
        held.service_tasks = {}
    found: dict[str, Task] = held.service_tasks
    return found


def _running(held: Model) -> Iterator[Task]:
    return (task for task in tasks_of(held).values() if task["lastStatus"] == "RUNNING")


def _family(task: Task) -> str:
    return str(task["taskDefinitionArn"]).rpartition("/")[2].rpartition(":")[0]


def _start(held: Model, service: Model, deployment: str) -> Task:
    id_, now = mock_random.get_random_hex(32), utcnow()
    number = len(tasks_of(held)) + 4
    definition = definition_of(held, service.task_definition)
    arn = f"{service.cluster_arn.replace(':cluster/', ':task/')}/{id_}"
    task: Task = {
        "taskArn": arn,
        "clusterArn": service.cluster_arn,
        "taskDefinitionArn": service.task_definition,
        "group": f"service:{service.name}",
        "startedBy": deployment,
        "launchType": service.launch_type or "FARGATE",
        "lastStatus": "RUNNING",
        "desiredStatus": "RUNNING",
        "cpu": definition.cpu,
        "memory": definition.memory,
        "createdAt": now,
        "startedAt": now,
        "attachments": [
            {
                "type": "ElasticNetworkInterface",
                "status": "ATTACHED",
                "details": [{"name": "privateIPv4Address", "value": f"10.0.{number // 250 % 250}.{number % 250}"}],
            }
        ],
        "containers": [
            {"name": container["name"], "image": container["image"], "lastStatus": "RUNNING", "taskArn": arn}
            for container in definition.container_definitions
        ],
    }
    tasks_of(held)[arn] = task
    return task


def _count(held: Model, cluster_name: str) -> None:
    """What a cluster's description says of its services and tasks."""
    cluster = held.clusters.get(cluster_name)
    if cluster is not None:
        services = [item for item in held.services.values() if item.cluster_name == cluster_name]
        cluster.active_services_count = sum(item.status == "ACTIVE" for item in services)
        cluster.running_tasks_count = sum(task["clusterArn"] == cluster.arn for task in _running(held))


def _stop(task: Task, deployment: str) -> None:
    task.update(
        lastStatus="STOPPED",
        desiredStatus="STOPPED",
        stopCode="ServiceSchedulerInitiated",
        stoppedReason=_SCALED.format(deployment or task["startedBy"]),
        stoppedAt=utcnow(),
    )
    for container in task["containers"]:
        container.update(lastStatus="STOPPED", exitCode=0)


def definition_of(held: Model, arn: str) -> Model:
    """The revision that a task runs; ``KeyError`` if there is none."""
    family, _, revision = arn.rpartition("/")[2].rpartition(":")
    return held.task_definitions[family][int(revision)]


def write_first_entry(held: Model, task: Task, account: str, region: str) -> None:
    """The first entry of each container's log stream, which says that nothing is executed."""
    logs = backend("logs", account, region)
    revision = str(task["taskDefinitionArn"]).rpartition("/")[2]
    for container in definition_of(held, task["taskDefinitionArn"]).container_definitions:
        options = container.get("logConfiguration", {}).get("options", {})
        group, prefix = options.get("awslogs-group"), options.get("awslogs-stream-prefix")
        if logs is None or group not in logs.groups:
            continue
        stream = f"{prefix}/{container['name']}/{task['taskArn'].rpartition('/')[2]}"
        text = f"embedded AWS: {revision} counts as running; its image {container['image']} is not executed"
        logs.create_log_stream(group, stream)
        entry = {"timestamp": int(unix_time_millis(task["startedAt"])), "message": text}
        logs.put_log_events(group, stream, [entry])


def _register(service: Model, running: list[Task], stopped: list[Task], account: str, region: str) -> None:
    """The load balancer's target groups hold the running tasks, which answer their health checks."""
    held = backend("elbv2", account, region)
    for balancer in service.load_balancers or []:
        group = held.target_groups.get(balancer.get("targetGroupArn")) if held is not None else None
        if group is None:
            continue
        for address in map(_address, stopped):
            group.targets.pop(address, None)
        for address in map(_address, running):
            group.targets[address] = {"Id": address, "Port": balancer.get("containerPort")}


def _address(task: Task) -> str:
    return str(task["attachments"][0]["details"][0]["value"])


def _tell(service: Model, deployment: str, started: list[Task], stopped: list[Task]) -> None:
    """ECS's own words (Amazon ECS Developer Guide: service event messages)."""
    groups = [balancer["targetGroupArn"] for balancer in service.load_balancers or [] if "targetGroupArn" in balancer]
    if started:
        _event(service, f"has started {len(started)} tasks: {_named(started)}.")
        for group in groups:
            _event(service, f"registered {len(started)} targets in (target-group {group})")
    if stopped:
        for group in groups:
            _event(service, f"deregistered {len(stopped)} targets in (target-group {group})")
        _event(service, f"has stopped {len(stopped)} running tasks: {_named(stopped)}.")
    if deployment and any(task["startedBy"] == deployment for task in started):
        _event(service, f"(deployment {deployment}) deployment completed.")
    if started or stopped:
        _event(service, "has reached a steady state.")


def _named(tasks: list[Task]) -> str:
    return " ".join(f"(task {task['taskArn'].rpartition('/')[2]})" for task in tasks)


_ids = itertools.count(1)


def _event(service: Model, words: str) -> None:
    message = f"(service {service.name}) {words}"
    service.events.insert(0, {"id": f"event-{next(_ids)}", "createdAt": utcnow(), "message": message})
    del service.events[EVENTS_KEPT:]
