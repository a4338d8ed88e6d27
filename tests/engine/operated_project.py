"""``byoc`` with the real Pulumi CLI on the embedded AWS, as a user runs it; and what there is to do on it for tests."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from byoc.sandbox.emulator.task_troubles import TaskTrouble
from tests.engine.automation_project import BYOC, Ran
from tests.engine.real_world import RealWorld
from tests.sandbox.sandbox_world import World
from tests.waiting import wait_until

CLUSTER, SERVICE = "langgraph-cloud-cluster", "langgraph-cloud-chat-api"
ROLE = "LangGraphCloudBYOCRole"
_SECONDS = 240


@dataclass(frozen=True)
class OperatedProject:
    """A world of the real CLI, and ``byoc`` in processes of its own."""

    real: RealWorld

    @property
    def world(self) -> World:
        return self.real.world

    def tagged(self, tag: str) -> str:
        """The deployment's image with this tag; it begins with 1.0.0."""
        return f"{self.world.account_id}.dkr.ecr.{self.world.region}.amazonaws.com/agents/chat:{tag}"

    def byoc(self, *words: str) -> Ran:
        """What ``byoc`` with these words comes to."""
        done = subprocess.run(
            [*BYOC, *words],
            cwd=self.world.root,
            env=dict(self.real.environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    def done(self, *words: str) -> Any:
        """The one JSON object that it printed, if it succeeded."""
        ran = self.byoc(*words, "--json")
        assert ran.code == 0, ran.out + ran.err
        return ran.document

    def killed_at(self, action: str, *words: str) -> None:
        """Begin ``byoc``, and kill that process alone once AWS was asked for ``action``; its engine goes on."""
        since = self.world.client.next_call()
        process = subprocess.Popen(
            [*BYOC, *words],
            cwd=self.world.root,
            env=dict(self.real.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

        def asked() -> bool:
            return any(call["action"] == action for call in self.world.calls(since=since))

        wait_until(lambda: asked() or process.poll() is not None, action)
        assert process.poll() is None, "it ended before"
        process.send_signal(signal.SIGKILL)
        process.wait()

    def engines(self) -> list[str]:
        """What runs for this project at the moment."""
        mark = f"PULUMI_HOME={self.real.environment['PULUMI_HOME']}\0".encode()
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):  # it has just ended, or is another user's
                if folder.name != str(os.getpid()) and mark in (folder / "environ").read_bytes():
                    found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        return found

    def forbid(self, *actions: str) -> None:
        """A policy of the role that denies these actions; none: there is no such policy."""
        iam, policy = self.world.aws("iam"), {"RoleName": ROLE, "PolicyName": "Forbidden"}
        if actions:
            deny = {"Effect": "Deny", "Action": list(actions), "Resource": "*"}
            iam.put_role_policy(**policy, PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [deny]}))
        else:
            iam.delete_role_policy(**policy)

    def roll_out_stands(self, state: str) -> None:
        """What ECS says of the newest roll-out, until the service is updated."""
        trouble = TaskTrouble(cluster=CLUSTER, service=SERVICE, rollout={"rolloutState": state})
        self.world.client.befall(self.world.account_id, self.world.region, trouble)

    @property
    def running(self) -> dict[str, Any]:
        """The task definition that the API's service is at."""
        ecs = self.world.aws("ecs")
        (service,) = ecs.describe_services(cluster=CLUSTER, services=[SERVICE])["services"]
        return dict(ecs.describe_task_definition(taskDefinition=service["taskDefinition"])["taskDefinition"])

    @property
    def image(self) -> str:
        """The image that runs."""
        return str(self.running["containerDefinitions"][0]["image"])
