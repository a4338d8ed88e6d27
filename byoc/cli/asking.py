"""Questions that a verb asks before it changes anything."""

from __future__ import annotations

import typer


def confirmed(question: str) -> bool:
    """Whether the answer is yes. Raises :class:`~byoc.errors.NothingDoneError` for Ctrl-C and at the input's end."""
    try:
        return typer.confirm(question, default=False)
    except typer.Abort:
        from byoc.errors import NothingDoneError

        raise NothingDoneError from None


def typed(question: str) -> str:
    """What was typed; raises as :func:`confirmed`."""
    try:
        return str(typer.prompt(question, default="", show_default=False))
    except typer.Abort:
        from byoc.errors import NothingDoneError

        raise NothingDoneError from None
