"""The example stacks in a sandbox of the bench's own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from byoc.sandbox.demo import PASSPHRASE
from byoc.sandbox.workspace import Workspace

ROOT = Path(__file__).resolve().parent.parent
ACCOUNT, DEPLOYMENT = "demo-account", "demo-chat"


@contextmanager
def sandbox() -> Iterator[Workspace]:
    """A copy of the project's stacks with a fresh embedded AWS, gone afterwards."""
    os.environ.setdefault("PULUMI_CONFIG_PASSPHRASE", PASSPHRASE)
    with TemporaryDirectory(prefix="byoc-bench-") as folder:
        root = Path(folder)
        shutil.copy(ROOT / "Pulumi.yaml", root)
        shutil.copytree(ROOT / "stacks", root / "stacks")
        workspace = Workspace(root)
        workspace.start()
        try:
            yield workspace
        finally:
            workspace.stop()


def mutating(workspace: Workspace, run_id: str) -> list[str]:
    """The AWS calls of a run that changed something, in order."""
    reads = ("Describe", "List", "Get", "Assume")
    actions = [str(record["action"]) for record in workspace.start().client.calls(run=run_id)]
    return [action for action in actions if not action.partition(":")[2].startswith(reads)]
