"""``byoc up``, ``preview``, ``destroy``, ``refresh``: stacks in real accounts, by the Pulumi engine."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from byoc.automation.command import Asked, Command, CommandResult
    from byoc.automation.many import StackOutcome
    from byoc.automation.stack_run import RunOptions
    from byoc.runs import Listener

_DOING = {"up": "updating", "preview": "previewing", "destroy": "destroying", "refresh": "refreshing"}

Stacks = Annotated[
    list[str] | None,
    typer.Argument(metavar="[STACK]...", help="Stacks by name, or patterns in quotes such as 'acme-*'."),
]
Every = Annotated[bool, typer.Option("--all", help="Every stack that has a file.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
Folder = Annotated[
    Path | None, typer.Option("--cwd", "-C", help="The project's folder, or one below it. Default: this folder.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask; needed where there is no terminal.")]
Init = Annotated[bool, typer.Option("--init", help="Make stacks that have a file and are not in the backend yet.")]
SkipPreview = Annotated[bool, typer.Option("--skip-preview", "-f", help="No preview before; only with --yes.")]
Saved = Annotated[
    list[str] | None,
    typer.Option(
        "--config", "-c", metavar="KEY=VALUE", help="Set a config value and save it in the stack's file; repeatable."
    ),
]
Tried = Annotated[
    list[str] | None,
    typer.Option("--config", "-c", metavar="KEY=VALUE", help="A config value for this preview only; repeatable."),
]
Parallel = Annotated[int | None, typer.Option("--parallel", "-p", min=1, help="Resources at once, per stack.")]
Target = Annotated[list[str] | None, typer.Option("--target", "-t", metavar="URN", help="Only this one; repeatable.")]
ExpectNoChanges = Annotated[bool, typer.Option("--expect-no-changes", help="Fail if anything would change.")]
Refresh = Annotated[bool, typer.Option("--refresh", "-r", help="Read what is in the account first.")]
PolicyPack = Annotated[
    list[str] | None, typer.Option("--policy-pack", metavar="PATH", help="Check against this pack; repeatable.")
]
Message = Annotated[str, typer.Option("--message", "-m", help="Kept with the run in the stack's history.")]
Jobs = Annotated[int, typer.Option("--jobs", "-j", min=1, help="Stacks at once; each takes memory of its own.")]
FailFast = Annotated[bool, typer.Option("--fail-fast", help="Begin no other stack after the first that fails.")]
Detach = Annotated[bool, typer.Option("--detach", help="Return at once; look with 'byoc runs'. Needs --yes.")]
_JOBS = 4  # byoc.automation.many.DEFAULT_JOBS, which a test holds equal: its import would slow down --help


def up(
    stacks: Stacks = None,
    every: Every = False,
    yes: Yes = False,
    init: Init = False,
    skip_preview: SkipPreview = False,
    config: Saved = None,
    parallel: Parallel = None,
    target: Target = None,
    expect_no_changes: ExpectNoChanges = False,
    refresh: Refresh = False,
    policy_pack: PolicyPack = None,
    message: Message = "",
    jobs: Jobs = _JOBS,
    fail_fast: FailFast = False,
    detach: Detach = False,
    json: Json = False,
    cwd: Folder = None,
) -> int:
    """Make what the stacks' config says, in the accounts that it names."""
    options = _options(parallel, target, expect_no_changes, refresh, policy_pack, message, skip_preview=skip_preview)
    asked = _asked("up", stacks, every, options, jobs, fail_fast, config=config, init=init)
    return _change(asked, cwd, yes=yes, detach=detach, json=json)


def preview(
    stacks: Stacks = None,
    every: Every = False,
    init: Init = False,
    config: Tried = None,
    parallel: Parallel = None,
    target: Target = None,
    expect_no_changes: ExpectNoChanges = False,
    refresh: Refresh = False,
    policy_pack: PolicyPack = None,
    message: Message = "",
    jobs: Jobs = _JOBS,
    fail_fast: FailFast = False,
    json: Json = False,
    cwd: Folder = None,
) -> int:
    """Show what 'up' would do; change nothing."""
    options = _options(parallel, target, expect_no_changes, refresh, policy_pack, message)
    asked = _asked("preview", stacks, every, options, jobs, fail_fast, config=config, init=init)
    return _carry_out(_prepared(asked, cwd), json=json)


def destroy(
    stacks: Stacks = None,
    every: Every = False,
    yes: Yes = False,
    skip_preview: SkipPreview = False,
    parallel: Parallel = None,
    target: Target = None,
    refresh: Refresh = False,
    message: Message = "",
    jobs: Jobs = _JOBS,
    fail_fast: FailFast = False,
    detach: Detach = False,
    json: Json = False,
    cwd: Folder = None,
) -> int:
    """Delete everything that the stacks made; the stacks themselves, their config and history stay."""
    options = _options(parallel, target, False, refresh, None, message, skip_preview=skip_preview)
    asked = _asked("destroy", stacks, every, options, jobs, fail_fast)
    return _change(asked, cwd, yes=yes, detach=detach, json=json)


