"""What ``byoc watch`` prints."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from byoc.operations.recovery.finding import Finding
    from byoc.operations.recovery.remedies import Deed
    from byoc.operations.recovery.restoration import Restoration
    from byoc.operations.recovery.watch import Case

_STYLES = {"critical": "red", "warning": "yellow", "note": "dim"}


@dataclass(frozen=True)
class Look:
    """All of one look."""

    cases: Sequence[Case]
    restorations: Sequence[Restoration]
    alone: Sequence[str]
    """Stacks without a deployment of their own."""

    @property
    def well(self) -> bool:
        """Whether nothing is wrong or unknown, and nothing failed or was refused."""
        return all(case.well for case in self.cases) and all(item.well for item in self.restorations)

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended a run of the engine."""
        return any(item.interrupted for item in self.restorations)


def tell(look: Look, *, apply: bool, json: bool, lines: bool) -> None:
    """Print a look: for people, or as a JSON object."""
    from json import dumps

    from byoc.cli.view import console, show_json

    if json:
        document: dict[str, Any] = {
            "applied": apply,
            "well": look.well,
            "deployments": [case.document() for case in look.cases],
            "restorations": [item.document() for item in look.restorations],
            "withoutDeployment": list(look.alone),
        }
        if lines:
            print(dumps(document), flush=True)
        else:
            show_json(document)
        return
    out = console()
    if lines:
        out.print(time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), style="dim")
    for case, following in zip_longest(look.cases, look.cases[1:]):
        _show(out, case)
        if following is None or following.stack != case.stack:
            for item in look.restorations:
                if item.wanted.stack == case.stack:
                    _show_restoration(out, item)
    if look.alone:
        out.print(f"no deployment of their own, nothing to watch: {', '.join(look.alone)}")
    deeds = [deed.outcome.value for case in look.cases for deed in case.deeds]
    if not apply and "would" in (*deeds, *(item.outcome.value for item in look.restorations)):
        out.print("nothing was changed: --apply does what would be done")


def _show(out: Console, case: Case) -> None:
    from rich.text import Text

    from byoc.operations.recovery.finding import Area
    from byoc.operations.targets import label

    name = label(case.stack, case.deployment)
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


def _show_restoration(out: Console, item: Restoration) -> None:
    from rich.text import Text

    head = {"offered": "with --restore", "waits": "not now"}.get(item.outcome.value, item.outcome.value)
    style = {"done": "green", "failed": "red", "refused": "red"}.get(item.outcome.value, "bold")
    detail = f": {item.detail}" if item.detail else ""
    out.print(Text(f"  {head}: {item.wanted.words} ({item.wanted.command}){detail}", style=style))
    for step in item.steps:
        out.print(Text(f"    {step.op.value} {step.urn.rsplit('::', 1)[-1]}"))
    for text in item.left:
        out.print(Text(f"    {text}", style="dim"))
    if item.way_out:
        out.print(Text(f"    way out: {item.way_out}"))
