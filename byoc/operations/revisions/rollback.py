"""Back to an earlier revision: its image, its environment, its secret versions, its size.

The plan is made of what AWS says before anything is changed; carrying it out is one registration and one update per
service. ``docs/revisions.md`` says what a later ``up`` makes of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from byoc.errors import InputError
from byoc.operations.revisions.compare import Change, changes
from byoc.operations.revisions.definitions import Definition, SecretVersion
from byoc.operations.revisions.guard import rolling_out
from byoc.operations.revisions.history import RevisionState
from byoc.operations.revisions.read import (
    SHOWN,
    Revision,
    Revisions,
    described,
    fitting,
    read_revisions,
)
from byoc.operations.revisions.secret_versions import all_current, gone, read_stages
from byoc.operations.targets import Target

_FURTHER = 4
"""So many times as many revisions are read when no good one is among those before."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What going back would do."""

    target: Target
    running: Revision
    to: Revision
    now: Mapping[str, Definition]
    """By role: what each service is at."""
    definitions: Mapping[str, Definition]
    """By role: what each service is to run the content of."""
    secrets_are_current: bool
    """Whether it is pinned to the current versions of its secrets, which are those that the last ``up`` wrote."""

    @property
    def is_there(self) -> bool:
        """Whether what runs has this content already, in each service."""
        return all(item.has_content_of(self.now[role]) for role, item in self.definitions.items())

    @property
    def changes(self) -> tuple[Change, ...]:
        """How the deployment will differ from what runs now; of the queue, what is not the same as of the API."""
        found = changes(self.now["api"], self.definitions["api"])
        if "queue" not in self.definitions:
            return found
        queue = (item for item in changes(self.now["queue"], self.definitions["queue"]) if item not in found)
        return (*found, *(replace(item, name=f"{item.name} of the queue".lstrip()) for item in queue))

    @property
    def unwritten(self) -> tuple[Change, ...]:
        """Those that come of other settings of the config than ``--write-config`` writes, such as ``byoc:logLevel``."""
        return tuple(item for item in self.changes if item.what in ("environment", "setting"))

    def document(self) -> dict[str, object]:
        """For a program to read."""
        return {
            "stack": self.target.stack,
            "deployment": self.target.deployment,
            "from": self.running.number,
            "to": self.to.number,
            "changes": [change.document() for change in self.changes],
        }


@dataclass(frozen=True, kw_only=True)
class Done:
    """What going back did."""

    task_definitions: Mapping[str, str]
    """By role, family and number of what was handed to its service."""


def plan_rollback(target: Target, to: int | None = None) -> Plan:
    """The plan of going back to revision ``to``; by default to the last good one before that which runs.

    Raises :class:`~byoc.errors.InputError` if there is no such revision, if one is rolling out, or if a secret version
    that it needs is gone. Nothing is changed.
    """
    found = _read(target, to)
    under_way = rolling_out(found.services)
    if under_way is not None:
        raise InputError(under_way.text(target))
    running = _running(found)
    now = _now(found, running)
    chosen = _named(found, to) if to is not None else _half_way(found, running, now) or last_good(found, running)
    definitions = _definitions(found, chosen)
    current = _require_secrets(target, chosen, definitions)
    return Plan(
        target=target, running=running, to=chosen, now=now, definitions=definitions, secrets_are_current=current
    )


def _read(target: Target, to: int | None) -> Revisions:
    """Revisions down to the one that is named, or as far back as there is a good one before that which runs."""
    if to is not None:
        return read_revisions(target, at_least=to)
    limit = SHOWN
    while True:
        found = read_revisions(target, limit=limit)
        is_all = len(found.items) < limit
        running = found.running
        if is_all or rolling_out(found.services) or (running is not None and _good(found, running) is not None):
            return found
        limit *= _FURTHER


def _now(found: Revisions, running: Revision) -> dict[str, Definition]:
    """What each service is at, by role."""
    names = {role: service.task_definition for role, service in found.services.items() if role != "api"}
    return {
        "api": running.definition,
        **{role: described(found.target.account, name) for role, name in names.items()},
    }


def _half_way(found: Revisions, running: Revision, now: Mapping[str, Definition]) -> Revision | None:
    """What an earlier rollback was to go back to, if it came as far as the API and not to the queue; pure."""
    queue = now.get("queue")
    if running.definition.copy_of is None or queue is None or fitting([queue], running.definition) is not None:
        return None
    return found.of(running.definition.origin) or running


