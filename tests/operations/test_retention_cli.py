"""How ``byoc retention`` has a stack destroyed, and what it says of it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest

from byoc.automation.asked import Asked, Verb
from byoc.automation.command import Command
from byoc.automation.records import all_runs
from byoc.cli.operations.retention import _by_pulumi
from byoc.errors import ByocError
from byoc.runs import Failure, RunResult

FAILURE = Failure(
    urn="urn:pulumi:demo-chat::byoc::aws:rds/instance:Instance::chat-database",
    type="aws:rds/instance:Instance",
    op="delete",
    action="rds:DeleteDBInstance",
    error="AccessDenied: not authorized",
    remedy="ask for the action",
)


@dataclass
class FakeCommand:
    """A command that fails as it is told, under a lock that must be held meanwhile."""

    failures: tuple[Failure, ...] = ()
    state: str = "succeeded"
    asked: list[tuple[Path, Asked]] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    database: dict[str, object] = field(default_factory=dict)
    """The inputs of the database in the stack's state."""

    @property
    def workspace(self) -> FakeCommand:
        return self

    def resources(self, stack: str) -> tuple[dict[str, object], ...]:
        assert self.log == ["lock"], "nobody else may change it between this and the run"
        root: dict[str, object] = {"type": "pulumi:pulumi:Stack", "urn": f"urn:pulumi:{stack}"}
        return root, {"type": "aws:rds/instance:Instance", "inputs": self.database}

    def prepare(self, folder: Path, asked: Asked) -> FakeCommand:
        self.asked.append((folder, asked))
        return self

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        self.log.append("lock")
        yield
        self.log.append("unlock")

    def run(self) -> SimpleNamespace:
        self.log.append("run")
        interrupted = self.state == "interrupted"
        result = RunResult(stack="demo-chat", failures=self.failures, interrupted=interrupted)
        return SimpleNamespace(outcomes=(SimpleNamespace(result=result),))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project's folder."""
    (tmp_path / "Pulumi.yaml").write_text("name: byoc\nruntime: python\n")
    return tmp_path


def destroyed(project: Path, monkeypatch: pytest.MonkeyPatch, command: FakeCommand, *kept: str) -> FakeCommand:
    """Have a stack destroyed by this command."""
    monkeypatch.setattr(Command, "prepare", command.prepare)
    _by_pulumi(project, kept)("demo-chat")
    return command


def test_a_stack_is_destroyed_by_its_name_under_its_lock(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = destroyed(project, monkeypatch, FakeCommand())
    ((folder, asked),) = command.asked
    assert folder == project
    assert (asked.verb, asked.stacks, asked.every) == (Verb.DESTROY, ("demo-chat",), False)
    assert asked.options.message == "unused: byoc retention"
    assert asked.options.targets == ()
    assert command.log == ["lock", "run", "unlock"]
    (record,) = all_runs(project)
    assert (record.request["verb"], record.request["stacks"], record.state.value) == (
        "destroy",
        ["demo-chat"],
        "succeeded",
    )


def test_what_failed_is_told(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ByocError) as raised:
        destroyed(project, monkeypatch, FakeCommand(failures=(FAILURE,), state="failed"))
    assert str(raised.value) == FAILURE.render()


def test_a_snapshot_that_the_state_does_not_know_of_keeps_the_stack(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = FakeCommand(database={"skipFinalSnapshot": True})
    with pytest.raises(ByocError, match=r"^demo-chat: not deleted: database.finalSnapshot asks for a final snapshot"):
        destroyed(project, monkeypatch, command, "demo-chat")
    assert "run" not in command.log


@pytest.mark.parametrize(
    ("database", "kept"),
    [({"skipFinalSnapshot": False}, "demo-chat"), ({}, "demo-chat"), ({"skipFinalSnapshot": True}, "demo-support")],
)
def test_a_stack_goes_whose_snapshot_is_in_its_state_or_not_asked_for(
    project: Path, monkeypatch: pytest.MonkeyPatch, database: dict[str, object], kept: str
) -> None:
    assert destroyed(project, monkeypatch, FakeCommand(database=database), kept).log == ["lock", "run", "unlock"]


def test_an_interruption_is_no_success(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ByocError, match=r"^destroying demo-chat: interrupted$"):
        destroyed(project, monkeypatch, FakeCommand(state="interrupted"))
