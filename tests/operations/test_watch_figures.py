"""``byoc watch`` on figures of CloudWatch: storage that is nearly full, alarms whose figures somebody has changed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from byoc.sandbox.emulator.metrics import Figure
from tests.operations.operated_world import Operated
from tests.sandbox.sandbox_world import CHAT, SUPPORT

pytestmark = pytest.mark.slow
GIB = 1024**3
NEARLY_FULL = "database.storage-nearly-full"


def watch(operated: Operated, stack: str) -> dict[str, Any]:
    """What ``byoc watch --json`` says of the stack's deployment."""
    outcome = operated.byoc("watch", stack, "--json")
    assert outcome.err == ""
    (found,) = json.loads(outcome.out)["deployments"]
    return dict(found)


def free_storage(operated: Operated, database: str, gib: float) -> None:
    """What RDS measures from now on."""
    world = operated.world
    dimensions = {"DBInstanceIdentifier": database}
    figure = Figure(namespace="AWS/RDS", name="FreeStorageSpace", value=gib * GIB, dimensions=dimensions)
    world.client.measure(world.account_id, world.region, figure)


def test_storage_that_is_nearly_full_is_told_with_its_figures_and_nothing_is_done(operated: Operated) -> None:
    free_storage(operated, "langgraph-cloud-chat", 15.5)
    assert watch(operated, CHAT)["findings"] == []
    free_storage(operated, "langgraph-cloud-chat", 1.25)
    found = watch(operated, CHAT)
    (finding,) = found["findings"]
    assert (finding["id"], finding["severity"], found["deeds"]) == (NEARLY_FULL, "warning", [])
    assert finding["evidence"] == ["1.2 GiB of 20 GiB are free"]
    free_storage(operated, "langgraph-cloud-chat", 0.3)
    (finding,) = watch(operated, CHAT)["findings"]
    assert (finding["id"], finding["severity"]) == (NEARLY_FULL, "critical")
    outcome = operated.byoc("watch", CHAT)
    assert (outcome.code, "critical: the storage is nearly full" in outcome.out) == (1, True)


def test_an_alarm_whose_figures_somebody_changed_is_drift_and_says_what_differs(operated: Operated) -> None:
    cloudwatch = operated.world.aws("cloudwatch")
    assert watch(operated, SUPPORT)["findings"] == []
    name = "langgraph-cloud-support-database-cpu"
    (alarm,) = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    keys = ("AlarmName", "AlarmActions", "OKActions", "Namespace", "MetricName", "Dimensions", "TreatMissingData")
    figures = ("Statistic", "Period", "EvaluationPeriods", "DatapointsToAlarm", "Threshold", "ComparisonOperator")
    ours = {key: alarm[key] for key in (*keys, *figures)}
    cloudwatch.put_metric_alarm(**{**ours, "Threshold": 99, "EvaluationPeriods": 60, "Statistic": "Maximum"})
    (finding,) = watch(operated, SUPPORT)["findings"]
    assert (finding["id"], finding["area"], finding["part"]) == ("drift.managed", "drift", "database-cpu")
    assert finding["words"] == (
        "alarm database-cpu goes off otherwise: threshold 99, not 80; periods 60, not 15; "
        "statistic Maximum, not Average"
    )
    cloudwatch.put_metric_alarm(**ours)
    assert watch(operated, SUPPORT)["findings"] == []
