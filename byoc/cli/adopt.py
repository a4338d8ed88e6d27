"""``byoc adopt``: a stack config and an import file for an account that another tool made."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from byoc.adoption.adoption import Adoption
    from byoc.project.project_file import Project

_SECRETS = ("externalId", "previousExternalId")


def adopt(
    terraform: Annotated[
        Path | None, typer.Option("--terraform", metavar="STATE", help="The state of the documented Terraform module.")
    ] = None,
    scan: Annotated[bool, typer.Option("--scan", help="Look at the live account instead; reads only.")] = False,
    account: Annotated[str | None, typer.Option("--account", metavar="ID", help="With --scan: the account.")] = None,
    region: Annotated[str | None, typer.Option("--region", help="With --scan: the region.")] = None,
    name_prefix: Annotated[
        str | None, typer.Option("--name-prefix", help="With --scan: how names begin. Default: the documented names.")
    ] = None,
    stack: Annotated[str, typer.Option("--stack", "-s", help="The stack to write: Pulumi.<STACK>.yaml.")] = "adopted",
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="The import file. Default: <STACK>.import.json in the project.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the two files.")] = False,
    secret_to_stdout: Annotated[
        str | None,
        typer.Option(
            "--secret-to-stdout",
            metavar="KEY",
            help="Write nothing but the value of externalId or previousExternalId, for a pipe into pulumi config set.",
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
    cwd: Annotated[
        Path | None, typer.Option("--cwd", "-C", help="The project's folder, or one below it. Default: this folder.")
    ] = None,
) -> int:
    """Write the stack config and the import file with which pulumi takes over an account that is there already."""
    from byoc.adoption.adoption import adopt as plan
    from byoc.adoption.files import refuse_to_overwrite
    from byoc.cli.adopt_source import Source
    from byoc.cli.adopt_view import Outcome, as_document, show
    from byoc.cli.view import console, show_json
    from byoc.errors import InputError
    from byoc.project.project_file import find_project, read_project

    _check_secret_to_stdout(secret_to_stdout)
    source = Source(terraform=terraform, scan=scan, account=account, region=region, name_prefix=name_prefix)
    source.check()
    project = read_project(find_project(cwd or Path.cwd()))
    stack_file = project.stack_file(stack)
    import_file = out or project.root / f"{stack}.import.json"
    if import_file.resolve() == stack_file.resolve():
        raise InputError(f"--out {import_file}: that is the stack's own file; name another one")
    if not force and secret_to_stdout is None:
        refuse_to_overwrite(stack_file, import_file)
    adoption = plan(project, stack, source.findings())
    if secret_to_stdout is not None:
        return _write_secret(adoption, secret_to_stdout)
    outcome = Outcome(
        adoption=adoption,
        stack_file=stack_file,
        import_file=import_file,
        source_words=source.words,
        sealed=not adoption.conflicts and _write(adoption, project, stack_file, import_file),
    )
    if json:
        show_json(as_document(outcome))
    else:
        show(console(), outcome)
    return 1 if adoption.conflicts else 0


def _check_secret_to_stdout(key: str | None) -> None:
    from byoc.errors import InputError

    if key is None:
        return
    if key not in _SECRETS:
        raise InputError(f"--secret-to-stdout {key}: allowed are {' and '.join(_SECRETS)}")
    if sys.stdout.isatty():
        raise InputError(
            "--secret-to-stdout: standard output is a terminal, which would show and keep the secret\n"
            f"      mend it:  pipe it: … --secret-to-stdout {key} | pulumi config set --secret byoc:{key}"
        )


def _write_secret(adoption: Adoption, key: str) -> int:
    from byoc.errors import InputError

    value = adoption.secrets.get(key)
    if value is None:
        raise InputError(f"--secret-to-stdout {key}: the role's trust policy holds none")
    sys.stdout.write(value)
    return 0


def _passphrase() -> str | None:
    """That of the environment; none if there is none, or an empty one, which would protect nothing."""
    import os

    from byoc.project.stack_file import passphrase_of_environment

    if not ({"PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"} & os.environ.keys()):
        return None
    return passphrase_of_environment() or None


def _write(adoption: Adoption, project: Project, stack_file: Path, import_file: Path) -> bool:
    """Write both files; whether the secrets are in the stack's file, encrypted."""
    from byoc.adoption.files import import_file_text, stack_file_text, write_together

    passphrase = _passphrase()
    write_together(
        {
            stack_file: stack_file_text(adoption, project.name, passphrase),
            import_file: import_file_text(adoption),
        }
    )
    return passphrase is not None
