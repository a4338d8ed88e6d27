"""AWS's messages, as recorded, and what they come to in plain words."""

from __future__ import annotations

import pytest

from byoc.operations.event_words import alarm_words, database_words, scaling_words, service_words, stopped_words

SERVICE = "(service langgraph-cloud-chat-api)"
GROUP = "arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/chat/0123456789abcdef"
TASK, OTHER = "cf2951f7a1b2c3d4e5f60718293a4b5c", "8e584ddf00112233445566778899aabb"


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("has reached a steady state.", "as many containers run as are wanted"),
        (f"has started 1 tasks: (task {TASK}).", "started: 1 container (cf2951f7)"),
        (f"has started 2 tasks: (task {TASK}) (task {OTHER}).", "started: 2 containers (cf2951f7, 8e584ddf)"),
        (f"has stopped 1 running tasks: (task {TASK}).", "stopped: 1 container (cf2951f7)"),
        ("has begun draining connections on 2 tasks.", "no new requests to 2 containers, which end soon"),
        (f"registered 1 targets in (target-group {GROUP})", "put behind the load balancer: 1 container"),
        (f"deregistered 11 targets in (target-group {GROUP})", "taken from behind the load balancer: 11 containers"),
        ("(deployment ecs-svc/1234567890123456789) deployment completed.", "the roll-out is done"),
        (
            "(deployment ecs-svc/1234567890123456789) deployment failed: tasks failed to start.",
            "the roll-out failed: tasks failed to start",
        ),
        ("rolling back to deployment ecs-svc/1234567890123456789.", "ECS goes back to the revision before"),
        (
            "was unable to place a task. Reason: Capacity is unavailable at this time. Please try again later or in a "
            "different availability zone. For more information, see the Troubleshooting section.",
            "no container could be placed: AWS has no Fargate capacity at the moment",
        ),
        (
            "was unable to place a task. Reason: You've reached the limit on the number of vCPUs you can run "
            "concurrently.",
            "no container could be placed: You've reached the limit on the number of vCPUs you can run concurrently",
        ),
        (
            "is unable to consistently start tasks successfully. For more information, see the Troubleshooting section "
            "of the Amazon ECS Developer Guide.",
            "containers keep failing to start; ECS tries again, at longer and longer intervals",
        ),
        (
            "failed to launch a task with (error ECS was unable to assume the role 'arn:aws:iam::1:role/x' that was "
            "provided for this task.).",
            "no container could be started: ECS was unable to assume the role 'arn:aws:iam::1:role/x' that was "
            "provided for this task.",
        ),
        (f"(task {TASK}) failed container health checks.", "a container failed its own health check (cf2951f7)"),
        (
            f"(port 8000) is unhealthy in (target-group {GROUP}) due to (reason Health checks failed with these codes: "
            "[502]).",
            "a container fails the load balancer's health check on port 8000: Health checks failed with these codes: "
            "[502]",
        ),
        (
            f"(task {TASK}) (port 8000) is unhealthy in (target-group {GROUP}) due to (reason Request timed out).",
            "a container fails the load balancer's health check on port 8000: Request timed out (cf2951f7)",
        ),
        (
            "operations are being throttled on elb. Will try again later.",
            "AWS is too busy for ECS's own calls (elb); ECS tries again by itself",
        ),
    ],
)  # fmt: skip
def test_what_a_service_says_in_plain_words(message: str, words: str) -> None:
    assert service_words(f"{SERVICE} {message}") == words


@pytest.mark.parametrize("message", [f"{SERVICE} has learned to sing.", "something else altogether", ""])
def test_what_is_not_known_is_shown_as_it_is(message: str) -> None:
    assert service_words(message) == message
    assert database_words(message) == message


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (
            "Scaling activity initiated by (deployment ecs-svc/1234567890123456789)",
            "no longer wanted: fewer containers are, or a newer revision runs",
        ),
        (f"Task failed ELB health checks in (target-group {GROUP})", "failed the load balancer's health check"),
        ("Task failed container health checks", "failed its own health check"),
        ("Essential container in task exited", "its process ended"),
        (
            "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve: not found",
            "its image cannot be pulled: pull image manifest has been retried 1 time(s): failed to resolve: not found",
        ),
        (
            "ResourceInitializationError: unable to pull secrets or registry auth: AccessDeniedException",
            "its secrets, or the registry's login, cannot be fetched: AccessDeniedException",
        ),
        (
            "ResourceInitializationError: failed to validate logger args: The specified log group does not exist.",
            "it cannot write to its log group: The specified log group does not exist.",
        ),
        ("ResourceInitializationError: odd", "what it needs could not be prepared: odd"),
        ("Timeout waiting for network interface provisioning to complete.", "it got no network interface in time"),
        ("", "ECS gives no reason"),
        ("Fargate had a bad day", "Fargate had a bad day"),
    ],
)
def test_why_a_container_stopped_in_plain_words(reason: str, words: str) -> None:
    assert stopped_words(reason) == words


