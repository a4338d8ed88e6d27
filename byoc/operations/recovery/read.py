"""Asks AWS what a diagnosis needs; what cannot be asked is unknown, with the reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from byoc.config import AccountConfig, DeploymentConfig
from byoc.operations.recovery.expected import expected, scaling_policies
from byoc.operations.recovery.facts import (
    DatabaseSettings,
    Group,
    Part,
    RecoveryFacts,
    ServiceSettings,
    Stopped,
    StoppedContainer,
    StoppedTask,
    TaskSettings,
)
from byoc.operations.recovery.openings import openings
from byoc.operations.recovery.read_watching import read_alarms, read_scaling, told
from byoc.operations.status.facts import Absent, ServiceFacts, Unknown
from byoc.operations.status.findings import revision_number
from byoc.operations.status.read import known, read_facts
from byoc.operations.targets import Target
from byoc.operations.tasks import task_answers

_METRIC_MINUTES = 30
"""How old the last figure of free storage may be; RDS writes one a minute."""
_GIB = 1024**3
_GUARDDUTY = "aws-guardduty-agent"
"""How the container's name begins that GuardDuty puts beside ours, if its Runtime Monitoring is on (Amazon GuardDuty
User Guide); it is ended with the task, and says nothing about why."""
Item = Mapping[str, Any]


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
        alarms=read_alarms(target),
        scaling={role: read_scaling(target, role) for role in scaling_policies(target)},
        groups=_groups(target, (services.get("api"), database)),
    )


def _stopped(target: Target, role: str) -> Stopped:
    family = target.names.service(target.deployment, role)
    found = known(
        "ecs:DescribeTasks",
        lambda: list(task_answers(target.account, target.names.cluster, family=family, desiredStatus="STOPPED")),
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
            if not str(each["name"]).startswith(_GUARDDUTY)
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
    return told(
        "cloudwatch:GetMetricData",
        lambda: target.account.ask(
            "cloudwatch:GetMetricData",
            MetricDataQueries=[{"Id": "free", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Minimum"}}],
            StartTime=at - timedelta(minutes=_METRIC_MINUTES),
            EndTime=at,
            ScanBy="TimestampDescending",
        ),
        lambda answer: _last_figure(answer["MetricDataResults"][0]),
    )


def _last_figure(result: Item) -> float | None:
    """In GiB. None if there is none; raises ``ValueError`` if CloudWatch could not read them."""
    if result["Values"]:
        return float(result["Values"][0]) / _GIB
    code = result.get("StatusCode", "Complete")
    if code != "Complete":
        raise ValueError(code)
    return None


def _groups(target: Target, parts: Iterable[object]) -> Mapping[str, Group] | Unknown:
    """By the ids that the parts themselves name: so those of an adopted VPC are the right ones, too."""
    wanted = sorted(
        {id_ for part in parts if isinstance(part, ServiceSettings | DatabaseSettings) for id_ in part.groups}
    )
    if not wanted:
        return {}
    return told(
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
