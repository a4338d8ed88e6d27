"""Policy documents as people hand them in: read, and refused with the place of what is wrong."""

from __future__ import annotations

import enum
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from byoc.permissions.evaluation.conditions import require_operator
from byoc.permissions.evaluation.evaluator import Document, statements

_VERSIONS = ("2012-10-17", "2008-10-17")
_TOP = ("Version", "Id", "Statement")
_ELEMENTS = (
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
)
_ACTION = re.compile(r"\*|[A-Za-z0-9*?-]+:[A-Za-z0-9*?]+")


class DocumentError(ValueError):
    """A document that is no policy: where it goes wrong, what stands there, and what is allowed."""

    def __init__(self, place: str, got: str, allowed: str) -> None:
        self.place = place
        super().__init__(f"{place}: {got}; allowed: {allowed}")


class Kind(enum.StrEnum):
    """What a document is attached to."""

    IDENTITY = "identity policy"
    TRUST = "trust policy"
    RESOURCE = "resource policy"


def parse(text: str) -> Document:
    """A policy document from JSON, checked. Raises :class:`DocumentError`."""
    try:
        found = json.loads(text, object_pairs_hook=_without_repetitions)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise DocumentError(place, f"not JSON ({error.msg})", "a policy document in JSON") from None
    except RecursionError:
        raise DocumentError("the document", "lists within lists without end", "a policy document in JSON") from None
    return checked(found)


def kind_of(document: Document) -> Kind:
    """What a document looks like by its statements: with a Principal it is no identity policy."""
    held = statements(document)
    if not any("Principal" in one or "NotPrincipal" in one for one in held):
        return Kind.IDENTITY
    return Kind.RESOURCE if any("Resource" in one or "NotResource" in one for one in held) else Kind.TRUST


def require_kind(document: Document, kind: Kind) -> None:
    """Raise :class:`DocumentError` at the first statement that has too much or too little for its kind."""
    for number, statement in enumerate(statements(document)):
        place = f"Statement[{number}]"
        has_principal = "Principal" in statement or "NotPrincipal" in statement
        has_resource = "Resource" in statement or "NotResource" in statement
        if has_principal != (kind is not Kind.IDENTITY):
            raise DocumentError(
                place,
                "a Principal" if has_principal else "no Principal",
                f"in {_article(kind)} {kind}, {'none' if kind is Kind.IDENTITY else 'one'}",
            )
        if has_resource != (kind is not Kind.TRUST):
            raise DocumentError(
                place,
                "a Resource" if has_resource else "no Resource",
                f"in {_article(kind)} {kind}, {'none: it is about its own role' if kind is Kind.TRUST else 'one'}",
            )


def checked(found: Any) -> Document:  # noqa: ANN401 - whatever JSON holds
    """``found``, if it is a policy document. Raises :class:`DocumentError`."""
    if not isinstance(found, dict):
        raise DocumentError("the document", _short(found), "an object with Version and Statement")
    _require_keys("the document", found, _TOP)
    version = found.get("Version", _VERSIONS[0])
    if version not in _VERSIONS:
        raise DocumentError("Version", _short(version), " or ".join(_VERSIONS))
    held = found.get("Statement")
    listed = [held] if isinstance(held, dict) else held
    if not isinstance(listed, list) or not listed:
        raise DocumentError("Statement", _short(held), "a statement, or a list of at least one")
    for number, statement in enumerate(listed):
        _check_statement(f"Statement[{number}]", statement)
    return found


def _check_statement(place: str, statement: Any) -> None:  # noqa: ANN401
    if not isinstance(statement, dict):
        raise DocumentError(place, _short(statement), "an object with Effect and Action")
    _require_keys(place, statement, _ELEMENTS)
    if statement.get("Effect") not in ("Allow", "Deny"):
        raise DocumentError(f"{place}.Effect", _short(statement.get("Effect")), "Allow or Deny")
    if not isinstance(statement.get("Sid", ""), str):
        raise DocumentError(f"{place}.Sid", _short(statement["Sid"]), "text")
    for one, other in (("Action", "NotAction"), ("Resource", "NotResource"), ("Principal", "NotPrincipal")):
        if one in statement and other in statement:
            raise DocumentError(place, f"both {one} and {other}", "one of them")
    if "Action" not in statement and "NotAction" not in statement:
        raise DocumentError(place, "neither Action nor NotAction", "one of them")
    for element in ("Action", "NotAction", "Resource", "NotResource"):
        if element in statement:
            _check_texts(f"{place}.{element}", statement[element])
    for element in ("Action", "NotAction"):
        for entry in _listed(statement.get(element, [])):
            if not _ACTION.fullmatch(entry):
                raise DocumentError(f"{place}.{element}", _short(entry), "service:Action, with * and ?, or *")
    for element in ("Principal", "NotPrincipal"):
        if element in statement:
            _check_principal(f"{place}.{element}", statement[element])
    _check_condition(f"{place}.Condition", statement.get("Condition", {}))


def _check_principal(place: str, principal: Any) -> None:  # noqa: ANN401
    if principal == "*":
        return
    if not isinstance(principal, dict):
        raise DocumentError(place, _short(principal), "* or an object with AWS, Service, Federated or CanonicalUser")
    _require_keys(place, principal, ("AWS", "Service", "Federated", "CanonicalUser"))
    for kind, entries in principal.items():
        _check_texts(f"{place}.{kind}", entries)


def _check_condition(place: str, condition: Any) -> None:  # noqa: ANN401
    if not isinstance(condition, dict):
        raise DocumentError(place, _short(condition), "an object of operators")
    for operator, keys in condition.items():
        try:
            require_operator(operator)
        except ValueError:
            allowed = "an operator of IAM, such as StringEquals, ArnLike, Bool or Null"
            raise DocumentError(f"{place}.{operator}", "an operator that IAM does not know", allowed) from None
        if not isinstance(keys, dict):
            raise DocumentError(f"{place}.{operator}", _short(keys), "an object of condition keys")
        for key, values in keys.items():
            several = values if isinstance(values, list) else [values]
            if not all(isinstance(value, str | int | float | bool) for value in several):
                raise DocumentError(f"{place}.{operator}.{key}", _short(values), "text, number, true, false, or a list")


def _check_texts(place: str, found: Any) -> None:  # noqa: ANN401
    texts = _listed(found)
    if not texts or not all(isinstance(text, str) and text for text in texts):
        raise DocumentError(place, _short(found), "text, or a list of texts")


def _listed(found: Any) -> Sequence[Any]:  # noqa: ANN401
    return found if isinstance(found, list) else [found]


def _require_keys(place: str, found: Mapping[str, Any], allowed: Sequence[str]) -> None:
    unknown = [key for key in found if key not in allowed]
    if unknown:
        raise DocumentError(place, f"{_short(unknown[0])}", ", ".join(allowed))


def _without_repetitions(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise DocumentError("the document", f"{key!r} twice in one object", "each key once")
        found[key] = value
    return found


def _short(found: Any) -> str:  # noqa: ANN401
    text = json.dumps(found)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _article(kind: Kind) -> str:
    return "an" if kind is Kind.IDENTITY else "a"
