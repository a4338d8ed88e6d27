"""What ``byoc watch --restore`` has to do with a stack, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from byoc.operations.recovery.finding import Finding, Restore
from byoc.operations.recovery.remedies import Outcome
from byoc.operations.recovery.watch import Case
from byoc.operations.times import iso
from byoc.runs import Step

BAD = frozenset({Outcome.DENIED, Outcome.FAILED, Outcome.REFUSED})
"""Outcomes after which a person has to look."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A stack in which something is to be made as the config says: one run, whatever the number of findings."""

    stack: str
    findings: tuple[tuple[str, Finding], ...]
    """Each with the name of its deployment."""
    for_a_person: tuple[str, ...] = ()
    """What the same run would touch, and only a person's may: in plain words."""

    @property
    def words(self) -> str:
        """What is to be done."""
        first, *others = [finding.words for _, finding in self.findings]
        more = f", and {len(others)} more" if others else ""
        return f"make it as the config says: {first}{more}"

    @property
    def command(self) -> str:
        """What a person would do."""
        return f"byoc up --refresh {self.stack}"


@dataclass(frozen=True, kw_only=True)
class Restoration:
    """What became of it."""

    at: datetime
    wanted: Wanted
    outcome: Outcome
    detail: str = ""
    way_out: str = ""
    steps: tuple[Step, ...] = ()
    """What was made or set."""
    left: tuple[str, ...] = ()
    """What the run left alone on purpose, in plain words."""
    tried: bool = False
    """Whether it was begun: that is written down."""
    run: str = ""
    """The id of its record, as ``byoc runs`` lists it."""
    interrupted: bool = False

    @property
    def well(self) -> bool:
        """Whether nothing failed, and nothing was refused."""
        return self.outcome not in BAD

    def document(self) -> dict[str, Any]:
        """As a JSON object: one line of the log."""
        return {
            "at": iso(self.at),
            "stack": self.wanted.stack,
            "deployments": list(dict.fromkeys(name for name, _ in self.wanted.findings)),
            "findings": [finding.id for _, finding in self.wanted.findings],
            "what": self.wanted.words,
            "command": self.wanted.command,
            "outcome": self.outcome.value,
            "detail": self.detail,
            "wayOut": self.way_out,
            "steps": [{"op": step.op.value, "urn": step.urn, "type": step.type} for step in self.steps],
            "left": list(self.left),
            "run": self.run,
        }


def wanted(cases: Sequence[Case]) -> tuple[Wanted, ...]:
    """What there is to restore, stack by stack in the order of the cases."""
    found: dict[str, list[tuple[str, Finding]]] = {}
    for case in cases:
        found.setdefault(case.stack, []).extend((case.deployment, finding) for finding in case.diagnosis.findings)
    return tuple(
        Wanted(stack=stack, findings=restorable, for_a_person=for_a_person)
        for stack, findings in found.items()
        for restorable, for_a_person in [_parted(findings)]
        if restorable
    )


def _parted(findings: Sequence[tuple[str, Finding]]) -> tuple[tuple[tuple[str, Finding], ...], tuple[str, ...]]:
    restorable = tuple(item for item in findings if item[1].restore is Restore.WATCH)
    return restorable, tuple(finding.words for _, finding in findings if finding.restore is Restore.PERSON)
