"""``byoc fleet``: many stacks on engines that exist; nothing is run here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from byoc.fleet.export import Export
    from byoc.fleet.output_folder import Written

app = typer.Typer(
    help="Run many stacks on engines that exist: the Pulumi Kubernetes Operator, a CI, Pulumi Deployments.",
    no_args_is_help=True,
)

Stacks = Annotated[
    list[str] | None,
    typer.Argument(metavar="STACK", help="Stacks by name, or patterns in quotes such as 'acme-*'; all if none."),
]
Format = Annotated[
    Literal["operator", "matrix", "deployments"],
    typer.Option(
        "--format", "-f", help="Kubernetes objects, a GitHub Actions workflow, or settings for Pulumi Deployments."
    ),
]
Out = Annotated[
    Path | None,
    typer.Option("--out", "-o", metavar="FOLDER", help="Where to. Default: fleet/<format> in the project's folder."),
]
Settings = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Settings. Default: fleet.yaml in the project's folder.")
]
Force = Annotated[bool, typer.Option("--force", help="Overwrite files that were changed, or that no export wrote.")]
Json = Annotated[bool, typer.Option("--json", help="Print what was written as one JSON object.")]
Folder = Annotated[
    Path | None, typer.Option("--cwd", "-C", help="The project's folder, or one below it. Default: this folder.")
]


@app.callback()
def fleet() -> None:
    """Options before the verb."""


@app.command(short_help="Write the files that an engine needs.")
def export(
    stacks: Stacks = None,
    *,
    form: Format,
    out: Out = None,
    settings: Settings = None,
    force: Force = False,
    json: Json = False,
    cwd: Folder = None,
) -> None:
    """Write the files that an engine needs to run the stacks; docs/fleet.md tells which engine for what."""
    from byoc.fleet.export import prepare
    from byoc.project.project_file import find_project

    root = find_project(cwd or Path.cwd())
    folder = out or root / "fleet" / form
    found = prepare(root, form, words=stacks or (), settings=settings)
    written = found.write(folder, force=force)
    if json:
        from byoc.cli.view import show_json

        show_json(found.summary(written))
    else:
        _show(found, written, folder)


def _show(found: Export, written: Written, folder: Path) -> None:
    accounts = len({stack.account for stack in found.stacks})
    typer.echo(f"{folder}: {len(found.stacks)} stacks of {accounts} accounts, format {found.format}")
    counts = {"written": written.written, "unchanged": written.unchanged, "removed": written.removed}
    typer.echo(f"  files: {', '.join(f'{len(names)} {word}' for word, names in counts.items())}")
    for name in written.removed:
        typer.echo(f"  removed, its stack has no file any more: {name}")
    for note in found.notes:
        typer.echo(f"  note: {note}")
