"""The help of the command line: every verb, each with a line that can be read whole."""

from __future__ import annotations

import re

import pytest
import typer.main

from byoc.cli.app import app
from tests.sandbox.cli_runner import byoc


@pytest.mark.parametrize("group", ["", "access", "external-id", "fleet", "runs", "sandbox"])
def test_no_line_of_the_help_is_cut_off_or_wider_than_a_terminal(
    group: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    outcome = byoc(capsys, *group.split(), "--help")
    assert (outcome.code, outcome.err) == (0, "")
    usage, *lines = outcome.out.splitlines()
    assert usage.endswith(f"{group} [OPTIONS] COMMAND [ARGS]...")
    assert [line for line in lines if line.endswith("...") or len(line) > 80] == []


def test_the_help_shows_every_verb_with_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    verbs = list(vars(typer.main.get_command(app))["commands"])
    shown = byoc(capsys, "--help").out
    assert {"up", "status", "access"} < set(verbs)
    assert [name for name in verbs if not re.search(rf"^  {name} +[A-Z].*\.$", shown, re.MULTILINE)] == []
