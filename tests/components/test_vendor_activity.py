"""The ledger: which events of CloudTrail are told, which are not, and what a message says."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from moto.events.models import EventPattern
from moto.events.utils import EventTemplateParser

from byoc.components.access import ControlPlaneAccessArgs
from byoc.components.account import CustomerAccount, CustomerAccountArgs
from byoc.components.break_glass import BreakGlassSettings
from byoc.components.runtime import AccountRuntimeSettings
from byoc.components.vendor_activity import (
    VendorActivity,
    VendorActivityArgs,
    VendorActivitySettings,
    calls_denied,
    changes,
    deletes,
    role_assumed,
)
from byoc.naming import Names
from byoc.permissions.evaluation.evaluator import Outcome, Request, evaluate
from byoc.permissions.policies.event_rules import rules_stay
from byoc.permissions.policies.managed import documented_identity
from tests.components.deployments import COMPUTED
from tests.components.harness import Recording
from tests.components.programs import ACCOUNT, annotated, outputs_of, under_providers

RULE, TARGET = "aws:cloudwatch/eventRule:EventRule", "aws:cloudwatch/eventTarget:EventTarget"
TOPIC = "arn:aws:sns:us-west-2:123456789012:langgraph-cloud-alarms"
CONTROL_PLANE = "arn:aws:iam::123456789012:role/LangGraphCloudBYOCRole"
BREAK_GLASS = "arn:aws:iam::123456789012:role/LangGraphCloudBreakGlassRole"
OTHER = "arn:aws:iam::123456789012:role/SomebodyElse"
ALWAYS = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"


# --- events as CloudTrail writes them (AWS docs: "CloudTrail record contents", "Logging IAM and AWS STS API calls")


def event(detail: Mapping[str, Any], *, kind: str = "AWS API Call via CloudTrail") -> dict[str, Any]:
    """A record of CloudTrail, as EventBridge hands it on."""
    service = str(detail["eventSource"]).partition(".")[0]
    return {
        "version": "0",
        "id": "6f87d04b-9f74-4f04-a780-7acf4b0a9b38",
        "detail-type": kind,
        "source": f"aws.{service}",
        "account": "123456789012",
        "time": "2026-05-02T08:00:00Z",
        "region": "us-west-2",
        "resources": [],
        "detail": {
            "eventVersion": "1.08",
            "eventTime": "2026-05-02T08:00:00Z",
            "awsRegion": "us-west-2",
            "sourceIPAddress": "203.0.113.7",
            "userAgent": "Boto3/1.40",
            "eventID": "b4ed3a8c-5b9f-4f7e-8f3e-1f2a3b4c5d6e",
            "eventType": "AwsApiCall",
            "managementEvent": True,
            "recipientAccountId": "123456789012",
            "eventCategory": "Management",
            **detail,
        },
    }


def assumed(role: str = CONTROL_PLANE, **changed: Any) -> dict[str, Any]:
    """A role assumed from another account, as the role's own account sees it."""
    return event(
        {
            "userIdentity": {
                "type": "AWSAccount",
                "principalId": "AROAEXAMPLEPROVIDER:host-backend",
                "accountId": "640174622193",
            },
            "eventSource": "sts.amazonaws.com",
            "eventName": "AssumeRole",
            "requestParameters": {
                "roleArn": role,
                "roleSessionName": "byoc",
                "externalId": "a-secret-external-id",
                "durationSeconds": 3600,
            },
            "resources": [{"accountId": "123456789012", "type": "AWS::IAM::Role", "ARN": role}],
            "readOnly": True,
            **changed,
        }
    )


def called(
    action: str, *, role: str = CONTROL_PLANE, error: str | None = None, reads: bool = False, **changed: Any
) -> dict[str, Any]:
    """A call by a session of ``role``."""
    service, _, operation = action.partition(":")
    name = role.rpartition("/")[2]
    return event(
        {
            "userIdentity": {
                "type": "AssumedRole",
                "principalId": "AROAEXAMPLEROLE:byoc",
                "arn": f"arn:aws:sts::123456789012:assumed-role/{name}/byoc",
                "accountId": "123456789012",
                "sessionContext": {
                    "sessionIssuer": {
                        "type": "Role",
                        "principalId": "AROAEXAMPLEROLE",
                        "arn": role,
                        "accountId": "123456789012",
                        "userName": name,
                    },
                    "attributes": {"creationDate": "2026-05-02T07:59:00Z", "mfaAuthenticated": "false"},
                },
            },
            "eventSource": f"{service}.amazonaws.com",
            "eventName": operation,
            "requestParameters": None,
            "readOnly": reads,
            **({} if error is None else {"errorCode": error, "errorMessage": "User is not authorized"}),
            **changed,
        }
    )


