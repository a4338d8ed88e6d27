"""``byoc up`` and the like before any engine runs: consent, the CLI that is taken, wrong input."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from rich.console import Console
from semver import VersionInfo

from byoc.automation.engines import OLDEST
from byoc.automation.locks import held
from byoc.automation.records import RunRecord
from byoc.cli import view
from tests.sandbox.cli_runner import Outcome, byoc

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with one stack and, on PATH, nothing."""
    declared = "config: {apiKey: {type: string, secret: true}}"
    (tmp_path / "Pulumi.yaml").write_text(
        f"name: byoc\nruntime: python\nmain: stacks\nstackConfigDir: stacks\n{declared}\n"
    )
    (tmp_path / "stacks").mkdir()
    secret = "{secure: v1:a:b}"
    (tmp_path / "stacks" / "Pulumi.demo.yaml").write_text(
        f"config:\n  byoc:kind: account\n  byoc:externalId: {secret}\n"
    )
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path


def fake_pulumi(folder: Path, version: str, more: str = "") -> None:
    """A ``pulumi`` that tells its version, does ``more``, and says of everything else that it is not allowed."""
    folder.mkdir(parents=True, exist_ok=True)
    told = f'[ "$1" = version ] && echo {version} && exit'
    script = f'#!/bin/sh\n{told}\n{more}\necho "error: not allowed: $*" >&2\nexit 1\n'
    (folder / "pulumi").write_text(script)
    (folder / "pulumi").chmod(0o755)


def run(capsys: pytest.CaptureFixture[str], project: Path, *words: str) -> Outcome:
    return byoc(capsys, *words, "-C", str(project))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("up", "demo"), "up asks before it changes anything, and there is no terminal to ask on"),
        (("destroy", "demo"), "destroy asks before it changes anything, and there is no terminal to ask on"),
        (("refresh", "demo", "--json"), "refresh --json cannot ask before it changes anything"),
        (("up", "demo", "--detach"), "up --detach cannot ask before it changes anything"),
        (("up", "demo", "--skip-preview"), "up --skip-preview leaves nothing to ask about"),
        (("up", "demo", "--yes", "--detach", "-c", "a=b"), "up --detach takes no --config"),
    ],
)
def test_what_cannot_be_asked_needs_consent_before(
    capsys: pytest.CaptureFixture[str], project: Path, words: tuple[str, ...], message: str
) -> None:
    outcome = run(capsys, project, *words)
    assert (outcome.code, outcome.out) == (2, "")
    assert message in outcome.err
    assert "mend it:" in outcome.err


def test_without_a_cli_the_message_names_make_pulumi_and_the_install_page(
    capsys: pytest.CaptureFixture[str], project: Path
) -> None:
    outcome = run(capsys, project, "preview", "demo")
    assert outcome.code == 2
    assert f"the Pulumi CLI is neither in {project / '.tools' / 'pulumi' / 'bin'} nor on PATH" in outcome.err
    assert f"pulumi {OLDEST} or later" in outcome.err
    assert "make pulumi" in outcome.err
    assert "https://www.pulumi.com/docs/install/" in outcome.err


def test_a_cli_that_is_too_old_is_refused(capsys: pytest.CaptureFixture[str], project: Path) -> None:
    fake_pulumi(project / "bin", "v3.100.0")
    outcome = run(capsys, project, "preview", "demo")
    assert outcome.code == 2
    assert "your current CLI version is 3.100.0" in outcome.err
    assert f"pulumi {OLDEST} or later" in outcome.err


def test_the_project_s_own_cli_is_taken_before_the_one_on_path(
    capsys: pytest.CaptureFixture[str], project: Path
) -> None:
    fake_pulumi(project / "bin", "v3.100.0")
    fake_pulumi(project / ".tools" / "pulumi" / "bin", f"v{OLDEST}")
    outcome = run(capsys, project, "preview", "demo")
    assert outcome.code == 1
    assert "not allowed: --non-interactive stack ls --json" in outcome.err
    assert outcome.err.startswith("error: pulumi failed\n")


