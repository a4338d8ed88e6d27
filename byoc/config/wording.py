"""Values, keys and pydantic's own errors in words."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

Path = tuple[str | int, ...]
"""The way to a value: keys, and places in lists."""

SECRET = "[secret]"  # noqa: S105 - what is shown in place of one
NOT_SHOWN = "[not shown]"

_LONGEST_VALUE = 60
_LONGEST_KEY = 80


def shown(value: object) -> str:
    """A value in few words; long text is cut, credentials in URLs are hidden."""
    if value is None:
        return "null"
    if isinstance(value, Mapping):
        return f"an object of {len(value)} {'key' if len(value) == 1 else 'keys'}"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)} {'entry' if len(value) == 1 else 'entries'}"
    if isinstance(value, str):
        hidden = re.sub(r"//[^/\s]*@", f"//{SECRET}@", value)
        return cut(json.dumps(_printable(hidden), ensure_ascii=False), _LONGEST_VALUE)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        try:
            return cut(str(value), _LONGEST_VALUE)
        except ValueError:  # Python writes no integers of more than 4,300 digits
            return "a very large number"
    return f"a value of type {type(value).__name__}"


def cut(text: str, limit: int) -> str:
    """``text``, cut to ``limit`` characters."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _printable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


def key_text(path: Path) -> str:
    """A key as a user writes it: ``byoc:network.zones[0]``."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f"{'.' if text else ''}{cut(json.dumps(_printable(part), ensure_ascii=False)[1:-1], _LONGEST_KEY)}"
    return f"byoc:{text}"


_TEXTS = {
    "int_type": ("a whole number", "write it as a number without quotes, such as 3"),
    "bool_type": ("true or false", "write true or false, without quotes"),
    "string_type": ("text", "write it as text; put quotes around what looks like a number"),
    "literal_error": ("{expected}", "write one of these"),
    "union_tag_invalid": ("{expected_tags}", "write one of these as its kind"),
    "greater_than_equal": ("at least {ge}", "write {ge} or more"),
    "less_than_equal": ("at most {le}", "write {le} or less"),
    "model_type": ("an object of keys and values", "write its keys on lines of their own, indented, or leave it out"),
    "dict_type": ("an object of keys and values", "write its keys on lines of their own, indented, or leave it out"),
    "tuple_type": ("a list", "write it as [first, second]"),
    "string_too_short": ("at least {min_length} characters", "write something, or leave it out"),
    "string_too_long": ("at most {max_length} characters", "shorten it"),
    "invalid_key": ("keys that are text", "put quotes around the key"),
    "string_unicode": ("valid Unicode text", "write the text again"),
}


def standard_texts(kind: str, context: Mapping[str, Any], message: str) -> tuple[str, str]:
    """What is allowed and the way out, for an error that pydantic itself finds."""
    allowed, remedy = _TEXTS.get(kind, (message, "correct the value as docs/configuration.md describes it"))
    if kind in _TEXTS:
        words = {name: str(value).replace("'", "") for name, value in context.items()}
        return allowed.format(**words), remedy.format(**words)
    return allowed, remedy
