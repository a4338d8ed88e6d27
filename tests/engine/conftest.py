"""The embedded AWS for the real CLI's tests: one per test process, as for the sandbox's own."""

from tests.sandbox.conftest import world, worlds

__all__ = ["world", "worlds"]
