"""Showing runs: live on a terminal, plain lines elsewhere, one JSON object where a program reads."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len
from rich.console import Console, Group
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from byoc.runs import Event, Failure, Listener, RunResult

_SIGNS = {"create": "+", "update": "~", "replace": "+-", "delete": "-", "retain": "=", "import": "=", "same": " "}
_STYLES = {
    "create": "green",
    "update": "yellow",
    "replace": "magenta",
    "delete": "red",
    "retain": "cyan",
    "import": "cyan",
}
_PLAIN_WIDTH = 1000
"""Characters per line when no terminal says: nothing is cut or folded, so that it can be searched."""
_SHORTEST_NAME = 12
"""Characters that a name keeps where a table is narrow."""
_SHOWN_RUNNING = 12
"""Running steps shown at once; more are counted."""


def console() -> Console:
    """Standard output, for people; no colour or control characters when it is not a terminal."""
    if sys.stdout.isatty():
        return Console(highlight=False, emoji=False, markup=False)
    return Console(highlight=False, emoji=False, markup=False, width=_PLAIN_WIDTH, soft_wrap=True)


class ProgressView:
    """Follows a run: finished steps scroll by, running ones stay below with the time they have taken."""

    def __init__(self, out: Console, title: str, *, many: bool = False) -> None:
        """``many``: events of many stacks come, and each line begins with its stack."""
        self._out = out
        self._many = many
        self._title = title
        self._running: dict[str, tuple[Event, float]] = {}
        self._done = 0
        self._lock = threading.Lock()
        self._started = time.monotonic()

    def __call__(self, event: Event) -> None:
        """Take note of an event, from any thread."""
        with self._lock:
            if event.phase == "started":
                self._running[event.urn] = (event, time.monotonic())
                return
            self._running.pop(event.urn, None)
            if event.op == "same":
                return
            self._done += event.phase == "done"
        self._out.print(_step_line(event, self._prefix(event)))

    def _prefix(self, event: Event) -> str:
        return f"{event.stack}: " if self._many else ""

    def __rich__(self) -> Group:
        with self._lock:
            running = list(self._running.values())
            done = self._done
        now = time.monotonic()
        elapsed = now - self._started
        lines: list[Any] = [
            Spinner("dots", Text(f" {self._title}: {done} steps done, {len(running)} running, {elapsed:.0f} s"))
        ]
        for event, since in running[:_SHOWN_RUNNING]:
            lines.append(
                Text(
                    f"   {_SIGNS[event.op]:<2} {self._prefix(event)}{_short(event.type)} {event.name} "
                    f"({now - since:.0f} s)",
                    style="dim",
                )
            )
        if len(running) > _SHOWN_RUNNING:
            lines.append(Text(f"      and {len(running) - _SHOWN_RUNNING} more", style="dim"))
        return Group(*lines)


@contextmanager
def following(out: Console, title: str, *, many: bool = False) -> Iterator[Listener]:
    """A listener that shows a run, or those of ``many`` stacks, while the block lasts."""
    view = ProgressView(out, title, many=many)
    if not out.is_terminal:
        yield view
        return
    with Live(view, console=out, refresh_per_second=8, transient=True):
        yield view


def _step_line(event: Event, prefix: str = "") -> Text:
    style = "red" if event.phase == "failed" else "dim" if event.phase == "skipped" else _STYLES.get(event.op, "")
    word = "" if event.phase == "done" else f" {event.phase}"
    detail = f" [{', '.join(event.changed)}]" if event.changed else ""
    seconds = f" {event.seconds:.1f} s" if event.seconds >= 0.05 else ""
    return Text(
        f"  {_SIGNS[event.op]:<2} {prefix}{event.op}{word} {_short(event.type)} {event.name}{detail}{seconds}",
        style=style,
    )


def _short(token: str) -> str:
    """``aws:ec2/vpc:Vpc`` as ``aws:ec2:Vpc``."""
    package, _, rest = token.partition(":")
    module, _, name = rest.rpartition(":")
    return f"{package}:{module.split('/')[0]}:{name}"


def show_result(out: Console, result: RunResult, *, preview: bool = False) -> None:
    """The end of a run: what was provided, outputs, what failed and what to do, what was kept, the counts."""
    if result.provided:
        out.print("sandbox: provided what the config takes for granted:")
        for provided in result.provided:
            out.print(f"  {provided}")
    if result.outputs:
        out.print(outputs_table(result.document()["outputs"]))
    for failure in result.failures:
        out.print(_failure_text(failure))
    if result.skipped:
        out.print(f"not tried, because of the above: {len(result.skipped)}")
    for note in result.notes:
        out.print(f"note: {note}")
    for kept in result.kept:
        out.print(f"kept on purpose: {kept}")
    verb = "would be" if preview else "resources:"
    out.print(f"{result.stack}: {verb} {counts_text(result)} in {result.seconds:.1f} s")


def counts_text(result: RunResult) -> str:
    """How many resources had what happen to them, in words."""
    return ", ".join(f"{count} {name}" for name, count in result.counts.items() if count) or "nothing"


def _failure_text(failure: Failure) -> Text:
    return Text(failure.render(), style="red")


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def rows_table(columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Table:
    """Rows of text as a table."""
    table = _table(*columns)
    for row in rows:
        table.add_row(*row)
    return table


def show_table(out: Console, table: Table) -> None:
    """A table of which only the first column, which names things, is folded where the terminal is narrow.

    Where not even that makes it fit, its lines are longer than the terminal, which breaks them: no word is cut.
    """
    _, *others = table.columns
    longest, *widths = (max(cell_len(str(cell)) for cell in (column.header, *column.cells)) for column in table.columns)
    gaps = 2 * len(others)
    if longest + sum(widths) + gaps > out.width:
        table.padding, gaps = (0, 1, 0, 0), len(others)
    for column, width in zip(others, widths, strict=True):
        column.no_wrap, column.min_width = True, width
    least = min(longest, _SHORTEST_NAME) + sum(widths) + gaps
    if least > out.width:
        table.width = least
    out.print(table, crop=False)


def outputs_table(outputs: Mapping[str, Any]) -> Table:
    """Stack outputs as a table, without those that are nothing (the queue of a deployment that has none)."""
    table = _table("output", "value")
    for key, value in sorted((key, value) for key, value in outputs.items() if value not in (None, "")):
        table.add_row(key, value if isinstance(value, str) else json.dumps(value))
    return table


def show_json(document: object) -> None:
    """One JSON object on standard output."""
    print(json.dumps(document, indent=2))


def resources_table(resources: list[dict[str, Any]]) -> Table:
    """A stack's resources as a table."""
    table = _table("type", "name", "id", "protected")
    for resource in resources:
        table.add_row(_short(resource["type"]), resource["name"], resource["id"], "yes" if resource["protect"] else "")
    return table
