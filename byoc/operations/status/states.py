"""What the facts about a deployment come to: the documents' states, and its health.

The documents name five states of a deployment and thirteen of a revision. Some of them belong to a hosted control plane
(builds); those never come out of here.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from byoc.operations.status.facts import Absent, DatabaseFacts, Facts, IngressFacts, ServiceFacts, Unknown
from byoc.operations.status.findings import DEAD, unknowns, uses, went_back, wrongs

_COMING = frozenset({"creating", "backing-up", "configuring-enhanced-monitoring", "configuring-log-exports"})
"""States of a database on its way to being available for the first time (Amazon RDS User Guide: DB instance status)."""


class DeploymentState(enum.StrEnum):
    """The documents' states of a deployment."""

    AWAITING_DATABASE = "AWAITING_DATABASE"
    READY = "READY"
    UNUSED = "UNUSED"
    """``byoc retention`` has sent a notice, and has seen no trace since."""
    AWAITING_DELETE = "AWAITING_DELETE"
    UNKNOWN = "UNKNOWN"
    """AWS could not be asked about a part that decides."""
    ABSENT = "ABSENT"
    """Nothing of it is there: not one of the documents' states, which begin with the deployment."""


class RevisionState(enum.StrEnum):
    """The documents' states of a revision, as far as AWS tells them."""

    AWAITING_DEPLOY = "AWAITING_DEPLOY"
    DEPLOYING = "DEPLOYING"
    DEPLOYED = "DEPLOYED"
    DEPLOY_FAILED = "DEPLOY_FAILED"
    UNKNOWN = "UNKNOWN"
    ABSENT = "ABSENT"


class Health(enum.StrEnum):
    """Whether it serves."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    """It serves, and something is wrong."""
    DOWN = "down"
    UNKNOWN = "unknown"
    """It could not be found out."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What the facts come to."""

    state: DeploymentState
    revision: RevisionState
    """Of the revision that the API's service is on, or on the way to."""
    health: Health
    findings: tuple[str, ...]
    """What is wrong, what could not be found out, and whether nobody uses it; in plain words."""
    went_back: bool = False
    """Whether a newer revision failed, and ECS went back to this one."""


def verdict(facts: Facts) -> Verdict:
    """The states and the health of a deployment."""
    wrong, unknown = tuple(wrongs(facts)), tuple(unknowns(facts))
    api = facts.services["api"]
    return Verdict(
        state=_state(facts),
        revision=_revision(facts),
        health=_health(facts, wrong, unknown),
        findings=(*wrong, *unknown, *uses(facts)),
        went_back=isinstance(api, ServiceFacts) and went_back(api),
    )


def _state(facts: Facts) -> DeploymentState:
    api, database = facts.services["api"], facts.database
    if isinstance(api, Unknown) or isinstance(database, Unknown):
        return DeploymentState.UNKNOWN
    leaving = isinstance(api, ServiceFacts) and api.status != "ACTIVE"
    if leaving or (isinstance(database, DatabaseFacts) and database.status == "deleting"):
        return DeploymentState.AWAITING_DELETE
    if isinstance(api, ServiceFacts):
        return _used(facts)
    if isinstance(database, DatabaseFacts):
        return DeploymentState.AWAITING_DATABASE if database.status in _COMING else DeploymentState.READY
    return DeploymentState.ABSENT if _nothing(facts) else _without_database(facts)


def _used(facts: Facts) -> DeploymentState:
    if isinstance(facts.noticed, Unknown):
        return DeploymentState.UNKNOWN
    return DeploymentState.READY if facts.noticed is None else DeploymentState.UNUSED


def _without_database(facts: Facts) -> DeploymentState:
    """Parts are there, and neither the API's service nor a database of the stack's own."""
    if isinstance(facts.ingress, Unknown):
        return DeploymentState.UNKNOWN
    return DeploymentState.READY if facts.database is None else DeploymentState.AWAITING_DATABASE


def _nothing(facts: Facts) -> bool:
    parts = (facts.ingress, *facts.services.values())
    return all(isinstance(part, Absent) for part in parts) and not isinstance(facts.database, DatabaseFacts)


def _revision(facts: Facts) -> RevisionState:
    api = facts.services["api"]
    if isinstance(api, Unknown):
        return RevisionState.UNKNOWN
    if isinstance(api, Absent):
        waits = isinstance(facts.database, DatabaseFacts) and facts.database.status != "deleting"
        return RevisionState.AWAITING_DEPLOY if waits or not _nothing(facts) else RevisionState.ABSENT
    known = {
        "IN_PROGRESS": RevisionState.DEPLOYING,
        "COMPLETED": RevisionState.DEPLOYED,
        "FAILED": RevisionState.DEPLOY_FAILED,
    }
    if api.rollout in known:
        return known[api.rollout]
    settled = api.rollouts == 1 and api.running == api.desired
    return RevisionState.DEPLOYED if settled else RevisionState.DEPLOYING


def _health(facts: Facts, wrong: tuple[str, ...], unknown: tuple[str, ...]) -> Health:
    """Down if one part that decides is known to be; only then unknown if one of them is; and never a guess."""
    api, ingress, database = facts.services["api"], facts.ingress, facts.database
    down = (
        isinstance(api, Absent)
        or (isinstance(api, ServiceFacts) and (api.running == 0 or api.status == "INACTIVE"))
        or isinstance(ingress, Absent)
        or (isinstance(ingress, IngressFacts) and (ingress.healthy == 0 or ingress.state in ("failed", "provisioning")))
        or isinstance(database, Absent)
        or (isinstance(database, DatabaseFacts) and database.status in DEAD)
    )
    if down:
        return Health.DOWN
    deciding = (api, ingress, database)
    hidden = any(isinstance(part, Unknown) for part in deciding)
    if hidden or (isinstance(ingress, IngressFacts) and ingress.healthy is None):
        return Health.UNKNOWN
    if wrong:
        return Health.DEGRADED
    return Health.UNKNOWN if unknown else Health.HEALTHY
