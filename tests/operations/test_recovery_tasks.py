"""Why containers stop: messages of Amazon ECS as they were recorded, and what each is taken for."""

from __future__ import annotations

from datetime import timedelta

import pytest

from byoc.operations.recovery.diagnose import diagnose
from byoc.operations.recovery.diagnose.tasks import cause_of_task
from byoc.operations.recovery.facts import StoppedTask
from byoc.operations.recovery.finding import Area, Finding, Severity
from byoc.operations.recovery.read import stopped_task
from byoc.operations.status.facts import ServiceFacts
from byoc.operations.task_causes import cause_of
from tests.operations import situations
from tests.operations.ecs_messages import AUTH, HUB, MESSAGES, REF
from tests.operations.recovery_situations import LATER, down, note, recovery_facts, settings, stopped
from tests.operations.situations import AT, FAILED_ROLLOUT


@pytest.mark.parametrize(("message", "cause"), MESSAGES, ids=[f"{cause}-{n}" for n, (_, cause) in enumerate(MESSAGES)])
def test_a_message_of_ecs_is_taken_for_its_cause(message: str, cause: str) -> None:
    found = cause_of(message)
    assert found is not None
    assert found.id == cause


PASSING = {"image-rate-limit", "aws-fault", "network-interface", "capacity", "throttled"}


def test_only_causes_that_pass_by_themselves_are_worth_another_try() -> None:
    found = {cause.id for message, _ in MESSAGES if (cause := cause_of(message)) is not None and cause.passing}
    assert found == PASSING - {"throttled"}
    throttled = cause_of("operations are being throttled on elb. Will try again later.")
    assert throttled is not None
    assert throttled.passing


def tasks_of(api: ServiceFacts, *tasks: object) -> list[Finding]:
    """What is found of the API's containers."""
    found = diagnose(recovery_facts(api=api, stopped={"api": tuple(tasks), "cache": ()})).findings
    return [finding for finding in found if finding.area is Area.TASKS]


@pytest.mark.parametrize(
    "task",
    [
        stopped("Scaling activity initiated by (deployment ecs-svc/7777777777777777777)", "ServiceSchedulerInitiated"),
        # Told to stop in a roll-out, and killed since it took longer than its time: not a want of memory.
        stopped("Scaling activity initiated by (deployment ecs-svc/8)", "ServiceSchedulerInitiated", exit_code=137),
        stopped("Task stopped by user", "UserInitiated", exit_code=137),
        stopped("User initiated: stopped in the console", "UserInitiated", exit_code=143),
        stopped(
            "ECS is performing maintenance on the underlying infrastructure hosting the task.",
            "ServiceSchedulerInitiated",
            exit_code=0,
        ),
        stopped("", "TerminationNotice", exit_code=137),
        stopped("Task is stopping due to infrastructure health", "InfrastructureHealth", exit_code=137),
        stopped("Essential container in task exited", "ServiceSchedulerInitiated", exit_code=143),
        stopped("", ""),
    ],
    ids=[
        "scaled",
        "scaled-killed",
        "by-hand",
        "by-hand-2",
        "retired",
        "spot",
        "unhealthy-host",
        "told",
        "nothing-said",
    ],
)
def test_a_container_that_was_to_end_is_no_trouble(task: object) -> None:
    assert tasks_of(situations.service(running=1), task) == []


@pytest.mark.parametrize(
    ("reason", "said", "code", "cause"),
    [
        ("Essential container in task exited", "OutOfMemoryError: Container killed due to memory usage", 137,
         "out-of-memory"),
        ("Essential container in task exited", "", 137, "killed"),
        ("Essential container in task exited", "", 139, "crashed"),
        ("Essential container in task exited", "", 143, "terminated"),
        ("Essential container in task exited", "", 1, "exited"),
        ("Essential container in task exited", "", 0, "exited"),
        ("Task failed to start", f"CannotPullContainerError: failed to resolve ref {REF}: not found", None,
         "image-not-found"),
    ],
)  # fmt: skip
def test_what_a_container_says_goes_before_what_the_task_says(
    reason: str, said: str, code: int | None, cause: str
) -> None:
    found = cause_of_task(stopped(reason, "EssentialContainerExited", said=said, exit_code=code))
    assert found is not None
    assert found.id == cause


@pytest.mark.parametrize(
    ("message", "cause"),
    [
        (AUTH + "unable to retrieve secret from asm: failed to fetch secret arn:aws:secretsmanager:us-west-2:1:secret:"
         "langgraph-cloud/kms-denied/environment-AbCdEf from secrets manager: ResourceNotFoundException: Secrets "
         "Manager can't find the specified secret.", "secret-gone"),
        ("CannotPullContainerError: failed to resolve ref 1.dkr.ecr.us-west-2.amazonaws.com/access-denied-bot:1: "
         "1.dkr.ecr.us-west-2.amazonaws.com/access-denied-bot:1: not found", "image-not-found"),
        ("CannotPullContainerError: The repository with name 'throttled' does not exist in the registry with id '1'",
         "image-not-found"),
        (f"CannotPullContainerError: failed to do request: Head \"{HUB}/forbidden\": dial tcp: i/o timeout",
         "image-unreachable"),
        ("(service langgraph-cloud-outofmemory-api) was unable to place a task. Reason: Capacity is unavailable at "
         "this time.", "capacity"),
    ],
)  # fmt: skip
def test_a_name_that_the_customer_chose_is_not_taken_for_aws_s_words(message: str, cause: str) -> None:
    found = cause_of(message)
    assert found is not None
    assert found.id == cause


