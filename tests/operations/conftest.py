"""The embedded AWS of the sandbox's tests, for these as well; and one that is looked at with the command line."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from byoc.sandbox.handlers import calls
from tests.operations.operated_world import Operated
from tests.operations.pushed_world import pushed
from tests.sandbox.conftest import quick_retries, settled, world, worlds
from tests.sandbox.sandbox_world import ACCOUNT, CHAT, SUPPORT, World, Worlds

__all__ = ["operated", "provisioned", "pushed", "quick_retries", "settled", "world", "worlds"]


@pytest.fixture(scope="module")
def provisioned(worlds: Worlds) -> World:
    """The account and both deployments; each test leaves them as it found them."""
    world = worlds.new()
    for stack in (ACCOUNT, CHAT, SUPPORT):
        world.up(stack).done()
    return world


@pytest.fixture
def operated(
    provisioned: World,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    quick_retries: None,
) -> Iterator[Operated]:
    """The command line over it, through the role, quick to try again; faults are cleared afterwards."""
    yield Operated.of(provisioned, capsys, monkeypatch)
    provisioned.client.clear_faults()


@pytest.fixture
def short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be deleted yet is tried for a second, not for a minute."""
    monkeypatch.setattr(calls, "DELETE_PATIENCE", 1.0)
