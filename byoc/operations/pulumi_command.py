"""Where the Pulumi CLI is, for the few questions that go to it without the engine."""

from __future__ import annotations

import shutil
from pathlib import Path


def pulumi_command(project_root: Path) -> str | None:
    """The project's own (``.tools/pulumi``, which ``make pulumi`` fills) before the one on PATH; None without any."""
    own = project_root / ".tools" / "pulumi" / "bin" / "pulumi"
    return str(own) if own.is_file() else shutil.which("pulumi")
