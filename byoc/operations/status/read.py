"""Asks AWS about the parts of a deployment, by their names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any, TypeVar

from byoc.errors import ByocError
from byoc.operations.account import Account
from byoc.operations.answers import AbsentError, AskingError
from byoc.operations.retention_record import Record
from byoc.operations.status.alarms import alarm_subjects
from byoc.operations.status.facts import (
    ALARM_ABSENT,
    Absent,
    AlarmFacts,
    DatabaseFacts,
    Facts,
    IngressFacts,
    Note,
    Rollout,
    ServiceFacts,
    Services,
    Unknown,
)
from byoc.operations.targets import Target

Part = TypeVar("Part")
Item = Mapping[str, Any]
"""A part of an answer, by the names of AWS's API."""
_HALF = (KeyError, IndexError, TypeError, ValueError, AttributeError)
"""What reading an answer raises that lacks something, or has it in another form."""


def read_facts(target: Target) -> Facts:
    """Everything that AWS says of a deployment; what cannot be asked is unknown, with the reason.

    Seven questions for a deployment with its own database, one more with retention; raises nothing of AWS's.
    """
    services = _services(target)
    return Facts(
        services=services,
        database=_database(target) if target.own_database else None,
        ingress=_ingress(target),
        alarms=_alarms(target),
        image=_image(target.account, services["api"]),
        noticed=_noticed(target) if target.has_retention else None,
    )


def known(action: str, ask: Callable[[], Any], read: Callable[[Any], Part]) -> Part | Absent | Unknown:
    """What ``read`` makes of AWS's answer to ``action``; half an answer is unknown, too."""
    try:
        answer = ask()
    except AbsentError:
        return Absent()
    except AskingError as error:
        return Unknown(why=f"{error.action}: {error.what}")
    except ByocError as error:
        return Unknown(why=str(error))
    try:
        return read(answer)
    except _HALF as error:
        return Unknown(why=f"{action}: half an answer ({type(error).__name__}: {error})")


def _services(target: Target) -> Services:
    roles = {target.names.service(target.deployment, role): role for role in target.service_roles}
    found = known(
        "ecs:DescribeServices",
        # One call takes ten services (Amazon ECS API Reference); a deployment has three at most.
        lambda: target.account.ask("ecs:DescribeServices", cluster=target.names.cluster, services=list(roles)),
        lambda answer: {role: _named_service(answer, name) for name, role in roles.items()},
    )
    return found if isinstance(found, dict) else dict.fromkeys(roles.values(), found)


def _named_service(answer: Item, name: str) -> ServiceFacts | Absent | Unknown:
    """ECS still tells of a service that was deleted, as inactive, and of why it has none of a name."""
    for item in answer["services"]:
        if item["serviceName"] == name:
            return Absent() if item["status"] == "INACTIVE" else service_facts(item)
    why = untold(answer, name)
    return Unknown(why=f"ecs:DescribeServices: {why}") if why else Absent()


def untold(answer: Item, name: str) -> str:
    """Why ECS tells nothing of what was asked for by name; empty if that is not there, which ECS says, too."""
    reasons = {
        str(failure.get("reason"))
        for failure in answer.get("failures") or ()
        if str(failure.get("arn")).endswith(f"/{name}")
    }
    if not reasons:
        return f"half an answer: it tells nothing of {name}"
    return ", ".join(sorted(reasons - {"MISSING"}))


def service_facts(item: Item) -> ServiceFacts:
    """A service of ``ecs:DescribeServices``."""
    deployments = item.get("deployments") or [{}]
    newest = next((each for each in deployments if each.get("status") == "PRIMARY"), deployments[0])
    return ServiceFacts(
        name=item["serviceName"],
        status=item["status"],
        desired=int(item["desiredCount"]),
        running=int(item["runningCount"]),
        pending=int(item.get("pendingCount", 0)),
        task_definition=_last(newest.get("taskDefinition") or item["taskDefinition"]),
        rollout=str(newest.get("rolloutState", "")),
        rollout_reason=str(newest.get("rolloutStateReason", "")),
        failed_tasks=int(newest.get("failedTasks", 0)),
        rollouts=len(deployments),
        rollout_id=str(newest.get("id", "")),
        replaced=tuple(_rollout(each) for each in deployments if each is not newest),
        changed_at=newest.get("updatedAt"),
        notes=notes(item.get("events") or ()),
    )


def notes(events: Iterable[Item]) -> tuple[Note, ...]:
    """The events of a service, newest first, without those that say nothing."""
    found = [Note(at=event["createdAt"], text=event["message"]) for event in events if event.get("message")]
    return tuple(sorted(found, key=lambda note: note.at, reverse=True))


def _rollout(item: Item) -> Rollout:
    return Rollout(
        task_definition=_last(item.get("taskDefinition", "")),
        state=str(item.get("rolloutState", "")),
        reason=str(item.get("rolloutStateReason", "")),
        running=int(item.get("runningCount", 0)),
    )


def _last(arn: str) -> str:
    return str(arn).rpartition("/")[2]


