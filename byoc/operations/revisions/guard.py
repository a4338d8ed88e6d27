"""No new revision while one is rolling out: the question is pure, and asked before anything is done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from byoc.errors import InputError
from byoc.operations.revisions.read import present_services
from byoc.operations.status.facts import ServiceFacts
from byoc.operations.targets import Target
from byoc.operations.times import iso

IN_PROGRESS = "IN_PROGRESS"


@dataclass(frozen=True, kw_only=True)
class RollingOut:
    """A roll-out that is under way."""

    role: str
    service: ServiceFacts

    def text(self, target: Target) -> str:
        """What is rolling out since when, and the way out."""
        return (
            f"{self.error(target)}\n"
            "      allowed:  a new revision once the roll-out has ended; ECS goes back by itself if it fails\n"
            f"      mend it:  wait (byoc status {target.stack}), or end it:\n"
            f"                {self._stop(target, indent=16)}"
        )

    def error(self, target: Target) -> str:
        """What is rolling out, since when, and how far it is."""
        service, since = self.service, self.service.changed_at
        changed = f", last changed {iso(since)}" if since else ""
        return (
            f"{target.deployment}: {service.task_definition} is rolling out{changed}: "
            f"{service.running} of {service.desired} containers run; nothing was done"
        )

    def remedy(self, target: Target) -> str:
        """The ways out of a refused ``up``."""
        return (
            f"wait until it has ended (byoc status {target.stack}); ECS goes back by itself if it fails\n"
            f"           a run of your own that was cut short: byoc resume {target.stack} --apply\n"
            f"           a new revision instead of it: byoc up {target.stack} --supersede\n"
            f"           back to the one before: {self._stop(target, indent=11)}"
        )

    def _stop(self, target: Target, *, indent: int) -> str:
        return (
            f"aws ecs list-service-deployments --cluster {target.names.cluster} --service {self.service.name} "
            "--status IN_PROGRESS\n"
            f"{' ' * indent}then: aws ecs stop-service-deployment --stop-type ROLLBACK --service-deployment-arn <ARN>"
        )


def rolling_out(services: Mapping[str, ServiceFacts]) -> RollingOut | None:
    """The roll-out that is under way, the API's first; None if there is none.

    A service that says nothing of its roll-out is at one while two task definitions are in place.
    """
    for role, service in services.items():
        if service.rollout == IN_PROGRESS or (not service.rollout and service.rollouts > 1):
            return RollingOut(role=role, service=service)
    return None


class RollingOutError(InputError):
    """A revision is rolling out."""


def refuse_while_rolling_out(target: Target) -> None:
    """Raise :class:`RollingOutError` if a revision of the deployment is rolling out.

    A deployment that is not there yet rolls nothing out. Raises an ``AskingError`` where AWS cannot be asked.
    """
    found = rolling_out(present_services(target))
    if found is not None:
        raise RollingOutError(found.text(target))
