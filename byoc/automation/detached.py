"""Runs that go on after the command has returned: a process of its own, which writes down what happens.

``python -m byoc.automation.detached FOLDER``: the request lies in the folder, secrets come with the environment, and
the locks of the run and of its stacks are inherited, so that there is no moment in which a run that begins looks lost
or lets another in.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from byoc.automation.asked import Asked
from byoc.automation.command import Command
from byoc.automation.records import RunRecord, new_run_id
from byoc.errors import ByocError


def start(command: Command, asked: Asked) -> RunRecord:
    """Begin a detached run of a command that was checked; it is under way when this returns.

    Raises :class:`~byoc.errors.InputError` if another run is at any of its stacks.
    """
    root = command.workspace.project.root
    request = replace(asked, stacks=command.selection.stacks).document()
    run_id = new_run_id()
    with command.locked(run_id) as locks:
        record = RunRecord.create(root, {**request, "projectRoot": str(root), "asked": asked.words}, run_id)
        with record.hold() as lock, record.open("log.txt") as log:
            process = subprocess.Popen(  # noqa: S603 - this very program
                [sys.executable, "-m", "byoc.automation.detached", str(record.folder)],
                cwd=root,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=[lock.fileno(), *locks],
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
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell's background job ignores the first unless told otherwise
        signal.signal(number, signal.default_int_handler)
    carry_out(RunRecord(Path(sys.argv[1])))
