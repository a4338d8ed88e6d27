"""A registered task definition as data, read from what ECS describes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from byoc.tags import COPY_OF_KEY

_ARN_PARTS = 7
"""Parts of a secret's ARN; what a container's ``valueFrom`` has beyond them is key, stage and version."""
_NOT_OF_A_COPY = frozenset(
    {
        "compatibilities",
        "deleteRequestedAt",
        "deregisteredAt",
        "registeredAt",
        "registeredBy",
        "requiresAttributes",
        "revision",
        "status",
        "taskDefinitionArn",
    }
)
"""What ECS adds to a task definition, and does not take when one is registered (Amazon ECS API Reference)."""

_BY_NAME = ("environment", "secrets")


@dataclass(frozen=True, kw_only=True)
class SecretVersion:
    """One version of one secret."""

    secret_arn: str
    version: str
    """Its id; empty where a task definition is not pinned."""

    @property
    def name(self) -> str:
        """The secret's name: its ARN ends in a hyphen and six characters of AWS's."""
        return self.secret_arn.rpartition(":")[2].rpartition("-")[0]

    @property
    def content(self) -> str:
        """What it holds: ``environment`` or ``connections``."""
        return self.name.rpartition("/")[2]


@dataclass(frozen=True, kw_only=True)
class Definition:
    """A registered task definition with one container."""

    arn: str
    family: str
    number: int
    active: bool
    image: str
    cpu: str
    memory: str
    environment: Mapping[str, str] = field(repr=False)
    """Plain values by name; for comparison, never shown."""
    secrets: Mapping[str, SecretVersion]
    """Where the value of a variable comes from."""
    rest: Mapping[str, Any] = field(repr=False)
    """What else a copy needs, by the names of ECS's API."""
    tags: Mapping[str, str]
    registered_at: datetime | None = None
    registered_by: str = ""
    """ARN of the principal; empty where ECS does not say."""

    @property
    def versions(self) -> frozenset[SecretVersion]:
        """The versions of secrets that it is pinned to."""
        return frozenset(self.secrets.values())

    @property
    def copy_of(self) -> int | None:
        """The revision that it is a copy of; None if it was registered by ``up``."""
        number = self.tags.get(COPY_OF_KEY, "")
        return int(number) if number.isdigit() else None

    @property
    def origin(self) -> int:
        """The revision whose content it has: that which it is a copy of, or itself."""
        return self.copy_of or self.number

    def has_content_of(self, other: Definition) -> bool:
        """Whether a task of either is the same task."""
        return _ordered(self.rest) == _ordered(other.rest)

    def copy(self) -> dict[str, Any]:
        """Arguments of ``ecs:RegisterTaskDefinition`` for the same content, with the same tags and one that says so."""
        tags = {**self.tags, COPY_OF_KEY: str(self.origin)}
        return {**self.rest, "tags": [{"key": key, "value": value} for key, value in sorted(tags.items())]}


def _ordered(rest: Mapping[str, Any]) -> dict[str, Any]:
    """With variables by name: ECS may tell them in another order than it was given; the AWS provider sorts, too."""

    def sorted_lists(container: Mapping[str, Any]) -> dict[str, Any]:
        lists = {key: sorted(container[key], key=lambda item: item["name"]) for key in _BY_NAME if key in container}
        return {**container, **lists}

    return {**rest, "containerDefinitions": [sorted_lists(each) for each in rest["containerDefinitions"]]}


def definition(answer: Mapping[str, Any]) -> Definition:
    """An answer of ``ecs:DescribeTaskDefinition`` with its tags."""
    item = answer["taskDefinition"]
    container = item["containerDefinitions"][0]
    return Definition(
        arn=item["taskDefinitionArn"],
        family=item["family"],
        number=int(item["revision"]),
        active=item.get("status", "ACTIVE") == "ACTIVE",
        image=container["image"],
        cpu=str(item.get("cpu", "")),
        memory=str(item.get("memory", "")),
        environment={each["name"]: each["value"] for each in container.get("environment") or ()},
        secrets={each["name"]: _secret(each["valueFrom"]) for each in container.get("secrets") or ()},
        rest={key: value for key, value in item.items() if key not in _NOT_OF_A_COPY and value not in (None, [], {})},
        tags={tag["key"]: tag.get("value", "") for tag in answer.get("tags") or ()},
        registered_at=item.get("registeredAt"),
        registered_by=item.get("registeredBy", ""),
    )


def _secret(value_from: str) -> SecretVersion:
    """``<arn>:<key>:<stage>:<version>``, of which everything after the ARN may be left out (ECS Developer Guide)."""
    parts = value_from.split(":")
    more = parts[_ARN_PARTS:]
    return SecretVersion(secret_arn=":".join(parts[:_ARN_PARTS]), version=more[2] if len(more) > 2 else "")
