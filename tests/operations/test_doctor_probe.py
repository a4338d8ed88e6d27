"""The egress probe against given answers of AWS: what it asks, what becomes of refusals, and what it leaves."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest

from byoc.errors import ByocError
from byoc.operations.answers import AbsentError, DeniedError, NoAnswerError
from byoc.operations.doctor import probe
from byoc.operations.doctor.asking import NoAnswer
from byoc.operations.doctor.checks import Area, Check, Verdict, failed, unknown
from byoc.operations.doctor.probe import Ended, Told, answers_of, run_probe
from byoc.operations.doctor.probe_judge import judge_probe, no_image, without_probe
from byoc.operations.doctor.probe_plan import Plan
from byoc.operations.doctor.probe_site import Site
from tests.operations.fake_account import Answer, FakeAccount

LICENCE, TRACES = "beacon.langchain.com:443", "api.smith.langchain.com:443"
PLAN = Plan(
    stack="demo-chat",
    image="123456789012.dkr.ecr.us-west-2.amazonaws.com/agents/chat:1.0.0",
    destinations=(LICENCE, TRACES),
    family="langgraph-cloud-chat-egress-probe",
    cluster="langgraph-cloud-cluster",
    log_group="/aws/ecs/langgraph-cloud",
    log_prefix="chat-egress-probe",
    execution_role_arn="arn:aws:iam::123456789012:role/LangGraphCloudECSTaskExecutionRole",
    service_group="langgraph-cloud-service-sg",
    tags={"byoc-install": "langgraph-cloud", "byoc-deployment": "chat"},
)
SITE = Site(subnet_ids=("subnet-1", "subnet-2"), group_id="sg-1")
DEFINITION = "arn:aws:ecs:us-west-2:123456789012:task-definition/langgraph-cloud-chat-egress-probe:7"
EARLIER = DEFINITION.replace(":7", ":6")
TASK = "arn:aws:ecs:us-west-2:123456789012:task/langgraph-cloud-cluster/0a1b"
LINE = json.dumps({"byocEgress": {LICENCE: {"stage": "reached", "tls": "TLSv1.3"}, TRACES: {"stage": "dns"}}})
RUNNING = {
    "taskArn": TASK,
    "lastStatus": "RUNNING",
    "startedAt": "now",
    "availabilityZone": "us-west-2a",
    "attachments": [{"details": [{"name": "subnetId", "value": "subnet-1"}]}],
}
ENDED = {**RUNNING, "lastStatus": "STOPPED", "containers": [{"exitCode": 0}]}
TAKEN_AWAY = {
    "ecs:StopTask": {"task": {}},
    "ecs:DeregisterTaskDefinition": {},
    "ecs:DeleteTaskDefinitions": {"taskDefinitions": [], "failures": []},
    "ecs:ListTaskDefinitions": {"taskDefinitionArns": []},
}
WELL: Mapping[str, Answer] = {
    "ecs:RegisterTaskDefinition": {"taskDefinition": {"taskDefinitionArn": DEFINITION}},
    "ecs:DescribeTasks": {"tasks": [RUNNING]},
    "logs:GetLogEvents": {"events": [{"message": "starting"}, {"message": LINE}], "nextForwardToken": "f/1"},
    **TAKEN_AWAY,
}


def _run_task(answer: Answer) -> Answer:
    """What ``ecs:RunTask`` answers for the definition; the trial before it names a revision that is not there."""

    def answered(arguments: Mapping[str, Any]) -> Answer:
        if arguments["taskDefinition"] == DEFINITION:
            return answer
        assert arguments["taskDefinition"] == f"{PLAN.family}:2147483647"
        return ByocError("ecs:RunTask: ClientException: TaskDefinition not found.")

    return answered


def _denied(action: str) -> DeniedError:
    return DeniedError(action, "with an explicit deny in a service control policy")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "POLL_SECONDS", 0.001)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that does not come is not waited for."""
    monkeypatch.setattr(probe, "LOG_DELAY", timedelta(seconds=0.05))
    monkeypatch.setattr(probe, "LIMIT", timedelta(seconds=0.3))


