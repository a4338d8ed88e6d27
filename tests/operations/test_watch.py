"""``byoc watch`` over the embedded AWS, as its control plane runs it: planted troubles, and no answers of AWS."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from byoc.automation.locks import held
from byoc.sandbox.emulator.faults import Fault
from byoc.sandbox.emulator.task_troubles import TaskTrouble
from tests.operations.operated_world import Operated
from tests.sandbox.sandbox_world import ACCOUNT, CHAT, SUPPORT, World, Worlds, is_read

pytestmark = pytest.mark.slow
CLUSTER, API = "langgraph-cloud-cluster", "langgraph-cloud-chat-api"
DATABASE = "langgraph-cloud-chat"
CAPACITY = "Capacity is unavailable at this time. Please try again later or in a different availability zone"
FAILED = {"rolloutState": "FAILED", "rolloutStateReason": "ECS deployment circuit breaker: tasks failed to start."}


@pytest.fixture(scope="module")
def running(worlds: Worlds) -> World:
    """The account and a deployment, up; a test that plants a trouble takes it away again."""
    world = worlds.new()
    for stack in (ACCOUNT, CHAT):
        world.up(stack).done()
    return world


@pytest.fixture
def operated(
    running: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, quick_retries: None
) -> Iterator[Operated]:
    """The command line over it, without tries of earlier tests."""
    for name in ("watch.json", "watch.jsonl"):
        (running.root / ".byoc" / name).unlink(missing_ok=True)
    yield Operated.of(running, capsys, monkeypatch)
    running.client.clear_faults()


def watch(operated: Operated, *words: str) -> tuple[int, dict[str, Any]]:
    """The exit code of ``byoc watch --json`` for the deployment, and what it says of it."""
    outcome = operated.byoc("watch", CHAT, *words, "--json")
    assert outcome.err == ""
    (found,) = json.loads(outcome.out)["deployments"]
    return outcome.code, found


def ids(found: dict[str, Any]) -> list[str]:
    """The ids of the findings."""
    return [finding["id"] for finding in found["findings"]]


def changing(operated: Operated) -> list[str]:
    """What the control plane asked AWS to change."""
    return [call["action"] for call in operated.calls() if not is_read(call["action"])]


@contextmanager
def stopped_database(world: World) -> Iterator[None]:
    """The customer stops the database; it runs again afterwards."""
    rds = world.aws("rds")
    rds.stop_db_instance(DBInstanceIdentifier=DATABASE)
    try:
        yield
    finally:
        (found,) = rds.describe_db_instances(DBInstanceIdentifier=DATABASE)["DBInstances"]
        if found["DBInstanceStatus"] == "stopped":
            rds.start_db_instance(DBInstanceIdentifier=DATABASE)


@contextmanager
def befallen(world: World, trouble: TaskTrouble) -> Iterator[None]:
    """A trouble at the API's service; it is rolled out anew afterwards."""
    world.client.befall(world.account_id, world.region, trouble)
    try:
        yield
    finally:
        world.aws("ecs").update_service(cluster=CLUSTER, service=API, forceNewDeployment=True)


def state_of_database(world: World) -> str:
    """RDS's word."""
    (found,) = world.aws("rds").describe_db_instances(DBInstanceIdentifier=DATABASE)["DBInstances"]
    return str(found["DBInstanceStatus"])


def test_a_deployment_that_is_well_has_no_findings(operated: Operated) -> None:
    code, found = watch(operated)
    assert (code, found["findings"], found["unknown"], found["deeds"]) == (0, [], [], [])
    assert operated.byoc("watch", CHAT).out == "demo-chat: well\n"


def test_a_stopped_database_is_started_only_when_asked_to(operated: Operated) -> None:
    world = operated.world
    with stopped_database(world):
        code, found = watch(operated)
        assert (code, ids(found)) == (1, ["database.stopped"])
        assert [deed["outcome"] for deed in found["deeds"]] == ["would"]
        assert (changing(operated), state_of_database(world)) == ([], "stopped")
        assert not (world.root / ".byoc" / "watch.json").exists()

        _, found = watch(operated, "--apply")
        assert [deed["outcome"] for deed in found["deeds"]] == ["done"]
        assert (changing(operated), state_of_database(world)) == (["rds:StartDBInstance"], "available")
    (line,) = (world.root / ".byoc" / "watch.jsonl").read_text().splitlines()
    assert (json.loads(line)["finding"], json.loads(line)["outcome"]) == ("database.stopped", "done")
    assert watch(operated)[0] == 0


def test_one_who_stops_it_again_is_not_fought_with(operated: Operated) -> None:
    for outcome in ("done", "waits"):
        with stopped_database(operated.world):
            _, found = watch(operated, "--apply")
            assert [deed["outcome"] for deed in found["deeds"]] == [outcome]
    assert changing(operated) == ["rds:StartDBInstance"]


