"""The root of the command line: its verbs, and how an error becomes a message and an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Annotated

import typer

from byoc.cli import adopt, demo, external_id, fleet, runs, sandbox, stacks
from byoc.cli.access import actions as access_actions
from byoc.cli.access import analyse as access_analyse
from byoc.cli.access import report as access_report
from byoc.cli.operations import (
    doctor,
    events,
    logs,
    resume,
    retention,
    revisions,
    rollback,
    status,
    submit,
    teardown,
    tracing,
    watch,
)
from byoc.version import __version__

DONE, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130
"""Exit codes: done; something failed; the input is wrong and nothing was done; stopped by Ctrl-C."""

app = typer.Typer(
    name="byoc",
    help="LangGraph Servers in your own AWS account, with Pulumi. Try everything on an embedded AWS: byoc demo",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(sandbox.app, name="sandbox")
app.command(name="demo")(demo.demo)
for verb in (stacks.preview, stacks.up, stacks.refresh, stacks.destroy):
    app.command()(verb)
app.add_typer(runs.app, name="runs")
app.add_typer(fleet.app, name="fleet")
access = typer.Typer(help="What the control plane may do in the account, for those who sign it.", no_args_is_help=True)
access.command()(access_report.report)
access.command()(access_report.diff)
access.command()(access_report.export)
access.command()(access_analyse.analyse)
access.command()(access_actions.actions)
app.add_typer(access, name="access")
app.add_typer(external_id.app, name="external-id")
app.command(name="adopt")(adopt.adopt)
app.command()(doctor.doctor)
app.command(name="status")(status.status)
app.command(name="logs")(logs.logs)
app.command(name="events")(events.events)
app.command()(revisions.revisions)
app.command()(rollback.rollback)
app.command()(submit.submit)
app.command()(tracing.tracing)
app.command()(retention.retention)
app.command()(teardown.teardown)
app.command(name="watch")(watch.watch)
app.command(name="resume")(resume.resume)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"byoc {__version__}")
        raise typer.Exit(DONE)


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Options before the verb."""


def run() -> None:
    """Run the command line and exit with its code."""
    sys.exit(exit_code(lambda: app(prog_name="byoc", standalone_mode=False)))


def exit_code(verb: Callable[[], object]) -> int:
    """Run a verb; every expected error becomes one message on standard error and an exit code.

    An error is expected if it carries an ``exit_code``, as the library's and the CLI library's errors do.
    """
    result: object
    try:
        result = verb()
    except typer.Exit as ended:
        result = ended.exit_code
    except (KeyboardInterrupt, typer.Abort):
        result = INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except Exception as error:
        code = getattr(error, "exit_code", None)
        if not isinstance(code, int):
            raise
        formatted = getattr(error, "format_message", None)
        print(f"error: {formatted() if formatted else error}", file=sys.stderr)
        return code
    if result == INTERRUPTED:  # typer gives this, too, when Ctrl-C ends a verb
        print("interrupted: run the same command again, and it goes on where it stopped", file=sys.stderr)
    return result if isinstance(result, int) else DONE
