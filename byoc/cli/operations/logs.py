"""``byoc logs``: what the containers of a deployment wrote."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from byoc.cli.operations.options import Folder, Profile, Since

if TYPE_CHECKING:
    from byoc.operations.logs import Entry
    from byoc.operations.targets import Target

LINES = 1000


def logs(
    stack: Annotated[str, typer.Argument(help="The stack: stacks/Pulumi.<STACK>.yaml.")],
    deployment: Annotated[
        str | None, typer.Option("--deployment", "-d", help="Of an account stack with several deployments: which.")
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
        int, typer.Option("--lines", "-n", min=0, help="So many of the newest; 0: all, which may be much.")
    ] = LINES,
    newest_first: Annotated[bool, typer.Option("--newest-first", help="Turn the order round.")] = False,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes, until Ctrl-C.")] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    profile: Profile = None,
    cwd: Folder = None,
) -> int:
    """Show what the containers wrote, in order of time across them."""
    from datetime import UTC, datetime

    from byoc.errors import InputError
    from byoc.operations.logs import Wanted, read_entries
    from byoc.operations.logs import follow as followed
    from byoc.operations.times import moment

    if follow and (newest_first or until is not None):
        raise InputError("--follow goes on for ever\n      mend it:  leave out --newest-first and --until")
    now = datetime.now(UTC)
    wanted = Wanted(
        since=moment(since, now, option="--since"),
        until=moment(until, now, option="--until") if until is not None else None,
        role=role,
        revision=revision,
        pattern=pattern,
    )
    target = _target(stack, deployment, profile, cwd)
    show = _as_json if json else _as_text
    try:
        if follow:
            for entry in followed(target, wanted, note=lambda text: print(f"note: {text}", file=sys.stderr)):
                show(entry)
        else:
            for entry in _picked(read_entries(target, wanted), lines, newest_first=newest_first):
                show(entry)
    except KeyboardInterrupt:
        if not follow:
            raise
    return 0


def _picked(entries: Iterable[Entry], lines: int, *, newest_first: bool) -> Iterator[Entry]:
    """The newest ``lines`` of them; the memory that this takes is bounded by them."""
    if not lines and not newest_first:
        yield from entries
        return
    kept = deque(entries, maxlen=lines or None)
    ordered = sorted(kept, key=lambda entry: entry.at)
    yield from reversed(ordered) if newest_first else ordered


def _target(stack: str, deployment: str | None, profile: str | None, cwd: Path | None) -> Target:
    """The one deployment that is meant."""
    from dataclasses import replace

    from byoc.errors import ByocError, InputError
    from byoc.operations.stacks import read_stacks
    from byoc.operations.status.report import Ways
    from byoc.operations.targets import Accounts, targets

    accounts = Accounts(profile)
    stacks = read_stacks(cwd or Path.cwd(), (stack,))
    found = {target.deployment: target for target in targets(stacks, accounts)}
    if deployment is None and len(found) == 1:
        (deployment,) = found
    if deployment not in found or len(stacks) > 1:
        known = ", ".join(found) or "none: it is an account stack without deployments of its own"
        given = "no deployment is named" if deployment is None else f"--deployment is '{deployment}'"
        raise InputError(f"{stack}: {given}\n      allowed:  {known}\n      mend it:  --deployment, or another stack")
    way = Ways(accounts, profile).open(stacks)[found[deployment].stack]
    if isinstance(way, str):
        raise ByocError(f"{stack}: {way}")
    return replace(found[deployment], account=way)


def _as_json(entry: Entry) -> None:
    import json

    print(json.dumps(entry.document), flush=True)


def _as_text(entry: Entry) -> None:
    from byoc.operations.times import iso

    print(f"{iso(entry.at, parts='milliseconds')} {entry.role}/{entry.task[:8]} {entry.message}", flush=True)
