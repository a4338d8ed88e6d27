"""``byoc logs``: what the containers of deployments wrote."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from byoc.cli.operations.options import Every, Folder, Profile, Since, Stacks
from byoc.cli.printable import printable

if TYPE_CHECKING:
    from byoc.operations.log_merge import Line, Unread
    from byoc.operations.logs import Wanted
    from byoc.operations.targets import Stack, Target

LINES = 1000


def logs(
    stacks: Stacks = None,
    every: Every = False,
    deployment: Annotated[
        str | None, typer.Option("--deployment", "-d", help="Of account stacks with several deployments: this one.")
    ] = None,
    since: Since = "1h",
    until: Annotated[
        str | None, typer.Option("--until", metavar="WHEN", help="Up to then, as --since. Default: now.")
    ] = None,
    role: Annotated[
        Literal["api", "queue", "cache"] | None, typer.Option("--role", help="Of one service. Default: of all.")
    ] = None,
    revision: Annotated[
        int | None,
        typer.Option("--revision", min=1, help="Of one revision of the API's task definition, or of --role's."),
    ] = None,
    pattern: Annotated[
        str | None,
        typer.Option("--filter", metavar="TEXT", help="Only what holds this text, or a filter pattern of CloudWatch."),
    ] = None,
    lines: Annotated[
        int,
        typer.Option("--lines", "-n", min=0, help="So many of the newest; 0: all. With --follow, of each deployment."),
    ] = LINES,
    newest_first: Annotated[bool, typer.Option("--newest-first", help="Turn the order round.")] = False,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes, until Ctrl-C.")] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    profile: Profile = None,
    cwd: Folder = None,
) -> int:
    """Show what the containers wrote, in order of time across them.

    Of several stacks each line names its own. Exit code 1 if one of them could not be read.
    """
    from datetime import UTC, datetime

    from byoc.errors import InputError
    from byoc.operations.logs import Wanted
    from byoc.operations.stacks import read_stacks
    from byoc.operations.times import moment

    if follow and (newest_first or until is not None):
        raise InputError("--follow goes on for ever\n      mend it:  leave out --newest-first and --until")
    now = datetime.now(UTC)
    wanted = Wanted(
        since=moment(since, now, option="--since"),
        until=moment(until, now, option="--until", may_come=True) if until is not None else None,
        role=role,
        revision=revision,
        pattern=pattern,
    )
    found = read_stacks(cwd or Path.cwd(), tuple(stacks or ()), every=every)
    chosen, well = _reached(found, deployment, profile)
    several = len(chosen) > 1
    try:
        for line in _lines(chosen, wanted, lines=lines, newest_first=newest_first, follow=follow):
            well = _show(line, json=json, several=several) and well
    except KeyboardInterrupt:
        if not follow:
            raise
    return 0 if well else 1


def _lines(
    chosen: list[Target], wanted: Wanted, *, lines: int, newest_first: bool, follow: bool
) -> Iterator[Line | Unread]:
    from byoc.operations.log_merge import all_lines, follow_lines, newest_lines

    if follow:
        return follow_lines(chosen, wanted, note=_note, last=lines)
    found = newest_lines(chosen, wanted, lines) if lines else all_lines(chosen, wanted)
    return reversed(list(found)) if newest_first else found


def _reached(stacks: tuple[Stack, ...], deployment: str | None, profile: str | None) -> tuple[list[Target], bool]:
    """The deployments that are meant and whose account can be reached, and whether all can be."""
    from dataclasses import replace

    from byoc.errors import InputError
    from byoc.operations.status.report import Ways
    from byoc.operations.targets import Accounts, targets

    accounts = Accounts(profile)
    known = list(targets(stacks, accounts))
    chosen = [target for target in known if deployment in (None, target.deployment)]
    if not chosen:
        names = ", ".join(target.deployment for target in known)
        given = "there is no deployment" if deployment is None else f"--deployment is '{deployment}'"
        raise InputError(
            f"{', '.join(stack.name for stack in stacks)}: {given}\n"
            f"      allowed:  {names or 'none: account stacks without deployments of their own'}\n"
            "      mend it:  --deployment, or another stack"
        )
    ways = Ways(accounts, profile).open(stacks)
    reached, well = [], True
    for target in chosen:
        way = ways[target.stack]
        if isinstance(way, str):
            print(f"error: {target.stack}: {way}", file=sys.stderr)
            well = False
        else:
            reached.append(replace(target, account=way))
    return reached, well


def _note(target: Target, text: str) -> None:
    print(f"note: {target.label}: {text}", file=sys.stderr)


def _show(line: Line | Unread, *, json: bool, several: bool) -> bool:
    """Show an entry, or why there is none; whether it is one."""
    from byoc.operations.log_merge import Line
    from byoc.operations.times import iso

    label = f"{line.target.label} " if several else ""
    if not isinstance(line, Line):
        print(f"error: {label.replace(' ', ': ')}{line.error}", file=sys.stderr)
        return False
    entry = line.entry
    if json:
        import json as notation

        print(notation.dumps(line.document), flush=True)
    else:
        at, container = iso(entry.at, parts="milliseconds"), printable(f"{entry.role}/{entry.task[:8]}")
        print(f"{at} {label}{container} {printable(entry.message)}", flush=True)
    return True
