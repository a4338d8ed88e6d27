"""Whatever containers write can be shown, on any terminal."""

from __future__ import annotations

import io
import os
import subprocess
import sys

from byoc.cli import show_all


def test_a_sign_that_the_encoding_lacks_is_shown_as_its_number() -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    show_all(stream)
    stream.write("gr\u00fc\u00dfe \U0001f600 \ud800")
    stream.flush()
    assert stream.buffer.getvalue() == b"gr\\xfc\\xdfe \\U0001f600 \\ud800"


def test_a_stream_that_is_none_is_left_alone() -> None:
    show_all(None)
    show_all(io.StringIO())


def test_the_command_line_shows_all_on_a_terminal_without_unicode() -> None:
    verb = "import byoc.cli.app as app; app.run = lambda: print('gr\\u00fc\\u00dfe')"
    ran = subprocess.run(
        [sys.executable, "-c", f"{verb}; from byoc.cli import main; main()"],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "gr\\xfc\\xdfe\n", "")
