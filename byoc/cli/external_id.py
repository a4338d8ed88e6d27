"""``byoc external-id``: what the control plane has to send along to assume the cross-account role."""

from __future__ import annotations

import secrets

import typer

_BYTES = 24
"""192 bits: nobody tries them all. As hexadecimal digits it needs no quoting in any shell or YAML file."""

app = typer.Typer(help="External ids of the cross-account role.", no_args_is_help=True)


@app.callback()
def external_id() -> None:
    """Options before the verb."""


@app.command()
def new() -> None:
    """Print a new external id: 48 random hexadecimal digits. It is stored nowhere; put it into both stacks as a secret.

    To rotate: in the account stack set byoc:previousExternalId to the old one and byoc:externalId to the new one, and
    run up; then set byoc:externalId of each deployment; then remove byoc:previousExternalId, and run up again.
    """
    typer.echo(secrets.token_hex(_BYTES))
