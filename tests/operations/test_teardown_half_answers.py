"""What goes while AWS is asked about it, and what of an answer is missing: nothing is taken for gone by that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from byoc.operations.answers import AbsentError
from byoc.operations.teardown import look_containers, look_data, look_serving
from byoc.operations.teardown.found import NotAsked
from byoc.operations.teardown.look import gathered
from byoc.operations.teardown.read import describe_key, read_facts
from tests.operations.fake_account import FakeAccount
from tests.operations.teardown_answers import EMPTY, EVERYTHING, OURS, ids, subject


def gone_if(key: str, gone: str, answer: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[dict[str, Any]], Any]:
    """Refuses what names a thing that went since it was listed."""
    return lambda asked: AbsentError("it went") if gone in asked[key] else answer(asked)


def test_a_load_balancer_of_others_that_goes_meanwhile_hides_none_of_ours() -> None:
    listed = [{"LoadBalancerArn": f"arn:{name}", "LoadBalancerName": name} for name in ("theirs", "ours")]

    def described(asked: dict[str, Any]) -> dict[str, Any]:
        return {"TagDescriptions": [{"ResourceArn": arn, "Tags": OURS} for arn in asked["ResourceArns"]]}

    answers = {
        "elasticloadbalancing:DescribeLoadBalancers": {"LoadBalancers": listed},
        "elasticloadbalancing:DescribeTags": gone_if("ResourceArns", "arn:theirs", described),
    }
    assert ids(look_serving.load_balancers(subject(answers, install=True))) == ["ours"]


def test_an_alarm_a_rule_or_a_parameter_group_that_goes_meanwhile_hides_none_of_the_others() -> None:
    names = ("langgraph-cloud-gone", "langgraph-cloud-stays")
    tags = {"Tags": OURS}
    alarms = subject(
        {
            "cloudwatch:DescribeAlarms": {"MetricAlarms": [{"AlarmName": name, "AlarmArn": name} for name in names]},
            "cloudwatch:ListTagsForResource": gone_if("ResourceARN", "langgraph-cloud-gone", lambda _: tags),
        },
        install=True,
    )
    rules = subject(
        {
            "events:ListRules": {"Rules": [{"Name": name, "Arn": name} for name in names]},
            "events:ListTagsForResource": gone_if("ResourceARN", "langgraph-cloud-gone", lambda _: tags),
        },
        install=True,
    )
    groups = [{"DBParameterGroupName": name, "DBParameterGroupArn": name} for name in names]
    parameters = subject(
        {
            "rds:DescribeDBParameterGroups": {"DBParameterGroups": groups},
            "rds:ListTagsForResource": gone_if("ResourceName", "langgraph-cloud-gone", lambda _: {"TagList": OURS}),
        },
        install=True,
    )
    assert "langgraph-cloud-stays" in ids(look_serving.alarms(alarms))
    assert ids(look_serving.event_rules(rules)) == ["langgraph-cloud-stays"]
    assert ids(look_data.parameter_groups(parameters)) == ["langgraph-cloud-stays"]


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (AbsentError("NoSuch: it went"), "something went while it was asked about: NoSuch: it went"),
        (KeyError("Status"), "half an answer (KeyError: 'Status')"),
        (IndexError("list index out of range"), "half an answer (IndexError: list index out of range)"),
    ],
)
def test_what_breaks_a_look_off_leaves_the_rest_unknown_and_keeps_what_was_found(error: Exception, why: str) -> None:
    def things() -> Any:
        yield "one"
        raise error

    assert gathered("alarms", things()) == (["one"], [NotAsked(what="alarms", why=why)])


def test_a_service_that_ecs_neither_describes_nor_misses_is_unknown() -> None:
    missing = {"services": [], "failures": [{"arn": "langgraph-cloud-chat-api", "reason": "MISSING"}]}
    found, (refused,) = gathered("ECS services", look_containers.services(subject({"ecs:DescribeServices": missing})))
    assert (found, refused.why) == ([], "half an answer (ValueError: 0 of 3 services described; no reason)")
    gone = {"services": [], "failures": missing["failures"] * 3}
    assert gathered("ECS services", look_containers.services(subject({"ecs:DescribeServices": gone}))) == ([], [])


def test_an_instance_whose_ecs_service_is_not_known_is_never_taken_out_of_cloud_map() -> None:
    attributes = {"ECS_CLUSTER_NAME": "langgraph-cloud-cluster", "ECS_SERVICE_NAME": "langgraph-cloud-chat-cache"}
    answers: dict[str, Any] = EMPTY | {
        "secretsmanager:DescribeSecret": {},
        "servicediscovery:ListNamespaces": {"Namespaces": [{"Id": "ns", "Name": "n"}]},
        "servicediscovery:ListServices": {"Services": [{"Id": "srv", "Name": "chat"}]},
        "servicediscovery:ListInstances": {"Instances": [{"Id": "i-1", "Attributes": attributes}]},
        "ecs:DescribeServices": {"services": [], "failures": []},
    }
    facts = read_facts(subject(answers))
    assert facts.registered == ()
    assert "instances in Cloud Map" in [item.what for item in facts.not_asked]


def test_empty_answers_are_half_answers_where_aws_always_says_something() -> None:
    questions = (*EVERYTHING, "ecs:DescribeServices", "secretsmanager:DescribeSecret")
    answers: dict[str, Any] = {question: {} for question in questions}
    look = read_facts(subject(answers)).look
    unknown = {item.what for item in look.not_asked}
    assert {"databases", "secrets", "ECS services"} <= unknown


def test_a_key_that_is_described_by_half_is_not_known() -> None:
    account = FakeAccount({"kms:DescribeKey": {"KeyMetadata": {"Arn": "arn:k"}}})
    told = describe_key(account, "k")
    assert told == NotAsked(what="key k", why="kms:DescribeKey: half an answer (KeyError: 'KeyManager')")
