"""Which AWS actions a resource type needs, by phase: measured on the wire, plus a small table of extensions."""

from __future__ import annotations

import enum
import functools
from collections.abc import Iterable
from dataclasses import dataclass

from byoc.permissions.needs.extensions import extensions
from byoc.permissions.needs.tokens import FUNCTIONS, RESOURCES
from byoc.permissions.package_data import package_data

MEASURED = "measured"
"""The reason of an action that was seen on the wire (``provider-calls.json``)."""
_READS = ("Describe", "Get", "List")


class Phase(enum.StrEnum):
    """What is being done to a resource. What a create reads afterwards is what a refresh reads, too."""

    CREATE = "create"
    READ = "read"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True, order=True)
class Need:
    """One action that one phase of one resource type (or one function) calls for."""

    token: str
    """Pulumi's type or function token."""
    phase: Phase
    action: str
    """``service:Operation``."""
    reason: str
    """:data:`MEASURED`, or the reason of the extension."""


def needs_of(token: str) -> tuple[Need, ...]:
    """All needs of a type token or function token, sorted.

    Raises ``KeyError`` for a token of the AWS provider that nobody has measured: it must not pass as one that needs
    nothing. Tokens of other providers (``random:…``) call no AWS and need nothing.
    """
    if not token.startswith("aws:"):
        return ()
    return _table()[token]


def is_known(token: str) -> bool:
    """Whether :func:`needs_of` knows a token: it was measured, or is none of the AWS provider."""
    return not token.startswith("aws:") or token in _table()


def required_actions(types: Iterable[str], functions: Iterable[str] = ()) -> tuple[Need, ...]:
    """What a stack of these resource types and functions needs, over its whole life; sorted, without repetitions.

    Raises ``KeyError`` as :func:`needs_of`.
    """
    tokens = {*types, *functions}
    return tuple(sorted(need for token in tokens for need in needs_of(token)))


def is_read(action: str) -> bool:
    """Whether an action changes nothing."""
    return action.partition(":")[2].startswith(_READS)


@functools.cache
def _table() -> dict[str, tuple[Need, ...]]:
    found: dict[str, dict[tuple[Phase, str], str]] = {token: {} for token in (*RESOURCES.values(), *FUNCTIONS.values())}
    for type_, phases in package_data("needs", "provider-calls.json")["resources"].items():
        for phase, actions in phases.items():
            for action in actions:
                found[_token(type_)][Phase(phase), action] = MEASURED
                if phase == Phase.CREATE and is_read(action):
                    found[_token(type_)][Phase.READ, action] = MEASURED
    for extension in extensions():
        for action in extension.actions:
            found[_token(extension.type)].setdefault((Phase(extension.phase), action), extension.reason)
    return {
        token: tuple(sorted(Need(token, phase, action, reason) for (phase, action), reason in needs.items()))
        for token, needs in found.items()
    }


def _token(type_: str) -> str:
    return FUNCTIONS[type_.removeprefix("data ")] if type_.startswith("data ") else RESOURCES[type_]
