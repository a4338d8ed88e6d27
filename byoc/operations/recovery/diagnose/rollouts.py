"""Whether a service is there and its roll-out comes to its end."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from byoc.operations.recovery.diagnose.tasks import gives_up, since_steady, troubles
from byoc.operations.recovery.facts import RecoveryFacts
from byoc.operations.recovery.finding import Area, Finding, Severity
from byoc.operations.status.facts import Absent, ServiceFacts
from byoc.operations.status.findings import revision_number, went_back

STUCK = timedelta(minutes=30)
"""A roll-out without progress for so long is stuck: a new container has five minutes to pass its health checks, an old
one two to end."""
_EVIDENCE = 2


def diagnose_rollouts(facts: RecoveryFacts) -> Iterator[Finding]:
    """What is wrong with the services themselves."""
    for role, service in facts.status.services.items():
        if isinstance(service, Absent):
            yield _absent(facts, role)
        elif isinstance(service, ServiceFacts):
            yield from _of_service(facts, role, service)


def _absent(facts: RecoveryFacts, role: str) -> Finding:
    return Finding(
        id="rollout.service-absent",
        area=Area.ROLLOUT,
        part=role,
        severity=Severity.CRITICAL,
        words=f"service {role} is not there",
        way_out=f"byoc up {facts.expected.stack} makes it; if its state still knows it, with --refresh",
    )


def _of_service(facts: RecoveryFacts, role: str, service: ServiceFacts) -> Iterator[Finding]:
    known_causes = troubles(service, facts.stopped.get(role, ()))
    because = f"; the cause: {known_causes[0].cause.words}" if known_causes else ""
    out = known_causes[0].cause.way_out if known_causes else "byoc events and byoc logs tell what the containers did"
    notes = tuple(note.text for note in since_steady(service))[:_EVIDENCE]
    now = revision_number(service.task_definition)
    if service.status != "ACTIVE":
        yield Finding(
            id="rollout.service-leaving",
            area=Area.ROLLOUT,
            part=role,
            severity=Severity.CRITICAL,
            words=f"service {role} is {service.status.lower()}: somebody deletes it",
            way_out=f"when it is gone, byoc up --refresh {facts.expected.stack} makes it again",
        )
    elif went_back(service):
        yield Finding(
            id="rollout.went-back",
            area=Area.ROLLOUT,
            part=role,
            severity=Severity.WARNING,
            words=f"service {role}: a newer revision failed, and ECS went back to revision {now}{because}",
            evidence=_failed_words(service) or notes,
            way_out=f"{out}; then byoc up {facts.expected.stack}",
        )
    elif service.rollout == "FAILED":
        yield Finding(
            id="rollout.failed",
            area=Area.ROLLOUT,
            part=role,
            severity=Severity.CRITICAL if service.running == 0 else Severity.WARNING,
            words=f"service {role}: the roll-out of revision {now} failed{because}",
            evidence=(service.rollout_reason,) if service.rollout_reason else notes,
            way_out=f"{out}; then byoc up {facts.expected.stack}",
        )
    elif _is_stuck(facts, service):
        yield Finding(
            id="rollout.stuck",
            area=Area.ROLLOUT,
            part=role,
            severity=Severity.CRITICAL if service.running == 0 else Severity.WARNING,
            words=f"service {role}: the roll-out of revision {now} does not come to its end{because}",
            evidence=notes,
            way_out=out,
        )
    if service.status == "ACTIVE" and service.desired == 0:
        yield Finding(
            id="rollout.none-wanted",
            area=Area.ROLLOUT,
            part=role,
            severity=Severity.CRITICAL,
            words=f"service {role}: no container is wanted: somebody set its desired count to 0",
            way_out=_bring_back(facts, role),
        )


def _bring_back(facts: RecoveryFacts, role: str) -> str:
    if role in facts.expected.policies:
        return (
            "aws ecs update-service --desired-count, with as many as byoc:size says at least: scaling leaves a service "
            "at 0 alone, and byoc up leaves the count to scaling"
        )
    return f"byoc up --refresh {facts.expected.stack} sets it as the config says"


def _is_stuck(facts: RecoveryFacts, service: ServiceFacts) -> bool:
    if service.rollout != "IN_PROGRESS":
        return False
    lasting = service.changed_at is not None and facts.at - service.changed_at >= STUCK
    return gives_up(service) or lasting


def _failed_words(service: ServiceFacts) -> tuple[str, ...]:
    return tuple(rollout.reason for rollout in service.replaced if rollout.state == "FAILED" and rollout.reason)
