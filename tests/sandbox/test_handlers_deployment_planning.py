"""What a changed input means for a deployment's resources, as the AWS provider decides it; no AWS call is made."""

from __future__ import annotations

from typing import Any

import pytest

from byoc.sandbox.handlers import random as random_handlers
from byoc.sandbox.handlers.base import DEFAULTED, Properties
from byoc.sandbox.handlers.rds_parameters import changes
from byoc.sandbox.handlers.schema import pascal
from byoc.sandbox.registry import handled_types
from byoc.values import UNKNOWN
from tests.sandbox.deployment_life import HANDLERS, sdk_names

DATABASE = "aws:rds/instance:Instance"
TASK = "aws:ecs/taskDefinition:TaskDefinition"
SERVICE = "aws:ecs/service:Service"
BALANCER = "aws:lb/loadBalancer:LoadBalancer"
GROUP = "aws:lb/targetGroup:TargetGroup"
RANDOM = {handler.token: handler() for handler in random_handlers.HANDLERS}
ALL = {**HANDLERS, **RANDOM}

DATABASE_INPUTS = {
    "identifier": "chat",
    "engine": "postgres",
    "instanceClass": "db.t4g.micro",
    "allocatedStorage": 20,
    "username": "langgraph",
}
SERVICE_INPUTS = {
    "name": "chat",
    "cluster": "cluster",
    "taskDefinition": "arn:1",
    "launchType": "FARGATE",
    "networkConfiguration": {"subnets": ["a", "b"], "securityGroups": ["x"]},
}
REPLACED_BY = {
    "aws:appautoscaling/policy:Policy": {"name", "resourceId", "scalableDimension", "serviceNamespace"},
    "aws:appautoscaling/target:Target": {"resourceId", "scalableDimension", "serviceNamespace"},
    "aws:cloudwatch/dashboard:Dashboard": {"dashboardName"},
    "aws:cloudwatch/metricAlarm:MetricAlarm": {"name"},
    SERVICE: {"cluster", "deploymentController", "iamRole", "launchType", "name", "schedulingStrategy"},
    BALANCER: {"internal", "loadBalancerType", "name", "namePrefix"},
    "aws:lb/listener:Listener": {"loadBalancerArn"},
    "aws:lb/listenerRule:ListenerRule": {"listenerArn"},
    GROUP: {"ipAddressType", "name", "namePrefix", "port", "protocol", "protocolVersion", "targetType", "vpcId"},
    DATABASE: {
        "availabilityZone",
        "backupTarget",
        "characterSetName",
        "customIamInstanceProfile",
        "dbName",
        "engine",
        "kmsKeyId",
        "storageEncrypted",
        "timezone",
        "username",
    },
    "aws:secretsmanager/secret:Secret": {"name", "namePrefix"},
    "aws:secretsmanager/secretVersion:SecretVersion": {"secretBinary", "secretId", "secretString"},
}
"""What the AWS provider marks "forces new resource", among the inputs that the handlers act on."""


def checked(token: str, inputs: Properties, old: Properties | None = None) -> Properties:
    return ALL[token].check("thing", inputs, old)


def replaces(token: str, inputs: Properties, change: Properties) -> frozenset[str]:
    old = checked(token, inputs)
    return ALL[token].diff(old, checked(token, {**inputs, **change}, old)).replaces


def test_every_type_of_a_deployment_has_its_handler() -> None:
    assert ALL.keys() <= handled_types()


@pytest.mark.parametrize("token", sorted(ALL))
def test_inputs_have_the_names_that_the_sdk_gives_them(token: str) -> None:
    handler = ALL[token]
    assert handler.known <= sdk_names(token, "Args")  # type: ignore[attr-defined]
    assert handler.replace_on <= handler.known  # type: ignore[attr-defined]
    assert handler.defaults.keys() <= handler.known  # type: ignore[attr-defined]
    assert {path.partition(".")[0] for path in handler.sets} <= handler.known  # type: ignore[attr-defined]
    assert handler.secret_outputs <= sdk_names(token)
    assert handler.recomputed.keys() <= handler.known  # type: ignore[attr-defined]


@pytest.mark.parametrize("token", sorted(REPLACED_BY))
def test_what_replaces_a_resource_is_what_the_provider_says(token: str) -> None:
    assert ALL[token].replace_on == REPLACED_BY[token]


def test_all_of_a_task_definition_replaces_it_but_how_it_is_deleted() -> None:
    handler = ALL[TASK]
    assert handler.known - handler.replace_on == {"skipDestroy", "trackLatest"}  # type: ignore[attr-defined]


@pytest.mark.parametrize("token", sorted(ALL))
def test_tags_change_in_place(token: str) -> None:
    handler = ALL[token]
    if handler.taggable:
        diff = handler.diff({"tagsAll": {"a": "1"}, "tags": {"a": "1"}}, {"tagsAll": {"a": "2"}, "tags": {"a": "2"}})
        assert diff.changed == {"tags", "tagsAll"}
        assert not diff.replaces


