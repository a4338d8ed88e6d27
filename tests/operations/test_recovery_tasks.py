"""Why containers stop: messages of Amazon ECS as they were recorded, and what each is taken for."""

from __future__ import annotations

from datetime import timedelta

import pytest

from byoc.operations.recovery.diagnose import diagnose
from byoc.operations.recovery.diagnose.tasks import cause_of_task
from byoc.operations.recovery.finding import Area, Finding, Severity
from byoc.operations.status.facts import ServiceFacts
from byoc.operations.task_causes import cause_of
from tests.operations import situations
from tests.operations.recovery_situations import LATER, down, note, recovery_facts, stopped
from tests.operations.situations import AT, FAILED_ROLLOUT

_AUTH = "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: "
_ARN = "arn:aws:secretsmanager:us-west-2:123456789012:secret:langgraph-cloud/chat/environment-AbCdEf"
_REF = "123456789012.dkr.ecr.us-west-2.amazonaws.com/agents/chat:1.0.0"
_HUB = "https://registry-1.docker.io/v2/library/redis/manifests/7.4-alpine"

MESSAGES = [
    # The image.
    (f"CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref {_REF}: "
     f"{_REF}: not found", "image-not-found"),
    (f"CannotPullContainerError: inspect image has been retried 1 time(s): failed to resolve ref \"{_REF}\": "
     f"{_REF}: not found", "image-not-found"),
    ("CannotPullContainerError: Error response from daemon: manifest for agents/chat:1 not found: manifest unknown: "
     "manifest unknown", "image-not-found"),
    ("CannotPullContainerError: The repository with name 'agents/chat' does not exist in the registry with id "
     "'123456789012'", "image-not-found"),
    (f"CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref {_REF}: "
     "unexpected status from HEAD request to https://123456789012.dkr.ecr.us-west-2.amazonaws.com/v2/agents/chat/"
     "manifests/1.0.0: 403 Forbidden", "image-denied"),
    ("CannotPullContainerError: pull access denied for agents/chat, repository does not exist or may require "
     "'docker login': denied: requested access to the resource is denied", "image-denied"),
    ("CannotPullContainerError: inspect image has been retried 1 time(s): failed to resolve ref: pulling from host "
     "failed with status code [manifests 1.0.0]: 401 Unauthorized", "image-denied"),
    (f"CannotPullContainerError: inspect image has been retried 5 time(s): httpReadSeeker: failed open: unexpected "
     f"status code {_HUB}: 429 Too Many Requests - Server message: toomanyrequests: You have reached your pull rate "
     "limit.", "image-rate-limit"),
    ("CannotPullContainerError: failed to copy: toomanyrequests: Rate exceeded", "image-rate-limit"),
    (f"CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to resolve ref {_REF}: failed "
     f"to do request: Head \"{_HUB}\": dial tcp 34.205.13.154:443: i/o timeout", "image-unreachable"),
    ("CannotPullContainerError: Error response from daemon: Get https://123456789012.dkr.ecr.us-west-2.amazonaws.com/"
     "v2/: net/http: request canceled while waiting for connection", "image-unreachable"),
    ("CannotPullContainerError: pull image manifest has been retried 7 time(s): image Manifest does not contain "
     "descriptor matching platform 'linux/amd64'", "image-platform"),
    ("CannotPullContainerError: invalid reference format", "image-name"),
    ("CannotPullContainerError: unexpected status code: 503 Service Unavailable", "aws-fault"),
    ("CannotPullContainerError: ref pull has been retried 1 time(s): failed to copy: short read", "image-pull"),
    ("CannotPullECRContainerError: AccessDeniedException: User is not authorized to perform: ecr:BatchGetImage",
     "image-denied"),
    # Secrets.
    (_AUTH + f"unable to retrieve secret from asm: service call has been retried 1 time(s): failed to fetch secret "
     f"{_ARN} from secrets manager: AccessDeniedException: User: arn:aws:sts::123456789012:assumed-role/LangGraphCloud"
     "ECSTaskExecutionRole/9f8e is not authorized to perform: secretsmanager:GetSecretValue on resource: "
     f"{_ARN} because no identity-based policy allows the action", "secret-denied"),
    (_AUTH + f"unable to retrieve secret from asm: failed to fetch secret {_ARN} from secrets manager: "
     "AccessDeniedException: Access to KMS is not allowed status code: 400", "secret-denied"),
    (_AUTH + "unable to retrieve secret from asm: service call has been retried 1 time(s): failed to fetch secret "
     f"{_ARN} from secrets manager: ResourceNotFoundException: Secrets Manager can't find the specified secret.",
     "secret-gone"),
    (_AUTH + f"unable to retrieve secret from asm: failed to fetch secret {_ARN} from secrets manager: "
     "InvalidRequestException: You can't perform this operation on the secret because it was marked for deletion.",
     "secret-gone"),
    (_AUTH + f"unable to retrieve secret from asm: failed to fetch secret {_ARN} from secrets manager: "
     "ResourceNotFoundException: Secrets Manager can't find the specified secret value for VersionId: 0a1b2c",
     "secret-version-gone"),
    (_AUTH + f"unable to retrieve secret from asm: failed to fetch secret {_ARN} from secrets manager: "
     "ResourceNotFoundException: Secrets Manager can't find the specified secret value for staging label: AWSCURRENT",
     "secret-version-gone"),
    (_AUTH + "unable to retrieve secret from asm: service call has been retried 1 time(s): retrieved secret from "
     "Secrets Manager did not contain json key OPENAI_API_KEY", "secret-key-missing"),
    (_AUTH + f"unable to retrieve secret from asm: service call has been retried 5 time(s): failed to fetch secret "
     f"{_ARN} from secrets manager: RequestCanceled: request context canceled caused by: context deadline exceeded. "
     "Please check your task network configuration.", "secret-unreachable"),
    (_AUTH + "unable to retrieve ecr registry auth: service call has been retried 3 time(s): RequestError: send "
     "request failed caused by: Post https://api.ecr.us-west-2.amazonaws.com/: dial tcp: i/o timeout",
     "registry-unreachable"),
    ("ResourceInitializationError: unable to pull secrets or registry auth: The task cannot pull registry auth from "
     "Amazon ECR: There is a connection issue between the task and Amazon ECR. Check your task network configuration.",
     "registry-unreachable"),
    (_AUTH + "unable to retrieve secret from asm: service call has been retried 1 time(s): invalid character",
     "secret-pull"),
    # Logs, roles, start.
    ("ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: failed to "
     "create Cloudwatch log stream: ResourceNotFoundException: The specified log group does not exist.", "log-group"),
    ("ECS was unable to assume the role 'arn:aws:iam::123456789012:role/LangGraphCloudECSTaskExecutionRole' that was "
     "provided for this task. Please verify that the role being passed has the proper trust relationship and "
     "permissions.", "role-not-assumable"),
    ("CannotStartContainerError: Error response from daemon: OCI runtime create failed: container_linux.go: starting "
     "container process caused: exec: \"/entry\": no such file or directory", "cannot-run"),
    ("ContainerRuntimeTimeoutError: Could not transition to running; timed out after waiting 1m", "cannot-run"),
    # Network interfaces and capacity.
    ("Timeout waiting for network interface provisioning to complete.", "network-interface"),
    ("Network interface provision complete error timeout wait for network interface provision", "network-interface"),
    ("Unexpected EC2 error while attempting to Create Network Interface with public IP assignment disabled in subnet "
     "'subnet-0a1b2c3d4e5f60718': InsufficientFreeAddressesInSubnet", "subnet-full"),
    ("Unexpected EC2 error while attempting to Create Network Interface: NetworkInterfaceLimitExceeded",
     "interface-limit"),
    ("Unexpected EC2 error while attempting to Create Network Interface: InternalError", "aws-fault"),
    ("Capacity is unavailable at this time. Please try again later or in a different availability zone", "capacity"),
    ("RESOURCE:FARGATE", "capacity"),
    ("You've reached the limit on the number of vCPUs you can run concurrently", "fargate-quota"),
    # What runs and ends.
    ("OutOfMemoryError: Container killed due to memory usage", "out-of-memory"),
    ("Task failed ELB health checks in (target-group arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/"
     "chat/0123456789abcdef)", "health-check"),
    ("Task failed container health checks", "health-check"),
]  # fmt: skip


