"""Config values given for one run, as with ``pulumi up --config`` and ``--config-path``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from byoc.errors import InputError


def with_overrides(config: Mapping[str, str], overrides: Iterable[str], project: str) -> dict[str, str]:
    """``config`` with each ``KEY=VALUE`` put into it.

    A key without a namespace belongs to the project. A key with dots is a path into an object
    (``byoc:database.deletionProtection=false``); what else the object holds stays. Raises ``InputError`` for anything
    that is no such pair, and for a path into something that is no object.
    """
    result = dict(config)
    for override in overrides:
        written, separator, value = override.partition("=")
        if not separator or not written:
            raise InputError(
                f"--config {override}\n      allowed:  KEY=VALUE\n      mend it:  --config byoc:image=registry/name:tag"
            )
        key, *path = (written if ":" in written else f"{project}:{written}").split(".")
        result[key] = _put(result.get(key, "{}"), path, value, written) if path else value
    return result


def _put(text: str, path: list[str], value: str, written: str) -> str:
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    place: Any = document
    for name in path[:-1]:
        place = place.setdefault(name, {}) if isinstance(place, dict) else None
    if not isinstance(place, dict):
        raise InputError(
            f"--config {written}\n      allowed:  a path into an object\n      mend it:  give the value of the key"
        )
    place[path[-1]] = _typed(value)
    return json.dumps(document)


def _typed(value: str) -> object:
    """A value inside an object has a type of its own: JSON where it reads as JSON, else text."""
    try:
        return json.loads(value)
    except ValueError:
        return value
