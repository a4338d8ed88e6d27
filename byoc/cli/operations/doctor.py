"""``byoc doctor``: whether stacks can be provisioned, and stand as they should."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from byoc.operations.doctor.report import Report

_STYLES = {"pass": "green", "fail": "red", "unknown": "yellow"}


class Format(enum.StrEnum):
    """How the answers are shown."""

    TABLE = "table"
    MARKDOWN = "markdown"
    JSON = "json"


def doctor(
    stacks: Annotated[list[str] | None, typer.Argument(help="Stacks, by name or pattern ('prod-*').")] = None,
    every: Annotated[bool, typer.Option("--all", help="Every stack of the project.")] = False,
    form: Annotated[Format, typer.Option("--format", help="How the answers are shown.")] = Format.TABLE,
    json: Annotated[bool, typer.Option("--json", help="As --format json: one JSON object and nothing else.")] = False,
    profile: Annotated[
        str | None, typer.Option("--profile", help="Profile of the AWS CLI. Default: what the environment says.")
    ] = None,
    own_credentials: Annotated[
        bool,
        typer.Option(
            "--own-credentials",
            help="Ask with credentials of the account itself, for deployment stacks too; what their role may do is "
            "simulated. It answers more, and does not try the role.",
        ),
    ] = False,
    cwd: Annotated[
        Path | None, typer.Option("--cwd", "-C", help="The project's folder, or one below it. Default: this folder.")
    ] = None,
) -> None:
    """Examine stacks, before they are provisioned and after: each check answers pass, fail or unknown.

    Nothing is changed in the account. Exit code: 0 if every check passes, 1 if one fails, 3 if none fails and one could
    not be answered, 2 for wrong input.
    """
    from byoc.cli.view import console, show_json
    from byoc.operations.doctor.report import exit_code, markdown

    reports = _examined(cwd or Path.cwd(), stacks or [], every, profile, own_credentials=own_credentials)
    shown = Format.JSON if json else form
    if shown is Format.JSON:
        show_json({"stacks": [report.document() for report in reports]})
    elif shown is Format.MARKDOWN:
        print(markdown(reports))
    else:
        for report in reports:
            _show(console(), report)
    raise typer.Exit(exit_code(reports))


def _examined(
    folder: Path, words: list[str], every: bool, profile: str | None, *, own_credentials: bool
) -> list[Report]:
    from byoc.access.required import planned
    from byoc.operations.doctor.doctor import examine, subject_of
    from byoc.operations.many import each
    from byoc.operations.stacks import read_stack_files
    from byoc.operations.targets import Accounts, Stack
    from byoc.stack_config import load_stack_config

    accounts = Accounts(profile)
    subjects = []
    for file in read_stack_files(folder, words, every=every):
        config = load_stack_config(file.config, file.secret_keys, source=file.path.name)
        # Programs run one after another: Pulumi's runtime is one for the process.
        stack = Stack(name=file.stack, config=config)
        subjects.append(subject_of(stack, planned(file), accounts, profile, own_credentials=own_credentials))
    return list(each(subjects, examine, at_once=4))


def _show(out: Console, report: Report) -> None:
    from rich.table import Table
    from rich.text import Text

    out.print(f"{report.stack}: account {report.account_id}, {report.region}")
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column, ratio in (("answer", None), ("check", None), ("evidence", 1)):
        table.add_column(column, overflow="fold", ratio=ratio)
    area = remedy = ""
    for check in report.checks:
        if check.area.value != area:
            area = check.area.value
            table.add_row("", Text(area, style="bold"), "")
        answer = Text(check.verdict.value, style=_STYLES[check.verdict.value])
        evidence = Text(check.evidence)
        if check.remedy and check.remedy != remedy:  # what mends several checks stands with the first of them
            evidence.append(f"\nmend it: {check.remedy}", style="dim")
        remedy = check.remedy
        table.add_row(answer, Text(f"  {check.name}"), evidence)
    out.print(table)
    out.print(Text(f"{report.stack}: {report.counts}", style=_STYLES[report.verdict.value]))
