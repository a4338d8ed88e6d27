"""What stands in the way of a teardown: a pure function of facts."""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from byoc.operations.teardown.facts import (
    Database,
    Facts,
    Key,
    LoadBalancer,
    Registered,
)
from byoc.operations.teardown.found import Found, NotAsked
from byoc.operations.teardown.look_data import DATABASE
from byoc.operations.teardown.look_network import ADOPTED_TAG

_STANDING = ("ECS service", DATABASE, "load balancer")
"""Kinds that show that a deployment still stands: they use what an account stack would delete."""
_DECIDING = ("databases", "secrets", "log groups", "ECS services", "load balancers")
"""Kinds that must be known before anything begins: they hold data, or show what still stands. Of all others, AWS
refuses to delete what cannot go."""
_NO_SNAPSHOT = ("creating", "failed", "incompatible-restore", "incompatible-network")
"""States in which RDS deletes only without a final snapshot (Amazon RDS API Reference: ``DeleteDBInstance``; Amazon RDS
User Guide: Deleting a DB instance)."""


class Clearing(enum.StrEnum):
    """What a teardown does about a blocker by itself."""

    NOTHING = "nothing"
    """Somebody else has to."""
    DEREGISTER = "deregister"
    """The instance goes out of Cloud Map."""
    UNPROTECT = "unprotect"
    """The deletion protection is taken off; only where that was asked for."""
    LEFT_TO_AWS = "goes on: AWS itself refuses what cannot go"
    """It is not known, and nothing that holds data depends on it."""
    WRITTEN_AGAIN = "takes them off; the other install's account stack writes them again: byoc up <it> --refresh"
    """Somebody else needs what goes, and can bring it back."""
    GOES_FIRST = "goes first"
    """Another stack of the same command takes it away."""


@dataclass(frozen=True, kw_only=True)
class Blocker:
    """One thing that AWS, or the engine, would refuse a deletion for."""

    kind: str
    id: str
    why: str
    remedy: str
    clearing: Clearing = Clearing.NOTHING
    subject: Registered | Database | LoadBalancer | None = None
    """What is to be cleared."""

    @property
    def stands(self) -> bool:
        """Whether it keeps a teardown from beginning."""
        return self.clearing is Clearing.NOTHING


def blockers(
    facts: Facts, *, own: Collection[str], is_install: bool, unprotect: bool, going_first: Collection[str] = ()
) -> tuple[Blocker, ...]:
    """What stands in the way.

    ``own``: the deployments of the stack itself. ``unprotect``: whether deletion protection may be taken off.
    ``going_first``: deployments that other stacks of the same command take away before.
    """
    found = [*_unanswered(facts), *_databases(facts, own, unprotect=unprotect)]
    found += _balancers(facts, own, unprotect=unprotect)
    if is_install:
        found += _standing(facts, own, going_first)
        found += _others_services(facts, own)
        found += _guests(facts)
        found += _installs_beside(facts)
    found += _registered(facts)
    return tuple(found)


def _unanswered(facts: Facts) -> Iterator[Blocker]:
    for item in (*facts.look.not_asked, *facts.not_asked):
        yield Blocker(
            kind="unknown",
            id=item.what,
            why=f"AWS did not say: {item.why}",
            remedy="repeat it later, or with credentials that may ask (--profile)",
            clearing=Clearing.NOTHING if item.what in _DECIDING else Clearing.LEFT_TO_AWS,
        )


def _databases(facts: Facts, own: Collection[str], *, unprotect: bool) -> Iterator[Blocker]:
    for database in facts.databases:
        if database.deployment not in own:
            continue  # it goes with its own stack
        if database.protected:
            yield Blocker(
                kind=DATABASE,
                id=database.identifier,
                why="it is protected from deletion",
                remedy="--unprotect takes the protection off; or set database.deletionProtection to false and run up",
                clearing=Clearing.UNPROTECT if unprotect else Clearing.NOTHING,
                subject=database,
            )
        if database.final_snapshot:
            yield from _state(database)
            yield from _key(database)


def _state(database: Database) -> Iterator[Blocker]:
    if database.status in _NO_SNAPSHOT:
        yield Blocker(
            kind=DATABASE,
            id=database.identifier,
            why=f"it is {database.status}, and AWS makes no final snapshot of such a database",
            remedy="see 'byoc events', mend it; or, to lose the data, set database.finalSnapshot to false and run up",
        )


def _key(database: Database) -> Iterator[Blocker]:
    """A final snapshot is encrypted as its database is: it can neither be made nor read without that key."""
    key = database.key
    if isinstance(key, NotAsked):
        yield Blocker(
            kind="key",
            id=key.what.removeprefix("key "),
            why=f"the final snapshot of {database.identifier} needs it, and AWS did not say how it is: {key.why}",
            remedy="repeat it with credentials that may ask kms:DescribeKey",
            clearing=Clearing.LEFT_TO_AWS,  # without its key, AWS refuses to make the snapshot, and to delete
        )
    elif isinstance(key, Key) and not key.of_aws and key.state != "Enabled":
        yield Blocker(
            kind="key",
            id=key.arn,
            why=f"the final snapshot of {database.identifier} needs it, and it is {key.state}",
            remedy=f"{_bring_back(key)}; or, to lose the data, set database.finalSnapshot to false and run up",
        )


