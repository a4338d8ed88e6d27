"""``byoc doctor``: whether stacks can be provisioned, and stand as they should."""

from __future__ import annotations

import enum
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from byoc.cli.operations.options import Every, Folder, Profile, Stacks

if TYPE_CHECKING:
    from rich.console import Console

    from byoc.operations.doctor.report import Report
    from byoc.operations.doctor.subject import Subject

INTERRUPTED = 130
"""The exit code after Ctrl-C, as shells have it."""
_STYLES = {"pass": "green", "fail": "red", "unknown": "yellow"}


class Format(enum.StrEnum):
    """How the answers are shown."""

    TABLE = "table"
    MARKDOWN = "markdown"
    JSON = "json"


def doctor(
    stacks: Stacks = None,
    every: Every = False,
    form: Annotated[Format, typer.Option("--format", help="How the answers are shown.")] = Format.TABLE,
    json: Annotated[bool, typer.Option("--json", help="As --format json: one JSON object and nothing else.")] = False,
    profile: Profile = None,
    own_credentials: Annotated[
        bool,
        typer.Option(
            "--own-credentials",
            help="Ask with credentials of the account itself, for deployment stacks too; what their role may do is "
            "simulated. It answers more, and does not try the role.",
        ),
    ] = False,
    probe_egress: Annotated[
        bool,
        typer.Option(
            "--probe-egress",
            help="Try the hosts outside AWS from a container in the private subnets: one short Fargate task, which "
            "costs a fraction of a cent, and is taken away. Asks before.",
        ),
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="With --probe-egress: do not ask; needed where there is no terminal.")
    ] = False,
    cwd: Folder = None,
) -> None:
    """Examine stacks, before they are provisioned and after: each check answers pass, fail or unknown.

    Nothing is changed in the account, but for --probe-egress. Exit code: 0 if every check passes, 1 if one fails, 3 if
    none fails and one could not be answered, 2 for wrong input.
    """
    from byoc.cli.view import console, show_json
    from byoc.operations.doctor.doctor import examine
    from byoc.operations.doctor.report import exit_code, markdown
    from byoc.operations.many import each

    shown = Format.JSON if json else form
    subjects = _subjects(cwd or Path.cwd(), stacks or [], every, profile, own_credentials=own_credentials)
    probe_egress = probe_egress and _agree(subjects, yes=yes, shown=shown)
    reports, interrupted = list(each(subjects, examine, at_once=4, only_looks=True)), False
    if probe_egress:
        reports, interrupted = _probed(subjects, reports)
    if shown is Format.JSON:
        show_json({"stacks": [report.document() for report in reports]})
    elif shown is Format.MARKDOWN:
        print(markdown(reports))
    else:
        for report in reports:
            _show(console(), report)
    raise typer.Exit(INTERRUPTED if interrupted else exit_code(reports))


def _subjects(
    folder: Path, words: list[str], every: bool, profile: str | None, *, own_credentials: bool
) -> list[Subject]:
    from byoc.access.required import planned
    from byoc.operations.doctor.doctor import subject_of
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
    return subjects


def _agree(subjects: Sequence[Subject], *, yes: bool, shown: Format) -> bool:
    """Say what probes make, and ask; without a yes the stacks are examined from outside.

    Raises ``InputError`` where nobody can answer.
    """
    from byoc.cli.view import console
    from byoc.errors import InputError
    from byoc.operations.doctor.probe_plan import plan_of

    plans = [plan for subject in subjects if (plan := plan_of(subject)) is not None]
    if not plans:
        return True
    if shown is Format.TABLE:
        for plan in plans:
            console().print("\n".join(plan.announcement()) + "\n")
    if yes:
        return True
    if shown is not Format.TABLE or not (sys.stdin.isatty() and sys.stdout.isatty()):
        names = " ".join(plan.stack for plan in plans)
        raise InputError(
            "--probe-egress asks before it makes anything, and there is no terminal to ask on\n"
            f"      mend it:  byoc doctor {names} --probe-egress --yes"
        )
    return typer.confirm(f"run {len(plans)} probe{'s'[: len(plans) > 1]}?", default=False)


def _probed(subjects: Sequence[Subject], reports: Sequence[Report]) -> tuple[list[Report], bool]:
    from rich.console import Console

    from byoc.operations.doctor.probing import probe_all

    told = Console(stderr=True, highlight=False)
    words = "probing from inside the subnets, which takes a minute or two; Ctrl-C ends it and takes everything away"
    with _terminations_as_interrupts(), told.status(words):
        return probe_all(subjects, reports)


@contextmanager
def _terminations_as_interrupts() -> Iterator[None]:
    """A ``SIGTERM``, as of a CI job that is cancelled, ends a probe as Ctrl-C does: what it made is taken away."""

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _show(out: Console, report: Report) -> None:
    from rich.padding import Padding
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
        table.add_row(answer, Padding(Text(check.name, overflow="fold"), (0, 0, 0, 2)), evidence)
    out.print(table)
    out.print(Text(f"{report.stack}: {report.counts}", style=_STYLES[report.verdict.value]))
