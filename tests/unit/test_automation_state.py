"""The resources in a stack's state, as the Pulumi CLI tells of them."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest
from pulumi.automation import CommandResult
from pulumi.automation.errors import create_command_error

from byoc.automation.engines import Engines
from byoc.automation.workspace import ProjectWorkspace
from byoc.errors import ByocError


class Said(ProjectWorkspace):
    """A workspace whose CLI says what it is told to, and nothing else."""

    work_dir = "."
    env_vars: dict[str, str] = {}  # noqa: RUF012 - the base's attribute

    def __init__(self, stdout: str, code: int = 0) -> None:
        self.result = CommandResult(stdout=stdout, stderr="error: no stack named 'chat' found", code=code)
        self.asked: list[list[str]] = []

    @property
    def engines(self) -> Engines:
        return cast("Engines", self)

    def run(self, words: list[str], *_: Any) -> CommandResult:
        self.asked.append(words)
        if self.result.code:
            raise create_command_error(self.result)
        return self.result


@pytest.mark.parametrize(
    ("deployment", "resources"),
    [
        ({"resources": [{"type": "aws:rds/instance:Instance"}]}, ({"type": "aws:rds/instance:Instance"},)),
        ({"manifest": {}}, ()),
        (None, ()),
    ],
)
def test_the_state_is_exported_with_its_secrets_closed(deployment: Any, resources: tuple[Any, ...]) -> None:
    workspace = Said(json.dumps({"version": 3, "deployment": deployment}))
    assert workspace.resources("chat") == resources
    assert workspace.asked == [["stack", "export", "--stack", "chat"]]


@pytest.mark.parametrize("written", ["", "[]", "{}", '{"deployment": 3}', '{"version": 3'])
def test_half_a_state_is_none(written: str) -> None:
    with pytest.raises(ByocError, match=r"^pulumi stack export --stack chat gives no state that can be read"):
        Said(written).resources("chat")


def test_a_backend_that_does_not_answer_is_told() -> None:
    with pytest.raises(ByocError, match="no stack named 'chat' found"):
        Said("", code=255).resources("chat")
