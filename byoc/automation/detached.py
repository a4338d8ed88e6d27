"""Runs that go on after the command has returned: a process of its own, which writes down what happens.

``python -m byoc.automation.detached FOLDER``: the request lies in the folder, secrets come with the environment, and
the run's lock is inherited, so that there is no moment in which a run that begins looks lost.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from byoc.automation.command import Asked, Command
from byoc.automation.records import RunRecord
from byoc.errors import ByocError


def start(project_root: Path, asked: Asked) -> RunRecord:
    """Begin a detached run; it is under way when this returns. The command was checked before."""
    record = RunRecord.create(project_root, {**asked.document(), "projectRoot": str(project_root)})
    with record.hold() as lock, record.open("log.txt") as log:
        process = subprocess.Popen(  # noqa: S603 - this very program
            [sys.executable, "-m", "byoc.automation.detached", str(record.folder)],
            cwd=project_root,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            pass_fds=[lock.fileno()],
        )
        record.write("process.json", {"pid": process.pid})
    return record


def carry_out(record: RunRecord) -> None:
    """Do what the run was asked to do, and write down what came of it."""
    request = record.request
    try:
        command = Command.prepare(Path(request["projectRoot"]), Asked.of_document(request))
        result = command.run(record.listener()).document()
    except ByocError as error:
        result = {"state": "failed", "stacks": [], "error": str(error)}
    except KeyboardInterrupt:  # before any engine was begun
        result = {"state": "interrupted", "stacks": []}
    record.write("result.json", result)


if __name__ == "__main__":
    carry_out(RunRecord(Path(sys.argv[1])))
