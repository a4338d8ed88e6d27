"""What every test leaves behind as it found it."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def no_session_of_another_test() -> Iterator[None]:
    """``boto3.client`` keeps one session for the whole process: it would remember the profile that a test had set."""
    yield
    if "boto3" in sys.modules:
        vars(sys.modules["boto3"])["DEFAULT_SESSION"] = None