def _run(answers: Mapping[str, Answer], stop: threading.Event | None = None) -> tuple[Ended, FakeAccount]:
    started = _run_task({"tasks": [{"taskArn": TASK}], "failures": []})
    account = FakeAccount({**WELL, "ecs:RunTask": started, **answers})
    return run_probe(account, PLAN, SITE, stop or threading.Event()), account


def _silence(answers: Mapping[str, Answer]) -> tuple[str, str, tuple[str, ...]]:
    """Why there is no answer, the way out, and what was left."""
    ended, account = _run(answers)
    assert isinstance(ended.outcome, NoAnswer)
    _assert_taken_away(account)
    return ended.outcome.why, ended.outcome.remedy, ended.left


def _assert_taken_away(account: FakeAccount) -> None:
    asked = [action for action, _ in account.asked]
    if "ecs:RegisterTaskDefinition" in asked:
        assert ("ecs:DeregisterTaskDefinition", {"taskDefinition": DEFINITION}) in account.asked
        assert ("ecs:DeleteTaskDefinitions", {"taskDefinitions": [DEFINITION]}) in account.asked


def _in_turn(*answers: Answer) -> Answer:
    """One answer after another; the last one for good."""
    rest: Iterator[Answer] = iter(answers)
    current: list[Answer] = []

    def answer(_arguments: Mapping[str, Any]) -> Answer:
        current[:] = [next(rest, *current)]
        return current[0]

    return answer


# What it asks


def test_it_runs_one_small_task_without_rights_or_public_address_and_takes_everything_away() -> None:
    ended, account = _run({})
    assert ended == Ended(
        outcome=Told(
            answers={LICENCE: {"stage": "reached", "tls": "TLSv1.3"}, TRACES: {"stage": "dns"}},
            where="subnet-1 (us-west-2a)",
        ),
        made=True,
        left=(),
    )
    asked = dict(account.asked)
    tags = [{"key": "byoc-install", "value": "langgraph-cloud"}, {"key": "byoc-deployment", "value": "chat"}]
    definition = asked["ecs:RegisterTaskDefinition"]
    (container,) = definition.pop("containerDefinitions")
    assert definition == {
        "family": PLAN.family,
        "requiresCompatibilities": ["FARGATE"],
        "networkMode": "awsvpc",
        "cpu": "256",
        "memory": "512",
        "executionRoleArn": PLAN.execution_role_arn,
        "runtimePlatform": {"operatingSystemFamily": "LINUX", "cpuArchitecture": "X86_64"},
        "tags": tags,
    }
    assert container["image"] == PLAN.image
    assert container["entryPoint"] == ["python3", "-c"]
    assert container["command"][0].startswith('"""What ``byoc doctor --probe-egress`` runs in a container')
    assert container["environment"] == [{"name": "BYOC_EGRESS", "value": f"{LICENCE} {TRACES}"}]
    task = asked["ecs:RunTask"]
    assert task.pop("startedBy").startswith("byoc-doctor-")
    assert task == {
        "cluster": PLAN.cluster,
        "taskDefinition": DEFINITION,
        "launchType": "FARGATE",
        "count": 1,
        "tags": tags,
        "networkConfiguration": {
            "awsvpcConfiguration": {
                "subnets": ["subnet-1", "subnet-2"],
                "securityGroups": ["sg-1"],
                "assignPublicIp": "DISABLED",
            }
        },
    }
    assert asked["logs:GetLogEvents"]["logStreamName"] == "chat-egress-probe/probe/0a1b"
    assert [action for action, _ in account.asked][-6:] == [
        "logs:GetLogEvents",
        "ecs:StopTask",
        "ecs:ListTaskDefinitions",
        "ecs:DeregisterTaskDefinition",
        "ecs:ListTaskDefinitions",
        "ecs:DeleteTaskDefinitions",
    ]


