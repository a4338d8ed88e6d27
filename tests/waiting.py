"""Waiting for what another process or thread does."""

from __future__ import annotations

import time
from collections.abc import Callable


def wait_until(happened: Callable[[], object], what: str, *, seconds: float = 120, pause: float = 0.05) -> None:
    """Look again after each ``pause`` until it has happened; ``AssertionError`` with ``what`` when time is up."""
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, f"never came: {what}"
        time.sleep(pause)
