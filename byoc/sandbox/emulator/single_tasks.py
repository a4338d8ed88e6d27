"""Tasks that are run by themselves on Fargate (``RunTask``), which moto refuses for want of container memory.

Nothing is executed: a task starts, or does not, with the first look at it, and has ended with the next one. A container
that is to try hosts (``BYOC_EGRESS``, of ``byoc doctor --probe-egress``) leaves the line in its log that it would
print. Unless a test says otherwise (:class:`Reach`), a host is reached where the subnet has a default route that leads
somewhere; security groups and network ACLs are not looked at.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from moto.backends import get_backend
from moto.core.utils import unix_time_millis, utcnow
from moto.moto_api._internal import mock_random

from byoc.sandbox.emulator import service_tasks
from byoc.sandbox.emulator.answers import AwsError
from byoc.sandbox.emulator.requests import ApiRequest
from byoc.sandbox.emulator.service_tasks import Task, definition_of, tasks_of, write_first_entry
from byoc.sandbox.emulator.stored import Model, backend

_ANYWHERE = "0.0.0.0/0"
_REACHED = {"stage": "reached", "why": "", "tls": "TLSv1.3", "issuer": "embedded AWS"}


@dataclass(frozen=True, kw_only=True)
class Reach:
    """What single tasks meet in a region; what is not said goes as the module says."""

    hosts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By ``host:port``, what a container would print of it: ``stage``, ``why``."""
    failures: tuple[str, ...] = ()
    """ECS starts no task, for these reasons (``failures`` of ``RunTask``)."""
    stopped_reason: str = ""
    """No container starts, for this reason."""
    exit_code: int = 0
    """Otherwise than 0, the container prints nothing and ends with it."""
    pending: bool = False
    """The task never leaves the state ``PENDING``."""

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """From the control API; ``TypeError`` on an unknown field."""
        given: dict[str, Any] = {name: tuple(item) if isinstance(item, list) else item for name, item in value.items()}
        return cls(**given)


def set_reach(account: str, region: str, reach: Reach) -> None:
    """What single tasks of an account and region meet from now on."""
    get_backend("ecs")[account][region].reach = reach  # type: ignore[attr-defined]


def run_task(request: ApiRequest, account: str) -> Mapping[str, Any] | None:
    """One task, or several, of a definition for Fargate; of others moto answers."""
    held = backend("ecs", account, request.region)
    cluster = held.clusters.get(_last(request.text("cluster")) or "default") if held is not None else None
    definition = _definition(held, request)
    if held is None or cluster is None:
        return None
    if definition is None:
        raise AwsError.plain("ClientException", "TaskDefinition not found.")
    if "FARGATE" not in definition.compatibilities:
        return None
    if definition.status != "ACTIVE":
        raise AwsError.plain("ClientException", "TaskDefinition is inactive")
    network = request.get("networkConfiguration", {}).get("awsvpcConfiguration", {})
    if not network.get("subnets"):
        message = "Network Configuration must be provided when networkMode 'awsvpc' is specified."
        raise AwsError.plain("InvalidParameterException", message)
    if reasons := _reach(held).failures:
        return {"tasks": [], "failures": [{"arn": cluster.arn, "reason": reason} for reason in reasons]}
    tasks = [
        _task(request, cluster, definition, str(network["subnets"][0]), account)
        for _ in range(int(request.get("count", 1)))
    ]
    tasks_of(held).update({task["taskArn"]: task for task in tasks})
    return {"tasks": tasks, "failures": []}


def describe_tasks(request: ApiRequest, account: str) -> Mapping[str, Any] | None:
    """As of services; a single task has gone on since the last look."""
    held = backend("ecs", account, request.region)
    asked = {_last(str(name)) for name in request.get("tasks", [])}
    for task in list(tasks_of(held).values()) if held is not None else ():
        if _last(task["taskArn"]) in asked and _is_single(task):
            _go_on(held, task, account, request.region)
    return service_tasks.describe_tasks(request, account)


def stop_task(request: ApiRequest, account: str) -> Mapping[str, Any] | None:
    """The task ends; a service starts another in its place with its next update."""
    held = backend("ecs", account, request.region)
    wanted = _last(request.text("task"))
    for task in tasks_of(held).values() if held is not None else ():
        if _last(task["taskArn"]) == wanted:
            if task["lastStatus"] != "STOPPED":
                _end(task, "UserInitiated", request.text("reason") or "Task stopped by user")
            return {"task": task}
    if held is not None and any(held.tasks.values()):
        return None
    raise AwsError.plain("InvalidParameterException", "The referenced task was not found.")


def _task(request: ApiRequest, cluster: Model, definition: Model, subnet: str, account: str) -> Task:
    id_ = mock_random.get_random_hex(32)
    arn = f"{cluster.arn.replace(':cluster/', ':task/')}/{id_}"
    ec2 = backend("ec2", account, request.region)
    zone = next((zone for zone, kept in ec2.subnets.items() if subnet in kept), "") if ec2 is not None else ""
    return {
        "taskArn": arn,
        "clusterArn": cluster.arn,
        "taskDefinitionArn": definition.arn,
        "group": request.text("group") or f"family:{definition.family}",
        "startedBy": request.text("startedBy"),
        "launchType": "FARGATE",
        "availabilityZone": zone,
        "lastStatus": "PROVISIONING",
        "desiredStatus": "RUNNING",
        "cpu": definition.cpu,
        "memory": definition.memory,
        "createdAt": utcnow(),
        "tags": request.get("tags", []),
        "attachments": [
            {
                "type": "ElasticNetworkInterface",
                "status": "ATTACHED",
                "details": [{"name": "subnetId", "value": subnet}, {"name": "privateIPv4Address", "value": "10.0.0.9"}],
            }
        ],
        "containers": [
            {"name": each["name"], "image": each["image"], "lastStatus": "PENDING", "taskArn": arn}
            for each in definition.container_definitions
        ],
    }


