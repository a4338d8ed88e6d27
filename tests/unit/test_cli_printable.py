"""What containers wrote is shown, and never obeyed by the terminal."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from byoc.cli.printable import printable

RED, RESET = "\x1b[31m", "\x1b[0m"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('{"event": "ok"}\t1', '{"event": "ok"}\t1'),
        ("Grüße, 你好 🙂", "Grüße, 你好 🙂"),
        ("\x1b]0;owned\x07", "\\x1b]0;owned\\x07"),
        ("\x1b[2J\x1b[1;1H", "\\x1b[2J\\x1b[1;1H"),
        ("\x9b2J", "\\x9b2J"),
        ("over\rwritten", "over\\x0dwritten"),
        ("ended as on Windows\r", "ended as on Windows"),
        ("user \u202egnp.exe", "user \\u202egnp.exe"),
        ("one\ntwo\r\nthree", "one\n    two\n    three"),
        (f"{RED}bad{RESET}", f"{RED}bad{RESET}"),
        (f"{RED}bad", f"{RED}bad{RESET}"),
        (f"{RED}bad{RESET} and on", f"{RED}bad{RESET} and on{RESET}"),
        ("", ""),
    ],
)
def test_control_characters_are_told_and_colours_stay(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(st.text(st.sampled_from("\x1b[]0;1mJ\x07\x9b\r\n\tx\u202e"), max_size=20))
def test_nothing_but_colours_tabs_and_ends_of_lines_reaches_the_terminal(text: str) -> None:
    left = re.sub(r"\x1b\[[0-9;:]*m", "", printable(text))
    assert left.isprintable() or set(filter(lambda sign: not sign.isprintable(), left)) <= {"\t", "\n"}
