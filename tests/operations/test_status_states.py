"""What AWS said in so many situations, and what a status makes of it."""

from __future__ import annotations

from datetime import date

import pytest

from byoc.operations.status.facts import ALARM_ABSENT, Absent, AlarmFacts, Facts, Rollout, Unknown
from byoc.operations.status.states import DeploymentState, Verdict, verdict
from tests.operations.situations import (
    BACK,
    BACK_LONG_AGO,
    DENIED,
    FAILED_ROLLOUT,
    THROTTLED,
    database,
    facts,
    ingress,
    service,
)

ABSENT = Absent()
NOTHING = facts(
    api=ABSENT, cache=ABSENT, database=ABSENT, ingress=ABSENT, alarms=(), image=Unknown(why="there is no service")
)

SITUATIONS: dict[str, tuple[Facts, tuple[str, str, str], list[str]]] = {
    "all is well": (facts(), ("READY", "DEPLOYED", "healthy"), []),
    "a first roll-out begins": (
        facts(api=service(running=0, pending=2, rollout="IN_PROGRESS"), ingress=ingress(0)),
        ("READY", "DEPLOYING", "down"),
        [
            "service api: 0 of 2 containers run, 2 on the way",
            "no container behind the load balancer is healthy yet: none is registered",
        ],
    ),
    "first containers wait for their health checks": (
        facts(api=service(rollout="IN_PROGRESS"), ingress=ingress(0, Elb_InitialHealthChecking=2)),
        ("READY", "DEPLOYING", "down"),
        ["no container behind the load balancer is healthy yet: 2 waiting for its first health checks"],
    ),
    "two roll-outs, the new containers come": (
        facts(
            api=service(
                rollout="IN_PROGRESS",
                rollouts=2,
                replaced=(Rollout(task_definition="langgraph-cloud-chat-api:6", state="COMPLETED", running=2),),
            ),
            ingress=ingress(2, Elb_InitialHealthChecking=1, Target_DeregistrationInProgress=1),
        ),
        ("READY", "DEPLOYING", "healthy"),
        [],
    ),
    "ECS says nothing of roll-outs, and there are two": (
        facts(api=service(rollout="", rollouts=2)),
        ("READY", "DEPLOYING", "healthy"),
        [],
    ),
    "ECS says nothing of roll-outs, and there is one": (
        facts(api=service(rollout="")),
        ("READY", "DEPLOYED", "healthy"),
        [],
    ),
    "the first roll-out failed, nothing to go back to": (
        facts(
            api=service(
                running=0,
                rollout="FAILED",
                rollout_reason="ECS deployment circuit breaker: tasks failed to start.",
                failed_tasks=3,
            ),
            ingress=ingress(0),
        ),
        ("READY", "DEPLOY_FAILED", "down"),
        [
            "service api: the roll-out failed: ECS deployment circuit breaker: tasks failed to start.",
            "service api: 0 of 2 containers run; 3 did not start",
            "no container behind the load balancer is healthy yet: none is registered",
        ],
    ),
    "a roll-out failed and ECS gives no reason": (
        facts(api=service(rollout="FAILED")),
        ("READY", "DEPLOY_FAILED", "degraded"),
        ["service api: the roll-out failed: ECS gives no reason"],
    ),
    "the circuit breaker goes back": (
        facts(api=service(rollout="IN_PROGRESS", rollouts=2, replaced=(FAILED_ROLLOUT,))),
        ("READY", "DEPLOYING", "degraded"),
        [
            "service api: revision 8 failed, and ECS goes back to revision 7: "
            "ECS deployment circuit breaker: tasks failed to start."
        ],
    ),
    "the circuit breaker went back, and only an event tells": (
        facts(api=service(notes=(BACK,))),
        ("READY", "DEPLOYED", "degraded"),
        ["service api: a newer revision failed, and ECS went back to revision 7"],
    ),
    "it went back once, and was rolled out since": (
        facts(api=service(notes=(BACK_LONG_AGO,))),
        ("READY", "DEPLOYED", "healthy"),
        [],
    ),
    "one container of two": (
        facts(api=service(running=1), ingress=ingress(1)),
        ("READY", "DEPLOYED", "degraded"),
        ["service api: 1 of 2 containers run"],
    ),
    "the load wants one more, and it comes": (
        facts(api=service(running=2, desired=3, pending=1)),
        ("READY", "DEPLOYED", "healthy"),
        [],
    ),
    "one more is wanted, and does not start": (
        facts(api=service(running=2, desired=3, pending=1, failed_tasks=2)),
        ("READY", "DEPLOYED", "degraded"),
        ["service api: 2 of 3 containers run, 1 on the way; 2 did not start"],
    ),
    "somebody set the count to none": (
        facts(api=service(running=0, desired=0), ingress=ingress(0)),
        ("READY", "DEPLOYED", "down"),
        [
            "service api: no container is wanted (its desired count is 0)",
            "no container behind the load balancer is healthy yet: none is registered",
        ],
    ),
    "the cache does not run": (
        facts(cache=service("cache", running=0, desired=1)),
        ("READY", "DEPLOYED", "degraded"),
        ["service cache: 0 of 1 containers run"],
    ),
    "the containers answer with errors": (
        facts(ingress=ingress(0, Target_ResponseCodeMismatch=2)),
        ("READY", "DEPLOYED", "down"),
        [
            "2 behind the load balancer not healthy: answers its health check with an error "
            "(Target.ResponseCodeMismatch)"
        ],
    ),
    "one of them does not answer": (
        facts(ingress=ingress(1, Target_Timeout=1)),
        ("READY", "DEPLOYED", "degraded"),
        ["1 behind the load balancer not healthy: does not answer its health check in time (Target.Timeout)"],
    ),
    "a reason that is new": (
        facts(ingress=ingress(1, Target_Strange=1)),
        ("READY", "DEPLOYED", "degraded"),
        ["1 behind the load balancer not healthy: Target.Strange"],
    ),
    "the load balancer is impaired": (
        facts(ingress=ingress(state="active_impaired")),
        ("READY", "DEPLOYED", "degraded"),
        ["the load balancer is active_impaired"],
    ),
    "the load balancer failed": (
        facts(ingress=ingress(state="failed")),
        ("READY", "DEPLOYED", "down"),
        ["the load balancer is failed"],
    ),
    "the load balancer is gone": (
        facts(ingress=ABSENT),
        ("READY", "DEPLOYED", "down"),
        ["the load balancer is not there"],
    ),
    "the database is being made": (
        facts(api=ABSENT, cache=ABSENT, ingress=ABSENT, alarms=(), database=database("creating")),
        ("AWAITING_DATABASE", "AWAITING_DEPLOY", "down"),
        [
            "service api is not there",
            "service cache is not there",
            "the database is being made",
            "the load balancer is not there",
        ],
    ),
    "the database is there, and no service yet": (
        facts(api=ABSENT, alarms=()),
        ("READY", "AWAITING_DEPLOY", "down"),
        ["service api is not there"],
    ),
    "the database's storage is full": (
        facts(database=database("storage-full")),
        ("READY", "DEPLOYED", "down"),
        ["the database's storage is full"],
    ),
    "the database is stopped": (
        facts(database=database("stopped")),
        ("READY", "DEPLOYED", "down"),
        ["the database is stopped"],
    ),
    "the database is being deleted": (
        facts(database=database("deleting")),
        ("AWAITING_DELETE", "DEPLOYED", "down"),
        ["the database is being deleted"],
    ),
    "the database's key cannot be used": (
        facts(database=database("inaccessible-encryption-credentials-recoverable")),
        ("READY", "DEPLOYED", "down"),
        ["the database stands still: its KMS key cannot be used; give the key back, then start it"],
    ),
    "the database is changed or backed up": (
        facts(database=database("modifying")),
        ("READY", "DEPLOYED", "healthy"),
        [],
    ),
    "the database is in a state that is new": (
        facts(database=database("pondering")),
        ("READY", "DEPLOYED", "degraded"),
        ["the database is pondering"],
    ),
    "the database is gone": (facts(database=ABSENT), ("READY", "DEPLOYED", "down"), ["the database is not there"]),
    "the database is somebody else's": (facts(database=None), ("READY", "DEPLOYED", "healthy"), []),
    "the service is being deleted": (
        facts(api=service(status="DRAINING", running=1, desired=0, rollout="COMPLETED")),
        ("AWAITING_DELETE", "DEPLOYED", "degraded"),
        ["service api is draining"],
    ),
    "nothing is there": (
        NOTHING,
        ("ABSENT", "ABSENT", "down"),
        [
            "service api is not there",
            "service cache is not there",
            "the database is not there",
            "the load balancer is not there",
        ],
    ),
    "nothing but the load balancer, with a database of somebody else's": (
        facts(api=ABSENT, cache=ABSENT, database=None, alarms=(), image=Unknown(why="there is no service")),
        ("READY", "AWAITING_DEPLOY", "down"),
        ["service api is not there", "service cache is not there"],
    ),
    "alarms are on, but those that scale": (
        facts(alarms=(AlarmFacts(subject="errors", state="ALARM"), AlarmFacts(subject="scale-out", state="ALARM"))),
        ("READY", "DEPLOYED", "degraded"),
        ["alarm errors is on"],
    ),
    "an alarm is missing, another has no data": (
        facts(
            alarms=(
                AlarmFacts(subject="errors", state=ALARM_ABSENT),
                AlarmFacts(subject="database-cpu", state="INSUFFICIENT_DATA"),
            )
        ),
        ("READY", "DEPLOYED", "degraded"),
        ["alarm errors is not there"],
    ),
    "ECS is throttled": (
        facts(api=THROTTLED, cache=THROTTLED, image=Unknown(why="there is no service")),
        ("UNKNOWN", "UNKNOWN", "unknown"),
        [f"not known: service api, service cache: {THROTTLED.why}"],
    ),
    "RDS is denied": (
        facts(database=DENIED),
        ("UNKNOWN", "DEPLOYED", "unknown"),
        [f"not known: database: {DENIED.why}"],
    ),
    "RDS is denied, and nothing runs anyway": (
        facts(database=DENIED, api=service(running=0), ingress=ingress(0)),
        ("UNKNOWN", "DEPLOYED", "down"),
        [
            "service api: 0 of 2 containers run",
            "no container behind the load balancer is healthy yet: none is registered",
            f"not known: database: {DENIED.why}",
        ],
    ),
    "the load balancer is denied": (
        facts(ingress=DENIED),
        ("READY", "DEPLOYED", "unknown"),
        [f"not known: load balancer: {DENIED.why}"],
    ),
    "the health of containers is denied": (
        facts(ingress=ingress(None)),
        ("READY", "DEPLOYED", "unknown"),
        ["not known: health of the containers: AWS does not say"],
    ),
    "alarms are denied: no guess that none is on": (
        facts(alarms=DENIED),
        ("READY", "DEPLOYED", "unknown"),
        [f"not known: alarms: {DENIED.why}"],
    ),
    "alarms are denied, and something else is wrong for sure": (
        facts(alarms=DENIED, api=service(running=1), ingress=ingress(1)),
        ("READY", "DEPLOYED", "degraded"),
        ["service api: 1 of 2 containers run", f"not known: alarms: {DENIED.why}"],
    ),
    "nobody uses it, and a notice went out": (
        facts(noticed=date(2026, 5, 9)),
        ("UNUSED", "DEPLOYED", "healthy"),
        ["unused: a notice went out on 2026-05-09; byoc retention says when it is deleted"],
    ),
    "nobody uses it, and it is being deleted": (
        facts(noticed=date(2026, 5, 9), api=service(status="DRAINING"), database=database("deleting")),
        ("AWAITING_DELETE", "DEPLOYED", "down"),
        [
            "service api is draining",
            "the database is being deleted",
            "unused: a notice went out on 2026-05-09; byoc retention says when it is deleted",
        ],
    ),
    "whether anybody uses it is not told, and it serves": (
        facts(noticed=THROTTLED),
        ("UNKNOWN", "DEPLOYED", "healthy"),
        [f"not known: whether anybody uses it: {THROTTLED.why}"],
    ),
}


@pytest.mark.parametrize("name", SITUATIONS)
def test_a_situation_comes_to_its_states_and_its_findings(name: str) -> None:
    given, (state, revision, health), findings = SITUATIONS[name]
    found: Verdict = verdict(given)
    assert (found.state.value, found.revision.value, found.health.value) == (state, revision, health)
    assert list(found.findings) == findings


def test_every_state_comes_up_in_the_table() -> None:
    assert {expected[0] for _, expected, _ in SITUATIONS.values()} == {state.value for state in DeploymentState}
    assert {expected[2] for _, expected, _ in SITUATIONS.values()} == {"healthy", "degraded", "down", "unknown"}


def test_only_a_service_that_went_back_says_so() -> None:
    assert verdict(facts(api=service(notes=(BACK,)))).went_back
    assert not verdict(facts(api=service(notes=(BACK_LONG_AGO,)))).went_back
    assert not verdict(NOTHING).went_back
