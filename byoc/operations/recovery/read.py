"""Asks AWS what a diagnosis needs; what cannot be asked is unknown, with the reason."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from byoc.config import AccountConfig, DeploymentConfig
from byoc.operations.recovery.alarm_rules import expected_rules, told_rule
from byoc.operations.recovery.facts import (
    AlarmSettings,
    DatabaseSettings,
    Expected,
    Group,
    Part,
    RecoveryFacts,
    ScalingSettings,
    ServiceSettings,
    Stopped,
    StoppedContainer,
    StoppedTask,
    TaskSettings,
)
from byoc.operations.recovery.openings import openings
from byoc.operations.status.alarms import alarm_subjects
from byoc.operations.status.facts import Absent, ServiceFacts, Unknown
from byoc.operations.status.findings import revision_number
from byoc.operations.status.read import known, read_facts
from byoc.operations.targets import Target

_TASKS_OF_A_CALL = 100
"""Tasks that one ``ecs:DescribeTasks`` takes (Amazon ECS API Reference)."""
_METRIC_MINUTES = 30
"""How old the last figure of free storage may be; RDS writes one a minute."""
_GIB = 1024**3
Item = Mapping[str, Any]
Value = TypeVar("Value")


def read_recovery_facts(target: Target, config: AccountConfig | DeploymentConfig, at: datetime) -> RecoveryFacts:
    """The status and everything beyond it. About fifteen questions; raises nothing of AWS's."""
    status = read_facts(target)
    services = _services(target)
    database = _database(target, at) if target.own_database else None
    return RecoveryFacts(
        at=at,
        expected=expected(target, config),
        status=status,
        stopped={role: _stopped(target, role) for role in target.service_roles},
        services=services,
        tasks={role: _task(target, service) for role, service in status.services.items()},
        database=database,
        alarms=_alarms(target),
        scaling={role: _scaling(target, role) for role in scaling_policies(target)},
        groups=_groups(target, (services.get("api"), database)),
    )


def expected(target: Target, config: AccountConfig | DeploymentConfig) -> Expected:
    """What the config says of a deployment."""
    return Expected(
        stack=target.stack,
        deployment=target.deployment,
        section=target.section,
        own_database=target.own_database,
        install=target.names.prefix,
        cluster=target.names.cluster,
        topic=target.names.alarm_topic,
        service_group=target.names.service_security_group,
        tags=dict(config.tags),
        ignored_keys=tuple(config.ignore_tags.keys),
        ignored_prefixes=tuple(config.ignore_tags.key_prefixes),
        policies=scaling_policies(target),
        alarm_rules=expected_rules(target.section, target.service_roles, own_database=target.own_database),
    )


def scaling_policies(target: Target) -> dict[str, tuple[str, ...]]:
    """The policies of the services whose number of containers follows the load, as ``byoc.components.scaling``."""
    size, queue = target.section.size, target.section.queue
    found = {}
    if size.max_containers > size.min_containers:
        found["api"] = tuple(target.names.alarm(target.deployment, word) for word in ("scale-out", "scale-in"))
    if queue.separate and queue.max_containers > queue.containers:
        found["queue"] = (target.names.alarm(target.deployment, "queue-cpu"),)
    return found


def _there(action: str, ask: Callable[[], Any], read: Callable[[Any], Value]) -> Value | Unknown:
    """As :func:`known`, where nothing can be absent."""
    found = known(action, ask, read)
    return Unknown(why=f"{action}: no answer") if isinstance(found, Absent) else found


def _stopped(target: Target, role: str) -> Stopped:
    account, cluster = target.account, target.names.cluster
    family = target.names.service(target.deployment, role)

    def ask() -> list[Item]:
        arns = list(account.all("ecs:ListTasks", "taskArns", cluster=cluster, family=family, desiredStatus="STOPPED"))
        return [
            account.ask("ecs:DescribeTasks", cluster=cluster, tasks=arns[first : first + _TASKS_OF_A_CALL])
            for first in range(0, len(arns), _TASKS_OF_A_CALL)
        ]

    found = known(
        "ecs:DescribeTasks",
        ask,
        lambda answers: tuple(stopped_task(task) for answer in answers for task in answer["tasks"]),
    )
    return () if isinstance(found, Absent) else found  # without its cluster nothing was started


