"""Where the containers that run trace to, by what ECS says of them: a table of recorded situations."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from byoc.errors import ByocError
from byoc.operations.answers import AbsentError, DeniedError
from byoc.operations.retention.judge import Evidence, NotKnown
from byoc.operations.retention.read import Clock, read_evidence
from byoc.operations.retention.running import Running, read_running, why_not_told
from tests.operations.fake_account import FakeAccount, target
from tests.operations.langsmith_server import KEY, LangSmithServer, langsmith_server

SECRET = "arn:aws:secretsmanager:us-west-2:123456789012:secret:langgraph-cloud/chat/environment-a1B2c3"
US = "https://api.smith.langchain.com"
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def service(role: str, *rollouts: tuple[int, str, int], status: str = "ACTIVE") -> dict[str, Any]:
    """A service of ``ecs:DescribeServices``; roll-outs as revision, status, containers that run."""
    family = f"langgraph-cloud-chat-{role}"
    return {
        "serviceName": family,
        "status": status,
        "taskDefinition": f"arn:x:task-definition/{family}:{rollouts[0][0]}",
        "deployments": [
            {"taskDefinition": f"arn:x:task-definition/{family}:{number}", "status": how, "runningCount": running}
            for number, how, running in rollouts
        ],
    }


def described(
    arn: str, project: str = "chat", version: str = "v1", on: str = "true", endpoint: str = US
) -> dict[str, Any]:
    """A task definition of ``ecs:DescribeTaskDefinition``."""
    family, _, number = arn.rpartition("/")[2].partition(":")
    plain = {"LANGCHAIN_TRACING_V2": on, "LANGSMITH_ENDPOINT": endpoint, "LANGSMITH_PROJECT": project}
    container = {
        "image": "chat:1",
        "environment": [{"name": name, "value": value} for name, value in plain.items()],
        "secrets": [
            {"name": "DATABASE_URI", "valueFrom": f"{SECRET.replace('environment', 'connections')}:DATABASE_URI::c"},
            {"name": "LANGSMITH_API_KEY", "valueFrom": f"{SECRET}:LANGSMITH_API_KEY::{version}"},
        ],
    }
    return {
        "taskDefinition": {
            "taskDefinitionArn": arn,
            "family": family,
            "revision": int(number),
            "containerDefinitions": [container],
        }
    }


def account(services: Any, revisions: dict[str, dict[str, str]] | None = None, **more: Any) -> FakeAccount:
    """An account with these services; ``revisions`` are the task definitions that differ, by ``role:number``."""

    def definition(asked: dict[str, Any]) -> Any:
        arn = asked["taskDefinition"]
        return described(arn, **(revisions or {}).get(arn.rpartition("-")[2], {}))

    answers = {"ecs:DescribeServices": services, "ecs:DescribeTaskDefinition": definition, **more}
    return FakeAccount(answers)


def services(*items: dict[str, Any], reason: str = "MISSING") -> dict[str, Any]:
    """These services, and ``reason`` for each other one that is asked for."""
    told = {item["serviceName"] for item in items}
    others = {f"langgraph-cloud-chat-{role}" for role in ("api", "queue")} - told
    return {
        "services": list(items),
        "failures": [{"arn": f"arn:x:service/c/{name}", "reason": reason} for name in others],
    }


HERE = Running(enabled=True, project="chat", endpoint=US, version="v1")


def test_both_services_are_asked_for_whatever_the_config_says() -> None:
    found = account(services(service("api", (3, "PRIMARY", 1)), service("queue", (2, "PRIMARY", 1))))
    assert read_running(target(found)) == {HERE}
    first, *others = found.asked
    assert first[1]["services"] == ["langgraph-cloud-chat-api", "langgraph-cloud-chat-queue"]
    assert sorted(arguments["taskDefinition"] for _, arguments in others) == [
        "arn:x:task-definition/langgraph-cloud-chat-api:3",
        "arn:x:task-definition/langgraph-cloud-chat-queue:2",
    ]


@pytest.mark.parametrize(
    "answer",
    [
        services(),
        services(service("api", (3, "PRIMARY", 1), status="INACTIVE")),
        AbsentError("ClusterNotFoundException"),
    ],
)
def test_without_a_service_nobody_traces(answer: Any) -> None:
    assert read_running(target(account(answer))) == frozenset()


@pytest.mark.parametrize(
    ("rollouts", "numbers"),
    [
        (((3, "PRIMARY", 1),), {3}),
        (((3, "PRIMARY", 0),), {3}),  # scaled to none
        (((3, "PRIMARY", 0), (2, "ACTIVE", 1)), {2, 3}),  # a roll-out is under way, or stuck
        (((2, "PRIMARY", 1), (3, "ACTIVE", 0)), {2}),  # ECS took 3 back
    ],
)
def test_every_revision_that_containers_are_of_counts(
    rollouts: tuple[tuple[int, str, int], ...], numbers: set[int]
) -> None:
    projects = {f"api:{number}": {"project": f"of-{number}"} for number in (2, 3)}
    found = read_running(target(account(services(service("api", *rollouts)), projects)))
    assert {item.project for item in found} == {f"of-{number}" for number in numbers}


@pytest.mark.parametrize(
    ("running", "why"),
    [
        ({}, ""),
        ({"endpoint": f"{US}/"}, ""),
        ({"on": "false"}, "its containers do not trace, though the config says so by now; roll it out: byoc up"),
        ({"project": "old"}, "its containers trace to project old of api.smith.langchain.com, not to chat of api."),
        ({"endpoint": "https://eu.api.smith.langchain.com"}, "its containers trace to project chat of eu.api.smith."),
    ],
)
@pytest.mark.parametrize("role", ["api", "queue"])
def test_containers_that_trace_elsewhere_are_told_of(role: str, running: dict[str, str], why: str) -> None:
    both = services(service("api", (1, "PRIMARY", 1)), service("queue", (1, "PRIMARY", 1)))
    there = target(account(both, {f"{role}:1": running}))
    said = why_not_told(read_running(there), there)
    assert said.startswith(why)
    assert bool(said) == bool(why)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (services(reason="ACCESS_DENIED"), "ecs:DescribeServices: ACCESS_DENIED"),
        ({"services": [], "failures": []}, "half an answer: it tells nothing of langgraph-cloud-chat-api"),
        ({}, "ecs:DescribeServices: half an answer"),
        (services({"serviceName": "x", "status": "ACTIVE"}), "ecs:DescribeServices: half an answer"),
        (DeniedError("ecs:DescribeServices", ""), "ecs:DescribeServices: denied"),
    ],
)
def test_what_ecs_does_not_say_is_not_known(answer: Any, words: str) -> None:
    with pytest.raises(ByocError, match=words):
        read_running(target(account(answer)))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({}, "ecs:DescribeTaskDefinition: half an answer"),
        (AbsentError("ClientException"), "chat-api:3 is not there, though containers run it"),
        (DeniedError("ecs:DescribeTaskDefinition", ""), "ecs:DescribeTaskDefinition: denied"),
    ],
)
def test_a_revision_that_ecs_does_not_show_is_not_known(answer: Any, words: str) -> None:
    found = account(services(service("api", (3, "PRIMARY", 1))))
    found.answers["ecs:DescribeTaskDefinition"] = answer
    with pytest.raises(ByocError, match=words):
        read_running(target(found))


# With the versions of its secret


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LangSmithServer]:
    """A LangSmith with the deployment's project, whose certificate is trusted."""
    with langsmith_server(tmp_path) as found:
        monkeypatch.setenv("SSL_CERT_FILE", str(found.certificate))
        found.add_project("chat", NOON)
        yield found


