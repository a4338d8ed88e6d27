"""Why containers do not start or do not stay, from stopped tasks and from what a service says of itself."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from byoc.operations.recovery.facts import RecoveryFacts, ServiceSettings, StoppedTask
from byoc.operations.recovery.finding import Area, Call, Finding, Remedy, Severity
from byoc.operations.status.facts import Note, ServiceFacts, Unknown
from byoc.operations.status.findings import revision_number, went_back
from byoc.operations.task_causes import (
    CRASHED,
    EXITED,
    HEALTH,
    KILLED,
    MEMORY,
    NOT_STARTED,
    TERMINATED,
    Cause,
    cause_of,
    plain,
)

OFTEN = 3
"""So many containers that ended within the hour are trouble, though others have taken their place."""
PATIENCE = timedelta(minutes=10)
"""How long ECS is left to try by itself before a new roll-out is begun in its place."""
_SIGNALLED: Mapping[int, Cause] = {137: KILLED, 139: CRASHED, 143: TERMINATED}
"""Exit codes of a process that a signal ended: 128 and the signal's number."""
_STEADY = re.compile(r"has reached a steady state")
_GIVES_UP = re.compile(r"is unable to consistently start tasks successfully")
_PLACEMENT = re.compile(
    r"was unable to (?:place a task|stop or start tasks)|failed to (?:launch a task|register targets)"
    r"|failed container health checks"
    r"|is unhealthy in \(target-group|operations are being throttled"
)
_TARGET = re.compile(r"is unhealthy in \(target-group")
_EVIDENCE = 2
"""Messages shown for one finding."""
_ON_PURPOSE = frozenset({"UserInitiated", "SpotInterruption", "TerminationNotice", "InfrastructureHealth"})
"""Why a task stopped without fault of its own (Amazon ECS API Reference: Task, ``stopCode``)."""
_BY_ITSELF = frozenset({"TaskFailedToStart", "EssentialContainerExited"})
"""Codes of tasks that nobody stopped, whatever words are in their reason."""
_TOLD_TO = re.compile(r"Scaling activity initiated by|Task stopped by user|User initiated", re.IGNORECASE)
_BY_AWS = re.compile(r"\b(?:retirement|maintenance)\b", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """One cause at one service: how often, and in AWS's words."""

    cause: Cause
    count: int
    evidence: tuple[str, ...]


def diagnose_tasks(facts: RecoveryFacts) -> Iterator[Finding]:
    """What keeps containers from running."""
    for role, service in facts.status.services.items():
        if not isinstance(service, ServiceFacts):
            continue
        found = troubles(service, facts.stopped.get(role, ()))
        remedy = _redeploy(facts, role, service, found)
        for trouble in found:
            yield Finding(
                id=f"tasks.{trouble.cause.id}",
                area=Area.TASKS,
                part=role,
                severity=_severity(service, trouble),
                words=f"service {role}: {_who(service, trouble)}: {trouble.cause.words}",
                evidence=trouble.evidence,
                way_out=trouble.cause.way_out,
                remedy=remedy if trouble.cause.passing else None,
            )


def troubles(service: ServiceFacts, stopped: Sequence[StoppedTask] | Unknown) -> tuple[Trouble, ...]:
    """The causes at a service that are not over, by how often each was met."""
    said: dict[str, list[str]] = {}
    causes: dict[str, Cause] = {}
    known = () if isinstance(stopped, Unknown) else stopped
    tasks = [task for task in known if not _cured(service, task)]
    for task in sorted(tasks, key=lambda task: (task.at is not None, str(task.at)), reverse=True):
        cause = cause_of_task(task)
        if cause is not None:
            causes[cause.id] = cause
            said.setdefault(cause.id, []).append(_told(task))
    counts = {id_: len(texts) for id_, texts in said.items()}
    for note in since_steady(service):
        cause = _cause_of_note(note)
        if cause is not None:
            causes[cause.id] = cause
            said.setdefault(cause.id, []).append(note.text)
            counts.setdefault(cause.id, 1)
    return tuple(
        Trouble(cause=causes[id_], count=counts[id_], evidence=tuple(dict.fromkeys(texts))[:_EVIDENCE])
        for id_, texts in sorted(said.items(), key=lambda item: -counts[item[0]])
    )


def cause_of_task(task: StoppedTask) -> Cause | None:
    """Why a task ended; None where it was to end. One that failed to start always has a cause, known or not.

    A container that was told to stop and took longer than its time is killed, too, with the very exit code of one that
    was killed for its memory: what ECS says of the task decides.
    """
    if _was_to_end(task):
        return None
    texts = [*(container.reason for container in task.containers if container.reason), task.reason]
    found = next((cause for text in texts if (cause := cause_of(text)) is not None), None)
    if found is not None:
        return found
    codes = {container.exit_code for container in task.containers if container.exit_code}
    if codes and codes <= set(_SIGNALLED):
        told_to = task.stop_code == "ServiceSchedulerInitiated"
        return None if told_to else next(cause for code, cause in _SIGNALLED.items() if code in codes)
    if task.stop_code == "EssentialContainerExited" or "Essential container in task exited" in task.reason:
        return EXITED
    return NOT_STARTED if task.stop_code == "TaskFailedToStart" else None


def _was_to_end(task: StoppedTask) -> bool:
    if task.stop_code in _ON_PURPOSE or _TOLD_TO.match(task.reason):
        return True
    return task.stop_code not in _BY_ITSELF and bool(_BY_AWS.search(plain(task.reason)))


def since_steady(service: ServiceFacts) -> Iterator[Note]:
    """What a service said since it was last as it should be, newest first."""
    for note in service.notes:
        if _STEADY.search(note.text):
            return
        yield note


def gives_up(service: ServiceFacts) -> bool:
    """Whether ECS starts containers at ever longer intervals, since they keep failing."""
    return any(_GIVES_UP.search(note.text) for note in since_steady(service))


def _cause_of_note(note: Note) -> Cause | None:
    if not _PLACEMENT.search(note.text):
        return None
    return HEALTH if _TARGET.search(note.text) else cause_of(note.text) or NOT_STARTED


def _cured(service: ServiceFacts, task: StoppedTask) -> bool:
    """Whether a task is of a time that is over.

    Where as many containers run as are wanted: one before the last roll-out came to its end, or of an earlier revision.
    Else: one before the service was last as it should be, unless it is of the revision from which ECS went back.
    """
    now = revision_number(service.task_definition)
    well = service.rollout == "COMPLETED" and service.running >= service.desired and not went_back(service)
    if well:
        older = task.revision is not None and now is not None and task.revision < now
        return older or _before(task, service.changed_at)
    newer = task.revision is not None and now is not None and task.revision > now
    steady = next((note.at for note in service.notes if _STEADY.search(note.text)), None)
    return not newer and _before(task, steady)


def _before(task: StoppedTask, moment: datetime | None) -> bool:
    return task.at is not None and moment is not None and task.at < moment


def _told(task: StoppedTask) -> str:
    parts = [task.reason, *(container.reason for container in task.containers)]
    codes = [f"exit code {each.exit_code}" for each in task.containers if each.exit_code]
    said = "; ".join(dict.fromkeys(part for part in (*parts, *codes) if part))
    return f"revision {task.revision}: {said}" if task.revision is not None else said


def _who(service: ServiceFacts, trouble: Trouble) -> str:
    if service.running >= service.desired:
        times = "once" if trouble.count == 1 else f"{trouble.count} times"
        return f"a container ended ({times} within the hour; as many run as are wanted)"
    return f"{service.desired - service.running} of {service.desired} containers do not run"


def _severity(service: ServiceFacts, trouble: Trouble) -> Severity:
    if service.running == 0 and service.desired > 0:
        return Severity.CRITICAL
    lasting = trouble.count >= OFTEN or trouble.cause in (MEMORY, KILLED)
    short = service.running < service.desired or went_back(service) or service.rollout == "FAILED"
    return Severity.WARNING if lasting or short else Severity.NOTE


def _redeploy(facts: RecoveryFacts, role: str, service: ServiceFacts, found: Sequence[Trouble]) -> Remedy | None:
    """A new roll-out of the same revision, where all that is in the way may be over, and ECS has had its time.

    The number of containers stays what it is. A service that is not known to be ours is left alone. Where ECS went back
    to the revision before, a new roll-out of that one would bring nothing.
    """
    may = bool(found) and all(trouble.cause.passing for trouble in found) and role in facts.stopped
    known = not isinstance(facts.stopped.get(role), Unknown)
    short = service.status == "ACTIVE" and 0 <= service.running < service.desired
    settings = facts.services.get(role)
    ours = isinstance(settings, ServiceSettings) and facts.expected.owns(settings.tags)
    if not (may and known and short and ours) or went_back(service) or not _had_its_time(service, facts.at):
        return None
    call = Call(
        action="ecs:UpdateService",
        arguments={"cluster": facts.expected.cluster, "service": service.name, "forceNewDeployment": True},
    )
    words = f"roll out the same revision of service {role} once more"
    return Remedy(name="redeploy", part=role, words=words, calls=(call,))


def _had_its_time(service: ServiceFacts, now: datetime) -> bool:
    if service.rollout == "FAILED" or gives_up(service):
        return True
    return service.changed_at is not None and now - service.changed_at >= PATIENCE
