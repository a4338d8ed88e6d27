"""A worker for tests of the queue: it notes when a run begins and ends, and waits for a file before it ends one.

``python -m tests.operations.submit_probe FOLDER FILE FILE``, as ``byoc.cli.operations.submit_worker`` is begun.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from byoc.automation.records import RunRecord
from byoc.automation.submissions import Queue

REPOSITORY_ROOT = Path(__file__).resolve().parents[2]
GATE, LOG = "gate", "log"
"""In the project's folder: no run ends before the one is there; the other tells of every run."""


def begin(record: RunRecord, locks: Sequence[int]) -> int:
    """Begin this worker."""
    words = [sys.executable, "-m", "tests.operations.submit_probe", str(record.folder), *map(str, locks)]
    return subprocess.Popen(words, cwd=REPOSITORY_ROOT, pass_fds=locks, start_new_session=True).pid


def carry_out(record: RunRecord) -> Mapping[str, Any]:
    """Note, wait, note."""
    root = Path(record.request["projectRoot"])
    with Queue(root, record.request["submission"]["stack"]).stack_held(record):
        _note(root, f"begin {record.id}")
        while not (root / GATE).exists():
            time.sleep(0.01)
        _note(root, f"end {record.id}")
    if "fault" in record.request:
        raise ZeroDivisionError(record.request["fault"])
    return {"state": record.request.get("ends", "succeeded"), "stacks": []}


def _note(root: Path, line: str) -> None:
    log = os.open(root / LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.write(log, f"{line}\n".encode())
    os.close(log)


if __name__ == "__main__":
    first = RunRecord(Path(sys.argv[1]))
    queue = Queue(Path(first.request["projectRoot"]), first.request["submission"]["stack"])
    queue.work_off(first, [int(number) for number in sys.argv[2:]], carry_out)
