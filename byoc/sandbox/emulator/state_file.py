"""The state file of a background emulator: how a command finds it again."""

from __future__ import annotations

import json
import os
from pathlib import Path

STATE_FILE = "emulator.json"
"""In the emulator's home: pid, port, id and token, readable by its owner only."""


def write_state(home: Path, state: dict[str, object]) -> None:
    """Put the state file in place, whole or not at all."""
    draft = home / f"{STATE_FILE}.{os.getpid()}"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(state, file)
    draft.replace(home / STATE_FILE)


def read_state(home: Path) -> dict[str, object] | None:
    """The state file's content; None when there is none, or it is unreadable."""
    try:
        state = json.loads((home / STATE_FILE).read_text())
    except (OSError, ValueError):
        return None
    return state if isinstance(state, dict) and {"pid", "port", "id", "token"} <= state.keys() else None


def remove_state(home: Path, emulator_id: str) -> None:
    """Remove the state file, if it is that emulator's."""
    state = read_state(home)
    if state is not None and state["id"] == emulator_id:
        (home / STATE_FILE).unlink(missing_ok=True)
