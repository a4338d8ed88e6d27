"""When a value of AWS means what the program wrote, and how it is told if it does not."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from byoc.sandbox.emulator.server import Emulator
from byoc.sandbox.handlers.base import Properties
from byoc.sandbox.handlers.meaning import (
    Entries,
    Unordered,
    json_text,
    named,
    number,
    plain,
    retold,
    version,
)
from byoc.sandbox.registry import handler_for
from tests.sandbox.observe_deployment import database, service, task
from tests.sandbox.observe_network import table
from tests.sandbox.observe_stage import Stage, policy

ROLE = "arn:aws:iam::123456789012:role/team/task"


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator.in_process() as running:
        yield running


@pytest.fixture
def stage(emulator: Emulator) -> Stage:
    return Stage.open(emulator)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("16", version("16.3")),
        ("16.3", version("16.3")),
        ("task", named(ROLE)),
        (ROLE, named(ROLE)),
        ("0", number(0.0)),
        ('{"a": 1, "b": 2}', json_text('{"b":2,"a":1}')),
        (["b", "a"], Unordered(["a", "b"])),
        ([{"id": "b"}, {"id": "a"}], Unordered([{"id": "a", "more": 1}, {"id": "b", "more": 2}])),
        ({"path": "/ok"}, {"path": "/ok", "interval": 30}),
        (None, ""),
        (None, []),
        ("", None),
        (None, json_text("")),
        ({}, {"failureThreshold": 1}),
        (64, 64.0),
    ],
)
def test_what_means_the_same_stays_as_it_is_written(written: Any, told: Any) -> None:
    assert retold(written, told) == written


@pytest.mark.parametrize(
    ("written", "told", "now"),
    [
        ("16", version("17.3"), "17.3"),
        ("1", version("16.3"), "16.3"),
        ("other", named(ROLE), ROLE),
        (ROLE.replace("1234", "4321"), named(ROLE), ROLE),
        ("1", number(0.0), 0.0),
        ('{"a": 1}', json_text('{"a": 2}'), '{"a": 2}'),
        (["b", "a"], Unordered(["a", "c", "b"]), ["b", "a", "c"]),
        ([{"id": "b"}], Unordered([{"id": "c", "more": 1, "none": None}]), [{"id": "c"}]),
        ([], Unordered([{"id": "c", "more": 1, "none": None}]), [{"id": "c", "more": 1}]),
        ({"path": "/ok"}, {"path": "/", "interval": 30}, {"path": "/"}),
        ({"LoadBalancer": "a"}, Entries({"LoadBalancer": "a", "Zone": "b"}), {"LoadBalancer": "a", "Zone": "b"}),
        ([1, 2], [1, 3], [1, 3]),
        (True, False, False),
        ("text", None, None),
    ],
)
def test_what_means_something_else_is_told_in_the_program_s_words(written: Any, told: Any, now: Any) -> None:
    assert retold(written, told) == now


def test_what_nobody_wrote_is_told_without_what_is_empty() -> None:
    told = {"a": None, "b": {"c": "", "d": named(ROLE)}, "e": [{"f": None}], "g": Entries({"h": ""}), "i": False}
    assert plain(told) == {"b": {"d": ROLE}, "e": [{}], "g": {"h": ""}, "i": False}


def test_names_arns_and_families_stay_as_the_program_gave_them(stage: Stage) -> None:
    inputs = service(stage)
    thing = stage.make("aws:ecs/service:Service", **{**inputs, "cluster": "graphs", "taskDefinition": "chat:1"})
    assert thing.observed() == thing.inputs
    assert thing.handler.diff(thing.inputs, {**thing.inputs, "cluster": inputs["cluster"]}).changed == set()


def test_an_input_that_aws_fills_in_is_no_change_when_the_program_does_not_give_it(stage: Stage) -> None:
    inputs = {"vpcId": stage.network()["vpc"], "cidrBlock": "10.0.9.0/24"}
    thing = stage.make("aws:ec2/subnet:Subnet", **inputs, availabilityZone="eu-west-1b")
    there = thing.handler.observe(stage.aws, thing.id, {})
    assert there is not None
    assert there["availabilityZone"] == "eu-west-1b"
    assert not thing.handler.diff(there, {**inputs, "tagsAll": there["tagsAll"], "tags": there["tags"]}).changed
    assert thing.handler.diff(there, {**there, "availabilityZone": "eu-west-1a"}).replaces == {"availabilityZone"}


def test_a_provider_s_default_is_as_good_as_nothing_in_a_program() -> None:
    handler = handler_for("aws:ec2/vpc:Vpc")
    given = {"cidrBlock": "10.0.0.0/16", "enableDnsSupport": True, "enableDnsHostnames": False}
    assert not handler.diff({"cidrBlock": "10.0.0.0/16"}, given).changed
    changed = handler.diff({"cidrBlock": "10.0.0.0/16"}, {**given, "enableDnsSupport": False}).changed
    assert changed == {"enableDnsSupport"}


def test_the_name_that_the_provider_made_of_a_prefix_is_imported_with_the_prefix(stage: Stage) -> None:
    group = stage.make(
        "aws:lb/targetGroup:TargetGroup", namePrefix="chat-", port=80, protocol="HTTP", vpcId=stage.network()["vpc"]
    )
    there = group.handler.observe(stage.aws, group.id, {})
    assert there is not None
    assert (there["name"], there["namePrefix"]) == (group.inputs["name"], "chat-")
    plain_name = stage.make(
        "aws:lb/targetGroup:TargetGroup", name="plain", port=80, protocol="HTTP", vpcId=stage.network()["vpc"]
    )
    assert "namePrefix" not in (plain_name.handler.observe(stage.aws, plain_name.id, {}) or {})


def _inputs(stage: Stage) -> dict[str, Callable[[], Properties]]:
    return {
        "aws:ec2/route:Route": lambda: {
            "routeTableId": table(stage),
            "destinationCidrBlock": "192.168.0.0/16",
            "gatewayId": stage.make("aws:ec2/internetGateway:InternetGateway", vpcId=stage.network()["vpc"]).id,
        },
        "aws:ec2/routeTableAssociation:RouteTableAssociation": lambda: {
            "routeTableId": table(stage),
            "subnetId": stage.network()["a"],
        },
        "aws:ecs/service:Service": lambda: service(stage),
        "aws:rds/instance:Instance": lambda: database(stage),
    }


@pytest.mark.parametrize(
    "token",
    [
        "aws:ec2/route:Route",
        "aws:ec2/routeTableAssociation:RouteTableAssociation",
        "aws:ecs/service:Service",
        "aws:rds/instance:Instance",
    ],
)
def test_a_thing_is_imported_by_the_handler_s_own_id_too(stage: Stage, token: str) -> None:
    thing = stage.make(token, **_inputs(stage)[token]())
    there = thing.handler.observe(stage.aws, thing.id, {})
    assert there is not None
    shared = there.keys() & thing.inputs.keys() - {"tags"}
    assert len(shared) >= 2
    assert not thing.handler.diff(
        {key: there[key] for key in shared}, {key: thing.inputs[key] for key in shared}
    ).changed


def test_rules_of_a_group_may_be_cut_otherwise_and_let_the_same_through(stage: Stage) -> None:
    web = {"protocol": "tcp", "fromPort": 443, "toPort": 443}
    one = {**web, "cidrBlocks": ["10.0.0.0/8", "192.168.0.0/16"]}
    two = [{**web, "cidrBlocks": [cidr]} for cidr in ("192.168.0.0/16", "10.0.0.0/8")]
    vpc = stage.network()["vpc"]
    for number_, rules in enumerate(([one], two)):
        group = stage.make("aws:ec2/securityGroup:SecurityGroup", name=f"g{number_}", vpcId=vpc, ingress=rules)
        assert group.observed()["ingress"] == rules


def test_an_endpoint_s_default_policy_is_no_input_but_one_that_is_written_is(stage: Stage) -> None:
    everything = policy("*", Principal="*")
    network = {"vpcId": stage.network()["vpc"], "serviceName": "com.amazonaws.eu-west-1.s3"}
    plain_one = stage.make("aws:ec2/vpcEndpoint:VpcEndpoint", **network)
    assert "policy" not in (plain_one.handler.observe(stage.aws, plain_one.id, {}) or {})
    written = stage.make("aws:ec2/vpcEndpoint:VpcEndpoint", **network, policy=everything, tags={"a": "b"})
    assert written.observed()["policy"] == everything


def test_a_new_topic_s_policy_is_not_imported(stage: Stage) -> None:
    topic = stage.make("aws:sns/topic:Topic", name="alarms")
    assert topic.handler.observe(stage.aws, topic.id, {}) == {
        "name": "alarms",
        **{key: {"byoc-install": "stage"} for key in ("tags", "tagsAll")},
    }


def test_what_a_role_is_given_by_others_is_not_taken_off_after_an_import(stage: Stage) -> None:
    trust = policy("sts:AssumeRole")
    role = stage.make("aws:iam/role:Role", name="task", assumeRolePolicy=trust)
    stage.client("iam").put_role_policy(RoleName="task", PolicyName="own", PolicyDocument=policy("s3:*"))
    there = role.handler.observe(stage.aws, role.id, {}) or {}
    assert there.keys() & {"inlinePolicies", "managedPolicyArns"} == set()
    exclusive = {**role.inputs, "inlinePolicies": [{}]}
    seen = role.handler.observe(stage.aws, role.id, exclusive) or {}
    assert [item["name"] for item in seen["inlinePolicies"]] == ["own"]


def test_a_revision_that_another_registered_is_no_drift_and_one_without_ours_is_gone(stage: Stage) -> None:
    thing = stage.make("aws:ecs/taskDefinition:TaskDefinition", **task())
    stage.make("aws:ecs/taskDefinition:TaskDefinition", **task(image="image:2"))
    assert thing.observed() == thing.inputs
    stage.client("ecs").deregister_task_definition(taskDefinition=thing.outputs["arn"])
    assert thing.handler.observe(stage.aws, thing.id, thing.inputs) is None


def test_json_is_compared_by_meaning_only_where_it_is_json(stage: Stage) -> None:
    board = stage.make(
        "aws:cloudwatch/dashboard:Dashboard", dashboardName="d", dashboardBody=json.dumps({"widgets": []})
    )
    assert board.observed()["dashboardBody"] == '{"widgets": []}'
    assert retold("no json", json_text('{"a": 1}')) == '{"a": 1}'
