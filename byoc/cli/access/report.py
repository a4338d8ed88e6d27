"""``byoc access report``, ``diff`` and ``export``: the access of an install for those who sign it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from byoc.access.role import Role
    from byoc.access.saved import Version
    from byoc.config import AccountConfig

Stack = Annotated[str, typer.Argument(help="An account stack: stacks/Pulumi.<STACK>.yaml.")]
Folder = Annotated[
    Path | None, typer.Option("--cwd", "-C", help="The project's folder, or one below it. Default: this folder.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
Out = Annotated[Path | None, typer.Option("--out", "-o", metavar="FILE", help="Where to. Default: standard output.")]


def report(
    stack: Stack,
    form: Annotated[
        Literal["markdown", "html", "json"],
        typer.Option("--format", "-f", help="Markdown, one HTML page, or JSON for 'byoc access diff'."),
    ] = "markdown",
    out: Out = None,
    cwd: Folder = None,
) -> None:
    """Tell who may do what with an account stack's cross-account role, and what not. AWS is not asked."""
    import json

    from byoc.access.action_names import expand
    from byoc.access.report import as_html, as_markdown, report_of
    from byoc.access.saved import saved

    role = _role(stack, cwd)
    if form == "json":
        text = json.dumps(saved(role), indent=2) + "\n"
    else:
        found = report_of(role, expand)
        text = as_html(found) if form == "html" else as_markdown(found)
    if out is None:
        typer.echo(text, nl=False)
    else:
        _write(out, text)


def diff(
    old: Annotated[
        str, typer.Argument(metavar="OLD", help="A stack, or a file of 'byoc access report --format json'.")
    ],
    new: Annotated[str, typer.Argument(metavar="NEW", help="As OLD.")],
    json: Json = False,
    cwd: Folder = None,
) -> int:
    """Tell what NEW would newly allow or no longer allow, action by action. Exit code 1 if anything differs.

    Both roles are compared: the control plane's, and the one for emergencies.
    """
    from byoc.cli.access.diff import compared, document_of, show
    from byoc.cli.view import console, show_json

    before, after = _version(old, cwd), _version(new, cwd)
    found = compared(before, after)
    if json:
        show_json(document_of(before, after, found))
    else:
        show(console(), before, after, found)
    return 1 if any(item.anything for item in found) else 0


def export(
    stack: Stack,
    cloudformation: Annotated[
        bool, typer.Option("--cloudformation", help="A CloudFormation template, for accounts that run no Pulumi.")
    ] = False,
    out: Out = None,
    cwd: Folder = None,
) -> None:
    """Write the role and its policies for another tool: the same, to the byte. External ids become parameters.

    What of the account stack is not in it is told on standard error.
    """
    from byoc.access.cloudformation import left_out, template_of, template_text
    from byoc.errors import InputError

    if not cloudformation:
        raise InputError("access export: no format was named\n      mend it:  --cloudformation")
    config = _config(stack, cwd)
    text = template_text(template_of(stack, config))
    typer.echo(f"not in the template: {', '.join(left_out(config))}", err=True)
    if out is None:
        typer.echo(text, nl=False)
    else:
        _write(out, text)


def _role(stack: str, cwd: Path | None) -> Role:
    from byoc.access.role import role_of

    return role_of(stack, _config(stack, cwd))


def _config(stack: str, cwd: Path | None) -> AccountConfig:
    from byoc.errors import InputError
    from byoc.project.project_file import find_project
    from byoc.project.stack_file import read_stack_file
    from byoc.stack_config import load_stack_config

    file = read_stack_file(find_project(cwd or Path.cwd()), stack)
    config = load_stack_config(file.config, file.secret_keys, source=file.path.name)
    if config.kind != "account":
        raise InputError(
            f"stack '{stack}' is of kind '{config.kind}'\n"
            "      allowed:  a stack of kind account, which makes the cross-account role\n"
            "      mend it:  name the account stack"
        )
    return config


def _version(word: str, cwd: Path | None) -> Version:
    from byoc.access.saved import read_saved, version_of

    path = Path(word)
    return read_saved(path) if path.suffix == ".json" or path.is_file() else version_of(_role(word, cwd))


def _write(path: Path, text: str) -> None:
    from byoc.errors import InputError

    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"--out {path}: {error.strerror}\n      mend it:  name a file in a folder that can be written to"
        ) from None
    typer.echo(f"written: {path}")
