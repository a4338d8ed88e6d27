"""The emulator as a process of its own: ``python -m byoc.sandbox.emulator.daemon``; started by :mod:`.process`."""

from __future__ import annotations

import argparse
import gc
import os
import signal
import sys
from pathlib import Path
from types import FrameType

from byoc.sandbox.emulator.server import Emulator
from byoc.sandbox.emulator.state_file import remove_state, write_state


def _terminate(signal_number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signature of a handler
    sys.exit(0)


def _collect_garbage_seldom() -> None:
    """Most of what is in memory, moto and the descriptions of AWS's services, stays until the end.

    To look through it for what could be given back, as often as Python does by default, takes a tenth of the
    processor's time.
    """
    gc.set_threshold(100_000, 50, 100)


def main(arguments: list[str] | None = None) -> None:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(description="The embedded AWS of the sandbox.")
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--id", required=True)
    given = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, _terminate)
    signal.signal(signal.SIGINT, _terminate)
    _collect_garbage_seldom()
    try:
        emulator = Emulator(port=given.port, emulator_id=given.id)
    except OSError as error:
        sys.exit(f"port {given.port} of 127.0.0.1: {error.strerror}")
    state: dict[str, object] = {"pid": os.getpid(), "port": emulator.port, "id": emulator.id, "token": emulator.token}
    write_state(given.home, state)
    try:
        emulator.serve()
    finally:
        remove_state(given.home, emulator.id)


if __name__ == "__main__":
    main()