def test_a_start_that_is_denied_is_told_with_the_layer(operated: Operated) -> None:
    iam, world = operated.world.aws("iam"), operated.world
    role = {"RoleName": "LangGraphCloudBYOCRole", "PolicyName": "NoStart"}
    deny = {"Effect": "Deny", "Action": "rds:StartDBInstance", "Resource": "*"}
    iam.put_role_policy(**role, PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [deny]}))
    try:
        with stopped_database(world):
            code, found = watch(operated, "--apply")
            assert state_of_database(world) == "stopped"
    finally:
        iam.delete_role_policy(**role)
    (deed,) = found["deeds"]
    assert (code, deed["outcome"]) == (1, "denied")
    assert deed["detail"] == ("rds:StartDBInstance: denied by an explicit deny in the policies of the role")


def test_containers_that_found_no_capacity_are_rolled_out_anew(operated: Operated) -> None:
    trouble = TaskTrouble(
        cluster=CLUSTER,
        service=API,
        reason=CAPACITY,
        rollout=FAILED,
        events=(f"was unable to place a task. Reason: {CAPACITY}.",),
    )
    with befallen(operated.world, trouble):
        _, found = watch(operated)
        assert ids(found)[:2] == ["tasks.capacity", "rollout.failed"]
        assert found["findings"][0]["evidence"] == [
            f"revision 1: {CAPACITY}",
            f"(service {API}) was unable to place a task. Reason: {CAPACITY}.",
        ]
        _, found = watch(operated, "--apply")
        assert [(deed["part"], deed["outcome"]) for deed in found["deeds"]] == [("api", "done")]
        assert changing(operated) == ["ecs:UpdateService"]
        code, found = watch(operated)
        assert (code, ids(found)) == (0, [])


def test_an_image_that_is_gone_is_for_a_person(operated: Operated) -> None:
    reason = (
        "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref x: not found"
    )
    with befallen(operated.world, TaskTrouble(cluster=CLUSTER, service=API, reason=reason, rollout=FAILED)):
        code, found = watch(operated, "--apply")
    assert code == 1
    assert ids(found)[:2] == ["tasks.image-not-found", "rollout.failed"]
    assert (found["deeds"], changing(operated)) == ([], [])


def test_a_want_of_memory_is_for_a_person(operated: Operated) -> None:
    trouble = TaskTrouble(
        cluster=CLUSTER,
        service=API,
        reason="Essential container in task exited",
        stop_code="EssentialContainerExited",
        containers=({"exitCode": 137, "reason": "OutOfMemoryError: Container killed due to memory usage"},),
    )
    with befallen(operated.world, trouble):
        _, found = watch(operated, "--apply")
    assert (ids(found)[0], found["deeds"]) == ("tasks.out-of-memory", [])


def test_an_alarm_that_is_gone_is_for_a_run(operated: Operated) -> None:
    cloudwatch = operated.world.aws("cloudwatch")
    name = "langgraph-cloud-chat-errors"
    (alarm,) = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    cloudwatch.delete_alarms(AlarmNames=[name])
    try:
        code, found = watch(operated, "--apply")
        assert (code, ids(found), changing(operated)) == (1, ["watching.alarm-absent"], [])
        assert found["findings"][0]["wayOut"] == "byoc up --refresh demo-chat makes it again"
    finally:
        figures = ("ComparisonOperator", "Threshold", "EvaluationPeriods", "DatapointsToAlarm", "TreatMissingData")
        wanted = ("AlarmName", "AlarmActions", "Metrics", *figures)
        cloudwatch.put_metric_alarm(**{key: alarm[key] for key in wanted})


def test_what_the_customer_added_is_shown_apart_from_what_is_ours(operated: Operated) -> None:
    ecs = operated.world.aws("ecs")
    (service,) = ecs.describe_services(cluster=CLUSTER, services=[API])["services"]
    arn = service["serviceArn"]
    ecs.tag_resource(resourceArn=arn, tags=[{"key": "team", "value": "agents"}])
    ecs.update_service(cluster=CLUSTER, service=API, enableExecuteCommand=True)
    try:
        outcome = operated.byoc("watch", CHAT, "--apply")
    finally:
        ecs.untag_resource(resourceArn=arn, tagKeys=["team"])
        ecs.update_service(cluster=CLUSTER, service=API, enableExecuteCommand=False)
    assert outcome.code == 1
    ours, _, kept = outcome.out.partition("  beside what is managed here, left as it is:\n")
    assert "a shell into its containers is open" in ours
    assert "service api has tags beside ours: team" in kept
    assert changing(operated) == []


# AWS does not answer


