"""``byoc status``, ``logs`` and ``events`` on the embedded AWS, through the cross-account role, in every mode of it."""

from __future__ import annotations

import json
import re

import pytest

from byoc.sandbox.emulator.faults import Fault
from tests.operations.operated_world import Operated
from tests.sandbox.sandbox_world import ACCOUNT, CHAT, SUPPORT

pytestmark = pytest.mark.slow

UTC_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z")
KEYS = [
    "kind",
    "stack",
    "deployment",
    "account",
    "region",
    "state",
    "health",
    "revision",
    "services",
    "url",
    "database",
    "cache",
    "alarms",
    "events",
    "findings",
]


def test_deployments_that_are_well_and_the_account_that_they_share(operated: Operated) -> None:
    code, rows = operated.status(ACCOUNT, CHAT, SUPPORT)
    assert code == 0
    assert [rows[stack]["health"] for stack in (ACCOUNT, CHAT, SUPPORT)] == ["healthy"] * 3
    assert list(rows[CHAT]) == KEYS
    chat, support = rows[CHAT], rows[SUPPORT]
    assert (chat["state"], chat["revision"]["number"], chat["revision"]["state"]) == ("READY", 1, "DEPLOYED")
    assert chat["url"] == "http://" + next(
        balancer["DNSName"]
        for balancer in operated.world.aws("elbv2").describe_load_balancers()["LoadBalancers"]
        if balancer["LoadBalancerName"] == "langgraph-cloud-chat"
    )
    assert {role: (item["running"], item["desired"]) for role, item in support["services"].items()} == {
        "api": (2, 2),
        "queue": (1, 1),
        "cache": (1, 1),
    }
    assert (support["database"]["state"], support["database"]["multiAz"]) == ("available", True)
    assert (support["cache"]["state"], support["alarms"]["on"]) == ("available", [])
    assert all(UTC_TIME.fullmatch(event["time"]) for event in support["events"])
    assert rows[ACCOUNT]["cluster"] == {
        "name": "langgraph-cloud-cluster",
        "state": "ACTIVE",
        "services": 5,
        "containers": 6,
    }
    assert operated.denied() == []


def test_people_see_a_table_and_below_it_what_few_stacks_have_more(operated: Operated) -> None:
    outcome = operated.byoc("status", CHAT)
    lines = outcome.out.splitlines()
    assert (outcome.code, lines[0].split()) == (
        0,
        ["stack", "state", "revision", "running", "health", "database", "cache", "alarms"],
    )
    assert " ".join(lines[1].split()) == "demo-chat READY 1 DEPLOYED 1/1 healthy available available 0"
    assert "demo-chat: the roll-out is done" in re.sub(r"demo-chat: \S+Z api: ", "demo-chat: ", outcome.out)


def test_a_stopped_database_is_down_and_the_finding_says_so(operated: Operated) -> None:
    rds = operated.world.aws("rds")
    rds.stop_db_instance(DBInstanceIdentifier="langgraph-cloud-chat")
    try:
        code, rows = operated.status(CHAT, SUPPORT)
        text = operated.byoc("status", CHAT).out
    finally:
        rds.start_db_instance(DBInstanceIdentifier="langgraph-cloud-chat")
    assert code == 1
    assert (rows[CHAT]["health"], rows[CHAT]["findings"]) == ("down", ["the database is stopped"])
    assert rows[SUPPORT]["health"] == "healthy"
    assert "demo-chat: the database is stopped" in text


def test_an_alarm_degrades_and_its_history_is_among_the_events(operated: Operated) -> None:
    alarms, name = operated.world.aws("cloudwatch"), "langgraph-cloud-chat-errors"
    alarms.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="12 answers of 500")
    code, rows = operated.status(CHAT)
    alarms.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="well again")
    assert (code, rows[CHAT]["health"], rows[CHAT]["findings"]) == (1, "degraded", ["alarm errors is on"])
    events = [event["text"] for event in json.loads(operated.byoc("events", CHAT, "--json").out)["events"]]
    assert events[-2:] == ["alarm errors is on: 12 answers of 500", "alarm errors is off"]


