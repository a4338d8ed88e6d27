"""What stopped a half-built stack, whether it still does, and how to go on.

The last run's record tells what stopped it; ``byoc doctor`` and the facts tell whether that is over. Where it can be
seen that it is not, nothing is run: it would end at the same place.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from byoc.operations.doctor.checks import Area, Check, Verdict
from byoc.operations.recovery.blocks import Block, Kind
from byoc.operations.recovery.finding import Area as FindingArea
from byoc.operations.recovery.finding import Diagnosis, Finding, Severity
from byoc.operations.recovery.last_run import LastRun
from byoc.operations.times import iso

_SURE: Mapping[Kind, Area] = {
    Kind.PERMISSION: Area.ACTIONS,
    Kind.QUOTA: Area.QUOTAS,
    Kind.LINKED_ROLE: Area.LINKED_ROLES,
    Kind.DRIFT: Area.NAMES,
}
"""Where ``byoc doctor`` says whether it is over."""
_OF_FINDINGS: Mapping[str, Area] = {
    "tasks.image-not-found": Area.IMAGE,
    "tasks.image-platform": Area.IMAGE,
    "tasks.image-denied": Area.IMAGE,
    "tasks.image-unreachable": Area.NETWORK,
    "tasks.registry-unreachable": Area.NETWORK,
    "tasks.secret-unreachable": Area.NETWORK,
    "tasks.subnet-full": Area.NETWORK,
    "tasks.fargate-quota": Area.QUOTAS,
    "tasks.service-linked-role": Area.LINKED_ROLES,
}
"""The same for what kept containers from starting."""
_NO_WAY_IN: Mapping[str, Kind] = {"credentials": Kind.CREDENTIALS, "role with the external id": Kind.PERMISSION}
"""The checks of ``byoc doctor`` without which nothing can be asked. A role that opens too wide keeps no run off, and
the account stack's ``up`` mends its trust."""
_NAME_TAKEN = re.compile(r"already ?exists|already in use|Duplicate|(?:marked|scheduled) for deletion", re.IGNORECASE)
_DATABASE_ABSENT, _SERVICE_ABSENT = "database.absent", "rollout.service-absent"


class Still(enum.StrEnum):
    """Whether what stopped a run would stop the next."""

    GONE = "gone"
    THERE = "there"
    UNKNOWN = "unknown"
    """It cannot be seen from here: to go on is to try."""


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A block, or a finding that would stop a run, and whether it still is there."""

    kind: Kind
    evidence: str
    fix: str
    still: Still
    why: str

    def document(self) -> dict[str, str]:
        """As a JSON object."""
        return {
            "kind": self.kind.value,
            "evidence": self.evidence,
            "fix": self.fix,
            "still": self.still.value,
            "why": self.why,
        }


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What is known now."""

    checks: Sequence[Check] = ()
    """What ``byoc doctor`` says."""
    diagnoses: Sequence[Diagnosis] = ()
    """Of the stack's deployments."""
    config_changed: bool = False
    """Whether the stack's file was written after the run began."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How to go on."""

    stack: str
    run: LastRun | None
    judged: tuple[Judged, ...]
    unknown: tuple[str, ...]
    refresh: bool
    """Whether the state has to be read anew from AWS first."""
    needed: bool
    """Whether there is anything to go on with."""
    undoing: bool = False
    """Whether the last run was to take the stack down: an ``up`` would undo that."""
    wrong: int = 0
    """How many findings of the diagnoses there are; ``byoc watch`` shows them."""

    @property
    def refused(self) -> tuple[Judged, ...]:
        """What is known to stop the next run."""
        return tuple(item for item in self.judged if item.still is Still.THERE)

    @property
    def well(self) -> bool:
        """Whether everything is known, and there is nothing to do."""
        if self.undoing:
            return not self.needed
        return not (self.needed or self.refused or self.unknown)

    @property
    def goes_on(self) -> bool:
        """Whether ``byoc resume --apply`` brings it up."""
        return self.needed and not self.refused and not self.undoing

    def document(self) -> dict[str, Any]:
        """As a JSON object."""
        run = self.run
        return {
            "stack": self.stack,
            "lastRun": None
            if run is None
            else {"run": run.id, "verb": run.verb, "state": run.state.value, "began": iso(run.began)},
            "blocks": [item.document() for item in self.judged],
            "unknown": list(self.unknown),
            "refreshFirst": self.refresh,
            "needed": self.needed,
            "findings": self.wrong,
            "refused": bool(self.refused),
            "undoing": self.undoing,
        }


def plan(stack: str, run: LastRun | None, seen: Seen) -> Plan:
    """How to go on with a stack. Pure: what is known in, what to do out."""
    undoing = run is not None and run.verb == "destroy"
    blocks = run.failures if run is not None and not run.ok else ()
    judged = [*_no_way_in(seen), *(_judge(block, seen) for block in blocks)]
    judged += [] if undoing else _of_findings(stack, seen)
    kinds = {item.kind for item in judged}
    lost = run is not None and run.was_cut_short
    half = run is not None and not run.ok
    wrong = 0 if undoing else sum(len(diagnosis.wrong) for diagnosis in seen.diagnoses)
    return Plan(
        stack=stack,
        run=run,
        judged=tuple(judged),
        unknown=tuple(text for diagnosis in seen.diagnoses for text in diagnosis.unknown),
        refresh=lost or Kind.CUT_SHORT in kinds or Kind.DRIFT in kinds or _drifted(seen),
        needed=half or wrong > 0,
        undoing=undoing,
        wrong=wrong,
    )