def _bring_back(key: Key) -> str:
    enable = f"aws kms enable-key --key-id {key.arn}"
    if key.state == "Disabled":
        return enable
    if key.state == "PendingDeletion":
        return f"aws kms cancel-key-deletion --key-id {key.arn}, then {enable}"
    return "see in AWS KMS what became of it"


def _balancers(facts: Facts, own: Collection[str], *, unprotect: bool) -> Iterator[Blocker]:
    for balancer in facts.load_balancers:
        if balancer.deployment not in own:
            continue
        yield Blocker(
            kind="load balancer",
            id=balancer.name,
            why="somebody protected it from deletion",
            remedy="--unprotect takes the protection off",
            clearing=Clearing.UNPROTECT if unprotect else Clearing.NOTHING,
            subject=balancer,
        )


def _standing_parts(facts: Facts, own: Collection[str]) -> dict[str, list[Found]]:
    standing: dict[str, list[Found]] = {}
    for item in facts.look.of(*_STANDING):
        if item.deployment and item.deployment not in own:
            standing.setdefault(item.deployment, []).append(item)
    return standing


def _standing(facts: Facts, own: Collection[str], going_first: Collection[str]) -> Iterator[Blocker]:
    for deployment, items in sorted(_standing_parts(facts, own).items()):
        counts = Counter(item.kind for item in items)
        parts = ", ".join(f"{count} {kind}{'s' if count > 1 else ''}" for kind, count in counts.items())
        yield Blocker(
            kind="deployment",
            id=deployment,
            why=f"it still stands: {parts}",
            remedy=f"tear its stack down first, or name it in the same command: byoc teardown <stack of {deployment}>",
            clearing=Clearing.GOES_FIRST if deployment in going_first else Clearing.NOTHING,
        )


def _others_services(facts: Facts, own: Collection[str]) -> Iterator[Blocker]:
    standing = _standing_parts(facts, own)
    for item in facts.look.of("ECS service"):
        if not item.deployment and not _is_of(item.id.partition("/")[2], own):
            yield Blocker(
                kind=item.kind,
                id=item.id,
                why="it runs in the install's cluster, and no deployment of ours has made it",
                remedy="delete it, or move it to another cluster",
            )
    for item in facts.look.of("ECS task"):
        cluster, _, task = item.id.rpartition("/")
        group = str(item.facts.get("group", ""))
        if not group.startswith("service:"):
            yield Blocker(
                kind=item.kind,
                id=item.id,
                why=f"it runs in the install's cluster, and no service has started it: {group}",
                remedy=f"wait until it has ended, or: aws ecs stop-task --cluster {cluster} --task {task}",
            )
    for item in facts.look.of("Cloud Map service"):
        name = item.note.partition(",")[0]
        if name not in own and name not in standing:
            yield Blocker(
                kind=item.kind,
                id=item.id,
                why=f"'{name}' is in the install's namespace, which goes only when it is empty",
                remedy=f"aws servicediscovery delete-service --id {item.id}",
            )


def _is_of(service: str, own: Collection[str]) -> bool:
    return any(f"-{name}-" in service for name in own)


def _guests(facts: Facts) -> Iterator[Blocker]:
    for guest in facts.guests:
        yield Blocker(
            kind=guest.kind,
            id=guest.id,
            why=f"others made it, and {guest.where} stays as long as it is there"
            + (f": {guest.note}" if guest.note else ""),
            remedy="ask whose it is; delete or move it",
        )


def _installs_beside(facts: Facts) -> Iterator[Blocker]:
    for name in sorted({name for item in facts.look.of(ADOPTED_TAG) for name in item.facts.get("shared_with", ())}):
        yield Blocker(
            kind="install",
            id=name,
            why="it is in the same VPC, and its deployments find public subnets by the tags that this stack wrote",
            remedy="",
            clearing=Clearing.WRITTEN_AGAIN,
        )


def _registered(facts: Facts) -> Iterator[Blocker]:
    for item in facts.registered:
        if item.is_running:
            continue  # ECS takes it away with its service
        command = f"aws servicediscovery deregister-instance --service-id {item.service_id} --instance-id {item.id}"
        if item.ecs_service:
            why = f"it is registered as '{item.service}', and its ECS service {item.ecs_service} is gone"
        else:
            why = f"it is registered as '{item.service}', and not by an ECS service of the install"
        yield Blocker(
            kind="Cloud Map instance",
            id=item.id,
            why=why,
            remedy=command,
            clearing=Clearing.DEREGISTER if item.ecs_service else Clearing.NOTHING,
            subject=item,
        )