def stopped_task(item: Item) -> StoppedTask:
    """A task of ``ecs:DescribeTasks``."""
    return StoppedTask(
        id=str(item["taskArn"]).rpartition("/")[2],
        revision=revision_number(str(item["taskDefinitionArn"])),
        stop_code=str(item.get("stopCode") or ""),
        reason=str(item.get("stoppedReason") or ""),
        containers=tuple(
            StoppedContainer(
                name=str(each["name"]), exit_code=each.get("exitCode"), reason=str(each.get("reason") or "")
            )
            for each in item.get("containers") or ()
        ),
        at=item.get("stoppedAt") or item.get("stoppingAt"),
    )


def _services(target: Target) -> Mapping[str, ServiceSettings | Part]:
    roles = {target.names.service(target.deployment, role): role for role in target.service_roles}
    found = known(
        "ecs:DescribeServices",
        lambda: target.account.ask(
            "ecs:DescribeServices", cluster=target.names.cluster, services=list(roles), include=["TAGS"]
        ),
        lambda answer: {
            roles[item["serviceName"]]: service_settings(item)
            for item in answer["services"]
            if item["status"] != "INACTIVE"
        },
    )
    if isinstance(found, dict):
        return {role: found.get(role, Absent()) for role in roles.values()}
    return dict.fromkeys(roles.values(), found)


def service_settings(item: Item) -> ServiceSettings:
    """A service of ``ecs:DescribeServices`` with its tags."""
    network = item["networkConfiguration"]["awsvpcConfiguration"]
    rollout = item.get("deploymentConfiguration") or {}
    breaker = rollout.get("deploymentCircuitBreaker") or {}
    return ServiceSettings(
        tags={tag["key"]: tag.get("value", "") for tag in item.get("tags") or ()},
        groups=tuple(network.get("securityGroups") or ()),
        public_ip=network.get("assignPublicIp") == "ENABLED",
        breaker=bool(breaker.get("enable")) and bool(breaker.get("rollback")),
        shell=bool(item.get("enableExecuteCommand")),
        minimum_percent=int(rollout.get("minimumHealthyPercent", 100)),
        maximum_percent=int(rollout.get("maximumPercent", 200)),
    )


def _task(target: Target, service: ServiceFacts | Part) -> TaskSettings | Part:
    if not isinstance(service, ServiceFacts):
        return service
    return known(
        "ecs:DescribeTaskDefinition",
        lambda: target.account.ask("ecs:DescribeTaskDefinition", taskDefinition=service.task_definition),
        lambda answer: _task_settings(answer["taskDefinition"]),
    )


def _task_settings(item: Item) -> TaskSettings:
    return TaskSettings(
        image=str(item["containerDefinitions"][0]["image"]), cpu=int(item["cpu"]), memory=int(item["memory"])
    )


def _database(target: Target, at: datetime) -> DatabaseSettings | Part:
    identifier = target.names.database(target.deployment)
    free = _free_storage(target, identifier, at)
    return known(
        "rds:DescribeDBInstances",
        lambda: target.account.ask("rds:DescribeDBInstances", DBInstanceIdentifier=identifier),
        lambda answer: database_settings(answer["DBInstances"][0], free),
    )


def database_settings(item: Item, free: float | Unknown | None) -> DatabaseSettings:
    """An instance of ``rds:DescribeDBInstances``, with its free storage in GiB."""
    return DatabaseSettings(
        tags={tag["Key"]: tag.get("Value", "") for tag in item.get("TagList") or ()},
        groups=tuple(each["VpcSecurityGroupId"] for each in item.get("VpcSecurityGroups") or ()),
        instance_class=item["DBInstanceClass"],
        engine_version=item["EngineVersion"],
        storage_gib=int(item["AllocatedStorage"]),
        max_storage_gib=item.get("MaxAllocatedStorage"),
        multi_az=bool(item.get("MultiAZ")),
        backup_days=int(item.get("BackupRetentionPeriod", 0)),
        deletion_protection=bool(item.get("DeletionProtection")),
        public=bool(item.get("PubliclyAccessible")),
        pending={key: value for key, value in (item.get("PendingModifiedValues") or {}).items() if value},
        free_gib=free,
    )


