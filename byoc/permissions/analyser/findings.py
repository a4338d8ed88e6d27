"""What the analyser is asked about, and what it answers."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from byoc.permissions.evaluation.evaluator import Decision, Document, Request

_HIDDEN = "[hidden]"


class Severity(enum.IntEnum):
    """How bad a finding is; the order is that of ``--fail-on``."""

    LOW = 1
    """A mistake that opens nothing by itself."""
    MEDIUM = 2
    """More than the role needs: data of others can be read, or names can be guessed."""
    HIGH = 3
    """Data of others can be changed or deleted, or other roles' code can be run."""
    CRITICAL = 4
    """The whole account can be taken."""

    @property
    def word(self) -> str:
        """The severity as it is written."""
        return self.name.lower()


@dataclass(frozen=True, kw_only=True)
class Subject:
    """One principal, with every document that says what it may do.

    ``arn``: of the role or user; without one, a made-up role stands for it, in the accounts that the documents name.
    ``boundary_arn``: of the policy that ``boundary`` is the text of; without one, a made-up policy stands for it.
    ``resource_policies``: policies of resources, by name; looked at for whom they let in.
    """

    name: str = "role"
    arn: str | None = None
    identity: Mapping[str, Document] = field(default_factory=dict)
    trust: Document | None = None
    boundary: Document | None = None
    boundary_arn: str | None = None
    resource_policies: Mapping[str, Document] = field(default_factory=dict)

    @property
    def layers(self) -> dict[str, Document]:
        """The documents that decide on the principal's own requests, by name."""
        return {**self.identity, **({"boundary": self.boundary} if self.boundary is not None else {})}


@dataclass(frozen=True, kw_only=True)
class Step:
    """One concrete request, and the statement that the evaluator says decides on it."""

    request: Request
    decision: Decision

    @property
    def policy(self) -> str:
        """The name of the policy that decided."""
        return self.decision.layer.removeprefix("identity policy ")

    @property
    def sid(self) -> str:
        """The ``Sid`` of the statement that decided, or ``""``."""
        return str((self.decision.statement or {}).get("Sid", ""))

    @property
    def context(self) -> dict[str, Any]:
        """The request's condition keys; external ids are not shown."""
        return {
            key: _HIDDEN if key.lower() == "sts:externalid" else value if isinstance(value, str) else list(value)
            for key, value in self.request.context.items()
        }

    def document(self) -> dict[str, Any]:
        """The step as JSON."""
        return {
            "principal": self.request.principal,
            "action": self.request.action,
            "resource": self.request.resource,
            "context": self.context,
            "answer": self.decision.outcome.value,
            "policy": self.policy,
            "sid": self.sid,
        }


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One way out."""

    id: str
    severity: Severity
    policy: str
    """The name of the policy that opens it."""
    sid: str
    """The statement's ``Sid``, its number (``#2``) where it has none and the check looked at its text, or ``""``."""
    explanation: str
    """What can be done, in plain words."""
    remedy: str
    evidence: Sequence[Step] = ()
    """The requests of which the evaluator says that they are answered so."""

    def document(self) -> dict[str, Any]:
        """The finding as JSON."""
        return {
            "id": self.id,
            "severity": self.severity.word,
            "policy": self.policy,
            "sid": self.sid,
            "explanation": self.explanation,
            "remedy": self.remedy,
            "evidence": [step.document() for step in self.evidence],
        }


def found(id_: str, severity: Severity, steps: Sequence[Step], explanation: str, remedy: str) -> Finding:
    """A finding whose statement is the one that decides on its first step."""
    first = steps[0]
    return Finding(
        id=id_,
        severity=severity,
        policy=first.policy,
        sid=first.sid,
        explanation=explanation,
        remedy=remedy,
        evidence=tuple(steps),
    )
