"""What is said after Ctrl-C: how to go on, where something was under way."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from byoc.cli.app import INTERRUPTED, exit_code, interruption
from byoc.cli.asking import confirmed, typed

GOES_ON = "interrupted: run the same command again, and it goes on where it stopped"


@pytest.mark.parametrize(
    "words",
    [
        "doctor demo-chat",
        "events --all",
        "logs demo-chat --follow",
        "preview demo-chat",
        "resume demo-chat",
        "retention --all",
        "revisions demo-chat",
        "rollback demo-chat --dry-run",
        "runs show 1 --follow",
        "sandbox preview demo-chat",
        "status --watch",
        "teardown demo-chat --sweep-only",
        "tracing demo-chat --check",
        "watch demo-chat",
    ],
)
def test_a_verb_that_only_looks_says_that_it_was_interrupted_and_no_more(words: str) -> None:
    assert interruption(words.split()) == "interrupted"


@pytest.mark.parametrize(
    "words",
    [
        "up demo-chat",
        "destroy demo-chat",
        "refresh demo-chat",
        "teardown demo-chat",
        "resume demo-chat --apply",
        "retention --all --apply",
        "rollback demo-chat --to 3 --yes",
        "rollback demo-chat --to=3 --yes",
        "sandbox up demo-chat",
        "tracing demo-chat",
        "watch demo-chat --apply",
        "up status",
    ],
)
def test_a_verb_that_was_at_work_says_how_to_go_on(words: str) -> None:
    assert interruption(words.split()) == GOES_ON


def test_the_same_rollback_again_would_go_further_back_unless_it_names_the_revision() -> None:
    assert interruption(["rollback", "demo-chat", "--yes"]) == (
        "interrupted: ECS goes on with what was begun, see byoc revisions; to go on with it, name it with --to"
    )


def test_ctrl_c_in_a_verb_ends_with_its_message_and_code(capsys: pytest.CaptureFixture[str]) -> None:
    def stopped() -> None:
        raise KeyboardInterrupt

    assert exit_code(stopped, ["logs", "demo-chat"]) == INTERRUPTED
    assert capsys.readouterr().err == "interrupted\n"
    assert exit_code(stopped, ["up", "demo-chat"]) == INTERRUPTED
    assert capsys.readouterr().err == f"{GOES_ON}\n"


@pytest.mark.parametrize("ask", [confirmed, typed])
def test_ctrl_c_at_a_question_says_that_nothing_was_changed(
    ask: Callable[[str], object], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Terminal:
        def readline(self) -> str:
            raise KeyboardInterrupt

    monkeypatch.setattr("sys.stdin", Terminal())
    assert exit_code(lambda: ask("up demo-chat?"), ["up", "demo-chat"]) == INTERRUPTED
    assert capsys.readouterr().err.strip() == "interrupted: nothing was changed"
