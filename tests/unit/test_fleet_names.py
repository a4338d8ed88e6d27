"""Kubernetes names of stacks, and YAML that every reader takes for the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from byoc.fleet.kubernetes_names import LABEL_LIMIT, STACK_NAME_LIMIT, clashes, kubernetes_name
from byoc.fleet.yaml_text import yaml_text
from byoc.project.stack_yaml import read_yaml

STACK_NAMES = st.from_regex(r"[A-Za-z0-9._-]{1,100}", fullmatch=True)
PLAIN = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=30)


@pytest.mark.parametrize(
    ("stack", "expected"),
    [
        ("acme-prod", "acme-prod"),
        ("a" * 42, "a" * 42),
        ("a" * 43, f"{'a' * 33}-66d34fba"),
        ("Acme", "acme-37036cd8"),
        ("9lives", "s-9lives-bc867356"),
        ("---", "s-cb3f91d5"),
    ],
)
def test_a_name_that_kubernetes_takes_stays_and_others_end_with_their_hash(stack: str, expected: str) -> None:
    assert kubernetes_name(stack, STACK_NAME_LIMIT) == expected


@given(STACK_NAMES, st.sampled_from([STACK_NAME_LIMIT, LABEL_LIMIT]))
def test_every_stack_gets_a_name_that_kubernetes_takes(stack: str, limit: int) -> None:
    name = kubernetes_name(stack, limit)
    assert len(name) <= limit
    assert re.fullmatch(r"[a-z]([a-z0-9-]*[a-z0-9])?", name)


@given(st.sets(STACK_NAMES, min_size=2, max_size=8))
def test_two_stacks_share_a_name_only_if_that_is_said(stacks: set[str]) -> None:
    names = {kubernetes_name(stack, STACK_NAME_LIMIT) for stack in stacks}
    assert len(clashes(stacks)) == len(stacks) - len(names)


@given(st.dictionaries(PLAIN, PLAIN | st.booleans() | st.integers(-(10**9), 10**9) | st.lists(PLAIN), max_size=6))
def test_yaml_reads_back_to_what_was_written(content: dict[str, object]) -> None:
    assert list(yaml.safe_load_all(yaml_text([content, content]))) == [content, content]


@pytest.mark.parametrize(
    "text",
    [
        *(
            "yes",
            "no",
            "on",
            "Off",
            "y",
            "N",
            "true",
            "null",
            "Null",
            "~",
            "",
            " ",
            " a",
            "a ",
            "1",
            "1e3",
            "0x1f",
            "012",
        ),
        *(
            "2030-01-01",
            ".inf",
            "-",
            "- a",
            "a: b",
            "a:",
            "a #b",
            "{a}",
            "[a]",
            "*a",
            "&a",
            "!a",
            "%a",
            "@a",
            "`a",
            "1:2",
        ),
        *("arn:aws:iam::1:role/x", "https://host/x?y=z", "a\nb", "=", "<<", "12_345", "1.5Gi", "a,b", "'", '"', "\\"),
    ],
)
def test_text_stays_text_for_readers_as_old_as_yaml_1_1_and_as_strict_as_gos(tmp_path: Path, text: str) -> None:
    written = yaml_text([{"key": text, text: ["value"]}])
    assert yaml.safe_load(written) == {"key": text, text: ["value"]}
    (tmp_path / "file.yaml").write_text(written)
    assert read_yaml(tmp_path / "file.yaml") == {"key": text, text: ["value"]}