def _go_on(held: Model, task: Task, account: str, region: str) -> None:
    """From one state to the next (Amazon ECS Developer Guide: Task lifecycle), those between left out."""
    reach = _reach(held)
    if task["lastStatus"] == "RUNNING":
        _end(task, "EssentialContainerExited", "Essential container in task exited", exit_code=reach.exit_code)
    elif task["lastStatus"] in ("PROVISIONING", "PENDING"):
        task["lastStatus"] = "PENDING"
        if reach.pending:
            return
        if reason := reach.stopped_reason or _obstacle(held, task, account, region):
            _end(task, "TaskFailedToStart", reason)
            return
        task.update(lastStatus="RUNNING", startedAt=utcnow())
        write_first_entry(held, task, account, region)
        if reach.exit_code == 0:
            _print_answers(held, task, account, region)


def _obstacle(held: Model, task: Task, account: str, region: str) -> str:
    """Why ECS could not start it, in its words; empty where nothing is in the way."""
    definition = definition_of(held, task["taskDefinitionArn"])
    role = str(getattr(definition, "execution_role_arn", "") or "")
    iam = backend("iam", account, role.split(":")[1]) if role else None
    if role and not any(each.arn == role for each in (iam.roles.values() if iam is not None else ())):
        return (
            f"ECS was unable to assume the role '{role}' that was provided for this task. Please verify that the role "
            "being passed has the proper trust relationship and permissions"
        )
    logs = backend("logs", account, region)
    for container in definition.container_definitions:
        group = container.get("logConfiguration", {}).get("options", {}).get("awslogs-group")
        if group and (logs is None or group not in logs.groups):
            return (
                "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: "
                "failed to create Cloudwatch log stream: ResourceNotFoundException: The specified log group does not "
                "exist. : exit status 1"
            )
        if not _has_image(container["image"], account, region):
            return (
                f"CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref "
                f"{container['image']}: {container['image']}: not found"
            )
    return ""


def _has_image(image: str, account: str, region: str) -> bool:
    """Whether this account's registry has an image; other registries count as having it."""
    registry, _, path = image.partition("/")
    if not registry.startswith(f"{account}.dkr.ecr."):
        return True
    name, _, digest = path.partition("@")
    repository, _, tag = name.partition(":")
    ecr = backend("ecr", account, region)
    kept = ecr.repositories.get(repository) if ecr is not None else None
    return any(
        tag in (item.image_tags or []) or (digest and digest == item.get_image_digest())
        for item in (kept.images if kept is not None else ())
    )


def _print_answers(held: Model, task: Task, account: str, region: str) -> None:
    logs = backend("logs", account, region)
    subnet = task["attachments"][0]["details"][0]["value"]
    for container in definition_of(held, task["taskDefinitionArn"]).container_definitions:
        given = {item["name"]: item["value"] for item in container.get("environment", [])}
        options = container.get("logConfiguration", {}).get("options", {})
        if "BYOC_EGRESS" not in given or logs is None or options.get("awslogs-group") not in logs.groups:
            continue
        open_ = _leads_out(subnet, account, region)
        answers = {
            name: {**_REACHED, **_reach(held).hosts.get(name, {} if open_ else {"stage": "tcp", "why": "timed out"})}
            for name in given["BYOC_EGRESS"].split()
        }
        for answer in answers.values():
            if answer["stage"] != "reached":
                answer.update(tls="", issuer="")
        stream = f"{options.get('awslogs-stream-prefix')}/{container['name']}/{_last(task['taskArn'])}"
        entry = {"timestamp": int(unix_time_millis(utcnow())), "message": json.dumps({"byocEgress": answers})}
        logs.put_log_events(options["awslogs-group"], stream, [entry])


def _leads_out(subnet: str, account: str, region: str) -> bool:
    """Whether the default route of a subnet leads to anything that is there."""
    ec2 = backend("ec2", account, region)
    tables = list(ec2.route_tables.values()) if ec2 is not None else []
    own = [table for table in tables if any(each.get("SubnetId") == subnet for each in table.associations)]
    for route in own[0].routes if own else ():
        if route.destination_cidr_block == _ANYWHERE:
            return route.nat_gateway is None or route.nat_gateway.state == "available"
    return False


def _end(task: Task, code: str, reason: str, *, exit_code: int | None = None) -> None:
    task.update(lastStatus="STOPPED", desiredStatus="STOPPED", stopCode=code, stoppedReason=reason, stoppedAt=utcnow())
    for container in task["containers"]:
        container["lastStatus"] = "STOPPED"
        if exit_code is not None:
            container["exitCode"] = exit_code


def _definition(held: Model | None, request: ApiRequest) -> Model | None:
    """The revision that a call names, by ARN or family; the newest active one of a family without a number."""
    family, _, number = _last(request.text("taskDefinition")).partition(":")
    revisions = held.task_definitions.get(family, {}) if held is not None else {}
    if number:
        return revisions.get(int(number)) if number.isdigit() else None
    active = [revision for revision, each in revisions.items() if each.status == "ACTIVE"]
    return revisions[max(active)] if active else None


def _is_single(task: Task) -> bool:
    return not str(task["group"]).startswith("service:")


def _reach(held: Model) -> Reach:
    found: Reach = getattr(held, "reach", None) or Reach()
    return found


def _last(name: str) -> str:
    return name.rpartition("/")[2]
