"""Stacks by name or by pattern, as commands name them."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

_PATTERN_SIGNS = frozenset("*?[")


def is_pattern(word: str) -> bool:
    """Whether a word is a pattern (``*``, ``?``, ``[...]``) and not a name."""
    return bool(_PATTERN_SIGNS & set(word))


def matching(names: Iterable[str], word: str) -> tuple[str, ...]:
    """Those of ``names`` that a name or pattern means, in their order; upper and lower case are told apart."""
    return tuple(name for name in names if (fnmatchcase(name, word) if is_pattern(word) else name == word))
