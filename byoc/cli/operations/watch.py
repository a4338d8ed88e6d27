"""``byoc watch``: what is wrong with deployments, why, and the way out; with ``--apply`` what can be mended is."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from byoc.cli.operations.options import Every, Folder, Profile, Stacks

if TYPE_CHECKING:
    from byoc.cli.operations.watch_view import Look
    from byoc.operations.recovery.remedies import Guard
    from byoc.operations.recovery.restoration import Restoration
    from byoc.operations.recovery.restore import Engine
    from byoc.operations.recovery.watch import Case, Watcher
    from byoc.operations.recovery.watched import Watched
    from byoc.operations.targets import Accounts

_SPAN = re.compile(r"(\d{1,5})([smh])")
_UNITS = {"s": 1, "m": 60, "h": 3600}
_LEAST_SECONDS = 10


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
    replaces nothing, makes no revision, and touches no database, secret, key or role. Each at most three times a day,
    noted in .byoc/watch.jsonl. All else is for a person. Exit code 1 if anything is wrong, or could not be asked about.
    """
    from byoc.errors import ByocError
    from byoc.operations.recovery.watched import Watched
    from byoc.operations.targets import Accounts

    seconds = None if interval is None else _seconds(interval)
    folder, words = cwd or Path.cwd(), tuple(stacks or ())
    watching = _Watching(
        root=_root(folder),
        watched=Watched(folder, words, every or not words),
        accounts=Accounts(profile),
        profile=profile,
        apply=apply,
        restore=restore,
        json=json,
        lines=seconds is not None,
    )
    watching.watched.read()  # what is wrong at the beginning ends it
    code = 0
    try:
        while True:
            try:
                look = watching.look()
                code = 0 if look.well else 1
                if look.interrupted:
                    raise KeyboardInterrupt
            except ByocError as error:
                if seconds is None:
                    raise
                print(f"error: {error}", file=sys.stderr)  # a file that is being written: the next look may be better
                code = error.exit_code
            if seconds is None:
                return code
            time.sleep(seconds)
    except KeyboardInterrupt:
        if seconds is None:
            raise
        return code  # Ctrl-C is the way to end it


@dataclass(frozen=True, kw_only=True)
class _Watching:
    """What is looked at, and how it is told."""

    root: Path
    watched: Watched
    accounts: Accounts
    profile: str | None
    apply: bool
    restore: bool
    json: bool
    lines: bool

    def look(self) -> Look:
        """One look, told. Raises :class:`~byoc.errors.ByocError` if a config cannot be read."""
        from byoc.cli.operations.watch_view import Look, tell
        from byoc.operations.recovery.watch import without_deployment

        watcher = self._watcher()
        cases = list(watcher.look())
        restorations = list(_restorations(self.root, watcher, cases, restore=self.restore))
        look = Look(cases, restorations, without_deployment(watcher.stacks, self.accounts))
        tell(look, apply=self.apply, json=self.json, lines=self.lines)
        return look

    def _watcher(self) -> Watcher:
        """Over the stacks as their files are now."""
        from byoc.operations.recovery.deed_log import DeedLog
        from byoc.operations.recovery.tries import Tries
        from byoc.operations.recovery.watch import Watcher

        return Watcher(
            stacks=self.watched.read(),
            accounts=self.accounts,
            tries=Tries(self.root / ".byoc" / "watch.json"),
            guard=_guard(self.root) if self.apply else None,
            log=DeedLog(self.root / ".byoc" / "watch.jsonl") if self.apply else None,
            profile=self.profile,
        )


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


def _guard(root: Path) -> Guard:
    """Nothing is mended while a run is at a stack, and no run begins meanwhile."""
    from byoc.automation.locks import held

    return lambda stack: held(root, [stack], words=f"watch {stack} --apply")


def _restorations(root: Path, watcher: Watcher, cases: Sequence[Case], *, restore: bool) -> Iterator[Restoration]:
    """What becomes of what a run of the engine can make right; until Ctrl-C, stack after stack."""
    from byoc.operations.recovery.remedies import Outcome
    from byoc.operations.recovery.restoration import Restoration, wanted

    found = wanted(cases)
    if not restore or not found:
        yield from (Restoration(at=watcher.clock(), wanted=item, outcome=Outcome.OFFERED) for item in found)
        return
    from byoc.operations.recovery.restore import Restorer
    from byoc.operations.revisions.before_up import no_roll_out_under_way

    restorer = Restorer(
        root=root,
        tries=watcher.tries,
        engine=lambda stack: _engine(root, stack, watcher.profile),
        guard=watcher.guard,
        also=no_roll_out_under_way(root),
        clock=watcher.clock,
    )
    for item in found:
        done = restorer.restore(item)
        if watcher.log is not None and done.tried:
            watcher.log.note(done.document())
        yield done
        if done.interrupted:
            return


def _engine(root: Path, stack: str, profile: str | None) -> Engine:
    from byoc.operations.recovery.restore_engine import PulumiEngine

    return PulumiEngine(root, stack, profile)
