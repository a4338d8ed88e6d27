"""Which actions AWS knows."""

from __future__ import annotations

from byoc.permissions.reference import is_installed, names_like


def matches_an_action(pattern: str) -> bool | None:
    """Whether an ``Action`` entry covers any action that AWS documents; ``None`` where no reference is installed."""
    service = pattern.partition(":")[0]
    if "*" in service or "?" in service:
        return True
    return bool(names_like(pattern)) if is_installed() else None


def an_action(pattern: str) -> str | None:
    """The first documented action that an ``Action`` entry covers, if there is one."""
    return next(iter(names_like(pattern)), None) if is_installed() else None
