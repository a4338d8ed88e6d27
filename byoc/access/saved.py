"""A role's policies as a file, so that a later version can be held against them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from byoc.access.differences import Policies
from byoc.access.role import Role
from byoc.errors import InputError
from byoc.version import __version__

_KEYS = {"byoc", "role", "trust", "policies", "reasons"}


def saved(role: Role) -> dict[str, Any]:
    """The role as one JSON object; no external id is in it."""
    return {
        "byoc": __version__,
        "role": role.arn,
        "trust": role.trust,
        "policies": dict(role.policies),
        "reasons": dict(role.reasons),
    }


def policies_of(role: Role) -> Policies:
    """What this version of the library gives the role, with who may assume it."""
    return _policies(saved(role))


def read_saved(path: Path) -> Policies:
    """What :func:`saved` gave; raises :class:`~byoc.errors.InputError` for any other file."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}\n      mend it:  name a stack, or a file that is there") from None
    except ValueError:
        document = None
    if not isinstance(document, dict) or document.keys() != _KEYS:
        raise InputError(
            f"{path}: these are no saved policies\n"
            "      allowed:  what 'byoc access report STACK --format json' writes\n"
            "      mend it:  write it with the version that you compare with"
        )
    return _policies(document)


def _policies(document: dict[str, Any]) -> Policies:
    return Policies(
        version=document["byoc"], documents=document["policies"], reasons=document["reasons"], trust=document["trust"]
    )
