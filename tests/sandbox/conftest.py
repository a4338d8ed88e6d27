"""One embedded AWS per test process, started when a test first asks for it."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from botocore.retries.standard import ExponentialBackoff

from byoc.sandbox import lifecycle
from byoc.sandbox.emulator import process
from tests.sandbox.sandbox_world import ACCOUNT, CHAT, PASSPHRASE, SUPPORT, Settled, World, Worlds


@pytest.fixture(scope="session")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worlds]:
    """Where worlds come from; the examples' passphrase is set meanwhile."""
    home = tmp_path_factory.mktemp("emulator")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PULUMI_CONFIG_PASSPHRASE", PASSPHRASE)
        emulator = process.start(home)
        try:
            yield Worlds(emulator, home, tmp_path_factory.mktemp("worlds"))
        finally:
            process.stop(home)


@pytest.fixture(scope="session")
def settled(worlds: Worlds) -> Settled:
    """The account and both deployments, up; no test may change them."""
    world = worlds.new()
    runs, kinds = {}, {}
    for stack in (ACCOUNT, CHAT, SUPPORT):
        runs[stack] = world.up(stack).done()
        kinds[stack] = world.kinds()
    return Settled(world, runs, kinds)


@pytest.fixture
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Failed calls are repeated as often as ever, but without a pause before."""
    monkeypatch.setenv("AWS_RETRY_MODE", "standard")
    monkeypatch.setattr(lifecycle, "random", SimpleNamespace(uniform=lambda _least, _most: 0.0))
    monkeypatch.setattr(ExponentialBackoff, "delay_amount", lambda _self, _context: 0.001)


@pytest.fixture
def world(worlds: Worlds) -> World:
    """A world with an empty account."""
    return worlds.new()
