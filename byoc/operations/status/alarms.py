"""Which alarms a deployment has, by its parts, as ``byoc.components`` (``alarms``, ``scaling``) makes them."""

from __future__ import annotations

from byoc.operations.targets import Target

SCALING = frozenset({"scale-out", "scale-in"})
"""Alarms that steer the number of containers: being on is part of their work."""


def alarm_subjects(target: Target) -> tuple[str, ...]:
    """What the alarms of a deployment are about; their names end with it."""
    size = target.section.size
    services = [f"{role}-{what}" for role in target.service_roles for what in ("not-running", "tasks-missing")]
    database = ["database-connections", "database-cpu", "database-storage"] if target.own_database else []
    scaling = sorted(SCALING) if size.max_containers > size.min_containers else []
    return ("errors", "unhealthy-hosts", *services, *database, *scaling)