@pytest.mark.parametrize("token", sorted(ALL))
def test_an_input_that_a_handler_does_not_act_on_is_refused(token: str) -> None:
    with pytest.raises(ValueError, match=r"does not act on\s+region") as refused:
        checked(token, {**DATABASE_INPUTS, "region": "eu-west-1"} if token == DATABASE else {"region": "eu-west-1"})
    assert "mend it:" in str(refused.value)


def test_defaults_are_filled_in_and_null_is_absent() -> None:
    inputs = checked(SERVICE, {**SERVICE_INPUTS, "deploymentMaximumPercent": None})
    assert inputs["deploymentMaximumPercent"] == 200
    assert inputs["deploymentMinimumHealthyPercent"] == 100
    assert "platformVersion" not in checked(SERVICE, {**SERVICE_INPUTS, "platformVersion": None})


def test_a_changed_identifier_renames_a_database_and_its_other_identity_replaces_it() -> None:
    assert replaces(DATABASE, DATABASE_INPUTS, {"identifier": "talk"}) == frozenset()
    assert replaces(DATABASE, DATABASE_INPUTS, {"instanceClass": "db.m7g.large"}) == frozenset()
    assert replaces(DATABASE, DATABASE_INPUTS, {"username": "root", "dbName": "x"}) == {"username", "dbName"}


def test_replacing_a_database_is_refused_with_what_would_be_lost_and_what_to_do() -> None:
    refusal = ALL[DATABASE].refuse_replacement
    assert refusal is not None
    assert "deleted with its data" in refusal
    assert "mend it:  undo the change" in refusal
    assert [token for token, handler in ALL.items() if handler.refuse_replacement] == [DATABASE]


@pytest.mark.parametrize("missing", ["allocatedStorage", "engine", "instanceClass", "username"])
def test_a_database_without_what_the_provider_requires_is_refused(missing: str) -> None:
    inputs = {key: value for key, value in DATABASE_INPUTS.items() if key != missing}
    with pytest.raises(ValueError, match=f"{missing} must be set"):
        checked(DATABASE, inputs)


@pytest.mark.parametrize(
    ("change", "there", "parameters"),
    [
        ({"instanceClass": "db.m7g.large"}, {}, {"DBInstanceClass": "db.m7g.large"}),
        ({"identifier": "talk", "port": 5433}, {}, {"NewDBInstanceIdentifier": "talk", "DBPortNumber": 5433}),
        (
            {"engineVersion": "17", "allowMajorVersionUpgrade": True},
            {},
            {"EngineVersion": "17", "AllowMajorVersionUpgrade": True},
        ),
        ({"engineVersion": "16.5"}, {}, {"EngineVersion": "16.5", "AllowMajorVersionUpgrade": False}),
        ({"maxAllocatedStorage": 500}, {}, {"MaxAllocatedStorage": 500}),
        ({"maxAllocatedStorage": 0}, {}, {"MaxAllocatedStorage": 20}),
        ({"allocatedStorage": 50}, {}, {"AllocatedStorage": 50}),
        ({"allocatedStorage": 50, "maxAllocatedStorage": 500}, {"AllocatedStorage": 80}, {"MaxAllocatedStorage": 500}),
        ({"iops": 3000}, {}, {"AllocatedStorage": 20, "Iops": 3000}),
        (
            {"performanceInsightsEnabled": True, "performanceInsightsRetentionPeriod": 7},
            {},
            {"EnablePerformanceInsights": True, "PerformanceInsightsRetentionPeriod": 7},
        ),
        (
            {"enabledCloudwatchLogsExports": ["upgrade"]},
            {},
            {"CloudwatchLogsExportConfiguration": {"EnableLogTypes": ["upgrade"], "DisableLogTypes": ["postgresql"]}},
        ),
        ({"password": None}, {}, {}),
    ],
)
def test_a_changed_database_is_modified_with_what_changed(
    change: Properties, there: dict[str, Any], parameters: dict[str, Any]
) -> None:
    old = {
        **DATABASE_INPUTS,
        "password": "p",
        "maxAllocatedStorage": 100,
        "enabledCloudwatchLogsExports": ["postgresql"],
    }
    instance = {"AllocatedStorage": 20, **there}
    assert changes(frozenset(change), old, {**old, **change}, instance) == parameters


def test_names_of_a_database_are_in_lower_case() -> None:
    inputs = checked(DATABASE, {**DATABASE_INPUTS, "identifier": "Chat", "engine": "Postgres"})
    assert (inputs["identifier"], inputs["engine"]) == ("chat", "postgres")


def test_passwords_and_values_are_marked_secret() -> None:
    marked = {token: handler.secret_outputs for token, handler in ALL.items() if handler.secret_outputs}
    assert marked == {
        DATABASE: {"password", "passwordWo"},
        "aws:secretsmanager/secretVersion:SecretVersion": {"secretBinary", "secretString", "secretStringWo"},
        "random:index/randomPassword:RandomPassword": {"bcryptHash", "result"},
    }


