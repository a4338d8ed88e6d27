"""A deployment in the sandbox that traces to a local LangSmith, and a clock that can be set forward."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from byoc.errors import ByocError
from byoc.operations.langsmith import transport
from byoc.operations.retention.read import Clock
from byoc.operations.retention.run import Case, Subject, carry_out, look_at_all, subjects
from byoc.operations.stacks import read_stacks
from byoc.operations.targets import Accounts
from tests.operations.langsmith_server import KEY, LangSmithServer, langsmith_server
from tests.sandbox.sandbox_world import ACCOUNT, CHAT, World

SECRET = "langgraph-cloud/chat/environment"


class SetClock(Clock):
    """The clock of this machine and that of AWS, both stopped and set forward; ``wrong`` sets this machine's alone.

    They are stopped so that no midnight comes between what a test does on one day.
    """

    def __init__(self) -> None:
        self.start = super().now()
        self.forward = timedelta()
        self.wrong = timedelta()

    def now(self) -> datetime:
        return self.start + self.forward + self.wrong

    def of(self, answer: Mapping[str, Any]) -> datetime | None:
        return self.start + self.forward if super().of(answer) else None


@dataclass
class Traced:
    """The world, its LangSmith, and the clock; ``destroyed`` holds the stacks that retention had destroyed."""

    world: World
    server: LangSmithServer
    clock: SetClock = field(default_factory=SetClock)
    destroyed: list[str] = field(default_factory=list)

    def on(self, day: int) -> Traced:
        """Set the clock to that many days after the start."""
        self.clock.forward = timedelta(days=day)
        return self

    def day(self, number: int) -> date:
        """The date of a day."""
        return self.clock.start.date() + timedelta(days=number)

    def trace(self, name: str = "chat") -> None:
        """A run, now."""
        self.server.trace(name, self.clock.now())

    def subjects(self, *stacks: str) -> tuple[Subject, ...]:
        """The deployments of stacks, through the cross-account role."""
        return subjects(read_stacks(self.world.root, stacks or (CHAT,)), Accounts())

    def look(self) -> Case:
        """A dry run."""
        (case,) = look_at_all(self.subjects(), self.clock)
        return case

    def apply(self) -> Case:
        """What ``byoc retention --apply --sandbox`` does."""
        (case,) = carry_out(self.subjects(), self.clock, self.destroy)
        return case

    def destroy(self, stack: str) -> None:
        """Destroy a stack with the sandbox's engine."""
        self.destroyed.append(stack)
        result = self.world.destroy(stack).result
        if not result.ok:
            raise ByocError("\n".join(failure.render() for failure in result.failures))

    def record(self) -> str:
        """What retention noted."""
        answer = self.world.aws("secretsmanager").describe_secret(SecretId=SECRET)
        tags: dict[str, str] = {tag["Key"]: tag["Value"] for tag in answer["Tags"]}
        return tags.get("byoc-retention", "")

    def set_record(self, text: str) -> None:
        """Note something in retention's stead."""
        tags = [{"Key": "byoc-retention", "Value": text}]
        self.world.aws("secretsmanager").tag_resource(SecretId=SECRET, Tags=tags)

    def calls(self, action: str) -> int:
        """How often AWS was asked for something."""
        return sum(call["action"] == action for call in self.world.client.calls() if self._is_ours(call))

    def _is_ours(self, call: Mapping[str, Any]) -> bool:
        return self.world.account_id in str(call)


@contextlib.contextmanager
def traced(world: World, folder: Path, **config: Any) -> Iterator[Traced]:
    """The account and the chat deployment, up, with a LangSmith that does not keep anybody waiting."""
    with langsmith_server(folder) as server, pytest.MonkeyPatch.context() as patch:
        for name in ("PAUSE_SECONDS", "LONGEST_PAUSE_SECONDS"):
            patch.setattr(transport, name, 0)
        patch.setenv("SSL_CERT_FILE", str(server.certificate))
        world.configure(CHAT, {"tracing": {"endpoint": server.endpoint}, "retention": {}, **config})
        world.configure_secret(CHAT, "langsmithApiKey", KEY)
        world.up(ACCOUNT).done()
        world.up(CHAT).done()
        for name, text in world.workspace.cli_environment().items():
            patch.setenv(name, text)
        yield Traced(world, server)
