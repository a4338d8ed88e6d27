"""The folder that ``byoc fleet export`` writes: what it overwrites, what it removes, what it leaves alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from byoc.fleet import output_folder
from tests.unit.fleet_projects import FleetProject, fleet

__all__ = ["fleet"]


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in sorted(folder.iterdir())}


def test_a_second_export_changes_nothing(fleet: FleetProject) -> None:
    first = fleet.exported("operator")
    before = {path: path.stat().st_mtime_ns for path in fleet.out("operator").iterdir()}
    second = fleet.exported("operator")
    assert first["written"] == second["unchanged"] == ["00-shared.yaml", "acme-0.yaml", "acme-1.yaml", "acme.yaml"]
    assert second["written"] == second["removed"] == []
    assert {path: path.stat().st_mtime_ns for path in fleet.out("operator").iterdir()} == before


def test_only_the_files_that_say_something_else_are_written(fleet: FleetProject) -> None:
    fleet.exported("operator")
    fleet.stack("acme-0", "deployment", "111111111111", region="eu-west-1")
    assert fleet.exported("operator")["written"] == ["acme-0.yaml"]


@pytest.mark.parametrize("form", ["operator", "matrix", "deployments"])
def test_a_file_that_was_changed_is_not_overwritten_and_nothing_else_is_written(fleet: FleetProject, form: str) -> None:
    name = {"operator": "acme.yaml", "matrix": "fleet.yml", "deployments": "acme.json"}[form]
    fleet.exported(form)
    path = fleet.out(form) / name
    path.write_text(path.read_text() + "# mine\n")
    fleet.settings(environment={"AWS_MAX_ATTEMPTS": "3"})
    before = contents(fleet.out(form))
    outcome = fleet.export(form)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == (
        "error: byoc fleet export: 1 problem; nothing was created\n"
        f"  --out {fleet.out(form)}\n"
        f"      got:      {name}, changed since the last export\n"
        "      allowed:  files as byoc fleet export wrote them\n"
        "      mend it:  put the change into fleet.yaml, or name another folder; --force overwrites the file\n"
    )
    assert contents(fleet.out(form)) == before


def test_force_overwrites_what_was_changed(fleet: FleetProject) -> None:
    fleet.exported("operator")
    path = fleet.out("operator") / "acme.yaml"
    sound = path.read_text()
    path.write_text("mine\n")
    assert fleet.exported("operator", "--force")["written"] == ["acme.yaml"]
    assert path.read_text() == sound


def test_a_change_that_is_what_the_export_says_now_is_no_change(fleet: FleetProject) -> None:
    fleet.exported("matrix")
    path = fleet.out("matrix") / "fleet.yml"
    path.write_text(path.read_text().replace("max-parallel: 20", "max-parallel: 7"))
    fleet.settings(matrix={"maxParallel": 7})
    assert fleet.exported("matrix")["unchanged"] == ["fleet.yml"]


@pytest.mark.parametrize("make", [Path.mkdir, lambda path: path.write_text("mine"), lambda path: path.symlink_to("x")])
def test_what_no_export_wrote_is_not_overwritten(fleet: FleetProject, make: Callable[[Path], object]) -> None:
    fleet.out("matrix").mkdir(parents=True)
    make(fleet.out("matrix") / "fleet.yml")
    outcome = fleet.export("matrix")
    assert outcome.code == 2
    assert "got:      fleet.yml, written by somebody else\n" in outcome.err
    assert [path.name for path in fleet.out("matrix").iterdir()] == ["fleet.yml"]


def test_files_of_others_stay_beside_an_export(fleet: FleetProject) -> None:
    fleet.out("operator").mkdir(parents=True)
    (fleet.out("operator") / "README.md").write_text("mine\n")
    fleet.exported("operator", "--force")
    assert (fleet.out("operator") / "README.md").read_text() == "mine\n"


def test_the_file_of_a_stack_that_is_gone_is_removed_and_said(fleet: FleetProject) -> None:
    fleet.exported("operator")
    (fleet.root / "stacks" / "Pulumi.acme-1.yaml").unlink()
    outcome = fleet.export("operator")
    assert "  files: 0 written, 3 unchanged, 1 removed\n" in outcome.out
    assert "  removed, its stack has no file any more: acme-1.yaml\n" in outcome.out
    assert not (fleet.out("operator") / "acme-1.yaml").exists()


def test_the_changed_file_of_a_stack_that_is_gone_is_not_removed(fleet: FleetProject) -> None:
    fleet.exported("operator")
    (fleet.root / "stacks" / "Pulumi.acme-1.yaml").unlink()
    (fleet.out("operator") / "acme-1.yaml").write_text("mine\n")
    outcome = fleet.export("operator")
    assert outcome.code == 2
    assert "got:      acme-1.yaml, changed since the last export\n" in outcome.err
    assert (fleet.out("operator") / "acme-1.yaml").read_text() == "mine\n"


def test_files_of_stacks_that_exist_and_were_not_chosen_stay(fleet: FleetProject) -> None:
    fleet.exported("operator")
    chosen = fleet.exported("operator", "acme-0")
    assert (chosen["stacks"], chosen["removed"]) == (["acme-0"], [])
    assert sorted(fleet.texts("operator")) == ["00-shared.yaml", "acme-0.yaml", "acme-1.yaml", "acme.yaml"]
    assert fleet.exported("operator")["written"] == []


def test_a_folder_holds_one_format(fleet: FleetProject) -> None:
    fleet.exported("operator")
    folder = fleet.out("operator")
    outcome = fleet.export("matrix", "--out", str(folder))
    assert outcome.code == 2
    assert outcome.err == (
        f"error: --out {folder}: it holds an export in the format operator\n"
        "      allowed:  a folder of its own for --format matrix\n"
        "      mend it:  name another folder, or remove this one\n"
    )


@pytest.mark.parametrize(
    "marker",
    [
        "no JSON",
        "[]",
        '{"format": "operator"}',
        '{"format": "operator", "files": ["acme.yaml"]}',
        json.dumps({"format": "operator", "files": {"../../stacks/Pulumi.acme.yaml": "0" * 64}}),
        json.dumps({"format": "operator", "files": {"acme.yaml": "short"}}),
    ],
)
def test_a_marker_that_no_export_wrote_is_refused(fleet: FleetProject, marker: str) -> None:
    fleet.out("operator").mkdir(parents=True)
    path = fleet.out("operator") / output_folder.MARKER
    path.write_text(marker)
    outcome = fleet.export("operator", "--force")
    assert outcome.code == 2
    assert outcome.err.startswith(f"error: {path}: this is no marker of an export\n")
    assert contents(fleet.out("operator")) == {path.name: marker}


def test_a_folder_that_cannot_be_one_is_refused(fleet: FleetProject) -> None:
    outcome = fleet.export("matrix", "--out", str(fleet.root / "fleet.yaml"))
    assert outcome.code == 2
    assert outcome.err.startswith(f"error: --out {fleet.root / 'fleet.yaml'}: Not a directory\n")


def test_an_export_that_was_interrupted_is_completed_by_the_next(
    fleet: FleetProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(output_folder, "_write_marker", interrupted)
        assert fleet.export("operator").code == 130
    assert len(fleet.exported("operator")["unchanged"]) == 4


def test_only_the_script_may_be_run(fleet: FleetProject) -> None:
    fleet.exported("deployments")
    modes = {path.name: oct(path.stat().st_mode & 0o777) for path in fleet.out("deployments").iterdir()}
    assert modes.pop("apply.sh") == "0o755"
    assert set(modes.values()) == {"0o644"}
