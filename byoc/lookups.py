"""Look-ups in AWS that a program makes while it runs, and what a person is told when one fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from byoc.errors import ByocError

_FAILED = "invoke of "
"""How the SDK's message of a failed provider function begins; it raises nothing narrower than ``Exception``."""


class LookupFailedError(ByocError):
    """AWS, or the way to it, refused a look-up; the message says which and why."""


@contextmanager
def readable_lookups() -> Iterator[None]:
    """Within this block a failed look-up is a :class:`LookupFailedError`, which ends a program without a traceback."""
    try:
        yield
    except ByocError:
        raise
    except Exception as error:
        text = str(error).removesuffix(" ()")
        if not text.startswith(_FAILED):
            raise
        raise LookupFailedError(text) from error
