"""Asks ECS, RDS, CloudWatch and Application Auto Scaling what happened to a deployment, and puts it in order."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from byoc.operations.event_words import alarm_words, database_words, scaling_words, service_words, stopped_words
from byoc.operations.status.alarms import alarm_subjects
from byoc.operations.status.facts import Absent, Unknown
from byoc.operations.status.findings import revision_number
from byoc.operations.status.read import known, notes, untold
from byoc.operations.targets import Target
from byoc.operations.tasks import task_answers

DATABASE_DAYS = 14
"""How long Amazon RDS keeps events (Amazon RDS API Reference: DescribeEvents)."""
MINUTES_OF_A_DAY = 24 * 60
Item = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happened."""

    at: datetime
    source: str
    """``ecs``, ``rds``, ``cloudwatch`` or ``scaling``: who says so."""
    part: str
    """``api``, ``queue``, ``cache``, ``database``, or ``alarm``."""
    text: str
    """In plain words."""
    original: str
    """As AWS says it."""


@dataclass(frozen=True, kw_only=True)
class Story:
    """What happened to one deployment."""

    events: tuple[Event, ...]
    """The oldest first."""
    unknown: tuple[str, ...] = ()
    """What could not be asked, and why."""


def read_story(target: Target, since: datetime) -> Story:
    """What happened since then, as far as AWS remembers: an hour of stopped containers, a hundred events of a service,
    fourteen days of the database. Raises nothing of AWS's.
    """
    events: list[Event] = []
    unknown: list[str] = []
    for name, found in _sources(target, since):
        if isinstance(found, Unknown):
            unknown.append(f"not known: {name}: {found.why}")
        elif not isinstance(found, Absent):
            events += [event for event in found if event.at >= since]
    return Story(events=tuple(sorted(events, key=lambda event: event.at)), unknown=tuple(unknown))


Found = list[Event] | Absent | Unknown


def _sources(target: Target, since: datetime) -> Iterator[tuple[str, Found]]:
    yield from _of_services(target)
    for role in target.service_roles:
        yield f"stopped containers of {role}", _of_stopped(target, role)
    if target.own_database:
        yield "events of the database", _of_database(target, since)
    yield "history of the alarms", _of_alarms(target, since)
    for role in _scaling_roles(target):
        yield f"scaling of {role}", _of_scaling(target, role)


def _of_services(target: Target) -> Iterator[tuple[str, Found]]:
    what = "events of the services"
    roles = {target.names.service(target.deployment, role): role for role in target.service_roles}
    answer = known(
        "ecs:DescribeServices",
        lambda: target.account.ask("ecs:DescribeServices", cluster=target.names.cluster, services=list(roles)),
        lambda answer: {**answer, "services": list(answer["services"])},
    )
    if isinstance(answer, Absent | Unknown):
        yield what, answer
        return
    found = known("ecs:DescribeServices", lambda: answer, lambda answer: list(_said(answer, roles)))
    yield what, found
    if isinstance(found, Unknown):
        return
    told = {service.get("serviceName") for service in answer["services"]}
    for name in roles.keys() - told:
        if why := untold(answer, name):
            yield what, Unknown(why=f"ecs:DescribeServices: {why}")


def _said(answer: Item, roles: Mapping[str, str]) -> Iterator[Event]:
    for service in answer["services"]:
        part = roles[service["serviceName"]]
        for note in reversed(notes(service.get("events") or ())):
            yield Event(at=note.at, source="ecs", part=part, text=service_words(note.text), original=note.text)


def _of_stopped(target: Target, role: str) -> Found:
    family = target.names.service(target.deployment, role)
    return known(
        "ecs:DescribeTasks",
        lambda: list(task_answers(target.account, target.names.cluster, family=family, desiredStatus="STOPPED")),
        lambda answers: [
            _stopped(task, role, at)
            for answer in answers
            for task in answer["tasks"]
            if (at := task.get("stoppedAt") or task.get("stoppingAt")) is not None
        ],
    )


def _stopped(task: Item, role: str, at: datetime) -> Event:
    reason = str(task.get("stoppedReason") or "")
    number = revision_number(task["taskDefinitionArn"])
    id_ = task["taskArn"].rpartition("/")[2]
    words = stopped_words(reason, task.get("containers") or ())
    return Event(
        at=at,
        source="ecs",
        part=role,
        text=f"container {id_[:8]} of revision {number} stopped: {words}",
        original=reason,
    )


def _of_database(target: Target, since: datetime) -> Found:
    # By how long ago: without a duration RDS takes an hour, and with times the two clocks would have to agree. A minute
    # more, because the question takes time, too.
    minutes = math.ceil((datetime.now(UTC) - since) / timedelta(minutes=1)) + 1
    return known(
        "rds:DescribeEvents",
        lambda: list(
            target.account.all(
                "rds:DescribeEvents",
                "Events",
                SourceIdentifier=target.names.database(target.deployment),
                SourceType="db-instance",
                Duration=min(max(minutes, 1), DATABASE_DAYS * MINUTES_OF_A_DAY),
            )
        ),
        lambda items: [
            Event(
                at=item["Date"],
                source="rds",
                part="database",
                text=database_words(item["Message"]),
                original=item["Message"],
            )
            for item in items
        ],
    )


def _of_alarms(target: Target, since: datetime) -> Found:
    subjects = {target.names.alarm(target.deployment, subject): subject for subject in alarm_subjects(target)}

    def ask() -> list[Item]:
        # One alarm at a time: without a name, AWS would tell of every alarm of the account.
        return [item for name in subjects for item in _history(target, name, since)]

    return known("cloudwatch:DescribeAlarmHistory", ask, lambda items: list(_changes(items, subjects)))


def _history(target: Target, alarm: str, since: datetime) -> Iterator[Item]:
    yield from target.account.all(
        "cloudwatch:DescribeAlarmHistory",
        "AlarmHistoryItems",
        AlarmName=alarm,
        HistoryItemType="StateUpdate",
        StartDate=since,
    )


def _changes(items: Iterable[Item], subjects: Mapping[str, str]) -> Iterator[Event]:
    for item in items:
        subject = subjects[item["AlarmName"]]
        words = alarm_words(subject, item["HistorySummary"], item.get("HistoryData") or "")
        yield Event(
            at=item["Timestamp"], source="cloudwatch", part="alarm", text=words, original=item["HistorySummary"]
        )


def _scaling_roles(target: Target) -> tuple[str, ...]:
    size, queue = target.section.size, target.section.queue
    api = ("api",) if size.max_containers > size.min_containers else ()
    return (*api, *(("queue",) if queue.separate and queue.max_containers > queue.containers else ()))


def _of_scaling(target: Target, role: str) -> Found:
    resource = f"service/{target.names.cluster}/{target.names.service(target.deployment, role)}"
    return known(
        "application-autoscaling:DescribeScalingActivities",
        lambda: list(
            target.account.all(
                "application-autoscaling:DescribeScalingActivities",
                "ScalingActivities",
                ServiceNamespace="ecs",
                ResourceId=resource,
            )
        ),
        lambda items: [_activity(item, role) for item in items],
    )


def _activity(item: Item, role: str) -> Event:
    words = scaling_words(
        item["Description"], item.get("Cause") or "", item.get("StatusCode") or "", item.get("StatusMessage") or ""
    )
    return Event(at=item["StartTime"], source="scaling", part=role, text=words, original=item["Description"])
