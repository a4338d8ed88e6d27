"""Which AWS profile the engine works with that a watch or a resume begins."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from byoc.automation.asked import Asked, RunOptions, Verb
from byoc.automation.command import Command
from byoc.automation.stack_run import Guard, unguarded
from byoc.cli.operations.resume import _by_pulumi
from byoc.operations.recovery.restore_engine import PulumiEngine
from byoc.runs import RunResult, ignore

_profiles: list[str | None] = []
"""What was in the environment each time that the engine was asked for something."""


@dataclass(frozen=True)
class Engine:
    """Stands in for the engine's command."""

    verb: Verb = Verb.UP
    options: RunOptions = field(default_factory=RunOptions)
    guard: Guard = unguarded

    @contextmanager
    def locked(self) -> Iterator[None]:
        yield

    def run(self, *_: Any) -> SimpleNamespace:
        _profiles.append(os.environ.get("AWS_PROFILE"))
        return SimpleNamespace(outcomes=(SimpleNamespace(result=RunResult(stack="acme")),))


@pytest.fixture(autouse=True)
def engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment's profile is another one."""

    def prepare(_folder: Path, _asked: Asked, **_: object) -> Engine:
        _profiles.append(os.environ.get("AWS_PROFILE"))
        return Engine()

    _profiles.clear()
    monkeypatch.setenv("AWS_PROFILE", "control-plane")
    monkeypatch.setattr(Command, "prepare", prepare)


@pytest.mark.parametrize(("named", "used"), [("account", "account"), (None, "control-plane")])
def test_the_engine_works_with_the_profile_that_was_named(named: str | None, used: str, tmp_path: Path) -> None:
    watching = PulumiEngine(tmp_path, "acme", named)
    watching.preview()
    watching.up(("urn",), unguarded, ignore)
    _by_pulumi(tmp_path, "acme", named, refresh=False, tracing=False)(ignore)
    assert _profiles == [used] * 5
    assert os.environ["AWS_PROFILE"] == "control-plane"