def test_without_a_container_behind_the_load_balancer_it_is_down(operated: Operated) -> None:
    elb = operated.world.aws("elbv2")
    groups = elb.describe_target_groups()["TargetGroups"]
    of_chat = next(group for group in groups if "langgraph-cloud-chat" in str(group["LoadBalancerArns"]))
    arn = of_chat["TargetGroupArn"]
    targets = [item["Target"] for item in elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]]
    assert len(targets) == 1
    elb.deregister_targets(TargetGroupArn=arn, Targets=targets)
    try:
        _, rows = operated.status(CHAT)
    finally:
        elb.register_targets(TargetGroupArn=arn, Targets=targets)
    assert rows[CHAT]["health"] == "down"
    assert rows[CHAT]["findings"] == ["no container behind the load balancer is healthy yet: none is registered"]


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("throttle", "rds:DescribeDBInstances: AWS is too busy for this account: Throttling"),
        ("503", "rds:DescribeDBInstances: AWS failed: ServiceUnavailable"),
        ("drop", "rds:DescribeDBInstances: no answer: Connection was closed"),
    ],
)
def test_one_service_that_does_not_answer_leaves_the_rest_known(operated: Operated, kind: str, why: str) -> None:
    operated.world.client.set_faults(Fault(kind=kind, actions=("rds:DescribeDBInstances",)))  # type: ignore[arg-type]
    code, rows = operated.status(CHAT)
    (finding,) = rows[CHAT]["findings"]
    assert finding.startswith(f"not known: database: {why}")
    assert (code, rows[CHAT]["state"], rows[CHAT]["health"]) == (1, "UNKNOWN", "unknown")
    assert rows[CHAT]["services"]["api"]["running"] == 1


def test_a_service_that_is_busy_for_a_moment_is_asked_again(operated: Operated) -> None:
    operated.world.client.set_faults(Fault(kind="throttle", actions=("ecs:*", "rds:*"), limit=4))
    assert operated.status(CHAT)[0] == 0


def test_a_wrong_external_id_hides_no_other_stack(operated: Operated) -> None:
    world = operated.world
    wrong = world.copy_stack(SUPPORT, "wrong-id", {})
    world.configure_secret(wrong, "externalId", "another-id-than-the-one-of-the-role-0123")
    code, rows = operated.status(wrong, CHAT)
    world.file(wrong).unlink()
    assert (code, rows[CHAT]["health"]) == (1, "healthy")
    assert list(rows[wrong]) == KEYS
    assert (rows[wrong]["state"], rows[wrong]["health"]) == ("UNKNOWN", "unknown")
    role = f"arn:aws:iam::{world.account_id}:role/LangGraphCloudBYOCRole"
    (finding,) = rows[wrong]["findings"]
    assert finding.endswith(f"{role} does not let these credentials in, or the external id is wrong")


def test_another_account_hides_no_other_stack(operated: Operated) -> None:
    world = operated.world
    other = world.copy_stack("all-in-one", "elsewhere", {"accountId": "999999999999"})
    text = world.file(other).read_text().replace(world.account_id, "999999999999")
    world.file(other).write_text(text)
    outcome = operated.byoc("status", other, CHAT)
    world.file(other).unlink()
    lines = outcome.out.splitlines()
    assert [line.split()[:2] for line in lines[1:4]] == [
        ["elsewhere/assistant", "UNKNOWN"],
        ["elsewhere/sandbox", "UNKNOWN"],
        ["demo-chat", "READY"],
    ]
    why = "the credentials are of account 640174622193, not of 999999999999 (--profile, AWS_PROFILE)"
    assert f"elsewhere/sandbox: not known: {why}" in lines
    assert lines[-1] == "1 healthy, 2 unknown"


def test_the_account_s_owner_sees_the_account_with_credentials_of_the_account(operated: Operated) -> None:
    code, rows = operated.status(ACCOUNT, "--profile", "account")
    assert (code, rows[ACCOUNT]["health"]) == (0, "healthy")
    assert operated.calls() == []  # no role was assumed


