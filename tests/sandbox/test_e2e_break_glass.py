"""Break-glass access under enforcement: closed, open to the right person only, narrow, and over when it is over."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from byoc.aws_models import core_session
from byoc.components.vendor_activity import calls_denied, changes, deletes, role_assumed
from tests.sandbox.sandbox_world import ACCOUNT, ALL_IN_ONE, CHAT, World, Worlds

TICKET, ALICE = "OPS-1234", "alice@example.com"
EXTERNAL_ID = "c7d19a40b2f85e630fb1"
VENDOR_ACCOUNT = "640174622193"
CLUSTER, SERVICE, DATABASE = "agents-cluster", "agents-assistant-api", "agents-assistant"
Call = Callable[[Any], object]


def at(hours: float) -> str:
    """A moment this many hours from now."""
    return (datetime.now(UTC) + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class Emergency:
    """An account whose break-glass role is opened and closed, and people who try to get in."""

    world: World
    stack: str

    @property
    def role_arn(self) -> str:
        return f"arn:aws:iam::{self.world.account_id}:role/agents-BreakGlassRole"

    @property
    def on_call(self) -> str:
        return f"arn:aws:iam::{self.world.account_id}:role/OnCall"

    def write(self, **section: Any) -> set[tuple[str, str]]:
        """Run the stack with another ``breakGlass``; what the run changed."""
        self.world.configure(self.stack, {"breakGlass": section})
        return self.world.up(self.stack).done().changed_types

    def open(self, begin: float = -1, end: float = 1, **more: Any) -> set[tuple[str, str]]:
        section = {"principals": [self.on_call], "sourceIdentities": [ALICE], "ticket": TICKET, **more}
        return self.write(open=True, notBefore=at(begin), until=at(end), **section)

    def people(self, role: str = "OnCall") -> dict[str, Any]:
        """Credentials of somebody of this account who may ask for any role."""
        iam = self.world.aws("iam")
        trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{self.world.account_id}:root"}}
        iam.create_role(RoleName=role, AssumeRolePolicyDocument=_document({**trust, "Action": "sts:AssumeRole"}))
        anything = _document({"Effect": "Allow", "Action": "sts:*", "Resource": "*"})
        iam.put_role_policy(RoleName=role, PolicyName="ask", PolicyDocument=anything)
        sts = self.world.aws("sts")
        arn = f"arn:aws:iam::{self.world.account_id}:role/{role}"
        return _keys(sts.assume_role(RoleArn=arn, RoleSessionName="at-work")["Credentials"])

    def client(self, service: str, who: dict[str, Any], region: str = "") -> Any:
        endpoint = self.world.client.endpoint
        return boto3.Session(botocore_session=core_session()).client(
            service, endpoint_url=endpoint, region_name=region or self.world.region, **who
        )

    def assume(self, who: dict[str, Any], *, region: str = "", **changed: Any) -> dict[str, Any]:
        """A session of the role; ``None`` leaves a parameter out."""
        asked = {"RoleSessionName": TICKET, "SourceIdentity": ALICE, **changed}
        given = {key: value for key, value in asked.items() if value is not None}
        return _keys(self.client("sts", who, region).assume_role(RoleArn=self.role_arn, **given)["Credentials"])


def _document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def _keys(credentials: dict[str, Any]) -> dict[str, Any]:
    return {
        "aws_access_key_id": credentials["AccessKeyId"],
        "aws_secret_access_key": credentials["SecretAccessKey"],
        "aws_session_token": credentials["SessionToken"],
    }


def denied(call: Callable[[], object]) -> bool:
    """Whether AWS says that the caller may not; any other error is one."""
    try:
        call()
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation"):
            raise
        return True
    return False


@pytest.fixture(scope="module")
def emergency(worlds: Worlds) -> Emergency:
    """An account and its deployments in one stack, with a break-glass role that is closed, and a ledger."""
    return up(worlds.new())


def up(world: World) -> Emergency:
    world.region = "us-east-1"
    changes_: dict[str, Any] = {"breakGlass": {}, "vendorActivity": {}}
    made = Emergency(world, world.copy_stack(ALL_IN_ONE, "emergency", changes_))
    world.up(made.stack).done()
    return made


@pytest.fixture(scope="module")
def alice(emergency: Emergency) -> dict[str, Any]:
    return emergency.people()


def test_by_default_there_is_no_such_role(world: World) -> None:
    resources = world.preview(ALL_IN_ONE).done().changed_types
    assert ("create", "iam:Role") in resources
    assert not {kind for _, kind in resources} & {"cloudwatch:EventRule", "cloudwatch:EventTarget"}


def test_a_closed_role_lets_nobody_in(emergency: Emergency, alice: dict[str, Any]) -> None:
    emergency.write()
    assert denied(lambda: emergency.assume(alice))
    assert denied(lambda: emergency.assume(alice, SourceIdentity=None))


def test_opening_it_changes_its_two_documents_and_nothing_else(emergency: Emergency, alice: dict[str, Any]) -> None:
    emergency.write()
    assert emergency.open() == {("update", "iam:Role"), ("update", "iam:RolePolicy")}
    assert emergency.assume(alice)


def test_an_open_role_lets_in_who_says_all_that_is_asked_for(emergency: Emergency, alice: dict[str, Any]) -> None:
    emergency.open()
    session = emergency.assume(alice)
    who = emergency.client("sts", session).get_caller_identity()["Arn"]
    assert who == f"arn:aws:sts::{emergency.world.account_id}:assumed-role/agents-BreakGlassRole/{TICKET}"


@pytest.mark.parametrize(
    "wrong",
    [
        {"SourceIdentity": None},
        {"SourceIdentity": "mallory@example.com"},
        {"RoleSessionName": "OPS-1235"},
        {"RoleSessionName": "without-a-ticket"},
        {"region": "us-west-2"},
    ],
    ids=str,
)
def test_an_open_role_lets_in_nobody_who_does_not(
    emergency: Emergency, alice: dict[str, Any], wrong: dict[str, Any]
) -> None:
    emergency.open()
    assert denied(lambda: emergency.assume(alice, **wrong))


def test_an_open_role_lets_in_nobody_who_is_not_named(emergency: Emergency) -> None:
    emergency.open()
    stranger = emergency.people("Developer")
    assert denied(lambda: emergency.assume(stranger))


def test_no_session_is_longer_than_an_hour(emergency: Emergency, alice: dict[str, Any]) -> None:
    emergency.open()
    with pytest.raises(ClientError, match="DurationSeconds exceeds"):
        emergency.assume(alice, DurationSeconds=3601)


@pytest.mark.parametrize(("begin", "end"), [(-2, -1), (1, 2)])
def test_outside_its_window_the_role_is_closed(
    emergency: Emergency, alice: dict[str, Any], begin: float, end: float
) -> None:
    emergency.open(begin, end)
    assert denied(lambda: emergency.assume(alice))


NARROW: dict[str, tuple[str, Call]] = {
    "read logs": ("logs", lambda c: c.filter_log_events(logGroupName="/aws/ecs/agents")),
    "list tasks": ("ecs", lambda c: c.list_tasks(cluster=CLUSTER)),
    "look at a service": ("ecs", lambda c: c.describe_services(cluster=CLUSTER, services=[SERVICE])),
    "restart a service": (
        "ecs",
        lambda c: c.update_service(cluster=CLUSTER, service=SERVICE, forceNewDeployment=True),
    ),
    "look at a database": ("rds", lambda c: c.describe_db_instances(DBInstanceIdentifier=DATABASE)),
    "reboot a database": ("rds", lambda c: c.reboot_db_instance(DBInstanceIdentifier=DATABASE)),
    "look at health": ("elbv2", lambda c: c.describe_target_groups()),
    "look at an alarm": ("cloudwatch", lambda c: c.describe_alarms(AlarmNames=["agents-assistant-errors"])),
}


def test_a_session_does_what_an_emergency_needs_until_its_end(emergency: Emergency, alice: dict[str, Any]) -> None:
    emergency.open()
    session = emergency.assume(alice)
    calls = {what: (emergency.client(service, session), call) for what, (service, call) in NARROW.items()}
    for client, call in calls.values():
        call(client)
    emergency.open(-2, -1)  # the end has come while the session is open
    through = [what for what, (client, call) in calls.items() if not denied(partial(call, client))]
    assert through == []


def test_a_session_loses_everything_when_the_role_is_closed(emergency: Emergency, alice: dict[str, Any]) -> None:
    emergency.open()
    logs = emergency.client("logs", emergency.assume(alice))
    _, read = NARROW["read logs"]
    read(logs)
    emergency.write(open=False)
    assert denied(lambda: read(logs))


FOREIGN_TASK = "arn:aws:ecs:us-east-1:111122223333:task-definition/other:1"
FORBIDDEN: dict[str, tuple[str, Call]] = {
    "secrets": ("secretsmanager", lambda c: c.get_secret_value(SecretId="agents/assistant/environment")),
    "secrets' names": ("secretsmanager", lambda c: c.list_secrets()),
    "roles": ("iam", lambda c: c.list_roles()),
    "its own policy": ("iam", lambda c: c.delete_role_policy(RoleName="agents-BreakGlassRole", PolicyName="x")),
    "other logs": ("logs", lambda c: c.filter_log_events(logGroupName="/aws/ecs/other")),
    "deleting logs": ("logs", lambda c: c.delete_log_group(logGroupName="/aws/ecs/agents")),
    "other clusters": ("ecs", lambda c: c.list_tasks(cluster="other-cluster")),
    "other services": ("ecs", lambda c: c.update_service(cluster="other", service="x", forceNewDeployment=True)),
    "other containers": (
        "ecs",
        lambda c: c.update_service(cluster=CLUSTER, service=SERVICE, taskDefinition=FOREIGN_TASK),
    ),
    "deleting a service": ("ecs", lambda c: c.delete_service(cluster=CLUSTER, service=SERVICE, force=True)),
    "other databases": ("rds", lambda c: c.reboot_db_instance(DBInstanceIdentifier="other")),
    "deleting a database": (
        "rds",
        lambda c: c.delete_db_instance(DBInstanceIdentifier=DATABASE, SkipFinalSnapshot=True),
    ),
    "changing a database": (
        "rds",
        lambda c: c.modify_db_instance(DBInstanceIdentifier=DATABASE, DeletionProtection=False),
    ),
    "its own alarm": ("events", lambda c: c.disable_rule(Name="agents-break-glass-used")),
    "networks": ("ec2", lambda c: c.describe_vpcs()),
}


def test_a_session_does_nothing_else(emergency: Emergency, alice: dict[str, Any]) -> None:
    emergency.open()
    session = emergency.assume(alice)
    through = [
        what
        for what, (service, call) in FORBIDDEN.items()
        if not denied(partial(call, emergency.client(service, session)))
    ]
    assert through == []


def test_from_another_account_it_also_takes_the_external_id(emergency: Emergency) -> None:
    world = emergency.world
    vendor = f"arn:aws:iam::{VENDOR_ACCOUNT}:role/BreakGlassSupport"
    keys = {key: value for key, value in world.client.control_plane(vendor).boto3.items() if value}
    theirs = boto3.client(
        "iam",
        endpoint_url=world.client.endpoint,
        region_name=world.region,
        **world.client.administrator(VENDOR_ACCOUNT).boto3,
    )
    world.configure_secret(emergency.stack, "breakGlassExternalId", EXTERNAL_ID)
    emergency.open(principals=[vendor])
    # Without a permission of their own to say who they are, they cannot.
    assert denied(lambda: emergency.assume(keys, ExternalId=EXTERNAL_ID))
    say = _document({"Effect": "Allow", "Action": "sts:SetSourceIdentity", "Resource": emergency.role_arn})
    theirs.put_role_policy(RoleName="BreakGlassSupport", PolicyName="say-who", PolicyDocument=say)
    assert emergency.assume(keys, ExternalId=EXTERNAL_ID)
    assert denied(lambda: emergency.assume(keys))
    assert denied(lambda: emergency.assume(keys, ExternalId="guessed"))
    state = b"".join(world.state_files().values())
    assert EXTERNAL_ID.encode() not in state
    world.configure(emergency.stack, {"breakGlassExternalId": None})
    emergency.write()


def test_its_use_and_the_ledger_lead_to_the_topic(emergency: Emergency) -> None:
    events, world = emergency.world.aws("events"), emergency.world
    topic = f"arn:aws:sns:us-east-1:{world.account_id}:agents-alarms"
    found = {rule["Name"]: json.loads(rule["EventPattern"]) for rule in events.list_rules()["Rules"]}
    # This stack has no cross-account role: the ledger tells of break-glass alone.
    assert found == {
        "agents-break-glass-used": role_assumed(emergency.role_arn),
        "agents-vendor-denied": calls_denied([emergency.role_arn]),
        "agents-vendor-delete": deletes([emergency.role_arn]),
        "agents-vendor-break-glass": changes([emergency.role_arn]),
    }
    for name in found:
        assert [target["Arn"] for target in events.list_targets_by_rule(Rule=name)["Targets"]] == [topic]
    policy = json.loads(world.aws("sns").get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"])
    principals = [statement["Principal"]["Service"] for statement in policy["Statement"]]
    assert principals == ["cloudwatch.amazonaws.com", "events.amazonaws.com"]


def test_a_second_run_changes_nothing(emergency: Emergency) -> None:
    emergency.write(open=False)
    assert set(emergency.world.up(emergency.stack).done().counts) == {"unchanged"}


def test_the_control_plane_cannot_switch_off_its_ledger_even_without_guardrails(world: World) -> None:
    access = {"controlPlane": "us", "guardrails": False}
    watched = world.copy_stack(ACCOUNT, "watched", {"vendorActivity": {}, "access": access})
    world.up(watched).done()
    external_id = world.workspace.deployment_config(CHAT).external_id
    assert external_id is not None
    keys = world.client.control_plane(f"arn:aws:iam::{VENDOR_ACCOUNT}:role/HostBackendRoleProd").boto3
    emergency = Emergency(world, watched)
    sts = emergency.client("sts", {key: value for key, value in keys.items() if value})
    role = f"arn:aws:iam::{world.account_id}:role/LangGraphCloudBYOCRole"
    secret = external_id.get_secret_value()
    session = sts.assume_role(RoleArn=role, RoleSessionName="byoc", ExternalId=secret)["Credentials"]
    events = emergency.client("events", _keys(session))
    pattern = json.dumps({"source": ["aws.nothing"]})
    assert denied(lambda: events.put_rule(Name="langgraph-cloud-vendor-denied", EventPattern=pattern))
    assert denied(lambda: events.remove_targets(Rule="langgraph-cloud-vendor-denied", Ids=["alarm-topic"]))
    assert denied(lambda: events.delete_rule(Name="langgraph-cloud-vendor-session"))
    assert not denied(lambda: events.put_rule(Name="theirs", EventPattern=pattern))


def test_without_the_sections_the_role_and_the_rules_go(world: World) -> None:
    emergency = up(world)
    world.configure(emergency.stack, {"breakGlass": None, "vendorActivity": None})
    assert world.up(emergency.stack).done().changed_types == {
        ("delete", "iam:Role"),
        ("delete", "iam:RolePolicy"),
        ("delete", "cloudwatch:EventRule"),
        ("delete", "cloudwatch:EventTarget"),
        ("delete", "index:BreakGlass"),
        ("delete", "index:VendorActivity"),
        ("update", "sns:Topic"),
    }
    assert world.aws("events").list_rules()["Rules"] == []
    roles = {role["RoleName"] for role in world.aws("iam").list_roles()["Roles"]}
    assert "agents-BreakGlassRole" not in roles