def _no_way_in(seen: Seen) -> Iterator[Judged]:
    for check in seen.checks:
        if check.area is Area.IDENTITY and check.verdict is Verdict.FAIL and check.name in _NO_WAY_IN:
            yield Judged(
                kind=_NO_WAY_IN[check.name],
                evidence=f"{check.name}: {check.evidence}",
                fix=check.remedy,
                still=Still.THERE,
                why="byoc doctor sees it",
            )


def _judge(block: Block, seen: Seen) -> Judged:
    still, why = _still(block, seen)
    return Judged(kind=block.kind, evidence=block.evidence, fix=block.fix, still=still, why=why)


def _still(block: Block, seen: Seen) -> tuple[Still, str]:
    if block.kind is Kind.CREDENTIALS:
        return _by_doctor([check for check in seen.checks if check.name in _NO_WAY_IN])
    if block.kind is Kind.DRIFT and not _NAME_TAKEN.search(block.evidence):
        return Still.UNKNOWN, "only a try can tell"
    if block.kind in _SURE:
        return _by_doctor(_about(block, seen.checks, _SURE[block.kind]))
    if block.kind is Kind.CONFIG:
        if block.failure is not None and block.failure.op == "run":
            # It may have been about what it looked up, such as an account stack that was not up yet.
            return Still.UNKNOWN, "the config can be read; whether its program comes through, only a try can tell"
        if seen.config_changed:
            return Still.UNKNOWN, "the stack's file was changed since"
        return Still.THERE, "the stack's file is as it was then"
    if block.kind is Kind.CUT_SHORT:
        return Still.GONE, "the run is over"
    return Still.UNKNOWN, "only a try can tell"


def _about(block: Block, checks: Sequence[Check], area: Area) -> Sequence[Check]:
    """The checks that are about this very block: of a denied action, those of its service that speak of it."""
    found = [check for check in checks if check.area is area]
    if block.kind is not Kind.PERMISSION or block.failure is None or not block.failure.action:
        return found
    action = block.failure.action
    own = [check for check in found if check.name == action.partition(":")[0]]
    named = [check for check in own if check.verdict is Verdict.FAIL and action in f"{check.evidence} {check.remedy}"]
    return named or [check for check in own if check.verdict is not Verdict.FAIL]


def _by_doctor(checks: Sequence[Check]) -> tuple[Still, str]:
    failed = next((check for check in checks if check.verdict is Verdict.FAIL), None)
    if failed is not None:
        return Still.THERE, f"byoc doctor: {failed.name}: {failed.evidence}"
    if checks and all(check.verdict is Verdict.PASS for check in checks):
        return Still.GONE, "byoc doctor finds nothing in the way any more"
    return Still.UNKNOWN, "byoc doctor cannot tell: only a try can"


def _of_findings(stack: str, seen: Seen) -> Iterator[Judged]:
    """What the next run would wait for in vain: containers that cannot start, a database that does not answer."""
    for diagnosis in seen.diagnoses:
        yield from _of_a_lost_database(stack, diagnosis)
        for finding in diagnosis.wrong:
            if finding.area is FindingArea.TASKS and finding.severity is not Severity.NOTE:
                still, why = _of_tasks(finding, seen)
            elif finding.area is FindingArea.DATABASE and _stands_still(finding):
                still, why = Still.THERE, "the servers cannot start without it"
            else:
                continue
            yield Judged(
                kind=Kind.CAPACITY if finding.id == "tasks.capacity" else Kind.TIME_OUT,
                evidence="; ".join([finding.words, *finding.evidence[:1]]),
                fix=finding.way_out,
                still=still,
                why=why,
            )


def _of_a_lost_database(stack: str, diagnosis: Diagnosis) -> Iterator[Judged]:
    """A database that is not there beside servers, which are made after it: it was there, and somebody deleted it."""
    lost = next((finding for finding in diagnosis.wrong if finding.id == _DATABASE_ABSENT), None)
    if lost is None or any(finding.id == _SERVICE_ABSENT and finding.part == "api" for finding in diagnosis.wrong):
        return
    yield Judged(
        kind=Kind.DRIFT,
        evidence="the servers are there, and their database is not",
        fix=f"restore its last snapshot under this name; if an empty database will do: byoc up --refresh {stack}",
        still=Still.UNKNOWN if diagnosis.unknown else Still.THERE,
        why="the next run would make an empty one",
    )


def _stands_still(finding: Finding) -> bool:
    return finding.severity is Severity.CRITICAL and finding.id != _DATABASE_ABSENT and "storage-" not in finding.id


def _of_tasks(finding: Finding, seen: Seen) -> tuple[Still, str]:
    area = _OF_FINDINGS.get(finding.id)
    if area is not None:
        return _by_doctor([check for check in seen.checks if check.area is area])
    return Still.UNKNOWN, "only a try can tell"


def _drifted(seen: Seen) -> bool:
    return any(
        finding.area in (FindingArea.DRIFT, FindingArea.WATCHING) or finding.id.endswith("-absent")
        for diagnosis in seen.diagnoses
        for finding in diagnosis.wrong
    )
