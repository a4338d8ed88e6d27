"""States as a release leaves them, kept as test data: what a customer's next ``pulumi up`` starts from.

Record them when a version is released: ``python -m tests.engine.released_states`` (after ``make pulumi``) runs the
example stacks with the code as it is, and writes their states under its version.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from byoc.sandbox.emulator import process
from byoc.version import __version__
from tests.engine.real_world import RealWorld
from tests.golden.examples import STACKS
from tests.sandbox.sandbox_world import ACCOUNT, EXAMPLE_ACCOUNT, PASSPHRASE, World, copy_project

FOLDER = Path(__file__).resolve().parents[1] / "data" / "states"
ORDER = (ACCOUNT, *(stack for stack in STACKS if stack != ACCOUNT))
"""Deployments come after the account that they are in."""

_OF_THE_MACHINE = frozenset({"sourcePosition", "stackTrace", "created", "modified"})
"""What the engine notes of the program's files and of the time; no state needs it."""


def releases() -> tuple[str, ...]:
    """The versions whose states are kept."""
    return tuple(sorted(path.name for path in FOLDER.iterdir() if path.is_dir()))


def state_file(version: str, stack: str) -> Path:
    """The export of a stack, as that version's code made it."""
    return FOLDER / version / f"{stack}.json"


def record(folder: Path) -> None:
    """Make every example stack in an empty account, and write its state, secrets encrypted, under this version."""
    copy_project(folder)
    world = World(folder, EXAMPLE_ACCOUNT, process.start(folder / ".byoc" / "sandbox").client)
    real = RealWorld(world)
    for stack in ORDER:
        real.init(stack)
        real.up(stack).done()
        path = state_file(__version__, stack)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(_without_places(json.loads(real.exported(stack))), indent=1) + "\n")
        print(f"{path.name}: {len(real.resources(stack))} resources")


def _without_places(export: dict[str, Any]) -> dict[str, Any]:
    for resource in export["deployment"]["resources"]:
        for key in _OF_THE_MACHINE & resource.keys():
            del resource[key]
    return export


if __name__ == "__main__":
    os.environ["PULUMI_CONFIG_PASSPHRASE"] = PASSPHRASE
    with tempfile.TemporaryDirectory() as temporary:
        home = Path(temporary) / "project"
        try:
            record(home)
        finally:
            process.stop(home / ".byoc" / "sandbox")
