"""What one version of a role's policies allows and another does not, action by action, with the reason."""

from __future__ import annotations

import enum
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from byoc.access.grants import Expand, Grants, Scope, allowing, denying, grants_of
from byoc.access.needs import needed_actions
from byoc.permissions.evaluation.conditions import as_texts
from byoc.permissions.evaluation.evaluator import Document, statements
from byoc.permissions.policies.managed import managed_policies

NOT_NEEDED = "no deployment of this library needs it"


class Kind(enum.StrEnum):
    """What has changed for an action."""

    NEWLY_ALLOWED = "newly allowed"
    NO_LONGER_ALLOWED = "no longer allowed"
    SCOPE_CHANGED = "allowed elsewhere"
    """Allowed before and after, but on other resources or under other conditions, or denied in other places."""


@dataclass(frozen=True, kw_only=True)
class Policies:
    """One version of one role: who may assume it, and what it may do. By default nobody, and nothing."""

    documents: Mapping[str, Document] = field(default_factory=dict)
    """By policy name."""
    reasons: Mapping[str, str] = field(default_factory=dict)
    """What each statement is for, by its ``Sid``."""
    trust: Document = field(default_factory=dict)
    """Who may assume the role."""
    limits: Mapping[str, str] = field(default_factory=dict)
    """What else binds it, by what it is: its permissions boundary, its longest session."""


@dataclass(frozen=True, kw_only=True)
class TrustDifference:
    """Who newly may assume the role, and who no longer may: principal and conditions, in words."""

    gained: tuple[str, ...]
    lost: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One action."""

    action: str
    kind: Kind
    gained: tuple[Scope, ...]
    """Allowed now and not before, or denied before and not now."""
    lost: tuple[Scope, ...]
    """Allowed before and not now, or denied now and not before."""
    reasons: tuple[str, ...]
    """What the statements are for that make the difference; whose policy they are of, for those of AWS."""

    def document(self) -> dict[str, Any]:
        """For a program to read."""
        return {
            "action": self.action,
            "kind": self.kind.value,
            "gained": [_scope_document(scope) for scope in self.gained],
            "lost": [_scope_document(scope) for scope in self.lost],
            "reasons": list(self.reasons),
        }


def differences(old: Policies, new: Policies, expand: Expand) -> list[Difference]:
    """Every action whose answer changed, sorted: newly allowed ones first, then those that are no longer allowed.

    Statements that were only renamed, moved to another policy or put in another order make no difference.
    """
    before, after = grants_of(old.documents, expand), grants_of(new.documents, expand)
    reasons = {**old.reasons, **new.reasons}
    order = list(Kind)
    found = _differences(before, after, reasons)
    return sorted(found, key=lambda item: (order.index(item.kind), item.action))


def trust_difference(old: Policies, new: Policies) -> TrustDifference:
    """How two versions differ in who may assume the role."""
    before, after = _trusted(old.trust), _trusted(new.trust)
    return TrustDifference(gained=tuple(sorted(after - before)), lost=tuple(sorted(before - after)))


def limit_differences(old: Policies, new: Policies) -> dict[str, tuple[str, str]]:
    """The limits that changed: what each was, and what it is; ``none`` where there is none."""
    names = dict.fromkeys((*old.limits, *new.limits))
    pairs = {name: (old.limits.get(name, "none"), new.limits.get(name, "none")) for name in names}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def _trusted(trust: Document) -> set[str]:
    found = set()
    for statement in statements(trust):
        condition = statement.get("Condition")
        limits = f", if {json.dumps(condition, sort_keys=True)}" if condition else ""
        principal = statement.get("Principal", {})
        kinds = {"": principal} if isinstance(principal, str) else principal
        listed = [entry for entries in kinds.values() for entry in as_texts(entries)]
        actions = [action for action in as_texts(statement.get("Action", ())) if action != "sts:AssumeRole"]
        what = f" {', '.join(actions)} to" if actions else ""
        found |= {f"{statement['Effect'].lower()}{what} {entry}{limits}" for entry in listed}
    return found


def _differences(before: Grants, after: Grants, reasons: Mapping[str, str]) -> Iterator[Difference]:
    needed = needed_actions()
    for action in before.keys() | after.keys():
        old, new = before.get(action, ()), after.get(action, ())
        allowed_before, allowed_after = allowing(old), allowing(new)
        if not allowed_before and not allowed_after:
            continue
        gained = (*_beyond(allowed_after, allowed_before), *_beyond(denying(old), denying(new)))
        lost = (*_beyond(allowed_before, allowed_after), *_beyond(denying(new), denying(old)))
        if not gained and not lost:
            continue
        why = [_reason(scope, reasons) for scope in (*gained, *lost)]
        yield Difference(
            action=action,
            kind=_kind(bool(allowed_before), bool(allowed_after)),
            gained=gained,
            lost=lost,
            reasons=tuple(dict.fromkeys(filter(None, [*why, "" if action in needed else NOT_NEEDED]))),
        )


def _reason(scope: Scope, reasons: Mapping[str, str]) -> str:
    if scope.sid in reasons:
        return reasons[scope.sid]
    return f"{scope.policy}, a policy of AWS, grants it" if scope.policy in managed_policies() else ""


def _kind(before: bool, after: bool) -> Kind:
    if before and after:
        return Kind.SCOPE_CHANGED
    return Kind.NEWLY_ALLOWED if after else Kind.NO_LONGER_ALLOWED


def _beyond(some: tuple[Scope, ...], others: tuple[Scope, ...]) -> tuple[Scope, ...]:
    """Those of ``some`` that ``others`` do not say as well, whatever their statements are called."""
    known = {scope.place for scope in others}
    return tuple(scope for scope in some if scope.place not in known)


def _scope_document(scope: Scope) -> dict[str, Any]:
    return {
        "effect": scope.effect,
        "resources": list(scope.resources),
        "allBut": scope.all_but,
        "condition": scope.condition,
        "policy": scope.policy,
        "sid": scope.sid,
    }