def by_user(action: str, **changed: Any) -> dict[str, Any]:
    """A call by a user of the account."""
    user = {"type": "IAMUser", "principalId": "AIDAEXAMPLE", "arn": "arn:aws:iam::123456789012:user/alice"}
    return called(action, userIdentity=user, **changed)


def fits(pattern: Mapping[str, Any], happened: Mapping[str, Any]) -> bool:
    """Whether EventBridge would set off a rule: moto's matcher, on the text that AWS gets."""
    loaded: Any = EventPattern.load(json.dumps(pattern))
    return bool(loaded.matches_event(happened))


# --- patterns


def test_the_role_being_assumed_is_told() -> None:
    assert fits(role_assumed(CONTROL_PLANE), assumed())
    assert fits(role_assumed(CONTROL_PLANE), assumed(errorCode="AccessDenied"))


@pytest.mark.parametrize(
    "happened",
    [
        assumed(OTHER),
        assumed(f"{CONTROL_PLANE}2"),
        assumed("arn:aws:iam::210987654321:role/LangGraphCloudBYOCRole"),
        assumed(eventName="AssumeRoleWithSAML"),
        assumed(requestParameters=None),
        called("sts:GetCallerIdentity", reads=True),
        {**assumed(), "detail-type": "AWS Console Sign In via CloudTrail"},
        {**assumed(), "source": "somebody.else"},
    ],
)
def test_nothing_else_is_told_as_that(happened: dict[str, Any]) -> None:
    assert not fits(role_assumed(CONTROL_PLANE), happened)


@pytest.mark.parametrize(
    ("action", "error"),
    [
        ("secretsmanager:GetSecretValue", "AccessDenied"),
        ("rds:DeleteDBInstance", "AccessDenied"),
        ("ecs:DeleteService", "AccessDeniedException"),
        ("ec2:RunInstances", "Client.UnauthorizedOperation"),
        ("ec2:CreateVpc", "UnauthorizedOperation"),
        ("sns:Publish", "AuthorizationError"),
    ],
)
@pytest.mark.parametrize("role", [CONTROL_PLANE, BREAK_GLASS])
def test_a_denied_call_of_either_role_is_told(action: str, error: str, role: str) -> None:
    assert fits(calls_denied([CONTROL_PLANE, BREAK_GLASS]), called(action, role=role, error=error))


@pytest.mark.parametrize(
    "happened",
    [
        called("rds:DescribeDBInstances", reads=True),
        called("rds:DescribeDBInstances", reads=True, error="DBInstanceNotFound"),
        called("ecs:CreateService", error="ThrottlingException"),
        called("rds:DeleteDBInstance", role=OTHER, error="AccessDenied"),
        by_user("rds:DeleteDBInstance", error="AccessDenied"),
        assumed(errorCode="AccessDenied"),
    ],
)
def test_what_went_through_or_failed_otherwise_or_was_another_is_not_told_as_denied(happened: dict[str, Any]) -> None:
    assert not fits(calls_denied([CONTROL_PLANE, BREAK_GLASS]), happened)


@pytest.mark.parametrize(
    "action",
    [
        "rds:DeleteDBInstance",
        "secretsmanager:DeleteSecret",
        "elasticloadbalancing:DeleteLoadBalancer",
        "ecs:DeleteService",
        "ecr:BatchDeleteImage",
        "ec2:TerminateInstances",
        "kms:ScheduleKeyDeletion",
    ],
)
def test_a_delete_is_told(action: str) -> None:
    assert fits(deletes([CONTROL_PLANE]), called(action))


