"""What is wrong with a deployment, and what could not be found out, in plain words. Pure: facts in, sentences out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from byoc.operations.status.alarms import SCALING
from byoc.operations.status.facts import ALARM_ABSENT, Absent, DatabaseFacts, Facts, IngressFacts, ServiceFacts, Unknown

ANSWERING = frozenset(
    {
        "available",
        "backing-up",
        "configuring-enhanced-monitoring",
        "configuring-iam-database-auth",
        "configuring-log-exports",
        "maintenance",
        "modifying",
        "moving-to-vpc",
        "resetting-master-credentials",
        "storage-config-upgrade",
        "storage-initialization",
        "storage-optimization",
    }
)
"""States in which a database answers, as a rule (Amazon RDS User Guide: DB instance status)."""
DEAD = frozenset(
    {
        "creating",
        "deleting",
        "failed",
        "inaccessible-encryption-credentials",
        "inaccessible-encryption-credentials-recoverable",
        "incompatible-create",
        "incompatible-network",
        "incompatible-option-group",
        "incompatible-parameters",
        "incompatible-restore",
        "insufficient-capacity",
        "rebooting",
        "restore-error",
        "starting",
        "stopped",
        "stopping",
        "storage-full",
    }
)
"""States in which it does not (the same page). What is in neither may answer."""
_DATABASE_WORDS: Mapping[str, str] = {
    "creating": "the database is being made",
    "delete-precheck": "the database is about to be deleted",
    "deleting": "the database is being deleted",
    "failed": "the database has failed, and Amazon RDS cannot recover it",
    "inaccessible-encryption-credentials": "the database's KMS key cannot be used, and Amazon RDS cannot recover it",
    "inaccessible-encryption-credentials-recoverable": "the database stands still: its KMS key cannot be used; "
    "give the key back, then start it",
    "incompatible-network": "the database cannot come up in its network: look for a subnet without free addresses",
    "incompatible-parameters": "the database cannot start with its parameters",
    "insufficient-capacity": "AWS has no capacity for the database's class in its zones",
    "rebooting": "the database restarts",
    "starting": "the database starts",
    "stopped": "the database is stopped",
    "stopping": "the database is being stopped",
    "storage-full": "the database's storage is full",
    "upgrading": "the database is being upgraded, and may not answer meanwhile",
}
ON_THEIR_WAY: Mapping[str, str] = {
    "Elb.RegistrationInProgress": "being registered",
    "Elb.InitialHealthChecking": "waiting for its first health checks",
    "Target.DeregistrationInProgress": "being drained",
}
"""What containers go through in any roll-out: no fault (Elastic Load Balancing API Reference: TargetHealth)."""
_NOT_HEALTHY: Mapping[str, str] = {
    "Elb.InternalError": "the load balancer could not check, for an error of its own",
    "Target.FailedHealthChecks": "fails its health check: no connection, or an answer that is none",
    "Target.InvalidState": "is stopped",
    "Target.IpUnusable": "has an address that cannot be used",
    "Target.NotInUse": "no listener leads to it",
    "Target.NotRegistered": "is not registered",
    "Target.ResponseCodeMismatch": "answers its health check with an error",
    "Target.Timeout": "does not answer its health check in time",
}
_REVISION = re.compile(r":(\d+)$")


def revision_number(task_definition: str) -> int | None:
    """The revision of a task definition: 7 of ``langgraph-cloud-chat-api:7``."""
    found = _REVISION.search(task_definition)
    return int(found.group(1)) if found else None


def went_back(service: ServiceFacts) -> bool:
    """Whether the newest roll-out is one by which ECS went back from a revision that failed."""
    back = re.compile(rf"rolling back to deployment(?:Id)? {re.escape(service.rollout_id)}\b")
    if service.rollout_id and any(back.search(note.text) for note in service.notes):
        return True
    now = revision_number(service.task_definition) or 0
    return any(
        rollout.state == "FAILED" and (revision_number(rollout.task_definition) or 0) > now
        for rollout in service.replaced
    )


def wrongs(facts: Facts) -> Iterator[str]:
    """What is known to be wrong."""
    for role, service in facts.services.items():
        yield from _of_service(role, service)
    yield from _of_database(facts.database)
    yield from ingress_words(facts.ingress)
    if not isinstance(facts.alarms, Unknown):
        for alarm in sorted(facts.alarms, key=lambda alarm: alarm.subject):
            if alarm.state == "ALARM" and alarm.subject not in SCALING:
                yield f"alarm {alarm.subject} is on"
            elif alarm.state == ALARM_ABSENT:
                yield f"alarm {alarm.subject} is not there"


def unknowns(facts: Facts) -> Iterator[str]:
    """What could not be found out, and why; the same reason once."""
    parts: dict[str, object] = {
        **{f"service {role}": service for role, service in facts.services.items()},
        "database": facts.database,
        "load balancer": facts.ingress,
        "alarms": facts.alarms,
    }
    if isinstance(facts.services["api"], ServiceFacts):
        parts["image"] = facts.image
    reasons: dict[str, list[str]] = {}
    for name, part in parts.items():
        if isinstance(part, Unknown):
            reasons.setdefault(part.why, []).append(name)
    if isinstance(facts.ingress, IngressFacts) and facts.ingress.healthy is None:
        why = facts.ingress.why_unknown or "AWS does not say"
        reasons.setdefault(why, []).append("health of the containers")
    for why, names in reasons.items():
        yield f"not known: {', '.join(names)}: {why}"


def uses(facts: Facts) -> Iterator[str]:
    """What ``byoc retention`` noted. It says nothing about whether the deployment serves."""
    if isinstance(facts.noticed, Unknown):
        yield f"not known: whether anybody uses it: {facts.noticed.why}"
    elif facts.noticed is not None:
        yield f"unused: a notice went out on {facts.noticed}; byoc retention says when it is deleted"


def _of_service(role: str, service: ServiceFacts | Absent | Unknown) -> Iterator[str]:
    if isinstance(service, Absent):
        yield f"service {role} is not there"
    if not isinstance(service, ServiceFacts):
        return
    if service.status != "ACTIVE":
        yield f"service {role} is {service.status.lower()}"
    if service.rollout == "FAILED":
        yield f"service {role}: the roll-out failed: {service.rollout_reason or 'ECS gives no reason'}"
    elif went_back(service):
        yield f"service {role}: {_what_failed(service)}"
    if service.desired == 0 and service.status == "ACTIVE":
        yield f"service {role}: no container is wanted (its desired count is 0)"
    if service.running < service.desired and not _on_the_way(service):
        coming = f", {service.pending} on the way" if service.pending else ""
        failed = f"; {service.failed_tasks} did not start" if service.failed_tasks else ""
        yield f"service {role}: {service.running} of {service.desired} containers run{coming}{failed}"


def _on_the_way(service: ServiceFacts) -> bool:
    """More containers were wanted, as the load does by itself, and they are coming."""
    coming = service.running + service.pending >= service.desired
    return service.running > 0 and coming and service.failed_tasks == 0


def _what_failed(service: ServiceFacts) -> str:
    failed = next((rollout for rollout in service.replaced if rollout.state == "FAILED"), None)
    newer = f"revision {revision_number(failed.task_definition)}" if failed is not None else "a newer revision"
    now = revision_number(service.task_definition)
    verb = "goes" if service.rollout == "IN_PROGRESS" else "went"
    reason = f": {failed.reason}" if failed is not None and failed.reason else ""
    return f"{newer} failed, and ECS {verb} back to revision {now}{reason}"


def _of_database(database: DatabaseFacts | Absent | Unknown | None) -> Iterator[str]:
    if isinstance(database, Absent):
        yield "the database is not there"
    elif isinstance(database, DatabaseFacts) and database.status not in ANSWERING:
        yield _DATABASE_WORDS.get(database.status, f"the database is {database.status}")


def ingress_words(ingress: IngressFacts | Absent | Unknown) -> Iterator[str]:
    """What is wrong with a load balancer and what stands behind it."""
    if isinstance(ingress, Absent):
        yield "the load balancer is not there"
    if not isinstance(ingress, IngressFacts):
        return
    if ingress.state != "active":
        yield f"the load balancer is {ingress.state}"
    faults = {reason: count for reason, count in ingress.unhealthy.items() if reason not in ON_THEIR_WAY}
    for reason, count in sorted(faults.items()):
        words = _NOT_HEALTHY.get(reason)
        yield f"{count} behind the load balancer not healthy: {f'{words} ({reason})' if words else reason}"
    if ingress.healthy == 0 and not faults:
        coming = ", ".join(f"{count} {ON_THEIR_WAY[reason]}" for reason, count in sorted(ingress.unhealthy.items()))
        yield f"no container behind the load balancer is healthy yet: {coming or 'none is registered'}"
