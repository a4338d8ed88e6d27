"""``byoc adopt``: a stack config and an import file for an account that another tool made."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from byoc.adoption.adoption import Adoption
    from byoc.adoption.found import Findings
    from byoc.project.project_file import Project

_SECRETS = ("externalId", "previousExternalId")
_SHOWN = 400
"""Characters of a value in a table; --json has the whole."""


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

    _check_secret_to_stdout(secret_to_stdout)
    project = _project(cwd or Path.cwd())
    stack_file = project.stack_file(stack)
    import_file = out or project.root / f"{stack}.import.json"
    if not force and secret_to_stdout is None:
        refuse_to_overwrite(stack_file, import_file)
    adoption = plan(project, stack, _findings(terraform, scan, account, region, name_prefix))
    if secret_to_stdout is not None:
        return _write_secret(adoption, secret_to_stdout)
    sealed = False
    if not adoption.conflicts:
        sealed = _write(adoption, project, stack_file, import_file)
    steps = _next_steps(adoption, import_file, sealed=sealed, source=_source_words(terraform, account, region))
    if json:
        from byoc.cli.view import show_json

        show_json(_document(adoption, stack_file, import_file, steps, sealed=sealed))
    else:
        _show(adoption, stack_file, import_file, steps)
    return 1 if adoption.conflicts else 0


# What was asked for


def _project(folder: Path) -> Project:
    from byoc.errors import InputError
    from byoc.project.project_file import read_project

    for candidate in (folder.resolve(), *folder.resolve().parents):
        if (candidate / "Pulumi.yaml").is_file():
            return read_project(candidate)
    raise InputError(
        f"no Pulumi.yaml in {folder} or above it\n"
        "      mend it:  run this in a checkout of the project, or name one with --cwd"
    )


def _findings(
    terraform: Path | None, scan: bool, account: str | None, region: str | None, name_prefix: str | None
) -> Findings:
    from byoc.errors import InputError

    if (terraform is None) == (not scan):
        raise InputError("say where to look: either --terraform STATE, or --scan with --account and --region")
    if terraform is not None:
        given = {"--account": account, "--region": region, "--name-prefix": name_prefix}
        in_vain = ", ".join(key for key, value in given.items() if value is not None)
        if in_vain:
            raise InputError(f"{in_vain}: a Terraform state says this by itself; leave it out, or use --scan")
        from byoc.adoption.terraform import read_terraform_state

        return read_terraform_state(terraform)
    if account is None or region is None:
        raise InputError("--scan needs --account and --region: name the account, twelve digits, and the region")
    return _scanned(account, region, name_prefix)


def _scanned(account: str, region: str, name_prefix: str | None) -> Findings:
    from pydantic import ValidationError

    from byoc.config.common import CommonConfig
    from byoc.errors import InputError
    from byoc.naming import DEFAULT_PREFIX

    prefix = name_prefix or DEFAULT_PREFIX
    try:
        common = CommonConfig.model_validate(
            {"kind": "account", "accountId": account, "region": region, "namePrefix": prefix}
        )
    except ValidationError as error:
        options = {"accountId": "--account", "region": "--region", "namePrefix": "--name-prefix"}
        named = ", ".join(options.get(str(detail["loc"][0]), "--scan") for detail in error.errors())
        raise InputError(
            f"{named}: not an account id of twelve digits, a region such as us-west-2, or a name prefix such as "
            f"{DEFAULT_PREFIX}; correct it"
        ) from None
    import boto3

    from byoc.adoption.scan import scan_account

    return scan_account(boto3.Session(region_name=region), common.account_id, common.names)


def _source_words(terraform: Path | None, account: str | None, region: str | None) -> str:
    return f"--terraform {terraform}" if terraform is not None else f"--scan --account {account} --region {region}"


# Secrets


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


# What is shown


def _next_steps(adoption: Adoption, import_file: Path, *, sealed: bool, source: str) -> list[str]:
    if adoption.conflicts:
        return []
    stack = adoption.stack
    secrets = [
        f"byoc adopt {source} --secret-to-stdout {key} | pulumi config set --stack {stack} --secret byoc:{key}"
        for key in ([] if sealed else adoption.secrets)
    ]
    return [
        f"pulumi stack init {stack}",
        *secrets,
        f"pulumi import --stack {stack} --file {import_file} --protect=false --generate-code=false",
        f"pulumi up --stack {stack}",
    ]


def _document(
    adoption: Adoption, stack_file: Path, import_file: Path, steps: list[str], *, sealed: bool
) -> dict[str, Any]:
    written = not adoption.conflicts
    return {
        "stack": adoption.stack,
        "source": adoption.findings.source,
        "account": adoption.findings.account_id,
        "region": adoption.findings.region,
        "written": [str(stack_file), str(import_file)] if written else [],
        "externalId": ("encrypted" if sealed else "to be set") if adoption.secrets else "none",
        "taken": [
            {
                "type": item.wanted.type,
                "name": item.wanted.name,
                "importId": item.import_id,
                "from": item.found.address,
                "changes": [
                    {"property": change.property, "from": change.before, "to": change.after} for change in item.changes
                ],
            }
            for item in adoption.taken
        ],
        "added": [{"type": item.type, "name": item.name} for item in adoption.added],
        "notMapped": [
            {"address": item.address, "type": item.type, "why": item.why, "toDo": item.to_do} for item in adoption.left
        ],
        "conflicts": [
            {
                "name": item.name,
                "address": item.address,
                "property": item.property,
                "from": item.before,
                "to": item.after,
                "replaces": item.replaces,
            }
            for item in adoption.conflicts
        ],
        "next": steps,
    }


def _show(adoption: Adoption, stack_file: Path, import_file: Path, steps: list[str]) -> None:
    from byoc.cli.view import console

    out = console()
    if adoption.conflicts:
        out.print("in the way: up would replace these or take something away; nothing was written", style="red")
        rows = [(c.name, c.address, c.property, _brief(c.before), _brief(c.after)) for c in adoption.conflicts]
        _print(out, ("resource", "what is there", "property", "from", "to"), rows)
        out.print("bring them to what the stack makes, then adopt again (docs/adopting.md)")
        return
    out.print(f"taken over by pulumi import: {len(adoption.taken)}")
    changed = [
        (t.wanted.name, c.property, _brief(c.before), _brief(c.after)) for t in adoption.taken for c in t.changes
    ]
    out.print(f"\nchanged in place by the first up: {len(changed)}")
    _print(out, ("resource", "property", "from", "to"), changed)
    out.print(f"\nmade by the first up: {len(adoption.added)} (service-linked roles only where the account lacks them)")
    _print(out, ("type", "resource"), [(item.type, item.name) for item in adoption.added])
    out.print(f"\nnot mapped, and left as it is: {len(adoption.left)}")
    _print(
        out, ("what is there", "why", "what to do"), [(item.address, item.why, item.to_do) for item in adoption.left]
    )
    out.print(f"\nwritten: {stack_file}, {import_file}")
    out.print("\nwhat to type next:")
    for step in steps:
        out.print(f"  {step}")
    if not adoption.findings.live:
        out.print("and then take what was taken over out of the Terraform state, or Terraform goes on changing it")


def _print(out: Console, columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    from rich.table import Table

    if not rows:
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*row)
    out.print(table)


def _brief(value: object) -> str:
    import json

    text = "" if value is None else value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(text) - _SHOWN} more characters; see --json)"