def test_what_containers_say_beside_stands_behind_the_reason() -> None:
    containers: list[dict[str, object]] = [
        {"name": "server", "reason": "OutOfMemoryError: Container killed due to memory usage", "exitCode": 137},
        {"name": "quiet", "exitCode": 0},
        {"name": "half"},
    ]
    assert stopped_words("Essential container in task exited", containers) == (
        "its process ended; server: it needed more memory than it has, exit code 137"
    )


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("DB instance created", "the database was made"),
        ("Backing up DB instance", "a backup begins"),
        ("Finished DB instance backup", "the backup is done"),
        ("Finished DB Instance backup", "the backup is done"),
        ("DB instance stopped", "the database was stopped"),
        ("Multi-AZ instance failover started.", "the standby takes over"),
        ("Multi-AZ instance failover completed", "the standby has taken over"),
        (
            "The free storage capacity for DB Instance: langgraph-cloud-chat is low at 8.5% of the provisioned storage "
            "[Provisioned Storage: 19.5 GB, Free Storage: 1.6 GB]. You may want to increase the provisioned storage.",
            "the storage is nearly full: 8.5% is free",
        ),
        ("Allocated storage has been exhausted", "the storage is full: the database stands still"),
        ("Applying modification to database instance class", "begins to change: database instance class"),
        ("Finished applying modification to DB instance class", "changed: DB instance class"),
    ],
)
def test_what_a_database_says_in_plain_words(message: str, words: str) -> None:
    assert database_words(message) == words


def test_an_alarm_that_goes_on_tells_why_and_one_that_goes_off_does_not() -> None:
    on = '{"newState": {"stateValue": "ALARM", "stateReason": "Threshold Crossed: 1 datapoint"}}'
    assert alarm_words("errors", "Alarm updated from OK to ALARM", on) == (
        "alarm errors is on: Threshold Crossed: 1 datapoint"
    )
    assert alarm_words("errors", "Alarm updated from ALARM to OK", on) == "alarm errors is off"
    assert alarm_words("errors", "Alarm updated from OK to INSUFFICIENT_DATA", "") == "alarm errors has no data"


@pytest.mark.parametrize("data", ["", "no json", "[]", "{}", '{"newState": 5}', "null"])
def test_an_alarm_whose_data_cannot_be_read_is_on_all_the_same(data: str) -> None:
    assert alarm_words("errors", "Alarm updated from OK to ALARM", data) == "alarm errors is on"


def test_a_summary_that_is_new_is_shown_as_it_is() -> None:
    assert alarm_words("errors", "Alarm renamed", "") == "alarm errors: Alarm renamed"
    assert (
        alarm_words("errors", "Alarm updated from OK to PUZZLED", "")
        == "alarm errors: Alarm updated from OK to PUZZLED"
    )


CAUSE = "monitor alarm langgraph-cloud-chat-scale-out in state ALARM triggered policy langgraph-cloud-chat-scale-out"


def test_scaling_says_how_many_and_by_which_alarm() -> None:
    assert scaling_words(
        "Setting desired count to 3.", CAUSE, "Successful", "Successfully set desired count to 3."
    ) == ("3 containers wanted, by alarm langgraph-cloud-chat-scale-out")


def test_scaling_that_failed_says_why_not() -> None:
    assert scaling_words("Setting desired count to 3.", "", "Failed", "Failed to set desired count to 3.") == (
        "scaling did not work: 3 containers wanted: Failed to set desired count to 3."
    )
    assert scaling_words("Odd.", "", "Unfulfilled", "") == "scaling did not work: Odd.: unfulfilled"
