"""The README's way into an account, followed word by word: the real CLI, the embedded AWS, a new user's shell."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from byoc.sandbox.emulator import process
from tests.docs.test_readme import ROOT, blocks
from tests.engine.real_world import NO_CLI

pytestmark = [pytest.mark.engine, pytest.mark.slow]

_CONFIRMED = "pulumi up"
_FIRST = "make pulumi\n"


def script() -> str:
    """Every command of the section, in the order of the page; where Pulumi asks, the answer is yes."""
    written = blocks("shell")
    begin = next(number for number, block in enumerate(written) if block.startswith(_FIRST))
    lines = "".join(written[begin:]).removeprefix(_FIRST).splitlines()
    return "\n".join(f"{line} --yes" if line.startswith(_CONFIRMED) else line for line in lines)


def test_the_production_path_of_the_readme_works_word_by_word(tmp_path: Path) -> None:
    project = tmp_path / "byoc"
    project.mkdir()
    for name in ("Pulumi.yaml", "byoc"):
        (project / name).symlink_to(ROOT / name)
    shutil.copytree(ROOT / "stacks", project / "stacks")
    for name in (".venv", ".tools"):
        (project / name).symlink_to(ROOT / name)
    known = {key: value for key, value in os.environ.items() if not key.startswith(("PULUMI_", "AWS_", "VIRTUAL_ENV"))}
    try:
        done = subprocess.run(
            ["bash", "-euxo", "pipefail", "-c", script()],
            cwd=project,
            env={**known, "LANGSMITH_API_KEY": "lsv2_a-made-up-key"},
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=600,
            check=False,
        )
        assert "pulumi: command not found" not in done.stderr, NO_CLI
        assert done.returncode == 0, done.stdout + done.stderr
        running = process.status(project / ".byoc" / "sandbox")
        assert running is not None
        assert running.client.inventory("123456789012", "us-west-2") == []
    finally:
        process.stop(project / ".byoc" / "sandbox")
    for command in (
        "pulumi stack init acme-prod-chat",
        "byoc up acme-prod-chat",
        "byoc status acme-prod-chat",
        "byoc rollback acme-prod-chat --yes",
        "byoc teardown acme-prod --yes",
    ):
        assert f"+ {command}" in done.stderr, "it did not run"
    assert "lsv2_a-made-up-key" not in done.stdout
    files = [path.read_text() for path in (project / "stacks").glob("Pulumi.acme-*.yaml")]
    assert len(files) == 2
    assert [text for text in files if "lsv2_a-made-up-key" in text] == []
