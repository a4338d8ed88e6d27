"""Values set in a stack's file: every other line stays, and a file that cannot be edited is left as it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from byoc.errors import ByocError
from byoc.project.stack_edit import set_values
from byoc.project.stack_yaml import read_yaml

FILE = """\
# Ours.
encryptionsalt: v1:abc=:v1:x:y
config:
  # The kind.
  byoc:kind: deployment
  byoc:environment: # in the open
    GREETING: Hello
    TURNS: "20"
  # The image.
  byoc:image: chat:1.0.0 # not latest
  byoc:key:
    secure: v1:aa:bb
"""


@pytest.mark.parametrize(
    ("values", "gone", "new"),
    [
        (
            {"byoc:image": "chat:1.1.0"},
            ["  byoc:image: chat:1.0.0 # not latest"],
            ['  byoc:image: "chat:1.1.0" # not latest'],
        ),
        ({"byoc:environment": {"A": "ü"}}, ["    GREETING: Hello", '    TURNS: "20"'], ['    {"A": "ü"}']),
        ({"byoc:key": {"secure": "v1:c:d"}}, ["    secure: v1:aa:bb"], ['    {"secure": "v1:c:d"}']),
        ({"byoc:size": {"cpu": 512}}, [], ['  byoc:size: {"cpu": 512}']),
    ],
)
def test_one_value_changes_and_every_other_line_stays(
    tmp_path: Path, values: dict[str, Any], gone: list[str], new: list[str]
) -> None:
    path = tmp_path / "Pulumi.chat.yaml"
    path.write_text(FILE)
    before = read_yaml(path)
    set_values(path, values)
    old, now = FILE.splitlines(), path.read_text().splitlines()
    assert ([line for line in old if line not in now], [line for line in now if line not in old]) == (gone, new)
    assert read_yaml(path) == {**before, "config": {**before["config"], **values}}


def test_a_file_of_another_style_is_edited_as_well(tmp_path: Path) -> None:
    path = tmp_path / "Pulumi.chat.yaml"
    path.write_text('{"config": {"byoc:kind": "deployment", "byoc:image": "chat:1"}, "encryptionsalt": "s"}')
    set_values(path, {"byoc:image": "chat:2", "byoc:size": {"cpu": 512}})
    assert read_yaml(path) == {
        "config": {"byoc:kind": "deployment", "byoc:image": "chat:2", "byoc:size": {"cpu": 512}},
        "encryptionsalt": "s",
    }


@pytest.mark.parametrize(
    "text", ["config: {}\n", "other: 1\n", "config:\n", "config:\n  byoc:a: &x 1\n  byoc:image: *x\n  byoc:b: *x\n"]
)
def test_a_file_that_cannot_be_edited_is_as_it_was(tmp_path: Path, text: str) -> None:
    path = tmp_path / "Pulumi.chat.yaml"
    path.write_text(text)
    with pytest.raises(
        ByocError, match=r"^Pulumi\.chat\.yaml is of a form that cannot be edited here; it is as it was"
    ):
        set_values(path, {"byoc:image": "chat:2"})
    assert path.read_text() == text
    assert [item.name for item in tmp_path.iterdir()] == ["Pulumi.chat.yaml"]


def test_who_may_read_the_file_stays_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "Pulumi.chat.yaml"
    path.write_text(FILE)
    path.chmod(0o640)
    set_values(path, {"byoc:image": "chat:2"})
    assert path.stat().st_mode & 0o777 == 0o640