def test_the_oldest_cli_is_the_one_that_the_engine_tests_run_with() -> None:
    tree = ast.parse((ROOT / "tools" / "pulumi" / "install.py").read_text())
    (pinned,) = [
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "PINNED"
    ]
    assert isinstance(pinned, ast.Call)
    assert VersionInfo(*[ast.literal_eval(argument) for argument in pinned.args]) == OLDEST


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("preview", "nope"), "there is no stack 'nope'"),
        (("preview",), "name the stacks to run"),
        (("preview", "demo", "-c", "image"), "--config image"),
        (("preview", "demo", "-c", "externalId=abc"), "it is a secret of stack 'demo'"),
        (("preview", "demo", "-c", "byoc:apiKey=abc"), "it is a secret of stack 'demo'"),
        (("preview", "demo", "--policy-pack", "nowhere"), "no PulumiPolicy.yaml in it"),
        (("preview", "demo", "--jobs", "0"), "--jobs"),
        (("up", "demo", "--yes", "--parallel", "x"), "--parallel"),
    ],
)
def test_wrong_input_is_refused_before_anything_is_asked_of_the_backend(
    capsys: pytest.CaptureFixture[str], project: Path, words: tuple[str, ...], message: str
) -> None:
    fake_pulumi(project / "bin", f"v{OLDEST}")
    outcome = run(capsys, project, *words)
    assert (outcome.code, outcome.out) == (2, "")
    assert message in outcome.err
    assert "abc" not in outcome.err


def test_runs_of_a_project_without_any_are_none(capsys: pytest.CaptureFixture[str], project: Path) -> None:
    assert '"runs": []' in run(capsys, project, "runs", "--json").out
    outcome = byoc(capsys, "runs", "show", "20260101-000000-abcdef", "-C", str(project))
    assert outcome.code == 2
    assert "there is no run '20260101-000000-abcdef'" in outcome.err
    assert byoc(capsys, "runs", "stop", "nope", "-C", str(project)).code == 2


def test_a_stack_that_another_run_is_at_is_refused_and_that_run_is_named(
    capsys: pytest.CaptureFixture[str], project: Path
) -> None:
    listing = """[ "$2" = stack ] && echo '[{"name": "demo", "current": false}]' && exit"""
    fake_pulumi(project / "bin", f"v{OLDEST}", listing)
    with held(project, ["demo"], words="up demo", run="20260101-000000-abcdef"):
        for words in (("destroy", "--yes"), ("up", "--yes", "--detach")):
            outcome = run(capsys, project, words[0], "demo", *words[1:])
            assert (outcome.code, outcome.out) == (2, "")
            assert outcome.err == (
                "error: stack 'demo' is being worked on by run 20260101-000000-abcdef (byoc up demo); nothing was run\n"
                "      allowed:  one run at a time per stack\n"
                "      mend it:  wait until it has ended, byoc runs show 20260101-000000-abcdef --follow; or stop it: "
                "byoc runs stop 20260101-000000-abcdef\n"
            )
        assert "not allowed: --non-interactive preview" in run(capsys, project, "preview", "demo").out
    assert not list((project / ".byoc").glob("runs/*")), "what was refused is no run"
    assert "not allowed: --non-interactive destroy" in run(capsys, project, "destroy", "demo", "--yes").out
    assert len(list((project / ".byoc").glob("runs/*"))) == 1


def test_a_stack_of_another_organization_is_not_taken_for_one_s_own(
    capsys: pytest.CaptureFixture[str], project: Path
) -> None:
    listing = """[ "$2" = stack ] && echo '[{"name": "other/demo", "current": false}]' && exit"""
    fake_pulumi(project / "bin", f"v{OLDEST}", listing)
    outcome = run(capsys, project, "preview", "demo")
    assert outcome.code == 2
    assert "not in the backend, though there is a file: demo; nothing was run" in outcome.err


def test_the_id_of_a_run_is_whole_on_a_narrow_terminal(
    capsys: pytest.CaptureFixture[str], project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = "123456789012.dkr.ecr.us-west-2.amazonaws.com/agents/chat:1.0.1"
    record = RunRecord.create(project, {"verb": "up", "stacks": ["demo"], "asked": f"submit demo --image {image}"})
    monkeypatch.setattr(view, "console", lambda: Console(width=80, markup=False, highlight=False))
    lines = run(capsys, project, "runs").out.splitlines()
    assert max(len(line.rstrip()) for line in lines) <= 80
    assert lines[1].startswith(f"{record.id}  ")
    assert record.request["startedAt"] in lines[1]
