"""From facts to findings: pure, one module for each area."""

from __future__ import annotations

from collections.abc import Iterator

from byoc.operations.recovery.diagnose.database import diagnose_database, unknown_state
from byoc.operations.recovery.diagnose.drift import diagnose_drift
from byoc.operations.recovery.diagnose.ingress import diagnose_ingress
from byoc.operations.recovery.diagnose.rollouts import diagnose_rollouts
from byoc.operations.recovery.diagnose.tasks import diagnose_tasks
from byoc.operations.recovery.diagnose.watching import diagnose_watching
from byoc.operations.recovery.facts import DatabaseSettings, RecoveryFacts
from byoc.operations.recovery.finding import Diagnosis, Finding, Severity
from byoc.operations.status.facts import Unknown
from byoc.operations.status.findings import unknowns

_ORDER = {severity: number for number, severity in enumerate(Severity)}


def diagnose(facts: RecoveryFacts) -> Diagnosis:
    """Everything that the facts tell, the worst first, and what they do not tell."""
    found: list[Finding] = []
    for area in (
        diagnose_tasks,
        diagnose_rollouts,
        diagnose_ingress,
        diagnose_database,
        diagnose_watching,
        diagnose_drift,
    ):
        found += area(facts)
    findings = sorted(found, key=lambda finding: _ORDER[finding.severity])
    return Diagnosis(findings=tuple(findings), unknown=tuple(_unknown(facts)))


def _unknown(facts: RecoveryFacts) -> Iterator[str]:
    """The same reason once; what the status does not know already is not said again for the same question."""
    yield from unknowns(facts.status)
    yield from unknown_state(facts.status)
    told = " ".join(unknowns(facts.status))
    parts: dict[str, object] = {
        **{f"stopped containers of {role}": part for role, part in facts.stopped.items()},
        **{f"settings of service {role}": part for role, part in facts.services.items()},
        **{f"task definition of {role}": part for role, part in facts.tasks.items()},
        "settings of the database": facts.database,
        "settings of the alarms": facts.alarms,
        **{f"scaling of {role}": part for role, part in facts.scaling.items()},
        "security groups": facts.groups,
    }
    if isinstance(facts.database, DatabaseSettings):
        parts["free storage of the database"] = facts.database.free_gib
    reasons: dict[str, list[str]] = {}
    for name, part in parts.items():
        if isinstance(part, Unknown) and part.why not in told:
            reasons.setdefault(part.why, []).append(name)
    for why, names in reasons.items():
        yield f"not known: {', '.join(names)}: {why}"