def test_the_answer_may_come_after_the_task_has_ended_and_on_a_later_page() -> None:
    empty = {"events": [], "nextForwardToken": "f/1"}
    told = {"events": [{"message": LINE}], "nextForwardToken": "f/2"}
    ended, account = _run(
        {
            "ecs:DescribeTasks": _in_turn({"tasks": [{"lastStatus": "PENDING"}]}, {"tasks": [ENDED]}),
            "logs:GetLogEvents": _in_turn(AbsentError("no stream"), empty, empty, empty, told),
        }
    )
    assert isinstance(ended.outcome, Told)
    assert "ecs:StopTask" not in dict(account.asked)  # it has ended


@pytest.mark.parametrize(
    ("refusal", "why"),
    [
        (_denied("ecs:RunTask"), "ecs:RunTask: denied by an explicit deny in a service control policy"),
        (NoAnswerError("ecs:RunTask", "AWS is too busy", "repeat it later"), "ecs:RunTask: AWS is too busy"),
    ],
)
def test_where_tasks_may_not_be_run_nothing_is_registered(refusal: Exception, why: str) -> None:
    ended, account = _run({"ecs:RunTask": refusal})
    assert isinstance(ended.outcome, NoAnswer)
    assert ended.outcome.why.startswith(why)
    assert (ended.left, [action for action, _ in account.asked]) == ((), ["ecs:RunTask"])


def test_what_an_interrupted_probe_left_goes_as_well() -> None:
    def revisions(arguments: Mapping[str, Any]) -> Answer:
        assert arguments["familyPrefix"] == PLAN.family
        return {"taskDefinitionArns": [EARLIER, DEFINITION] if arguments["status"] == "ACTIVE" else []}

    _, account = _run({"ecs:ListTaskDefinitions": revisions})
    assert ("ecs:DeregisterTaskDefinition", {"taskDefinition": EARLIER}) in account.asked
    assert ("ecs:DeleteTaskDefinitions", {"taskDefinitions": [DEFINITION, EARLIER]}) in account.asked


# Where AWS does not answer


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("action", "answer", "why"),
    [
        (
            "ecs:RegisterTaskDefinition",
            _denied("ecs:RegisterTaskDefinition"),
            "ecs:RegisterTaskDefinition: denied by an explicit deny in a service control policy of the organization",
        ),
        (
            "ecs:RunTask",
            _denied("ecs:RunTask"),
            "ecs:RunTask: denied by an explicit deny in a service control policy of the organization",
        ),
        ("ecs:RunTask", AbsentError("ClusterNotFoundException: Cluster not found."), "ClusterNotFoundException"),
        ("ecs:RunTask", {"tasks": [], "failures": [{"reason": "RESOURCE:ENI"}]}, "did not start: RESOURCE:ENI"),
        ("ecs:RunTask", {}, "did not start: ECS gave no task, and no reason"),
        ("ecs:RunTask", {"tasks": [{}]}, "AWS's answer has no 'taskArn'"),
        ("ecs:RunTask", ByocError("ecs:RunTask: ClientException: odd\nmore"), "ecs:RunTask: ClientException: odd"),
        ("ecs:DescribeTasks", _denied("ecs:DescribeTasks"), "ecs:DescribeTasks: denied by an explicit deny in"),
        ("logs:GetLogEvents", _denied("logs:GetLogEvents"), "logs:GetLogEvents: denied by an explicit deny in"),
        ("logs:GetLogEvents", NoAnswerError("logs:GetLogEvents", "busy", "later"), "no answer within 0 minutes"),
        ("ecs:DescribeTasks", NoAnswerError("ecs:DescribeTasks", "busy", "later"), "the task was PROVISIONING"),
        ("ecs:DescribeTasks", {"tasks": [{"lastStatus": "PENDING"}]}, "the task was PENDING"),
        ("ecs:DescribeTasks", {"tasks": [], "failures": [{"reason": "MISSING"}]}, "the task was PROVISIONING"),
        ("logs:GetLogEvents", {"events": [{"message": "no line of ours"}]}, "the task was RUNNING"),
    ],
)
def test_what_cannot_be_told_is_unknown_with_the_reason_and_nothing_stays(
    action: str, answer: Answer, why: str
) -> None:
    listed: dict[str, Answer] = {"ecs:ListTasks": {"taskArns": []}}
    if action == "ecs:RegisterTaskDefinition":
        listed["ecs:ListTaskDefinitions"] = {"taskDefinitionArns": [DEFINITION]}
    told, _, left = _silence({**listed, action: _run_task(answer) if action == "ecs:RunTask" else answer})
    assert why in told
    assert left == ()


