"""The emulator in the background: started once, found again, ended alone."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from byoc.sandbox.emulator import process
from byoc.sandbox.emulator.client import EmulatorError


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "home"
    process.stop(tmp_path / "home")


def test_an_emulator_is_started_once_found_again_and_stopped(home: Path) -> None:
    assert process.status(home) is None
    assert process.stop(home) is False
    first = process.start(home)
    assert process.start(home) == first
    assert process.status(home) == first
    assert first.client.status()["pid"] == first.pid
    assert first.client.administrator("123456789012").principal == "arn:aws:iam::123456789012:user/administrator"
    assert process.stop(home) is True
    assert process.status(home) is None
    assert not (home / "emulator.json").exists()
    with pytest.raises(ProcessLookupError):
        os.kill(first.pid, 0)


def test_the_state_file_is_its_owners_alone(home: Path) -> None:
    process.start(home)
    assert stat.S_IMODE((home / "emulator.json").stat().st_mode) == 0o600


def test_another_port_than_the_running_ones_is_refused(home: Path) -> None:
    running = process.start(home)
    with pytest.raises(EmulatorError, match=f"runs on port {running.port}, not 1: stop it first"):
        process.start(home, port=1)


def test_a_port_that_is_taken_is_named(home: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(EmulatorError, match=f"did not start: port {port} of 127.0.0.1: Address already in use"):
            process.start(home, port=port)
    assert not (home / "emulator.json").exists()


def test_the_state_of_an_emulator_that_died_is_removed(home: Path) -> None:
    died = process.start(home)
    os.kill(died.pid, signal.SIGKILL)
    os.waitpid(died.pid, 0)
    assert (home / "emulator.json").exists()
    assert process.status(home) is None
    assert not (home / "emulator.json").exists()
    assert process.start(home).id != died.id


def test_a_process_that_took_over_the_pid_is_left_alone(home: Path) -> None:
    home.mkdir()
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        state = {"pid": bystander.pid, "port": 9, "id": "of-long-ago", "token": "t"}
        (home / "emulator.json").write_text(json.dumps(state))
        assert process.stop(home) is False
        time.sleep(0.1)
        assert bystander.poll() is None
        assert not (home / "emulator.json").exists()
    finally:
        bystander.kill()
        bystander.wait()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": 1}'])
def test_an_unreadable_state_file_counts_as_none(home: Path, content: str) -> None:
    home.mkdir()
    (home / "emulator.json").write_text(content)
    assert process.status(home) is None
    assert not (home / "emulator.json").exists()
