"""Changes values in a stack's file, as ``pulumi config set`` does, and leaves every other line as it is."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from byoc.errors import ByocError, InputError
from byoc.project.stack_yaml import read_yaml


def set_values(path: Path, values: Mapping[str, Any]) -> None:
    """Set keys of the file's ``config``, by their namespaced names; new ones go last.

    Comments stay, but for those inside of a value that is replaced. The file is written whole or not at all. Raises
    :class:`~byoc.errors.ByocError` if it is of a form that cannot be edited; then it is as it was.
    """
    text = path.read_text(encoding="utf-8")
    for key, value in values.items():
        text = _with(text, key, value, path)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_text(text, encoding="utf-8")
        draft.chmod(path.stat().st_mode)
        before = read_yaml(path)
        if _read(draft) != {**before, "config": {**(before.get("config") or {}), **values}}:
            raise _not_editable(path)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _with(text: str, key: str, value: object, path: Path) -> str:
    config = _config(text, path)
    written = json.dumps(value, ensure_ascii=False)
    for name, held in config.value:
        if name.value == key:
            return f"{text[: held.start_mark.index]}{written}{text[_end(held) :]}"
    if not config.value:
        raise _not_editable(path)
    column, end = config.value[0][0].start_mark.column, _end(config.value[-1][1])
    if config.flow_style:
        return f"{text[:end]}, {json.dumps(key)}: {written}{text[end:]}"
    return f"{text[:end]}\n{' ' * column}{key}: {written}{text[end:]}"


def _read(draft: Path) -> dict[str, Any] | None:
    """What was written, read again: aliases and the like are not looked for, they show here."""
    try:
        return read_yaml(draft)
    except InputError:
        return None


def _config(text: str, path: Path) -> yaml.MappingNode:
    root = yaml.compose(text, yaml.SafeLoader)
    pairs = root.value if isinstance(root, yaml.MappingNode) else []
    for name, held in pairs:
        if name.value == "config" and isinstance(held, yaml.MappingNode):
            return held
    raise _not_editable(path)


def _end(node: yaml.Node) -> int:
    """Where a value ends: a block's own mark lies behind the comments that follow it."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(last[1] if isinstance(last, tuple) else last)
    return int(node.end_mark.index)


def _not_editable(path: Path) -> ByocError:
    return ByocError(
        f"{path.name} is of a form that cannot be edited here; it is as it was\n"
        "      mend it:  set the values with pulumi config set"
    )