def test_watching_shows_it_again_until_ctrl_c_and_ends_with_the_last_exit_code(
    operated: Operated, monkeypatch: pytest.MonkeyPatch
) -> None:
    def looked(seconds: float) -> None:
        looks.append(seconds)
        if len(looks) == 2:
            raise KeyboardInterrupt

    looks: list[float] = []
    monkeypatch.setattr("byoc.cli.operations.status.time.sleep", looked)
    outcome = operated.byoc("status", CHAT, "--watch", "--json", "--interval", "3")
    assert (outcome.code, outcome.err, looks) == (0, "", [3.0, 3.0])
    found = [json.loads(line) for line in outcome.out.splitlines()]
    assert [item["summary"]["healthy"] for item in found] == [1, 1]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("logs", "nothing-like-it"), "there is no stack 'nothing-like-it'"),
        (("logs", ACCOUNT), f"{ACCOUNT}: there is no deployment"),
        (("logs", CHAT, "--since", "soon"), "--since is 'soon'"),
        (("logs", CHAT, "--follow", "--newest-first"), "--follow goes on for ever"),
        (("events",), "name the stacks to run, or all of them with --all, but not both"),
        (("events", CHAT, "--since", "soon"), "--since is 'soon'"),
        (("events", ACCOUNT), f"{ACCOUNT}: there is no deployment"),
        (("logs", CHAT, "--since", "2999-01-01"), "--since is '2999-01-01', which is still to come"),
        (("status", CHAT, "--interval", "5"), "--interval is between two looks of --watch"),
        (("status", CHAT, "--all"), "name the stacks to run, or all of them with --all, but not both"),
    ],
)
def test_wrong_input_is_code_2_and_nothing_is_asked(operated: Operated, words: tuple[str, ...], message: str) -> None:
    outcome = operated.byoc(*words)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith(f"error: {message}")
    assert operated.world.client.next_call() == operated.first


@pytest.mark.parametrize(
    "access",
    [
        {"controlPlane": "us", "guardrails": False},
        {"controlPlane": "us", "guardrails": True},
        {"controlPlane": "us", "mode": "scoped"},
    ],
    ids=["documented", "guarded", "scoped"],
)
def test_the_role_in_each_of_its_modes_lets_all_three_verbs_look(operated: Operated, access: dict[str, object]) -> None:
    operated.world.configure(ACCOUNT, {"access": access})
    operated.world.up(ACCOUNT).done()
    operated.first = operated.world.client.next_call()
    assert operated.status(ACCOUNT, CHAT, SUPPORT)[0] == 0
    for words in (("logs", SUPPORT), ("logs", SUPPORT, "--revision", "1"), ("events", CHAT, SUPPORT)):
        outcome = operated.byoc(*words)
        assert (outcome.code, outcome.err) == (0, ""), words
        assert len(outcome.out.splitlines()) > 1
    assert operated.denied() == []
    assert len({call["action"] for call in operated.calls()}) > 12


def test_who_may_only_observe_has_status_and_events_and_no_entry(operated: Operated) -> None:
    operated.world.configure(ACCOUNT, {"access": {"controlPlane": "us", "observeOnly": True}})
    operated.world.up(ACCOUNT).done()
    assert operated.status(CHAT)[0] == 0
    assert operated.byoc("events", CHAT).code == 0
    outcome = operated.byoc("logs", CHAT)
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.startswith(
        "error: logs:FilterLogEvents: denied by the policies of the role: no statement allows"
    )


@pytest.mark.parametrize("access", [{"observeOnly": True}, {"mode": "scoped"}], ids=["observe only", "scoped"])
def test_a_deployment_whose_notice_went_out_is_unused_and_healthy(
    operated: Operated, access: dict[str, object]
) -> None:
    world, secrets = operated.world, operated.world.aws("secretsmanager")
    world.configure(ACCOUNT, {"access": {"controlPlane": "us", **access}})
    world.up(ACCOUNT).done()
    retained = world.copy_stack(CHAT, "retained", {"retention": {}})
    secret = "langgraph-cloud/chat/environment"
    note = {"Key": "byoc-retention", "Value": "watched=2026-05-01 looked=2026-05-09 noticed=2026-05-09"}
    secrets.tag_resource(SecretId=secret, Tags=[note])
    unused = operated.status(retained)
    secrets.untag_resource(SecretId=secret, TagKeys=["byoc-retention"])
    used = operated.status(retained)
    world.file(retained).unlink()
    assert (unused[0], unused[1][retained]["state"], unused[1][retained]["health"]) == (0, "UNUSED", "healthy")
    assert unused[1][retained]["findings"] == [
        "unused: a notice went out on 2026-05-09; byoc retention says when it is deleted"
    ]
    assert (used[0], used[1][retained]["state"], used[1][retained]["findings"]) == (0, "READY", [])


def test_a_stack_that_nobody_brought_up_is_absent_and_down(operated: Operated) -> None:
    world = operated.world
    never = world.copy_stack(CHAT, "never", {"name": "never"})
    code, rows = operated.status(never)
    outcome = operated.byoc("events", never)
    world.file(never).unlink()
    assert (code, rows[never]["state"], rows[never]["revision"]["state"]) == (1, "ABSENT", "ABSENT")
    assert rows[never]["findings"][0] == "service api is not there"
    assert outcome.code == 0
    assert outcome.out.startswith("nothing since 20")
