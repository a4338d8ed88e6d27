"""What IAM would answer: a pure evaluation of policies against one request.

Source: AWS docs, "Policy evaluation logic". Within one account: an explicit deny anywhere wins; else some identity
policy must allow, and the permissions boundary, where there is one, must allow as well. Service control policies,
session policies and resource policies (other than a role's trust policy) are not part of this evaluation.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from byoc.permissions.evaluation.conditions import as_texts, holds
from byoc.permissions.evaluation.matching import Context, Unresolved, action_matches, resource_matches

Document = Mapping[str, Any]
"""A policy document, as parsed JSON."""
Statement = Mapping[str, Any]
"""One statement of a policy document."""

_CURRENT_VERSION = "2012-10-17"
_ACCOUNT_ID = re.compile(r"\d{12}")
_ROOT = re.compile(r"arn:[^:]+:iam::(\d{12}):root")
_ROLE = re.compile(r"arn:[^:]+:iam::(\d{12}):role/(?:.*/)?([^/]+)")
_SESSION = re.compile(r"arn:[^:]+:sts::(\d{12}):assumed-role/([^/]+)/[^/]+")


class Outcome(enum.StrEnum):
    """What comes of a request; AWS tells the two kinds of deny apart in its messages."""

    ALLOWED = "allowed"
    EXPLICIT_DENY = "explicit deny"
    IMPLICIT_DENY = "implicit deny"


@dataclass(frozen=True, kw_only=True)
class Request:
    """One action on one resource, by one principal.

    An API call that AWS authorises against several resources (``ecs:CreateService`` with its cluster) is several
    requests.
    """

    principal: str
    """ARN of a user, role or role session; or a service such as ``ecs-tasks.amazonaws.com``."""
    action: str
    """``service:Operation``, with the service's IAM prefix."""
    resource: str
    """ARN, or ``*`` for an action that knows no resources."""
    context: Context = field(default_factory=dict)
    """Condition keys with their values. Nothing is added to it: a key that is not here is missing."""


@dataclass(frozen=True, kw_only=True)
class Decision:
    """The outcome, and what decided it."""

    outcome: Outcome
    statement: Statement | None
    """The deciding statement; ``None`` where nothing allowed."""
    layer: str
    """``identity policy <name>``, ``boundary``, ``trust policy``; ``identity policies`` where none of them allowed."""

    @property
    def allowed(self) -> bool:
        """Whether the request goes through."""
        return self.outcome is Outcome.ALLOWED


def evaluate(request: Request, *, identity: Mapping[str, Document], boundary: Document | None = None) -> Decision:
    """What the policies of one principal say to a request.

    ``identity``: all policies of the principal, attached and inline, by name. ``boundary``: its permissions boundary.
    Raises ``ValueError`` for a condition operator or statement that IAM does not know.
    """
    layers = [(f"identity policy {name}", document) for name, document in identity.items()]
    allowing = [(layer, statement) for layer, document in layers for statement in _matching(document, request)]
    bounding = [("boundary", statement) for statement in _matching(boundary, request)] if boundary is not None else []
    for layer, statement in [*allowing, *bounding]:
        if statement["Effect"] == "Deny":
            return Decision(outcome=Outcome.EXPLICIT_DENY, statement=statement, layer=layer)
    if not allowing:
        return Decision(outcome=Outcome.IMPLICIT_DENY, statement=None, layer="identity policies")
    if boundary is not None and not bounding:
        return Decision(outcome=Outcome.IMPLICIT_DENY, statement=None, layer="boundary")
    layer, statement = allowing[0]
    return Decision(outcome=Outcome.ALLOWED, statement=statement, layer=layer)


def evaluate_trust(request: Request, trust: Document) -> Decision:
    """Whether a role's trust policy lets ``request.principal`` do ``request.action`` (``sts:AssumeRole``).

    A caller from another account needs an identity policy of its own besides. Raises ``ValueError`` as
    :func:`evaluate` does.
    """
    matching = [
        statement for statement in _matching(trust, request) if _principal_matches(statement, request.principal)
    ]
    for statement in matching:
        if statement["Effect"] == "Deny":
            return Decision(outcome=Outcome.EXPLICIT_DENY, statement=statement, layer="trust policy")
    if matching:
        return Decision(outcome=Outcome.ALLOWED, statement=matching[0], layer="trust policy")
    return Decision(outcome=Outcome.IMPLICIT_DENY, statement=None, layer="trust policy")


def statements(document: Document) -> Sequence[Statement]:
    """The statements of a document, which may hold one or a list of them."""
    held = document.get("Statement", ())
    return (held,) if isinstance(held, Mapping) else tuple(held)


def _matching(document: Document, request: Request) -> Iterator[Statement]:
    variables = document.get("Version") == _CURRENT_VERSION  # the version before knows no variables
    for statement in statements(document):
        if statement.get("Effect") not in ("Allow", "Deny"):
            raise ValueError(f"a statement's Effect is Allow or Deny, not {statement.get('Effect')!r}")
        try:
            if _statement_matches(statement, request, variables=variables):
                yield statement
        except Unresolved:
            continue


def _statement_matches(statement: Statement, request: Request, *, variables: bool) -> bool:
    return (
        _action_matches(statement, request.action)
        and _resource_matches(statement, request, variables=variables)
        and holds(statement.get("Condition", {}), request.context, variables=variables)
    )


def _action_matches(statement: Statement, action: str) -> bool:
    if "NotAction" in statement:
        return not any(action_matches(pattern, action) for pattern in as_texts(statement["NotAction"]))
    return any(action_matches(pattern, action) for pattern in as_texts(statement.get("Action", [])))


def _resource_matches(statement: Statement, request: Request, *, variables: bool) -> bool:
    def any_of(patterns: tuple[str, ...]) -> bool:
        return any(resource_matches(p, request.resource, request.context, variables=variables) for p in patterns)

    if "NotResource" in statement:
        return not any_of(as_texts(statement["NotResource"]))
    # A trust policy has no Resource element: its resource is the role itself.
    return "Resource" not in statement or any_of(as_texts(statement["Resource"]))


def _principal_matches(statement: Statement, principal: str) -> bool:
    if "NotPrincipal" in statement:
        return not _principal_listed(statement["NotPrincipal"], principal)
    return "Principal" in statement and _principal_listed(statement["Principal"], principal)


def _principal_listed(element: str | Mapping[str, Any], principal: str) -> bool:
    if isinstance(element, str):
        return element == "*"
    is_service = not principal.startswith("arn:")
    kinds = ("Service", "Federated") if is_service else ("AWS", "Federated")
    return any(_same_principal(entry, principal) for kind in kinds for entry in as_texts(element.get(kind, [])))


def _same_principal(entry: str, principal: str) -> bool:
    """``entry`` of a Principal element against a caller; wildcards within an ARN mean nothing here, as in AWS."""
    if entry in ("*", principal):
        return True
    account = entry if _ACCOUNT_ID.fullmatch(entry) else (root.group(1) if (root := _ROOT.fullmatch(entry)) else None)
    if account is not None:
        return principal.startswith("arn:") and principal.split(":")[4] == account
    role, session = _ROLE.fullmatch(entry), _SESSION.fullmatch(principal)
    # A session's ARN carries the role's name but not its path.
    return role is not None and session is not None and role.groups() == session.groups()