def _database(target: Target) -> DatabaseFacts | Absent | Unknown:
    identifier = target.names.database(target.deployment)
    return known(
        "rds:DescribeDBInstances",
        lambda: target.account.ask("rds:DescribeDBInstances", DBInstanceIdentifier=identifier),
        lambda answer: database_facts(answer["DBInstances"][0]),
    )


def database_facts(item: Item) -> DatabaseFacts:
    """An instance of ``rds:DescribeDBInstances``."""
    return DatabaseFacts(
        identifier=item["DBInstanceIdentifier"],
        status=item["DBInstanceStatus"],
        instance_class=item.get("DBInstanceClass", ""),
        engine_version=item.get("EngineVersion", ""),
        storage_gib=int(item.get("AllocatedStorage", 0)),
        multi_az=bool(item.get("MultiAZ")),
        pending={key: value for key, value in (item.get("PendingModifiedValues") or {}).items() if value},
    )


def _ingress(target: Target) -> IngressFacts | Absent | Unknown:
    name = target.names.load_balancer(target.deployment)
    found = known(
        "elasticloadbalancing:DescribeLoadBalancers",
        lambda: target.account.ask("elasticloadbalancing:DescribeLoadBalancers", Names=[name]),
        lambda answer: _balancer(answer["LoadBalancers"][0]),
    )
    if isinstance(found, Absent | Unknown):
        return found
    arn, state, dns_name = found
    health = _health(target.account, arn)
    secure = target.section.ingress.certificate_arn is not None
    counts = health if isinstance(health, Counter) else None
    return IngressFacts(
        state=state,
        url=f"{'https' if secure else 'http'}://{dns_name}{target.section.mount_prefix or ''}",
        healthy=None if counts is None else counts.pop("healthy", 0),
        unhealthy=dict(counts or {}),
        why_unknown=health.why if isinstance(health, Unknown) else "",
    )


def _balancer(item: Item) -> tuple[str, str, str]:
    return item["LoadBalancerArn"], item["State"]["Code"], item["DNSName"]


def _health(account: Account, balancer_arn: str) -> Counter[str] | Absent | Unknown:
    """Containers by health: ``healthy``, or the reason why not."""

    def ask() -> list[Item]:
        groups = account.all("elasticloadbalancing:DescribeTargetGroups", "TargetGroups", LoadBalancerArn=balancer_arn)
        arns = [group["TargetGroupArn"] for group in groups]
        return [account.ask("elasticloadbalancing:DescribeTargetHealth", TargetGroupArn=arn) for arn in arns]

    return known(
        "elasticloadbalancing:DescribeTargetHealth",
        ask,
        lambda answers: Counter(
            _reason(item["TargetHealth"]) for answer in answers for item in answer["TargetHealthDescriptions"]
        ),
    )


def _reason(health: Item) -> str:
    return "healthy" if health["State"] == "healthy" else str(health.get("Reason") or health["State"])


def _alarms(target: Target) -> tuple[AlarmFacts, ...] | Unknown:
    # One call takes a hundred names (Amazon CloudWatch API Reference); a deployment has fifteen at most.
    subjects = {target.names.alarm(target.deployment, subject): subject for subject in alarm_subjects(target)}
    found = known(
        "cloudwatch:DescribeAlarms",
        lambda: list(target.account.all("cloudwatch:DescribeAlarms", "MetricAlarms", AlarmNames=list(subjects))),
        lambda items: _named_alarms({item["AlarmName"]: item for item in items}, subjects),
    )
    return Unknown(why="cloudwatch:DescribeAlarms: no answer") if isinstance(found, Absent) else found


def _named_alarms(found: Mapping[str, Item], subjects: Mapping[str, str]) -> tuple[AlarmFacts, ...]:
    return tuple(_alarm(subject, found.get(name)) for name, subject in subjects.items())


def _alarm(subject: str, item: Item | None) -> AlarmFacts:
    if item is None:
        return AlarmFacts(subject=subject, state=ALARM_ABSENT)
    return AlarmFacts(
        subject=subject,
        state=item["StateValue"],
        since=item.get("StateTransitionedTimestamp") or item.get("StateUpdatedTimestamp"),
    )


def _image(account: Account, api: ServiceFacts | Absent | Unknown) -> str | Unknown:
    if not isinstance(api, ServiceFacts):
        return Unknown(why="there is no service")
    image = known(
        "ecs:DescribeTaskDefinition",
        lambda: account.ask("ecs:DescribeTaskDefinition", taskDefinition=api.task_definition),
        lambda answer: str(answer["taskDefinition"]["containerDefinitions"][0]["image"]),
    )
    return Unknown(why="the revision is not there") if isinstance(image, Absent) else image


def _noticed(target: Target) -> date | Unknown | None:
    found = known(
        "secretsmanager:DescribeSecret",
        lambda: target.account.ask(
            "secretsmanager:DescribeSecret", SecretId=target.names.secret(target.deployment, "environment")
        ),
        lambda answer: Record.of_tags(answer.get("Tags") or ()),
    )
    if isinstance(found, Absent):
        return None
    return found if isinstance(found, Unknown) else found.noticed