def refresh(
    stacks: Stacks = None,
    every: Every = False,
    yes: Yes = False,
    skip_preview: SkipPreview = False,
    parallel: Parallel = None,
    target: Target = None,
    expect_no_changes: ExpectNoChanges = False,
    message: Message = "",
    jobs: Jobs = _JOBS,
    fail_fast: FailFast = False,
    detach: Detach = False,
    json: Json = False,
    cwd: Folder = None,
) -> int:
    """Bring the stacks' state up to what is in their accounts; nothing is changed there."""
    options = _options(parallel, target, expect_no_changes, False, None, message, skip_preview=skip_preview)
    asked = _asked("refresh", stacks, every, options, jobs, fail_fast)
    return _change(asked, cwd, yes=yes, detach=detach, json=json)


def _options(
    parallel: int | None,
    target: list[str] | None,
    expect_no_changes: bool,
    refresh: bool,
    policy_pack: list[str] | None,
    message: str,
    *,
    skip_preview: bool = False,
) -> RunOptions:
    from byoc.automation.stack_run import RunOptions

    return RunOptions(
        parallel=parallel,
        targets=tuple(target or ()),
        expect_no_changes=expect_no_changes,
        refresh=refresh,
        policy_packs=tuple(str(Path(path).resolve()) for path in policy_pack or ()),
        message=message,
        skip_preview=skip_preview,
    )


def _asked(
    verb: str,
    stacks: list[str] | None,
    every: bool,
    options: RunOptions,
    jobs: int,
    fail_fast: bool,
    *,
    config: list[str] | None = None,
    init: bool = False,
) -> Asked:
    from byoc.automation.command import Asked
    from byoc.automation.many import Limits
    from byoc.automation.stack_run import Verb

    return Asked(
        verb=Verb(verb),
        stacks=tuple(stacks or ()),
        every=every,
        init=init,
        config=tuple(config or ()),
        options=options,
        limits=Limits(jobs=jobs, fail_fast=fail_fast),
    )


def _prepared(asked: Asked, cwd: Path | None) -> Command:
    from byoc.automation.command import Command

    return Command.prepare(cwd or Path.cwd(), asked)


def _change(asked: Asked, cwd: Path | None, *, yes: bool, detach: bool, json: bool) -> int:
    """A verb that changes something: with a question, without one, or in a process of its own."""
    _check_consent(asked, yes=yes, detach=detach, json=json)
    command = _prepared(asked, cwd)
    if detach:
        return _detach(command, asked, json=json)
    if yes:
        return _carry_out(command, json=json)
    return _ask_and_carry_out(command)


def _check_consent(asked: Asked, *, yes: bool, detach: bool, json: bool) -> None:
    from byoc.errors import InputError

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
    from byoc.cli.view import console, following, show_json

    if json:
        result = command.run()
        show_json(result.document() if result.many else result.outcomes[0].result.document())
        return _code(result)
    out = console()

    def done(item: StackOutcome) -> None:
        if command.is_for_many:
            out.print(f"{item.stack}: {item.outcome.value}")

    with following(out, _title(command), many=command.is_for_many) as listener:
        result = command.run(listener, done)
    show_command(result.outcomes, preview=command.verb.value == "preview", many=result.many)
    return _code(result)


def _ask_and_carry_out(command: Command) -> int:
    from byoc.cli.view import console, following, show_result

    out = console()

    def ask(previews: tuple[StackOutcome, ...]) -> bool:
        for item in previews:
            show_result(out, item.result, preview=True)
        good = [item.stack for item in previews if item.result.ok and not item.result.interrupted]
        return bool(good) and typer.confirm(f"{command.verb.value} {', '.join(good)}?", default=False)

    def follow(what: str) -> AbstractContextManager[Listener]:
        return following(out, _title(command, what), many=command.is_for_many)

    result = command.ask_and_run(ask, follow)
    show_command(result.outcomes, preview=False, many=result.many)
    return _code(result)


def _detach(command: Command, asked: Asked, *, json: bool) -> int:
    from byoc.automation.detached import start
    from byoc.cli.view import show_json

    record = start(command.workspace.project.root, asked)
    if json:
        show_json({"run": record.id, "folder": str(record.folder), "stacks": list(command.selection.stacks)})
    else:
        typer.echo(f"run {record.id} has begun; follow it with: byoc runs show {record.id} --follow")
    return 0


def show_command(outcomes: tuple[StackOutcome, ...], *, preview: bool, many: bool) -> None:
    """The end of a command: of one stack all of it, of many what failed and a table."""
    from byoc.cli.view import console, counts_text, rows_table, show_result

    out = console()
    rows = []
    for item in outcomes:
        if item.because and not many:
            out.print(f"{item.stack}: not run: {item.because}")
        elif not many:
            show_result(out, item.result, preview=preview)
        for failure in item.result.failures if many else ():
            out.print(f"{item.stack}: {failure.render()}", style="red")
        for note in item.result.notes if many else ():
            out.print(f"{item.stack}: note: {note}")
        what = item.because or counts_text(item.result)
        rows.append((item.stack, item.outcome.value, what, f"{item.result.seconds:.1f}"))
    if many:
        heading = "would be" if preview else "resources"
        out.print(rows_table(("stack", "state", heading, "seconds"), rows))


def _title(command: Command, verb: str = "") -> str:
    stacks = command.selection.stacks
    return f"{_DOING[verb or command.verb.value]} {stacks[0] if len(stacks) == 1 else f'{len(stacks)} stacks'}"


def _code(result: CommandResult) -> int:
    if result.interrupted:
        raise KeyboardInterrupt
    return 0 if result.ok else 1
