"""Whether the deletion of a stack leaves its databases' final snapshots: engines go by their state, not by the config.

``database.finalSnapshot`` is nothing that AWS knows: it takes effect with the ``up`` that writes it into the state.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from byoc.errors import ByocError
from byoc.permissions.needs.feature import DATABASE


def final_snapshots(resources: Iterable[Mapping[str, Any]]) -> dict[str, bool]:
    """Of the databases among a stack's recorded resources, by identifier: whether a deletion leaves a final snapshot.

    ``resources`` as ``pulumi stack export`` writes them. The provider makes one unless the last run said otherwise.
    """
    found = {}
    for item in resources:
        if item.get("type") == DATABASE and not item.get("delete"):
            recorded = {**(item.get("inputs") or {}), **(item.get("outputs") or {})}
            found[str(recorded.get("identifier"))] = not recorded.get("skipFinalSnapshot")
    return found


def refuse_lost_snapshot(stack: str, resources: Iterable[Mapping[str, Any]]) -> None:
    """Raise ``ByocError`` if a database would go without the final snapshot that the config asks for."""
    if not all(final_snapshots(resources).values()):
        raise ByocError(
            f"{stack}: not deleted: database.finalSnapshot asks for a final snapshot, and was not rolled out: the data "
            f"would be gone\n      mend it:  byoc up {stack}"
        )
