"""What happened, from four services, merged in time; what one of them does not answer hides nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from byoc.operations.answers import AbsentError, DeniedError, NoAnswerError
from byoc.operations.events.read import DATABASE_DAYS, read_story
from tests.operations.fake_account import FakeAccount, target

AT = datetime(2026, 5, 1, 8, 0, tzinfo=UTC)
DAY = AT - timedelta(days=1)
SCALING = {"type": "production", "size": {"minContainers": 1, "maxContainers": 3}}
TASK = "arn:aws:ecs:us-west-2:123456789012:task/langgraph-cloud-cluster/cf2951f7a1b2c3d4e5f60718293a4b5c"
SERVICES = "arn:aws:ecs:us-west-2:123456789012:service/langgraph-cloud-cluster/"


def minutes(count: int) -> datetime:
    return AT + timedelta(minutes=count)


def stopped(**changes: Any) -> dict[str, Any]:
    return {
        "taskArn": TASK,
        "taskDefinitionArn": "arn:aws:ecs:us-west-2:123456789012:task-definition/langgraph-cloud-chat-api:7",
        "stoppedAt": minutes(2),
        "stoppedReason": "Essential container in task exited",
        "containers": [{"name": "server", "exitCode": 1}],
        **changes,
    }


def answers() -> dict[str, Any]:
    return {
        "ecs:DescribeServices": {
            "services": [
                {
                    "serviceName": "langgraph-cloud-chat-api",
                    "events": [
                        {"createdAt": minutes(5), "message": "(service x) has reached a steady state."},
                        {"createdAt": minutes(1), "message": "(service x) has begun draining connections on 1 tasks."},
                        {"createdAt": DAY - timedelta(minutes=1), "message": "(service x) is old."},
                    ],
                }
            ],
            "failures": [{"arn": f"{SERVICES}langgraph-cloud-chat-cache", "reason": "MISSING"}],
        },
        "ecs:ListTasks": lambda asked: {"taskArns": [TASK] if asked["family"].endswith("-api") else []},
        "ecs:DescribeTasks": {"tasks": [stopped()]},
        "rds:DescribeEvents": {"Events": [{"Date": minutes(3), "Message": "DB instance restarted"}]},
        "cloudwatch:DescribeAlarmHistory": lambda asked: {
            "AlarmHistoryItems": [
                {
                    "AlarmName": asked["AlarmName"],
                    "Timestamp": minutes(4),
                    "HistorySummary": "Alarm updated from ALARM to OK",
                }
            ]
            if asked["AlarmName"].endswith("-errors")
            else []
        },
        "application-autoscaling:DescribeScalingActivities": {
            "ScalingActivities": [
                {"StartTime": minutes(0), "Description": "Setting desired count to 2.", "StatusCode": "Successful"}
            ]
        },
    }


def test_what_happened_is_merged_in_time_and_what_is_older_is_left_out() -> None:
    story = read_story(target(FakeAccount(answers()), **SCALING), DAY)
    assert [(event.at, event.source, event.part, event.text) for event in story.events] == [
        (minutes(0), "scaling", "api", "2 containers wanted"),
        (minutes(1), "ecs", "api", "no new requests to 1 container, which end soon"),
        (minutes(2), "ecs", "api", "container cf2951f7 of revision 7 stopped: its process ended; server: exit code 1"),
        (minutes(3), "rds", "database", "the database was restarted"),
        (minutes(4), "cloudwatch", "alarm", "alarm errors is off"),
        (minutes(5), "ecs", "api", "as many containers run as are wanted"),
    ]
    assert story.unknown == ()


def test_only_what_a_deployment_has_is_asked_about() -> None:
    account = FakeAccount(answers())
    read_story(target(account), DAY)
    asked = {action for action, _ in account.asked}
    assert "application-autoscaling:DescribeScalingActivities" not in asked  # one container at most
    assert {arguments["AlarmName"] for action, arguments in account.asked if action.endswith("AlarmHistory")} == {
        f"langgraph-cloud-chat-{subject}"
        for subject in (
            "errors",
            "unhealthy-hosts",
            "api-not-running",
            "api-tasks-missing",
            "cache-not-running",
            "cache-tasks-missing",
            "database-connections",
            "database-cpu",
            "database-storage",
        )
    }


@pytest.mark.parametrize(
    ("back", "duration"),
    [
        (timedelta(minutes=30), 31),
        (timedelta(days=1), 24 * 60 + 1),
        (timedelta(days=400), DATABASE_DAYS * 24 * 60),
        (-timedelta(hours=1), 1),
    ],
)
def test_the_database_is_asked_by_how_long_ago_and_no_longer_than_it_remembers(back: timedelta, duration: int) -> None:
    account = FakeAccount(answers())
    read_story(target(account), datetime.now(UTC) - back)
    (asked,) = [asked for action, asked in account.asked if action == "rds:DescribeEvents"]
    # Without a duration Amazon RDS tells of an hour.
    assert asked == {
        "SourceIdentifier": "langgraph-cloud-chat",
        "SourceType": "db-instance",
        "Duration": pytest.approx(duration, abs=1),
    }
    assert asked["Duration"] <= 20160


@pytest.mark.parametrize(
    ("failures", "why"),
    [
        ([{"arn": f"{SERVICES}langgraph-cloud-chat-cache", "reason": "INTERNAL"}], "INTERNAL"),
        ([], "half an answer: it tells nothing of langgraph-cloud-chat-cache"),
    ],
)
def test_a_service_that_ecs_could_not_look_at_is_named_and_the_others_are_heard(failures: Any, why: str) -> None:
    answer = {**answers()["ecs:DescribeServices"], "failures": failures}
    story = read_story(target(FakeAccount({**answers(), "ecs:DescribeServices": answer})), DAY)
    assert story.unknown == (f"not known: events of the services: ecs:DescribeServices: {why}",)
    assert "as many containers run as are wanted" in [event.text for event in story.events]


def test_a_task_that_ecs_could_not_look_at_is_unknown_and_one_that_it_forgot_meanwhile_is_not() -> None:
    def of(reason: str) -> tuple[str, ...]:
        tasks = {"tasks": [], "failures": [{"arn": TASK, "reason": reason}]}
        return read_story(target(FakeAccount({**answers(), "ecs:DescribeTasks": tasks})), DAY).unknown

    assert of("MISSING") == ()
    assert of("INTERNAL") == ("not known: stopped containers of api: ecs:DescribeTasks: ECS says INTERNAL",)


@pytest.mark.parametrize(
    ("action", "name"),
    [
        ("ecs:DescribeServices", "events of the services"),
        ("ecs:DescribeTasks", "stopped containers of api"),
        ("rds:DescribeEvents", "events of the database"),
        ("cloudwatch:DescribeAlarmHistory", "history of the alarms"),
        ("application-autoscaling:DescribeScalingActivities", "scaling of api"),
    ],
)
@pytest.mark.parametrize(
    ("error", "why"),
    [
        (DeniedError("a:B", ""), "a:B: denied"),
        (NoAnswerError("a:B", "AWS is too busy: Throttling", "later"), "a:B: AWS is too busy: Throttling"),
    ],
)
def test_who_does_not_answer_is_named_and_the_others_are_heard(
    action: str, name: str, error: Exception, why: str
) -> None:
    story = read_story(target(FakeAccount({**answers(), action: error}), **SCALING), DAY)
    assert story.unknown == (f"not known: {name}: {why}",)
    assert len(story.events) in (4, 5)


@pytest.mark.parametrize(
    ("action", "answer"),
    [
        ("ecs:DescribeServices", {"services": [{"events": [{"createdAt": AT, "message": "x"}]}]}),
        ("ecs:DescribeTasks", {"tasks": [{"stoppedAt": AT}]}),
        ("rds:DescribeEvents", {"Events": [{"Message": "no date"}]}),
        ("cloudwatch:DescribeAlarmHistory", {"AlarmHistoryItems": [{"AlarmName": "of somebody else"}]}),
        ("application-autoscaling:DescribeScalingActivities", {"ScalingActivities": [{"Description": "no time"}]}),
    ],
)
def test_half_an_answer_is_named_as_such(action: str, answer: object) -> None:
    story = read_story(target(FakeAccount({**answers(), action: answer}), **SCALING), DAY)
    (unknown,) = story.unknown
    assert f"{action}: half an answer (KeyError" in unknown


def test_a_container_that_is_still_stopping_counts_from_when_it_began_to() -> None:
    tasks = {"tasks": [stopped(stoppedAt=None, stoppingAt=minutes(1)), {"taskArn": "still running"}]}
    story = read_story(target(FakeAccount({**answers(), "ecs:DescribeTasks": tasks})), DAY)
    assert [event.at for event in story.events if "stopped" in event.text] == [minutes(1)]


def test_of_a_deployment_that_is_not_there_nothing_is_told_and_nothing_is_unknown() -> None:
    story = read_story(target(FakeAccount(dict.fromkeys(answers(), AbsentError("gone")))), DAY)
    assert (story.events, story.unknown) == ((), ())
