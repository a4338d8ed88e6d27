"""``byoc submit``: a new revision, rolled out by a process of its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from byoc.cli.operations.options import Every, Folder, Profile, Stacks, Tracing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from byoc.automation.records import RunRecord

Image = Annotated[str, typer.Option("--image", help="The new image; it is written into the stack's file.")]
Sandbox = Annotated[bool, typer.Option("--sandbox", help="Roll out as 'byoc sandbox up' does.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


def submit(
    stacks: Stacks = None,
    every: Every = False,
    image: Image = "",
    sandbox: Sandbox = False,
    tracing: Tracing = True,
    profile: Profile = None,
    json: Json = False,
    cwd: Folder = None,
) -> int:
    """Submit a new revision of each stack and return at once; nothing is asked.

    The runs of a stack follow each other. Of those that are submitted while one is at work, only the newest is rolled
    out, the others are skipped. 'byoc revisions' and 'byoc runs' show how they stand.
    """
    from byoc.cli.view import show_json

    submission = {"image": image, "by": _who(), "sandbox": sandbox, "profile": profile}
    records = _submit_all(cwd or Path.cwd(), stacks or (), submission, every=every, tracing=tracing)
    if json:
        show_json({"submissions": [_document(record) for record in records]})
        return 0
    for record in records:
        stack, state = record.request["submission"]["stack"], record.state.value
        how = "is queued behind the one that is at work" if state == "queued" else "has begun"
        typer.echo(f"{stack}: run {record.id} {how}; follow it with: byoc runs show {record.id} --follow")
    return 0


def _document(record: RunRecord) -> dict[str, Any]:
    return {"run": record.id, "stack": record.request["submission"]["stack"], "state": record.state.value}


def _submit_all(
    folder: Path, words: Sequence[str], submission: Mapping[str, Any], *, every: bool, tracing: bool
) -> list[RunRecord]:
    """Check everything, then submit everything."""
    from byoc.automation.asked import Asked, RunOptions, Verb
    from byoc.automation.submissions import Queue
    from byoc.cli.operations.submit_worker import begin
    from byoc.operations.stacks import read_stacks
    from byoc.project.project_file import find_project

    root, image = find_project(folder), submission["image"]
    chosen = read_stacks(folder, words, every=every)
    if image:
        _check_image(image, [stack.name for stack in chosen if stack.config.kind == "account"])
    queues = {stack.name: Queue(root, stack.name) for stack in chosen}
    for stack in chosen:
        if not queues[stack.name].is_at_work():  # its own roll-out is waited for
            _refuse(root, stack.name, sandbox=submission["sandbox"], profile=submission["profile"])
    records = []
    for name, queue in queues.items():
        asked = Asked(verb=Verb.UP, stacks=(name,), options=RunOptions(message="byoc submit"), tracing=tracing)
        said = " ".join(["submit", name, *(["--image", image] if image else [])])
        request = {**asked.document(), "projectRoot": str(root), "asked": said, "submission": dict(submission)}
        records.append(queue.submit(request, begin))
    return records


def _refuse(root: Path, stack: str, *, sandbox: bool, profile: str | None) -> None:
    """Refuse a new revision while one rolls out, unless a run of this project is at it: that is waited for."""
    from byoc.automation.locks import is_held
    from byoc.cli.operations.submit_worker import refuse_a_new_revision
    from byoc.operations.revisions.guard import RollingOutError

    try:
        refuse_a_new_revision(root, stack, sandbox=sandbox, profile=profile)
    except RollingOutError:
        if not is_held(root, stack):
            raise


def _who() -> str:
    """Who submits, by the system's name; a container may run under a user that has none."""
    import getpass
    import os

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user {os.getuid()}"


def _check_image(image: str, accounts: Sequence[str]) -> None:
    from pydantic import TypeAdapter, ValidationError

    from byoc.config.images import ImageReference
    from byoc.errors import InputError

    if accounts:
        raise InputError(
            f"--image, and {accounts[0]} is an account stack: the images of its deployments are set one by one\n"
            "      mend it:  set byoc:deployments in its file, then submit it without --image"
        )
    try:
        TypeAdapter(ImageReference).validate_python(image)
    except ValidationError as error:
        finding = error.errors()[0]["ctx"]["findings"][0]
        raise InputError(
            f"--image is '{image}'\n      allowed:  {finding.allowed}\n      mend it:  {finding.remedy}"
        ) from None