def _free_storage(target: Target, identifier: str, at: datetime) -> float | Unknown | None:
    metric = {
        "Namespace": "AWS/RDS",
        "MetricName": "FreeStorageSpace",
        "Dimensions": [{"Name": "DBInstanceIdentifier", "Value": identifier}],
    }
    return _there(
        "cloudwatch:GetMetricData",
        lambda: target.account.ask(
            "cloudwatch:GetMetricData",
            MetricDataQueries=[{"Id": "free", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Minimum"}}],
            StartTime=at - timedelta(minutes=_METRIC_MINUTES),
            EndTime=at,
            ScanBy="TimestampDescending",
        ),
        lambda answer: next((value / _GIB for value in answer["MetricDataResults"][0]["Values"]), None),
    )


def _alarms(target: Target) -> tuple[AlarmSettings, ...] | Unknown:
    subjects = {target.names.alarm(target.deployment, subject): subject for subject in alarm_subjects(target)}
    return _there(
        "cloudwatch:DescribeAlarms",
        lambda: list(target.account.all("cloudwatch:DescribeAlarms", "MetricAlarms", AlarmNames=list(subjects))),
        lambda items: tuple(
            AlarmSettings(
                subject=subjects[item["AlarmName"]],
                enabled=bool(item["ActionsEnabled"]),
                actions=tuple(item.get("AlarmActions") or ()),
                rule=told_rule(item),
            )
            for item in items
        ),
    )


def _scaling(target: Target, role: str) -> ScalingSettings | Part:
    place: dict[str, Any] = {
        "ServiceNamespace": "ecs",
        "ScalableDimension": "ecs:service:DesiredCount",
    }
    resource = f"service/{target.names.cluster}/{target.names.service(target.deployment, role)}"
    limits = known(
        "application-autoscaling:DescribeScalableTargets",
        lambda: list(
            target.account.all(
                "application-autoscaling:DescribeScalableTargets", "ScalableTargets", ResourceIds=[resource], **place
            )
        ),
        lambda items: items[0] if items else None,
    )
    if limits is None:
        return Absent()
    if isinstance(limits, Absent | Unknown):
        return limits
    return known(
        "application-autoscaling:DescribeScalingPolicies",
        lambda: list(
            target.account.all(
                "application-autoscaling:DescribeScalingPolicies", "ScalingPolicies", ResourceId=resource, **place
            )
        ),
        lambda policies: _scaling_settings(limits, policies),
    )


def _scaling_settings(limits: Item, policies: Iterable[Item]) -> ScalingSettings:
    state = limits.get("SuspendedState") or {}
    return ScalingSettings(
        minimum=int(limits["MinCapacity"]),
        maximum=int(limits["MaxCapacity"]),
        suspended=tuple(sorted(name for name, off in state.items() if off)),
        policies=tuple(policy["PolicyName"] for policy in policies),
    )


def _groups(target: Target, parts: Iterable[object]) -> Mapping[str, Group] | Unknown:
    """By the ids that the parts themselves name: so those of an adopted VPC are the right ones, too."""
    wanted = sorted(
        {id_ for part in parts if isinstance(part, ServiceSettings | DatabaseSettings) for id_ in part.groups}
    )
    if not wanted:
        return {}
    return _there(
        "ec2:DescribeSecurityGroups",
        lambda: list(target.account.all("ec2:DescribeSecurityGroups", "SecurityGroups", GroupIds=wanted)),
        lambda items: {
            item["GroupId"]: Group(id=item["GroupId"], name=item["GroupName"], openings=openings(item))
            for item in items
        },
    )


def now() -> datetime:
    """The moment, by this machine's clock."""
    return datetime.now(UTC)
