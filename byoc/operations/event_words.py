"""The messages of AWS in plain words; one that is not known here is shown as it is.

Sources: Amazon ECS Developer Guide ("Service event messages", "Stopped task error messages"), Amazon RDS User Guide
("Amazon RDS event categories and event messages"), Amazon CloudWatch and Application Auto Scaling API references.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

_LEAD = re.compile(r"^\(service [^()]*\)\s*")
_ID = re.compile(r"\(task (?:arn:\S*/)?([0-9a-f-]{6,})\)")
_SERVICE: Sequence[tuple[re.Pattern[str], str]] = tuple(
    (re.compile(pattern, re.DOTALL), words)
    for pattern, words in (
        (r"has reached a steady state\.?", "as many containers run as are wanted"),
        (r"has started (\d+) tasks?: .*", r"started: \1 {containers}{ids}"),
        (r"has stopped (\d+) running tasks?: .*", r"stopped: \1 {containers}{ids}"),
        (r"has begun draining connections on (\d+) tasks?\.?", r"no new requests to \1 {containers}, which end soon"),
        (r"registered (\d+) targets? in \(target-group [^)]*\)\.?", r"put behind the load balancer: \1 {containers}"),
        (
            r"deregistered (\d+) targets? in \(target-group [^)]*\)\.?",
            r"taken from behind the load balancer: \1 {containers}",
        ),
        (r"\(deployment [^)]*\) deployment completed\.?", "the roll-out is done"),
        (r"\(deployment [^)]*\) deployment failed: (.*?)\.?", r"the roll-out failed: \1"),
        (r"rolling back to deployment \S+", "ECS goes back to the revision before"),
        (
            r"was unable to place a task\. Reason: Capacity is unavailable at this time.*",
            "no container could be placed: AWS has no Fargate capacity at the moment",
        ),
        (
            r"was unable to place a task because no container instance met all of its requirements\..*",
            "no container could be placed: the cluster has no instance for it",
        ),
        (r"was unable to place a task\. Reason: (.*?)\.?", r"no container could be placed: \1"),
        (
            r"is unable to consistently start tasks successfully\..*",
            "containers keep failing to start; ECS tries again, at longer and longer intervals",
        ),
        (r"failed to launch a task with \(error (.*?)\)\.?", r"no container could be started: \1"),
        (r"\(task [^)]*\) failed container health checks\.?", "a container failed its own health check{ids}"),
        (
            r"(?:\(task [^)]*\) )?(?:\(instance [^)]*\) )?\(port (\d+)\) is unhealthy in \(target-group [^)]*\)"
            r" due to \(reason (.*?)\)\.?",
            r"a container fails the load balancer's health check on port \1: \2{ids}",
        ),
        (
            r"operations are being throttled on (\w+)\..*",
            r"AWS is too busy for ECS's own calls (\1); ECS tries again by itself",
        ),
        (r"has stopped (\d+) .*tasks?.*", r"stopped: \1 {containers}{ids}"),
    )
)
_STOPPED: Sequence[tuple[re.Pattern[str], str]] = tuple(
    (re.compile(pattern, re.DOTALL), words)
    for pattern, words in (
        (r"Scaling activity initiated by .*", "no longer wanted: fewer containers are, or a newer revision runs"),
        (r"Task failed ELB health checks in .*", "failed the load balancer's health check"),
        (r"Task failed container health checks\.?", "failed its own health check"),
        (r"(?:Essential container in task exited|Task failed to start)\.?", "its process ended"),
        (r"CannotPull\w*Error: (.*)", r"its image cannot be pulled: \1"),
        (
            r"ResourceInitializationError: unable to pull secrets or registry auth: (.*)",
            r"its secrets, or the registry's login, cannot be fetched: \1",
        ),
        (
            r"ResourceInitializationError: failed to validate logger args: (.*)",
            r"it cannot write to its log group: \1",
        ),
        (r"ResourceInitializationError: (.*)", r"what it needs could not be prepared: \1"),
        (r"(?:OutOfMemory\w*|OutOfMemoryError): .*", "it needed more memory than it has"),
        (r"Timeout waiting for network interface provisioning to complete\.?", "it got no network interface in time"),
        (r"(?:RESOURCE:\w+|Capacity is unavailable at this time).*", "AWS has no Fargate capacity at the moment"),
        (r"Task stopped by user|User initiated.*", "stopped by hand"),
    )
)
_DATABASE: Sequence[tuple[re.Pattern[str], str]] = tuple(
    # RDS writes "instance" and "Instance", at times in one message (AWS CLI Command Reference: rds describe-events).
    (re.compile(pattern, re.DOTALL | re.IGNORECASE), words)
    for pattern, words in (
        (r"DB instance created\.?", "the database was made"),
        (r"DB instance deleted\.?", "the database was deleted"),
        (r"Backing up DB instance\.?", "a backup begins"),
        (r"Finished DB instance backup\.?", "the backup is done"),
        (r"DB instance restarted\.?", "the database was restarted"),
        (r"DB instance shutdown\.?", "the database shut down"),
        (r"DB instance stopped\.?", "the database was stopped"),
        (r"DB instance started\.?", "the database was started"),
        (
            r"DB instance is being started due to it exceeding the maximum allowed time being stopped\.?",
            "AWS starts the database again: none stays stopped for more than seven days",
        ),
        (r"Multi-AZ instance failover started\.?", "the standby takes over"),
        (r"Multi-AZ instance failover completed\.?", "the standby has taken over"),
        (r"Recovery of the DB instance has started\..*", "Amazon RDS repairs the database"),
        (r"Recovery of the DB instance is complete\.?", "the database is repaired"),
        (
            r"The free storage capacity for DB Instance:? \S+ is low at ([\d.]+%) of the provisioned storage.*",
            r"the storage is nearly full: \1 is free",
        ),
        (
            r".*(?:[Aa]llocated storage has been exhausted|[Ss]torage is full).*",
            "the storage is full: the database stands still",
        ),
        (r"Applying modification to (.*?)\.?", r"begins to change: \1"),
        (r"Finished applying modification to (.*?)\.?", r"changed: \1"),
        (r"Monitoring Interval changed to (\d+)", r"measured every \1 s (0: not at all)"),
    )
)
_ALARM_STATES = {"ALARM": "is on", "OK": "is off", "INSUFFICIENT_DATA": "has no data"}


def service_words(message: str) -> str:
    """A service's event (``ecs:DescribeServices``)."""
    return _translated(_SERVICE, _LEAD.sub("", message), message, message)


