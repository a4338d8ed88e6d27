"""Whether a deletion keeps the data that the plan says it keeps: an engine deletes by its state, not by the config."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from byoc.errors import ByocError
from byoc.permissions.needs.feature import DATABASE


def refuse_lost_snapshot(stack: str, resources: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
    """Raise ``ByocError`` if a database of a stack would go without a final snapshot, though the config asks for one.

    ``resources``: type and inputs of each resource in the stack's state. ``database.finalSnapshot`` is nothing that AWS
    knows: it takes effect with the ``up`` that writes it into the state.
    """
    if any(kind == DATABASE and inputs.get("skipFinalSnapshot") is True for kind, inputs in resources):
        raise ByocError(
            f"{stack}: not deleted: database.finalSnapshot asks for a final snapshot, and was not rolled out: the data "
            f"would be gone\n      mend it:  byoc up {stack}"
        )
