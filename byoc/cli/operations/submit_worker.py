"""What works off a stack's queue of submitted revisions: a process that outlives the shell of its submitter.

``python -m byoc.cli.operations.submit_worker FOLDER FILE FILE``: the folder of the first run, and the numbers of the
two lock files that are inherited: the run's and the queue's.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from byoc.automation.records import RunRecord
from byoc.automation.submissions import Queue
from byoc.errors import ByocError


def begin(record: RunRecord, locks: Sequence[int]) -> int:
    """Begin a worker with its first run; gives its process id."""
    with record.open("log.txt") as log:
        process = subprocess.Popen(  # noqa: S603 - this very program
            [sys.executable, "-m", "byoc.cli.operations.submit_worker", str(record.folder), *map(str, locks)],
            cwd=record.request["projectRoot"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            pass_fds=locks,
        )
    return process.pid


def carry_out(record: RunRecord) -> Mapping[str, Any]:
    """Roll one submitted revision out; gives the result that is written down."""
    _write_to_the_log_of(record)
    request, submission = record.request, record.request["submission"]
    root, stack = Path(request["projectRoot"]), submission["stack"]
    try:
        with Queue(root, stack).stack_held(record):
            refuse_a_new_revision(root, stack, sandbox=submission["sandbox"], profile=submission["profile"])
            if submission["image"]:
                _set_image(root, stack, submission["image"])
            result = (_by_the_sandbox if submission["sandbox"] else _by_pulumi)(root, record)
            if result["state"] != "succeeded":
                return result
            gone_back = _gone_back(root, stack, submission["profile"], result)
            if gone_back:
                return {**result, "state": "failed", "error": gone_back}
            _keep(root, stack, submission["profile"])
            return result
    except ByocError as error:
        return {"state": "failed", "stacks": [], "error": str(error)}
    except KeyboardInterrupt:  # before any engine was begun
        return {"state": "interrupted", "stacks": []}


def _write_to_the_log_of(record: RunRecord) -> None:
    """What is said from here on is about this run, whoever's process it is."""
    with record.open("log.txt") as log:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
            os.dup2(log.fileno(), stream.fileno())


def refuse_a_new_revision(root: Path, stack: str, *, sandbox: bool, profile: str | None) -> None:
    """Raise :class:`~byoc.errors.InputError` if a revision of one of the stack's deployments is rolling out.

    Where AWS does not answer, the run itself will tell: that is no reason to refuse it.
    """
    from byoc.operations.answers import AskingError
    from byoc.operations.revisions.guard import refuse_while_rolling_out

    if sandbox:
        _use_the_sandbox(root)
    for target in _targets(root, stack, profile):
        try:
            refuse_while_rolling_out(target)
        except AskingError as error:
            print(f"whether a revision is rolling out is not known: {error}", file=sys.stderr)


def _targets(root: Path, stack: str, profile: str | None) -> list[Any]:
    from byoc.operations.stacks import read_stacks
    from byoc.operations.targets import Accounts, targets

    return list(targets(read_stacks(root, [stack]), Accounts(profile)))


def _use_the_sandbox(root: Path) -> None:
    """Ask the embedded AWS from here on, whatever the shell says."""
    from byoc.sandbox.workspace import Workspace

    found = Workspace(root).cli_environment()
    os.environ.update({name: value for name, value in found.items() if name.startswith("AWS_")})


def _set_image(root: Path, stack: str, image: str) -> None:
    from byoc.project.project_file import read_project
    from byoc.project.stack_edit import set_values

    set_values(read_project(root).stack_file(stack), {"byoc:image": image})


def _by_pulumi(root: Path, record: RunRecord) -> Mapping[str, Any]:
    from byoc.automation.asked import Asked
    from byoc.automation.aws_profile import aws_profile
    from byoc.automation.command import Command
    from byoc.automation.stack_run import nothing_after
    from byoc.operations.langsmith.after_up import projects_are_there

    asked, profile = Asked.of_document(record.request), record.request["submission"]["profile"]
    with aws_profile(profile):
        after = projects_are_there(root, profile) if asked.tracing else nothing_after
        return Command.prepare(root, asked, after=after).run(record.listener()).document()


def _by_the_sandbox(root: Path, record: RunRecord) -> Mapping[str, Any]:
    from byoc.automation.command import CommandResult
    from byoc.automation.many import Outcome, StackOutcome
    from byoc.sandbox.workspace import Workspace

    stack = record.request["submission"]["stack"]
    result = Workspace(root).up(stack, listener=record.listener())
    outcome = Outcome.INTERRUPTED if result.interrupted else Outcome.SUCCEEDED if result.ok else Outcome.FAILED
    outcomes = (StackOutcome(stack=stack, outcome=outcome, result=result),)
    return CommandResult(outcomes=outcomes, interrupted=result.interrupted, many=False).document()


def _gone_back(root: Path, stack: str, profile: str | None, result: Mapping[str, Any]) -> str:
    """Why a run that ended well did not roll its revision out; empty if it did, or where that is not known.

    Where ECS does not name its deployment controller, the AWS provider waits for one roll-out with all its containers,
    and that of a circuit breaker that went back is such a one.
    """
    from byoc.errors import ByocError
    from byoc.operations.revisions.outcome import went_elsewhere
    from byoc.operations.revisions.read import present_services

    (outcome,) = result["stacks"]
    for target in _targets(root, stack, profile):
        try:
            found = went_elsewhere(outcome, target.deployment, present_services(target))
        except ByocError as error:
            print(f"whether {target.deployment} is at its new revision is not known: {error}", file=sys.stderr)
            continue
        if found:
            return f"{target.deployment}: {found}\n      mend it:  byoc events {stack} and byoc logs {stack} say why"
    return ""


def _keep(root: Path, stack: str, profile: str | None) -> None:
    """Keep the secret versions of the newest revisions; a failure is told in the run's log and undoes nothing."""
    from byoc.operations.revisions.keep import keep

    for target in _targets(root, stack, profile):
        try:
            keep(target)
        except Exception as error:  # noqa: BLE001 - the revision is rolled out, whatever becomes of this
            print(f"{target.deployment}: secret versions of earlier revisions are not kept: {error}", file=sys.stderr)


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell's background job ignores the first unless told otherwise
        signal.signal(number, signal.default_int_handler)
    first = RunRecord(Path(sys.argv[1]))
    Queue(Path(first.request["projectRoot"]), first.request["submission"]["stack"]).work_off(
        first, [int(number) for number in sys.argv[2:]], carry_out
    )
