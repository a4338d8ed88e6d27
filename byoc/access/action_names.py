"""The names of all AWS actions, from the action reference."""

from __future__ import annotations

from byoc.permissions.reference import names_like


def expand(pattern: str) -> tuple[str, ...]:
    """Every action that ``pattern`` means (``rds:Describe*``), as AWS spells it, sorted; the pattern if it means none.

    ``*`` and ``service*:…`` stand for more than a list is good for, and are given back as they are.
    """
    return tuple(sorted(names_like(pattern))) or (pattern,)
