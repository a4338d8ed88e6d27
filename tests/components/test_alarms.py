"""Alarms: what an operator is told, about exactly this deployment, whatever its revision."""

from __future__ import annotations

from typing import Any

from byoc.components.alarms import Alarms
from byoc.components.spec import ContainerSize, ExistingCache, ExistingDatabase, SeparateQueue
from byoc.types import DeploymentType
from tests.components.deployments import (
    ALARM,
    TAGS,
    TOPIC,
    declared_outputs,
    deploy,
    spec,
    waits_for,
)
from tests.components.harness import Recording
from tests.components.programs import outputs_of

OF_EVERY_DEPLOYMENT = {"errors", "unhealthy-hosts", "api-not-running", "api-tasks-missing"}
OF_A_CACHE = {"cache-not-running", "cache-tasks-missing"}
OF_A_QUEUE = {"queue-not-running", "queue-tasks-missing"}
OF_A_DATABASE = {"database-cpu", "database-storage", "database-connections"}


def subjects(recording: Recording) -> set[str]:
    names = {r.plain["name"] for r in recording.of_type(ALARM) if r.name.startswith("chat-alarms-")}
    assert all(name.startswith("langgraph-cloud-chat-") for name in names)
    return {name.removeprefix("langgraph-cloud-chat-") for name in names}


def alarm(recording: Recording, subject: str) -> dict[str, Any]:
    return dict(recording.only(ALARM, f"chat-alarms-{subject}").plain)


def test_a_deployment_watches_its_service_cache_and_database() -> None:
    assert subjects(deploy()) == OF_EVERY_DEPLOYMENT | OF_A_CACHE | OF_A_DATABASE


def test_a_separate_queue_is_watched_too() -> None:
    recording = deploy(spec(queue=SeparateQueue(cpu=512, memory=1024)))
    assert subjects(recording) == OF_EVERY_DEPLOYMENT | OF_A_CACHE | OF_A_QUEUE | OF_A_DATABASE


def test_what_somebody_else_keeps_is_not_watched() -> None:
    recording = deploy(spec(database=ExistingDatabase(uri="postgresql://x"), cache=ExistingCache(uri="redis://y")))
    assert subjects(recording) == OF_EVERY_DEPLOYMENT


def test_every_alarm_tells_the_runtimes_topic_of_trouble_and_of_its_end() -> None:
    recording = deploy()
    for subject in subjects(recording):
        made = alarm(recording, subject)
        assert (made["alarmActions"], made["okActions"], made["tags"]) == ([TOPIC], [TOPIC], TAGS)
        assert made["alarmDescription"]


def test_an_unhealthy_container_is_told_after_five_minutes() -> None:
    made = alarm(deploy(), "unhealthy-hosts")
    assert (made["namespace"], made["metricName"], made["statistic"]) == (
        "AWS/ApplicationELB",
        "UnHealthyHostCount",
        "Maximum",
    )
    assert made["dimensions"] == {
        "LoadBalancer": "app/langgraph-cloud-chat/1",
        "TargetGroup": "targetgroup/langg-1/2",
    }
    assert (made["comparisonOperator"], made["threshold"]) == ("GreaterThanOrEqualToThreshold", 1)
    assert (made["period"], made["evaluationPeriods"], made["treatMissingData"]) == (60, 5, "notBreaching")


def test_errors_count_whether_the_server_or_the_load_balancer_gave_them() -> None:
    made = alarm(deploy(), "errors")
    queries = {query["id"]: query for query in made["metricQueries"]}
    assert queries["server"]["metric"]["metricName"] == "HTTPCode_Target_5XX_Count"
    assert queries["balancer"]["metric"]["metricName"] == "HTTPCode_ELB_5XX_Count"
    assert queries["errors"]["expression"] == "FILL(server,0)+FILL(balancer,0)"
    assert [query["id"] for query in made["metricQueries"] if query["returnData"]] == ["errors"]
    assert (made["threshold"], queries["server"]["metric"]["period"], made["evaluationPeriods"]) == (10, 300, 1)


def test_silence_of_a_service_is_an_alarm_and_comes_only_after_it_ran_once() -> None:
    recording = deploy()
    made = alarm(recording, "api-not-running")
    assert (made["namespace"], made["metricName"], made["statistic"]) == ("AWS/ECS", "CPUUtilization", "SampleCount")
    assert made["dimensions"] == {"ClusterName": "langgraph-cloud-cluster", "ServiceName": "langgraph-cloud-chat-api"}
    assert (made["comparisonOperator"], made["threshold"]) == ("LessThanThreshold", 1)
    assert made["treatMissingData"] == "breaching"
    # Made while nothing runs yet, or deleted after it stopped, it would cry wolf at every create and destroy.
    assert waits_for(recording, recording.only(ALARM, "chat-alarms-api-not-running")) == {"Service chat-service-api"}


def test_containers_that_keep_crashing_are_told_by_what_is_wanted_and_what_runs() -> None:
    made = alarm(deploy(), "cache-tasks-missing")
    queries = {query["id"]: query for query in made["metricQueries"]}
    for name, metric in (("wanted", "DesiredTaskCount"), ("running", "RunningTaskCount")):
        assert queries[name]["metric"]["namespace"] == "ECS/ContainerInsights"
        assert queries[name]["metric"]["metricName"] == metric
        assert queries[name]["metric"]["dimensions"] == {
            "ClusterName": "langgraph-cloud-cluster",
            "ServiceName": "langgraph-cloud-chat-cache",
        }
    assert queries["lacking"]["expression"] == "wanted-running"
    assert (made["threshold"], made["evaluationPeriods"], made["treatMissingData"]) == (1, 15, "notBreaching")


def test_the_database_is_watched_by_its_name_and_not_waited_for() -> None:
    recording = deploy(spec(DeploymentType.PRODUCTION))
    for subject in OF_A_DATABASE:
        assert alarm(recording, subject)["dimensions"] == {"DBInstanceIdentifier": "langgraph-cloud-chat"}
        assert waits_for(recording, recording.only(ALARM, f"chat-alarms-{subject}")) == set()


def test_the_databases_limits_follow_from_its_class_and_storage() -> None:
    # db.t4g.micro: 1 GiB / 9,531,392 bytes are 112 connections, of which 80 % are 89; a tenth of 20 GiB are 2.
    recording = deploy()
    assert alarm(recording, "database-connections")["threshold"] == 89
    storage = alarm(recording, "database-storage")
    assert (storage["threshold"], storage["comparisonOperator"]) == (2 * 1024**3, "LessThanThreshold")
    assert alarm(recording, "database-cpu")["threshold"] == 80


def test_no_alarm_depends_on_the_revision() -> None:
    def made(recording: Recording) -> dict[str, Any]:
        return {r.name: r.plain for r in recording.of_type(ALARM)}

    changed = spec(
        image="other:2",
        environment={"GREETING": "bye"},
        secret_environment={"OPENAI_API_KEY": "sk-new"},
        size=ContainerSize(cpu=2048, memory=8192),
        log_level="DEBUG",
    )
    assert made(deploy()) == made(deploy(changed))


def test_outputs_are_what_is_registered() -> None:
    outputs = outputs_of(deploy(), "byoc:index:Alarms")
    assert outputs.keys() == declared_outputs(Alarms)
    assert outputs["alarm_names"] == sorted(outputs["alarm_names"])
    assert len(outputs["alarm_names"]) == 9
