"""The command line where whoever calls it has closed its standard streams, as some schedulers do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROGRAM = """
import sys
from byoc.cli import app
app.app = lambda **_: open({seen!r}, "w").write(str(open({seen!r}).fileno()))
app.run()
"""


def test_a_file_that_is_opened_never_takes_the_number_of_a_standard_stream(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    seen.touch()
    closed = [sys.executable, "-c", PROGRAM.format(seen=str(seen))]
    subprocess.run(["/bin/sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *closed], check=False)
    assert int(seen.read_text()) > 2
