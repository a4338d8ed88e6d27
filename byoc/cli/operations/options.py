"""Options that several verbs for operating have."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

Stacks = Annotated[
    list[str] | None,
    typer.Argument(metavar="STACK", help="Stacks by name, or patterns in quotes such as 'acme-*'."),
]
Every = Annotated[bool, typer.Option("--all", help="Every stack that has a file.")]
Profile = Annotated[
    str | None, typer.Option("--profile", help="The profile of the AWS CLI. Default: as AWS_PROFILE or boto3 says.")
]
Folder = Annotated[
    Path | None, typer.Option("--cwd", "-C", help="The project's folder, or one below it. Default: this folder.")
]
Tracing = Annotated[
    bool,
    typer.Option(
        "--tracing/--no-tracing",
        envvar="BYOC_TRACING",
        help="Afterwards, see to it that the LangSmith projects of the deployments are there.",
    ),
]
Since = Annotated[
    str, typer.Option("--since", metavar="WHEN", help="So long ago (15m, 2h, 3d), or a time in ISO 8601.")
]


def for_many(words: Sequence[str], *, every: bool) -> bool:
    """Whether a command was written for many stacks, whatever its patterns match: then JSON is a list of them."""
    from byoc.project.stack_names import is_pattern

    return every or len(words) != 1 or is_pattern(words[0])
