"""What ``byoc watch`` does about findings: few things, each bounded, none of which deletes or shrinks anything."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from byoc.errors import ByocError, InputError
from byoc.operations.answers import AbsentError, AskingError, DeniedError
from byoc.operations.recovery.deed_log import DeedLog
from byoc.operations.recovery.finding import Call, Finding, Remedy
from byoc.operations.recovery.tries import Tries
from byoc.operations.targets import Target
from byoc.operations.times import iso

ALLOWED: Mapping[str, frozenset[str]] = {
    "ecs:UpdateService": frozenset({"cluster", "service", "forceNewDeployment"}),
    "rds:StartDBInstance": frozenset({"DBInstanceIdentifier"}),
}
"""Every request that a remedy may make, with all that it may say: no number of containers, no size, no deletion."""


class Outcome(enum.StrEnum):
    """What became of a remedy."""

    WOULD = "would"
    """A dry run: it would be done."""
    DONE = "done"
    WAITS = "waits"
    """Not now: it was tried before, or a run is at the stack."""
    DENIED = "denied"
    FAILED = "failed"
    OFFERED = "offered"
    """It would be done with ``--restore``."""
    REFUSED = "refused"
    """It goes beyond what is done without a person."""


@dataclass(frozen=True, kw_only=True)
class Deed:
    """One remedy and what became of it."""

    at: datetime
    stack: str
    deployment: str
    finding: str
    """The finding's id."""
    why: str
    remedy: Remedy
    outcome: Outcome
    detail: str = ""

    def document(self) -> dict[str, Any]:
        """As a JSON object: one line of the log."""
        return {
            "at": iso(self.at),
            "stack": self.stack,
            "deployment": self.deployment,
            "part": self.remedy.part,
            "finding": self.finding,
            "what": self.remedy.words,
            "why": self.why,
            "calls": [{"action": call.action, "arguments": dict(call.arguments)} for call in self.remedy.calls],
            "outcome": self.outcome.value,
            "detail": self.detail,
        }


Guard = Callable[[str], AbstractContextManager[object]]
"""Keeps runs away from a stack meanwhile; raises ``InputError`` if one is under way."""


TRIED = frozenset({Outcome.DONE, Outcome.DENIED, Outcome.FAILED})
"""Outcomes of what was asked of AWS."""


def mend(
    target: Target,
    findings: Sequence[Finding],
    at: datetime,
    tries: Tries,
    guard: Guard | None,
    log: DeedLog | None = None,
) -> tuple[Deed, ...]:
    """Carry out the remedies of findings, each once; without ``guard`` only say what would be done.

    What is asked of AWS is in ``log`` before the next thing is done. Raises :class:`~byoc.errors.ByocError` if the
    record of tries cannot be used, or the log not be written: then nothing is done.
    """
    deeds = []
    for finding in _each_remedy_once(findings):
        remedy = finding.remedy
        if remedy is not None:
            if guard is not None and log is not None:
                log.require_writable()
            outcome, detail = _outcome(target, remedy, at, tries, guard)
            deed = Deed(
                at=at,
                stack=target.stack,
                deployment=target.deployment,
                finding=finding.id,
                why=finding.words,
                remedy=remedy,
                outcome=outcome,
                detail=detail,
            )
            deeds.append(_noted(deed, log))
    return tuple(deeds)


def _noted(deed: Deed, log: DeedLog | None) -> Deed:
    """A deed, written down; what was done is told even if that failed."""
    if log is None or deed.outcome not in TRIED:
        return deed
    try:
        log.note(deed.document())
    except ByocError as error:
        text = f"not written down: {str(error).partition(chr(10))[0]}"
        return replace(deed, detail=f"{deed.detail}; {text}" if deed.detail else text)
    return deed


def _each_remedy_once(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Two causes may have the same way out."""
    first = {(each.remedy.name, each.remedy.part): each for each in reversed(findings) if each.remedy is not None}
    return tuple(reversed(first.values()))


def _outcome(target: Target, remedy: Remedy, at: datetime, tries: Tries, guard: Guard | None) -> tuple[Outcome, str]:
    key = f"{target.account.account.account_id}/{target.stack}/{target.deployment}/{remedy.part}/{remedy.name}"
    if guard is None:
        why = tries.why_not(key, at)
        return (Outcome.WAITS, why) if why else (Outcome.WOULD, "")
    try:
        with guard(target.stack):
            why = tries.claim(key, at)
            return (Outcome.WAITS, why) if why else _carry_out(target, remedy.calls)
    except InputError as error:
        return Outcome.WAITS, str(error).partition("\n")[0]


def _carry_out(target: Target, calls: Sequence[Call]) -> tuple[Outcome, str]:
    for call in calls:
        require_allowed(call)
        try:
            target.account.ask(call.action, **call.arguments)
        except DeniedError as error:
            return Outcome.DENIED, f"{error.action}: {error.what}"
        except AskingError as error:
            return Outcome.FAILED, f"{error.action}: {error.what}"
        except AbsentError as error:
            return Outcome.FAILED, f"{call.action}: {error}"
        except ByocError as error:
            return Outcome.FAILED, str(error)
    return Outcome.DONE, ""


def require_allowed(call: Call) -> None:
    """Refuse a request that no remedy makes, whatever a diagnosis asks for; raises ``ValueError``."""
    allowed = ALLOWED.get(call.action)
    if allowed is None or not set(call.arguments) <= allowed:
        raise ValueError(f"{call.action} with {', '.join(sorted(call.arguments))} is no remedy")
