"""Runs that are killed at every n-th changing call, over and over, until they have nothing left to do; and Ctrl-C.

The hundreds of calls that only read are no places of their own: a process that dies at one of them leaves what it would
leave at the next changing call.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from byoc.sandbox.emulator.faults import Latency
from byoc.sandbox.session import CallObserver
from tests.sandbox.sandbox_world import ACCOUNT, CHAT, PROJECT, Run, Settled, World, in_a_process, is_read
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

EVERY = 6
"""Each run gets so many changing calls done before it is killed at the next one."""
KILLED = 9
MOST_RUNS = 120


def killer(moment: str, every: int = EVERY) -> CallObserver:
    """Kills its process when enough changing calls were answered: at the last answer, or before the next call."""
    lock, answered = threading.Lock(), 0

    def observe(when: str, action: str) -> None:
        nonlocal answered
        if is_read(action):
            return
        with lock:
            answered += when == "after"
            if when == moment and answered >= every:
                os._exit(KILLED)

    return observe


def until_done(act: Callable[..., Run], moment: str) -> int:
    """Run ``act`` in one process after the other, each killed in its turn, until one ends by itself: how many died."""
    for kills in range(MOST_RUNS):
        code = in_a_process(lambda: act(on_call=killer(moment)).result.ok)
        if code == 0:
            return kills
        assert code == KILLED, f"after {kills} kills a run failed by itself"
    raise AssertionError(f"{MOST_RUNS} runs made no end of it")


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_life_that_is_killed_again_and_again_comes_to_the_same_end(
    settled: Settled, world: World, moment: str
) -> None:
    kills = 0
    for stack in (ACCOUNT, CHAT):
        world.workspace.config(stack)  # derives the key here once, not in every process
        kills += until_done(partial(world.up, stack), moment)
        assert world.kinds() == settled.kinds[stack]
        assert set(world.up(stack).done().counts) == {"unchanged"}
    for stack in (CHAT, ACCOUNT):
        kills += until_done(partial(world.destroy, stack), moment)
    assert world.inventory() == []
    assert world.state_files() == {}
    assert kills > 20, f"killed {kills} times only"


# Real signals to the real command


def _own_session_with_interrupts() -> None:
    """So that a signal meets nothing else; a shell starts background jobs, and so perhaps this test, deaf to Ctrl-C."""
    os.setsid()
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def command(world: World, *words: str) -> subprocess.Popen[str]:
    """``byoc`` as a user starts it."""
    code = "from byoc.cli import main; main()"
    return subprocess.Popen(
        [sys.executable, "-c", code, *words, "--cwd", str(world.root)],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_own_session_with_interrupts,
    )


def wait_for_calls(world: World, count: int) -> None:
    """Until the embedded AWS has answered so many more calls."""
    start = world.client.next_call()
    wait_until(lambda: world.client.next_call() >= start + count, "calls of the command", seconds=60, pause=0.02)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)])
def test_a_signal_in_the_middle_ends_the_command_and_the_next_one_goes_on(
    settled: Settled, world: World, number: signal.Signals, code: int
) -> None:
    world.client.set_latency([Latency(seconds=0.15)])
    try:
        process = command(world, "sandbox", "up", ACCOUNT)
        wait_for_calls(world, 60)
        process.send_signal(number)
        output, errors = process.communicate(timeout=60)
    finally:
        world.client.set_latency([])
    assert process.returncode == code, errors
    if number == signal.SIGINT:
        assert "interrupted" in errors
        assert "Traceback" not in output + errors
    kinds = world.kinds()
    assert kinds
    assert kinds != settled.kinds[ACCOUNT], "the signal came too late"
    finished = command(world, "sandbox", "up", ACCOUNT, "--json")
    output, errors = finished.communicate(timeout=120)
    assert finished.returncode == 0, errors
    document: dict[str, Any] = json.loads(output)
    assert document["unchanged"] > 0
    assert world.kinds() == settled.kinds[ACCOUNT]
    assert set(world.up(ACCOUNT).done().counts) == {"unchanged"}
