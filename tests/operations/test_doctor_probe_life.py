"""``byoc doctor --probe-egress`` on the embedded AWS, as its users run it."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from byoc.operations.doctor import probe
from byoc.operations.sessions import ATTEMPTS
from byoc.sandbox.aws_profiles import ACCOUNT as OWNER
from byoc.sandbox.emulator.faults import Fault
from byoc.sandbox.emulator.single_tasks import Reach
from byoc.types import AwsAccount
from tests.operations.test_doctor_life import Doctor, push_index
from tests.sandbox.cli_runner import Outcome
from tests.sandbox.sandbox_world import ACCOUNT, ALL_IN_ONE, CHAT, World, Worlds

pytestmark = pytest.mark.slow

LICENCE, TRACES = "egress: beacon.langchain.com:443", "egress: api.smith.langchain.com:443"
END = "egress: end of the probe"
OWN = ("--profile", OWNER, "--own-credentials")
PROBE = ("--probe-egress", "--yes")
FAMILY, CLUSTER = "langgraph-cloud-chat-egress-probe", "langgraph-cloud-cluster"


@pytest.fixture(scope="module")
def ready(worlds: Worlds) -> World:
    """An account stack and an image; the deployment is not there yet."""
    world = worlds.new()
    world.up(ACCOUNT).done()
    push_index(world, "agents/chat", "1.0.0", "amd64")
    return world


@pytest.fixture
def doctor(ready: World, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: Any) -> Iterator[Doctor]:
    """The command; the network lets everything pass again afterwards."""
    monkeypatch.setattr(probe, "POLL_SECONDS", 0.01)
    yield Doctor(capsys, tmp_path / "profiles")
    _set(ready, Reach())
    ready.client.clear_faults()


def _set(world: World, reach: Reach) -> None:
    world.client.reach(world.account_id, "us-west-2", reach)


def _left(world: World) -> dict[str, Any]:
    """What there is of the probe's kind of things."""
    ecs = world.aws("ecs")
    listed = {
        status: ecs.list_task_definitions(familyPrefix=FAMILY, status=status)["taskDefinitionArns"]
        for status in ("ACTIVE", "INACTIVE")
    }
    return {**listed, "tasks": ecs.list_tasks(cluster=CLUSTER)["taskArns"]}


NOTHING: dict[str, Any] = {"ACTIVE": [], "INACTIVE": [], "tasks": []}


def test_it_answers_before_the_deployment_exists_and_leaves_nothing(ready: World, doctor: Doctor) -> None:
    before, first = ready.kinds(), ready.client.next_call()
    code, checks = doctor.checks(ready, CHAT, *PROBE, *OWN)
    assert code == 0
    verdict, evidence = checks[LICENCE]
    assert verdict == "pass"
    assert evidence.startswith("reached from subnet-")
    assert evidence.endswith("(us-west-2a) over TLSv1.3, certificate by embedded AWS")
    assert checks[TRACES][0] == "pass"
    assert checks[END] == ("pass", "nothing of it is left: its task has ended, its definition is deleted")
    assert _left(ready) == NOTHING
    assert ready.kinds() == before
    actions = [call["action"] for call in ready.calls(since=first)]
    for action in ("RegisterTaskDefinition", "StopTask", "DeregisterTaskDefinition", "DeleteTaskDefinitions"):
        assert actions.count(f"ecs:{action}") == 1
    assert actions.count("ecs:RunTask") == 2  # the first one is a trial, and names a revision that is not there


@pytest.mark.parametrize(
    ("answer", "evidence"),
    [
        ({"stage": "tcp", "why": "timed out"}, "no connection from subnet-"),
        ({"stage": "dns", "why": "Name or service not known"}, "its name is not found from subnet-"),
        ({"stage": "tls", "why": "certificate verify failed"}, "connected, but TLS fails from subnet-"),
    ],
)
def test_a_firewall_fails_for_the_host_that_it_closes(
    ready: World, doctor: Doctor, answer: dict[str, str], evidence: str
) -> None:
    _set(ready, Reach(hosts={"beacon.langchain.com:443": answer}))
    code, checks = doctor.checks(ready, CHAT, *PROBE, *OWN)
    assert (code, checks[LICENCE][0], checks[TRACES][0]) == (1, "fail", "pass")
    assert checks[LICENCE][1].startswith(evidence)
    assert checks[LICENCE][1].endswith(answer["why"])


