"""What a command asks for, as it was written; cheap to import, for the command line begins with it."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

DEFAULT_JOBS: Final = 4
"""Stacks run at once unless told otherwise. docs/backends.md says what one takes in memory."""


class Verb(enum.StrEnum):
    """What to do with a stack."""

    UP = "up"
    PREVIEW = "preview"
    DESTROY = "destroy"
    REFRESH = "refresh"

    @property
    def undoes(self) -> bool:
        """Whether there is nothing to do for a stack that does not exist."""
        return self in (Verb.DESTROY, Verb.REFRESH)


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """What is asked of a run beyond its verb; each means what Pulumi's option of that name means."""

    parallel: int | None = None
    """Resources worked on at once; None: Pulumi's default."""
    targets: tuple[str, ...] = ()
    expect_no_changes: bool = False
    refresh: bool = False
    policy_packs: tuple[str, ...] = ()
    message: str = ""
    skip_preview: bool = False
    config: Mapping[str, str] = field(default_factory=dict)
    """Config values by key. ``up`` saves them in the stack's file, as Pulumi does; ``preview`` does not."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How many stacks at once, and whether the first failure stops the rest."""

    jobs: int = DEFAULT_JOBS
    fail_fast: bool = False


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A command: what to do, with which stacks, how."""

    verb: Verb
    stacks: tuple[str, ...]
    every: bool = False
    init: bool = False
    config: tuple[str, ...] = ()
    options: RunOptions = field(default_factory=RunOptions)
    limits: Limits = field(default_factory=Limits)
    supersede: bool = False
    """Whether a revision may be rolled out over one that is rolling out."""
    tracing: bool = False
    """Whether to see to the tracing projects of what was brought up."""

    @property
    def words(self) -> str:
        """The command in short, as it was written: ``up acme-*``."""
        return " ".join([self.verb, *self.stacks, *(["--all"] if self.every else [])])

    def document(self) -> dict[str, Any]:
        """For a detached process to read; no config is in it, since that may hold anything."""
        return {
            "verb": self.verb.value,
            "stacks": list(self.stacks),
            "options": {**asdict(self.options), "config": {}},
            "limits": asdict(self.limits),
            "supersede": self.supersede,
            "tracing": self.tracing,
        }

    @classmethod
    def of_document(cls, document: Mapping[str, Any]) -> Asked:
        """What :meth:`document` wrote."""
        options: dict[str, Any] = dict(document["options"])
        options |= {key: tuple(value) for key, value in options.items() if isinstance(value, list)}
        return cls(
            verb=Verb(document["verb"]),
            stacks=tuple(document["stacks"]),
            options=RunOptions(**options),
            limits=Limits(**document["limits"]),
            supersede=document.get("supersede", False),
            tracing=document.get("tracing", False),
        )
