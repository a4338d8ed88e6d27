"""Names that a stack wants: free, its own, taken, or held by a secret that waits for its end."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from byoc.operations.answers import AbsentError, DeniedError
from byoc.operations.doctor import names
from byoc.operations.doctor.asking import Absent, NoAnswer
from byoc.operations.doctor.checks import Area, Check, Verdict, failed, passed, unknown
from byoc.operations.doctor.name_readers import Held, Holder, Named, read_names
from byoc.operations.doctor.names import judge_names
from byoc.sandbox.aws_profiles import ACCOUNT as OWNER
from tests.operations.test_doctor_life import Doctor
from tests.operations.test_doctor_zones import subject_of_example
from tests.sandbox.sandbox_world import ACCOUNT, CHAT, World

DENIED = NoAnswer(why="x:Ask: denied by the permissions boundary", remedy="allow x:Ask to who asks, then repeat")
OWN = {"byoc-install": "langgraph-cloud", "byoc-deployment": "chat"}
SECRET = Named(kind="secret", name="langgraph-cloud/chat/cache")
SERVICE = Named(kind="ECS service", name="langgraph-cloud-chat-api")
MINE, STRANGE = Holder(tags={**OWN, "owner": "x"}), Holder(tags={"byoc-install": "other"})


def _names(**held: Held) -> tuple[Check, ...]:
    return judge_names({SECRET: held["secret"], SERVICE: held["service"]}, OWN)


def test_free_names_and_own_names_pass() -> None:
    assert _names(secret=Absent(), service=Absent()) == (passed(Area.NAMES, "names", "all 2 are free"),)
    assert _names(secret=MINE, service=MINE) == (passed(Area.NAMES, "names", "all 2 are this stack's own"),)


def test_a_name_that_somebody_else_has_fails() -> None:
    taken, rest = _names(secret=Absent(), service=STRANGE)
    assert taken == failed(
        Area.NAMES,
        "ECS service langgraph-cloud-chat-api",
        "is taken: what has it does not carry byoc-install=langgraph-cloud, byoc-deployment=chat",
        "adopt it (byoc adopt), remove it, or choose another name (byoc:namePrefix, byoc:name)",
    )
    assert rest.evidence == "all 1 are free"


def test_a_secret_that_waits_for_its_end_fails_with_the_day() -> None:
    waiting = Holder(tags=OWN, deleted_at=datetime(2026, 2, 20, 23, tzinfo=UTC))
    check, _ = _names(secret=waiting, service=Absent())
    assert check == failed(
        Area.NAMES,
        "secret langgraph-cloud/chat/cache",
        "is marked for deletion (DeletedDate 2026-02-20), and keeps its name until its recovery window is over",
        "aws secretsmanager delete-secret --force-delete-without-recovery --secret-id langgraph-cloud/chat/cache (its "
        "values are gone then), or restore-secret and adopt it",
    )


def test_some_of_the_stacks_own_things_are_an_unknown_and_not_a_guess() -> None:
    (check,) = _names(secret=MINE, service=Absent())
    assert (check.name, check.verdict, check.evidence) == (
        "earlier install",
        Verdict.UNKNOWN,
        "1 of 2 named things are there, with this stack's tags: secret langgraph-cloud/chat/cache",
    )


def test_names_that_cannot_be_asked_about_are_unknown() -> None:
    silent, unclear = _names(secret=DENIED, service=Holder(tags=DENIED))
    assert silent == unknown(Area.NAMES, "secret langgraph-cloud/chat/cache", DENIED.why, DENIED.remedy)
    assert unclear.evidence == f"is there; whose it is, is not known: {DENIED.why}"


# Asking


@pytest.mark.slow
def test_security_groups_of_an_adopted_vpc_are_names_too() -> None:
    mine = [{"Key": "byoc-install", "Value": "team-eu"}]

    def groups(asked: dict[str, Any]) -> dict[str, Any]:
        assert asked["Filters"][1] == {"Name": "vpc-id", "Values": ["vpc-0a1b2c3d4e5f60718"]}
        (name,) = asked["Filters"][0]["Values"]
        found = {"team-eu-lb-sg": [{"GroupId": "sg-1", "Tags": mine}], "team-eu-data-sg": [{"GroupId": "sg-2"}]}
        return {"SecurityGroups": found.get(name, [])}

    subject = subject_of_example("adopted-vpc", {"ec2:DescribeSecurityGroups": groups})
    wanted = [item for item in names._wanted(subject) if item.kind == "security group"]
    assert [item.name for item in wanted] == ["team-eu-data-sg", "team-eu-lb-sg", "team-eu-service-sg"]
    held = read_names(subject, wanted)
    checks = {check.name: check.verdict.value for check in judge_names(held, {"byoc-install": "team-eu"})}
    assert checks == {"security group team-eu-data-sg": "fail", "earlier install": "unknown"}
    created = subject_of_example(
        "demo-account", {"ec2:DescribeAvailabilityZones": {"AvailabilityZones": [{"ZoneName": "us-west-2a"}]}}
    )
    assert Named(kind="security group", name="langgraph-cloud-lb-sg") not in names._wanted(created)


ALARM, OTHER_ALARM = (Named(kind="alarm", name=f"langgraph-cloud-chat-{what}") for what in ("5xx", "task-crashes"))
CACHE = Named(kind="Cloud Map service", name="chat")
NAMESPACES = {"Namespaces": [{"Id": "ns-1", "Name": "langgraph-cloud-redis"}]}


def alarm(item: Named) -> dict[str, str]:
    return {"AlarmName": item.name, "AlarmArn": f"arn:{item.name}"}


def held(answers: dict[str, Any], *items: Named) -> dict[Named, Held]:
    return read_names(subject_of_example(CHAT, answers), items)


@pytest.mark.parametrize("kind", ["MetricAlarms", "CompositeAlarms"])
def test_an_alarm_of_either_kind_has_its_name(kind: str) -> None:
    def described(asked: dict[str, Any]) -> dict[str, Any]:
        assert asked == {"AlarmNames": [ALARM.name, OTHER_ALARM.name], "AlarmTypes": ["MetricAlarm", "CompositeAlarm"]}
        return {"MetricAlarms": [], "CompositeAlarms": [], kind: [alarm(ALARM)]}

    tags = {"Tags": [{"Key": "byoc-install", "Value": "other"}]}
    answers = {"cloudwatch:DescribeAlarms": described, "cloudwatch:ListTagsForResource": tags}
    assert held(answers, ALARM, OTHER_ALARM) == {ALARM: Holder(tags={"byoc-install": "other"}), OTHER_ALARM: Absent()}


def test_more_alarms_than_one_call_takes_are_asked_for_in_several() -> None:
    asked: list[int] = []

    def described(arguments: dict[str, Any]) -> dict[str, Any]:
        asked.append(len(arguments["AlarmNames"]))
        return {"MetricAlarms": []}

    many = [Named(kind="alarm", name=f"a{number}") for number in range(230)]
    assert set(held({"cloudwatch:DescribeAlarms": described}, *many).values()) == {Absent()}
    assert asked == [100, 100, 30]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ({}, "cloudwatch:DescribeAlarms: half an answer: it lacks MetricAlarms"),
        ({"MetricAlarms": [{}]}, "AWS's answer has no 'AlarmArn'"),
        (DeniedError("cloudwatch:DescribeAlarms", ""), "cloudwatch:DescribeAlarms: denied"),
    ],
)
def test_alarms_of_which_aws_says_nothing_are_not_free(answer: Any, why: str) -> None:
    for found in held({"cloudwatch:DescribeAlarms": answer}, ALARM, OTHER_ALARM).values():
        assert isinstance(found, NoAnswer)
        assert found.why.startswith(why)


def test_a_name_in_cloud_map_is_one_of_its_namespace_alone() -> None:
    def services(asked: dict[str, Any]) -> dict[str, Any]:
        assert asked["Filters"] == [{"Name": "NAMESPACE_ID", "Values": ["ns-1"], "Condition": "EQ"}]
        return {"Services": [{"Name": "chat", "Arn": "arn:chat"}]}

    answers = {
        "servicediscovery:ListNamespaces": NAMESPACES,
        "servicediscovery:ListServices": services,
        "servicediscovery:ListTagsForResource": {"Tags": [{"Key": "byoc-install", "Value": "langgraph-cloud"}]},
    }
    assert held(answers, CACHE) == {CACHE: Holder(tags={"byoc-install": "langgraph-cloud"})}
    silent = {
        **answers,
        "servicediscovery:ListTagsForResource": DeniedError("servicediscovery:ListTagsForResource", ""),
    }
    (found,) = held(silent, CACHE).values()
    assert isinstance(found, Holder)
    assert isinstance(found.tags, NoAnswer)


@pytest.mark.parametrize("answer", [{"Namespaces": []}, AbsentError("none")])
def test_where_there_is_no_namespace_its_names_are_free(answer: Any) -> None:
    assert held({"servicediscovery:ListNamespaces": answer}, CACHE) == {CACHE: Absent()}


# On the embedded AWS


@pytest.fixture
def doctor(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Doctor:
    return Doctor(capsys, tmp_path / "profiles")


@pytest.mark.slow
def test_an_alarm_a_rule_and_a_cache_s_name_of_somebody_else_would_be_written_over_and_are_found(
    world: World, doctor: Doctor
) -> None:
    world.configure(ACCOUNT, {"vendorActivity": {}})
    world.aws("events").put_rule(Name="langgraph-cloud-vendor-denied", EventPattern='{"source": ["x"]}')
    code, checks = doctor.checks(world, ACCOUNT, "--profile", OWNER)
    taken = "is taken: what has it does not carry byoc-install=langgraph-cloud"
    assert code == 1
    assert checks["names: event rule langgraph-cloud-vendor-denied"] == ("fail", taken)
    world.up(ACCOUNT).done()
    alarm = "langgraph-cloud-chat-unhealthy-hosts"
    world.aws("cloudwatch").put_metric_alarm(
        AlarmName=alarm,
        ComparisonOperator="LessThanThreshold",
        EvaluationPeriods=1,
        Threshold=1,
        MetricName="m",
        Namespace="n",
        Period=60,
        Statistic="Sum",
    )
    cloud_map = world.aws("servicediscovery")
    (namespace,) = cloud_map.list_namespaces()["Namespaces"]
    cloud_map.create_service(
        Name="chat", NamespaceId=namespace["Id"], DnsConfig={"DnsRecords": [{"Type": "A", "TTL": 60}]}
    )
    code, checks = doctor.checks(world, CHAT, "--profile", OWNER, "--own-credentials")
    assert code == 1
    taken += ", byoc-deployment=chat"
    assert checks[f"names: alarm {alarm}"] == ("fail", taken)
    assert checks["names: Cloud Map service chat"] == ("fail", taken)
