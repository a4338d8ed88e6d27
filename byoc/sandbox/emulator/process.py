"""One emulator in the background per home directory: start, stop, status.

The process outlives the command that started it. Its state file holds the token of the control API, so that only the
owner can read it. POSIX only.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from byoc.sandbox.emulator.client import EmulatorClient, EmulatorError
from byoc.sandbox.emulator.state_file import STATE_FILE, read_state, remove_state

_MODULE = "byoc.sandbox.emulator.daemon"
_LOG_FILE = "emulator.log"
_START_SECONDS = 30.0
_STOP_SECONDS = 5.0
_POLL_SECONDS = 0.02
_STATUS_SECONDS = 5.0


@dataclass(frozen=True, kw_only=True)
class RunningEmulator:
    """An emulator that answers."""

    id: str
    pid: int
    port: int
    client: EmulatorClient

    @property
    def endpoint(self) -> str:
        """The endpoint URL for AWS clients."""
        return self.client.endpoint


def start(home: Path, port: int = 0) -> RunningEmulator:
    """The emulator of ``home``, started if none is running; returns when it answers.

    ``port``: 0 takes any free one. Raises :class:`EmulatorError` when it does not come up, or runs on another port.
    """
    home.mkdir(parents=True, exist_ok=True)
    with _locked(home):
        running = status(home)
        if running is None:
            return _launch(home, port)
        if port not in (0, running.port):
            raise EmulatorError(
                f"the emulator of {home} runs on port {running.port}, not {port}: stop it first ('byoc sandbox stop')"
            )
        return running


def stop(home: Path) -> bool:
    """End the emulator of ``home``, and no other process; False when none was running.

    Raises :class:`EmulatorError` when it does not end.
    """
    if not home.is_dir():
        return False
    with _locked(home):
        state = read_state(home)
        if state is None:
            return False
        pid, emulator_id = int(str(state["pid"])), str(state["id"])
        ours = _is_emulator(pid, emulator_id)
        if ours:
            _end(pid, emulator_id)
        remove_state(home, emulator_id)
        return ours


def status(home: Path) -> RunningEmulator | None:
    """The emulator of ``home`` if it answers, else None; the state file of one that died is removed."""
    state = read_state(home)
    if state is None:
        (home / STATE_FILE).unlink(missing_ok=True)
        return None
    pid, port, emulator_id = int(str(state["pid"])), int(str(state["port"])), str(state["id"])
    client = EmulatorClient(f"http://127.0.0.1:{port}", str(state["token"]))
    with contextlib.suppress(EmulatorError):
        if client.status(timeout=_STATUS_SECONDS)["id"] == emulator_id:
            return RunningEmulator(id=emulator_id, pid=pid, port=port, client=client)
    if not _is_emulator(pid, emulator_id):
        remove_state(home, emulator_id)
    return None


@contextmanager
def _locked(home: Path) -> Iterator[None]:
    """One start or stop at a time."""
    with (home / "emulator.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _launch(home: Path, port: int) -> RunningEmulator:
    emulator_id = str(uuid.uuid4())
    log = home / _LOG_FILE
    package_root = str(Path(__file__).resolve().parents[3])
    paths = [package_root, *filter(None, [os.environ.get("PYTHONPATH")])]
    with open(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-m", _MODULE, "--home", str(home.resolve()), "--port", str(port), "--id", emulator_id],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        )
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise EmulatorError(f"the emulator did not start: {_last_line(log)} (see {log})")
        state = read_state(home)
        if state is not None and state["id"] == emulator_id:
            running = status(home)
            if running is not None:
                return running
        time.sleep(_POLL_SECONDS)
    process.kill()
    process.wait()
    remove_state(home, emulator_id)
    raise EmulatorError(f"the emulator did not answer within {_START_SECONDS:.0f} s (see {log})")


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "no reason given"


def _is_emulator(pid: int, emulator_id: str) -> bool:
    """Whether the process of this id is the emulator of that id, by its command line."""
    if pid <= 1:
        return False
    shown = Path(f"/proc/{pid}/cmdline")
    if shown.parent.parent.joinpath("self").exists():
        try:
            line = shown.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            return False
    else:  # macOS has no /proc
        ps = ["/bin/ps", "-ww", "-o", "args=", "-p", str(pid)]
        line = subprocess.run(ps, capture_output=True, text=True, check=False).stdout  # noqa: S603 - fixed words and a number
    return _MODULE in line and emulator_id in line


def _end(pid: int, emulator_id: str) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        deadline = time.monotonic() + _STOP_SECONDS
        while time.monotonic() < deadline:
            if not _is_emulator(pid, emulator_id):
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(pid, 0)  # a child of this process stays a zombie until it is waited for
                return
            time.sleep(_POLL_SECONDS)
    raise EmulatorError(f"the emulator (process {pid}) does not end")
