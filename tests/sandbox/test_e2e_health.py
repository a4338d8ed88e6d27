"""Looking after a deployment under enforcement: what scoped mode opens for it, what it does not, and to whom."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from byoc.permissions.needs.deployment import TYPES
from byoc.permissions.needs.features import HEALTH, feature_needs
from tests.sandbox.sandbox_world import ACCOUNT, CHAT, World, Worlds
from tests.sandbox.test_e2e_scoped import OTHER, two_installs
from tests.sandbox.vendor_session import VendorSession, outcome

pytestmark = pytest.mark.slow

Calls = Mapping[str, Callable[[], Any]]
UNANSWERED = "NotImplemented"
"""What the emulator says to a call that it lets through and has no answer for; one that is denied never gets there."""
PERIOD = {"StartTime": "2026-05-01T00:00:00Z", "EndTime": "2026-05-02T00:00:00Z"}
METRIC = {
    "Id": "m",
    "MetricStat": {
        "Metric": {"Namespace": "AWS/ECS", "MetricName": "CPUUtilization"},
        "Period": 60,
        "Stat": "Average",
    },
}


@pytest.fixture(scope="module")
def neighbours(worlds: Worlds) -> World:
    return two_installs(worlds.new())


@pytest.fixture(scope="module")
def vendor(neighbours: World) -> VendorSession:
    return VendorSession(neighbours)


def of_cluster(world: World, vendor: VendorSession, prefix: str) -> Calls:
    """Reads of one install's cluster, log group and secrets."""
    ecs, logs = vendor.aws("ecs"), vendor.aws("logs")
    cluster, group = f"{prefix}-cluster", f"/aws/ecs/{prefix}"
    task = f"arn:aws:ecs:us-west-2:{world.account_id}:task/{cluster}/0123456789abcdef0123456789abcdef"
    return {
        "ecs:DescribeClusters": lambda: ecs.describe_clusters(clusters=[cluster]),
        "ecs:DescribeServices": lambda: ecs.describe_services(cluster=cluster, services=[f"{prefix}-chat-api"]),
        "ecs:DescribeTasks": lambda: ecs.describe_tasks(cluster=cluster, tasks=[task]),
        "ecs:ListServices": lambda: ecs.list_services(cluster=cluster),
        "ecs:ListTasks": lambda: ecs.list_tasks(cluster=cluster),
        "logs:DescribeLogStreams": lambda: logs.describe_log_streams(logGroupName=group),
        "logs:FilterLogEvents": lambda: logs.filter_log_events(logGroupName=group),
        "logs:GetLogEvents": lambda: logs.get_log_events(logGroupName=group, logStreamName="chat-api/api/0"),
        "secretsmanager:DescribeSecret": lambda: vendor.aws("secretsmanager").describe_secret(
            SecretId=f"{prefix}/chat/environment"
        ),
    }


def of_region(world: World, vendor: VendorSession, region: str = "") -> Calls:
    """The other reads of status, events and metrics, in one region."""
    rds, alarms = vendor.aws("rds", region), vendor.aws("cloudwatch", region)
    elb, scaling = vendor.aws("elbv2", region), vendor.aws("application-autoscaling", region)
    place = f"{region or world.region}:{world.account_id}"
    targets = f"arn:aws:elasticloadbalancing:{place}:targetgroup/x/1"
    return {
        "application-autoscaling:DescribeScalableTargets": lambda: scaling.describe_scalable_targets(
            ServiceNamespace="ecs"
        ),
        "application-autoscaling:DescribeScalingActivities": lambda: scaling.describe_scaling_activities(
            ServiceNamespace="ecs"
        ),
        "cloudwatch:DescribeAlarmHistory": lambda: alarms.describe_alarm_history(AlarmName="langgraph-cloud-chat-5xx"),
        "cloudwatch:DescribeAlarms": alarms.describe_alarms,
        "cloudwatch:GetMetricData": lambda: alarms.get_metric_data(MetricDataQueries=[METRIC], **PERIOD),
        "ecs:DescribeTaskDefinition": lambda: vendor.aws("ecs", region).describe_task_definition(
            taskDefinition="langgraph-cloud-chat-api"
        ),
        "elasticloadbalancing:DescribeLoadBalancers": elb.describe_load_balancers,
        "elasticloadbalancing:DescribeTargetGroups": elb.describe_target_groups,
        "elasticloadbalancing:DescribeTargetHealth": lambda: elb.describe_target_health(TargetGroupArn=targets),
        "rds:DescribeDBInstances": rds.describe_db_instances,
        "rds:DescribeEvents": rds.describe_events,
    }


def outcomes(calls: Calls) -> dict[str, str]:
    return {action: outcome(call) for action, call in calls.items()}


def test_what_looking_after_a_deployment_reads_is_open(neighbours: World, vendor: VendorSession) -> None:
    calls = {**of_cluster(neighbours, vendor, "langgraph-cloud"), **of_region(neighbours, vendor)}
    assert set(calls) == {need.action for need in feature_needs(HEALTH, TYPES)}
    found = outcomes(calls)
    assert {action for action, code in found.items() if code == "denied"} == set()
    # What is not there, or not as asked, is told so after the right to ask was found.
    assert [action for action, code in found.items() if code == UNANSWERED] == []
    assert sum(code == "ok" for code in found.values()) > 12, found


def test_logs_tasks_and_services_of_another_install_are_closed(neighbours: World, vendor: VendorSession) -> None:
    found = outcomes(of_cluster(neighbours, vendor, OTHER))
    assert found == dict.fromkeys(found, "denied")
    # Not by another way of saying which group it is, and nobody else's.
    group = f"arn:aws:logs:us-west-2:{neighbours.account_id}:log-group:/aws/ecs/{OTHER}"
    logs = vendor.aws("logs")
    assert outcome(lambda: logs.filter_log_events(logGroupIdentifier=group)) == "denied"
    assert outcome(lambda: logs.filter_log_events(logGroupName="/payroll")) == "denied"
    assert outcome(vendor.aws("ecs").list_tasks) == "denied"  # of the cluster called "default"


def test_another_region_is_not_looked_at(neighbours: World, vendor: VendorSession) -> None:
    found = outcomes(of_region(neighbours, vendor, "eu-west-1"))
    assert found == dict.fromkeys(found, "denied")


@pytest.fixture(scope="module")
def observer(worlds: Worlds) -> tuple[World, VendorSession]:
    """A deployment whose account has taken everything but looking from the role since."""
    world = worlds.new()
    world.up(ACCOUNT).done()
    world.up(CHAT).done()
    world.configure(ACCOUNT, {"access": {"controlPlane": "us", "observeOnly": True}})
    world.up(ACCOUNT).done()
    return world, VendorSession(world)


def test_who_only_observes_sees_states_and_events_and_no_log_entry(observer: tuple[World, VendorSession]) -> None:
    found = outcomes({**of_cluster(*observer, "langgraph-cloud"), **of_region(*observer)})
    assert {action for action, code in found.items() if code == "denied"} == {
        "logs:DescribeLogStreams",
        "logs:FilterLogEvents",
        "logs:GetLogEvents",
    }
    secrets = observer[1].aws("secretsmanager")
    assert outcome(lambda: secrets.get_secret_value(SecretId="langgraph-cloud/chat/environment")) == "denied"
