"""When alarms go off: as CloudWatch tells it, and as the config has it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from byoc import alarming
from byoc.alarming import Rule
from byoc.config import DeploymentSection

Told = Mapping[str, object]
"""The parts of a rule by their names, for a person."""


def expected_rules(section: DeploymentSection, roles: Sequence[str], *, own_database: bool) -> dict[str, Told]:
    """By subject, for every alarm that tells somebody; those that steer the scaling are not among them."""
    rules = {**alarming.of_ingress(), **alarming.of_services(roles)}
    if own_database:
        rules |= alarming.of_database(section.database.instance_class, section.database.storage_gb)
    return {subject: _of_rule(rule) for subject, rule in rules.items()}


def told_rule(alarm: Mapping[str, Any]) -> Told:
    """What ``cloudwatch:DescribeAlarms`` says of one."""
    periods = {item["MetricStat"]["Period"] for item in alarm.get("Metrics") or () if "MetricStat" in item}
    return {
        "threshold": float(alarm["Threshold"]),
        "comparison": alarm["ComparisonOperator"],
        "periods": alarm["EvaluationPeriods"],
        "periods that count": alarm.get("DatapointsToAlarm") or alarm["EvaluationPeriods"],
        "seconds of a period": alarm.get("Period") or (periods.pop() if len(periods) == 1 else None),
        "statistic": alarm.get("Statistic") or "",
        "missing data": alarm.get("TreatMissingData") or "missing",
    }


def differences(told: Told, expected: Told) -> Iterator[str]:
    """What is otherwise, as a person reads it."""
    for name, then in expected.items():
        now = told.get(name)
        if now != then:
            yield f"{name} {_shown(now)}, not {_shown(then)}"


def _of_rule(rule: Rule) -> Told:
    return {
        "threshold": float(rule.threshold),
        "comparison": rule.comparison,
        "periods": rule.periods,
        "periods that count": rule.periods,
        "seconds of a period": rule.period_seconds,
        "statistic": rule.statistic,
        "missing data": rule.missing,
    }


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.15g}"
    return "none" if value in (None, "") else str(value)