@pytest.mark.parametrize(
    ("task", "why", "remedy"),
    [
        (
            {
                "stopCode": "TaskFailedToStart",
                "stoppedReason": "CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to "
                "resolve ref x/agents/chat:1.0.0: dial tcp 52.94.0.1:443: i/o timeout",
            },
            "the probe's container did not start: the registry cannot be reached (CannotPullContainerError",
            "see that the private subnets reach AWS",
        ),
        (
            {"stoppedReason": "ECS was unable to assume the role 'arn:x' that was provided for this task."},
            "did not start: ECS cannot assume one of its roles (ECS was unable to assume the role 'arn:x'",
            "byoc up of the account stack",
        ),
        (
            {
                "stoppedReason": "Task failed to start",
                "containers": [{"reason": "CannotStartContainerError: no python3"}],
            },
            "did not start: its image cannot be started (CannotStartContainerError: no python3; Task failed to start)",
            "see that the image is one that langgraph build made",
        ),
        ({"stoppedReason": "Something new"}, "the probe's container did not start: Something new", "see AWS's words"),
        ({}, "the task ended before its container started, and ECS does not say why", "see AWS's words"),
    ],
)
def test_a_container_that_does_not_start_is_diagnosed_as_those_of_services_are(
    task: Mapping[str, Any], why: str, remedy: str
) -> None:
    stopped = {"tasks": [{"lastStatus": "STOPPED", **task}]}
    told, way_out, left = _silence({"ecs:DescribeTasks": stopped, "logs:GetLogEvents": AbsentError("no stream")})
    assert why in told
    assert way_out.startswith(remedy)
    assert left == ()


@pytest.mark.usefixtures("impatient")
def test_a_container_that_ends_without_an_answer_is_unknown_and_its_log_is_named() -> None:
    task = {**ENDED, "containers": [{"exitCode": 1, "reason": "odd"}]}
    why, remedy, _ = _silence({"ecs:DescribeTasks": {"tasks": [task]}, "logs:GetLogEvents": {"events": []}})
    assert why == "the probe's container ended (exit code 1; odd) without an answer"
    assert "stream chat-egress-probe/probe/0a1b of /aws/ecs/langgraph-cloud" in remedy


# The end


def test_an_interruption_ends_the_wait_and_takes_everything_away() -> None:
    stop = threading.Event()
    stop.set()
    ended, account = _run({}, stop)
    assert ended == Ended(outcome=NoAnswer(why="the probe was interrupted", remedy="repeat it"), made=True, left=())
    assert "ecs:StopTask" in dict(account.asked)
    _assert_taken_away(account)


def test_an_error_of_ones_own_takes_everything_away_and_goes_on() -> None:
    started = _run_task({"tasks": [{"taskArn": TASK}], "failures": []})
    account = FakeAccount({**WELL, "ecs:RunTask": started, "ecs:DescribeTasks": MemoryError()})
    with pytest.raises(MemoryError):
        run_probe(account, PLAN, SITE, threading.Event())
    assert "ecs:StopTask" in dict(account.asked)
    _assert_taken_away(account)


