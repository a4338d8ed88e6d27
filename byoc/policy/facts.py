"""What a rule is given of a resource, and what it gives back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pulumi_policy.proxy import UnknownValueError, unknown_checking_proxy

from byoc.errors import Problem


class Unknown:
    """A value that a preview cannot know yet. It equals nothing, so no rule holds it against a resource."""

    def __repr__(self) -> str:
        return "[unknown]"


UNKNOWN = Unknown()

Settings = Mapping[str, Any]
"""The policy's own config, as the user gave it; the engine has checked it against the schema."""


@dataclass(frozen=True)
class Provider:
    """The provider that makes a resource."""

    type: str
    name: str
    props: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Resource:
    """One resource by Pulumi's wire names (camelCase).

    ``props``: its inputs while it is planned, its outputs when the whole stack is looked at; secrets are plain, unknown
    values are ``UNKNOWN``. ``references``: the URNs of what a property was taken from; only known for a whole stack.
    """

    type: str
    name: str
    props: Mapping[str, Any] = field(default_factory=dict)
    urn: str = ""
    provider: Provider | None = None
    references: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def get(self, key: str) -> Any:  # noqa: ANN401 - a property may be anything
        """The property; None if it is not set."""
        return self.props.get(key)

    def items(self, key: str) -> Sequence[Any]:
        """The property as a list; empty if it is not set or not known."""
        value = self.props.get(key)
        return value if isinstance(value, list) else []


@dataclass(frozen=True)
class Violation:
    """What is wrong with a resource."""

    resource: Resource
    problem: Problem

    @property
    def message(self) -> str:
        """The resource, the property, its value, what is allowed, and the way out."""
        return f"{self.resource.name} ({self.resource.type})\n{self.problem.render()}"


ResourceRule = Callable[[Resource, Settings], Iterable[Violation]]
StackRule = Callable[[Sequence[Resource], Settings], Iterable[Violation]]


def violation(resource: Resource, key: str, value: object, *, allowed: str, remedy: str) -> Violation:
    """A violation by one property; ``value`` is shown, so it must not be secret."""
    return Violation(resource, Problem(key=key, value=shown(value), allowed=allowed, remedy=remedy))


def shown(value: object) -> str:
    """A value as a person reads it."""
    if value is None:
        return "not set"
    return value if isinstance(value, str) else json.dumps(value, default=repr)


def plain(value: Any) -> Any:  # noqa: ANN401
    """A copy of what the policy SDK hands out, in which each unknown value is ``UNKNOWN`` instead of an exception."""
    if isinstance(value, Mapping):
        return {key: _known(value, key) for key in value}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_known(value, index) for index in range(len(value))]
    return value


def _known(container: Any, key: Any) -> Any:  # noqa: ANN401
    try:
        return plain(container[key])
    except UnknownValueError:
        return UNKNOWN


def parsed(value: object) -> Any:  # noqa: ANN401
    """A property that holds JSON, in a text as most providers take it or as it is; ``UNKNOWN`` as itself.

    Raises ``ValueError`` if it is no JSON.
    """
    if not isinstance(value, str):
        return value
    return plain(unknown_checking_proxy(json.loads(value))) if value else None


def as_list(value: Any) -> list[Any]:  # noqa: ANN401
    """One or many, as IAM and others write it, as a list; empty if there is none or it is unknown."""
    if value is None or value is UNKNOWN:
        return []
    return value if isinstance(value, list) else [value]


def referred(resources: Sequence[Resource], source: Resource, key: str, type_: str) -> Iterator[Resource]:
    """The resources of a type that ``source`` names by ``key``."""
    return matching(resources, source.get(key), source.references.get(key, ()), type_)


def matching(resources: Sequence[Resource], value: object, taken_from: Sequence[str], type_: str) -> Iterator[Resource]:
    """The resources of a type that a value names by id, ARN or name; where a preview does not know these yet, those
    that the value was taken from.
    """
    wanted = {item for item in as_list(value) if isinstance(item, str)}
    known = value is not None and value is not UNKNOWN and UNKNOWN not in as_list(value)
    for candidate in (resource for resource in resources if resource.type == type_):
        names = {name for name in (candidate.get(key) for key in _NAMING) if isinstance(name, str)}
        if wanted & names or (candidate.urn in taken_from and not (known and isinstance(candidate.get("id"), str))):
            yield candidate


_NAMING = ("id", "arn", "name")