def test_an_image_named_like_a_planned_end_is_missed_all_the_same() -> None:
    for name in ("retirement-planner", "maintenance"):
        task = stopped(f"CannotPullContainerError: failed to resolve ref 1.dkr.ecr/agents/{name}:1: not found")
        (found,) = tasks_of(down(), task)
        assert (found.id, found.severity) == ("tasks.image-not-found", Severity.CRITICAL)


@pytest.mark.parametrize(
    "task",
    [
        stopped("DockerTimeoutError: Could not transition to started; timed out after waiting 3m0s"),
        stopped("Task failed to start", exit_code=1),
        stopped("Task failed to start", said="SomethingNewError: nobody has seen it"),
    ],
)
def test_a_container_that_failed_to_start_for_an_unknown_reason_is_found_and_not_tried_again(task: StoppedTask) -> None:
    unknown, capacity = tasks_of(down(), task, task, stopped("RESOURCE:FARGATE"))
    assert (unknown.id, unknown.severity, unknown.remedy) == ("tasks.not-started", Severity.CRITICAL, None)
    assert task.reason in unknown.evidence[0]
    assert (capacity.id, capacity.remedy) == ("tasks.capacity", None)


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        ("operations are being throttled on elb. Will try again later.", "throttled"),
        ("was unable to place a task. Reason: Internal error.", "zone"),
        ("was unable to place a task. Reason: ResourceInitializationError: failed to validate logger args: x",
         "log-group"),
        ("was unable to place a task. Reason: something new.", "not-started"),
        ("was unable to stop or start tasks during a deployment because of the service deployment configuration. "
         "Update the minimumHealthyPercent or maximumPercent value and try again.", "not-started"),
        ("failed to register targets in (target-group arn:aws:x) with (error The target group does not exist)",
         "not-behind-load-balancer"),
        ("failed to launch a task with (error ECS was unable to assume the role 'arn:aws:iam::1:role/x' that was "
         "provided for this task.).", "role-not-assumable"),
        ("(task 1f2e3d4c) failed container health checks.", "health-check"),
    ],
)  # fmt: skip
def test_what_a_service_says_of_itself_is_taken_for_its_cause(words: str, cause: str) -> None:
    (found,) = tasks_of(down(notes=(note(words),)))
    assert found.id == f"tasks.{cause}"
    assert words in found.evidence[0]


def test_a_container_that_guardduty_puts_beside_ours_says_nothing_about_its_end() -> None:
    task = stopped_task(
        {
            "taskArn": "arn:aws:ecs:us-west-2:1:task/c/9f8e",
            "taskDefinitionArn": "arn:aws:ecs:us-west-2:1:task-definition/chat-api:7",
            "stopCode": "EssentialContainerExited",
            "stoppedReason": "Essential container in task exited",
            "containers": [
                {"name": "aws-guardduty-agent-x1y2z3", "exitCode": 137, "reason": "OutOfMemoryError: killed"},
                {"name": "server", "exitCode": 1},
            ],
        }
    )
    found = cause_of_task(task)
    assert found is not None
    assert found.id == "exited"


def test_a_container_that_ended_once_and_was_replaced_is_worth_a_note() -> None:
    (found,) = tasks_of(situations.service(), stopped("Task failed container health checks"))
    assert (found.id, found.severity) == ("tasks.health-check", Severity.NOTE)
    assert found.words == (
        "service api: a container ended (once within the hour; as many run as are wanted): it fails its health check"
    )
    assert found.remedy is None


def test_a_container_that_keeps_ending_is_wrong_though_others_take_its_place() -> None:
    (found,) = tasks_of(situations.service(), *[stopped("Task failed container health checks")] * 3)
    assert found.severity is Severity.WARNING


def test_a_want_of_memory_is_wrong_the_first_time() -> None:
    task = stopped(
        "Essential container in task exited",
        "EssentialContainerExited",
        exit_code=137,
        said="OutOfMemoryError: Container killed due to memory usage",
    )
    (found,) = tasks_of(situations.service(), task)
    assert (found.id, found.severity) == ("tasks.out-of-memory", Severity.WARNING)
    assert found.evidence == (
        "revision 7: Essential container in task exited; OutOfMemoryError: Container killed due to memory usage; "
        "exit code 137",
    )