@pytest.mark.parametrize(
    "fault",
    [
        Fault(kind="throttle", actions=("ecs:DescribeTasks", "ecs:ListTasks")),
        Fault(kind="500", actions=("ecs:DescribeServices",)),
        Fault(kind="drop", actions=("ecs:ListTasks",)),
    ],
    ids=["throttled", "failed", "dropped"],
)
def test_what_aws_does_not_say_is_unknown_and_nothing_is_done(operated: Operated, fault: Fault) -> None:
    trouble = TaskTrouble(
        cluster=CLUSTER,
        service=API,
        reason=CAPACITY,
        rollout=FAILED,
        events=(f"was unable to place a task. Reason: {CAPACITY}.",),
    )
    with befallen(operated.world, trouble):
        operated.world.client.set_faults(fault)
        code, found = watch(operated, "--apply")
        operated.world.client.clear_faults()
    assert (code, found["deeds"], changing(operated)) == (1, [], [])
    assert any(text.startswith("not known: ") for text in found["unknown"])


def test_a_denied_question_is_unknown(operated: Operated) -> None:
    iam = operated.world.aws("iam")
    role = {"RoleName": "LangGraphCloudBYOCRole", "PolicyName": "Blind"}
    deny = {"Effect": "Deny", "Action": ["ec2:DescribeSecurityGroups", "rds:DescribeDBInstances"], "Resource": "*"}
    iam.put_role_policy(**role, PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [deny]}))
    try:
        with stopped_database(operated.world):
            code, found = watch(operated, "--apply")
    finally:
        iam.delete_role_policy(**role)
    assert (code, found["findings"], found["deeds"]) == (1, [], [])
    why = "denied by an explicit deny in the policies of the role"
    assert found["unknown"] == [
        f"not known: database: rds:DescribeDBInstances: {why}",
        f"not known: security groups: ec2:DescribeSecurityGroups: {why}",
    ]


def test_an_account_that_cannot_be_reached_is_unknown(operated: Operated, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    code, found = watch(operated, "--apply")
    assert (code, found["findings"], found["deeds"]) == (1, [], [])
    assert found["unknown"][0].startswith("not known: everything: ")


# The verb


def test_nothing_is_done_while_a_run_is_at_the_stack(operated: Operated) -> None:
    with stopped_database(operated.world), held(operated.world.root, [CHAT], words="up demo-chat"):
        _, found = watch(operated, "--apply")
        assert state_of_database(operated.world) == "stopped"
    (deed,) = found["deeds"]
    assert deed["outcome"] == "waits"
    assert deed["detail"].startswith("stack 'demo-chat' is being worked on by process ")


def test_a_stack_without_a_deployment_is_named(operated: Operated) -> None:
    outcome = operated.byoc("watch", ACCOUNT)
    assert (outcome.code, outcome.out) == (0, "no deployment of their own, nothing to watch: demo-account\n")


def test_a_deployment_that_was_never_made_says_so(operated: Operated) -> None:
    code, found = _support(operated)
    assert code == 1
    assert {"rollout.service-absent", "database.absent"} <= set(ids(found))
    assert found["deeds"] == []


def _support(operated: Operated) -> tuple[int, dict[str, Any]]:
    outcome = operated.byoc("watch", SUPPORT, "--apply", "--json")
    (found,) = json.loads(outcome.out)["deployments"]
    return outcome.code, found


@pytest.mark.parametrize("span", ["", "60", "5s", "9s", "1d", "-1m"])
def test_a_span_that_is_none_is_refused(operated: Operated, span: str) -> None:
    outcome = operated.byoc("watch", CHAT, f"--every={span}")
    assert outcome.code == 2
    assert f"--every is '{span}'" in outcome.err
    assert operated.calls() == []


def test_it_keeps_on_until_it_is_told_to_stop(operated: Operated, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr("byoc.cli.operations.watch.time.sleep", sleep)
    outcome = operated.byoc("watch", CHAT, "--every", "5m", "--json")
    assert (outcome.code, pauses) == (0, [300, 300])
    assert [json.loads(line)["well"] for line in outcome.out.splitlines()] == [True, True]


def test_a_config_that_changes_meanwhile_is_read_again_and_a_broken_one_is_told_and_waited_for(
    operated: Operated, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = operated.world.root / "stacks" / f"Pulumi.{CHAT}.yaml"
    before = file.read_text()
    steps = [
        lambda: file.write_text(before.replace("config:\n", "config:\n  byoc:tags:\n    team: agents\n", 1)),
        lambda: file.write_text("config: [\n"),
        lambda: file.write_text(before),
    ]

    def sleep(_seconds: float) -> None:
        if not steps:
            raise KeyboardInterrupt
        steps.pop(0)()

    monkeypatch.setattr("byoc.cli.operations.watch.time.sleep", sleep)
    try:
        outcome = operated.byoc("watch", CHAT, "--every", "5m", "--json")
    finally:
        file.write_text(before)
    first, changed, mended = [json.loads(line) for line in outcome.out.splitlines()]
    assert (outcome.code, first["well"], mended["well"]) == (0, True, True)
    words = [finding["words"] for found in changed["deployments"] for finding in found["findings"]]
    assert any(text.endswith("lacks its tags, or has others: team") for text in words)
    assert outcome.err.startswith("error: ")
    assert f"Pulumi.{CHAT}.yaml" in outcome.err