def test_the_order_of_a_set_means_nothing() -> None:
    old = checked(SERVICE, SERVICE_INPUTS)
    turned = {"subnets": ["b", "a"], "securityGroups": ["x"]}
    assert not ALL[SERVICE].diff(old, {**old, "networkConfiguration": turned}).changed
    other = {"subnets": ["b", "c"], "securityGroups": ["x"]}
    assert ALL[SERVICE].diff(old, {**old, "networkConfiguration": other}).changed == {"networkConfiguration"}
    assert not ALL[BALANCER].diff({"subnets": ["a", "b"]}, {"subnets": ["b", "a"]}).changed


def test_a_value_that_is_not_known_yet_counts_as_changed_in_a_set_too() -> None:
    old = checked(SERVICE, SERVICE_INPUTS)
    new = {**old, "networkConfiguration": {"subnets": ["a", UNKNOWN], "securityGroups": ["x"]}}
    assert ALL[SERVICE].diff(old, new).changed == {"networkConfiguration"}
    task = {"family": "chat", "containerDefinitions": "[]"}
    assert ALL[TASK].diff(task, {**task, "containerDefinitions": UNKNOWN}).replaces == {"containerDefinitions"}


def test_capacity_providers_replace_a_service_unless_a_new_deployment_is_forced() -> None:
    spot = {"capacityProviderStrategies": [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]}
    old = checked(SERVICE, SERVICE_INPUTS)
    diff = ALL[SERVICE].diff(old, {**old, **spot})
    assert diff.replaces == {"capacityProviderStrategies"}
    assert diff.delete_before_replace
    assert replaces(SERVICE, SERVICE_INPUTS, {**spot, "forceNewDeployment": True}) == frozenset()


def test_ecs_s_own_deployment_controller_is_the_default() -> None:
    assert replaces(SERVICE, SERVICE_INPUTS, {"deploymentController": {"type": "ECS"}}) == frozenset()
    assert replaces(SERVICE, SERVICE_INPUTS, {"deploymentController": {"type": "EXTERNAL"}}) == {"deploymentController"}


def test_a_target_group_with_a_prefix_gets_another_name_for_its_replacement_and_keeps_it_otherwise() -> None:
    inputs = {"namePrefix": "chat-", "port": 8000}
    first = checked(GROUP, inputs)
    assert first[DEFAULTED] == ["name"]
    assert checked(GROUP, inputs, first)["name"] == first["name"]
    assert checked(GROUP, inputs)["name"] != first["name"]
    diff = ALL[GROUP].diff(first, checked(GROUP, {**inputs, "port": 8001}, first))
    assert diff.replaces == {"port"}
    assert not diff.delete_before_replace


def test_a_target_group_with_a_fixed_name_has_to_go_before_its_replacement_comes() -> None:
    inputs = {"name": "chat", "port": 8000}
    old = checked(GROUP, inputs)
    assert ALL[GROUP].diff(old, checked(GROUP, {**inputs, "port": 8001}, old)).delete_before_replace


@pytest.mark.parametrize(
    ("token", "inputs", "message"),
    [
        (GROUP, {"namePrefix": "too-long"}, "has more than 6 characters"),
        (GROUP, {"targetType": "lambda"}, "no target groups of Lambda functions"),
        (BALANCER, {"loadBalancerType": "network"}, "application load balancers only"),
        (TASK, {"family": "chat", "containerDefinitions": "{}"}, "must be a JSON array of objects"),
        (TASK, {"family": "chat", "containerDefinitions": "[1]"}, "must be a JSON array of objects"),
        ("aws:cloudwatch/metricAlarm:MetricAlarm", {"name": "x", "metricName": "m"}, "one of statistic or extended"),
        (
            "aws:cloudwatch/metricAlarm:MetricAlarm",
            {"name": "x", "metricQueries": [{"id": "q", "expression": "1", "metric": {"stat": "Sum"}}]},
            "metric query 'q' has both an expression and a metric",
        ),
    ],
)
def test_what_the_provider_refuses_is_refused_before_a_call(token: str, inputs: Properties, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        checked(token, inputs)


def test_a_health_check_is_compared_with_its_defaults() -> None:
    old = checked(GROUP, {"name": "chat", "healthCheck": {"path": "/ok"}})
    same = {"path": "/ok", "enabled": True, "interval": 30, "healthyThreshold": 3, "unhealthyThreshold": 3}
    assert not ALL[GROUP].diff(old, {**old, "healthCheck": same}).changed
    assert ALL[GROUP].diff(old, {**old, "healthCheck": {**same, "interval": 10}}).changed == {"healthCheck"}


def test_keys_become_those_of_the_api_at_every_depth() -> None:
    assert pascal({"metricStat": [{"stat": "Sum", "unit": None}], "targetValue": 0.0}) == {
        "MetricStat": [{"Stat": "Sum"}],
        "TargetValue": 0.0,
    }
