"""YAML as the Pulumi CLI reads it.

The CLI is written in Go, and its YAML differs from Python's: ``yes`` and ``off`` are text, ``1e3`` is a number, a key
that stands twice is an error. A stack file has to mean the same to both engines.
"""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import yaml

from byoc.errors import InputError

_PLACE = "tag:yaml.org,2002:"
_LEAST_INTEGER = -(2**63)
_MOST_INTEGER = 2**64 - 1
_FIRST_WITH_EXPONENT = 1e21
"""From here on Go writes whole numbers with an exponent, below it without."""


class _PulumiLoader(yaml.SafeLoader):
    """A safe loader with the scalars of go-yaml."""


_PulumiLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag in (f"{_PLACE}null", f"{_PLACE}merge")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_PulumiLoader.add_implicit_resolver(f"{_PLACE}bool", re.compile(r"true|True|TRUE|false|False|FALSE"), list("tTfF"))
_PulumiLoader.add_implicit_resolver(
    f"{_PLACE}int",
    re.compile(r"[-+]?(0b[01_]+|0o[0-7_]+|0x[0-9a-fA-F_]+|0[0-7_]*|[1-9][0-9_]*)$"),
    list("-+0123456789"),
)
_PulumiLoader.add_implicit_resolver(
    f"{_PLACE}float",
    re.compile(r"([-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))$"),
    list("-+0123456789."),
)
_PulumiLoader.add_implicit_resolver(
    f"{_PLACE}timestamp", re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ].*)?$"), list("0123456789")
)


def _refused(message: str, node: yaml.Node) -> yaml.MarkedYAMLError:
    return yaml.constructor.ConstructorError(None, None, message, node.start_mark)


def _integer(_: _PulumiLoader, node: yaml.ScalarNode) -> int | float:
    text = node.value.replace("_", "")
    sign, digits = (-1, text[1:]) if text[0] == "-" else (1, text.lstrip("+"))
    octal = digits[0] == "0" and digits[1:].isdigit()  # as in C: a leading zero means octal
    number = sign * int(digits, 8 if octal else 0)
    return number if _LEAST_INTEGER <= number <= _MOST_INTEGER else float(number)


def _float(_: _PulumiLoader, node: yaml.ScalarNode) -> float | int | str:
    text: str = node.value
    if text.lower().endswith((".inf", ".nan")):
        raise _refused(f"{text} is no value that config can hold; put quotes around it", node)
    number = float(text)
    if math.isinf(number):
        return text  # what is too large for a number is text
    return int(number) if number.is_integer() and abs(number) < _FIRST_WITH_EXPONENT else number


def _timestamp(_: _PulumiLoader, node: yaml.ScalarNode) -> None:
    raise _refused(f"{node.value} would be read as a point in time; put quotes around it", node)


def _mapping(loader: _PulumiLoader, node: yaml.MappingNode) -> dict[str, Any]:
    loader.flatten_mapping(node)
    found: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        text = key if isinstance(key, str) else key_node.value
        if not isinstance(text, str) or text in found:
            raise _refused(f"the key {text} stands there twice", key_node)
        found[text] = loader.construct_object(value_node, deep=True)
    return found


_PulumiLoader.add_constructor(f"{_PLACE}int", _integer)
_PulumiLoader.add_constructor(f"{_PLACE}float", _float)
_PulumiLoader.add_constructor(f"{_PLACE}timestamp", _timestamp)
_PulumiLoader.add_constructor(f"{_PLACE}map", _mapping)


def read_yaml(path: Path) -> dict[str, Any]:
    """The object in a YAML file; empty for an empty file.

    Raises :class:`~byoc.errors.InputError` with file and line for what is no YAML or no object, and
    ``FileNotFoundError`` if there is no such file. Messages hold no value of the file: it may be a secret.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        content = yaml.load(text, _PulumiLoader)  # noqa: S506 - the loader is a safe one
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"{path}, line {mark.line + 1}" if mark is not None else str(path)
        raise InputError(f"{place}: {error.problem or 'this is not YAML'}; correct the line") from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError, OverflowError):
        raise InputError(f"{path}: this is not YAML in UTF-8; correct the file") from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise InputError(f"{path}: the file should hold keys and values, such as config:; correct its first lines")
    return content
