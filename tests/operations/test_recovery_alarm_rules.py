"""When alarms go off: what CloudWatch tells of one against what the config has it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from byoc.operations.recovery.alarm_rules import differences, expected_rules, told_rule
from byoc.operations.recovery.diagnose import diagnose
from byoc.operations.recovery.facts import AlarmSettings
from tests.operations.recovery_situations import SECTION, TOPIC, recovery_facts

CPU = {
    "Threshold": 80.0,
    "ComparisonOperator": "GreaterThanOrEqualToThreshold",
    "EvaluationPeriods": 15,
    "DatapointsToAlarm": 15,
    "Period": 60,
    "Statistic": "Average",
    "TreatMissingData": "notBreaching",
}
ERRORS: dict[str, Any] = {
    "Threshold": 10.0,
    "ComparisonOperator": "GreaterThanOrEqualToThreshold",
    "EvaluationPeriods": 1,
    "DatapointsToAlarm": 1,
    "TreatMissingData": "notBreaching",
    "Metrics": [
        {"Id": "server", "MetricStat": {"Period": 300, "Stat": "Sum"}, "ReturnData": False},
        {"Id": "balancer", "MetricStat": {"Period": 300, "Stat": "Sum"}, "ReturnData": False},
        {"Id": "errors", "Expression": "FILL(server,0)+FILL(balancer,0)", "ReturnData": True},
    ],
}


def told(subject: str, alarm: dict[str, Any]) -> list[str]:
    rules = expected_rules(SECTION, ("api",), own_database=True)
    return list(differences(told_rule(alarm), rules[subject]))


def test_an_alarm_as_the_components_make_it_differs_in_nothing() -> None:
    assert told("database-cpu", CPU) == []
    assert told("errors", ERRORS) == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"Threshold": 95.5}, ["threshold 95.5, not 80"]),
        (
            {"ComparisonOperator": "GreaterThanThreshold"},
            ["comparison GreaterThanThreshold, not GreaterThanOrEqualToThreshold"],
        ),
        ({"EvaluationPeriods": 3}, ["periods 3, not 15"]),
        ({"DatapointsToAlarm": 2}, ["periods that count 2, not 15"]),
        ({"Period": 300}, ["seconds of a period 300, not 60"]),
        ({"Statistic": "Maximum"}, ["statistic Maximum, not Average"]),
        ({"TreatMissingData": None}, ["missing data missing, not notBreaching"]),
        ({"Statistic": None, "ExtendedStatistic": "p90"}, ["statistic none, not Average"]),
    ],
)
def test_each_figure_that_somebody_changed_is_named(change: dict[str, Any], expected: list[str]) -> None:
    assert told("database-cpu", {**CPU, **change}) == expected


def test_the_periods_of_an_expression_are_those_of_its_metrics() -> None:
    metrics = [{**item, "MetricStat": {"Period": 60, "Stat": "Sum"}} for item in ERRORS["Metrics"][:2]]
    assert told("errors", {**ERRORS, "Metrics": metrics}) == ["seconds of a period 60, not 300"]
    mixed = [metrics[0], ERRORS["Metrics"][1]]
    assert told("errors", {**ERRORS, "Metrics": mixed}) == ["seconds of a period none, not 300"]


def test_alarms_follow_the_size_of_the_database_and_there_are_none_of_one_that_is_not_ours() -> None:
    assert expected_rules(SECTION, ("api",), own_database=True)["database-storage"]["threshold"] == 5 * 1024**3
    assert "database-cpu" not in expected_rules(SECTION, ("api",), own_database=False)


def test_a_changed_alarm_is_drift_and_what_aws_does_not_tell_is_not() -> None:
    facts = recovery_facts()
    rules = expected_rules(SECTION, ("api", "cache"), own_database=True)
    facts = replace(facts, expected=replace(facts.expected, alarm_rules=rules))
    assert diagnose(facts).findings == ()
    alarm = AlarmSettings(subject="errors", enabled=True, actions=(TOPIC,), rule=told_rule({**ERRORS, "Threshold": 1}))
    (finding,) = diagnose(replace(facts, alarms=(alarm,))).findings
    assert (finding.id, finding.words) == (
        "drift.managed",
        "alarm errors goes off otherwise: threshold 1, not 10",
    )
