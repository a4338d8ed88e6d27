"""A world with a deployment that was pushed several times, for tests of its revisions."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from byoc.operations.revisions.read import Revisions, read_revisions
from byoc.operations.stacks import read_stacks
from byoc.operations.targets import Accounts, Target, targets
from tests.sandbox.cli_runner import Outcome, byoc
from tests.sandbox.sandbox_world import ACCOUNT, CHAT, World

REPOSITORY = "123456789012.dkr.ecr.us-west-2.amazonaws.com/agents/chat"
FIRST, SECOND, THIRD = ("sk-first-0001", "sk-second-0002", "sk-third-0003")
FAMILY, CLUSTER = "langgraph-cloud-chat-api", "langgraph-cloud-cluster"


@dataclass(frozen=True)
class Pushed:
    """A world with three revisions, each with another image and another value of one secret."""

    world: World
    run: Callable[..., Outcome]

    @property
    def target(self) -> Target:
        (found,) = targets(read_stacks(self.world.root, [CHAT]), Accounts())
        return found

    @property
    def revisions(self) -> Revisions:
        return read_revisions(self.target)

    @property
    def service(self) -> dict[str, Any]:
        (found,) = self.world.aws("ecs").describe_services(cluster=CLUSTER, services=[FAMILY])["services"]
        return dict(found)

    @property
    def running(self) -> int:
        return int(self.service["taskDefinition"].rpartition(":")[2])

    def definition(self, number: int) -> dict[str, Any]:
        found = self.world.aws("ecs").describe_task_definition(taskDefinition=f"{FAMILY}:{number}", include=["TAGS"])
        return {**found["taskDefinition"], "tags": {tag["key"]: tag["value"] for tag in found["tags"]}}

    def value(self, number: int, name: str = "OPENAI_API_KEY") -> str:
        """What a container of a revision would be given."""
        container = self.definition(number)["containerDefinitions"][0]
        (source,) = [each["valueFrom"] for each in container["secrets"] if each["name"] == name]
        parts = source.split(":")
        answer = self.world.aws("secretsmanager").get_secret_value(SecretId=":".join(parts[:7]), VersionId=parts[9])
        return str(json.loads(answer["SecretString"])[name])

    def version(self, number: int) -> tuple[str, str]:
        """ARN and version of the environment secret that a revision is pinned to."""
        container = self.definition(number)["containerDefinitions"][0]
        (source,) = [each["valueFrom"] for each in container["secrets"] if each["name"] == "OPENAI_API_KEY"]
        parts = source.split(":")
        return ":".join(parts[:7]), parts[9]

    def stages(self) -> dict[str, set[str]]:
        found = self.world.aws("secretsmanager").list_secret_version_ids(SecretId=self.version(1)[0])
        return {item["VersionId"]: set(item["VersionStages"]) for item in found["Versions"]}

    def push(self, tag: str, secret: str, **more: Any) -> None:
        self.world.configure(CHAT, {"image": f"{REPOSITORY}:{tag}", **more})
        self.world.configure_secret(CHAT, "secretEnvironment", json.dumps({"OPENAI_API_KEY": secret}))
        self.world.up(CHAT).done()


@pytest.fixture
def pushed(world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Pushed:
    """A deployment that was pushed three times."""
    for name, value in world.workspace.cli_environment().items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    made = Pushed(world, lambda *words: byoc(capsys, *words, "-C", str(world.root)))
    world.up(ACCOUNT).done()
    made.push("1.0.0", FIRST, environment={"GREETING": "hello"})
    made.push("1.1.0", SECOND, environment={"GREETING": "good day"}, size={"cpu": 2048, "memory": 4096})
    made.push("1.2.0", THIRD, environment={"GREETING": "good day", "MORE": "yes"})
    return made
