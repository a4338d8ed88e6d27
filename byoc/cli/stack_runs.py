"""What ``byoc up`` and its like do with a command: ask, run it, show it; or leave it to a process of its own."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from pathlib import Path

import typer

from byoc.automation.asked import Asked, Verb
from byoc.automation.command import Command, CommandResult
from byoc.automation.many import Outcome, StackOutcome
from byoc.cli.view import console, counts_text, following, rows_table, show_json, show_result
from byoc.errors import InputError
from byoc.runs import Listener

_DOING = {Verb.UP: "updating", Verb.PREVIEW: "previewing", Verb.DESTROY: "destroying", Verb.REFRESH: "refreshing"}


def look(asked: Asked, cwd: Path | None, *, json: bool) -> int:
    """A command that changes nothing."""
    return _carry_out(Command.prepare(cwd or Path.cwd(), asked), json=json)


def change(asked: Asked, cwd: Path | None, *, yes: bool, detach: bool, json: bool) -> int:
    """A command that changes something: with a question, without one, or in a process of its own."""
    _check_consent(asked, yes=yes, detach=detach, json=json)
    command = Command.prepare(cwd or Path.cwd(), asked)
    if detach:
        return _detach(command, asked, json=json)
    with command.locked():
        return _carry_out(command, json=json) if yes else _ask_and_carry_out(command)


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


def _carry_out(command: Command, *, json: bool) -> int:
    """Run the command without a question, and show it."""
    if json:
        result = command.run()
        show_json(result.document() if result.many else result.outcomes[0].result.document())
        return _code(result)
    out = console()

    def done(item: StackOutcome) -> None:
        if command.is_for_many:
            out.print(f"{item.stack}: {item.outcome.value}")

    with following(out, _title(command, command.verb), many=command.is_for_many) as listener:
        result = command.run(listener, done)
    show_outcomes(result.outcomes, preview=command.verb is Verb.PREVIEW, many=result.many)
    return _code(result)


def _ask_and_carry_out(command: Command) -> int:
    """Preview, ask and run, group by group, and show it."""
    out = console()

    def ask(previews: tuple[StackOutcome, ...]) -> bool:
        good = [item for item in previews if item.outcome is Outcome.SUCCEEDED]  # the others are shown at the end
        for item in good:
            show_result(out, item.result, preview=True)
        names = ", ".join(item.stack for item in good)
        return bool(good) and typer.confirm(f"{command.verb} {names}?", default=False)

    def follow(verb: Verb) -> AbstractContextManager[Listener]:
        return following(out, _title(command, verb), many=command.is_for_many)

    result = command.ask_and_run(ask, follow)
    show_outcomes(result.outcomes, preview=False, many=result.many)
    return _code(result)


def _detach(command: Command, asked: Asked, *, json: bool) -> int:
    """Begin the command in a process of its own, and say how to follow it."""
    from byoc.automation.detached import start

    record = start(command, asked)
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
