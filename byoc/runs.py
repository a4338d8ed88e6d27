"""What a run does, step by step: the events that a progress view shows and the result that a program reads."""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from byoc.values import hidden


class Op(enum.StrEnum):
    """What happens to one resource, in Pulumi's words."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    RETAIN = "retain"
    """Taken out of the state and left as it is in the account."""
    IMPORT = "import"
    """Taken into the state as it is in the account."""
    SAME = "same"


class Phase(enum.StrEnum):
    """How far a step has come."""

    STARTED = "started"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"
    """Not tried, because something that it needs failed, or the run was interrupted."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """One step has come to a phase."""

    op: Op
    phase: Phase
    urn: str
    type: str
    seconds: float = 0.0
    """How long the step took; 0 until it is over."""
    changed: tuple[str, ...] = ()
    """The inputs that an update or replacement is for."""

    @property
    def name(self) -> str:
        """The logical name."""
        return self.urn.rsplit("::", 1)[1]

    @property
    def stack(self) -> str:
        """The stack that the resource belongs to."""
        return self.urn.split("::", 1)[0].removeprefix("urn:pulumi:")


Listener = Callable[[Event], None]
"""Told of every event, from any thread."""


def ignore(_: Event) -> None:
    """The listener that tells nobody."""


@dataclass(frozen=True, kw_only=True)
class Failure:
    """One thing that went wrong: which resource, which AWS action, what AWS said, what to do."""

    urn: str
    type: str
    op: str
    action: str
    """The AWS action, such as ``rds:CreateDBInstance``; empty where AWS was not called."""
    error: str
    """AWS's error code and message, or the library's own message."""
    remedy: str

    def render(self) -> str:
        """The failure as one block of text."""
        name = self.urn.rsplit("::", 1)[-1] if self.urn else "program" if self.op == "run" else self.op
        lines = [f"{self.op} {self.type} '{name}' failed" if self.type else f"{name} failed"]
        if self.action:
            lines.append(f"  action:  {self.action}")
        lines += [f"  error:   {self.error}", f"  to do:   {self.remedy}"]
        return "\n".join(lines)


@dataclass(frozen=True, kw_only=True)
class Step:
    """One change that was made, or that a preview would make."""

    op: Op
    urn: str
    type: str
    changed: tuple[str, ...] = ()
    tagged: tuple[str, ...] = ()
    """Keys of tags that it sets; not part of :meth:`RunResult.document`, like the next."""
    untagged: tuple[str, ...] = ()
    """Keys of tags that it takes off."""


_COUNT_NAMES = {
    Op.CREATE: "created",
    Op.UPDATE: "updated",
    Op.REPLACE: "replaced",
    Op.DELETE: "deleted",
    Op.RETAIN: "retained",
    Op.IMPORT: "imported",
    Op.SAME: "unchanged",
}
_RARE = (Op.IMPORT,)
"""Counted only where there are any."""


@dataclass(frozen=True, kw_only=True)
class RunResult:
    """What a run did: every step in the order in which it was finished, the stack's outputs, what failed."""

    stack: str
    steps: tuple[Step, ...] = ()
    unchanged: int = 0
    outputs: Mapping[str, Any] = field(default_factory=dict)
    failures: tuple[Failure, ...] = ()
    skipped: tuple[str, ...] = ()
    """URNs that were not tried."""
    kept: tuple[str, ...] = ()
    """What stays in the account on purpose, in plain words."""
    provided: tuple[str, ...] = ()
    """What the embedded AWS was given before the run because the config takes it for granted, in plain words."""
    notes: tuple[str, ...] = ()
    """What is worth knowing and no failure, in plain words: a policy's advice."""
    seconds: float = 0.0
    interrupted: bool = False
    """Whether the run was stopped before everything was tried."""
    run_id: str = ""

    @property
    def ok(self) -> bool:
        """Whether everything that was to be done was done."""
        return not self.failures and not self.skipped

    @property
    def counts(self) -> dict[str, int]:
        """Resources by what happened to them: created, updated, replaced, deleted, retained, unchanged.

        Imported ones are named only where there are any.
        """
        counted = Counter(step.op for step in self.steps)
        counts = {name: counted[op] for op, name in _COUNT_NAMES.items() if op not in _RARE or counted[op]}
        return {**counts, "unchanged": self.unchanged}

    def document(self) -> dict[str, Any]:
        """The result for a program to read (``--json``); no secret is in it."""
        return {
            "stack": self.stack,
            **self.counts,
            "steps": [
                {"op": step.op.value, "urn": step.urn, "type": step.type, "changed": list(step.changed)}
                for step in self.steps
            ],
            "outputs": hidden(dict(self.outputs)),
            "failures": [
                {
                    "urn": failure.urn,
                    "type": failure.type,
                    "op": failure.op,
                    "action": failure.action,
                    "error": failure.error,
                    "remedy": failure.remedy,
                }
                for failure in self.failures
            ],
            "skipped": list(self.skipped),
            "kept": list(self.kept),
            "provided": list(self.provided),
            **({"notes": list(self.notes)} if self.notes else {}),
            "seconds": round(self.seconds, 3),
        }

    @classmethod
    def of_document(cls, document: Mapping[str, Any]) -> RunResult:
        """What :meth:`document` wrote; secrets stay hidden."""
        return cls(
            stack=document["stack"],
            steps=tuple(
                Step(op=Op(step["op"]), urn=step["urn"], type=step["type"], changed=tuple(step["changed"]))
                for step in document["steps"]
            ),
            unchanged=document["unchanged"],
            outputs=document["outputs"],
            failures=tuple(Failure(**failure) for failure in document["failures"]),
            skipped=tuple(document["skipped"]),
            kept=tuple(document["kept"]),
            provided=tuple(document["provided"]),
            notes=tuple(document.get("notes", ())),
            seconds=document["seconds"],
        )
