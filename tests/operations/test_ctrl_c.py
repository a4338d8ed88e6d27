"""Ctrl-C while AWS is silent: a command that only looks ends at once, and waits for no answer."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator

import pytest

from byoc.sandbox.emulator.faults import Latency
from tests.operations.operated_world import Operated
from tests.sandbox.sandbox_world import CHAT, SUPPORT, World
from tests.sandbox.test_e2e_interruption import command
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

SILENT_SECONDS = 60
"""Longer than one attempt of a call, of which each has five."""
LOOKING = (
    f"doctor {CHAT}",
    f"doctor {SUPPORT} --own-credentials --profile account",
    f"events {CHAT} {SUPPORT}",
    f"logs {CHAT} {SUPPORT}",
    f"retention {SUPPORT}",
    f"revisions {CHAT} {SUPPORT}",
    f"status {CHAT} {SUPPORT}",
    f"teardown {CHAT} {SUPPORT} --sweep-only",
    f"tracing {CHAT} {SUPPORT} --check",
    f"watch {CHAT} {SUPPORT}",
)


@pytest.fixture
def silent(operated: Operated) -> Iterator[World]:
    """An account that says who one is, lets one in, and then nothing more."""
    world = operated.world
    world.configure(SUPPORT, {"retention": {}})
    world.client.set_latency([Latency(seconds=0.001, actions=("sts:*",)), Latency(seconds=SILENT_SECONDS)])
    yield world
    world.client.set_latency([])


def test_ctrl_c_ends_every_verb_that_only_looks_though_aws_is_silent(silent: World) -> None:
    processes = {words: _asking(silent, words) for words in LOOKING}
    assert {words: process.poll() for words, process in processes.items()} == dict.fromkeys(LOOKING)
    for process in processes.values():
        process.send_signal(signal.SIGINT)
    ended = {words: (process.communicate(timeout=50)[1], process.returncode) for words, process in processes.items()}
    assert ended == dict.fromkeys(LOOKING, ("interrupted\n", 130))


def _asking(silent: World, words: str) -> subprocess.Popen[str]:
    """A command that was let in, and waits for all else."""
    first = silent.client.next_call()
    process = command(silent, *words.split())
    wait_until(lambda: silent.client.next_call() > first, f"a question of {words}", seconds=60)
    time.sleep(0.5)  # it asks more, in threads, as soon as it knows who it is
    return process
