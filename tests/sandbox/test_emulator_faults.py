"""Faults and latency on request, and the log of calls."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from byoc.sandbox.emulator.calls import CallLog
from byoc.sandbox.emulator.client import EmulatorError
from byoc.sandbox.emulator.faults import Fault, Latency
from byoc.sandbox.emulator.server import Emulator
from tests.sandbox.emulator_stage import REGION, Stage, code
from tests.waiting import wait_until

AGES = 50.0
"""Seconds that no test waits for."""


@pytest.fixture(scope="module")
def whole_stage() -> Iterator[Stage]:
    with Emulator.in_process() as emulator:
        yield Stage(emulator)


@pytest.fixture
def stage(whole_stage: Stage) -> Iterator[Stage]:
    yield whole_stage
    whole_stage.client.clear_faults()
    whole_stage.client.set_latency({})


@pytest.mark.parametrize(
    ("service", "operation", "expected"),
    [
        ("rds", "describe_db_instances", "Throttling"),
        ("ec2", "describe_vpcs", "RequestLimitExceeded"),
        ("ecs", "list_clusters", "ThrottlingException"),
        ("cloudwatch", "describe_alarms", "Throttling"),
    ],
)
def test_throttling_has_the_protocols_code(stage: Stage, service: str, operation: str, expected: str) -> None:
    stage.client.set_faults(Fault(kind="throttle"))
    assert code(getattr(stage.aws(service), operation)) == expected


@pytest.mark.parametrize("kind", ["throttle", "500", "503"])
def test_clients_retry_faults_as_they_retry_awss(stage: Stage, kind: str) -> None:
    for service, operation in (("ecs", "list_clusters"), ("ec2", "describe_vpcs"), ("iam", "list_roles")):
        stage.client.set_faults(Fault(kind=kind, limit=1))  # type: ignore[arg-type]
        answer = getattr(stage.aws(service, attempts=3), operation)()
        assert answer["ResponseMetadata"]["RetryAttempts"] == 1


def test_a_fault_before_the_call_leaves_nothing_behind(stage: Stage) -> None:
    stage.client.set_faults(Fault(kind="500", actions=("ecs:CreateCluster",)))
    assert code(lambda: stage.aws("ecs").create_cluster(clusterName="never")) == "InternalServerError"
    stage.client.clear_faults()
    assert stage.aws("ecs").describe_clusters(clusters=["never"])["clusters"] == []


def test_a_fault_after_the_call_happens_to_what_was_done(stage: Stage) -> None:
    stage.client.set_faults(Fault(kind="500", when="after", actions=("ecs:CreateCluster",)))
    assert code(lambda: stage.aws("ecs").create_cluster(clusterName="done")) == "InternalServerError"
    stage.client.clear_faults()
    assert [c["clusterName"] for c in stage.aws("ecs").describe_clusters(clusters=["done"])["clusters"]] == ["done"]


def test_an_answer_can_be_lost(stage: Stage) -> None:
    stage.client.set_faults(Fault(kind="drop", when="after", actions=("logs:CreateLogGroup",)))
    with pytest.raises(ConnectionClosedError):
        stage.aws("logs").create_log_group(logGroupName="lost")
    stage.client.clear_faults()
    assert "logs:log-group" in stage.inventory()
    assert stage.client.calls()[-1]["outcome"] == "ConnectionDropped"


def test_a_denied_call_stays_denied_when_its_answer_was_to_be_lost(stage: Stage) -> None:
    nobody = stage.role()
    stage.client.set_faults(Fault(kind="500", when="after"))
    assert code(stage.aws("ecs", nobody).list_clusters) == "AccessDeniedException"


def test_exactly_the_kth_matching_call_can_fail(stage: Stage) -> None:
    stage.client.set_faults(Fault(kind="500", actions=("ecs:*",), writes_only=True, at=2))
    ecs = stage.aws("ecs")
    start = stage.client.next_call()
    for n in range(4):
        ecs.list_clusters()
        with contextlib.suppress(ClientError):
            ecs.create_cluster(clusterName=f"k-{n}")
    assert stage.outcomes(start, "ecs:CreateCluster") == ["ok", "InternalServerError", "ok", "ok"]
    assert stage.outcomes(start, "ecs:ListClusters") == ["ok"] * 4
    assert stage.client.faults()[0]["seen"] == 4
    assert stage.client.faults()[0]["fired"] == 1


def test_faults_can_be_kept_to_one_run(stage: Stage) -> None:
    stage.client.set_faults(Fault(kind="throttle", run="unlucky"))
    stage.aws("ecs", run="lucky").list_clusters()
    assert code(stage.aws("ecs", run="unlucky").list_clusters) == "ThrottlingException"


def _pattern(stage: Stage, seed: int) -> list[bool]:
    stage.client.set_faults(Fault(kind="throttle", probability=0.5, seed=seed))
    start = stage.client.next_call()
    ecs = stage.aws("ecs")
    for _ in range(16):
        with contextlib.suppress(ClientError):
            ecs.list_clusters()
    return [outcome == "ok" for outcome in stage.outcomes(start, "ecs:ListClusters")]


def test_random_faults_repeat_with_their_seed(stage: Stage) -> None:
    first = _pattern(stage, 7)
    assert _pattern(stage, 7) == first
    assert _pattern(stage, 8) != first
    assert len(set(first)) == 2


def test_latency_slows_matching_calls_only_and_not_each_other(stage: Stage) -> None:
    stage.client.set_latency([Latency(seconds=0.3, actions=("ecs:*",), run="slow")])
    ecs, other = stage.aws("ecs", run="slow"), stage.aws("ecs", run="quick")
    started = time.monotonic()
    ecs.list_clusters()
    assert time.monotonic() - started >= 0.3
    start = stage.client.next_call()
    stage.client.set_latency([Latency(seconds=AGES, actions=("ecs:*",), run="slow")])
    with ThreadPoolExecutor(4) as pool:
        slow = [pool.submit(ecs.list_clusters) for _ in range(4)]
        _until_arrived(stage, start + 4)
        other.list_clusters()
        assert not any(call.done() for call in slow)
        assert stage.outcomes(start, "ecs:ListClusters") == ["ok"]
        stage.client.set_latency([])  # who waits goes on at once
        assert all(call.result(timeout=AGES / 2) for call in slow)


def test_a_call_that_came_in_before_is_not_among_those_since(stage: Stage) -> None:
    start = stage.client.next_call()
    stage.client.set_latency({"ecs:*": AGES})
    with ThreadPoolExecutor(1) as pool:
        early = pool.submit(stage.aws("ecs").list_clusters)
        _until_arrived(stage, start + 1)
        since = stage.client.next_call()
        stage.aws("sns").list_topics()
        stage.client.set_latency({})
        early.result()
    assert [call["action"] for call in stage.client.calls(since=since)] == ["sns:ListTopics"]
    # As answered: the early call comes last.
    assert [call["index"] for call in stage.client.calls(since=start)] == [since, start]


def _until_arrived(stage: Stage, calls: int) -> None:
    wait_until(lambda: stage.client.next_call() >= calls, "the calls", seconds=30)


def test_a_fault_that_cannot_be_meant_is_refused(stage: Stage) -> None:
    with pytest.raises(ValueError, match="kind is 'flood'; allowed: throttle, 500, 503, drop"):
        Fault(kind="flood")  # type: ignore[arg-type]
    with pytest.raises(EmulatorError, match="unknown: chance; allowed: actions, at, kind"):
        stage.client._ask("POST", "faults", {"faults": [{"kind": "500", "chance": 1}]})


def test_the_call_log_says_who_called_what_and_with_which_outcome(stage: Stage) -> None:
    start = stage.client.next_call()
    nobody = stage.role()
    stage.aws("ecs", run="run-1").create_cluster(clusterName="logged")
    code(lambda: stage.aws("ecs", nobody, run="run-1").list_clusters())
    code(lambda: stage.aws("rds", run="run-1").delete_db_subnet_group(DBSubnetGroupName="absent"))
    first, second, third = stage.client.calls(since=start, run="run-1")
    assert {key: first[key] for key in first if key not in ("index", "time")} == {
        "principal": f"arn:aws:iam::{stage.account}:user/administrator",
        "action": "ecs:CreateCluster",
        "outcome": "ok",
        "account": stage.account,
        "region": REGION,
        "run": "run-1",
        "resources": [f"arn:aws:ecs:{REGION}:{stage.account}:cluster/logged"],
    }
    assert first["time"].endswith("Z")
    assert len(first["time"]) == len("2024-01-01T00:00:00.000Z")
    assert (second["principal"], second["outcome"]) == (nobody.principal, "denied")
    assert (third["action"], third["outcome"]) == ("rds:DeleteDBSubnetGroup", "DBSubnetGroupNotFoundFault")
    assert first["index"] < second["index"] < third["index"]


def test_the_call_log_holds_no_parameter_values(stage: Stage) -> None:
    start = stage.client.next_call()
    marker = "value-that-must-not-be-logged"
    secrets = stage.aws("secretsmanager")
    secrets.create_secret(Name="logged", SecretString=marker, Description=marker)
    secrets.put_secret_value(SecretId="logged", SecretString=json.dumps({"KEY": marker}))
    sts = stage.aws("sts")
    code(
        lambda: sts.assume_role(RoleArn=f"arn:aws:iam::{stage.account}:role/x", RoleSessionName="xx", ExternalId=marker)
    )
    logged = stage.client.calls(since=start)
    assert len(logged) == 3
    assert marker not in json.dumps(logged)
    assert stage.administrator.secret_access_key not in json.dumps(logged)


def test_the_call_log_is_bounded() -> None:
    log = CallLog(capacity=3)
    for n in range(5):
        log.record(
            index=log.arrived(),
            principal="p",
            action=f"a:{n}",
            outcome="ok",
            account="",
            region="",
            run="",
            resources=(),
        )
    assert [call["index"] for call in log.since(0)] == [2, 3, 4]
    assert [call["index"] for call in log.since(4)] == [4]
    assert log.next_index() == 5
    assert log.since(99) == []
