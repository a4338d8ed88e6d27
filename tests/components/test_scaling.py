"""Scaling: what is created says what ``byoc.scaling_rules`` says."""

from __future__ import annotations

from typing import Any

from byoc import scaling_rules as rules
from byoc.components.scaling import QueueScaling, Scaling
from byoc.components.spec import ContainerSize, DeploymentSpec, SeparateQueue
from byoc.scaling_rules import Bounds
from byoc.types import DeploymentType
from tests.components.deployments import ALARM, POLICY, TAGS, TARGET, declared_outputs, deploy, spec, waits_for
from tests.components.harness import Recording
from tests.components.programs import outputs_of

BOUNDS = Bounds(1, 10)


def production(**changes: Any) -> DeploymentSpec:
    return spec(DeploymentType.PRODUCTION, **changes)


def alarm(recording: Recording, side: str) -> dict[str, Any]:
    return dict(recording.only(ALARM, f"chat-scaling-{side}-alarm").plain)


def test_a_fixed_number_of_containers_has_no_scaling() -> None:
    for wanted in (spec(), production(size=ContainerSize(cpu=2048, memory=4096, min_containers=2, max_containers=2))):
        recording = deploy(wanted)
        assert recording.of_type(TARGET) == []
        assert recording.of_type(POLICY) == []
        assert [r.name for r in recording.of_type(ALARM) if "scaling" in r.name] == []


def test_the_target_is_the_service_within_its_bounds() -> None:
    recording = deploy(production())
    target = recording.only(TARGET, "chat-scaling-target")
    assert target.plain == {
        "serviceNamespace": "ecs",
        "scalableDimension": "ecs:service:DesiredCount",
        "resourceId": "service/langgraph-cloud-cluster/langgraph-cloud-chat-api",
        "minCapacity": 1,
        "maxCapacity": 10,
        "tags": TAGS,
    }
    # AWS refuses to scale a service that is not there.
    assert waits_for(recording, target) == {"Service chat-service-api"}


def test_the_policies_are_the_rules_steps() -> None:
    recording = deploy(production())
    for side, steps, cooldown, aggregation in (
        ("out", rules.scale_out_steps(BOUNDS), 300, "Maximum"),
        ("in", rules.scale_in_steps(BOUNDS), 1800, "Minimum"),
    ):
        policy = recording.only(POLICY, f"chat-scaling-{side}").plain
        assert policy == {
            "name": f"langgraph-cloud-chat-scale-{side}",
            "policyType": "StepScaling",
            "serviceNamespace": "ecs",
            "scalableDimension": "ecs:service:DesiredCount",
            "resourceId": "service/langgraph-cloud-cluster/langgraph-cloud-chat-api",
            "stepScalingPolicyConfiguration": {
                "adjustmentType": "ChangeInCapacity",
                "cooldown": cooldown,
                "metricAggregationType": aggregation,
                "stepAdjustments": [
                    {
                        "metricIntervalLowerBound": str(step.lower),
                        **({} if step.upper is None else {"metricIntervalUpperBound": str(step.upper)}),
                        "scalingAdjustment": step.change,
                    }
                    for step in steps
                ],
            },
        }


def test_more_containers_come_after_one_minute_and_fewer_after_thirty() -> None:
    recording = deploy(production())
    out, back = alarm(recording, "out"), alarm(recording, "in")
    for made, periods in ((out, 1), (back, 30)):
        assert (made["evaluationPeriods"], made["datapointsToAlarm"]) == (periods, periods)
        assert made["comparisonOperator"] == "GreaterThanOrEqualToThreshold"
        assert made["threshold"] == rules.THRESHOLD
        assert made["treatMissingData"] == "notBreaching"
        assert {query["metric"]["period"] for query in made["metricQueries"] if "metric" in query} == {60}
    assert out["name"] == "langgraph-cloud-chat-scale-out"
    assert back["name"] == "langgraph-cloud-chat-scale-in"
    assert out["alarmActions"] == ["arn:aws:test:us-west-2:123456789012:chat-scaling-out"]
    assert back["alarmActions"] == ["arn:aws:test:us-west-2:123456789012:chat-scaling-in"]


def test_the_alarms_watch_the_rules_expressions_over_the_load_balancers_metrics() -> None:
    recording = deploy(production())
    balancer = {"LoadBalancer": "app/langgraph-cloud-chat/1"}
    group = {**balancer, "TargetGroup": "targetgroup/langg-1/2"}
    for side, expressions in (
        ("out", rules.deficit_expressions(BOUNDS)),
        ("in", rules.surplus_expressions(BOUNDS)),
    ):
        queries = alarm(recording, side)["metricQueries"]
        assert {query["id"]: query["metric"] for query in queries if "metric" in query} == {
            metric.id: {
                "namespace": "AWS/ApplicationELB",
                "metricName": metric.name,
                "period": 60,
                "stat": metric.statistic,
                "dimensions": group if metric.of_target_group else balancer,
            }
            for metric in rules.METRICS
        }
        assert [(query["id"], query["expression"]) for query in queries if "expression" in query] == [
            (expression.id, expression.text) for expression in expressions
        ]
        assert [query["id"] for query in queries if query["returnData"]] == [expressions[-1].id]


def test_a_separate_queue_follows_its_cpu_load() -> None:
    recording = deploy(production(queue=SeparateQueue(cpu=512, memory=1024, containers=1, max_containers=5)))
    target = recording.only(TARGET, "chat-queue-scaling-target").plain
    assert (target["resourceId"], target["minCapacity"], target["maxCapacity"]) == (
        "service/langgraph-cloud-cluster/langgraph-cloud-chat-queue",
        1,
        5,
    )
    policy = recording.only(POLICY, "chat-queue-scaling-cpu").plain
    assert (policy["name"], policy["policyType"]) == ("langgraph-cloud-chat-queue-cpu", "TargetTrackingScaling")
    assert policy["targetTrackingScalingPolicyConfiguration"] == {
        "targetValue": 75,
        "scaleOutCooldown": 300,
        "scaleInCooldown": 1800,
        "predefinedMetricSpecification": {"predefinedMetricType": "ECSServiceAverageCPUUtilization"},
    }


def test_a_separate_queue_of_fixed_size_has_no_scaling() -> None:
    recording = deploy(spec(queue=SeparateQueue(cpu=512, memory=1024, containers=2, max_containers=2)))
    assert recording.of_type(TARGET) == []


def test_outputs_are_what_is_registered() -> None:
    recording = deploy(production(queue=SeparateQueue(cpu=512, memory=1024, containers=1, max_containers=5)))
    assert outputs_of(recording, "byoc:index:Scaling").keys() == declared_outputs(Scaling)
    assert outputs_of(recording, "byoc:index:QueueScaling").keys() == declared_outputs(QueueScaling)
