"""An account whose answers are given, for what the embedded AWS does not say: half answers, refusals, busy services."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from byoc.config import DeploymentSection
from byoc.naming import Names
from byoc.operations.account import Account
from byoc.operations.targets import Target
from byoc.types import AwsAccount

Answer = Any
"""An answer, an exception that is raised instead, or a function of the arguments that gives one of them."""


class FakeAccount(Account):
    """Answers by action; one that is not given is a mistake of the test. ``asked``: every question, in order."""

    def __init__(self, answers: Mapping[str, Answer]) -> None:
        super().__init__(AwsAccount(account_id="123456789012", region="us-west-2"))
        self.answers = dict(answers)
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.reopened = 0

    def ask(self, action: str, *, region: str | None = None, **arguments: Any) -> dict[str, Any]:
        self.asked.append((action, arguments))
        answer = self.answers[action]
        if isinstance(answer, Callable):  # type: ignore[arg-type]
            answer = answer(arguments)
        if isinstance(answer, Exception):
            raise answer
        found: dict[str, Any] = answer
        return found

    def pages(self, action: str, *, region: str | None = None, **arguments: Any) -> Iterator[dict[str, Any]]:
        yield self.ask(action, region=region, **arguments)

    def reopen(self) -> None:
        self.reopened += 1


def target(account: Account, **section: Any) -> Target:
    """The deployment ``chat`` with a database and a cache of its own."""
    values: dict[str, Any] = {
        "type": "development",
        "image": "123456789012.dkr.ecr.us-west-2.amazonaws.com/agents/chat:1.0.0",
        **section,
    }
    return Target(
        stack="demo-chat",
        deployment="chat",
        section=DeploymentSection.model_validate(values),
        names=Names(),
        account=account,
        own_database=True,
        own_cache=True,
    )