def evidence(server: LangSmithServer, versions: dict[str, dict[str, str]], caller: str = "123456789012") -> Any:
    """What is known of a deployment whose old and new containers have these versions of its secret."""

    def value(asked: dict[str, Any]) -> Any:
        version = asked.get("VersionId", "current")
        return {"SecretString": json.dumps(versions[version])} if version in versions else AbsentError("gone")

    runs = {"endpoint": server.endpoint}
    found = account(
        services(service("api", (2, "PRIMARY", 1), (1, "ACTIVE", 1))),
        {"api:1": {**runs, "version": "v1"}, "api:2": {**runs, "version": "v2"}},
    )
    found.answers |= {
        "sts:GetCallerIdentity": {"Account": caller, "Arn": "arn:aws:iam::123456789012:user/x"},
        "secretsmanager:DescribeSecret": {"CreatedDate": NOON},
        "secretsmanager:GetSecretValue": value,
    }
    return read_evidence(target(found, tracing={"endpoint": server.endpoint}), Clock())


HELD = {"LANGSMITH_API_KEY": KEY}


def test_the_versions_that_containers_have_are_read(server: LangSmithServer) -> None:
    found = evidence(server, {"v1": HELD, "v2": {**HELD, "OTHER": "1"}, "current": {}})
    assert isinstance(found, Evidence)
    assert (found.project_created, found.last_trace) == (NOON, None)


@pytest.mark.parametrize(
    ("versions", "why"),
    [
        ({"v1": {**HELD, "LANGSMITH_TRACING_SAMPLING_RATE": "0"}, "v2": HELD}, "SAMPLING_RATE leaves traces out"),
        ({"v1": HELD, "v2": {**HELD, "LANGCHAIN_SESSION": "x"}}, "LANGCHAIN_SESSION sends traces elsewhere"),
        ({"v1": HELD, "v2": {"LANGSMITH_API_KEY": "other"}}, "its containers have several LangSmith keys"),
        ({"v1": HELD, "v2": {**HELD, "LANGSMITH_WORKSPACE_ID": "w"}}, "its containers have several LangSmith keys"),
        ({"v1": HELD}, "the version of its secret that its containers have is gone (v2); byoc up demo-chat"),
    ],
)
def test_what_one_version_says_of_traces_counts_for_all(
    server: LangSmithServer, versions: dict[str, dict[str, str]], why: str
) -> None:
    found = evidence(server, {**versions, "current": HELD})
    assert isinstance(found.last_trace, NotKnown)
    assert why in found.last_trace.why
    assert server.asked == []


def test_credentials_of_another_account_say_nothing(server: LangSmithServer) -> None:
    found = evidence(server, {"v1": HELD, "v2": HELD}, caller="210987654321")
    assert isinstance(found, Evidence)  # and not: not deployed
    assert isinstance(found.created, NotKnown)
    assert found.created.why.startswith("the credentials are of account 210987654321; allowed: credentials of account")
    assert server.asked == []
