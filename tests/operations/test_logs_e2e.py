"""``byoc logs`` and ``events`` on the embedded AWS, and the tasks that it tells of."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from tests.operations.operated_world import Operated
from tests.sandbox.sandbox_world import CHAT, SUPPORT

pytestmark = pytest.mark.slow


def test_logs_are_in_order_across_containers_and_can_be_picked(operated: Operated) -> None:
    logs, group = operated.world.aws("logs"), "/aws/ecs/langgraph-cloud"
    streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix="support/server/")["logStreams"]
    now = int(datetime.now(UTC).timestamp() * 1000) - 5000
    for number in range(4):
        entry = {"timestamp": now + number, "message": f"request {number} {'slow' if number == 2 else 'quick'}"}
        name = streams[number % 2]["logStreamName"]
        logs.put_log_events(logGroupName=group, logStreamName=name, logEvents=[entry])
    requests = ["--filter", "request", "--json"]

    def messages(*words: str) -> list[str]:
        outcome = operated.byoc("logs", SUPPORT, *words)
        assert (outcome.code, outcome.err) == (0, "")
        return [json.loads(line)["message"] for line in outcome.out.splitlines()]

    in_order = ["request 0 quick", "request 1 quick", "request 2 slow", "request 3 quick"]
    assert messages(*requests) == in_order
    assert messages(*requests, "--newest-first") == in_order[::-1]
    assert messages(*requests, "-n", "2") == in_order[2:]
    assert messages("--filter", "slow", "--json") == ["request 2 slow"]
    assert messages(*requests, "--role", "queue") == []
    assert messages(*requests, "--until", "1m") == []
    assert {line.split()[1].split("/")[0] for line in operated.byoc("logs", SUPPORT).out.splitlines()} == {
        "api",
        "queue",
        "cache",
    }
    assert operated.denied() == []


def test_a_container_cannot_speak_to_the_terminal_of_who_reads_its_logs(operated: Operated) -> None:
    logs, group = operated.world.aws("logs"), "/aws/ecs/langgraph-cloud"
    (stream,) = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix="chat/cache/")["logStreams"]
    entry = {"timestamp": int(datetime.now(UTC).timestamp() * 1000) - 1000, "message": "said \x1b]52;c;cm0=\x07 so"}
    logs.put_log_events(logGroupName=group, logStreamName=stream["logStreamName"], logEvents=[entry])
    words = ("logs", CHAT, "--filter", "said")
    assert operated.byoc(*words).out.endswith(" said \\x1b]52;c;cm0=\\x07 so\n")
    assert json.loads(operated.byoc(*words, "--json").out)["message"] == entry["message"]


def test_logs_of_several_stacks_are_merged_and_one_that_cannot_be_reached_hides_no_other(operated: Operated) -> None:
    outcome = operated.byoc("logs", "demo-*")
    lines = outcome.out.splitlines()
    assert (outcome.code, outcome.err) == (0, "")
    times = [line.split()[0] for line in lines]
    assert times == sorted(times)
    assert {line.split()[1] for line in lines} == {CHAT, SUPPORT}
    assert {line.split()[2].split("/")[0] for line in lines} == {"api", "queue", "cache"}
    wrong = operated.world.copy_stack(CHAT, "elsewhere", {"accountId": "999999999999"})
    outcome = operated.byoc("logs", CHAT, wrong, "--json")
    operated.world.file(wrong).unlink()
    assert outcome.code == 1
    assert outcome.err.startswith("error: elsewhere: sts:AssumeRole: denied: arn:aws:iam::999999999999:role/")
    assert {json.loads(line)["stack"] for line in outcome.out.splitlines()} == {CHAT}


def test_a_revision_has_its_own_entries_and_its_end_is_among_the_events(operated: Operated) -> None:
    before = json.loads(operated.byoc("logs", CHAT, "--role", "api", "--json").out)["task"]
    operated.world.up(CHAT, 'byoc:environment={"GREETING": "Hi"}').done()
    _, rows = operated.status(CHAT)
    number = rows[CHAT]["revision"]["number"]
    found = {
        revision: [json.loads(line)["task"] for line in
                   operated.byoc("logs", CHAT, "--revision", str(revision), "--json").out.splitlines()]
        for revision in (number - 1, number)
    }  # fmt: skip
    assert found[number - 1] == [before]
    assert len(found[number]) == 1
    assert found[number] != [before]
    events = [event["text"] for event in json.loads(operated.byoc("events", CHAT, "--json").out)["events"]]
    why = "no longer wanted: fewer containers are, or a newer revision runs"
    assert f"container {before[:8]} of revision {number - 1} stopped: {why}" in events
    outcome = operated.byoc("logs", CHAT, "--revision", "99")
    assert outcome.code == 1
    assert outcome.err.startswith("error: there is no revision 99 of langgraph-cloud-chat-api: ")


def test_the_embedded_aws_tells_tasks_of_services_from_those_that_are_run_by_themselves(operated: Operated) -> None:
    ecs, cluster = operated.world.aws("ecs"), "langgraph-cloud-cluster"
    service = "langgraph-cloud-support-api"
    (described,) = ecs.describe_services(cluster=cluster, services=[service])["services"]
    ecs.register_task_definition(
        family="alone",
        networkMode="awsvpc",
        containerDefinitions=[{"name": "alone", "image": "example/alone:1", "cpu": 256, "memory": 512}],
    )
    (alone,) = ecs.run_task(
        cluster=cluster,
        taskDefinition="alone",
        launchType="FARGATE",
        count=1,
        networkConfiguration=described["networkConfiguration"],
    )["tasks"]
    of_service = ecs.list_tasks(cluster=cluster, serviceName=service)["taskArns"]
    every = ecs.list_tasks(cluster=cluster)["taskArns"]
    asked = [of_service[0], alone["taskArn"], "0123456789abcdef0123456789abcdef"]
    answer = ecs.describe_tasks(cluster=cluster, tasks=asked)
    ecs.stop_task(cluster=cluster, task=alone["taskArn"])
    assert len(of_service) == 2
    assert alone["taskArn"] not in of_service
    assert {*of_service, alone["taskArn"]} <= set(every)
    assert {task["taskArn"] for task in answer["tasks"]} == set(asked[:2])
    assert [failure["reason"] for failure in answer["failures"]] == ["MISSING"]


def test_the_embedded_aws_counts_what_a_cluster_runs_and_its_targets_follow_the_count(operated: Operated) -> None:
    ecs, elb, cluster = operated.world.aws("ecs"), operated.world.aws("elbv2"), "langgraph-cloud-cluster"
    service = "langgraph-cloud-support-api"
    (described,) = ecs.describe_services(cluster=cluster, services=[service])["services"]
    group = described["loadBalancers"][0]["targetGroupArn"]

    def seen(count: int) -> tuple[int, int]:
        ecs.update_service(cluster=cluster, service=service, desiredCount=count)
        behind = elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
        return len(behind), ecs.describe_clusters(clusters=[cluster])["clusters"][0]["runningTasksCount"]

    before = described["runningCount"]
    first, fewer, again = seen(before), seen(before - 1), seen(before)
    assert first == again == (before, first[1])
    assert fewer == (before - 1, first[1] - 1)