def test_what_was_before_the_roll_out_came_to_its_end_is_over() -> None:
    before = stopped("RESOURCE:FARGATE", at=AT - timedelta(minutes=5))
    older = stopped("OutOfMemoryError: killed", revision=6)
    assert tasks_of(situations.service(), before, older) == []


def test_what_a_service_said_before_it_was_steady_is_over() -> None:
    words = "was unable to place a task. Reason: Capacity is unavailable at this time. Please try again later."
    steady = note("has reached a steady state.", 11)
    assert tasks_of(situations.service(running=1, notes=(steady, note(words)))) == []
    (found,) = tasks_of(situations.service(running=1, notes=(note(words, 12), steady)))
    assert found.id == "tasks.capacity"


def test_a_want_of_capacity_is_tried_again_once_ecs_has_had_its_time() -> None:
    early = down(changed_at=AT + timedelta(minutes=15))
    (found,) = tasks_of(early, stopped("RESOURCE:FARGATE"))
    assert found.remedy is None
    (found,) = tasks_of(down(), stopped("RESOURCE:FARGATE"))
    assert (found.severity, found.words) == (
        Severity.CRITICAL,
        "service api: 2 of 2 containers do not run: "
        "AWS has no Fargate capacity in the zones of its subnets at the moment",
    )
    assert found.remedy is not None
    (call,) = found.remedy.calls
    assert (call.action, dict(call.arguments)) == (
        "ecs:UpdateService",
        {"cluster": "langgraph-cloud-cluster", "service": "langgraph-cloud-chat-api", "forceNewDeployment": True},
    )


@pytest.mark.parametrize("tags", [{}, {"byoc-install": "langgraph-cloud", "byoc-deployment": "other"}])
def test_a_service_that_is_somebody_elses_is_left_alone(tags: dict[str, str]) -> None:
    facts = recovery_facts(
        api=down(), stopped={"api": (stopped("RESOURCE:FARGATE"),)}, services={"api": settings(tags=tags)}
    )
    assert all(finding.remedy is None for finding in diagnose(facts).findings)


def test_ecs_that_gives_up_need_not_be_waited_for() -> None:
    notes = (note("is unable to consistently start tasks successfully. For more information, see the Troubleshooting"),)
    (found,) = tasks_of(down(changed_at=AT + timedelta(minutes=19), notes=notes), stopped("RESOURCE:FARGATE"))
    assert found.remedy is not None


@pytest.mark.parametrize(
    "api",
    [
        situations.service(),  # as many run as are wanted
        down(status="DRAINING"),
        down(running=0, desired=0),
        down(replaced=(FAILED_ROLLOUT,)),  # went back: this revision is not the one that failed
    ],
    ids=["well", "leaving", "none-wanted", "went-back"],
)
def test_nothing_is_tried_where_it_would_bring_nothing(api: ServiceFacts) -> None:
    assert [finding.remedy for finding in tasks_of(api, stopped("RESOURCE:FARGATE"))] in ([], [None])


def test_nothing_is_tried_beside_a_cause_that_stays() -> None:
    found = tasks_of(down(), stopped("RESOURCE:FARGATE"), stopped(f"CannotPullContainerError: {REF}: not found"))
    assert [finding.id for finding in found] == ["tasks.capacity", "tasks.image-not-found"]
    assert [finding.remedy for finding in found] == [None, None]


def test_nothing_is_tried_where_stopped_containers_are_not_known() -> None:
    words = "was unable to place a task. Reason: Capacity is unavailable at this time."
    facts = recovery_facts(api=down(notes=(note(words),)), stopped={"api": situations.THROTTLED, "cache": ()})
    found = diagnose(facts)
    (capacity,) = [finding for finding in found.findings if finding.area is Area.TASKS]
    assert capacity.remedy is None
    assert found.unknown == (f"not known: stopped containers of api: {situations.THROTTLED.why}",)


def test_an_unhealthy_target_is_a_failed_health_check() -> None:
    words = "(port 8000) is unhealthy in (target-group arn:aws:x) due to (reason Health checks failed with these codes"
    (found,) = tasks_of(down(notes=(note(words),)))
    assert found.id == "tasks.health-check"


def test_a_trouble_that_was_over_is_not_taken_for_the_cause_of_the_next() -> None:
    old, new = stopped("RESOURCE:FARGATE"), stopped("CannotPullContainerError: x: not found", at=LATER)
    steady = note("has reached a steady state.", 11)
    assert [finding.id for finding in tasks_of(down(notes=(steady,)), old, new)] == ["tasks.image-not-found"]


def test_the_revision_from_which_ecs_went_back_is_the_cause_though_the_service_is_well_again() -> None:
    failed = stopped("CannotPullContainerError: x: not found", revision=8)
    api = situations.service(replaced=(FAILED_ROLLOUT,), notes=(note("has reached a steady state.", 15),))
    (found,) = tasks_of(api, failed)
    assert (found.id, found.severity) == ("tasks.image-not-found", Severity.WARNING)