def last_good(found: Revisions, running: Revision) -> Revision:
    """The newest revision before that which runs that was not seen to fail, and has another content; pure.

    A copy that runs counts as what it is a copy of: after a rollback, the next one goes further back.
    """
    good = _good(found, running)
    if good is not None:
        return good
    raise InputError(
        f"{found.target.deployment}: there is no revision before {running.definition.origin} to go back to\n"
        f"      mend it:  see byoc revisions {found.target.stack}"
    )


def _good(found: Revisions, running: Revision) -> Revision | None:
    for item in found.items:
        failed = item.state in (RevisionState.DEPLOY_FAILED, RevisionState.INTERRUPTED, RevisionState.AWAITING_DEPLOY)
        same = item.definition.has_content_of(running.definition)
        if item.number < running.definition.origin and not failed and not same:
            return item
    return None


def carry_out(plan: Plan) -> Done:
    """Hand each service what it is to run; repeated after a failure, it goes on where it stopped.

    What is still active is used as it is; what was deregistered is registered again, with a tag that says of what it
    is a copy. A service that has the content already is left alone.
    """
    target, handed = plan.target, {}
    for role, item in plan.definitions.items():
        now = plan.now[role]
        if item.has_content_of(now):
            handed[role] = f"{now.family}:{now.number}"
            continue
        arn = item.arn if item.active else _copy(target, item)
        target.account.ask(
            "ecs:UpdateService",
            cluster=target.names.cluster,
            service=target.names.service(target.deployment, role),
            taskDefinition=arn,
        )
        handed[role] = arn.rpartition("/")[2]
    return Done(task_definitions=handed)


def _running(found: Revisions) -> Revision:
    running = found.running
    if running is None:
        name = found.services["api"].task_definition
        raise InputError(
            f"{found.target.deployment}: what runs, {name}, is not among the revisions that ECS lists\n"
            f"      mend it:  byoc up {found.target.stack} registers one, and makes the service agree with the config"
        )
    return running


def _named(found: Revisions, number: int) -> Revision:
    chosen = found.of(number)
    if chosen is None:
        there = ", ".join(str(item.number) for item in read_revisions(found.target).items)
        raise InputError(
            f"{found.target.deployment} has no revision {number}\n"
            f"      allowed:  {there}, and older ones\n"
            f"      mend it:  name one that 'byoc revisions {found.target.stack}' lists"
        )
    return chosen


def _definitions(found: Revisions, chosen: Revision) -> dict[str, Definition]:
    if "queue" not in found.services:
        return {"api": chosen.definition}
    if chosen.queue is None:
        raise InputError(
            f"{found.target.deployment}: no revision of the queue has the image and the secrets of revision "
            f"{chosen.number}, which had none of its own\n"
            "      allowed:  revisions of both services\n"
            "      mend it:  set the image and byoc:queue of that time in the config, then byoc up"
        )
    return {"api": chosen.definition, "queue": chosen.queue}


def _require_secrets(target: Target, chosen: Revision, definitions: Mapping[str, Definition]) -> bool:
    """Whether all are current; raises :class:`~byoc.errors.InputError` if one is gone."""
    wanted: frozenset[SecretVersion] = frozenset().union(*(item.versions for item in definitions.values()))
    stages = read_stages(target.account, {item.secret_arn for item in wanted})
    lost = gone(wanted, stages)
    if lost:
        names = "; ".join(f"{item.name}, version {item.version}" for item in lost)
        raise InputError(
            f"{target.deployment}: revision {chosen.number} cannot start again: a secret version is gone: {names}\n"
            "      allowed:  revisions whose secret versions are still there; byoc:revisions.keep says how many are "
            "kept\n"
            "      mend it:  choose a later revision with --to, or set the values in the config again, then byoc up"
        )
    return all_current(wanted, stages)


def _copy(target: Target, item: Definition) -> str:
    """A registered copy: one that an earlier attempt left, or a new one."""
    arns = target.account.all(
        "ecs:ListTaskDefinitions", "taskDefinitionArns", familyPrefix=item.family, status="ACTIVE", sort="DESC"
    )
    for arn in arns:
        found = described(target.account, str(arn))
        if found.copy_of == item.origin and found.has_content_of(item):
            return found.arn
    answer = target.account.ask("ecs:RegisterTaskDefinition", **item.copy())
    return str(answer["taskDefinition"]["taskDefinitionArn"])
