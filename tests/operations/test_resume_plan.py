"""What stopped a run, and whether it still does: messages of AWS as they were recorded, and the record of the run."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from byoc.automation.failures import program_failure, resource_failure
from byoc.automation.records import RunState
from byoc.operations.doctor.checks import Area, Check, Verdict, failed, passed, unknown
from byoc.operations.doctor.identity import (
    Attempt,
    Attempts,
    Caller,
    LetIn,
    NoCredentials,
    TurnedAway,
    judge_attempts,
    judge_caller,
)
from byoc.operations.recovery.blocks import Kind, classify, kind_of
from byoc.operations.recovery.diagnose import diagnose
from byoc.operations.recovery.finding import Diagnosis
from byoc.operations.recovery.last_run import LastRun
from byoc.operations.recovery.resume import Plan, Seen, Still, plan
from byoc.operations.status.facts import Absent
from byoc.runs import Failure
from tests.operations.recovery_situations import down, recovery_facts, stopped

URN = "urn:pulumi:demo-chat::byoc::aws:rds/instance:Instance::chat-database-instance"


def of_aws(text: str) -> Failure:
    """A resource that failed so."""
    return resource_failure(text, urn=URN, type="aws:rds/instance:Instance", op="create")


DENIED = (
    "operation error RDS: CreateDBInstance, https response error StatusCode: 403, api error AccessDenied: "
    "User: arn:aws:sts::123456789012:assumed-role/LangGraphCloudBYOCRole/byoc is not authorized to perform: "
    "rds:CreateDBInstance on resource: arn:aws:rds:us-west-2:123456789012:db:langgraph-cloud-chat"
)
MESSAGES = [
    (DENIED, Kind.PERMISSION),
    ("operation error EC2: CreateVpc, api error UnauthorizedOperation: You are not authorized to perform this "
     "operation.", Kind.PERMISSION),
    ("api error AccessDenied: User: x is not authorized to perform: iam:CreateServiceLinkedRole on resource: "
     "arn:aws:iam::1:role/aws-service-role/rds.amazonaws.com/AWSServiceRoleForRDS", Kind.LINKED_ROLE),
    ("api error InvalidParameterException: Unable to assume the service linked role. Please verify that the ECS "
     "service linked role exists.", Kind.LINKED_ROLE),
    ("api error AddressLimitExceeded: The maximum number of addresses has been reached.", Kind.QUOTA),
    ("api error VpcLimitExceeded: The maximum number of VPCs has been reached.", Kind.QUOTA),
    ("api error TooManyLoadBalancers: The maximum number of load balancers has been reached", Kind.QUOTA),
    ("api error InstanceQuotaExceeded: Cannot create more than 40 DB instances.", Kind.QUOTA),
    ("api error StorageQuotaExceeded: Cannot create more", Kind.QUOTA),
    ("api error RequestLimitExceeded: Request limit exceeded.", Kind.PASSING),
    ("api error ThrottlingException: Rate exceeded", Kind.PASSING),
    ("api error ServiceUnavailable: try again", Kind.PASSING),
    ("api error TooManyUniqueTargetGroupsPerLoadBalancer: too many", Kind.QUOTA),
    ("waiting for RDS DB Instance (x) create: unexpected state 'insufficient-capacity', wanted target 'available'",
     Kind.CAPACITY),
    ("api error ExpiredToken: The security token included in the request is expired", Kind.CREDENTIALS),
    ("Cannot assume IAM Role. IAM Role (arn:aws:iam::1:role/x) cannot be assumed.", Kind.PERMISSION),
    # IAM and load balancers take seconds until what was made is seen everywhere.
    ("api error InvalidParameterException: The target group with targetGroupArn arn:aws:x does not have an associated "
     "load balancer.", Kind.PASSING),
    ("api error MalformedPolicyDocument: Invalid principal in policy: \"AWS\":\"arn:aws:iam::1:role/x\"", Kind.PASSING),
    ("api error InsufficientDBInstanceCapacity: db.m7g.large is not available in us-west-2a", Kind.CAPACITY),
    ("Capacity is unavailable at this time. Please try again later or in a different availability zone",
     Kind.CAPACITY),
    ("waiting for ECS Service (arn:aws:ecs:x) create: timeout while waiting for state to become 'tfSTABLE' (last "
     "state: 'tfPENDING', timeout: 20m0s)", Kind.TIME_OUT),
    ("waiting for RDS DB Instance (langgraph-cloud-chat) create: timeout while waiting for state to become "
     "'available, storage-optimization'", Kind.TIME_OUT),
    ("ECS deployment circuit breaker: tasks failed to start.", Kind.TIME_OUT),
    ("api error DBInstanceAlreadyExists: DB instance already exists", Kind.DRIFT),
    ("api error ResourceNotFoundException: Secrets Manager can't find the specified secret.", Kind.DRIFT),
    ("api error InvalidRequestException: You can't create this secret because a secret with this name is already "
     "scheduled for deletion.", Kind.DRIFT),
    ("api error DependencyViolation: resource sg-1 has a dependent object", Kind.DRIFT),
    ("api error InvalidParameterCombination: Cannot find version 15.99 for postgres", Kind.CONFIG),
    ("api error ValidationException: 1 validation error detected", Kind.CONFIG),
    ("something that nobody has seen", Kind.UNKNOWN),
]  # fmt: skip


@pytest.mark.parametrize(("message", "kind"), MESSAGES, ids=[f"{n}-{kind}" for n, (_, kind) in enumerate(MESSAGES)])
def test_a_failure_is_taken_for_its_kind(message: str, kind: Kind) -> None:
    (block,) = classify([of_aws(message)])
    assert block.kind is kind
    assert block.fix
    assert block.evidence.startswith("chat-database-instance")


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (program_failure("byoc:size.cpu is 3\n      allowed:  256, 512\n      mend it:  write 256"), Kind.CONFIG),
        (program_failure(f"Program failed with an unhandled exception:\nException: {DENIED}"), Kind.PERMISSION),
        (Failure(urn="", type="", op="pulumi", action="", error="no stack named 'x'", remedy="init"), Kind.COMMAND),
        (Failure(urn=URN, type="t", op="check", action="", error="policy x: no", remedy="change"), Kind.CONFIG),
        (
            Failure(
                urn="",
                type="",
                op="pulumi",
                action="",
                error="the engine was ended while something was under way; what became of that is not recorded",
                remedy="refresh",
            ),
            Kind.CUT_SHORT,
        ),
    ],
)
def test_failures_of_the_program_and_of_the_engine_are_told_apart(failure: Failure, kind: Kind) -> None:
    assert kind_of(failure) is kind


def test_what_failed_alike_is_told_once() -> None:
    found = classify([of_aws(DENIED), of_aws(QUOTA), of_aws(DENIED)])
    assert [block.kind for block in found] == [Kind.PERMISSION, Kind.QUOTA]
    assert found[0].evidence.startswith("chat-database-instance, and 1 more (rds:CreateDBInstance): AccessDenied: ")


# Whether it is still there

BEGAN = datetime(2026, 5, 1, 8, 0, tzinfo=UTC)


def run(*messages: str, state: RunState = RunState.FAILED) -> LastRun:
    """A run that ended with these failures of AWS."""
    failures = classify([of_aws(text) for text in messages])
    return LastRun(id="20260501-080000-abcdef", verb="up", state=state, began=BEGAN, failures=failures)


def judged(last: LastRun | None, *checks: Check, **more: Any) -> tuple[Plan, list[Still]]:
    """The plan, and whether each block is there."""
    found = plan("demo-chat", last, Seen(checks=checks, **more))
    return found, [item.still for item in found.judged]


RDS = "0 of 9 actions allowed"
QUOTA = "api error VpcLimitExceeded: The maximum number of VPCs has been reached."
ROLE = "api error InvalidParameterException: Unable to assume the service linked role."
TAKEN = "api error DBInstanceAlreadyExists: x"


@pytest.mark.parametrize(
    ("message", "check", "still"),
    [
        (DENIED, failed(Area.ACTIONS, "rds", f"{RDS}; denied: rds:CreateDBInstance", "allow it"), Still.THERE),
        (DENIED, failed(Area.ACTIONS, "rds", f"{RDS}; denied: rds:DeleteDBInstance", "allow it"), Still.UNKNOWN),
        (DENIED, failed(Area.ACTIONS, "ecs", "denied: ecs:CreateService", "allow it"), Still.UNKNOWN),
        (DENIED, passed(Area.ACTIONS, "rds", "9 of 9 actions allowed"), Still.GONE),
        (DENIED, unknown(Area.ACTIONS, "rds", "not known"), Still.UNKNOWN),
        (QUOTA, failed(Area.QUOTAS, "VPCs per Region", "1 needed, 0 left", "ask"), Still.THERE),
        (QUOTA, passed(Area.QUOTAS, "VPCs per Region", "1 needed, 4 left"), Still.GONE),
        (QUOTA, passed(Area.IMAGE, "image", "is there"), Still.UNKNOWN),
        (ROLE, failed(Area.LINKED_ROLES, "AWSServiceRoleForECS", "is not there", "make it"), Still.THERE),
        (TAKEN, failed(Area.NAMES, "database", "is taken", "choose another"), Still.THERE),
        ("api error ThrottlingException: x", passed(Area.NAMES, "names", "free"), Still.UNKNOWN),
    ],
)
def test_what_doctor_sees_decides_whether_it_is_still_there(message: str, check: Check, still: Still) -> None:
    found, states = judged(run(message), check)
    assert states == [still]
    assert bool(found.refused) is (still is Still.THERE)
    assert found.needed


def test_a_role_that_does_not_open_refuses_everything() -> None:
    found, _ = judged(run("x"), *judge_attempts(attempts(TurnedAway(), TurnedAway()), "arn:aws:iam::1:role/x"))
    assert [(item.kind, item.evidence) for item in found.refused] == [
        (
            Kind.PERMISSION,
            "role with the external id: sts:AssumeRole on arn:aws:iam::1:role/x: denied; AWS does not say by what",
        )
    ]


def attempts(with_id: Attempt, without: Attempt) -> Attempts:
    """What came of assuming the role with the right external id, and otherwise."""
    return Attempts(with_id=with_id, without=without, with_another=without)


def test_a_role_that_opens_too_wide_keeps_no_run_off() -> None:
    open_ = LetIn(account_id="123456789012")
    checks = judge_attempts(attempts(open_, open_), "arn:aws:iam::1:role/x")
    trust = failed(Area.IDENTITY, "trust of the control plane's role", "it trusts nobody", "run the account stack's up")
    found, _ = judged(run("x"), *checks, trust)
    assert [check.verdict for check in checks] == [Verdict.PASS, Verdict.FAIL, Verdict.FAIL]
    assert (found.refused, found.goes_on) == ((), True)


def test_credentials_that_expired_are_over_once_there_are_new_ones() -> None:
    expired = "api error ExpiredToken: The security token included in the request is expired"
    again = judge_caller(Caller(arn="arn:aws:sts::1:assumed-role/x/y", account_id="1"), "1")
    assert judged(run(expired), again)[1] == [Still.GONE]
    none = judge_caller(NoCredentials(why="there are none", remedy="sign in"), "1")
    found, states = judged(run(expired), none)
    assert (states, found.refused[0].kind) == ([Still.THERE, Still.THERE], Kind.CREDENTIALS)


@pytest.mark.parametrize(
    "message", ["api error DependencyViolation: resource sg-1 has a dependent object", "api error NoSuchEntity: x"]
)
def test_free_names_say_nothing_about_other_drift(message: str) -> None:
    assert judged(run(message), passed(Area.NAMES, "names", "free"))[1] == [Still.UNKNOWN]


# A stack that is on its way down


@pytest.mark.parametrize(("state", "needed"), [(RunState.SUCCEEDED, False), (RunState.FAILED, True)])
def test_what_a_destroy_took_down_is_not_brought_up_again(state: RunState, needed: bool) -> None:
    absent = diagnose(recovery_facts(api=Absent(), rds="stopped"))
    found, states = judged(replace(run(DENIED, state=state), verb="destroy"), diagnoses=[absent])
    assert (found.undoing, found.needed, found.goes_on, found.well) == (True, needed, False, not needed)
    assert states == ([Still.UNKNOWN] if needed else [])


# A database that was there


def without_database(**changes: Any) -> Diagnosis:
    """Of a deployment whose database is not there."""
    facts = recovery_facts(database=Absent(), **changes)
    return diagnose(replace(facts, status=replace(facts.status, database=Absent())))


def test_a_database_that_somebody_deleted_is_not_replaced_by_an_empty_one() -> None:
    found, states = judged(run(state=RunState.SUCCEEDED), diagnoses=[without_database()])
    assert (states, found.goes_on) == ([Still.THERE], False)
    assert found.refused[0].fix.startswith("restore its last snapshot under this name; if an empty database will do")
    assert judged(None, diagnoses=[without_database(api=Absent())])[0].goes_on


@pytest.mark.parametrize(("changed", "still"), [(True, Still.UNKNOWN), (False, Still.THERE)])
def test_a_wrong_config_is_wrong_until_it_is_changed(changed: bool, still: Still) -> None:
    assert judged(run("api error ValidationException: x"), config_changed=changed)[1] == [still]


def test_a_look_up_that_failed_is_worth_a_try_though_the_config_is_as_it_was() -> None:
    """The account stack may have been brought up since."""
    missing = program_failure("the runtime of install langgraph-cloud was not found in account 1, region us-west-2")
    last = LastRun(id="x", verb="up", state=RunState.FAILED, began=BEGAN, failures=classify([missing]))
    found, states = judged(last)
    assert (states, found.goes_on) == ([Still.UNKNOWN], True)


def diagnosis(reason: str) -> Diagnosis:
    """Of a deployment whose containers stop for this reason."""
    return diagnose(recovery_facts(api=down(), stopped={"api": (stopped(reason),), "cache": ()}))


TIMED_OUT = "waiting for ECS Service (x) create: timeout while waiting for state to become 'tfSTABLE'"


@pytest.mark.parametrize(
    ("checks", "still"),
    [
        ((failed(Area.IMAGE, "image", "is not there", "push it"),), Still.THERE),
        ((passed(Area.IMAGE, "image", "is there"),), Still.GONE),
        ((), Still.UNKNOWN),
    ],
)
def test_a_time_out_for_want_of_an_image_waits_for_the_image(checks: tuple[Check, ...], still: Still) -> None:
    found, states = judged(run(TIMED_OUT), *checks, diagnoses=[diagnosis("CannotPullContainerError: x: not found")])
    assert states == [Still.UNKNOWN, still]
    assert bool(found.refused) is (still is Still.THERE)


def test_a_time_out_for_want_of_capacity_is_worth_a_try() -> None:
    found, _ = judged(run(TIMED_OUT), diagnoses=[diagnosis("RESOURCE:FARGATE")])
    assert [item.kind for item in found.judged] == [Kind.TIME_OUT, Kind.CAPACITY]
    assert found.refused == ()


def test_a_stopped_database_is_started_first() -> None:
    found, _ = judged(run(TIMED_OUT), diagnoses=[diagnose(recovery_facts(rds="stopped"))])
    (refused,) = found.refused
    assert refused.fix == "start it; AWS does so by itself after seven days"


def test_what_is_not_there_yet_is_what_a_run_makes() -> None:
    absent = recovery_facts(api=Absent(), database=Absent())
    found, _ = judged(None, diagnoses=[diagnose(absent)])
    assert (found.refused, found.needed, found.refresh) == ((), True, True)


def test_nothing_is_needed_after_a_run_that_did_all_it_was_to_do() -> None:
    found, states = judged(run(state=RunState.SUCCEEDED), diagnoses=[diagnose(recovery_facts())])
    assert (found.needed, found.refresh, states) == (False, False, [])


@pytest.mark.parametrize(
    ("last", "refresh"),
    [
        (run("x", state=RunState.FAILED), False),
        (run(TAKEN), True),
        (run(state=RunState.LOST), True),
        (run("x", state=RunState.INTERRUPTED), True),
    ],
)
def test_the_state_is_read_anew_where_it_may_be_wrong(last: LastRun, refresh: bool) -> None:
    assert judged(last)[0].refresh is refresh
