"""What IAM would answer: a pure evaluation of policies against one request.

Source: AWS docs, "Policy evaluation logic". Within one account: an explicit deny anywhere wins; else some identity
policy must allow, and the permissions boundary and the session policy, where there are such, must allow as well. What
a resource policy grants to the role needs no identity policy; what it grants to the very session or user needs neither
boundary nor session policy. Service control policies and resource control policies are not part of this evaluation.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from byoc.permissions.evaluation.conditions import as_texts, holds
from byoc.permissions.evaluation.matching import Context, Unresolved, action_matches, resource_matches
from byoc.permissions.evaluation.principals import Grant, grant_of, principal_matches

Document = Mapping[str, Any]
"""A policy document, as parsed JSON."""
Statement = Mapping[str, Any]
"""One statement of a policy document."""
_Matched = tuple[str, Statement]

_CURRENT_VERSION = "2012-10-17"


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
    """``identity policy <name>``, ``boundary``, ``session policy``, ``resource policy``, ``trust policy``;
    ``identity policies`` where none of them allowed."""

    @property
    def allowed(self) -> bool:
        """Whether the request goes through."""
        return self.outcome is Outcome.ALLOWED


def evaluate(
    request: Request,
    *,
    identity: Mapping[str, Document],
    boundary: Document | None = None,
    session: Document | None = None,
    resource: Document | None = None,
) -> Decision:
    """What the policies of one principal, and the policy of the resource, say to a request within one account.

    ``identity``: all policies of the principal, attached and inline, by name. ``boundary``: its permissions boundary.
    ``session``: the policy that was passed when the role was assumed. ``resource``: the resource's own policy; keys
    and roles, whose policies have to allow as well as the identity's, are not evaluated so.
    Raises ``ValueError`` for a condition operator or statement that IAM does not know.
    """
    layers = [(f"identity policy {name}", document) for name, document in identity.items()]
    own = [(layer, statement) for layer, document in layers for statement in _matching(document, request)]
    limits = {
        layer: [(layer, statement) for statement in _matching(document, request)]
        for layer, document in (("boundary", boundary), ("session policy", session))
        if document is not None
    }
    granted = [
        ("resource policy", statement)
        for statement in (_matching(resource, request) if resource is not None else ())
        if principal_matches(statement, request.principal)
    ]
    for layer, statement in [*own, *(one for limit in limits.values() for one in limit), *granted]:
        if statement["Effect"] == "Deny":
            return Decision(outcome=Outcome.EXPLICIT_DENY, statement=statement, layer=layer)
    return _allowed(request, own, limits, granted)


def _allowed(
    request: Request, own: list[_Matched], limits: Mapping[str, list[_Matched]], granted: list[_Matched]
) -> Decision:
    """The answer where nothing denies: every statement here is an Allow."""
    grants = sorted(((grant_of(one, request.principal), layer, one) for layer, one in granted), key=lambda g: -g[0])
    if grants and grants[0][0] is Grant.DIRECT:
        return Decision(outcome=Outcome.ALLOWED, statement=grants[0][2], layer=grants[0][1])
    allowing = [*own, *((layer, one) for grant, layer, one in grants if grant is Grant.ROLE)]
    if not allowing:
        return Decision(outcome=Outcome.IMPLICIT_DENY, statement=None, layer="identity policies")
    for layer, matched in limits.items():
        if not matched:
            return Decision(outcome=Outcome.IMPLICIT_DENY, statement=None, layer=layer)
    layer, statement = allowing[0]
    return Decision(outcome=Outcome.ALLOWED, statement=statement, layer=layer)


def evaluate_trust(request: Request, trust: Document) -> Decision:
    """Whether a role's trust policy lets ``request.principal`` do ``request.action`` (``sts:AssumeRole``).

    A caller from another account needs an identity policy of its own besides. Raises ``ValueError`` as
    :func:`evaluate` does.
    """
    matching = [statement for statement in _matching(trust, request) if principal_matches(statement, request.principal)]
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
        covers_action(statement, request.action)
        and covers_resource(statement, request, variables=variables)
        and holds(statement.get("Condition", {}), request.context, variables=variables)
    )


def covers_action(statement: Statement, action: str) -> bool:
    """Whether a statement speaks of an action, by ``Action`` or ``NotAction``."""
    if "NotAction" in statement:
        return not any(action_matches(pattern, action) for pattern in as_texts(statement["NotAction"]))
    return any(action_matches(pattern, action) for pattern in as_texts(statement.get("Action", [])))


def covers_resource(statement: Statement, request: Request, *, variables: bool) -> bool:
    """Whether a statement speaks of a request's resource. Raises ``Unresolved`` for a variable without a value."""

    def any_of(patterns: tuple[str, ...]) -> bool:
        return any(resource_matches(p, request.resource, request.context, variables=variables) for p in patterns)

    if "NotResource" in statement:
        return not any_of(as_texts(statement["NotResource"]))
    # A trust policy has no Resource element: its resource is the role itself.
    return "Resource" not in statement or any_of(as_texts(statement["Resource"]))