@pytest.mark.parametrize(("message", "cause"), MESSAGES, ids=[f"{cause}-{n}" for n, (_, cause) in enumerate(MESSAGES)])
def test_a_message_of_ecs_is_taken_for_its_cause(message: str, cause: str) -> None:
    found = cause_of(message)
    assert found is not None
    assert found.id == cause


PASSING = {"image-rate-limit", "aws-fault", "network-interface", "capacity", "throttled"}


def test_only_causes_that_pass_by_themselves_are_worth_another_try() -> None:
    found = {cause.id for message, _ in MESSAGES if (cause := cause_of(message)) is not None and cause.passing}
    assert found == PASSING - {"throttled"}


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
        stopped("Essential container in task exited", "EssentialContainerExited", exit_code=143),
        stopped("", ""),
    ],
    ids=["scaled", "scaled-killed", "by-hand", "by-hand-2", "retired", "spot", "sigterm", "nothing-said"],
)
def test_a_container_that_was_to_end_is_no_trouble(task: object) -> None:
    assert tasks_of(situations.service(running=1), task) == []


@pytest.mark.parametrize(
    ("reason", "said", "code", "cause"),
    [
        ("Essential container in task exited", "OutOfMemoryError: Container killed due to memory usage", 137,
         "out-of-memory"),
        ("Essential container in task exited", "", 137, "killed"),
        ("Essential container in task exited", "", 1, "exited"),
        ("Essential container in task exited", "", 0, "exited"),
        ("Task failed to start", f"CannotPullContainerError: failed to resolve ref {_REF}: not found", None,
         "image-not-found"),
    ],
)  # fmt: skip
def test_what_a_container_says_goes_before_what_the_task_says(
    reason: str, said: str, code: int | None, cause: str
) -> None:
    found = cause_of_task(stopped(reason, "EssentialContainerExited", said=said, exit_code=code))
    assert found is not None
    assert found.id == cause


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
    found = tasks_of(down(), stopped("RESOURCE:FARGATE"), stopped(f"CannotPullContainerError: {_REF}: not found"))
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
