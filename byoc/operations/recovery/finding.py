"""What a diagnosis finds: what is wrong, how it is known, the way out, and whether ``byoc watch`` may go it."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


class Severity(enum.StrEnum):
    """How bad it is."""

    CRITICAL = "critical"
    """It does not serve, or data is at stake."""
    WARNING = "warning"
    """It serves, and something is wrong."""
    NOTE = "note"
    """Nothing is wrong: worth knowing, and left as it is."""


class Area(enum.StrEnum):
    """What a finding is about."""

    TASKS = "tasks"
    ROLLOUT = "rollout"
    INGRESS = "ingress"
    """The load balancer, and whether containers behind it answer."""
    DATABASE = "database"
    WATCHING = "watching"
    """Alarms and scaling."""
    DRIFT = "drift"
    """What is managed here differs from the config."""
    KEPT = "kept"
    """What the customer added beside it: shown, and kept."""


@dataclass(frozen=True, kw_only=True)
class Call:
    """One AWS request that changes something."""

    action: str
    """The IAM action."""
    arguments: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Remedy:
    """What ``byoc watch --apply`` does."""

    name: str
    """``redeploy`` or ``start-database``."""
    part: str
    words: str
    calls: tuple[Call, ...]


class Restore(enum.StrEnum):
    """Who may run ``byoc up --refresh`` for a finding."""

    WATCH = "watch"
    """``byoc watch --apply --restore``, too."""
    PERSON = "person"
    """A person alone: it touches the database, or rolls out another task definition."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that a diagnosis found."""

    id: str
    """Stable, such as ``tasks.image-not-found``."""
    area: Area
    part: str
    """``api``, ``queue``, ``cache``, ``database``, or an alarm's subject."""
    severity: Severity
    words: str
    """In plain words."""
    evidence: tuple[str, ...] = ()
    """What AWS said."""
    way_out: str = ""
    """What a person does; empty where there is nothing to do."""
    remedy: Remedy | None = None
    """What can be done without a person; None where nothing can, or nothing should yet."""
    restore: Restore | None = None
    """Whether ``byoc up --refresh`` of the deployment's own stack is the way out, and who may run it."""

    def document(self) -> dict[str, Any]:
        """As a JSON object."""
        return {
            "id": self.id,
            "area": self.area.value,
            "part": self.part,
            "severity": self.severity.value,
            "words": self.words,
            "evidence": list(self.evidence),
            "wayOut": self.way_out,
            "restore": self.restore.value if self.restore else None,
            "remedy": None
            if self.remedy is None
            else {
                "name": self.remedy.name,
                "words": self.remedy.words,
                "calls": [{"action": call.action, "arguments": dict(call.arguments)} for call in self.remedy.calls],
            },
        }


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """Everything that is known to be wrong with a deployment, and what could not be found out."""

    findings: tuple[Finding, ...] = ()
    unknown: tuple[str, ...] = field(default=())

    @property
    def wrong(self) -> tuple[Finding, ...]:
        """The findings that are no mere notes."""
        return tuple(found for found in self.findings if found.severity is not Severity.NOTE)

    @property
    def well(self) -> bool:
        """Whether everything could be asked and nothing is wrong."""
        return not self.wrong and not self.unknown