def test_a_task_whose_start_was_not_answered_is_found_by_its_mark_and_stopped() -> None:
    lost = NoAnswerError("ecs:RunTask", "no answer: closed", "repeat")
    ended, account = _run({"ecs:RunTask": _run_task(lost), "ecs:ListTasks": {"taskArns": [TASK]}})
    asked = dict(account.asked)
    assert asked["ecs:ListTasks"] == {"cluster": PLAN.cluster, "startedBy": asked["ecs:RunTask"]["startedBy"]}
    assert asked["ecs:StopTask"]["task"] == TASK
    assert ended.left == ()


def test_a_task_that_perhaps_runs_is_told() -> None:
    lost = NoAnswerError("ecs:RunTask", "no answer: closed", "repeat")
    ended, _ = _run({"ecs:RunTask": _run_task(lost), "ecs:ListTasks": _denied("ecs:ListTasks")})
    (left,) = ended.left
    assert left.startswith("perhaps a task of langgraph-cloud-cluster started by byoc-doctor-")
    assert "ecs:ListTasks: denied by" in left


def test_a_definition_whose_registration_was_not_answered_goes_or_is_told() -> None:
    lost = NoAnswerError("ecs:RegisterTaskDefinition", "no answer: closed", "repeat")
    ended, account = _run(
        {"ecs:RegisterTaskDefinition": lost, "ecs:ListTaskDefinitions": {"taskDefinitionArns": [DEFINITION]}}
    )
    assert ended.left == ()
    _assert_taken_away(account)
    listing = _denied("ecs:ListTaskDefinitions")
    ended, _ = _run({"ecs:RegisterTaskDefinition": lost, "ecs:ListTaskDefinitions": listing})
    (left,) = ended.left
    assert left.startswith(
        "perhaps a task definition langgraph-cloud-chat-egress-probe: ecs:ListTaskDefinitions: denied"
    )


@pytest.mark.parametrize(
    ("action", "answer", "left"),
    [
        ("ecs:StopTask", _denied("ecs:StopTask"), "langgraph-cloud-cluster/0a1b: ecs:StopTask: denied by an explicit"),
        (
            "ecs:DeregisterTaskDefinition",
            NoAnswerError("ecs:DeregisterTaskDefinition", "AWS is too busy", "later"),
            "langgraph-cloud-chat-egress-probe:7: ecs:DeregisterTaskDefinition: AWS is too busy",
        ),
        (
            "ecs:DeleteTaskDefinitions",
            {"failures": [{"arn": DEFINITION, "reason": "still in ACTIVE status"}]},
            "still in ACTIVE status",
        ),
    ],
)
def test_what_cannot_be_taken_away_is_told_and_the_rest_goes(action: str, answer: Answer, left: str) -> None:
    ended, account = _run({action: answer})
    assert isinstance(ended.outcome, Told)
    (told,) = ended.left
    assert left in told
    assert {"ecs:StopTask", "ecs:DeregisterTaskDefinition", "ecs:DeleteTaskDefinitions"} <= dict(account.asked).keys()


# Lines of the log


@pytest.mark.parametrize(
    "message", ["", "no JSON", "[]", "null", "{}", '{"byocEgress": []}', '{"byocEgress": null}', '{"other": {}}']
)
def test_a_line_that_is_not_the_probes_is_passed_over(message: str) -> None:
    assert answers_of(message) is None


def test_half_an_answer_is_taken_for_what_it_is() -> None:
    assert answers_of('{"byocEgress": {"a:1": {"stage": "tcp"}, "b:2": "odd"}}') == {"a:1": {"stage": "tcp"}}


# Judgement


BEFORE = (unknown(Area.EGRESS, LICENCE, "cannot be tried from outside"), unknown(Area.EGRESS, TRACES, "the same"))


def _judged(answer: Mapping[str, str], plan: Plan = PLAN) -> Check:
    outcome = Told(answers={LICENCE: answer}, where="subnet-1 (us-west-2a)")
    return judge_probe(plan, Ended(outcome=outcome, made=True, left=()), BEFORE)[0]


