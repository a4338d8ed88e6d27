"""``byoc revisions``: the revisions of deployments, what changed between them, and what became of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from byoc.cli.operations.options import Every, Folder, Profile, Stacks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from byoc.automation.submissions import Submission
    from byoc.operations.revisions.keep import Kept
    from byoc.operations.revisions.read import Revision, Revisions
    from byoc.operations.targets import Target

Limit = Annotated[int, typer.Option("--limit", "-n", min=1, max=200, help="How many of each, the newest.")]
Keep = Annotated[
    bool, typer.Option("--keep", help="Keep the secret versions of the newest revisions, as byoc:revisions says.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
_SHOWN_OF_A_DIGEST = 19
"""Characters: ``sha256:`` and twelve."""


def revisions(
    stacks: Stacks = None,
    every: Every = False,
    limit: Limit = 10,
    keep: Keep = False,
    profile: Profile = None,
    json: Json = False,
    cwd: Folder = None,
) -> int:
    """List the revisions of deployments, newest first: image, when, by whom, what changed, state.

    No value of a variable is shown. What was submitted and is not rolled out yet, or never was, is listed beside them.
    Exit code 1 if a deployment could not be asked for.
    """
    from byoc.cli.view import show_json
    from byoc.operations.many import each
    from byoc.operations.stacks import read_stacks
    from byoc.operations.targets import Accounts, targets
    from byoc.project.project_file import find_project

    folder = cwd or Path.cwd()
    chosen = list(targets(read_stacks(folder, stacks or (), every=every), Accounts(profile)))
    found = list(each(chosen, lambda target: _Found.of(target, limit, keep=keep), only_looks=not keep))
    submitted = _submitted(find_project(folder), [target.stack for target in chosen], limit)
    if json:
        show_json(
            {
                "deployments": [item.document() for item in found],
                "submissions": [item.document() for item in submitted],
            }
        )
    else:
        _show(found, submitted)
    return 1 if any(item.failure for item in found) else 0


class _Found:
    """A deployment's revisions, or why they could not be read."""

    def __init__(self, target: Target, revisions: Revisions | None, kept: Kept | None, failure: str) -> None:
        self.target = target
        self.revisions = revisions
        self.kept = kept
        self.failure = failure

    @classmethod
    def of(cls, target: Target, limit: int, *, keep: bool) -> _Found:
        from byoc.errors import ByocError
        from byoc.operations.answers import AbsentError
        from byoc.operations.revisions.keep import keep as keep_revisions
        from byoc.operations.revisions.read import read_revisions

        try:
            kept = keep_revisions(target) if keep else None
            return cls(target, read_revisions(target, limit=limit), kept, "")
        except AbsentError as error:
            return cls(target, None, None, f"what was there a moment ago is gone: {error}")
        except ByocError as error:
            return cls(target, None, None, str(error))

    def document(self) -> dict[str, Any]:
        if self.revisions is None:
            return {"stack": self.target.stack, "deployment": self.target.deployment, "error": self.failure}
        kept = {"kept": self.kept.document()} if self.kept else {}
        return {**self.revisions.document(), **kept}


def _submitted(root: Path, stacks: Sequence[str], limit: int) -> list[Submission]:
    from byoc.automation.submissions import Queue

    return [item for stack in dict.fromkeys(stacks) for item in Queue(root, stack).submissions()[-limit:]]


def _show(found: Sequence[_Found], submitted: Sequence[Submission]) -> None:
    from byoc.cli.view import console

    out = console()
    if not found:
        out.print("no deployments in these stacks")
    for item in found:
        if item.revisions is None:
            out.print(f"{item.target.deployment}: {item.failure}", style="red")
            continue
        out.print(f"{item.target.deployment} ({item.target.stack}):")
        columns = ("revision", "state", "image", "registered", "digest")
        for line in _lines(columns, [(_row(each), _said(each)) for each in item.revisions.items]):
            out.print(line, soft_wrap=True)
        for note in item.revisions.notes:
            out.print(note)
        if item.kept:
            _show_kept(item.kept)
    if submitted:
        out.print("submitted:")
        many = len({item.stack for item in submitted}) > 1
        rows = [
            ((item.run, item.state, item.submitted_at, item.by, _image(item.image)), _why(item, many))
            for item in submitted
        ]
        for line in _lines(("run", "state", "submitted", "by", "image"), rows):
            out.print(line, soft_wrap=True)


def _lines(columns: Sequence[str], rows: Sequence[tuple[Sequence[str], str]]) -> Iterator[str]:
    """A table whose rows have a line of words below: no id is ever broken, on a narrow terminal neither."""
    cells = [columns, *(row for row, _ in rows)]
    widths = [max(len(row[at]) for row in cells) for at in range(len(columns))]
    below = ["", *(words for _, words in rows)]
    for row, words in zip(cells, below, strict=True):
        yield "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        if words:
            yield f"    {words}"


def _image(image: str) -> str:
    return image.rpartition("/")[2] or "as the file says"


def _why(item: Submission, many: bool) -> str:
    return "; ".join(filter(None, (item.stack if many else "", item.why)))


def _show_kept(kept: Kept) -> None:
    from byoc.cli.view import console

    change = kept.labels
    numbers = ", ".join(str(number) for number in kept.revisions)
    console().print(
        f"kept: the secret versions of revisions {numbers}: "
        f"{len(change.attach)} labelled, {len(change.detach)} released"
        + (f"; deregistered: {', '.join(kept.deregistered)}" if kept.deregistered else "")
    )


def _row(item: Revision) -> tuple[str, ...]:
    from byoc.operations.times import iso

    return (
        f"{item.number}{' *' if item.running else ''}",
        item.state.value,
        item.definition.image.rpartition("/")[2],
        iso(item.at) if item.at else "not known",
        item.digest[:_SHOWN_OF_A_DIGEST] or "not known",
    )


def _said(item: Revision) -> str:
    return f"by {who(item.definition.registered_by)}; {_changed(item)}"


def who(arn: str) -> str:
    """Who a principal is, in short: ``LangGraphCloudBYOCRole/byoc`` of a role's session."""
    return arn.rpartition(":")[2].partition("/")[2] or "not known"


def _changed(item: Revision) -> str:
    copy = item.definition.copy_of
    texts = [] if item.changes is None else [change.text() for change in item.changes]
    words = "; ".join(texts) or ("first one that is known" if item.changes is None else "nothing")
    return f"back to {copy}: {words}" if copy is not None else words
