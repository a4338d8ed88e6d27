"""``byoc runs``: what runs do and did, attached or not."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from byoc.automation.records import RunRecord

app = typer.Typer(help="Look at runs of this project, attached or not, and stop them.")

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
Folder = Annotated[
    Path | None, typer.Option("--cwd", "-C", help="The project's folder, or one below it. Default: this folder.")
]
RunId = Annotated[str, typer.Argument(metavar="ID", help="The run's id, as 'byoc runs' shows it.")]
_SECONDS_BETWEEN_LOOKS = 0.5
_UNDER_WAY = ("queued", "running")


@app.callback(invoke_without_command=True)
def runs(context: typer.Context, json: Json = False, cwd: Folder = None) -> None:
    """List the runs, the oldest first: state, process, when they began, what they were asked to do."""
    if context.invoked_subcommand is not None:
        return
    from byoc.automation.records import all_runs
    from byoc.cli.view import console, rows_table, show_json

    found = [_summary(record) for record in all_runs(_root(cwd))]
    if json:
        show_json({"runs": found})
    else:
        rows = [(run["run"], run["state"], str(run["pid"] or ""), run["startedAt"], run["asked"]) for run in found]
        table = rows_table(("run", "state", "process", "began", "asked for"), rows)
        for column in table.columns[:-1]:  # an id that is folded cannot be copied
            column.no_wrap = True
        console().print(table)


@app.command()
def show(
    run_id: RunId,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the run has ended.")] = False,
    json: Json = False,
    cwd: Folder = None,
) -> int:
    """Show what a run has done so far, and what came of it. Exit code 1 if it did not succeed."""
    from byoc.automation.records import find_run
    from byoc.cli.view import show_json

    record = find_run(_root(cwd), run_id)
    if json:
        while follow and record.state.value in _UNDER_WAY:
            time.sleep(_SECONDS_BETWEEN_LOOKS)
        document = {**_summary(record), "result": record.result}
        show_json(document)
    else:
        _show_events(record, follow=follow)
        _show_end(record)
    return 0 if record.state.value in ("queued", "running", "succeeded") else 1


@app.command()
def stop(run_id: RunId, cwd: Folder = None) -> int:
    """Stop a run as Ctrl-C does: what is under way is finished. A second time: at once. A queued one never begins."""
    from byoc.automation.records import find_run
    from byoc.automation.submissions import Queue

    root = _root(cwd)
    record = find_run(root, run_id)
    if record.was_submitted and Queue(root, record.request["submission"]["stack"]).withdraw(record):
        typer.echo(f"run {run_id} was taken out of the queue; nothing of it was done")
        return 0
    if record.stop():
        typer.echo(f"run {run_id} was told to stop; what is under way is finished first")
        return 0
    typer.echo(f"run {run_id} does not run: it is {record.state.value}")
    return 1


def _root(cwd: Path | None) -> Path:
    from byoc.project.project_file import find_project

    return find_project(cwd or Path.cwd())


def _summary(record: RunRecord) -> dict[str, Any]:
    request = record.request
    return {
        "run": record.id,
        "state": record.state.value,
        "pid": record.pid,
        "startedAt": request.get("startedAt", ""),
        "asked": request.get("asked", "not known: its record cannot be read"),
    }


def _show_events(record: RunRecord, *, follow: bool) -> None:
    from byoc.cli.view import ProgressView, console

    view = ProgressView(console(), "", many=True)
    place = 0
    while True:
        alive = record.state.value in _UNDER_WAY  # asked first, so that the last events are still read
        events, place = record.events(place)
        for event in events:
            view(event)
        if not (follow and alive):
            return
        time.sleep(_SECONDS_BETWEEN_LOOKS)


def _show_end(record: RunRecord) -> None:
    from byoc.automation.many import StackOutcome
    from byoc.cli.stack_runs import show_outcomes

    result = record.result
    typer.echo(f"run {record.id}: {record.state.value}")
    if result is None and record.state.value == "lost":
        _show_way_out(record)
    if result is None:
        return
    if "error" in result:
        typer.echo(result["error"])
    outcomes = tuple(StackOutcome.of_document(item) for item in result["stacks"])
    show_outcomes(outcomes, preview=False, many=len(outcomes) > 1)


def _show_way_out(record: RunRecord) -> None:
    """What to do about a run that left no result. Its engines may still be at work, under the backend's lock."""
    stacks = record.request.get("stacks", ["STACK"])
    typer.echo("its process is gone and left no result: it was killed, or the machine went down")
    typer.echo(
        f"to do: byoc refresh {' '.join(stacks)}, then run it again; if a lock is in the way, wait for the process"
    )
    typer.echo("       that it names, which may still be at work; only if that is gone too:")
    for stack in stacks:
        typer.echo(f"       pulumi cancel --stack {stack}")
    log = record.folder / "log.txt"
    if log.is_file() and log.stat().st_size:
        typer.echo(f"what it said last is in {log}")