@pytest.mark.parametrize(
    "happened",
    [
        called("rds:DeleteDBInstance", error="AccessDenied"),
        called("rds:DeleteDBInstance", role=OTHER),
        called("rds:ModifyDBInstance"),
        called("ecs:DeregisterTaskDefinition"),
        called("ecs:UpdateService"),
        by_user("rds:DeleteDBInstance"),
    ],
)
def test_what_deletes_nothing_is_not_told_as_a_delete(happened: dict[str, Any]) -> None:
    assert not fits(deletes([CONTROL_PLANE]), happened)


def test_changes_under_break_glass_are_told_and_looking_is_not() -> None:
    pattern = changes([BREAK_GLASS])
    assert fits(pattern, called("ecs:UpdateService", role=BREAK_GLASS))
    assert fits(pattern, called("rds:RebootDBInstance", role=BREAK_GLASS, error="AccessDenied"))
    assert not fits(pattern, called("logs:FilterLogEvents", role=BREAK_GLASS, reads=True))
    assert not fits(pattern, called("ecs:UpdateService"))


# --- the component


def build(**changed: Any) -> Recording:
    args: dict[str, Any] = {
        "names": Names(),
        "control_plane_role_arn": CONTROL_PLANE,
        "break_glass_role_arn": BREAK_GLASS,
        "topic_arn": TOPIC,
        **changed,
    }
    return under_providers(lambda opts: VendorActivity("ledger", VendorActivityArgs(**args), opts))


def rules(recording: Recording) -> dict[str, tuple[Any, str]]:
    """Pattern and state of every rule, by name."""
    return {r.plain["name"]: (json.loads(r.plain["eventPattern"]), r.plain["state"]) for r in recording.of_type(RULE)}


def test_the_whole_ledger() -> None:
    both = [CONTROL_PLANE, BREAK_GLASS]
    assert rules(build()) == {
        "langgraph-cloud-vendor-session": (role_assumed(CONTROL_PLANE), ALWAYS),
        "langgraph-cloud-vendor-denied": (calls_denied(both), ALWAYS),
        "langgraph-cloud-vendor-delete": (deletes(both), "ENABLED"),
        "langgraph-cloud-vendor-break-glass": (changes([BREAK_GLASS]), "ENABLED"),
    }


@pytest.mark.parametrize(
    ("changed", "left"),
    [
        ({"break_glass_role_arn": None}, ["delete", "denied", "session"]),
        ({"control_plane_role_arn": None}, ["break-glass", "delete", "denied"]),
        ({"settings": VendorActivitySettings(sessions=False)}, ["break-glass", "delete", "denied"]),
        ({"settings": VendorActivitySettings(denied=False, deletes=False)}, ["break-glass", "session"]),
        ({"settings": VendorActivitySettings(break_glass=False)}, ["delete", "denied", "session"]),
    ],
)
def test_a_rule_is_there_if_it_is_asked_for_and_has_a_role(changed: dict[str, Any], left: Sequence[str]) -> None:
    recording = build(**changed)
    expected = [f"langgraph-cloud-vendor-{subject}" for subject in left]
    assert sorted(rules(recording)) == expected
    assert outputs_of(recording, "byoc:index:VendorActivity")["rule_names"] == expected


def test_a_role_that_is_not_there_is_not_watched() -> None:
    watched = rules(build(break_glass_role_arn=None))
    assert watched["langgraph-cloud-vendor-denied"][0] == calls_denied([CONTROL_PLANE])


def test_every_rule_leads_to_the_topic() -> None:
    recording = build()
    led = {r.plain["rule"]: (r.plain["arn"], r.plain["targetId"]) for r in recording.of_type(TARGET)}
    assert led == dict.fromkeys(rules(recording), (TOPIC, "alarm-topic"))


def test_its_outputs_are_what_it_declares() -> None:
    assert set(outputs_of(build(), "byoc:index:VendorActivity")) == annotated(VendorActivity)


# --- messages


def message(recording: Recording, rule: str, happened: dict[str, Any]) -> str:
    (target,) = [r.plain for r in recording.of_type(TARGET) if r.plain["rule"] == f"langgraph-cloud-vendor-{rule}"]
    transformer = target["inputTransformer"]
    template = json.loads(transformer["inputTemplate"])
    assert isinstance(template, str), "a message is a text"
    parser: Any = EventTemplateParser
    return str(parser.parse(json.dumps(template), transformer["inputPaths"], {**happened, "ingestion-time": ""}))


