"""What is asked of AWS beside provisioning: looking after a deployment, and bringing its data back.

A feature asks only about what a stack has: one without a database of ours reads no events of databases. Reasons name
the pages of AWS's documentation; nothing here was seen on the wire of the AWS provider.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from byoc.permissions.needs import feature_rows, operating_rows, preflight_rows
from byoc.permissions.needs.actions import Need
from byoc.permissions.needs.feature import HEALTH, OPERATING, SECRET, Feature
from byoc.permissions.needs.feature_rows import LINKED_ROLES

__all__ = ["HEALTH", "LINKED_ROLES", "OPERATING", "SECRET", "Feature", "feature_needs"]

ROWS = (*feature_rows.ROWS, *operating_rows.ROWS, *preflight_rows.ROWS)
"""What every feature asks, by type."""


def feature_needs(features: Iterable[Feature], types: Iterable[str]) -> Iterator[Need]:
    """What features ask of a stack that has these resource types, feature by feature."""
    wanted, there = set(features), set(types)
    for row in ROWS:
        if row.feature in wanted and row.token in there:
            for action in row.actions:
                yield Need(row.token, row.phase, action, row.reason)
