"""Waits for the end of a rollback's roll-out."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from byoc.errors import ByocError
from byoc.operations.answers import AskingError, NoAnswerError
from byoc.operations.revisions.guard import IN_PROGRESS
from byoc.operations.revisions.read import read_services
from byoc.operations.revisions.rollback import Done, Plan
from byoc.operations.status.facts import ServiceFacts

SECONDS = 1200.0
"""How long a roll-out may take: as long as the AWS provider waits for one."""
_PAUSE_SECONDS = 5.0
_SECONDS_TO_BE_TOLD = 30.0
"""For so long ECS may still tell of the state before an update."""


def wait(
    plan: Plan,
    done: Done,
    *,
    look: Callable[[Mapping[str, ServiceFacts]], None] = lambda _: None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Wait until every service is at what it was handed; ``look`` is told of each state.

    Raises :class:`~byoc.errors.ByocError` if ECS went back, after :data:`SECONDS`, or if AWS cannot be asked any more.
    A look that AWS does not answer, or is too busy for, is none.
    """
    began = clock()
    while True:
        services = _looked(plan)
        if services is None:
            _require_time(plan, clock() - began)
            sleep(_PAUSE_SECONDS)
            continue
        look(services)
        handed = [(services[role], wanted) for role, wanted in done.task_definitions.items()]
        told = all(service.task_definition == wanted for service, wanted in handed)
        if told or clock() - began > _SECONDS_TO_BE_TOLD:
            states = [settled(service, wanted) for service, wanted in handed]  # all are asked: any may have failed
            if all(states):
                return
        _require_time(plan, clock() - began)
        sleep(_PAUSE_SECONDS)


def _looked(plan: Plan) -> dict[str, ServiceFacts] | None:
    """The services as they are; None where AWS did not answer this time."""
    try:
        return read_services(plan.target)
    except NoAnswerError:
        return None
    except AskingError as error:
        raise ByocError(
            f"{plan.target.deployment}: ECS goes on with the content of revision {plan.to.number}; what becomes of it "
            f"is not known: {error.action}: {error.what}\n"
            f"      mend it:  {error.remedy}: byoc status {plan.target.stack}"
        ) from None


def _require_time(plan: Plan, seconds: float) -> None:
    if seconds > SECONDS:
        raise ByocError(
            f"{plan.target.deployment}: the roll-out has not ended after {SECONDS / 60:.0f} minutes\n"
            f"      mend it:  byoc status {plan.target.stack}; byoc logs {plan.target.stack}"
        )


def settled(service: ServiceFacts, wanted: str) -> bool:
    """Whether a service is at what it was handed; raises :class:`~byoc.errors.ByocError` if it is not to be. Pure."""
    if service.rollout == "FAILED" or (service.task_definition != wanted and service.rollout != IN_PROGRESS):
        raise ByocError(
            f"{wanted} did not become healthy: {service.rollout_reason or f'ECS is at {service.task_definition}'}\n"
            "      mend it:  byoc events and byoc logs say why; then go back to another one with --to"
        )
    there = service.task_definition == wanted and service.running == service.desired
    return there and service.rollout != IN_PROGRESS and service.rollouts == 1
