"""``byoc watch``: what is wrong with deployments, why, and the way out; with ``--apply`` what can be mended is."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from byoc.cli.operations.options import Every, Folder, Profile, Stacks

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from byoc.operations.recovery.finding import Finding
    from byoc.operations.recovery.remedies import Deed, Guard
    from byoc.operations.recovery.watch import Case, Watcher

_STYLES = {"critical": "red", "warning": "yellow", "note": "dim"}
_SPAN = re.compile(r"(\d{1,5})([smh])")
_UNITS = {"s": 1, "m": 60, "h": 3600}
_LEAST_SECONDS = 10


def watch(
    stacks: Stacks = None,
    every: Every = False,
    apply: Annotated[
        bool, typer.Option("--apply", help="Do what can be done without a person. Without it: only say so.")
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
    like, and start a stopped database; each at most three times a day, noted in .byoc/watch.jsonl. All else is for a
    person. Exit code 1 if anything is wrong, or could not be asked about.
    """
    seconds = None if interval is None else _seconds(interval)
    folder = cwd or Path.cwd()
    watcher, alone = _watcher(folder, tuple(stacks or ()), every, apply=apply, profile=profile)
    log = _root(folder) / ".byoc" / "watch.jsonl"
    code = 0
    try:
        while True:
            cases = list(watcher.look())
            _note(log, cases)
            code = 0 if all(case.well for case in cases) else 1
            _tell(cases, alone, apply=apply, json=json, lines=seconds is not None)
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


def _note(log: Path, cases: Sequence[Case]) -> None:
    """Write down what was tried: one JSON object a line."""
    from json import dumps

    from byoc.operations.recovery.remedies import Outcome

    tried = (Outcome.DONE, Outcome.DENIED, Outcome.FAILED)
    lines = [dumps(deed.document()) for case in cases for deed in case.deeds if deed.outcome in tried]
    if lines:
        with log.open("a", encoding="utf-8") as file:
            file.write("".join(f"{line}\n" for line in lines))


def _tell(cases: Sequence[Case], alone: Sequence[str], *, apply: bool, json: bool, lines: bool) -> None:
    from json import dumps

    from byoc.cli.view import console, show_json

    if json:
        document: dict[str, Any] = {
            "applied": apply,
            "well": all(case.well for case in cases),
            "deployments": [case.document() for case in cases],
            "withoutDeployment": list(alone),
        }
        if lines:
            print(dumps(document), flush=True)
        else:
            show_json(document)
        return
    out = console()
    if lines:
        out.print(time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), style="dim")
    for case in cases:
        _show(out, case)
    if alone:
        out.print(f"no deployment of their own, nothing to watch: {', '.join(alone)}")
    if not apply and any(deed.outcome.value == "would" for case in cases for deed in case.deeds):
        out.print("nothing was changed: --apply does what would be done")


def _show(out: Console, case: Case) -> None:
    from itertools import zip_longest

    from rich.text import Text

    from byoc.operations.recovery.finding import Area

    name = case.stack if case.stack.endswith(case.deployment) else f"{case.stack}/{case.deployment}"
    kept = [finding for finding in case.diagnosis.findings if finding.area is Area.KEPT]
    others = [finding for finding in case.diagnosis.findings if finding.area is not Area.KEPT]
    wrong = len(case.diagnosis.wrong)
    unknown = len(case.diagnosis.unknown)
    counts = [f"{wrong} wrong"] if wrong else []
    counts += [f"{unknown} not known"] if unknown else []
    out.print(Text(f"{name}: {', '.join(counts) or 'well'}", style="red" if counts else "green"))
    for finding, following in zip_longest(others, others[1:]):
        same = following is not None and following.way_out == finding.way_out
        for line in _lines(finding, way_out=not same):
            out.print(line)
    for text in case.diagnosis.unknown:
        out.print(Text(f"  {text}", style="magenta"))
    if kept:
        out.print("  beside what is managed here, left as it is:")
        for finding in kept:
            out.print(Text(f"    {finding.words}", style="dim"))
    for deed in case.deeds:
        out.print(_deed(deed))
    if case.failure:
        out.print(Text(f"  {case.failure}", style="red"))


def _lines(finding: Finding, *, way_out: bool) -> Iterator[Text]:
    """What is found, and the way out, which is told once for several that have the same."""
    from rich.text import Text

    yield Text(f"  {finding.severity.value}: {finding.words}", style=_STYLES[finding.severity.value])
    for text in finding.evidence:
        yield Text(f"    AWS: {text}", style="dim")
    if finding.way_out and way_out:
        yield Text(f"    way out: {finding.way_out}")


def _deed(deed: Deed) -> Text:
    from rich.text import Text

    calls = ", ".join(call.action for call in deed.remedy.calls)
    heads = {"would": "would", "done": "done", "waits": "not now", "denied": "denied", "failed": "failed"}
    detail = f": {deed.detail}" if deed.detail else ""
    style = {"done": "green", "denied": "red", "failed": "red"}.get(deed.outcome.value, "bold")
    return Text(f"  {heads[deed.outcome.value]}: {deed.remedy.words} ({calls}){detail}", style=style)
