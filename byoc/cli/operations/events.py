"""``byoc events``: what happened, in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from byoc.cli.operations.options import Every, Folder, Profile, Since, Stacks

_STYLES = {"ecs": "", "rds": "cyan", "cloudwatch": "yellow", "scaling": "green"}


def events(
    stacks: Stacks = None,
    every: Every = False,
    since: Since = "24h",
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
    profile: Profile = None,
    cwd: Folder = None,
) -> int:
    """Show what happened to deployments: what ECS, RDS, alarms and scaling say, the oldest first.

    AWS remembers a service's last hundred events, containers for about an hour after they stopped, and the database's
    events for fourteen days. Exit code 1 if something could not be asked.
    """
    from datetime import UTC, datetime

    from byoc.operations.events.report import read_events
    from byoc.operations.stacks import read_stacks
    from byoc.operations.targets import Accounts
    from byoc.operations.times import moment

    first = moment(since, datetime.now(UTC), option="--since")
    found = read_stacks(cwd or Path.cwd(), tuple(stacks or ()), every=every)
    document = read_events(found, Accounts(profile), first, profile=profile)
    if json:
        from byoc.cli.view import show_json

        show_json(document)
    else:
        show(document)
    return 1 if document["unknown"] else 0


def show(document: Mapping[str, Any]) -> None:
    """For people: a line for each event; whose it is, where several deployments were asked about."""
    from rich.text import Text

    from byoc.cli.view import console
    from byoc.operations.targets import label

    out = console()
    many = len(document["deployments"]) > 1
    for event in document["events"]:
        name = f"{label(event['stack'], event['deployment'])} " if many else ""
        part = "" if event["part"] == "alarm" else f"{event['part']}: "
        out.print(Text(f"{event['time']}  {name}{part}{event['text']}", style=_STYLES[event["source"]]))
    for unknown in document["unknown"]:
        out.print(Text(f"{label(unknown['stack'], unknown['deployment'])}: {unknown['text']}", style="magenta"))
    if not document["events"]:
        out.print(f"nothing {'known ' if document['unknown'] else ''}since {document['since']}")
