"""After ``byoc up`` the tracing project is there; what cannot be found out is a note, and no failure of the run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from byoc.automation.asked import Asked, Verb
from byoc.automation.stack_run import StackRun
from byoc.cli import stack_runs
from byoc.operations.langsmith.after_up import projects_are_there
from byoc.runs import Failure, Op, RunResult, Step
from tests.operations.langsmith_server import KEY, Bad
from tests.operations.retention_world import Traced, traced
from tests.sandbox.cli_runner import byoc
from tests.sandbox.sandbox_world import ACCOUNT, CHAT, Worlds

DONE = RunResult(stack=CHAT, steps=(Step(op=Op.CREATE, urn="urn:1", type="aws:ecs/service:Service"),))
FAILED = RunResult(stack=CHAT, failures=(Failure(urn="urn:1", type="", op="create", action="", error="no", remedy=""),))


@pytest.fixture(scope="module")
def deployed(worlds: Worlds, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traced]:
    with traced(worlds.new(), tmp_path_factory.mktemp("langsmith")) as found:
        yield found


@pytest.fixture
def there(deployed: Traced) -> Traced:
    """The deployment, and a LangSmith that holds nothing yet."""
    deployed.server.projects, deployed.server.bad, deployed.server.asked = [], [], []
    deployed.server.always = None
    return deployed


@pytest.mark.slow
def test_a_project_that_is_not_there_is_made_and_told_of_once(there: Traced) -> None:
    after = projects_are_there(there.world.root)
    host = there.server.endpoint.removeprefix("https://")
    assert after(CHAT, DONE) == (f"tracing project chat was made at {host}",)
    assert [project["name"] for project in there.server.projects] == ["chat"]
    assert after(CHAT, DONE) == ()


@pytest.mark.slow
def test_a_run_that_changed_nothing_and_a_stack_without_deployments_ask_nobody(there: Traced) -> None:
    after = projects_are_there(there.world.root)
    assert after(CHAT, RunResult(stack=CHAT, unchanged=36)) == ()
    assert after(ACCOUNT, DONE) == ()
    assert there.server.asked == []


@pytest.mark.slow
def test_a_langsmith_that_does_not_answer_as_one_is_a_note_with_the_way_out(there: Traced) -> None:
    there.server.always = Bad(text="<html>a login page</html>")
    (note,) = projects_are_there(there.world.root)(CHAT, DONE)
    assert note.startswith("tracing project chat: not known: ")
    assert note.endswith(f"; byoc tracing {CHAT} tries again")
    assert KEY not in note
    assert there.server.projects == []


def test_a_config_that_cannot_be_read_is_a_note(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: byoc\nruntime: python\n")
    (note,) = projects_are_there(tmp_path)(CHAT, DONE)
    assert note.startswith("tracing projects: not known: ")


@pytest.mark.parametrize(
    ("verb", "result", "notes"),
    [
        (Verb.UP, DONE, ("a note",)),
        (Verb.UP, FAILED, ()),
        (Verb.UP, RunResult(stack=CHAT, interrupted=True), ()),
        (Verb.REFRESH, DONE, ()),
        (Verb.DESTROY, DONE, ()),
    ],
)
def test_it_comes_after_an_up_that_went_well_and_after_nothing_else(
    monkeypatch: pytest.MonkeyPatch, verb: Verb, result: RunResult, notes: tuple[str, ...]
) -> None:
    told: list[str] = []

    def after(stack: str, _done: RunResult) -> tuple[str, ...]:
        told.append(stack)
        return ("a note",)

    engine = SimpleNamespace(existing=lambda _: SimpleNamespace(up=None, refresh=None, destroy=None))
    monkeypatch.setattr(StackRun, "_run", lambda *_: result)
    run = StackRun(workspace=cast("Any", engine), stack=CHAT, verb=verb, after=after)
    assert run.perform().notes == notes
    assert told == ([CHAT] if notes else [])


@pytest.mark.parametrize(
    ("words", "variable", "tracing"),
    [((), None, True), (("--no-tracing",), None, False), ((), "false", False), (("--tracing",), "false", True)],
)
def test_it_can_be_switched_off_by_an_option_and_by_the_environment(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    variable: str | None,
    tracing: bool,
) -> None:
    asked: list[Asked] = []

    def change(given: Asked, *_: object, **__: object) -> int:
        asked.append(given)
        return 0

    monkeypatch.setattr(stack_runs, "change", change)
    monkeypatch.delenv("BYOC_TRACING", raising=False)
    if variable is not None:
        monkeypatch.setenv("BYOC_TRACING", variable)
    byoc(capsys, "up", CHAT, "--yes", *words)
    assert [item.tracing for item in asked] == [tracing]
    assert Asked.of_document(asked[0].document()).tracing is tracing


@pytest.mark.slow
def test_the_embedded_aws_asks_no_langsmith(there: Traced) -> None:
    assert there.world.workspace.cli_environment()["BYOC_TRACING"] == "false"
