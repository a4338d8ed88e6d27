"""What is left of a stack, and why: a pure function of what was found."""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from byoc.operations.teardown.facts import Key
from byoc.operations.teardown.found import Found, Look, NotAsked
from byoc.operations.teardown.look_data import BACKUP, DATABASE, PENDING_SECRET, SNAPSHOT
from byoc.operations.teardown.look_network import ADOPTED_TAG
from byoc.operations.teardown.look_rights import LINKED_ROLE
from byoc.operations.teardown.look_serving import INSIGHTS, REPOSITORY
from byoc.operations.teardown.snapshots import is_final, is_of, problems, size_words
from byoc.operations.times import iso
from byoc.types import AwsAccount

FINAL_SNAPSHOT = f"final {SNAPSHOT}"
Keys = Mapping[str, Key | NotAsked]
"""The keys that snapshots are encrypted with, by the id that the snapshot names."""
NOBODY: Mapping[str, str] = {}


class Verdict(enum.StrEnum):
    """Of one thing that a sweep came upon."""

    KEPT = "kept on purpose"
    LEFT = "left over"
    UNKNOWN = "could not be asked"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line of the list that is signed."""

    verdict: Verdict
    kind: str
    id: str
    why: str
    remedy: str = ""
    """What to do about it; empty where nothing has to be done."""


@dataclass(frozen=True, kw_only=True)
class Signature:
    """When, where and as whom a sweep was made."""

    at: datetime
    account: AwsAccount
    by: str
    """The ARN of the role that was assumed, or of whoever asked; empty if AWS did not say."""

    def __str__(self) -> str:
        """In one line; the time in UTC."""
        whom = self.by or "somebody of whom AWS did not say who it is"
        return f"{iso(self.at)}, account {self.account.account_id}, {self.account.region}, as {whom}"


@dataclass(frozen=True, kw_only=True)
class SignedOff:
    """What a sweep of one stack came to."""

    stack: str
    entries: tuple[Entry, ...]
    signature: Signature | None = None
    """None of what is only looked at for a plan."""

    def of(self, verdict: Verdict) -> tuple[Entry, ...]:
        """The lines with a verdict."""
        return tuple(entry for entry in self.entries if entry.verdict is verdict)

    @property
    def is_clean(self) -> bool:
        """Whether nothing is left but what is kept on purpose, and everything could be asked."""
        return all(entry.verdict is Verdict.KEPT for entry in self.entries)

    @property
    def conclusion(self) -> str:
        """The whole in one sentence."""
        left, unknown, kept = (len(self.of(one)) for one in (Verdict.LEFT, Verdict.UNKNOWN, Verdict.KEPT))
        parts = [f"{left} left over"] if left else []
        parts += [f"{unknown} could not be asked"] if unknown else []
        if parts:
            return ", ".join([*parts, f"{kept} kept on purpose"])
        return f"nothing is left but {kept} kept on purpose" if kept else "nothing is left"


def sign_off(
    stack: str,
    look: Look,
    keys: Keys,
    *,
    traces: Collection[str] = (),
    ended: Mapping[str, str] = NOBODY,
) -> SignedOff:
    """The list for a stack.

    ``traces``: tracing projects of its deployments. ``ended``: databases that were to go just now, and to leave a
    final snapshot: RDS's resource id (empty where that is not known), by identifier.
    """
    entries = [entry for item in look.found for entry in _entries(item, keys)]
    entries += _without_snapshot(look, ended)
    entries += [
        Entry(
            verdict=Verdict.UNKNOWN,
            kind=item.what,
            id="",
            why=item.why,
            remedy="ask again with --sweep-only: later, or with credentials that may (--profile)",
        )
        for item in look.not_asked
    ]
    entries += [
        Entry(
            verdict=Verdict.KEPT,
            kind="tracing project",
            id=name,
            why="it lies in LangSmith, and its traces outlive a deployment",
        )
        for name in sorted(traces)
    ]
    return SignedOff(stack=stack, entries=tuple(sorted(entries, key=lambda entry: _ORDER[entry.verdict])))


_ORDER = {Verdict.LEFT: 0, Verdict.UNKNOWN: 1, Verdict.KEPT: 2}


def _entries(item: Found, keys: Keys) -> Iterator[Entry]:
    if item.kind == SNAPSHOT:
        yield from _snapshot(item, keys)
    elif item.kind == LINKED_ROLE:
        yield _kept(item, "AWS's own role, one for the whole account; others may use it")
    elif item.kind == ADOPTED_TAG and item.facts.get("shared_with"):
        yield _kept(item, f"another install in the same VPC uses it: {', '.join(item.facts['shared_with'])}")
    elif item.kind == INSIGHTS:
        yield _kept(item, "ECS made it by itself, and its entries expire after a day")
    elif item.kind == REPOSITORY and item.facts.get("images"):
        yield _kept(
            item,
            f"it holds {item.note}, which nobody could make again",
            f"if they are not wanted: aws ecr delete-repository --force --repository-name {item.id}, then destroy",
        )
    elif item.kind == BACKUP:
        yield Entry(
            verdict=Verdict.LEFT,
            kind=item.kind,
            id=item.id,
            why=f"RDS keeps it of {item.facts['DBInstanceIdentifier']}, which is gone, until its days are over"
            f"{_held(item, keys)}",
            remedy=f"if it is not wanted: aws rds delete-db-instance-automated-backup --dbi-resource-id {item.id}",
        )
    elif item.kind == PENDING_SECRET:
        yield Entry(
            verdict=Verdict.LEFT,
            kind=item.kind,
            id=item.id,
            why=f"its deletion was asked for, and is not over; {item.note}; a new install of this name would fail",
            remedy="--purge-secrets deletes it at once and for good",
        )
    else:
        why = f"it is still there: {item.note}" if item.note else "it is still there"
        yield Entry(
            verdict=Verdict.LEFT, kind=item.kind, id=item.id, why=why, remedy="see who holds it, and run teardown again"
        )


def _kept(item: Found, why: str, remedy: str = "") -> Entry:
    return Entry(verdict=Verdict.KEPT, kind=item.kind, id=item.id, why=why, remedy=remedy)


def _held(item: Found, keys: Keys) -> str:
    """What a key has to stay for, if it is one that can go."""
    key_id = str(item.facts.get("KmsKeyId") or "")
    key = keys.get(key_id)
    if not key_id or (isinstance(key, Key) and key.of_aws):
        return ""
    state = f" and is {key.state}" if isinstance(key, Key) and key.state != "Enabled" else ""
    return f"; it needs key {key_id}, which may not go before it{state}"


def _snapshot(item: Found, keys: Keys) -> Iterator[Entry]:
    snapshot = item.facts
    key_id = str(snapshot.get("KmsKeyId") or "")
    key = keys.get(key_id)
    if not is_final(snapshot):
        who = "AWS Backup" if snapshot.get("SnapshotType") == "awsbackup" else "somebody"
        by_hand = "" if who == "AWS Backup" else " by hand"
        yield _kept(item, f"{who} took it{by_hand}; {size_words(snapshot)}{_held(item, keys)}")
        return
    wrong = problems(snapshot, key)
    if wrong:
        is_key_told = isinstance(key, Key) and key.state != "Enabled"
        yield Entry(
            verdict=Verdict.LEFT,
            kind=FINAL_SNAPSHOT,
            id=item.id,
            why=f"it cannot be relied on: {'; '.join(wrong)}{'' if is_key_told else _held(item, keys)}",
            remedy="wait for it, or bring its key back; look again with --sweep-only before anything it needs goes",
        )
        return
    of_aws = isinstance(key, Key) and key.of_aws
    held = "under AWS's key of the account" if of_aws else f"it needs key {key_id}, which may not go before it"
    yield Entry(
        verdict=Verdict.KEPT,
        kind=FINAL_SNAPSHOT,
        id=item.id,
        why=f"the data of {snapshot['DBInstanceIdentifier']}: {size_words(snapshot)}; {held}",
        remedy=f"if it is not wanted: aws rds delete-db-snapshot --db-snapshot-identifier {item.id}",
    )
    if isinstance(key, NotAsked):
        yield Entry(
            verdict=Verdict.UNKNOWN,
            kind="key",
            id=key_id,
            why=f"final snapshot {item.id} needs it: {key.why}",
            remedy="ask again with credentials that may ask kms:DescribeKey",
        )


def _without_snapshot(look: Look, ended: Mapping[str, str]) -> Iterator[Entry]:
    if any(item.what in ("databases", "database snapshots") for item in look.not_asked):
        return
    there = {item.id for item in look.of(DATABASE)}
    final = [item.facts for item in look.of(SNAPSHOT) if is_final(item.facts)]
    for identifier in sorted(set(ended) - there):
        if any(is_of(snapshot, identifier, ended[identifier]) for snapshot in final):
            continue
        yield Entry(
            verdict=Verdict.LEFT,
            kind=FINAL_SNAPSHOT,
            id=identifier,
            why="the database is gone, and AWS shows no final snapshot of it",
            remedy="look in RDS for snapshots and retained backups before anything else goes",
        )
