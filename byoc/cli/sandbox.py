"""``byoc sandbox``: the same stacks on an embedded AWS, without an account and without the Pulumi CLI."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from byoc.runs import Listener, RunResult
    from byoc.sandbox.workspace import Workspace

app = typer.Typer(
    help="Run stacks on an embedded AWS: no account, no Pulumi CLI, nothing leaves this machine.",
    no_args_is_help=True,
)

Stack = Annotated[str, typer.Argument(help="The stack: stacks/Pulumi.<STACK>.yaml.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
Folder = Annotated[
    Path | None, typer.Option("--cwd", "-C", help="The project's folder, or one below it. Default: this folder.")
]
Override = Annotated[
    list[str] | None,
    typer.Option("--config", "-c", metavar="KEY=VALUE", help="Set a config value for this run; may be repeated."),
]
Calls = Annotated[
    Path | None,
    typer.Option("--calls", help="Write every AWS request of this run here: time, principal, action, outcome."),
]


def _workspace(folder: Path | None) -> Workspace:
    from byoc.sandbox.workspace import Workspace

    return Workspace.find(folder or Path.cwd())


@app.command()
def start(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Loopback port; 0 takes a free one.")] = 0,
    cwd: Folder = None,
) -> None:
    """Start the embedded AWS and leave it running."""
    emulator = _workspace(cwd).start(port=port)
    typer.echo(f"embedded AWS runs at {emulator.endpoint}; stop it with: byoc sandbox stop")


@app.command()
def stop(cwd: Folder = None) -> None:
    """Stop the embedded AWS; everything in it is gone."""
    was_running = _workspace(cwd).stop()
    typer.echo("embedded AWS stopped" if was_running else "embedded AWS was not running")


@app.command(short_help="Say whether it runs, and where.")
def status(json: Json = False, cwd: Folder = None) -> int:
    """Say whether the embedded AWS runs, where, and with which stacks. Exit code 1 if it does not."""
    found = _workspace(cwd).status()
    if json:
        from byoc.cli.view import show_json

        show_json(found)
    elif found["running"]:
        typer.echo(f"embedded AWS runs at {found['endpoint']} (pid {found['pid']})")
        for stack, count in found["stacks"].items():
            typer.echo(f"  {stack}: {count} resources")
    else:
        typer.echo("embedded AWS is not running; start it with: byoc sandbox start")
    return 0 if found["running"] else 1


@app.command(short_help="Print the environment for other tools.")
def env(json: Json = False, cwd: Folder = None) -> None:
    """Print the environment in which the real Pulumi CLI provisions the embedded AWS: eval "$(byoc sandbox env)".

    No login and no account: the state lies beside the embedded AWS, and ends with it.
    """
    from byoc.sandbox.cli_environment import as_shell

    environment = _workspace(cwd).cli_environment()
    if json:
        from byoc.cli.view import show_json

        show_json(environment)
    else:
        typer.echo(as_shell(environment))


@app.command(short_help="Give it what a stack takes for granted.")
def provide(stack: Stack, json: Json = False, cwd: Folder = None) -> None:
    """Give the embedded AWS what a stack takes for granted (an existing VPC, a certificate), for the Pulumi CLI.

    'byoc sandbox up' does so by itself.
    """
    provided = _workspace(cwd).provide(stack)
    if json:
        from byoc.cli.view import show_json

        show_json({"provided": list(provided)})
    else:
        typer.echo("\n".join(provided) or f"{stack} takes nothing for granted that is not there")


@app.command()
def preview(stack: Stack, json: Json = False, config: Override = None, calls: Calls = None, cwd: Folder = None) -> int:
    """Show what 'up' would do; change nothing."""
    workspace = _workspace(cwd)

    def run(listener: Listener) -> RunResult:
        return workspace.preview(stack, overrides=config or [], listener=listener, calls=calls)

    return _follow(f"previewing {stack}", run, json=json, preview=True)


@app.command()
def up(stack: Stack, json: Json = False, config: Override = None, calls: Calls = None, cwd: Folder = None) -> int:
    """Make what the stack's config says."""
    workspace = _workspace(cwd)

    def run(listener: Listener) -> RunResult:
        return workspace.up(stack, overrides=config or [], listener=listener, calls=calls)

    return _follow(f"updating {stack}", _recorded(workspace, stack, "up", run), json=json)


@app.command(short_help="Delete everything that the stack made.")
def destroy(stack: Stack, json: Json = False, calls: Calls = None, cwd: Folder = None) -> int:
    """Delete everything that the stack made; what is kept on purpose is listed."""
    workspace = _workspace(cwd)

    def run(listener: Listener) -> RunResult:
        return workspace.destroy(stack, listener=listener, calls=calls)

    return _follow(f"destroying {stack}", _recorded(workspace, stack, "destroy", run), json=json)


@app.command()
def outputs(
    stack: Stack,
    json: Json = False,
    show_secrets: Annotated[bool, typer.Option("--show-secrets", help="Show secret values.")] = False,
    cwd: Folder = None,
) -> None:
    """Show a stack's outputs."""
    from byoc.cli.view import console, outputs_table, show_json

    found = _workspace(cwd).outputs(stack, show_secrets=show_secrets)
    if json:
        show_json(found)
    else:
        console().print(outputs_table(found))


@app.command()
def resources(stack: Stack, json: Json = False, cwd: Folder = None) -> None:
    """List what a stack has made."""
    from byoc.cli.view import console, resources_table, show_json

    found = _workspace(cwd).resources(stack)
    if json:
        show_json(found)
    else:
        console().print(resources_table(found))


def _recorded(
    workspace: Workspace, stack: str, verb: str, run: Callable[[Listener], RunResult]
) -> Callable[[Listener], RunResult]:
    """With a record, as ``byoc up`` leaves one: ``byoc runs`` and ``byoc resume`` know it."""
    from byoc.automation.recording import recorded_run

    asked = f"sandbox {verb} {stack}"
    return lambda listener: recorded_run(workspace.root, stack, run, listener, verb=verb, asked=asked).result


def _follow(title: str, run: Callable[[Listener], RunResult], *, json: bool, preview: bool = False) -> int:
    from byoc.cli.view import console, following, show_json, show_result

    if json:
        result = run(lambda _: None)
        show_json(result.document())
    else:
        out = console()
        with following(out, title) as listener:
            result = run(listener)
        show_result(out, result, preview=preview)
    if result.interrupted:
        raise KeyboardInterrupt
    return 0 if result.ok else 1
