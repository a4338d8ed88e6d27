"""What every test leaves behind as it found it."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

# No test fails because a machine is slow; what is slow is shown by the benchmarks.
settings.register_profile("byoc", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("byoc")

# pulumi_aws and the descriptions of AWS's services stay in memory until the end: to look through them for what could
# be given back, as often as Python does by default, takes a tenth of the whole time.
gc.set_threshold(100_000, 50, 100)


@pytest.fixture(autouse=True)
def no_session_of_another_test() -> Iterator[None]:
    """``boto3.client`` keeps one session for the whole process: it would remember the profile that a test had set."""
    yield
    if "boto3" in sys.modules:
        vars(sys.modules["boto3"])["DEFAULT_SESSION"] = None
