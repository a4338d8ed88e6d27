"""What a look around an account comes to: what is there, and what could not be asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Found:
    """One thing that is there."""

    kind: str
    """In words, such as ``ECS service``."""
    id: str
    """What AWS's own command for it takes."""
    deployment: str = ""
    """The deployment that its tags name; empty for what belongs to the install."""
    note: str = ""
    """What else is worth knowing, in plain words."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What the evaluation needs to know of it."""

    @property
    def key(self) -> tuple[str, str]:
        """What makes it the same thing when it is found in two ways."""
        return self.kind, self.id


@dataclass(frozen=True, kw_only=True)
class NotAsked:
    """A question that AWS did not answer: what it is about may or may not be there."""

    what: str
    why: str


@dataclass(frozen=True, kw_only=True)
class Look:
    """Everything that a look around found, and what it could not find out."""

    found: tuple[Found, ...]
    not_asked: tuple[NotAsked, ...]

    def of(self, *kinds: str) -> tuple[Found, ...]:
        """What is there of some kinds."""
        return tuple(item for item in self.found if item.kind in kinds)
