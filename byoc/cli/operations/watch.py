"""``byoc watch``: what is wrong with deployments, why, and the way out; with ``--apply`` what can be mended is."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from byoc.cli.operations.options import Every, Folder, Profile, Stacks

if TYPE_CHECKING:
    from byoc.operations.recovery.remedies import Guard
    from byoc.operations.recovery.restoration import Restoration
    from byoc.operations.recovery.restore import Engine
    from byoc.operations.recovery.watch import Case, Watcher

_SPAN = re.compile(r"(\d{1,5})([smh])")
_UNITS = {"s": 1, "m": 60, "h": 3600}
_LEAST_SECONDS = 10
_TRIED = frozenset({"done", "denied", "failed", "refused"})
"""Outcomes that are written down."""


def watch(
    stacks: Stacks = None,
    every: Every = False,
    apply: Annotated[
        bool, typer.Option("--apply", help="Do what can be done without a person. Without it: only say so.")
    ] = False,
    restore: Annotated[
        bool,
        typer.Option(
            "--restore",
            help="Make missing alarms, scaling and rules again, and set back what differs from the config: by a "
            "bounded run of Pulumi, with --apply.",
        ),
    ] = False,
    interval: Annotated[
        str | None,
        typer.Option("--every", metavar="SPAN", help="Keep on, with a look every 60s, 5m, 1h. Default: once."),
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object and nothing else; with --every, one a line.")
    ] = False,
    profile: Profile = None,
    cwd: Folder = None,
) -> int:
    """Say what is wrong with deployments, why, and the way out; all stacks if none is named.

    A dry run unless --apply is given. What it does then: begin a roll-out anew that stuck for want of capacity or the
    like, and start a stopped database; with --restore, too, 'byoc up --refresh' of the stack, if that deletes and
    replaces nothing, rolls out nothing, and touches no database, secret, key or role. Each at most three times a day,
    noted in .byoc/watch.jsonl. All else is for a person. Exit code 1 if anything is wrong, or could not be asked about.
    """
    from byoc.cli.operations.watch_view import Look, tell

    seconds = None if interval is None else _seconds(interval)
    folder = cwd or Path.cwd()
    watcher, alone = _watcher(folder, tuple(stacks or ()), every, apply=apply, profile=profile)
    log = _root(folder) / ".byoc" / "watch.jsonl"
    code = 0
    try:
        while True:
            cases = list(watcher.look())
            if apply:
                _note(log, (deed.document() for case in cases for deed in case.deeds))
            look = Look(cases, list(_restorations(folder, watcher, cases, restore=restore)), alone)
            if apply:
                _note(log, (item.document() for item in look.restorations))
            code = 0 if look.well else 1
            tell(look, apply=apply, json=json, lines=seconds is not None)
            if any(item.interrupted for item in look.restorations):
                raise KeyboardInterrupt
            if seconds is None:
                return code
            time.sleep(seconds)
    except KeyboardInterrupt:
        if seconds is None:
            raise
        return code  # Ctrl-C is the way to end it


def _seconds(text: str) -> int:
    from byoc.errors import InputError

    found = _SPAN.fullmatch(text.strip())
    seconds = int(found.group(1)) * _UNITS[found.group(2)] if found else 0
    if seconds < _LEAST_SECONDS:
        raise InputError(
            f"--every is '{text}'\n"
            f"      allowed:  a span of {_LEAST_SECONDS} seconds or more, such as 60s, 5m or 1h\n"
            "      mend it:  --every 60s"
        )
    return seconds


def _root(folder: Path) -> Path:
    from byoc.project.project_file import find_project

    return find_project(folder)


def _watcher(
    folder: Path, words: tuple[str, ...], every: bool, *, apply: bool, profile: str | None
) -> tuple[Watcher, tuple[str, ...]]:
    from byoc.operations.recovery.tries import Tries
    from byoc.operations.recovery.watch import Watcher, without_deployment
    from byoc.operations.stacks import read_stacks
    from byoc.operations.targets import Accounts

    read = read_stacks(folder, words, every=every or not words)
    accounts = Accounts(profile)
    root = _root(folder)
    watcher = Watcher(
        stacks=read,
        accounts=accounts,
        tries=Tries(root / ".byoc" / "watch.json"),
        guard=_guard(root) if apply else None,
        profile=profile,
    )
    return watcher, without_deployment(read, accounts)


def _guard(root: Path) -> Guard:
    """Nothing is mended while a run is at a stack, and no run begins meanwhile."""
    from byoc.automation.locks import held

    return lambda stack: held(root, [stack], words=f"watch {stack} --apply")


def _restorations(folder: Path, watcher: Watcher, cases: Sequence[Case], *, restore: bool) -> Iterator[Restoration]:
    """What becomes of what a run of the engine can make right; until Ctrl-C, stack after stack."""
    from byoc.operations.recovery.remedies import Outcome
    from byoc.operations.recovery.restoration import Restoration, wanted

    found = wanted(cases)
    if not restore or not found:
        yield from (Restoration(at=watcher.clock(), wanted=item, outcome=Outcome.OFFERED) for item in found)
        return
    from byoc.operations.recovery.restore import Restorer
    from byoc.operations.revisions.before_up import no_roll_out_under_way

    root = _root(folder)
    restorer = Restorer(
        root=root,
        tries=watcher.tries,
        engine=lambda stack: _engine(root, stack),
        guard=watcher.guard,
        also=no_roll_out_under_way(root),
        clock=watcher.clock,
    )
    for item in found:
        done = restorer.restore(item)
        yield done
        if done.interrupted:
            return


def _engine(root: Path, stack: str) -> Engine:
    from byoc.operations.recovery.restore_engine import PulumiEngine

    return PulumiEngine(root, stack)


def _note(log: Path, documents: Iterable[dict[str, Any]]) -> None:
    """Write down what was tried: one JSON object a line."""
    from json import dumps

    lines = [dumps(document) for document in documents if document["outcome"] in _TRIED]
    if lines:
        log.parent.mkdir(mode=0o700, exist_ok=True)
        with log.open("a", encoding="utf-8") as file:
            file.write("".join(f"{line}\n" for line in lines))
