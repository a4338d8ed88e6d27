"""The embedded AWS for the real CLI's tests: one per test process, as for the sandbox's own."""

from tests.sandbox.conftest import worlds

__all__ = ["worlds"]
