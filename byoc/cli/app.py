"""The root of the command line: its verbs, and how an error becomes a message and an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

import typer
import typer.core

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

access = typer.Typer(help="What the control plane may do in the account, for those who sign it.", no_args_is_help=True)
access.command(short_help="Tell who may do what with the cross-account role.")(access_report.report)
access.command(short_help="Tell what a change would allow, or no longer allow.")(access_report.diff)
access.command(short_help="Write role and policies for another tool.")(access_report.export)
access.command(short_help="Find ways out of a role's policies.")(access_analyse.analyse)
access.command(short_help="List the AWS actions that a stack calls for.")(access_actions.actions)

_STANDARD_ERROR = 2
"""The number of the last of the three standard streams."""

_Verb = Callable[..., object] | typer.Typer
_SECTIONS: Mapping[str, Mapping[str, tuple[_Verb, str]]] = {
    "Begin": {
        "demo": (demo.demo, "Provision, and destroy again, on an embedded AWS."),
        "sandbox": (sandbox.app, "Run stacks on an embedded AWS, without an account."),
        "doctor": (doctor.doctor, "Examine stacks before 'up', and after it."),
        "external-id": (external_id.app, "External ids of the cross-account role."),
        "adopt": (adopt.adopt, "Take over an account that is there already."),
    },
    "Provision": {
        "preview": (stacks.preview, "Show what 'up' would do."),
        "up": (stacks.up, "Make what the config says."),
        "refresh": (stacks.refresh, "Bring the state up to what is in the account."),
        "destroy": (stacks.destroy, "Delete what the stacks made."),
        "teardown": (teardown.teardown, "Take stacks down, and prove what is left."),
        "runs": (runs.app, "Look at runs, and stop them."),
        "fleet": (fleet.app, "Run many stacks on engines that exist."),
    },
    "Look after deployments": {
        "status": (status.status, "Show what runs and what is wrong with it."),
        "logs": (logs.logs, "Show what the containers wrote."),
        "events": (events.events, "Show what happened, in plain words."),
        "watch": (watch.watch, "Say what is wrong and why; mend what can be."),
        "resume": (resume.resume, "Go on with a stack that stopped half-way."),
        "tracing": (tracing.tracing, "See to the tracing projects in LangSmith."),
        "retention": (retention.retention, "Delete deployments that nobody uses."),
    },
    "Revisions": {
        "submit": (submit.submit, "Queue a new revision, and return at once."),
        "revisions": (revisions.revisions, "List revisions, and what changed in each."),
        "rollback": (rollback.rollback, "Go back to an earlier revision."),
    },
    "Security": {
        "access": (access, "What the control plane may do in the account."),
    },
}
"""Every verb, with its line in the help."""
_LOOKING = frozenset({"access", "doctor", "events", "external-id", "logs", "preview", "revisions", "runs", "status"})
"""Verbs that leave nothing half done when they are stopped."""
_LOOKING_WITHOUT_APPLY = frozenset({"resume", "retention", "watch"})


class _Sections(typer.core.TyperGroup):
    """Shows the verbs in their sections."""

    def format_commands(self, _ctx: Any, formatter: Any) -> None:  # noqa: ANN401 - newer releases of typer hide the types
        """Each section with its verbs, names in one column over all of them."""
        width = max(len(name) for verbs in _SECTIONS.values() for name in verbs)
        for title, verbs in _SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(width), line) for name, (_, line) in verbs.items()])


app = typer.Typer(
    name="byoc",
    cls=_Sections,
    help="LangGraph Servers in your own AWS account, with Pulumi. Try everything on an embedded AWS: byoc demo",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for _name, (_verb, _line) in (item for verbs in _SECTIONS.values() for item in verbs.items()):
    if isinstance(_verb, typer.Typer):
        app.add_typer(_verb, name=_name, short_help=_line)
    else:
        app.command(name=_name, short_help=_line)(_verb)


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
    _have_standard_streams()
    sys.exit(exit_code(lambda: app(prog_name="byoc", standalone_mode=False), sys.argv[1:]))


def _have_standard_streams() -> None:
    """Open those that whoever called had closed, as schedulers do: on nothing.

    Else the next file that is opened, a lock perhaps, takes such a number, and a child that inherits it finds its own
    standard input there.
    """
    opened = 0
    while opened <= _STANDARD_ERROR:
        opened = os.open(os.devnull, os.O_RDWR)
    os.close(opened)


def exit_code(verb: Callable[[], object], words: Sequence[str] = ()) -> int:
    """Run a verb; every expected error becomes one message on standard error and an exit code.

    An error is expected if it carries an ``exit_code``, as the library's and the CLI library's errors do. ``words``:
    the command line, which tells whether anything was under way when Ctrl-C came.
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
        lead = "" if code == INTERRUPTED else "error: "
        print(f"{lead}{formatted() if formatted else error}", file=sys.stderr)
        return code
    if result == INTERRUPTED:  # typer gives this, too, when Ctrl-C ends a verb
        print(interruption(words), file=sys.stderr)
    return result if isinstance(result, int) else DONE


def interruption(words: Sequence[str]) -> str:
    """What is said after Ctrl-C: how to go on, unless the command only looked."""
    verb = words[0] if words else ""
    only_looks = (
        verb in _LOOKING
        or (verb in _LOOKING_WITHOUT_APPLY and "--apply" not in words)
        or (verb == "rollback" and "--dry-run" in words)
        or (verb == "teardown" and "--sweep-only" in words)
        or (verb == "tracing" and "--check" in words)
        or tuple(words[:2]) == ("sandbox", "preview")
    )
    if only_looks:
        return "interrupted"
    if verb == "rollback" and not any(word == "--to" or word.startswith("--to=") for word in words):
        return "interrupted: ECS goes on with what was begun, see byoc revisions; to go on with it, name it with --to"
    return "interrupted: run the same command again, and it goes on where it stopped"
