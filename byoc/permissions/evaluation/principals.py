"""The ``Principal`` element: whom a trust or resource policy speaks of.

Source: AWS docs, "AWS JSON policy elements: Principal" and "Identity-based policies and resource-based policies".
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator, Mapping
from typing import Any

from byoc.permissions.evaluation.conditions import as_texts

_ACCOUNT_ID = re.compile(r"\d{12}")
_ROOT = re.compile(r"arn:[^:]+:iam::(\d{12}):root")
_ROLE = re.compile(r"arn:[^:]+:iam::(\d{12}):role/(?:.*/)?([^/]+)")
_SESSION = re.compile(r"arn:[^:]+:sts::(\d{12}):assumed-role/([^/]+)/[^/]+")
_USER = re.compile(r"arn:[^:]+:iam::\d{12}:user/.+")


class Grant(enum.IntEnum):
    """How far an Allow of a resource policy goes for a principal of the same account."""

    NONE = 0
    DELEGATED = 1
    """To the account: the principal's own policies have to allow as well."""
    ROLE = 2
    """To the role or to everybody: the identity policies need not allow, a boundary or session policy has to."""
    DIRECT = 3
    """To the very session, user or service: only an explicit deny stands against it."""


def principal_matches(statement: Mapping[str, Any], principal: str) -> bool:
    """Whether a statement speaks of ``principal``; one without the element speaks of nobody."""
    if "NotPrincipal" in statement:
        return not _listed(statement["NotPrincipal"], principal)
    return "Principal" in statement and _listed(statement["Principal"], principal)


def grant_of(statement: Mapping[str, Any], principal: str) -> Grant:
    """How far an Allow statement of a resource policy goes for ``principal``."""
    if not principal_matches(statement, principal):
        return Grant.NONE
    if "Principal" not in statement:
        return Grant.ROLE
    return max(_grant(entry, principal) for entry in _entries(statement["Principal"], principal))


def account_of(entry: str) -> str | None:
    """The account that an entry stands for as a whole (its id, or its root), or ``None``."""
    if _ACCOUNT_ID.fullmatch(entry):
        return entry
    root = _ROOT.fullmatch(entry)
    return root.group(1) if root else None


def _grant(entry: str, principal: str) -> Grant:
    if not same_principal(entry, principal):
        return Grant.NONE
    if account_of(entry) is not None:
        return Grant.DELEGATED
    is_itself = entry == principal and (not principal.startswith("arn:") or bool(_SESSION.fullmatch(principal)))
    return Grant.DIRECT if is_itself or (entry == principal and _USER.fullmatch(entry)) else Grant.ROLE


def _listed(element: str | Mapping[str, Any], principal: str) -> bool:
    return any(same_principal(entry, principal) for entry in _entries(element, principal))


def _entries(element: str | Mapping[str, Any], principal: str) -> Iterator[str]:
    if isinstance(element, str):
        yield from ("*",) if element == "*" else ()
        return
    is_service = not principal.startswith("arn:")
    for kind in ("Service", "Federated") if is_service else ("AWS", "Federated"):
        yield from as_texts(element.get(kind, []))


def same_principal(entry: str, principal: str) -> bool:
    """``entry`` of a Principal element against a caller; wildcards within an ARN mean nothing here, as in AWS."""
    if entry in ("*", principal):
        return True
    account = account_of(entry)
    if account is not None:
        return principal.startswith("arn:") and principal.split(":")[4] == account
    role, session = _ROLE.fullmatch(entry), _SESSION.fullmatch(principal)
    # A session's ARN carries the role's name but not its path.
    return role is not None and session is not None and role.groups() == session.groups()
