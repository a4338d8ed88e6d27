"""Whether the database answers, and has room.

Source of the states: Amazon RDS User Guide, "Viewing Amazon RDS DB instance status".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from byoc.alarming import DATABASE_FREE_SHARE
from byoc.operations.recovery.facts import DatabaseSettings, RecoveryFacts
from byoc.operations.recovery.finding import Area, Call, Finding, Remedy, Severity
from byoc.operations.status.facts import Absent, DatabaseFacts, Facts
from byoc.operations.status.findings import ANSWERING

NEARLY_FULL = DATABASE_FREE_SHARE
"""Share of free storage below which it is nearly full: that of the alarm ``database-storage``."""
ALMOST_NONE = 0.03
_KEY = (
    "its KMS key cannot be used: enable the key, or give Amazon RDS its grant back; then start the database within "
    "seven days, or restore it from a backup"
)
_TROUBLES: Mapping[str, tuple[str, str]] = {
    "failed": ("has failed, and Amazon RDS cannot recover it", "restore it to the latest point in time"),
    "inaccessible-encryption-credentials": (
        "cannot use its KMS key, and Amazon RDS cannot recover it",
        "restore it from a backup; the key's owner says what became of the key",
    ),
    "inaccessible-encryption-credentials-recoverable": ("stands still, since its KMS key cannot be used", _KEY),
    "incompatible-network": (
        "cannot come up in its network: no free address, or a changed VPC",
        "free addresses in the subnets of the subnet group, then reboot it",
    ),
    "incompatible-option-group": (
        "cannot start with its option group",
        "put back the group that it had, then reboot it",
    ),
    "incompatible-parameters": (
        "cannot start with its parameters",
        "reset the parameters that were changed in its group, then reboot it",
    ),
    "incompatible-restore": ("could not be restored to that point in time", "restore it to another one"),
    "incompatible-create": ("could not be made with these settings", "RDS's events say which (byoc events)"),
    "insufficient-capacity": (
        "cannot be made: AWS has no capacity for its class in the zones",
        "choose another byoc:database.instanceClass, or try again later",
    ),
    "restore-error": ("could not be restored", "RDS's events say why (byoc events)"),
    "storage-full": (
        "has no storage left and stands still",
        "raise byoc:database.storageGb by 10 percent or more, then byoc up; it can take hours",
    ),
}
_LEAVING: Mapping[str, tuple[str, str]] = {
    "delete-precheck": (
        "is about to be deleted: Amazon RDS looks whether it may be",
        "nothing stops that but its protection from deletion; its last snapshot can be restored under the same name",
    ),
    "deleting": (
        "is being deleted",
        "nothing stops that; its last snapshot can be restored under the same name",
    ),
}
_ON_ITS_WAY: Mapping[str, str] = {
    "creating": "is being made",
    "rebooting": "restarts",
    "renaming": "is being renamed",
    "starting": "starts",
    "stopping": "is being stopped",
    "upgrading": "is being upgraded, and may not answer meanwhile",
    "maintenance": "has its maintenance",
    "converting-to-vpc": "is being moved",
    "moving-to-vpc": "is being moved",
}


def diagnose_database(facts: RecoveryFacts) -> Iterator[Finding]:
    """State and storage."""
    database = facts.status.database
    if isinstance(database, Absent):
        yield _finding(
            "absent",
            Severity.CRITICAL,
            "the database is not there",
            "byoc up would make an empty one: if there was data in it, restore its last snapshot under this name "
            "before",
        )
    if isinstance(database, DatabaseFacts):
        yield from _state(facts, database)
    if isinstance(facts.database, DatabaseSettings):
        yield from _storage(facts.database)


def unknown_state(facts: Facts) -> Iterator[str]:
    """A state that AWS has added since: whether the database answers in it is not known."""
    if isinstance(facts.database, DatabaseFacts):
        status = facts.database.status
        if status not in ANSWERING and status not in {*_TROUBLES, *_LEAVING, *_ON_ITS_WAY, "stopped"}:
            yield f"not known: whether the database answers: Amazon RDS says that it is {status}"


def _state(facts: RecoveryFacts, database: DatabaseFacts) -> Iterator[Finding]:
    status = database.status
    evidence = (f"{database.identifier} is {status}",)
    if status in _TROUBLES:
        words, way_out = _TROUBLES[status]
        yield _finding(status, Severity.CRITICAL, f"the database {words}", way_out, evidence)
    elif status == "stopped":
        yield _stopped(facts, database, evidence)
    elif status in _LEAVING:
        words, way_out = _LEAVING[status]
        yield _finding(status, Severity.CRITICAL, f"the database {words}", way_out, evidence)
    elif status in _ON_ITS_WAY:
        yield _finding(status, Severity.NOTE, f"the database {_ON_ITS_WAY[status]}", "", evidence)


def _stopped(facts: RecoveryFacts, database: DatabaseFacts, evidence: tuple[str, ...]) -> Finding:
    """One that is not known to be ours is not started."""
    ours = isinstance(facts.database, DatabaseSettings) and facts.expected.owns(facts.database.tags)
    start = Remedy(
        name="start-database",
        part="database",
        words="start the database; it takes minutes, and costs what it did before",
        calls=(Call(action="rds:StartDBInstance", arguments={"DBInstanceIdentifier": database.identifier}),),
    )
    return _finding(
        "stopped",
        Severity.CRITICAL,
        "the database is stopped: by hand, for AWS stops none by itself",
        "start it; AWS does so by itself after seven days",
        evidence,
        start if ours else None,
    )


def _storage(database: DatabaseSettings) -> Iterator[Finding]:
    free = database.free_gib
    if not isinstance(free, float | int) or free >= database.storage_gib * NEARLY_FULL:
        return
    evidence = (f"{free:.1f} GiB of {database.storage_gib} GiB are free",)
    if database.max_storage_gib is not None and database.storage_gib < database.max_storage_gib:
        # RDS waits six hours between two enlargements (Amazon RDS User Guide: storage autoscaling).
        yield _finding(
            "storage-grows",
            Severity.WARNING if free < database.storage_gib * ALMOST_NONE else Severity.NOTE,
            f"the storage is nearly full; Amazon RDS enlarges it by itself, up to {database.max_storage_gib} GiB",
            "if it fills up faster than RDS enlarges it (once in six hours): raise byoc:database.storageGb, byoc up",
            evidence,
        )
        return
    limit = "" if database.max_storage_gib is None else " and as large as byoc:database.maxStorageGb allows"
    yield _finding(
        "storage-nearly-full",
        Severity.CRITICAL if free < database.storage_gib * ALMOST_NONE else Severity.WARNING,
        f"the storage is nearly full{limit}",
        "raise byoc:database.storageGb (or maxStorageGb, so that RDS enlarges it by itself), then byoc up",
        evidence,
    )


def _finding(
    name: str,
    severity: Severity,
    words: str,
    way_out: str,
    evidence: tuple[str, ...] = (),
    remedy: Remedy | None = None,
) -> Finding:
    return Finding(
        id=f"database.{name}",
        area=Area.DATABASE,
        part="database",
        severity=severity,
        words=words,
        evidence=evidence,
        way_out=way_out,
        remedy=remedy,
    )
