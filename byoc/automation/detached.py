"""Runs that go on after the command has returned: a process of its own, which writes down what happens.

``python -m MODULE FOLDER``, where the module calls :func:`main`: the request lies in the folder, secrets come with the
environment, and the locks of the run and of its stacks are inherited, so that there is no moment in which a run that
begins looks lost or lets another in.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from byoc.automation.asked import Asked
from byoc.automation.command import Command
from byoc.automation.records import RunRecord, new_run_id, unexpected
from byoc.automation.stack_run import After, Guard, nothing_after, unguarded
from byoc.errors import ByocError


def start(command: Command, asked: Asked, module: str = "byoc.automation.detached") -> RunRecord:
    """Begin a detached run of a command that was checked; it is under way when this returns.

    ``module`` is what carries it out.

    Raises :class:`~byoc.errors.InputError` if another run is at any of its stacks.
    """
    root = command.workspace.project.root
    request = replace(asked, stacks=command.selection.stacks).document()
    run_id = new_run_id()
    with command.locked(run_id) as locks:
        record = RunRecord.create(root, {**request, "projectRoot": str(root), "asked": asked.words}, run_id)
        with record.hold() as lock, record.open("log.txt") as log:
            process = subprocess.Popen(  # noqa: S603 - this very program
                [sys.executable, "-m", module, str(record.folder)],
                cwd=root,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=[lock.fileno(), *locks],
            )
            record.write("process.json", {"pid": process.pid})
    return record


def carry_out(
    record: RunRecord,
    guard: Callable[[Path], Guard] = lambda _: unguarded,
    after: Callable[[Path], After] = lambda _: nothing_after,
) -> None:
    """Do what the run was asked to do, and write down what came of it.

    ``guard`` and ``after``: of the project's folder; left out where the run may supersede what rolls out, and where it
    is not to see to tracing projects.
    """
    request = record.request
    try:
        root, asked = Path(request["projectRoot"]), Asked.of_document(request)
        command = Command.prepare(
            root,
            asked,
            unguarded if asked.supersede else guard(root),
            after(root) if asked.tracing else nothing_after,
        )
        result = command.run(record.listener()).document()
    except ByocError as error:
        result = {"state": "failed", "stacks": [], "error": str(error)}
    except KeyboardInterrupt:  # before any engine was begun
        result = {"state": "interrupted", "stacks": []}
    except Exception as error:  # a fault of byoc itself: the run has ended all the same, and its log tells the rest
        record.write("result.json", unexpected(record, error))
        raise
    record.write("result.json", result)


def main(
    guard: Callable[[Path], Guard] = lambda _: unguarded,
    after: Callable[[Path], After] = lambda _: nothing_after,
) -> None:
    """Carry out the run whose folder the command line names."""
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell's background job ignores the first unless told otherwise
        signal.signal(number, signal.default_int_handler)
    carry_out(RunRecord(Path(sys.argv[1])), guard, after)


if __name__ == "__main__":
    main()
