"""What ``byoc access diff`` compares and shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from byoc.access.action_names import expand
from byoc.access.differences import (
    Difference,
    Policies,
    TrustDifference,
    differences,
    limit_differences,
    trust_difference,
)
from byoc.access.saved import Version
from byoc.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

NOTHING = "no action is allowed or denied otherwise, and nobody else may assume the roles"


@dataclass(frozen=True, kw_only=True)
class Compared:
    """How two versions of one role differ."""

    role: str
    """``control plane`` or ``break-glass``."""
    trust: TrustDifference
    limits: dict[str, tuple[str, str]]
    actions: Sequence[Difference]

    @property
    def anything(self) -> bool:
        """Whether they differ at all."""
        return bool(self.trust.gained or self.trust.lost or self.limits or self.actions)

    def document(self) -> dict[str, Any]:
        """For a program to read."""
        return {
            "trust": {"gained": list(self.trust.gained), "lost": list(self.trust.lost)},
            "limits": {name: {"old": old, "new": new} for name, (old, new) in self.limits.items()},
            "differences": [item.document() for item in self.actions],
        }


def compared(old: Version, new: Version) -> tuple[Compared, Compared]:
    """Both roles of two versions. Raises ``InputError`` for policies whose actions nobody can list."""
    return (
        _compared("control plane", old.control_plane, new.control_plane),
        _compared("break-glass", old.break_glass, new.break_glass),
    )


def document_of(old: Version, new: Version, found: tuple[Compared, Compared]) -> dict[str, Any]:
    """The comparison as one JSON object."""
    control_plane, break_glass = found
    return {
        "old": _version(old),
        "new": _version(new),
        **control_plane.document(),
        "breakGlass": break_glass.document(),
    }


def show(out: Console, old: Version, new: Version, found: tuple[Compared, Compared]) -> None:
    """The comparison for people: versions, then role by role who may assume it, its limits, and its actions."""
    out.print(f"old: {old.words}")
    out.print(f"new: {new.words}")
    if not any(item.anything for item in found):
        out.print(NOTHING)
    for item in found:
        for sign, entries in (("+", item.trust.gained), ("-", item.trust.lost)):
            for entry in entries:
                out.print(f"{sign} who may assume the {item.role} role: {entry}")
        for name, (before, after) in item.limits.items():
            out.print(f"~ {name} of the {item.role} role: {before} -> {after}")
        if item.actions:
            out.print(f"{item.role} role: {_counts(item.actions)}")
            out.print(_table(item.actions))


def _compared(role: str, old: Policies, new: Policies) -> Compared:
    try:
        actions = differences(old, new, expand)
    except ValueError as error:
        raise InputError(
            f"{error}: nobody can list what that allows\n"
            "      allowed:  what 'byoc access report STACK --format json' writes\n"
            "      mend it:  write it with the version that you compare with"
        ) from None
    return Compared(role=role, trust=trust_difference(old, new), limits=limit_differences(old, new), actions=actions)


def _version(version: Version) -> dict[str, str]:
    return {"byoc": version.byoc, "policiesVersion": version.policies_version, "settings": version.settings}


def _counts(found: Sequence[Difference]) -> str:
    counts = {kind: len(list(group)) for kind, group in groupby(found, key=lambda item: item.kind)}
    return ", ".join(f"{count} {kind.value}" for kind, count in counts.items())


def _table(found: Sequence[Difference]) -> Any:  # noqa: ANN401 - a table of rich's
    """One row for the actions of a service that change in the same way, for the same reason."""
    from byoc.cli.view import rows_table

    rows: dict[tuple[str, ...], list[str]] = {}
    for item in found:
        same = (item.action.partition(":")[0], item.kind.value, _where(item), "; ".join(item.reasons))
        rows.setdefault(same, []).append(item.action)
    return rows_table(
        ("action", "what changes", "where", "reason"),
        [("\n".join(actions), *same[1:]) for same, actions in rows.items()],
    )


def _where(item: Difference) -> str:
    gained = [f"+ {scope.effect.lower()} {scope.words}" for scope in item.gained if scope.effect == "Allow"]
    gained += [f"+ no more deny {scope.words}" for scope in item.gained if scope.effect == "Deny"]
    lost = [f"- allow {scope.words}" for scope in item.lost if scope.effect == "Allow"]
    lost += [f"- deny {scope.words}" for scope in item.lost if scope.effect == "Deny"]
    return "\n".join([*gained, *lost])
