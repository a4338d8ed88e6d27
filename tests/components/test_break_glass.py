"""The role for emergencies: closed by default, its alarm before it, and nothing secret in the open."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from byoc.components.account import CustomerAccount, CustomerAccountArgs
from byoc.components.alarm_topic import topic_policy
from byoc.components.break_glass import BreakGlass, BreakGlassArgs, BreakGlassSettings
from byoc.components.runtime import AccountRuntimeSettings
from byoc.components.vendor_activity import role_assumed
from byoc.errors import ByocError
from byoc.naming import Names
from byoc.permissions.policies.break_glass import Opening, break_glass_policy, break_glass_trust, shell_channels
from tests.components.deployments import COMPUTED
from tests.components.harness import Recording, Secret
from tests.components.programs import ACCOUNT, annotated, dependencies_by_name, outputs_of, under_providers

ROLE, INLINE = "aws:iam/role:Role", "aws:iam/rolePolicy:RolePolicy"
RULE, TARGET = "aws:cloudwatch/eventRule:EventRule", "aws:cloudwatch/eventTarget:EventTarget"
TOPIC = "arn:aws:sns:us-west-2:123456789012:langgraph-cloud-alarms"
VENDOR = "arn:aws:iam::640174622193:role/Support"
OPENING = Opening(
    principals=("arn:aws:iam::123456789012:role/OnCall",),
    source_identities=("alice@example.com",),
    ticket="OPS-1234",
    not_before="2026-05-01T08:00:00Z",
    until="2026-05-03T08:00:00Z",
)
CLOSED = BreakGlassSettings()
OPEN = BreakGlassSettings(opening=OPENING)


def build(settings: BreakGlassSettings = CLOSED, names: Names | None = None) -> Recording:
    args = BreakGlassArgs(
        account=ACCOUNT,
        names=names or Names(),
        topic_arn=TOPIC,
        task_role_arn="arn:aws:iam::123456789012:role/teams/LangGraphCloudECSTaskRole",
        settings=settings,
    )
    return under_providers(lambda opts: BreakGlass("emergency", args, opts))


def test_a_closed_role_denies_everything_on_both_sides() -> None:
    recording = build()
    role = dict(recording.only(ROLE).plain)
    assert json.loads(role.pop("assumeRolePolicy")) == break_glass_trust(ACCOUNT, None)
    assert role == {
        "name": "LangGraphCloudBreakGlassRole",
        "description": "For emergencies; closed unless its trust policy names people, a ticket and an end",
        "path": "/",
        "maxSessionDuration": 3600,
    }
    policy = recording.only(INLINE).plain
    assert (policy["role"], policy["name"]) == ("LangGraphCloudBreakGlassRole", "BreakGlass")
    assert json.loads(policy["policy"]) == break_glass_policy(ACCOUNT, Names(), None)


def test_an_open_role_has_the_documents_of_its_opening() -> None:
    recording = build(OPEN)
    assert json.loads(recording.only(ROLE).plain["assumeRolePolicy"]) == break_glass_trust(ACCOUNT, OPENING)
    assert json.loads(recording.only(INLINE).plain["policy"]) == break_glass_policy(ACCOUNT, Names(), OPENING)


def test_opening_and_closing_change_documents_and_make_nothing() -> None:
    assert {(r.type, r.name) for r in build().custom} == {(r.type, r.name) for r in build(OPEN).custom}


def test_boundary_and_path_reach_the_role() -> None:
    boundary = "arn:aws:iam::123456789012:policy/boundary"
    recording = build(BreakGlassSettings(permissions_boundary=boundary, role_path="/teams/ai/"))
    role = recording.only(ROLE).plain
    assert (role["permissionsBoundary"], role["path"]) == (boundary, "/teams/ai/")
    pattern = json.loads(recording.only(RULE).plain["eventPattern"])
    assert pattern == role_assumed("arn:aws:iam::123456789012:role/teams/ai/LangGraphCloudBreakGlassRole")


def test_its_use_goes_to_the_topic_and_the_alarm_is_there_first() -> None:
    recording = build()
    rule = recording.only(RULE).plain
    assert rule["name"] == "langgraph-cloud-break-glass-used"
    assert rule["state"] == "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
    target = recording.only(TARGET).plain
    assert (target["rule"], target["arn"]) == (rule["name"], TOPIC)
    assert "EventTarget emergency-used-topic" in dependencies_by_name(recording, recording.only(ROLE))


def test_with_an_external_id_the_trust_is_secret() -> None:
    opening = replace(OPENING, principals=(VENDOR,))
    recording = build(BreakGlassSettings(opening=opening, external_ids=("only-for-emergencies",)))
    trust = recording.only(ROLE).inputs["assumeRolePolicy"]
    assert isinstance(trust, Secret)
    assert "only-for-emergencies" in trust.value
    others = [r.inputs for r in recording.registrations if r.type != ROLE]
    assert "only-for-emergencies" not in repr([*others, recording.outputs])
    assert "only-for-emergencies" not in repr(BreakGlassSettings(external_ids=("only-for-emergencies",)))


def test_a_shell_gives_the_task_role_its_channels_for_the_window() -> None:
    opening = replace(OPENING, shell=True)
    recording = build(BreakGlassSettings(opening=opening))
    channels = recording.only(INLINE, "emergency-shell").plain
    assert channels["role"] == "LangGraphCloudECSTaskRole"
    assert json.loads(channels["policy"]) == shell_channels(opening)
    assert len(recording.of_type(INLINE)) == 2


def test_another_prefix_gives_other_names() -> None:
    recording = build(names=Names("acme"))
    assert recording.only(ROLE).plain["name"] == "acme-BreakGlassRole"
    assert recording.only(INLINE).plain["name"] == "acme-BreakGlass"
    assert recording.only(RULE).plain["name"] == "acme-break-glass-used"


def test_its_outputs_are_what_it_declares() -> None:
    outputs = outputs_of(build(), "byoc:index:BreakGlass")
    assert set(outputs) == annotated(BreakGlass) == {"role_arn", "role_name"}
    assert outputs["role_name"] == "LangGraphCloudBreakGlassRole"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"principals": ("*",)}, "ARN of one IAM role or user"),
        ({"principals": (VENDOR,)}, "need an external id"),
        ({"until": "2027-05-03T08:00:00Z"}, "lasts up to 7 days"),
        ({"source_identities": tuple(f"person-{number}@example.com" for number in range(60))}, "2048"),
    ],
)
def test_an_opening_that_cannot_be_is_refused_before_anything_is_made(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ByocError, match=r"byoc:breakGlass(.|\n)*" + message) as caught:
        build(BreakGlassSettings(opening=replace(OPENING, **changes)))
    assert "mend it:" in str(caught.value)


# --- in an account


ANSWERS = {"aws:iam/getRoles:getRoles": {"id": "r", "arns": [], "names": []}}


def in_account(**changes: Any) -> Recording:
    args = CustomerAccountArgs(account=ACCOUNT, **changes)
    return under_providers(lambda opts: CustomerAccount("acct", args, opts), answers=ANSWERS, computed=COMPUTED)


def topic_statements(recording: Recording) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(recording.only("aws:sns/topic:Topic").plain["policy"])["Statement"]
    return found


def test_without_the_section_the_account_has_no_second_role_and_its_topic_is_as_before() -> None:
    recording = in_account()
    assert recording.of_type("byoc:index:BreakGlass") == []
    assert topic_statements(recording) == topic_policy(ACCOUNT, Names())["Statement"]


def test_with_it_the_topic_takes_messages_of_eventbridge_beside_the_alarms() -> None:
    recording = in_account(break_glass=CLOSED, runtime=AccountRuntimeSettings(event_alarms=True))
    assert topic_statements(recording) == [
        *topic_policy(ACCOUNT, Names())["Statement"],
        {
            "Sid": "EventBridgeRules",
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sns:Publish",
            "Resource": TOPIC,
        },
    ]
    target = recording.only(TARGET).plain
    assert target["arn"] == "arn:aws:test:us-west-2:123456789012:acct-runtime-alarms"


def test_rules_without_a_topic_that_takes_their_messages_are_refused() -> None:
    with pytest.raises(ByocError, match=r"runtime\.event_alarms"):
        in_account(break_glass=CLOSED)
