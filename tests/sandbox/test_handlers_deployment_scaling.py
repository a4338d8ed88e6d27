"""Scaling, alarms and dashboard of a deployment, through their whole lives on the emulator."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from byoc.sandbox.emulator.server import Emulator
from tests.sandbox.deployment_life import HANDLERS, Stage, assert_listed, born, changed, ended, live, make, open_stage

TARGET = "aws:appautoscaling/target:Target"
POLICY = "aws:appautoscaling/policy:Policy"
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
DASHBOARD = "aws:cloudwatch/dashboard:Dashboard"


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator.in_process() as running:
        yield running


@pytest.fixture
def stage(emulator: Emulator) -> Stage:
    return open_stage(emulator)


def target_inputs(stage: Stage) -> dict[str, Any]:
    client = stage.aws.client("ecs")
    client.create_cluster(clusterName="langgraph-cloud-cluster")
    container = {"name": "server", "image": "i:1", "memory": 512}
    client.register_task_definition(family="chat", containerDefinitions=[container])
    client.create_service(
        cluster="langgraph-cloud-cluster", serviceName="langgraph-cloud-chat-api", taskDefinition="chat", desiredCount=1
    )
    return {
        "serviceNamespace": "ecs",
        "scalableDimension": "ecs:service:DesiredCount",
        "resourceId": "service/langgraph-cloud-cluster/langgraph-cloud-chat-api",
        "minCapacity": 1,
        "maxCapacity": 10,
    }


def test_a_scalable_target_makes_the_provider_s_calls_all_its_life(stage: Stage) -> None:
    thing = live(stage, TARGET, "aws_appautoscaling_target", target_inputs(stage), changes=[{"maxCapacity": 20}])
    assert thing.id == "service/langgraph-cloud-cluster/langgraph-cloud-chat-api"
    assert thing.outputs["arn"].startswith(f"arn:aws:application-autoscaling:eu-west-1:{stage.aws.account_id}:")


def test_a_scaling_policy_makes_the_provider_s_calls_all_its_life(stage: Stage) -> None:
    target = make(stage, TARGET, **target_inputs(stage))
    place = {key: target.inputs[key] for key in ("serviceNamespace", "scalableDimension", "resourceId")}
    steps = [
        {"metricIntervalLowerBound": "0", "metricIntervalUpperBound": "1", "scalingAdjustment": 1},
        {"metricIntervalLowerBound": "1", "scalingAdjustment": 2},
    ]
    configuration = {
        "adjustmentType": "ChangeInCapacity",
        "cooldown": 300,
        "metricAggregationType": "Maximum",
        "stepAdjustments": steps,
    }
    inputs = {**place, "name": "out", "stepScalingPolicyConfiguration": configuration}
    thing = born(stage, POLICY, "aws_appautoscaling_policy", inputs)
    assert thing.id == "out"
    there = policies(stage)[0]["StepScalingPolicyConfiguration"]
    assert there == {
        "AdjustmentType": "ChangeInCapacity",
        "Cooldown": 300,
        "MetricAggregationType": "Maximum",
        "StepAdjustments": [
            {"MetricIntervalLowerBound": 0.0, "MetricIntervalUpperBound": 1.0, "ScalingAdjustment": 1},
            {"MetricIntervalLowerBound": 1.0, "ScalingAdjustment": 2},
        ],
    }
    with stage.noted() as of_update:
        longer = changed(stage, thing, {**inputs, "stepScalingPolicyConfiguration": {**configuration, "cooldown": 600}})
    assert_listed("aws_appautoscaling_policy", "update", of_update)
    assert policies(stage)[0]["StepScalingPolicyConfiguration"]["Cooldown"] == 600
    assert thing.handler.find(stage.aws, thing.inputs) is None, "a policy with other content is not ours"
    ended(stage, longer, "aws_appautoscaling_policy")


def policies(stage: Stage) -> list[Mapping[str, Any]]:
    answer = stage.aws.client("application-autoscaling").describe_scaling_policies(ServiceNamespace="ecs")
    found: list[Mapping[str, Any]] = answer["ScalingPolicies"]
    return found


def test_a_policy_may_follow_a_target_value(stage: Stage) -> None:
    target = make(stage, TARGET, **target_inputs(stage))
    place = {key: target.inputs[key] for key in ("serviceNamespace", "scalableDimension", "resourceId")}
    tracking = {
        "predefinedMetricSpecification": {"predefinedMetricType": "ECSServiceAverageCPUUtilization"},
        "targetValue": 75,
        "scaleInCooldown": 1800,
    }
    make(
        stage,
        POLICY,
        **place,
        name="cpu",
        policyType="TargetTrackingScaling",
        targetTrackingScalingPolicyConfiguration=tracking,
    )
    assert policies(stage)[0]["TargetTrackingScalingPolicyConfiguration"] == {
        "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"},
        "TargetValue": 75.0,
        "ScaleInCooldown": 1800,
    }


def alarms(stage: Stage) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = stage.aws.client("cloudwatch").describe_alarms()["MetricAlarms"]
    return found


def test_an_alarm_makes_the_provider_s_calls_all_its_life(stage: Stage) -> None:
    thing = live(
        stage,
        ALARM,
        "aws_cloudwatch_metric_alarm",
        {
            "name": "langgraph-cloud-chat-5xx",
            "namespace": "AWS/ApplicationELB",
            "metricName": "HTTPCode_Target_5XX_Count",
            "dimensions": {"LoadBalancer": "app/chat/1"},
            "statistic": "Sum",
            "period": 60,
            "comparisonOperator": "GreaterThanOrEqualToThreshold",
            "threshold": 5,
            "evaluationPeriods": 3,
            "treatMissingData": "notBreaching",
        },
        changes=[{"threshold": 10}, {"alarmDescription": "what to do"}],
    )
    assert thing.id == "langgraph-cloud-chat-5xx"
    assert thing.outputs["arn"] == (
        f"arn:aws:cloudwatch:eu-west-1:{stage.aws.account_id}:alarm:langgraph-cloud-chat-5xx"
    )


def test_an_alarm_on_metric_math_is_put_as_it_was_written(stage: Stage) -> None:
    metric = {
        "namespace": "AWS/ApplicationELB",
        "metricName": "RequestCount",
        "dimensions": {"TargetGroup": "targetgroup/chat/1"},
        "period": 60,
        "stat": "Sum",
    }
    queries = [
        {"id": "requests", "metric": metric},
        {"id": "deficit", "expression": "FILL(requests,0)/60", "label": "deficit", "returnData": True},
    ]
    inputs = {
        "name": "scale-out",
        "comparisonOperator": "GreaterThanOrEqualToThreshold",
        "threshold": 1,
        "evaluationPeriods": 1,
        "datapointsToAlarm": 1,
        "metricQueries": queries,
        "alarmActions": ["arn:aws:autoscaling:eu-west-1:123456789012:scalingPolicy:x:policyName/out"],
    }
    born(stage, ALARM, "aws_cloudwatch_metric_alarm", inputs)
    assert {query["Id"]: query for query in alarms(stage)[0]["Metrics"]} == {
        "requests": {
            "Id": "requests",
            "ReturnData": False,
            "MetricStat": {
                "Metric": {
                    "Namespace": "AWS/ApplicationELB",
                    "MetricName": "RequestCount",
                    "Dimensions": [{"Name": "TargetGroup", "Value": "targetgroup/chat/1"}],
                },
                "Period": 60,
                "Stat": "Sum",
            },
        },
        "deficit": {"Id": "deficit", "Expression": "FILL(requests,0)/60", "Label": "deficit", "ReturnData": True},
    }
    handler = HANDLERS[ALARM]
    assert not handler.diff(inputs, {**inputs, "metricQueries": queries[::-1]}).changed


def test_a_dashboard_makes_the_provider_s_calls_all_its_life(stage: Stage) -> None:
    body = json.dumps({"widgets": []})
    inputs = {"dashboardName": "langgraph-cloud", "dashboardBody": body}
    thing = born(stage, DASHBOARD, "aws_cloudwatch_dashboard", inputs)
    assert thing.id == "langgraph-cloud"
    assert thing.outputs["dashboardArn"].endswith(":dashboard/langgraph-cloud")
    with stage.noted() as called:
        thing.handler.update(stage.aws, thing.id, thing.inputs, {**inputs, "dashboardBody": '{ "widgets": [] }'})
    assert called == [], "a body that means the same was put again"
    widget = {"type": "text", "properties": {"markdown": "x"}}
    latest = changed(stage, thing, {**inputs, "dashboardBody": json.dumps({"widgets": [widget]})})
    ended(stage, latest, "aws_cloudwatch_dashboard")
