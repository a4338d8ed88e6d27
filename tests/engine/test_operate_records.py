"""Attached runs of the real Pulumi CLI leave records, as detached ones do: asked about, agreed to, declined, failed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.automation_project import PASSPHRASE, SECRET, TinyProject

pytestmark = [pytest.mark.engine, pytest.mark.slow]


@pytest.fixture
def tiny(tmp_path: Path) -> TinyProject:
    """A project with one stack."""
    project = TinyProject.make(tmp_path)
    project.add("one")
    return project


def states(tiny: TinyProject) -> list[tuple[str, str]]:
    """State and command of every run that is known."""
    return [(run["state"], run["asked"]) for run in tiny.byoc("runs", "--json").document["runs"]]


def test_what_was_declined_leaves_no_record_and_what_was_agreed_to_does(tiny: TinyProject) -> None:
    assert tiny.answered("up", "one", answers="n").code == 1
    assert states(tiny) == []
    assert tiny.answered("up", "one", answers="y").code == 0
    assert states(tiny) == [("succeeded", "up one")]
    (run,) = tiny.byoc("runs", "--json").document["runs"]
    shown = tiny.byoc("runs", "show", run["run"])
    assert "create pulumi-python:dynamic:Resource second" in shown.out, "the run's steps, not its preview's"
    assert "one: resources: 3 created" in shown.out


def test_an_attached_run_is_written_down_without_secrets_whatever_became_of_it(tiny: TinyProject) -> None:
    assert tiny.byoc("up", "one", "--yes", "-c", "text=refused").code == 1
    assert tiny.byoc("up", "one", "--yes", "-c", "text=plain", "--json").code == 0
    assert tiny.byoc("preview", "one").code == 0
    assert tiny.byoc("destroy", "one", "--yes").code == 0
    assert states(tiny) == [("failed", "up one"), ("succeeded", "up one"), ("succeeded", "destroy one")]
    for path in (tiny.root / ".byoc" / "runs").rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path
        if path.is_file():
            assert SECRET not in path.read_text()
            assert PASSPHRASE not in path.read_text()
