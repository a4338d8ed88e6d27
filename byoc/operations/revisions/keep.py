"""Keeps what revisions need to be gone back to, for as many of them as the config says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from byoc.errors import InputError
from byoc.operations.revisions.definitions import Definition, SecretVersion
from byoc.operations.revisions.guard import rolling_out
from byoc.operations.revisions.read import Revisions, described, read_revisions
from byoc.operations.revisions.secret_versions import (
    Labels,
    all_current,
    apply_labels,
    label_of,
    labels,
    read_stages,
)
from byoc.operations.targets import Target


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What was done so that revisions can be gone back to."""

    deployment: str
    revisions: tuple[int, ...]
    """Whose secret versions are kept, newest first."""
    labels: Labels
    deregistered: tuple[str, ...]
    """Copies that earlier rollbacks registered, and that nothing runs any more."""

    def document(self) -> dict[str, object]:
        """For a program to read."""
        return {
            "deployment": self.deployment,
            "revisions": list(self.revisions),
            "labelled": [_text(item) for item in self.labels.attach],
            "released": [_text(item) for item in self.labels.detach],
            "deregistered": list(self.deregistered),
        }


def keep(target: Target) -> Kept:
    """Label the secret versions of the newest revisions, and take our labels off those of older ones.

    How many revisions: ``revisions.keep`` of the config; what runs is kept in any case. Task definitions need no
    keeping: ECS describes those that were deregistered. Copies of a rollback that nothing runs are deregistered here,
    since no stack knows them.

    Nothing is labelled while what runs is not pinned to the current versions: then a run has ended badly, or a rollback
    was the last that happened, and a version that the stack is still to give up must not carry a label
    (``docs/revisions.md``). Raises :class:`~byoc.errors.InputError` while a revision is rolling out.
    """
    count = target.section.revisions.keep
    found = read_revisions(target, limit=count)
    under_way = rolling_out(found.services)
    if under_way is not None:
        raise InputError(under_way.text(target))
    running = _versions(described(target.account, each.task_definition) for each in found.services.values())
    chosen = _versions(item for each in found.items for item in (each.definition, each.queue) if item is not None)
    stages = read_stages(target.account, {item.secret_arn for item in running | chosen})
    change = labels(running | chosen, stages)
    if not all_current(running, stages):
        change = replace(change, attach=())
    apply_labels(target.account, change)
    return Kept(
        deployment=target.deployment,
        revisions=tuple(item.number for item in found.items),
        labels=change,
        deregistered=_deregister(target, spare_copies(found)),
    )


def _versions(items: Iterable[Definition]) -> frozenset[SecretVersion]:
    return frozenset[SecretVersion]().union(*(item.versions for item in items))


def spare_copies(found: Revisions) -> tuple[Definition, ...]:
    """Active copies that rollbacks registered and no service is at, or leaves; pure."""
    used = {
        name
        for service in found.services.values()
        for name in (service.task_definition, *(each.task_definition for each in service.replaced))
    }
    known = (*(item.definition for item in found.items), *found.queue_items)
    return tuple(
        item
        for item in known
        if item.active and item.copy_of is not None and f"{item.family}:{item.number}" not in used
    )


def _deregister(target: Target, spare: tuple[Definition, ...]) -> tuple[str, ...]:
    for item in spare:
        target.account.ask("ecs:DeregisterTaskDefinition", taskDefinition=item.arn)
    return tuple(f"{item.family}:{item.number}" for item in spare)


def _text(item: SecretVersion) -> str:
    return f"{item.name}@{item.version}: {label_of(item.version)}"