@pytest.mark.parametrize(
    ("answer", "verdict", "evidence"),
    [
        (
            {"stage": "reached", "tls": "TLSv1.3", "issuer": "Example Trust"},
            "pass",
            "reached from subnet-1 (us-west-2a) over TLSv1.3, certificate by Example Trust",
        ),
        ({"stage": "reached"}, "pass", "reached from subnet-1 (us-west-2a) over TLS"),
        (
            {"stage": "dns", "why": "no such name"},
            "fail",
            "its name is not found from subnet-1 (us-west-2a): no such name",
        ),
        ({"stage": "tcp", "why": "timed out"}, "fail", "no connection from subnet-1 (us-west-2a): timed out"),
        ({"stage": "tls", "why": "x"}, "fail", "connected, but TLS fails from subnet-1 (us-west-2a): x"),
        ({"stage": "tcp"}, "fail", "no connection from subnet-1 (us-west-2a): no reason told"),
        ({"stage": "new"}, "unknown", "the probe's container did not say what became of it"),
        ({}, "unknown", "the probe's container did not say what became of it"),
    ],
)
def test_where_a_host_ended_decides(answer: Mapping[str, str], verdict: str, evidence: str) -> None:
    check = _judged(answer)
    assert (check.verdict.value, check.evidence) == (verdict, evidence)
    assert bool(check.remedy) is (verdict != "pass")


def test_a_deployment_that_goes_another_way_than_the_probe_is_not_judged_by_it() -> None:
    from dataclasses import replace

    proxied = replace(PLAN, elsewhere=("HTTPS_PROXY",))
    check = _judged({"stage": "tcp", "why": "timed out"}, proxied)
    assert check.verdict is Verdict.UNKNOWN
    assert check.evidence.endswith("timed out; the deployment sets HTTPS_PROXY, which the probe does not use")
    assert _judged({"stage": "reached"}, proxied).verdict is Verdict.PASS


def test_without_an_answer_a_missing_route_still_fails() -> None:
    before = (failed(Area.EGRESS, LICENCE, "no route", "make one"), BEFORE[1])
    silent = NoAnswer(why="the probe was interrupted", remedy="repeat it")
    checks = judge_probe(PLAN, Ended(outcome=silent, made=True, left=()), before)
    assert checks[:2] == (before[0], unknown(Area.EGRESS, TRACES, "the probe was interrupted", "repeat it"))
    assert checks[:2] == without_probe(PLAN, silent, before)
    assert (checks[2].name, checks[2].verdict) == ("end of the probe", Verdict.PASS)


def test_what_is_left_fails_with_commands_that_take_it_away() -> None:
    told = Told(answers={}, where="")
    check = judge_probe(PLAN, Ended(outcome=told, made=True, left=("a: denied", "b: denied")), BEFORE)[-1]
    assert (check.verdict, check.evidence) == (Verdict.FAIL, "could not be taken away: a: denied; b: denied")
    assert "aws ecs list-task-definitions --family-prefix langgraph-cloud-chat-egress-probe" in check.remedy


def test_an_account_stack_without_deployments_has_no_image_to_run() -> None:
    check = no_image("demo-account")
    assert check.verdict is Verdict.UNKNOWN
    assert check.evidence == "cannot be probed: an account stack without deployments has no image to run"
    assert "instead of demo-account" in check.remedy


def test_what_it_costs_and_makes_is_told_beforehand() -> None:
    text = "\n".join(PLAN.announcement())
    for words in (
        "registers a task definition langgraph-cloud-chat-egress-probe and runs it once, as a Fargate task of ",
        "0.25 vCPU and 0.5 GB, for 5 minutes at most",
        "in security group langgraph-cloud-service-sg, without a public address",
        f"connects to {LICENCE}, {TRACES}, and sends nothing",
        "costs a fraction of a cent",
    ):
        assert words in text
