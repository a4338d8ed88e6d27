"""How IAM compares a text with a pattern: wildcards, ARNs, and the variables that a pattern may carry."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence

Context = Mapping[str, str | Sequence[str]]
"""The condition keys of a request; names are compared without regard to case."""

_VARIABLE = re.compile(r"\$\{([^{}]*)\}")
_LITERALS = frozenset("*?$")
_ARN_FIELDS = 6


class Unresolved(Exception):  # noqa: N818 - not an error of the caller: the statement simply does not match
    """A pattern names a variable without a value in the request (AWS docs: IAM policy elements, variables and tags)."""


def lookup(context: Context, key: str) -> tuple[str, ...] | None:
    """The values of a condition key, or ``None`` where the request does not carry it."""
    wanted = key.lower()
    for name, value in context.items():
        if name.lower() == wanted:
            return (value,) if isinstance(value, str) else tuple(value)
    return None


def _pieces(pattern: str, context: Context, *, variables: bool) -> list[tuple[str, bool]]:
    """``pattern`` as pieces of text, each with whether its wildcards are live.

    What a variable stands for is literal text: a tag value of ``*`` matches an asterisk and nothing else.
    """
    if not variables:
        return [(pattern, True)]
    pieces: list[tuple[str, bool]] = []
    end = 0
    for found in _VARIABLE.finditer(pattern):
        pieces.append((pattern[end : found.start()], True))
        pieces.append((_resolve(found.group(1), context), False))
        end = found.end()
    pieces.append((pattern[end:], True))
    return [piece for piece in pieces if piece[0]]


def _resolve(expression: str, context: Context) -> str:
    if expression in _LITERALS:
        return expression
    key, comma, default = expression.partition(",")
    values = lookup(context, key.strip())
    if values is not None and len(values) == 1:
        return values[0]
    if comma:
        return default.strip().strip("'")
    raise Unresolved(expression)


def substitute(pattern: str, context: Context, *, variables: bool) -> str:
    """``pattern`` with its variables filled in, for operators that know no wildcards. Raises :class:`Unresolved`."""
    return "".join(text for text, _ in _pieces(pattern, context, variables=variables))


def like(pattern: str, text: str, context: Context, *, variables: bool) -> bool:
    """Whether ``text`` matches ``pattern``, with ``*`` for any run of characters and ``?`` for one; case matters."""
    pieces = tuple(_pieces(pattern, context, variables=variables))
    return _compiled(pieces, within_segments=False).fullmatch(text) is not None


def action_matches(pattern: str, action: str) -> bool:
    """Whether an ``Action`` entry covers ``service:Operation``; case does not matter."""
    return _compiled(((pattern.lower(), True),), within_segments=False).fullmatch(action.lower()) is not None


def resource_matches(pattern: str, resource: str, context: Context, *, variables: bool) -> bool:
    """Whether a ``Resource`` entry covers a resource.

    A ``*`` that ends a segment of the ARN reaches over the colons after it, any other stays within its segment; an ARN
    of fewer than six fields is completed with ``*`` (AWS docs: IAM JSON policy elements, Resource). Raises
    :class:`Unresolved`.
    """
    pieces = _pieces(pattern, context, variables=variables)
    fields = sum(text.count(":") for text, _ in pieces) + 1
    if pattern.startswith("arn:") and fields < _ARN_FIELDS:
        pieces.append((":*" * (_ARN_FIELDS - fields), True))
    return _compiled(tuple(pieces), within_segments=True).fullmatch(resource) is not None


def arn_like(pattern: str, arn: str, context: Context, *, variables: bool) -> bool:
    """The ``Arn…`` operators: each of the six fields of an ARN is compared on its own. Raises :class:`Unresolved`."""
    wanted = _fields(_pieces(pattern, context, variables=variables))
    got = arn.split(":", _ARN_FIELDS - 1)
    if len(wanted) != _ARN_FIELDS or len(got) != _ARN_FIELDS:
        return False
    return all(
        _compiled(tuple(pieces), within_segments=False).fullmatch(text)
        for pieces, text in zip(wanted, got, strict=True)
    )


def _fields(pieces: list[tuple[str, bool]]) -> list[list[tuple[str, bool]]]:
    fields: list[list[tuple[str, bool]]] = [[]]
    for text, live in pieces:
        first, *rest = text.split(":", _ARN_FIELDS - len(fields))
        fields[-1].append((first, live))
        fields.extend([(part, live)] for part in rest)
    return fields


@functools.lru_cache(maxsize=8192)
def _compiled(pieces: tuple[tuple[str, bool], ...], *, within_segments: bool) -> re.Pattern[str]:
    last = len(pieces) - 1
    expression: list[str] = []
    for number, (text, live) in enumerate(pieces):
        for place, character in enumerate(text):
            if not live or character not in "*?":
                expression.append(re.escape(character))
                continue
            following = text[place + 1 : place + 2] or ("" if number == last else "more")
            reaches = not within_segments or (character == "*" and following in ("", ":"))
            expression.append(("." if reaches else "[^:]") + ("*" if character == "*" else ""))
    return re.compile("".join(expression), re.DOTALL)
