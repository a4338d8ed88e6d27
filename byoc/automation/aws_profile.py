"""The AWS profile that an engine works with: its providers and its backend take it from the environment."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

_NAME = "AWS_PROFILE"


@contextmanager
def aws_profile(name: str | None) -> Iterator[None]:
    """With this profile in the environment of the process, and so of the engines that it begins; None: as it is."""
    before = os.environ.get(_NAME)
    if name is not None:
        os.environ[_NAME] = name
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(_NAME, None)
        else:
            os.environ[_NAME] = before
