"""``byoc demo``: the main job, shown."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from byoc.runs import Listener, RunResult
    from byoc.sandbox.demo import Denial, Summary


def demo(
    cwd: Annotated[Path | None, typer.Option("--cwd", "-C", help="The project's folder. Default: this folder.")] = None,
    calls: Annotated[
        Path | None, typer.Option("--calls", help="Write every AWS request here: time, principal, action, outcome.")
    ] = None,
) -> int:
    """Provision an account and two deployments on the embedded AWS, then destroy them. No account needed."""
    from byoc.sandbox.demo import Demo
    from byoc.sandbox.workspace import Workspace

    view = _DemoView()
    summary = Demo(Workspace.find(cwd or Path.cwd()).root, view, calls).perform()
    view.close(summary)
    return 0 if summary.ok else 1


class _DemoView:
    """The demo on a terminal, or as plain lines."""

    def __init__(self) -> None:
        from byoc.cli.view import console

        self._out = console()

    def act(self, title: str, detail: str) -> None:
        self._out.print()
        self._out.print(title, style="bold", end="  ")
        self._out.print(detail)

    @contextmanager
    def following(self, title: str) -> Iterator[Listener]:
        from byoc.cli.view import following

        with following(self._out, title) as listener:
            yield listener

    def ran(self, result: RunResult) -> None:
        from dataclasses import replace

        from byoc.cli.view import show_result

        # Of the outputs, the one that a person would ask for.
        outputs = {key: value for key, value in result.outputs.items() if key == "url"}
        show_result(self._out, replace(result, outputs=outputs))

    def refused(self, denial: Denial) -> None:
        self._out.print(
            "  refused" if denial.denied else "  ALLOWED", style="green" if denial.denied else "red", end=""
        )
        self._out.print(f"  {denial.attempt}: {denial.call} answered {denial.answer}")

    def note(self, text: str) -> None:
        self._out.print(f"  {text}")

    def close(self, summary: Summary) -> None:
        from rich.table import Table

        table = Table("what", "made", "changed", "deleted", "seconds", box=None, pad_edge=False, header_style="bold")
        for title, result in summary.runs:
            counts = result.counts
            changed = counts["updated"] + counts["replaced"]
            deleted = counts["deleted"] + counts["retained"]
            table.add_row(title, str(counts["created"]), str(changed), str(deleted), f"{result.seconds:.1f}")
        self._out.print()
        self._out.print(table)
        refused = sum(denial.denied for denial in summary.denials)
        self._out.print(f"\nrefused: {refused} of {len(summary.denials)} forbidden things")
        self._out.print(f"left in the account: {', '.join(summary.left) or 'nothing'}")
        self._out.print(f"AWS requests: {summary.requests}; time: {summary.seconds:.1f} s")
        self._out.print(
            "\nWhat to type next:\n"
            "  byoc sandbox up demo-account      the same, step by step (with .venv/bin on your PATH, and\n"
            "                                    PULUMI_CONFIG_PASSPHRASE=byoc-demo for the examples' secrets)\n"
            "  byoc sandbox preview demo-chat    what a deployment would make\n"
            "  README.md                         from here to your own account: pulumi up"
        )