def stopped_words(reason: str, containers: Sequence[Mapping[str, Any]] = ()) -> str:
    """Why a task stopped (``ecs:DescribeTasks``): its own reason, and what its containers say beside."""
    words = _translated(_STOPPED, reason, reason, reason) if reason else "ECS gives no reason"
    more = [_container_words(container) for container in containers]
    return "; ".join([words, *(text for text in more if text)])


def _container_words(container: Mapping[str, Any]) -> str:
    reason, code = str(container.get("reason") or ""), container.get("exitCode")
    said = _translated(_STOPPED, reason, reason, reason)
    ended = f"exit code {code}" if code else ""
    told = ", ".join(text for text in (said, ended) if text)
    return f"{container.get('name', 'container')}: {told}" if told else ""


def database_words(message: str) -> str:
    """An event of a database (``rds:DescribeEvents``)."""
    return _translated(_DATABASE, message, message, message)


def alarm_words(subject: str, summary: str, data: str) -> str:
    """A change of an alarm (``cloudwatch:DescribeAlarmHistory``): what it is about, and CloudWatch's reason."""
    found = re.fullmatch(r"Alarm updated from (\w+) to (\w+)", summary)
    if found is None or found.group(2) not in _ALARM_STATES:
        return f"alarm {subject}: {summary}"
    try:
        reason = str(json.loads(data)["newState"]["stateReason"])
    except (ValueError, KeyError, TypeError):
        reason = ""
    told = f": {reason}" if reason and found.group(2) == "ALARM" else ""
    return f"alarm {subject} {_ALARM_STATES[found.group(2)]}{told}"


def scaling_words(description: str, cause: str, status: str, message: str) -> str:
    """A scaling activity (``application-autoscaling:DescribeScalingActivities``)."""
    count = re.search(r"Setting desired count to (\d+)", description)
    what = f"{count.group(1)} containers wanted" if count else description
    alarm = re.search(r"monitor alarm (\S+) in state", cause)
    why = f", by alarm {alarm.group(1)}" if alarm else ""
    if status in ("Failed", "Unfulfilled"):
        return f"scaling did not work: {what}{why}: {message or status.lower()}"
    return f"{what}{why}"


def _translated(table: Sequence[tuple[re.Pattern[str], str]], text: str, whole: str, otherwise: str) -> str:
    for pattern, words in table:
        found = pattern.fullmatch(text.strip())
        if found:
            ids = [id_[:8] for id_ in _ID.findall(whole)]
            plain = found.expand(words)
            one = bool(re.search(r"\b1 \{containers\}", plain))
            return plain.replace("{containers}", "container" if one else "containers").replace(
                "{ids}", f" ({', '.join(ids)})" if ids else ""
            )
    return otherwise
