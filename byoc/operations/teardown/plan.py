"""What a teardown would do, before it does anything."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from byoc.operations.teardown.blockers import Blocker, Clearing, blockers
from byoc.operations.teardown.facts import Database, Facts, Key
from byoc.operations.teardown.found import Found
from byoc.operations.teardown.look_data import BACKUP, DATABASE, PENDING_SECRET, SECRET, SNAPSHOT
from byoc.operations.teardown.look_network import ADOPTED_TAG
from byoc.operations.teardown.look_rights import LINKED_ROLE
from byoc.operations.teardown.look_serving import INSIGHTS, REPOSITORY
from byoc.operations.teardown.read import describe_key, read_facts
from byoc.operations.teardown.sign_off import FINAL_SNAPSHOT, Entry, Keys, Verdict, sign_off
from byoc.operations.teardown.subject import Subject

_DATA = (DATABASE, SECRET, "log group")
"""Kinds whose deletion loses something that cannot be made again."""
_NEVER = (SNAPSHOT, BACKUP, LINKED_ROLE, INSIGHTS, PENDING_SECRET)
"""Kinds that no destroy touches."""
_OF_DEPLOYMENTS = (
    "alarm",
    "scaling policy",
    "scalable target",
    "ECS service",
    "ECS task",
    "ECS task definition",
    "Cloud Map service",
    "load balancer",
    "target group",
    DATABASE,
    "database parameter group",
    SECRET,
)
"""Kinds that an account stack has only for deployments of its own."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What a user allows beyond a plain teardown.

    ``unprotect``: deletion protection may be taken off. ``purge_secrets``: secrets that wait for their deletion under
    our names are deleted without recovery. By default neither.
    """

    unprotect: bool = False
    purge_secrets: bool = False


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The order of things, for one stack."""

    subject: Subject
    facts: Facts
    going: tuple[Found, ...]
    """What a destroy deletes, in the order in which it can go."""
    kept: tuple[Entry, ...]
    """What stays, and why."""
    blockers: tuple[Blocker, ...]
    purged: tuple[Found, ...]
    """Secrets that are deleted for good."""

    @property
    def stack(self) -> str:
        """The stack's name."""
        return self.subject.stack

    @property
    def standing(self) -> tuple[Blocker, ...]:
        """What keeps the teardown from beginning."""
        return tuple(item for item in self.blockers if item.stands)

    @property
    def cleared(self) -> tuple[Blocker, ...]:
        """What the teardown itself takes out of the way."""
        return tuple(item for item in self.blockers if item.clearing in (Clearing.DEREGISTER, Clearing.UNPROTECT))

    @property
    def data(self) -> frozenset[tuple[str, str]]:
        """Everything that holds data and is named here to go."""
        return frozenset(item.key for item in self.going if item.kind in _DATA)

    @property
    def ending(self) -> dict[str, str]:
        """Databases that go and are to leave a final snapshot: RDS's resource id, by identifier."""
        return {item.identifier: item.resource_id for item in self.facts.databases if item.final_snapshot}

    @property
    def forgotten(self) -> frozenset[str]:
        """Secrets that are deleted without recovery: their names can be used again as soon as AWS has ended them."""
        return frozenset(item.id for item in (*self.facts.look.of(SECRET), *self.purged))


def make_plan(subject: Subject, options: Options, *, going_first: Collection[str] = ()) -> Plan:
    """Ask AWS about a stack, and say what its teardown would do; nothing is changed.

    ``going_first``: deployments that are torn down before, by the same command.
    """
    facts = read_facts(subject)
    pending = facts.look.of(PENDING_SECRET)
    purged = pending if options.purge_secrets else ()
    kept = [
        entry
        for entry in sign_off(subject.stack, facts.look, snapshot_keys(subject, facts), traces=traces(subject)).entries
        if (entry.verdict is Verdict.KEPT and entry.kind != ADOPTED_TAG)  # which goes, whoever else uses it
        or (entry.verdict is Verdict.LEFT and _stays(entry, purged))
    ]
    kept += [_coming_snapshot(database) for database in facts.databases if database.final_snapshot]
    return Plan(
        subject=subject,
        facts=facts,
        going=tuple(item for item in facts.look.found if _goes(item, subject)),
        kept=tuple(kept),
        blockers=blockers(
            facts,
            own=subject.deployment_names,
            is_install=subject.install is not None,
            unprotect=options.unprotect,
            going_first=going_first,
        ),
        purged=purged,
    )


def _stays(entry: Entry, purged: Collection[Found]) -> bool:
    """Whether what a sweep would call left over is nothing that a destroy deletes."""
    is_purged = any((entry.kind, entry.id) == item.key for item in purged)
    return entry.kind in (*_NEVER, FINAL_SNAPSHOT) and not is_purged


def _goes(item: Found, subject: Subject) -> bool:
    if item.kind in _NEVER or (item.kind == REPOSITORY and item.facts.get("images")):
        return False
    if subject.install is None or item.kind not in _OF_DEPLOYMENTS:
        return True
    # Of an account stack's own deployments; others go with their own stacks.
    named = any(item.id.endswith(name) or f"/{name} " in item.id for name in subject.services())
    return item.deployment in subject.deployment_names or (not item.deployment and named)


def snapshot_keys(subject: Subject, facts: Facts) -> Keys:
    """The keys of the snapshots and backups that are there."""
    return keys_of(subject, facts.look.of(SNAPSHOT, BACKUP))


def keys_of(subject: Subject, snapshots: Collection[Found]) -> Keys:
    """The keys of snapshots and backups, each asked about once."""
    ids = {str(item.facts["KmsKeyId"]) for item in snapshots if item.facts.get("KmsKeyId")}
    return {key_id: describe_key(subject.account, key_id) for key_id in sorted(ids)}


def traces(subject: Subject) -> tuple[str, ...]:
    """The tracing projects of the subject's deployments."""
    return tuple(
        target.section.tracing.project_of(target.deployment)
        for target in subject.deployments
        if target.section.tracing.enabled
    )


def _coming_snapshot(database: Database) -> Entry:
    key = database.key
    held = f"; it will need key {key.arn}" if isinstance(key, Key) and not key.of_aws else ""
    return Entry(
        verdict=Verdict.KEPT,
        kind=FINAL_SNAPSHOT,
        id=f"{database.identifier}-final-…",
        why=f"AWS makes it before the database goes: {database.storage_gib} GiB{held}",
    )
