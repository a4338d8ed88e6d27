"""What a set of policies grants and denies, action by action: wildcards in actions written out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from byoc.permissions.evaluation.evaluator import Document, Statement

Expand = Callable[[str], Iterable[str]]
"""Every action that a pattern such as ``rds:Describe*`` means, as AWS spells it; if it means none, the pattern."""
ANYTHING = "*"


@dataclass(frozen=True, order=True, kw_only=True)
class Scope:
    """Where one statement allows or denies an action: on which resources, under which conditions."""

    effect: str
    """``Allow`` or ``Deny``."""
    resources: tuple[str, ...]
    all_but: bool
    """Whether ``resources`` are those that are left out (``NotResource``)."""
    condition: str
    """As JSON with sorted keys; empty if there is none."""
    policy: str
    sid: str
    """The statement's name; empty if it has none."""

    @property
    def place(self) -> tuple[str, tuple[str, ...], bool, str]:
        """What the scope means, whatever the statement and its policy are called."""
        return self.effect, self.resources, self.all_but, self.condition

    @property
    def is_total(self) -> bool:
        """Whether it holds everywhere, whatever the circumstances."""
        return not self.all_but and ANYTHING in self.resources and not self.condition

    @property
    def words(self) -> str:
        """The scope in words: resources, then conditions."""
        where = "everything" if ANYTHING in self.resources and not self.all_but else ", ".join(self.resources)
        left_out = f"everything but {', '.join(self.resources)}" if self.all_but else where
        return f"{left_out}, if {self.condition}" if self.condition else left_out


Grants = Mapping[str, Sequence[Scope]]
"""The scopes of each action, sorted."""


def grants_of(policies: Mapping[str, Document], expand: Expand) -> dict[str, tuple[Scope, ...]]:
    """What the policies (by name) say of each action that they name.

    ``NotAction`` and ``Action: *`` under ``Deny`` are written out over everything that the other statements allow;
    ``NotAction`` under ``Allow`` means all of AWS, which nobody can list: then it is a ``ValueError``.
    """
    found: dict[str, set[Scope]] = {}
    all_but: list[tuple[frozenset[str], Scope]] = []
    for name, document in policies.items():
        for statement in _list(document.get("Statement", [])):
            scope = _scope(name, statement)
            if "NotAction" in statement:
                all_but.append((_written_out(_list(statement["NotAction"]), expand), _only_denying(scope)))
                continue
            actions = _written_out(_list(statement["Action"]), expand)
            if ANYTHING in actions and scope.effect == "Deny":
                all_but.append((frozenset(), scope))
            for action in actions:
                found.setdefault(action, set()).add(scope)
    for spared, scope in all_but:
        for action in found.keys() - spared:
            found[action].add(scope)
    return {action: tuple(sorted(scopes)) for action, scopes in sorted(found.items())}


def allowing(scopes: Sequence[Scope]) -> tuple[Scope, ...]:
    """The scopes in which an action is allowed; none if it is denied everywhere."""
    if any(scope.effect == "Deny" and scope.is_total for scope in scopes):
        return ()
    return tuple(scope for scope in scopes if scope.effect == "Allow")


def denying(scopes: Sequence[Scope]) -> tuple[Scope, ...]:
    """The scopes in which an action is denied."""
    return tuple(scope for scope in scopes if scope.effect == "Deny")


def _written_out(patterns: Iterable[str], expand: Expand) -> frozenset[str]:
    return frozenset(action for pattern in patterns for action in expand(pattern))


def _scope(policy: str, statement: Statement) -> Scope:
    condition = statement.get("Condition")
    return Scope(
        effect=str(statement["Effect"]),
        resources=tuple(sorted(_list(statement.get("Resource", statement.get("NotResource", ANYTHING))))),
        all_but="NotResource" in statement,
        condition=json.dumps(_unordered(condition), sort_keys=True) if condition else "",
        policy=policy,
        sid=str(statement.get("Sid", "")),
    )


def _unordered(condition: Any) -> Any:  # noqa: ANN401 - parsed JSON
    """A condition whose values are in one order: to IAM it means nothing, and neither does a list of one."""
    if isinstance(condition, dict):
        return {key: _unordered(value) for key, value in condition.items()}
    if isinstance(condition, list):
        return condition[0] if len(condition) == 1 else sorted(condition, key=str)
    return condition


def _only_denying(scope: Scope) -> Scope:
    if scope.effect != "Deny":
        raise ValueError(f"policy {scope.policy}, statement {scope.sid or 'without a Sid'}: Allow with NotAction")
    return scope


def _list(value: Any) -> Iterator[Any]:  # noqa: ANN401 - parsed JSON
    yield from value if isinstance(value, list | tuple) else [value]
