"""Names that Kubernetes takes, made from stack names: valid, and the same in every export."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

from byoc.errors import Problem

STACK_NAME_LIMIT = 42
"""Characters in the name of a ``Stack`` object (a rule of the operator's own resource definition: names of the
objects that it derives from it have to fit as well)."""
LABEL_LIMIT = 63
"""Characters in the name of a namespace or service account, and in a label's value (Kubernetes limit)."""

_HASH_DIGITS = 8
_LABEL = re.compile(r"[a-z]([a-z0-9-]*[a-z0-9])?", re.ASCII)


def kubernetes_name(name: str, limit: int) -> str:
    """``name`` itself if Kubernetes takes it, else a spelling that it takes, with a hash of ``name`` at its end.

    The result depends on ``name`` alone, so that no other stack can change it.
    """
    if len(name) <= limit and _LABEL.fullmatch(name):
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:_HASH_DIGITS]
    spelt = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    if not spelt[:1].isalpha():
        spelt = f"s-{spelt}".rstrip("-")
    return f"{spelt[: limit - _HASH_DIGITS - 1].rstrip('-')}-{digest}"


def clashes(names: Iterable[str]) -> list[Problem]:
    """Stacks that would share a ``Stack`` object: one is called what another one's name is turned into."""
    first: dict[str, str] = {}
    found: list[Problem] = []
    for name in names:
        other = first.setdefault(kubernetes_name(name, STACK_NAME_LIMIT), name)
        if other != name:
            found.append(
                Problem(
                    key=f"stack {name}",
                    value=f"the same Kubernetes name as stack {other}",
                    allowed="stacks with different Kubernetes names",
                    remedy="rename one of the two: pulumi stack rename",
                )
            )
    return found
