"""``examples/fleet``: each file is what ``byoc fleet export`` writes today. To renew them, run the commands that
``examples/fleet/fleet.yaml`` begins with.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from byoc.config.section import Section
from byoc.fleet import settings
from byoc.fleet.export import prepare
from byoc.fleet.output_folder import MARKER
from tests.sandbox.cli_runner import byoc

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples" / "fleet"
PAGE = ROOT / "docs" / "fleet.md"
COMMANDS = re.findall(r"^#   byoc (fleet export .*)$", (EXAMPLES / "fleet.yaml").read_text(), re.MULTILINE)


def keys_of(section: type[Section], begin: str = "") -> list[str]:
    """Every key of the settings, as the page names it."""
    found = []
    for field in section.model_fields.values():
        name = f"{begin}{field.alias}"
        kind = field.annotation
        inner = kind if isinstance(kind, type) and issubclass(kind, Section) else None
        found += keys_of(inner, f"{name}.") if inner else [name]
    return found


def test_there_is_a_command_for_every_format() -> None:
    assert [shlex.split(command)[4] for command in COMMANDS] == ["operator", "matrix", "deployments"]


@pytest.mark.parametrize("command", COMMANDS)
def test_an_example_is_what_its_command_writes(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    *words, committed = shlex.split(command)
    outcome = byoc(capsys, *words, str(tmp_path / "out"))
    assert outcome.code == 0, outcome.err
    files = {path.name: path.read_text() for path in (tmp_path / "out").iterdir()}
    assert {path.name: path.read_text() for path in (ROOT / committed).iterdir()} == files
    assert MARKER in files


def test_the_page_lists_every_setting_and_no_other() -> None:
    rows = re.findall(r"^\| `([A-Za-z.]+)` \|", PAGE.read_text(), re.MULTILINE)
    assert sorted(rows) == sorted(keys_of(settings.FleetSettings))


def test_every_export_on_the_page_is_a_command_that_this_version_takes(capsys: pytest.CaptureFixture[str]) -> None:
    commands = re.findall(r"^byoc (fleet export .*)$", PAGE.read_text(), re.MULTILINE)
    assert len(commands) >= 3
    for command in commands:
        outcome = byoc(capsys, *shlex.split(command), "--cwd", "/nowhere")
        assert outcome.err.startswith("error: no Pulumi.yaml in /nowhere or above it\n"), command


def test_the_settings_on_the_page_are_ones_that_every_format_takes(tmp_path: Path) -> None:
    [written] = re.findall(r"^```yaml\n(organization: .*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    path = tmp_path / "fleet.yaml"
    path.write_text(written)
    for form in ("operator", "matrix", "deployments"):
        assert prepare(ROOT, form, words=("demo-*",), settings=path).stacks
