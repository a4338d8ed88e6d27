"""A deletion that breaks off: what is left of a deployment is named on each later day, and is not taken for absence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from byoc.errors import ByocError
from byoc.operations.answers import AbsentError, DeniedError
from byoc.operations.retention.judge import Action, Evidence, NotDeployed, NotKnown
from byoc.operations.retention.read import Clock, read_evidence
from byoc.operations.retention.remains import remains
from byoc.operations.retention.run import Done
from byoc.sandbox.emulator.faults import Fault
from tests.operations.fake_account import FakeAccount, target
from tests.operations.retention_world import traced
from tests.sandbox.sandbox_world import CHAT, World

SERVICES = [f"langgraph-cloud-chat-{role}" for role in ("api", "queue", "cache")]
NO_SERVICE = {
    "services": [],
    "failures": [{"arn": f"arn:x:service/c/{name}", "reason": "MISSING"} for name in SERVICES],
}
NOTHING: dict[str, Any] = {
    "ecs:DescribeServices": NO_SERVICE,
    "rds:DescribeDBInstances": AbsentError("DBInstanceNotFound"),
    "elasticloadbalancing:DescribeLoadBalancers": AbsentError("LoadBalancerNotFound"),
}
GONE = "there is no secret langgraph-cloud/chat/environment"


def of(**answers: Any) -> FakeAccount:
    """An account in which nothing is left but what ``answers`` say, by the name of the service."""
    named = {action: answers.get(action.partition(":")[0], answer) for action, answer in NOTHING.items()}
    named["sts:GetCallerIdentity"] = {"Account": "123456789012", "Arn": "arn:aws:iam::123456789012:user/me"}
    return FakeAccount({"secretsmanager:DescribeSecret": AbsentError("ResourceNotFoundException"), **named})


@pytest.mark.parametrize(
    ("answers", "left"),
    [
        ({}, ()),
        ({"ecs": AbsentError("ClusterNotFoundException")}, ()),
        ({"rds": {"DBInstances": [{"DBInstanceIdentifier": "x"}]}}, ("database langgraph-cloud-chat",)),
        (
            {"elasticloadbalancing": {"LoadBalancers": [{"LoadBalancerArn": "arn:x"}]}},
            ("load balancer langgraph-cloud-chat",),
        ),
        (
            {
                "ecs": {
                    "services": [
                        {"serviceName": SERVICES[0], "status": "INACTIVE"},  # deleted
                        {"serviceName": SERVICES[1], "status": "DRAINING"},
                    ],
                    "failures": [{"arn": f"arn:x:service/c/{SERVICES[2]}", "reason": "MISSING"}],
                }
            },
            (f"ECS service {SERVICES[1]}",),
        ),
    ],
)
def test_what_costs_or_holds_data_is_named(answers: dict[str, Any], left: tuple[str, ...]) -> None:
    assert remains(target(of(**answers))) == left


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ({"ecs": {"services": [], "failures": []}}, "half an answer: it tells nothing of langgraph-cloud-chat-api"),
        ({"ecs": {}}, "ecs:DescribeServices: half an answer"),
        ({"rds": {"DBInstances": []}}, "rds:DescribeDBInstances: half an answer"),
        ({"rds": DeniedError("rds:DescribeDBInstances", "")}, "rds:DescribeDBInstances: denied"),
        ({"elasticloadbalancing": {}}, "elasticloadbalancing:DescribeLoadBalancers: half an answer"),
    ],
)
def test_what_aws_does_not_say_is_neither_gone_nor_there(answers: dict[str, Any], words: str) -> None:
    with pytest.raises(ByocError, match=words):
        remains(target(of(**answers)))
    found = read_evidence(target(of(**answers)), Clock())
    assert isinstance(found, Evidence)
    assert isinstance(found.created, NotKnown)
    assert found.created.why.startswith(f"{GONE}, and whether all of it is gone is not known: ")
    assert words in found.created.why


def test_where_nothing_is_left_it_is_not_deployed() -> None:
    assert read_evidence(target(of()), Clock()) == NotDeployed(why=f"not deployed: {GONE}")


@pytest.mark.slow
@pytest.mark.usefixtures("quick_retries")
def test_a_deletion_that_broke_off_is_told_of_each_day_until_it_is_finished(world: World, tmp_path: Path) -> None:
    with traced(world, tmp_path) as life:
        life.server.add_project("chat")
        life.set_record(f"watched={life.day(0)} looked={life.day(39)} noticed={life.day(8)}")
        world.client.set_faults(Fault(kind="500", actions=("rds:DeleteDBInstance",)))
        failed = life.on(40).apply()
        world.client.clear_faults()
        assert (failed.done, failed.well) == (Done.FAILED, False)
        assert world.kinds()["rds instance"] == 1
        assert world.kinds()["secretsmanager secret"] == 0

        for day in (41, 42):
            later = life.on(day).apply()
            assert (later.decision.action, later.done, later.well) == (Action.UNKNOWN, Done.NOTHING, False)
            assert later.decision.reason == (
                f"{GONE}, but there is database langgraph-cloud-chat: finish what broke off, by byoc destroy demo-chat "
                "or byoc up demo-chat"
            )
        world.destroy(CHAT).done()
        finished = life.on(43).apply()
        assert (finished.decision.action, finished.well) == (Action.ABSENT, True)
        assert life.destroyed == [CHAT]
