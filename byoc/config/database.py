"""The PostgreSQL database of a deployment."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, ValidationInfo, field_validator

from byoc.config.fields import Switch, Whole, counted, quoted
from byoc.config.problems import Finding, refuse
from byoc.config.section import Section, setting
from byoc.sizing import (
    DATABASE_FAMILIES,
    DATABASE_MEMORY,
    LARGEST_POOL,
    RESERVED_CONNECTIONS,
    SMALLEST_POOL,
    max_connections,
    pool_size,
)

LEAST_STORAGE_GB = 20
"""The smallest gp3 volume of RDS for PostgreSQL, in GiB (AWS docs: "Amazon RDS DB instance storage")."""
MOST_STORAGE_GB = 65536
"""The largest one (same page)."""
ENGINE_MAJORS = (15, 16, 17, 18)
"""PostgreSQL versions that RDS offers and the server runs on."""
OLDEST_MINORS = {15: 8}
"""The server needs at least PostgreSQL 15.8 (LangGraph docs)."""


def least_max_storage(storage_gb: int) -> int:
    """The lowest limit of storage autoscaling that RDS takes: 10 percent above the allocated storage (AWS docs:
    "Managing capacity automatically with Amazon RDS storage autoscaling")."""
    return -(-storage_gb * 11 // 10)


def _instance_class(value: str) -> str:
    if value in DATABASE_MEMORY:
        return value
    family, _, _ = value.rpartition(".")
    if family in DATABASE_FAMILIES:
        raise refuse(
            f"a size of {family} that RDS offers: {', '.join(DATABASE_FAMILIES[family])}",
            f"write {family}.{next(iter(DATABASE_FAMILIES[family]))}, for example",
        )
    raise refuse(
        f"an RDS class for PostgreSQL of one of these families: {', '.join(DATABASE_FAMILIES)}",
        "write family and size, such as db.t4g.micro or db.m7g.large",
    )


def _engine_version(value: str) -> str:
    match = re.fullmatch(r"(\d{1,2})(?:\.(\d{1,2}))?", value, re.ASCII)
    major = int(match[1]) if match else 0
    minor = int(match[2]) if match and match[2] else None
    if major not in ENGINE_MAJORS or (minor is not None and minor < OLDEST_MINORS.get(major, 0)):
        raise refuse(
            f"PostgreSQL 15.8 or later: one of {', '.join(str(known) for known in ENGINE_MAJORS)}, with or "
            "without a minor "
            "version",
            'write "16", or "16.4" to stay on a minor version',
        )
    return value


class DatabaseConfig(Section):
    """The RDS instance that is made for a deployment; with `postgresUriCustom` only `poolSize` may be set."""

    instance_class: Annotated[str, AfterValidator(_instance_class)] = setting(
        "The RDS class. Its memory decides how many connections there are.",
        shown="development `db.t4g.micro`, production `db.m7g.large`",
    )
    engine_version: Annotated[str, quoted("a PostgreSQL version", "16"), AfterValidator(_engine_version)] = setting(
        "PostgreSQL version, in quotes, at least 15.8. Without a minor version RDS chooses and updates it.",
        default="16",
    )
    storage_gb: Annotated[Whole, counted(LEAST_STORAGE_GB, MOST_STORAGE_GB)] = setting(
        "Allocated storage (gp3) in GiB, 20 to 65,536. It can grow and never shrink.",
        shown="development 20, production 50",
    )
    max_storage_gb: Annotated[Whole, counted(LEAST_STORAGE_GB, MOST_STORAGE_GB)] | None = setting(
        "Up to where RDS grows the storage by itself, in GiB; at least 10 percent above `storageGb`. `null`: it "
        "does not.",
        shown="development: no growth; production 500, or twice `storageGb` where that is more",
    )
    multi_zone: Switch = setting(
        "Whether a standby in another zone takes over; doubles the price.",
        shown="development `false`, production `true`",
    )
    backup_retention_days: Annotated[Whole, counted(0, 35)] = setting(
        "Days that automatic backups are kept, 0 (none) to 35.", shown="development 0, production 7"
    )
    deletion_protection: Switch = setting(
        "Whether the database refuses to be deleted until this is switched off.",
        shown="development `false`, production `true`",
    )
    final_snapshot: Switch = setting(
        "Whether a snapshot is made when the database is deleted; it stays behind.",
        shown="development `false`, production `true`",
    )
    pool_size: Annotated[Whole, counted(1, LARGEST_POOL)] | None = setting(
        "Connections that each container may open, 1 to 150.",
        default=None,
        shown="computed, so that all containers of a rolling update together fit the database",
    )

    @field_validator("max_storage_gb")
    @classmethod
    def _room_to_grow(cls, value: int | None, info: ValidationInfo) -> int | None:
        """RDS refuses a limit that is nearly reached."""
        storage = info.data.get("storage_gb")
        if value is not None and storage is not None and value < least_max_storage(storage):
            raise refuse(
                f"at least {least_max_storage(storage)}, 10 percent above storageGb ({storage})",
                f"write {least_max_storage(storage)} or more, or null for no growth",
            )
        return value


def connection_findings(database: DatabaseConfig, tasks: int, place: tuple[str | int, ...]) -> list[Finding]:
    """Why ``tasks`` containers, the most that are alive during a rolling update, cannot share the database.

    ``place`` is the path of the deployment that the database belongs to; empty for a deployment's own stack.
    """
    most = max_connections(database.instance_class)
    pool = pool_size(database.instance_class, tasks)
    kept = f"{most} connections of {database.instance_class}, less {RESERVED_CONNECTIONS} kept free"
    room = f"{kept}, for {tasks} containers"
    if (
        database.pool_size is not None
        and database.pool_size > pool
        and database.pool_size * tasks > most - RESERVED_CONNECTIONS
    ):
        return [
            Finding(
                key=(*place, "database", "poolSize"),
                allowed=f"at most {pool} ({room} during a rolling update)",
                remedy="leave it out to have it computed, take a larger instanceClass, or lower size.maxContainers",
            )
        ]
    if database.pool_size is None and pool < SMALLEST_POOL:
        return [
            Finding(
                key=(*place, "database", "instanceClass"),
                allowed=f"a class with at least {SMALLEST_POOL} connections per container; here are {room}",
                remedy="take a larger instanceClass, or lower size.maxContainers",
            )
        ]
    return []