@pytest.mark.parametrize(
    ("reach", "why"),
    [
        (Reach(failures=("RESOURCE:ENI",)), "the probe's container did not start: RESOURCE:ENI"),
        (
            Reach(stopped_reason="ResourceInitializationError: unable to pull secrets or registry auth: i/o timeout"),
            "the probe's container did not start: Secrets Manager cannot be reached (",
        ),
        (Reach(exit_code=1), "the probe's container ended (exit code 1) without an answer"),
        (Reach(pending=True), "no answer within 0 minutes; the task was PENDING"),
    ],
)
def test_a_probe_that_cannot_run_is_unknown_and_goes(
    ready: World, doctor: Doctor, reach: Reach, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from datetime import timedelta

    monkeypatch.setattr(probe, "LIMIT", timedelta(seconds=1))
    monkeypatch.setattr(probe, "LOG_DELAY", timedelta(seconds=0.1))
    _set(ready, reach)
    code, checks = doctor.checks(ready, CHAT, *PROBE, *OWN)
    assert (code, checks[LICENCE][0], checks[END][0]) == (3, "unknown", "pass")
    assert checks[LICENCE][1].startswith(why)
    assert _left(ready) == NOTHING


@pytest.mark.usefixtures("quick_retries")
@pytest.mark.parametrize("when", ["before", "after"])
def test_answers_that_are_lost_leave_nothing_behind(ready: World, doctor: Doctor, when: Any) -> None:
    """Every answer to the call that starts the task is lost; and the first one of the registration."""
    ready.client.set_faults(
        # The first one is the trial, which starts nothing.
        *(Fault(kind="drop", actions=("ecs:RunTask",), when=when, at=number) for number in range(2, 2 + ATTEMPTS)),
        Fault(kind="drop", actions=("ecs:RegisterTaskDefinition",), when=when, at=1),
    )
    code, checks = doctor.checks(ready, CHAT, *PROBE, *OWN)
    ready.client.clear_faults()
    assert (code, checks[LICENCE][0], checks[END][0]) == (3, "unknown", "pass")
    assert checks[LICENCE][1].startswith("ecs:RunTask: no answer: ")
    assert _left(ready) == NOTHING


@pytest.mark.usefixtures("quick_retries")
def test_a_busy_moment_does_not_end_it_and_a_busy_end_is_told(ready: World, doctor: Doctor) -> None:
    ready.client.set_faults(Fault(kind="throttle", actions=("ecs:DescribeTasks", "logs:GetLogEvents"), limit=7))
    assert doctor.checks(ready, CHAT, *PROBE, *OWN)[1][LICENCE][0] == "pass"
    ready.client.set_faults(Fault(kind="throttle", actions=("ecs:DeregisterTaskDefinition",)))
    code, checks = doctor.checks(ready, CHAT, *PROBE, *OWN)
    ready.client.clear_faults()
    assert (code, checks[END][0]) == (1, "fail")
    assert "ecs:DeregisterTaskDefinition: AWS is too busy for this account" in checks[END][1]
    assert len(_left(ready)["ACTIVE"]) == 1
    assert doctor.checks(ready, CHAT, *PROBE, *OWN)[0] == 0
    assert _left(ready) == NOTHING  # the next one has taken it away


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_takes_everything_away(ready: World, doctor: Doctor, number: signal.Signals) -> None:
    _set(ready, Reach(pending=True))
    first = ready.client.next_call()

    def interrupt() -> None:
        while not any(call["action"] == "ecs:DescribeTasks" for call in ready.calls(since=first)):
            pause.wait(0.05)
        os.kill(os.getpid(), number)

    pause = threading.Event()
    thread = threading.Thread(target=interrupt, daemon=True)
    thread.start()
    outcome = doctor.run(ready, CHAT, *PROBE, *OWN, "--json")
    thread.join()
    assert outcome.code == 130
    (report,) = json.loads(outcome.out)["stacks"]
    egress = {item["name"]: item["evidence"] for item in report["checks"] if item["area"] == "egress"}
    assert egress["beacon.langchain.com:443"] == "the probe was interrupted"
    assert egress["end of the probe"].startswith("nothing of it is left")
    assert _left(ready) == NOTHING


# What is missing


def test_without_an_image_nothing_is_made(worlds: Worlds, doctor: Doctor) -> None:
    world = worlds.new()
    world.up(ACCOUNT).done()
    first = world.client.next_call()
    outcome = doctor.run(world, CHAT, *PROBE, *OWN, "--json")
    (report,) = json.loads(outcome.out)["stacks"]
    (licence, _) = [item for item in report["checks"] if item["area"] == "egress"]
    assert (licence["verdict"], licence["evidence"], licence["remedy"]) == (
        "unknown",
        "there is no image to run: agents/chat has no 1.0.0",
        "push it: langgraph build, docker push; then repeat",
    )
    assert "ecs:RegisterTaskDefinition" not in {call["action"] for call in world.calls(since=first)}


def test_before_the_account_stack_nothing_is_made(world: World, doctor: Doctor) -> None:
    code, checks = doctor.checks(world, CHAT, *PROBE, *OWN)
    assert code == 1  # the runtime is not there
    assert checks[LICENCE] == ("unknown", f"there are no subnets yet that {CHAT} would run in")
    assert END not in checks


def test_where_there_is_no_way_in_nothing_is_tried(world: World, doctor: Doctor) -> None:
    first = world.client.next_call()
    code, checks = doctor.checks(world, CHAT, *PROBE)
    assert (code, [name for name in checks if name.startswith("egress")]) == (1, [])
    assert {call["action"] for call in world.calls(since=first)} <= {"sts:GetCallerIdentity", "sts:AssumeRole"}


def test_through_the_role_it_runs_where_the_role_may_and_is_unknown_where_its_guardrails_forbid_it(
    worlds: Worlds, doctor: Doctor
) -> None:
    world = worlds.new()
    world.up(ACCOUNT).done()
    push_index(world, "agents/chat", "1.0.0", "amd64")
    first = world.client.next_call()
    outcome = doctor.run(world, CHAT, *PROBE, "--json")
    (report,) = json.loads(outcome.out)["stacks"]
    (licence, _) = [item for item in report["checks"] if item["area"] == "egress"]
    role = f"arn:aws:iam::{world.account_id}:role/LangGraphCloudBYOCRole"
    assert (licence["verdict"], licence["evidence"], licence["remedy"]) == (
        "unknown",
        "ecs:RunTask: denied by an explicit deny in the policies of the role",
        f"ask with --own-credentials: {role} may not run tasks",
    )
    assert "ecs:RegisterTaskDefinition" not in {call["action"] for call in world.calls(since=first)}
    world.configure(ACCOUNT, {"access": {"guardrails": False}})
    world.up(ACCOUNT).done()
    before = world.kinds()
    _, checks = doctor.checks(world, CHAT, *PROBE)
    assert (checks[LICENCE][0], checks[TRACES][0], checks[END][0]) == ("pass", "pass", "pass")
    assert world.kinds() == before


def test_an_account_stack_has_no_image_and_says_what_to_do(ready: World, doctor: Doctor) -> None:
    code, checks = doctor.checks(ready, ACCOUNT, "--probe-egress", "--profile", OWNER)
    assert code == 3
    assert checks["egress: hosts outside AWS"] == (
        "unknown",
        "cannot be probed: an account stack without deployments has no image to run",
    )


def test_deployments_of_an_account_stack_are_probed_with_one_image(worlds: Worlds, doctor: Doctor) -> None:
    world = worlds.new()
    world.up(ALL_IN_ONE).done()
    _, checks = doctor.checks(world, ALL_IN_ONE, *PROBE, "--profile", OWNER)
    assert checks[LICENCE][1].startswith("there is no image to run: ")
    repository, tag = checks[LICENCE][1].removeprefix("there is no image to run: ").split(" has no ")
    world.aws("ecr", "us-east-1").create_repository(repositoryName=repository)
    push_index(world, repository, tag, "amd64", "us-east-1")
    _, checks = doctor.checks(world, ALL_IN_ONE, *PROBE, "--profile", OWNER)
    assert {answer for name, (answer, _) in checks.items() if name.startswith("egress")} == {"pass"}, checks[LICENCE]


# Consent


def test_without_a_terminal_and_without_yes_it_is_wrong_input_and_nothing_is_asked(
    ready: World, doctor: Doctor
) -> None:
    first = ready.client.next_call()
    for words in ((), ("--json",), ("--format", "markdown")):
        outcome: Outcome = doctor.run(ready, CHAT, "--probe-egress", *words, *OWN)
        assert outcome.code == 2
        assert "--probe-egress asks before it makes anything, and there is no terminal to ask on" in outcome.err
        assert f"byoc doctor {CHAT} --probe-egress --yes" in outcome.err
    assert ready.calls(since=first) == []


@pytest.mark.parametrize(("answer", "code", "made"), [(False, 3, 0), (True, 0, 2)])
def test_on_a_terminal_it_says_what_it_makes_and_asks(
    ready: World, doctor: Doctor, monkeypatch: pytest.MonkeyPatch, answer: bool, code: int, made: int
) -> None:
    import sys

    import typer

    asked: list[str] = []

    def confirm(text: str, default: bool) -> bool:
        assert default is False
        asked.append(text)
        return answer

    monkeypatch.setattr(typer, "confirm", confirm)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    first = ready.client.next_call()
    outcome = doctor.run(ready, CHAT, "--probe-egress", *OWN)
    assert (outcome.code, asked) == (code, ["run 1 probe?"])
    assert f"{CHAT}: " in outcome.out.splitlines()[-1]  # the report comes in any case
    assert "costs a fraction of a cent" in " ".join(outcome.out.split())
    actions = [call["action"] for call in ready.calls(since=first)]
    assert actions.count("ecs:RunTask") == made


# The emulator


def test_a_single_task_needs_what_fargate_needs(ready: World) -> None:
    """No container memory, as Fargate allows; a subnet; a definition that is not deregistered."""
    ecs = ready.aws("ecs")
    account = AwsAccount(account_id=ready.account_id, region="us-west-2")
    container = {"name": "x", "image": "public.ecr.aws/docker/library/busybox:1.36"}
    definition = ecs.register_task_definition(
        family="single",
        requiresCompatibilities=["FARGATE"],
        networkMode="awsvpc",
        cpu="256",
        memory="512",
        executionRoleArn=account.role_arn("nobody", "/"),
        containerDefinitions=[container],
    )["taskDefinition"]["taskDefinitionArn"]
    network = {"awsvpcConfiguration": {"subnets": ["subnet-1"]}}
    asked = {"cluster": CLUSTER, "taskDefinition": definition, "launchType": "FARGATE"}
    with pytest.raises(ecs.exceptions.InvalidParameterException, match="Network Configuration must be provided"):
        ecs.run_task(**asked)
    (task,) = ecs.run_task(**asked, networkConfiguration=network)["tasks"]
    assert task["lastStatus"] == "PROVISIONING"
    (told,) = ecs.describe_tasks(cluster=CLUSTER, tasks=[task["taskArn"]])["tasks"]
    assert (told["lastStatus"], told["stopCode"]) == ("STOPPED", "TaskFailedToStart")
    assert told["stoppedReason"].startswith("ECS was unable to assume the role")
    with pytest.raises(ecs.exceptions.InvalidParameterException, match="The referenced task was not found"):
        ecs.stop_task(cluster=CLUSTER, task="nobody")
    ecs.deregister_task_definition(taskDefinition=definition)
    with pytest.raises(ecs.exceptions.ClientException, match="TaskDefinition is inactive"):
        ecs.run_task(**asked, networkConfiguration=network)
    ecs.delete_task_definitions(taskDefinitions=[definition])
