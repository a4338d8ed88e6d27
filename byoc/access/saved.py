"""An install's roles as a file, so that a later version can be held against them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from byoc.access.break_glass import REASONS, BreakGlass
from byoc.access.differences import Policies
from byoc.access.role import Role
from byoc.access.words import settings_words
from byoc.errors import InputError
from byoc.permissions.analyser.documents import DocumentError, checked
from byoc.permissions.policies.access import POLICIES_VERSION
from byoc.version import __version__

_ROLE = {"role", "trust", "policies", "reasons", "limits"}
_KEYS = {"byoc", "policiesVersion", "settings", "breakGlass", *_ROLE}


@dataclass(frozen=True, kw_only=True)
class Version:
    """One version of an install's roles."""

    byoc: str
    """Of the library."""
    policies_version: str
    """Of the documents (``POLICIES_VERSION``)."""
    settings: str
    """Mode and switches, in words."""
    control_plane: Policies
    break_glass: Policies
    """Without anything, if there is no such role."""

    @property
    def words(self) -> str:
        """The version on one line."""
        return f"policies version {self.policies_version} (byoc {self.byoc}), {self.settings}"


def saved(role: Role) -> dict[str, Any]:
    """The roles as one JSON object; no external id is in it."""
    hours = role.grants.max_session_seconds // 3600
    return {
        "byoc": __version__,
        "policiesVersion": POLICIES_VERSION,
        "settings": settings_words(role),
        "role": role.arn,
        "trust": role.trust,
        "policies": dict(role.policies),
        "reasons": dict(role.grants.reasons),
        "limits": _limits(role.arn, role.boundary, hours),
        "breakGlass": None if role.break_glass is None else _break_glass(role.break_glass),
    }


def version_of(role: Role) -> Version:
    """What this version of the library gives the roles, with who may assume them."""
    return _version(saved(role))


def read_saved(path: Path) -> Version:
    """What :func:`saved` gave; raises :class:`~byoc.errors.InputError` for any other file."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}\n      mend it:  name a stack, or a file that is there") from None
    except (ValueError, RecursionError):
        raise _refused(path) from None
    if not _is_saved(document):
        raise _refused(path)
    return _version(document)


def _refused(path: Path) -> InputError:
    return InputError(
        f"{path}: these are no saved policies\n"
        "      allowed:  what 'byoc access report STACK --format json' writes\n"
        "      mend it:  write it with the version that you compare with"
    )


def _is_saved(document: Any) -> bool:  # noqa: ANN401 - parsed JSON
    if not isinstance(document, dict) or document.keys() != _KEYS:
        return False
    texts = all(isinstance(document[key], str) for key in ("byoc", "policiesVersion", "settings"))
    emergency = document["breakGlass"]
    return texts and _is_role(document) and (emergency is None or (isinstance(emergency, dict) and _is_role(emergency)))


def _is_role(document: Mapping[str, Any]) -> bool:
    """Whether the keys of a role are there and hold what they are to hold."""
    if not document.keys() >= _ROLE or not isinstance(document["policies"], dict):
        return False
    texts = (document["reasons"], document["limits"])
    if not all(isinstance(found, dict) and all(isinstance(text, str) for text in found.values()) for found in texts):
        return False
    try:
        for policy in (document["trust"], *document["policies"].values()):
            checked(policy)
    except DocumentError:
        return False
    return True


def _break_glass(role: BreakGlass) -> dict[str, Any]:
    return {
        "role": role.arn,
        "trust": role.trust,
        "policies": {role.name: role.policy},
        "reasons": dict(REASONS),
        "limits": _limits(role.arn, role.boundary, role.minutes // 60),
    }


def _limits(arn: str, boundary: str | None, hours: int) -> dict[str, str]:
    limits = {"role": arn, "permissions boundary": boundary, "longest session": f"{hours} h"}
    return {name: limit for name, limit in limits.items() if limit}


def _version(document: Mapping[str, Any]) -> Version:
    emergency = document["breakGlass"]
    return Version(
        byoc=document["byoc"],
        policies_version=document["policiesVersion"],
        settings=document["settings"],
        control_plane=_policies(document),
        break_glass=Policies() if emergency is None else _policies(emergency),
    )


def _policies(document: Mapping[str, Any]) -> Policies:
    return Policies(**{key: document[name] for key, name in _FIELDS.items()})


_FIELDS = {"documents": "policies", "reasons": "reasons", "trust": "trust", "limits": "limits"}
"""Fields of :class:`Policies`, and their keys in a file."""
