"""The command line, run in this process as the installed script runs it."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from byoc.cli.app import app, exit_code


@dataclass(frozen=True)
class Outcome:
    """What a command came to."""

    code: int
    out: str
    err: str


def byoc(capsys: pytest.CaptureFixture[str], *words: str) -> Outcome:
    """Run ``byoc`` with these words."""
    capsys.readouterr()
    code = exit_code(lambda: app(list(words), standalone_mode=False))
    captured = capsys.readouterr()
    return Outcome(code, captured.out, captured.err)
