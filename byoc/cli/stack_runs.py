"""What ``byoc up`` and its like do with a command: ask, run it, show it; or leave it to a process of its own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import typer

from byoc.automation.asked import Asked, Verb
from byoc.automation.command import Command, CommandResult
from byoc.automation.many import Outcome, StackOutcome
from byoc.automation.recording import Recording, recorded
from byoc.automation.stack_run import After, Guard, nothing_after, unguarded
from byoc.cli.asking import confirmed
from byoc.cli.view import console, counts_text, following, rows_table, show_json, show_result
from byoc.errors import InputError, NothingDoneError
from byoc.runs import Listener, ignore

_DOING = {Verb.UP: "updating", Verb.PREVIEW: "previewing", Verb.DESTROY: "destroying", Verb.REFRESH: "refreshing"}


def look(asked: Asked, cwd: Path | None, *, json: bool) -> int:
    """A command that changes nothing."""
    return _carry_out(Command.prepare(cwd or Path.cwd(), asked), json=json)


def change(asked: Asked, cwd: Path | None, *, yes: bool, detach: bool, json: bool) -> int:
    """A command that changes something: with a question, without one, or in a process of its own."""
    _check_consent(asked, yes=yes, detach=detach, json=json)
    folder = cwd or Path.cwd()
    command = Command.prepare(folder, asked, _guard(folder, asked), _after(folder, asked))
    if detach:
        return _detach(command, asked, json=json)
    request = {**replace(asked, stacks=command.selection.stacks).document(), "asked": asked.words}
    with command.locked():
        if not yes:
            return _ask_and_carry_out(command, request)
        with recorded(command.workspace.project.root, request) as recording:
            return _carry_out(command, json=json, recording=recording)


def show_outcomes(outcomes: tuple[StackOutcome, ...], *, preview: bool, many: bool) -> None:
    """The end of a command: of one stack all of it, of many what failed and a table."""
    if many:
        _show_many(outcomes, preview=preview)
        return
    for item in outcomes:
        if item.because:
            console().print(f"{item.stack}: not run: {item.because}")
        else:
            show_result(console(), item.result, preview=preview)


def _show_many(outcomes: tuple[StackOutcome, ...], *, preview: bool) -> None:
    out = console()
    for item in outcomes:
        for failure in item.result.failures:
            out.print(f"{item.stack}: {failure.render()}", style="red")
        for note in item.result.notes:
            out.print(f"{item.stack}: note: {note}")
    rows = [
        (item.stack, item.outcome.value, item.because or counts_text(item.result), f"{item.result.seconds:.1f}")
        for item in outcomes
    ]
    out.print(rows_table(("stack", "state", "would be" if preview else "resources", "seconds"), rows))


def _check_consent(asked: Asked, *, yes: bool, detach: bool, json: bool) -> None:
    """Refuse what would change something unasked, and what a detached run could only be told on disk."""
    verb = asked.verb.value
    again = f"      mend it:  look at 'byoc preview' first, then byoc {verb} ... --yes"
    if detach and asked.config:
        raise InputError(
            f"{verb} --detach takes no --config: it would lie on disk\n      mend it:  pulumi config set, then {verb}"
        )
    if yes:
        return
    if asked.options.skip_preview:
        raise InputError(f"{verb} --skip-preview leaves nothing to ask about\n{again}")
    if detach or json:
        raise InputError(f"{verb} {'--detach' if detach else '--json'} cannot ask before it changes anything\n{again}")
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise InputError(f"{verb} asks before it changes anything, and there is no terminal to ask on\n{again}")


def _guard(folder: Path, asked: Asked) -> Guard:
    """Refuses a new revision while one is rolling out."""
    if asked.verb is not Verb.UP or asked.supersede:
        return unguarded
    from byoc.operations.revisions.before_up import no_roll_out_under_way
    from byoc.project.project_file import find_project

    return no_roll_out_under_way(find_project(folder))


def _after(folder: Path, asked: Asked) -> After:
    """Sees to the tracing projects of what was brought up."""
    if not asked.tracing:
        return nothing_after
    from byoc.operations.langsmith.after_up import projects_are_there
    from byoc.project.project_file import find_project

    return projects_are_there(find_project(folder))


def _carry_out(command: Command, *, json: bool, recording: Recording | None = None) -> int:
    """Run the command without a question, write down what came of it, and show it."""
    if json:
        result = command.run(_noting(recording, ignore))
        _note(recording, result)
        show_json(result.document() if result.many else result.outcomes[0].result.document())
        return _code(result)
    out = console()

    def done(item: StackOutcome) -> None:
        if command.is_for_many:
            out.print(f"{item.stack}: {item.outcome.value}")

    with following(out, _title(command, command.verb), many=command.is_for_many) as listener:
        result = command.run(_noting(recording, listener), done)
    _note(recording, result)
    show_outcomes(result.outcomes, preview=command.verb is Verb.PREVIEW, many=result.many)
    return _code(result)


def _noting(recording: Recording | None, listener: Listener) -> Listener:
    return listener if recording is None else recording.listener(listener)


def _note(recording: Recording | None, result: CommandResult) -> None:
    if recording is not None:
        recording.ended(result.document())


def _ask_and_carry_out(command: Command, request: dict[str, Any]) -> int:
    """Preview, ask and run, group by group, and show it. What is run is written down from the first "yes" on."""
    out = console()
    recordings: list[Recording] = []

    def ask(previews: tuple[StackOutcome, ...]) -> bool:
        good = [item for item in previews if item.outcome is Outcome.SUCCEEDED]  # the others are shown at the end
        for item in good:
            show_result(out, item.result, preview=True)
        names = ", ".join(item.stack for item in good)
        return bool(good) and _confirmed(f"{command.verb} {names}?", begun=bool(recordings))

    with ExitStack() as open_records:

        @contextmanager
        def follow(verb: Verb) -> Iterator[Listener]:
            if verb is command.verb and not recordings:
                root = command.workspace.project.root
                recordings.append(open_records.enter_context(recorded(root, request)))
            with following(out, _title(command, verb), many=command.is_for_many) as listener:
                yield _noting(recordings[0], listener) if verb is command.verb else listener

        result = command.ask_and_run(ask, follow)
        for recording in recordings:
            _note(recording, result)
    show_outcomes(result.outcomes, preview=False, many=result.many)
    if result.interrupted and not recordings:  # in a preview
        raise NothingDoneError
    return _code(result)


def _confirmed(question: str, *, begun: bool) -> bool:
    """``begun``: whether an earlier group was run already."""
    try:
        return confirmed(question)
    except NothingDoneError:
        if begun:
            raise KeyboardInterrupt from None
        raise


def _detach(command: Command, asked: Asked, *, json: bool) -> int:
    """Begin the command in a process of its own, and say how to follow it."""
    from byoc.automation.detached import start

    record = start(command, asked, "byoc.cli.detached_run")
    if json:
        show_json({"run": record.id, "folder": str(record.folder), "stacks": list(command.selection.stacks)})
    else:
        typer.echo(f"run {record.id} has begun; follow it with: byoc runs show {record.id} --follow")
    return 0


def _title(command: Command, verb: Verb) -> str:
    stacks = command.selection.stacks
    return f"{_DOING[verb]} {stacks[0] if len(stacks) == 1 else f'{len(stacks)} stacks'}"


def _code(result: CommandResult) -> int:
    if result.interrupted:
        raise KeyboardInterrupt
    return 0 if result.ok else 1
