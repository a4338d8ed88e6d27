"""``byoc status``: what runs, and what is wrong with it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from byoc.cli.operations.options import Every, Folder, Profile, Stacks

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

Document = Mapping[str, Any]
DETAILED = 3
"""So many deployments at most are shown with url, image and last events."""
WATCH_SECONDS = 10.0
_STYLES = {"healthy": "green", "degraded": "yellow", "down": "red", "unknown": "magenta"}
_COLUMNS = ("stack", "state", "revision", "running", "health", "database", "cache", "alarms")


def status(
    stacks: Stacks = None,
    every: Every = False,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Show it again and again, until Ctrl-C.")] = False,
    interval: Annotated[
        float | None,
        typer.Option(
            "--interval", min=1, metavar="SECONDS", help=f"With --watch: between two looks ({WATCH_SECONDS:.0f})."
        ),
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object and nothing else; with --watch, one a line.")
    ] = False,
    profile: Profile = None,
    cwd: Folder = None,
) -> int:
    """Show what runs and what is wrong with it; all stacks if none is named.

    Running: containers of the API, then of its queue if that has its own, of those wanted. Up to three deployments are
    shown with url, image and last events. Exit code 1 if anything is down, degraded, or could not be asked about.
    """
    if interval is not None and not watch:
        from byoc.errors import InputError

        raise InputError("--interval is between two looks of --watch\n      mend it:  --watch, or leave it out")
    look = _looker(tuple(stacks or ()), every, profile, cwd)
    if watch:
        return _watch(look, WATCH_SECONDS if interval is None else interval, json=json)
    rows = look()
    if json:
        from byoc.cli.view import show_json
        from byoc.operations.status.report import summary

        show_json(summary(rows))
    else:
        show(rows)
    return _code(rows)


def _looker(words: tuple[str, ...], every: bool, profile: str | None, cwd: Path | None) -> Callable[[], list[Document]]:
    """What looks once; the stacks and the ways into their accounts stay the same."""
    from byoc.operations.stacks import read_stacks
    from byoc.operations.status.report import read_status
    from byoc.operations.targets import Accounts

    stacks = read_stacks(cwd or Path.cwd(), words, every=every or not words)
    accounts = Accounts(profile)
    return lambda: list(read_status(stacks, accounts, profile=profile))


def _code(rows: Sequence[Document]) -> int:
    from byoc.operations.status.report import all_well

    return 0 if all_well(rows) else 1


def _watch(look: Callable[[], list[Document]], interval: float, *, json: bool) -> int:
    """Until Ctrl-C, which is the way to end it: the exit code is that of the last look."""
    code = 0
    draw = _json_line if json else _screen()
    try:
        while True:
            rows = look()
            code = _code(rows)
            draw(rows)
            time.sleep(interval)
    except KeyboardInterrupt:
        return code


def _json_line(rows: list[Document]) -> None:
    import json

    from byoc.operations.status.report import summary

    print(json.dumps(summary(rows)), flush=True)


def _screen() -> Callable[[list[Document]], None]:
    """On a terminal one view that is drawn anew; elsewhere one after another."""
    from byoc.cli.view import console

    out = console()

    def again(rows: list[Document]) -> None:
        if out.is_terminal:
            out.clear()
        show(rows, out, at=True)

    return again


def show(rows: Sequence[Document], out: Console | None = None, *, at: bool = False) -> None:
    """The table and what stands below it, for people; ``at``: with the time."""
    from byoc.cli.view import console, show_table

    out = out or console()
    if at:
        out.print(time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), style="dim")
    table, lines = view(rows)
    show_table(out, table)
    for line in lines:
        out.print(line, soft_wrap=True)  # so that an address can be copied whole


def view(rows: Sequence[Document]) -> tuple[Table, list[Text]]:
    """The table, and under it what is wrong; of few deployments also the rest."""
    from rich.text import Text

    from byoc.cli.view import rows_table

    table = rows_table(_COLUMNS, [])
    for row in rows:
        table.add_row(*_cells(row))
    detailed = len(rows) <= DETAILED
    below = [line for row in rows for line in _below(row, detailed=detailed)]
    counted: dict[str, int] = {}
    for row in rows:
        counted[row["health"]] = counted.get(row["health"], 0) + 1
    counts = Text(", ".join(f"{counted[health]} {health}" for health in _STYLES if health in counted) or "no stack")
    return table, [*below, *([counts] if len(rows) > 1 else [])]


def name_of(row: Document) -> str:
    """A stack, with the deployment where it is one of several."""
    from byoc.operations.targets import label

    return label(row["stack"], row["deployment"])


def _cells(row: Document) -> tuple[str | Text, ...]:
    from rich.text import Text

    health = Text(row["health"], style=_STYLES[row["health"]])
    if "cluster" in row:
        containers = row["cluster"].get("containers")
        return name_of(row), row["state"], "", "" if containers is None else str(containers), health, "", "", ""
    revision = row["revision"]
    number = "" if revision["number"] is None else f"{revision['number']} "
    return (
        name_of(row),
        row["state"],
        f"{number}{revision['state']}",
        _containers(row["services"]),
        health,
        row["database"]["state"].lower(),
        row["cache"]["state"].lower(),
        _alarms(row["alarms"]),
    )


def _containers(services: Document) -> str:
    """Running/wanted, of the API and then of the queue; the cache is a column of its own."""
    return " ".join(
        f"{service['running']}/{service['desired']}" if "running" in service else service["state"].lower()
        for role, service in services.items()
        if role != "cache"
    )


def _alarms(alarms: Document) -> str:
    if alarms["state"] == "UNKNOWN":
        return "unknown"
    on, absent = len(alarms["on"]), len(alarms["absent"])
    parts = [f"{on} on"] if on else []
    parts += [f"{absent} absent"] if absent else []
    return ", ".join(parts) or "0"


def _below(row: Document, *, detailed: bool) -> Iterator[Text]:
    from rich.text import Text

    name = name_of(row)
    for finding in row["findings"]:
        yield Text(f"{name}: {finding}", style=_STYLES[row["health"]])
    if "cluster" in row:
        cluster = row["cluster"]
        counts = (
            f", {cluster['services']} services, {cluster['containers']} containers" if "services" in cluster else ""
        )
        yield Text(
            f"{name}: no deployment of its own; the cluster {cluster['name']} is for those of other stacks "
            f"({cluster['state'].lower()}{counts})"
        )
        return
    if detailed and row["url"]:
        yield Text(f"{name}: {row['url']}")
    if detailed and row["revision"]["image"]:
        yield Text(f"{name}: image {row['revision']['image']}", style="dim")
    for event in row["events"] if detailed else ():
        yield Text(f"{name}: {event['time']} {event['part']}: {event['text']}", style="dim")