def test_a_message_says_who_did_what_when_and_from_where() -> None:
    text = message(build(), "delete", called("rds:DeleteDBInstance"))
    for part in (
        "The control plane or break-glass deleted something",
        "rds.amazonaws.com DeleteDBInstance at 2026-05-02T08:00:00Z",
        "account 123456789012, us-west-2",
        "by AROAEXAMPLEROLE:byoc from 203.0.113.7",
        "b4ed3a8c-5b9f-4f7e-8f3e-1f2a3b4c5d6e",
    ):
        assert part in text


def test_no_message_holds_the_external_id_that_cloudtrail_records() -> None:
    happened = assumed()
    assert "a-secret-external-id" in json.dumps(happened)
    assert "a-secret-external-id" not in message(build(), "session", happened)


# --- in an account


def in_account(**changed: Any) -> Recording:
    access = ControlPlaneAccessArgs(
        account=ACCOUNT,
        principals=("arn:aws:iam::640174622193:role/HostBackendRoleProd",),
        external_ids=["5f0c1b7e9a3d42c8"],
        event_rules=bool(changed),
    )
    args = CustomerAccountArgs(
        account=ACCOUNT, access=access, runtime=AccountRuntimeSettings(event_alarms=bool(changed)), **changed
    )
    answers = {"aws:iam/getRoles:getRoles": {"id": "r", "arns": [], "names": []}}
    return under_providers(lambda opts: CustomerAccount("acct", args, opts), answers=answers, computed=COMPUTED)


def test_an_account_without_the_section_has_no_ledger() -> None:
    assert in_account().of_type("byoc:index:VendorActivity") == []
    assert rules(in_account()) == {}


def test_the_ledger_of_an_account_watches_the_roles_that_it_makes() -> None:
    alone = rules(in_account(vendor_activity=VendorActivitySettings()))
    assert alone["langgraph-cloud-vendor-denied"][0] == calls_denied([CONTROL_PLANE])
    both = rules(in_account(vendor_activity=VendorActivitySettings(), break_glass=BreakGlassSettings()))
    assert both["langgraph-cloud-vendor-denied"][0] == calls_denied([CONTROL_PLANE, BREAK_GLASS])
    assert both["langgraph-cloud-break-glass-used"] == (role_assumed(BREAK_GLASS), ALWAYS)


@pytest.mark.parametrize("action", ["events:DeleteRule", "events:PutRule", "events:RemoveTargets"])
@pytest.mark.parametrize("rule", ["vendor-session", "vendor-denied", "vendor-delete", "break-glass-used"])
def test_the_control_plane_cannot_switch_off_what_tells_of_it(action: str, rule: str) -> None:
    recording = in_account(vendor_activity=VendorActivitySettings(), break_glass=BreakGlassSettings())
    name = f"langgraph-cloud-{rule}"
    assert name in rules(recording)
    kept = recording.only("aws:iam/rolePolicy:RolePolicy", "acct-access-rules-stay").plain
    assert kept["role"] == "LangGraphCloudBYOCRole"
    asked = Request(principal=CONTROL_PLANE, action=action, resource=ACCOUNT.arn("events", f"rule/{name}"))
    documented = documented_identity()
    assert evaluate(asked, identity=documented).allowed, "nothing to take back"
    both = {**documented, "rules-stay": json.loads(kept["policy"])}
    assert evaluate(asked, identity=both).outcome is Outcome.EXPLICIT_DENY


def test_rules_of_others_stay_theirs() -> None:
    policy = {"rules-stay": rules_stay(ACCOUNT, Names()), **documented_identity()}
    for name in ("AmazonECSManagedRule", "acme-vendor-session"):
        asked = Request(
            principal=CONTROL_PLANE, action="events:PutRule", resource=ACCOUNT.arn("events", f"rule/{name}")
        )
        assert evaluate(asked, identity=policy).allowed


def test_without_the_sections_the_role_has_no_such_policy() -> None:
    assert "acct-access-rules-stay" in {r.name for r in in_account(break_glass=BreakGlassSettings()).custom}
    assert "acct-access-rules-stay" not in {r.name for r in in_account().custom}
