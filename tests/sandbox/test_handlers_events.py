"""Rules of EventBridge and their targets: the provider's calls, all their lives."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from byoc.sandbox.emulator.server import Emulator
from tests.sandbox.handler_life import BY_NAME, Stage, Thing, administrator

PATTERN = json.dumps({"source": ["aws.sts"], "detail": {"eventName": ["AssumeRole"]}})
RULE, TARGET = "eventRule:EventRule", "eventTarget:EventTarget"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:alarms"
TRANSFORMER = {"inputPaths": {"who": "$.detail.userIdentity.arn"}, "inputTemplate": '"<who> did it"'}


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator.in_process() as running:
        yield running


@pytest.fixture
def stage(emulator: Emulator) -> Iterator[Stage]:
    made = Stage(*administrator(emulator))
    yield made
    made.strike()


def rule(stage: Stage) -> Thing:
    return stage.make(RULE, name="assumed", eventPattern=PATTERN)


def test_a_rule_makes_the_provider_s_calls_all_its_life(stage: Stage) -> None:
    made = stage.live(
        RULE,
        "aws_cloudwatch_event_rule",
        {"name": "assumed", "eventPattern": PATTERN, "description": "a role was assumed"},
        changes=[
            {"eventPattern": json.dumps({"source": ["aws.iam"]})},
            {"description": "another"},
            {"state": "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"},
        ],
    )
    assert made.id == "assumed"
    assert made.outputs["arn"] == f"arn:aws:events:eu-west-1:{stage.aws.account_id}:rule/assumed"


def test_a_target_makes_the_provider_s_calls_all_its_life(stage: Stage) -> None:
    rule(stage)
    made = stage.live(
        TARGET,
        "aws_cloudwatch_event_target",
        {"rule": "assumed", "targetId": "alarm-topic", "arn": TOPIC, "inputTransformer": TRANSFORMER},
        changes=[{"arn": f"{TOPIC}-b"}, {"inputTransformer": {"inputTemplate": '"somebody did it"'}}],
    )
    assert made.id == "assumed-alarm-topic"


def test_aws_is_told_what_a_message_says(stage: Stage) -> None:
    rule(stage)
    stage.make(TARGET, rule="assumed", targetId="alarm-topic", arn=TOPIC, inputTransformer=TRANSFORMER)
    assert stage.aws.client("events").list_targets_by_rule(Rule="assumed")["Targets"] == [
        {
            "Id": "alarm-topic",
            "Arn": TOPIC,
            "InputTransformer": {
                "InputPathsMap": {"who": "$.detail.userIdentity.arn"},
                "InputTemplate": '"<who> did it"',
            },
        }
    ]


def test_a_target_that_somebody_else_led_elsewhere_is_not_taken_for_ours(stage: Stage) -> None:
    rule(stage)
    made = stage.make(TARGET, rule="assumed", targetId="alarm-topic", arn=TOPIC)
    assert made.handler.find(stage.aws, made.inputs) == made.id
    assert made.handler.find(stage.aws, {**made.inputs, "arn": f"{TOPIC}-b"}) is None
    assert made.handler.find(stage.aws, {**made.inputs, "targetId": "other"}) is None


def test_a_rule_keeps_its_targets_through_a_change(stage: Stage) -> None:
    made = rule(stage)
    stage.make(TARGET, rule="assumed", targetId="alarm-topic", arn=TOPIC)
    made.handler.update(stage.aws, made.id, made.inputs, {**made.inputs, "description": "another"})
    assert len(stage.aws.client("events").list_targets_by_rule(Rule="assumed")["Targets"]) == 1


@pytest.mark.parametrize(
    ("kind", "changed"), [(RULE, "name"), (TARGET, "rule"), (TARGET, "targetId")], ids=lambda value: str(value)
)
def test_another_name_is_another_thing(kind: str, changed: str) -> None:
    old = {"name": "a", "rule": "a", "targetId": "a", "arn": TOPIC, "eventPattern": PATTERN}
    assert BY_NAME[kind].diff(old, {**old, changed: "b"}).replaces == {changed}


def test_a_pattern_that_only_reads_differently_is_no_change() -> None:
    spread = json.dumps(json.loads(PATTERN), indent=2)
    assert not BY_NAME[RULE].diff({"name": "a", "eventPattern": PATTERN}, {"name": "a", "eventPattern": spread}).changed


@pytest.mark.parametrize(
    ("kind", "inputs", "message"),
    [
        (RULE, {"name": "a"}, "one of eventPattern or scheduleExpression must be set"),
        (RULE, {"name": "a", "eventPattern": PATTERN, "eventBusName": "theirs"}, "the bus default alone"),
        (TARGET, {"rule": "a", "arn": TOPIC, "eventBusName": "theirs"}, "the bus default alone"),
        (TARGET, {"rule": "a", "arn": TOPIC, "inputPath": "$.x", "input": "{}"}, "only one of input, inputPath"),
        (TARGET, {"rule": "a", "arn": TOPIC, "ecsTarget": {"taskCount": 1}}, "does not act on ecsTarget"),
    ],
)
def test_what_the_sandbox_or_the_provider_cannot_do_is_refused(kind: str, inputs: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        BY_NAME[kind].check("thing", inputs, None)
