"""Whether a final snapshot can be relied on: before that, neither its database's account nor its key may go."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from byoc.operations.teardown.facts import Key
from byoc.operations.teardown.found import NotAsked


def is_final(snapshot: Mapping[str, Any]) -> bool:
    """Whether a snapshot is one that a destroy left, by its name (``byoc.components.database``)."""
    return str(snapshot["DBSnapshotIdentifier"]).startswith(f"{snapshot['DBInstanceIdentifier']}-final-")


def is_of(snapshot: Mapping[str, Any], identifier: str, resource_id: str) -> bool:
    """Whether it is a snapshot of this very database, not of an earlier one that had the same identifier.

    RDS's resource id decides; where it is not known on both sides, the identifier does.
    """
    taken_of = str(snapshot.get("DbiResourceId") or "")
    same = not resource_id or not taken_of or taken_of == resource_id
    return same and snapshot["DBInstanceIdentifier"] == identifier


def size_words(snapshot: Mapping[str, Any]) -> str:
    """How large it is, how it is encrypted, and from when (by UTC): there may be several of databases of one name."""
    encrypted = "encrypted" if snapshot.get("Encrypted") else "not encrypted"
    taken = snapshot.get("SnapshotCreateTime")
    of = f", of {taken.astimezone(UTC):%Y-%m-%d}" if isinstance(taken, datetime) else ""
    return f"{snapshot.get('Status')}, {encrypted}, {snapshot.get('AllocatedStorage', 0)} GiB{of}"


def problems(snapshot: Mapping[str, Any], key: Key | NotAsked | None) -> tuple[str, ...]:
    """Why a snapshot cannot be relied on; nothing if it can.

    It has to be available, encrypted and of some size, and its key in use: a snapshot whose key is gone cannot be read
    by anybody (Amazon RDS User Guide: Encrypting Amazon RDS resources).
    """
    found = []
    status = str(snapshot.get("Status") or "")
    if status == "creating":
        found.append(f"AWS is still making it ({snapshot.get('PercentProgress', 0)} percent)")
    elif status != "available":
        found.append(f"it is {status or 'in no known state'}")
    if not snapshot.get("Encrypted"):
        found.append("it is not encrypted")
    if int(snapshot.get("AllocatedStorage") or 0) <= 0:
        found.append("AWS gives it no size")
    if isinstance(key, Key) and not key.of_aws and key.state != "Enabled":
        found.append(f"its key {key.arn} is {key.state}")
    return tuple(found)
