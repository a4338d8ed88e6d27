"""What AWS answers about settings, read: whole answers, half ones, and none."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from byoc.operations.answers import AbsentError, NoAnswerError
from byoc.operations.recovery.expected import scaling_policies
from byoc.operations.recovery.facts import Opening, ScalingSettings, ServiceSettings
from byoc.operations.recovery.read import database_settings, service_settings, stopped_task
from byoc.operations.recovery.read import read_recovery_facts as read
from byoc.operations.status.facts import Absent, Unknown
from byoc.stack_config import load_stack_config
from tests.operations.fake_account import FakeAccount, target

AT = datetime(2026, 5, 1, 8, 0, tzinfo=UTC)
BUSY = NoAnswerError("x:Y", "AWS is too busy for this account: ThrottlingException", "repeat it later")
CONFIG = load_stack_config(
    {
        "byoc:kind": "deployment",
        "byoc:accountId": "123456789012",
        "byoc:region": "us-west-2",
        "byoc:externalId": "an-external-id-of-32-characters-x",
        "byoc:name": "chat",
        "byoc:type": "production",
        "byoc:image": "123456789012.dkr.ecr.us-west-2.amazonaws.com/agents/chat:1.0.0",
        "byoc:langsmithApiKey": "lsv2_pt_example",
    },
    frozenset({"byoc:externalId", "byoc:langsmithApiKey"}),
    source="test",
)
SERVICE: dict[str, Any] = {
    "serviceName": "langgraph-cloud-chat-api",
    "status": "ACTIVE",
    "desiredCount": 1,
    "runningCount": 1,
    "taskDefinition": "arn:aws:ecs:us-west-2:1:task-definition/langgraph-cloud-chat-api:7",
    "deploymentConfiguration": {
        "deploymentCircuitBreaker": {"enable": True, "rollback": True},
        "minimumHealthyPercent": 100,
        "maximumPercent": 200,
    },
    "networkConfiguration": {"awsvpcConfiguration": {"securityGroups": ["sg-1"], "assignPublicIp": "DISABLED"}},
    "tags": [{"key": "team", "value": "x"}],
    "enableExecuteCommand": False,
}


def answers(**changes: Any) -> dict[str, Any]:
    """Of a deployment of which AWS knows nothing, but for ``changes`` (with two underscores for the colon)."""
    known = {
        "ecs:DescribeServices": {
            "services": [],
            "failures": [{"arn": f"a/langgraph-cloud-chat-{role}", "reason": "MISSING"} for role in ("api", "cache")],
        },
        "ecs:DescribeTaskDefinition": AbsentError("x"),
        "ecs:ListTasks": {"taskArns": []},
        "rds:DescribeDBInstances": AbsentError("DBInstanceNotFound: x"),
        "cloudwatch:DescribeAlarms": {"MetricAlarms": []},
        "cloudwatch:GetMetricData": {"MetricDataResults": [{"Values": []}]},
        "elasticloadbalancing:DescribeLoadBalancers": AbsentError("LoadBalancerNotFound: x"),
        "application-autoscaling:DescribeScalableTargets": {"ScalableTargets": []},
        "application-autoscaling:DescribeScalingPolicies": {"ScalingPolicies": []},
        "ec2:DescribeSecurityGroups": {"SecurityGroups": []},
    }
    return {**known, **{action.replace("__", ":").replace("_", "-"): answer for action, answer in changes.items()}}


def facts_of(account: FakeAccount) -> Any:
    """The facts of a production deployment."""
    return read(target(account, type="production"), CONFIG, AT)


def test_a_deployment_of_which_there_is_nothing_is_absent_and_not_unknown() -> None:
    facts = facts_of(FakeAccount(answers()))
    assert facts.services == {"api": Absent(), "cache": Absent()}
    assert facts.tasks == {"api": Absent(), "cache": Absent()}
    assert (facts.database, facts.alarms, facts.groups) == (Absent(), (), {})
    assert facts.scaling == {"api": Absent()}
    assert facts.stopped == {"api": (), "cache": ()}


def test_an_account_that_is_too_busy_is_unknown_in_every_part() -> None:
    facts = facts_of(FakeAccount(dict.fromkeys(answers(), BUSY)))
    why = Unknown(why="x:Y: AWS is too busy for this account: ThrottlingException")
    assert facts.services == facts.tasks == {"api": why, "cache": why}
    assert (facts.database, facts.alarms, facts.scaling, facts.groups) == (why, why, {"api": why}, {})
    assert facts.stopped == {"api": why, "cache": why}


@pytest.mark.parametrize("lacking", ["networkConfiguration", "serviceName"])
def test_half_an_answer_about_services_is_unknown(lacking: str) -> None:
    half = {key: value for key, value in SERVICE.items() if key != lacking}
    facts = facts_of(FakeAccount(answers(ecs__DescribeServices={"services": [half]})))
    assert isinstance(facts.services["api"], Unknown)
    assert f"ecs:DescribeServices: half an answer (KeyError: '{lacking}')" == facts.services["api"].why


def test_half_an_answer_about_scaling_is_unknown() -> None:
    half = {"ScalableTargets": [{"MinCapacity": 1}]}
    facts = facts_of(FakeAccount(answers(application_autoscaling__DescribeScalableTargets=half)))
    assert facts.scaling == {
        "api": Unknown(why="application-autoscaling:DescribeScalingPolicies: half an answer (KeyError: 'MaxCapacity')")
    }


def test_a_service_is_read() -> None:
    assert service_settings(SERVICE) == ServiceSettings(
        tags={"team": "x"},
        groups=("sg-1",),
        public_ip=False,
        breaker=True,
        shell=False,
        minimum_percent=100,
        maximum_percent=200,
    )


def test_scaling_is_read_with_what_is_switched_off() -> None:
    limits = {
        "MinCapacity": 1,
        "MaxCapacity": 10,
        "SuspendedState": {"DynamicScalingOutSuspended": True, "DynamicScalingInSuspended": False},
    }
    account = FakeAccount(
        answers(
            application_autoscaling__DescribeScalableTargets={"ScalableTargets": [limits]},
            application_autoscaling__DescribeScalingPolicies={"ScalingPolicies": [{"PolicyName": "p"}]},
        )
    )
    assert facts_of(account).scaling == {
        "api": ScalingSettings(minimum=1, maximum=10, suspended=("DynamicScalingOutSuspended",), policies=("p",))
    }


def test_groups_are_those_that_the_parts_name() -> None:
    group = {
        "GroupId": "sg-1",
        "GroupName": "g",
        "IpPermissions": [
            {"IpProtocol": "tcp", "FromPort": 8000, "ToPort": 8000, "UserIdGroupPairs": [{"GroupId": "sg-lb"}]},
            {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "10.0.0.0/8"}], "Ipv6Ranges": [{"CidrIpv6": "::/0"}]},
        ],
    }
    account = FakeAccount(
        answers(ecs__DescribeServices={"services": [SERVICE]}, ec2__DescribeSecurityGroups={"SecurityGroups": [group]})
    )
    facts = facts_of(account)
    assert ("ec2:DescribeSecurityGroups", {"GroupIds": ["sg-1"]}) in account.asked
    assert facts.groups["sg-1"].openings == (
        Opening("tcp", 8000, 8000, "sg-lb"),
        Opening("-1", 0, 65535, "10.0.0.0/8"),
        Opening("-1", 0, 65535, "::/0"),
    )


def test_free_storage_is_the_newest_figure_in_gib() -> None:
    item = {
        "DBInstanceClass": "db.m7g.large",
        "EngineVersion": "16.4",
        "AllocatedStorage": 50,
        "PendingModifiedValues": {"DBInstanceClass": "db.m7g.xlarge", "Port": None},
    }
    account = FakeAccount(
        answers(
            rds__DescribeDBInstances={"DBInstances": [item]},
            cloudwatch__GetMetricData={"MetricDataResults": [{"Values": [3 * 1024**3, 9 * 1024**3]}]},
        )
    )
    assert facts_of(account).database == database_settings(item, 3.0)
    assert database_settings(item, None).pending == {"DBInstanceClass": "db.m7g.xlarge"}


@pytest.mark.parametrize(
    ("result", "free"),
    [
        ({"Values": [], "StatusCode": "Complete"}, None),
        ({"Values": [2 * 1024**3], "StatusCode": "PartialData"}, 2.0),
        ({"Values": [], "StatusCode": "InternalError"}, "half an answer (ValueError: InternalError)"),
    ],
)
def test_a_figure_that_cloudwatch_could_not_read_is_not_taken_for_none(result: Any, free: object) -> None:
    item = {"DBInstanceClass": "c", "EngineVersion": "16.4", "AllocatedStorage": 20}
    account = FakeAccount(
        answers(
            rds__DescribeDBInstances={"DBInstances": [item]},
            cloudwatch__GetMetricData={"MetricDataResults": [result]},
        )
    )
    found = facts_of(account).database.free_gib
    assert found == (Unknown(why=f"cloudwatch:GetMetricData: {free}") if isinstance(free, str) else free)


def test_a_task_without_what_ecs_leaves_out_is_read() -> None:
    task = stopped_task({"taskArn": "arn:aws:ecs:r:1:task/c/9f8e", "taskDefinitionArn": "arn:x/family:3"})
    assert (task.id, task.revision, task.reason, task.stop_code, task.containers, task.at) == (
        "9f8e", 3, "", "", (), None,
    )  # fmt: skip


def test_a_fixed_number_of_containers_does_not_scale() -> None:
    assert scaling_policies(target(FakeAccount({}))) == {}
