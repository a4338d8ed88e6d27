"""What becomes of AWS's answers, whole and half, and of none."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from byoc.errors import ByocError
from byoc.operations.answers import AbsentError, AskingError, CredentialsError, DeniedError, NoAnswerError
from byoc.operations.status.facts import ALARM_ABSENT, Absent, DatabaseFacts, IngressFacts, ServiceFacts, Unknown
from byoc.operations.status.read import read_facts
from byoc.operations.status.states import verdict
from tests.operations.fake_account import FakeAccount, target

AT = datetime(2026, 5, 1, 8, 0, tzinfo=UTC)
BALANCER = {"LoadBalancerArn": "arn:balancer", "State": {"Code": "active"}, "DNSName": "chat.elb.example"}


def a_service(role: str, **changes: Any) -> dict[str, Any]:
    family = f"langgraph-cloud-chat-{role}"
    return {
        "serviceName": family,
        "status": "ACTIVE",
        "desiredCount": 1,
        "runningCount": 1,
        "pendingCount": 0,
        "taskDefinition": f"arn:aws:ecs:us-west-2:123456789012:task-definition/{family}:3",
        "deployments": [
            {
                "id": "ecs-svc/3",
                "status": "PRIMARY",
                "rolloutState": "COMPLETED",
                "taskDefinition": f"arn:aws:ecs:us-west-2:123456789012:task-definition/{family}:3",
                "updatedAt": AT,
            }
        ],
        "events": [{"createdAt": AT, "message": f"(service {family}) has reached a steady state."}],
        **changes,
    }


def well() -> dict[str, Any]:
    """The answers of a deployment that is well."""
    return {
        "ecs:DescribeServices": {"services": [a_service("api"), a_service("cache")], "failures": []},
        "ecs:DescribeTaskDefinition": {"taskDefinition": {"containerDefinitions": [{"image": "registry/chat:3"}]}},
        "rds:DescribeDBInstances": {
            "DBInstances": [{"DBInstanceIdentifier": "langgraph-cloud-chat", "DBInstanceStatus": "available"}]
        },
        "elasticloadbalancing:DescribeLoadBalancers": {"LoadBalancers": [BALANCER]},
        "elasticloadbalancing:DescribeTargetGroups": {"TargetGroups": [{"TargetGroupArn": "arn:group"}]},
        "elasticloadbalancing:DescribeTargetHealth": {
            "TargetHealthDescriptions": [{"TargetHealth": {"State": "healthy"}}]
        },
        "cloudwatch:DescribeAlarms": lambda asked: {
            "MetricAlarms": [{"AlarmName": name, "StateValue": "OK"} for name in asked["AlarmNames"]]
        },
    }


def test_a_deployment_that_is_well_is_read_with_seven_questions() -> None:
    account = FakeAccount(well())
    facts = read_facts(target(account))
    api, database, ingress = facts.services["api"], facts.database, facts.ingress
    assert isinstance(api, ServiceFacts)
    assert (api.task_definition, api.rollout_id, api.changed_at) == ("langgraph-cloud-chat-api:3", "ecs-svc/3", AT)
    assert isinstance(database, DatabaseFacts)
    assert isinstance(ingress, IngressFacts)
    assert (ingress.url, ingress.healthy) == ("http://chat.elb.example", 1)
    assert facts.image == "registry/chat:3"
    assert verdict(facts).findings == ()
    assert len(account.asked) == 7
    assert account.asked[0] == (
        "ecs:DescribeServices",
        {
            "cluster": "langgraph-cloud-cluster",
            "services": ["langgraph-cloud-chat-api", "langgraph-cloud-chat-cache"],
        },
    )


@pytest.mark.parametrize(
    ("answer", "noticed"),
    [
        ({"Tags": [{"Key": "byoc-retention", "Value": "watched=2026-05-01 noticed=2026-05-09"}]}, date(2026, 5, 9)),
        ({"Tags": [{"Key": "byoc-retention", "Value": "watched=2026-05-01"}]}, None),
        ({"Tags": [{"Key": "byoc-retention", "Value": "what somebody wrote"}]}, None),
        ({"Tags": [{"Key": "team", "Value": "agents"}]}, None),
        ({}, None),
        (AbsentError("ResourceNotFoundException: no such secret"), None),
        (
            DeniedError("secretsmanager:DescribeSecret", ""),
            Unknown(why="secretsmanager:DescribeSecret: denied"),
        ),
    ],
)
def test_a_notice_of_retention_is_read_from_the_secret_s_tags(answer: object, noticed: object) -> None:
    asked = FakeAccount({**well(), "secretsmanager:DescribeSecret": answer})
    assert read_facts(replace(target(asked), has_retention=True)).noticed == noticed
    assert asked.asked[-1] == ("secretsmanager:DescribeSecret", {"SecretId": "langgraph-cloud/chat/environment"})


def test_the_url_has_the_mount_prefix_and_https_where_there_is_a_certificate() -> None:
    ingress = {"certificateArn": "arn:aws:acm:us-west-2:123456789012:certificate/1"}
    facts = read_facts(target(FakeAccount(well()), ingress=ingress, mountPrefix="/chat"))
    assert isinstance(facts.ingress, IngressFacts)
    assert facts.ingress.url == "https://chat.elb.example/chat"


REFUSED = "User: u is not authorized to perform: x:Y with an explicit deny in a service control policy"


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (DeniedError("x:Y", REFUSED), "denied by an explicit deny in a service control policy of the organization"),
        (NoAnswerError("x:Y", "AWS is too busy: Throttling", "later"), "AWS is too busy: Throttling"),
        (CredentialsError("x:Y", "AWS does not take them: ExpiredToken", "sign in"), "ExpiredToken"),
        (ByocError("x:Y: InvalidParameterException: no such thing"), "InvalidParameterException: no such thing"),
    ],
)
@pytest.mark.parametrize("action", sorted(well()))
def test_what_one_question_did_not_answer_is_unknown_and_the_rest_is_known(
    action: str, error: AskingError, why: str
) -> None:
    found = verdict(facts := read_facts(target(FakeAccount({**well(), action: error}))))
    assert found.health.value == "unknown"
    assert [finding for finding in found.findings if finding.endswith(why)] == list(found.findings)
    assert len(found.findings) == 1
    parts = [*facts.services.values(), facts.database, facts.ingress, facts.alarms, facts.image]
    assert sum(isinstance(part, Unknown) for part in parts) <= 3  # two services and the image hang on one question


@pytest.mark.parametrize(
    ("action", "answer", "lacks"),
    [
        ("ecs:DescribeServices", {}, "KeyError: 'services'"),
        ("ecs:DescribeServices", {"services": [{"serviceName": "langgraph-cloud-chat-api"}]}, "KeyError: 'status'"),
        (
            "ecs:DescribeServices",
            {"services": [{k: v for k, v in a_service("api").items() if k != "runningCount"}]},
            "KeyError: 'runningCount'",
        ),
        ("ecs:DescribeTaskDefinition", {"taskDefinition": {"containerDefinitions": []}}, "IndexError"),
        ("rds:DescribeDBInstances", {"DBInstances": []}, "IndexError"),
        ("rds:DescribeDBInstances", {"DBInstances": [{"DBInstanceIdentifier": "x"}]}, "KeyError: 'DBInstanceStatus'"),
        ("elasticloadbalancing:DescribeLoadBalancers", {"LoadBalancers": [{**BALANCER, "State": None}]}, "TypeError"),
        ("elasticloadbalancing:DescribeTargetHealth", {"TargetHealthDescriptions": [{}]}, "KeyError: 'TargetHealth'"),
        ("cloudwatch:DescribeAlarms", {"MetricAlarms": [{"StateValue": "OK"}]}, "KeyError: 'AlarmName'"),
    ],
)
def test_half_an_answer_is_unknown_and_names_what_is_missing(action: str, answer: object, lacks: str) -> None:
    found = verdict(read_facts(target(FakeAccount({**well(), action: answer}))))
    assert found.health.value == "unknown"
    (finding,) = found.findings
    assert f"{action}: half an answer ({lacks}" in finding


def test_what_can_be_missing_without_harm_is_not_missed() -> None:
    bare = {
        key: value for key, value in a_service("api").items() if key not in ("events", "pendingCount", "deployments")
    }
    answers = {**well(), "ecs:DescribeServices": {"services": [bare, a_service("cache")]}}
    facts = read_facts(target(FakeAccount(answers)))
    api = facts.services["api"]
    assert isinstance(api, ServiceFacts)
    assert (api.rollout, api.notes, api.task_definition) == ("", (), "langgraph-cloud-chat-api:3")
    assert verdict(facts).health.value == "healthy"


def test_parts_that_are_not_there_are_absent_and_not_unknown() -> None:
    gone = AbsentError("gone")
    answers: dict[str, Any] = dict.fromkeys(well(), gone) | {"cloudwatch:DescribeAlarms": {"MetricAlarms": []}}
    facts = read_facts(target(FakeAccount(answers)))
    assert facts.services == {"api": Absent(), "cache": Absent()}
    assert (facts.database, facts.ingress) == (Absent(), Absent())
    assert not isinstance(facts.alarms, Unknown)
    assert {alarm.state for alarm in facts.alarms} == {ALARM_ABSENT}
    assert verdict(facts).state.value == "ABSENT"


def test_a_service_that_was_deleted_is_absent_although_ecs_still_tells_of_it() -> None:
    answers = {
        **well(),
        "ecs:DescribeServices": {"services": [a_service("api", status="INACTIVE"), a_service("cache")]},
    }
    assert read_facts(target(FakeAccount(answers))).services["api"] == Absent()


def test_a_service_that_ecs_could_not_look_at_is_unknown_and_a_missing_one_absent() -> None:
    failures = [
        {"arn": "arn:aws:ecs:us-west-2:123456789012:service/c/langgraph-cloud-chat-api", "reason": "INTERNAL"},
        {"arn": "arn:aws:ecs:us-west-2:123456789012:service/c/langgraph-cloud-chat-cache", "reason": "MISSING"},
    ]
    answers = {**well(), "ecs:DescribeServices": {"services": [], "failures": failures}}
    services = read_facts(target(FakeAccount(answers))).services
    assert services == {"api": Unknown(why="ecs:DescribeServices: INTERNAL"), "cache": Absent()}


def test_a_service_of_which_ecs_says_nothing_at_all_is_unknown_and_not_absent() -> None:
    answers = {**well(), "ecs:DescribeServices": {"services": [a_service("cache")], "failures": []}}
    facts = read_facts(target(FakeAccount(answers)))
    why = "ecs:DescribeServices: half an answer: it tells nothing of langgraph-cloud-chat-api"
    assert facts.services["api"] == Unknown(why=why)
    assert verdict(facts).state.value == "UNKNOWN"


@pytest.mark.parametrize(
    ("action", "key"),
    [("elasticloadbalancing:DescribeTargetGroups", "TargetGroups"), ("cloudwatch:DescribeAlarms", "MetricAlarms")],
)
def test_a_list_that_an_answer_lacks_is_not_an_empty_one(action: str, key: str) -> None:
    found = verdict(read_facts(target(FakeAccount({**well(), action: {}}))))
    assert (found.health.value, len(found.findings)) == ("unknown", 1)
    assert found.findings[0].endswith(f"{action}: half an answer: it lacks {key}")


def test_events_come_newest_first_whatever_their_order() -> None:
    events = [{"createdAt": AT.replace(hour=hour), "message": str(hour)} for hour in (3, 9, 5)] + [{"createdAt": AT}]
    answers = {**well(), "ecs:DescribeServices": {"services": [a_service("api", events=events)]}}
    api = read_facts(target(FakeAccount(answers))).services["api"]
    assert isinstance(api, ServiceFacts)
    assert [note.text for note in api.notes] == ["9", "5", "3"]
