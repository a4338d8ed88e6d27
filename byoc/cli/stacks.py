"""``byoc up``, ``preview``, ``destroy``, ``refresh``: stacks in real accounts, by the Pulumi engine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from byoc.automation.asked import DEFAULT_JOBS, Asked, Limits, RunOptions, Verb
from byoc.cli.operations.options import Tracing

Stacks = Annotated[
    list[str] | None,
    typer.Argument(metavar="STACK", help="Stacks by name, or patterns in quotes such as 'acme-*'."),
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
Supersede = Annotated[
    bool, typer.Option("--supersede", help="Roll out a new revision even while another one is rolling out.")
]
Detach = Annotated[bool, typer.Option("--detach", help="Return at once; look with 'byoc runs'. Needs --yes.")]


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
    jobs: Jobs = DEFAULT_JOBS,
    fail_fast: FailFast = False,
    supersede: Supersede = False,
    tracing: Tracing = True,
    detach: Detach = False,
    json: Json = False,
    cwd: Folder = None,
) -> int:
    """Make what the stacks' config says, in the accounts that it names.

    A new revision of a deployment is refused while another one is rolling out, unless --supersede is given.
    """
    from byoc.cli.stack_runs import change

    options = RunOptions(
        parallel=parallel,
        targets=tuple(target or ()),
        expect_no_changes=expect_no_changes,
        refresh=refresh,
        policy_packs=_paths(policy_pack),
        message=message,
        skip_preview=skip_preview,
    )
    asked = Asked(
        verb=Verb.UP,
        stacks=tuple(stacks or ()),
        every=every,
        init=init,
        config=tuple(config or ()),
        options=options,
        limits=Limits(jobs=jobs, fail_fast=fail_fast),
        supersede=supersede,
        tracing=tracing,
    )
    return change(asked, cwd, yes=yes, detach=detach, json=json)


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
    jobs: Jobs = DEFAULT_JOBS,
    fail_fast: FailFast = False,
    json: Json = False,
    cwd: Folder = None,
) -> int:
    """Show what 'up' would do; change nothing."""
    from byoc.cli.stack_runs import look

    options = RunOptions(
        parallel=parallel,
        targets=tuple(target or ()),
        expect_no_changes=expect_no_changes,
        refresh=refresh,
        policy_packs=_paths(policy_pack),
        message=message,
    )
    asked = Asked(
        verb=Verb.PREVIEW,
        stacks=tuple(stacks or ()),
        every=every,
        init=init,
        config=tuple(config or ()),
        options=options,
        limits=Limits(jobs=jobs, fail_fast=fail_fast),
    )
    return look(asked, cwd, json=json)


def destroy(
    stacks: Stacks = None,
    every: Every = False,
    yes: Yes = False,
    skip_preview: SkipPreview = False,
    parallel: Parallel = None,
    target: Target = None,
    refresh: Refresh = False,
    message: Message = "",
    jobs: Jobs = DEFAULT_JOBS,
    fail_fast: FailFast = False,
    detach: Detach = False,
    json: Json = False,
    cwd: Folder = None,
) -> int:
    """Delete everything that the stacks made; the stacks themselves, their config and history stay."""
    from byoc.cli.stack_runs import change

    options = RunOptions(
        parallel=parallel,
        targets=tuple(target or ()),
        refresh=refresh,
        message=message,
        skip_preview=skip_preview,
    )
    asked = Asked(
        verb=Verb.DESTROY,
        stacks=tuple(stacks or ()),
        every=every,
        options=options,
        limits=Limits(jobs=jobs, fail_fast=fail_fast),
    )
    return change(asked, cwd, yes=yes, detach=detach, json=json)


def refresh(
    stacks: Stacks = None,
    every: Every = False,
    yes: Yes = False,
    skip_preview: SkipPreview = False,
    parallel: Parallel = None,
    target: Target = None,
    expect_no_changes: ExpectNoChanges = False,
    message: Message = "",
    jobs: Jobs = DEFAULT_JOBS,
    fail_fast: FailFast = False,
    detach: Detach = False,
    json: Json = False,
    cwd: Folder = None,
) -> int:
    """Bring the stacks' state up to what is in their accounts; nothing is changed there."""
    from byoc.cli.stack_runs import change

    options = RunOptions(
        parallel=parallel,
        targets=tuple(target or ()),
        expect_no_changes=expect_no_changes,
        message=message,
        skip_preview=skip_preview,
    )
    asked = Asked(
        verb=Verb.REFRESH,
        stacks=tuple(stacks or ()),
        every=every,
        options=options,
        limits=Limits(jobs=jobs, fail_fast=fail_fast),
    )
    return change(asked, cwd, yes=yes, detach=detach, json=json)


def _paths(packs: list[str] | None) -> tuple[str, ...]:
    """Policy packs by their whole paths: the engine is run in the project's folder."""
    return tuple(str(Path(pack).resolve()) for pack in packs or ())
