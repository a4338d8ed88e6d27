"""Exports as YAML: the same bytes for the same input, readable as a difference in git."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

WRITTEN_BY = "# Written by byoc fleet export from fleet.yaml and the stack files: change those, and export again.\n"

_SAFE_WORD = re.compile(r"[A-Za-z/]([\w ./@-]|:(?=[\w./:-]))*", re.ASCII)
_OTHER_THAN_TEXT = frozenset({"true", "false", "yes", "no", "on", "off", "y", "n", "null"})


class _Dumper(yaml.SafeDumper):
    """Quotes whatever any YAML reader could take for something else than text, such as 1e3, which Go reads as 1000."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002 - PyYAML's own name
        """Indent lists below their key."""
        return super().increase_indent(flow, False)

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - PyYAML's own name
        """Write what stands twice twice: GitHub and kubectl users do not expect anchors."""
        return True


def _text(dumper: _Dumper, value: str) -> yaml.ScalarNode:
    plain = _SAFE_WORD.fullmatch(value) is not None and value.lower() not in _OTHER_THAN_TEXT and value == value.strip()
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=None if plain else '"')


_Dumper.add_representer(str, _text)


def yaml_text(objects: Iterable[Mapping[str, Any]]) -> str:
    """Objects as YAML documents, under a line that says where they come from."""
    documents = [yaml.dump(item, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10_000) for item in objects]
    return WRITTEN_BY + "---\n".join(documents)
