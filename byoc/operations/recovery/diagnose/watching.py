"""Whether the alarms are there and on, and the scaling works."""

from __future__ import annotations

from collections.abc import Iterator

from byoc.operations.recovery.facts import AlarmSettings, RecoveryFacts, ScalingSettings
from byoc.operations.recovery.finding import Area, Finding, Restore, Severity
from byoc.operations.status.alarms import SCALING
from byoc.operations.status.facts import ALARM_ABSENT, Absent, Unknown


def diagnose_watching(facts: RecoveryFacts) -> Iterator[Finding]:
    """Alarms that are not there or tell nobody; scaling that is not there or is switched off."""
    again = f"byoc up --refresh {facts.expected.stack} makes it again"
    if not isinstance(facts.status.alarms, Unknown):
        for alarm in facts.status.alarms:
            if alarm.state == ALARM_ABSENT:
                yield _finding("alarm-absent", alarm.subject, f"alarm {alarm.subject} is not there", again)
            elif alarm.state == "ALARM" and alarm.subject not in SCALING:
                yield _finding(
                    "alarm-on", alarm.subject, f"alarm {alarm.subject} is on", "see what the other findings say of it"
                )
    if not isinstance(facts.alarms, Unknown):
        for settings in facts.alarms:
            yield from _of_alarm(facts, settings)
    for role, scaling in facts.scaling.items():
        if isinstance(scaling, Absent):
            yield _finding("scaling-absent", role, f"service {role} does not scale: its limits are not there", again)
        elif isinstance(scaling, ScalingSettings):
            yield from _of_scaling(facts, role, scaling, again)


def _of_alarm(facts: RecoveryFacts, alarm: AlarmSettings) -> Iterator[Finding]:
    name = f"alarm {alarm.subject}"
    again = f"byoc up --refresh {facts.expected.stack}"
    if not alarm.enabled:
        yield _finding("alarm-off", alarm.subject, f"{name} tells nobody: its actions are switched off", again)
    elif alarm.subject in SCALING:
        if not any(":scalingPolicy:" in arn for arn in alarm.actions):
            yield _finding("alarm-untold", alarm.subject, f"{name} does not steer the scaling", again)
    elif not any(arn.rpartition(":")[2] == facts.expected.topic for arn in alarm.actions):
        yield _finding("alarm-untold", alarm.subject, f"{name} does not tell the topic {facts.expected.topic}", again)


def _of_scaling(facts: RecoveryFacts, role: str, scaling: ScalingSettings, again: str) -> Iterator[Finding]:
    for name in facts.expected.policies.get(role, ()):
        if name not in scaling.policies:
            yield _finding(
                "policy-absent", role, f"service {role} does not scale: its policy {name} is not there", again
            )
    if scaling.suspended:
        yield _finding(
            "scaling-suspended",
            role,
            f"service {role} does not scale: somebody has switched it off ({', '.join(scaling.suspended)})",
            "aws application-autoscaling register-scalable-target --suspended-state, with false for each, switches it "
            "on again",
        )


def _finding(name: str, part: str, words: str, way_out: str) -> Finding:
    return Finding(
        id=f"watching.{name}",
        area=Area.WATCHING,
        part=part,
        severity=Severity.WARNING,
        words=words,
        way_out=way_out,
        restore=Restore.WATCH if way_out.startswith("byoc up --refresh") else None,
    )
