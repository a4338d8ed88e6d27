"""Whether two runs made the same, but for what AWS makes up: ids, addresses, passwords, times."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from byoc.values import Secret

_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[\d.]*(Z|[+-]\d\d:?\d\d)?")
_SECRET = re.compile(r"(:secret:[^\s\":]*-)[A-Za-z0-9]{6}\b")
"""Secrets Manager puts six characters behind a secret's name, which is told apart without them."""
_SEPARATORS = re.compile(r"([/:|,\"\s=@{}\[\]]+)")
_OF_LETTERS = re.compile(r"(ns|srv)-[a-z0-9]{8,}|Z[A-Z0-9]{7,}")
"""Ids of Cloud Map and of hosted zones may be of letters alone."""
_SHORTEST = 8
"""Characters. Nothing that AWS makes up is shorter; shorter words have to be equal."""


class Comparison:
    """Compares values of one run with those of another, and learns which made-up word stands for which.

    Two words that differ pass if they look made up, and if the first stands for the second wherever it is met, and the
    second for nothing else. So a reference to another resource passes only if it is to the same one.
    """

    def __init__(self) -> None:
        self._there: dict[str, str] = {}
        self._back: dict[str, str] = {}

    def differences(self, one: Any, other: Any, place: str) -> Iterator[str]:
        """Each place in which the two differ, with what stands there."""
        if isinstance(one, Secret) != isinstance(other, Secret):
            yield f"{place}: secret in one of them alone: {one} / {other}"
        elif isinstance(one, Secret):
            yield from self.differences(one.value, other.value, f"{place}(secret)")
        elif isinstance(one, Mapping) and isinstance(other, Mapping):
            for key in sorted(one.keys() | other.keys()):
                yield from self.differences(one.get(key), other.get(key), f"{place}.{key}")
        elif isinstance(one, list) and isinstance(other, list) and self._same_set(one, other):
            return
        elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
            for number, (first, second) in enumerate(zip(one, other, strict=True)):
                yield from self.differences(first, second, f"{place}[{number}]")
        elif isinstance(one, str) and isinstance(other, str):
            if not self._same_text(one, other):
                yield f"{place}: {one!r} / {other!r}"
        elif one != other or isinstance(one, bool) != isinstance(other, bool):
            yield f"{place}: {one!r} / {other!r}"

    def _same_set(self, one: list[Any], other: list[Any]) -> bool:
        """Whether both hold the same known ids, in any order: AWS tells sets in an order that ids decide."""
        return all(isinstance(item, str) and item in self._there for item in one) and (
            sorted(self._there[item] for item in one) == sorted(other)
        )

    def _same_text(self, one: str, other: str) -> bool:
        words, others = (_SEPARATORS.split(_fixed(text)) for text in (one, other))
        return len(words) == len(others) and all(map(self._same_word, words, others))

    def _same_word(self, one: str, other: str) -> bool:
        if one not in self._there and other not in self._back:
            if one == other:
                return True
            if not _may_be_made_up(one, other):
                return False
        return self._there.setdefault(one, other) == other and self._back.setdefault(other, one) == one


def _may_be_made_up(one: str, other: str) -> bool:
    if _OF_LETTERS.fullmatch(one) and _OF_LETTERS.fullmatch(other):
        return True
    return min(len(one), len(other)) >= _SHORTEST and any(map(str.isdigit, one + other))


def _fixed(text: str) -> str:
    return _SECRET.sub(r"\1<suffix>", _TIME.sub("<time>", text))
