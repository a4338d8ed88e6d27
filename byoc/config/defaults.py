"""Defaults of a deployment that depend on its type or on other settings, filled in before validation.

Only what is left out is filled in. What is written wrongly is left as it is, for the validators to refuse.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from byoc.config.database import MOST_STORAGE_GB, least_max_storage
from byoc.sizing import FARGATE_MEMORY
from byoc.types import DeploymentType

Raw = dict[str, Any]

SIZES: Mapping[DeploymentType, Mapping[str, int]] = {
    DeploymentType.DEVELOPMENT: {"cpu": 1024, "memory": 2048, "minContainers": 1, "maxContainers": 1},
    DeploymentType.PRODUCTION: {"cpu": 2048, "memory": 4096, "minContainers": 1, "maxContainers": 10},
}
"""The documented sizes are 1 CPU with 1 GB and 2 CPU with 2 GB (LangGraph docs: deployment types); these are the
smallest that Fargate offers with as much CPU."""

DATABASES: Mapping[DeploymentType, Mapping[str, object]] = {
    DeploymentType.DEVELOPMENT: {
        "instanceClass": "db.t4g.micro",
        "storageGb": 20,
        "multiZone": False,
        "backupRetentionDays": 0,
        "deletionProtection": False,
        "finalSnapshot": False,
    },
    DeploymentType.PRODUCTION: {
        "instanceClass": "db.m7g.large",
        "storageGb": 50,
        "multiZone": True,
        "backupRetentionDays": 7,
        "deletionProtection": True,
        "finalSnapshot": True,
    },
}
"""Development: one zone, smallest class, no backups (the documented 10 GB are below gp3's least). Production: Multi-AZ,
growing storage, backups, protected (LangGraph docs: deployment types)."""

PRODUCTION_MAX_STORAGE_GB = 500
"""Up to where a production database's storage grows by default, in GiB."""


def complete_deployment(raw: object) -> object:
    """``raw``, the settings of one deployment as written, with the defaults that are not constant filled in."""
    if not isinstance(raw, Mapping):
        return raw
    try:
        kind = DeploymentType(str(raw.get("type")))
    except ValueError:
        kind = DeploymentType.PRODUCTION  # whatever it is, the type itself is reported
    size = _size(_section(raw, "size"), SIZES[kind])
    sections = {
        "size": size,
        "queue": _queue(_section(raw, "queue"), size, SIZES[kind]),
        "database": _database(_section(raw, "database"), kind),
        "cache": _cache(_section(raw, "cache")),
    }
    return {**raw, **{key: section for key, section in sections.items() if isinstance(raw.get(key, {}), Mapping)}}


def _section(raw: Mapping[str, object], key: str) -> Raw:
    value = raw.get(key)
    return dict(value) if isinstance(value, Mapping) else {}


def _offered(cpu: object) -> tuple[int, ...]:
    """The memory sizes of ``cpu``; empty for what Fargate does not offer."""
    return FARGATE_MEMORY.get(cpu, ()) if isinstance(cpu, int) else ()


def _memory(cpu: object, preferred: object) -> object:
    """``preferred`` if Fargate offers it with ``cpu``, else the smallest that it offers."""
    offered = _offered(cpu)
    return offered[0] if offered and preferred not in offered else preferred


def _size(given: Raw, defaults: Mapping[str, int]) -> Raw:
    size = {**defaults, **given}
    if "memory" not in given:
        size["memory"] = _memory(size["cpu"], defaults["memory"])
    return size


def _queue(given: Raw, size: Raw, defaults: Mapping[str, int]) -> Raw:
    # A size that is wrong is reported once, under its own key.
    like = size if _offered(size["cpu"]) and size["memory"] in _offered(size["cpu"]) else defaults
    queue = {"containers": 1, "cpu": like["cpu"], **given}
    queue.setdefault("maxContainers", queue["containers"])
    queue.setdefault("memory", _memory(queue["cpu"], like["memory"]))
    return queue


def _database(given: Raw, kind: DeploymentType) -> Raw:
    database = {**DATABASES[kind], **given}
    if "maxStorageGb" not in given:
        database["maxStorageGb"] = _max_storage(database["storageGb"], kind)
    return database


def _max_storage(storage: object, kind: DeploymentType) -> int | None:
    if kind is DeploymentType.DEVELOPMENT or not isinstance(storage, int) or storage < 1:
        return None
    limit = min(max(PRODUCTION_MAX_STORAGE_GB, 2 * storage), MOST_STORAGE_GB)
    return limit if limit >= least_max_storage(storage) else None


def _cache(given: Raw) -> Raw:
    if "cpu" in given and "memory" not in given:
        return {**given, "memory": _memory(given["cpu"], 512)}
    return given
