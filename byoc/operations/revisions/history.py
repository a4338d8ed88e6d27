"""What became of each revision, as ECS remembers it: the documents' states. Pure: answers in, states out."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from byoc.operations.status.facts import ServiceFacts
from byoc.operations.status.findings import revision_number

_STATES: Mapping[str, str] = {
    "PENDING": "DEPLOYING",
    "IN_PROGRESS": "DEPLOYING",
    "SUCCESSFUL": "DEPLOYED",
    "STOP_REQUESTED": "INTERRUPTED",
    "STOPPED": "INTERRUPTED",
    "ROLLBACK_REQUESTED": "DEPLOY_FAILED",
    "ROLLBACK_IN_PROGRESS": "DEPLOY_FAILED",
    "ROLLBACK_SUCCESSFUL": "DEPLOY_FAILED",
    "ROLLBACK_FAILED": "DEPLOY_FAILED",
}
"""Of ECS's states of a service deployment (Amazon ECS API Reference: ServiceDeployment)."""
_ROLLOUTS: Mapping[str, str] = {
    "IN_PROGRESS": "DEPLOYING",
    "COMPLETED": "DEPLOYED",
    "FAILED": "DEPLOY_FAILED",
}
"""Of ECS's states of a roll-out (Amazon ECS API Reference: Deployment)."""


class RevisionState(enum.StrEnum):
    """The documents' states of a revision, as far as AWS tells them, or this project's queue."""

    QUEUED = "QUEUED"
    AWAITING_DEPLOY = "AWAITING_DEPLOY"
    """Registered, and not yet handed to the service."""
    DEPLOYING = "DEPLOYING"
    DEPLOYED = "DEPLOYED"
    """Rolled out, once; whether it still runs is another question."""
    CREATE_FAILED = "CREATE_FAILED"
    """The run ended before there was anything to roll out."""
    DEPLOY_FAILED = "DEPLOY_FAILED"
    SKIPPED = "SKIPPED"
    INTERRUPTED = "INTERRUPTED"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, kw_only=True)
class RolledOut:
    """The last time that ECS rolled a revision out."""

    state: RevisionState
    at: datetime | None
    digest: str
    """Of its image, as ECS resolved it; empty where ECS does not say."""
    reason: str


def rolled_out(
    deployments: Iterable[Mapping[str, Any]], revisions: Mapping[str, Mapping[str, Any]]
) -> dict[int, RolledOut]:
    """By number of the task definition: what ``ecs:ListServiceDeployments`` says of it last.

    ``revisions`` are those of ``ecs:DescribeServiceRevisions``, by ARN. What ECS went back to after a failure is no
    deployment of its own there.
    """
    found: dict[int, RolledOut] = {}
    for item in sorted(deployments, key=lambda item: item["createdAt"].timestamp()):
        revision = revisions.get(item.get("targetServiceRevisionArn", ""), {})
        number = revision_number(str(revision.get("taskDefinition", "")))
        if number is None:
            continue
        found[number] = RolledOut(
            state=RevisionState(_STATES.get(str(item.get("status")), "UNKNOWN")),
            at=item.get("finishedAt") or item.get("startedAt") or item["createdAt"],
            digest=_digest(revision),
            reason=str(item.get("statusReason", "")),
        )
    return found


def _digest(revision: Mapping[str, Any]) -> str:
    images = revision.get("containerImages") or [{}]
    return str(images[0].get("imageDigest") or "")


def state_of(number: int, service: ServiceFacts, history: Mapping[int, RolledOut], *, active: bool) -> RevisionState:
    """The state of a revision: what the service says of those it is at, then what ECS remembers, and no guess."""
    at = {revision_number(service.task_definition): service.rollout}
    at |= {revision_number(each.task_definition): each.state for each in service.replaced if each.state == "FAILED"}
    if number in at:
        known = _ROLLOUTS.get(at[number])
        if known is not None:
            return RevisionState(known)
        if service.rollouts == 1 and service.running == service.desired:
            return RevisionState.DEPLOYED
    if number in history:
        return history[number].state
    current = revision_number(service.task_definition) or 0
    return RevisionState.AWAITING_DEPLOY if active and number > current else RevisionState.UNKNOWN
