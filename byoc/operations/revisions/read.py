"""Asks AWS for the revisions of a deployment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any

from byoc.errors import ByocError
from byoc.operations.account import Account
from byoc.operations.answers import AbsentError, NoAnswerError, listed
from byoc.operations.many import chunks, each
from byoc.operations.revisions.compare import Change, changes, size_text
from byoc.operations.revisions.definitions import Definition, definition
from byoc.operations.revisions.history import RevisionState, RolledOut, rolled_out, state_of
from byoc.operations.status.facts import ServiceFacts
from byoc.operations.status.findings import revision_number
from byoc.operations.status.read import service_facts, untold
from byoc.operations.targets import Target
from byoc.operations.times import iso

SHOWN = 10
"""Revisions that are read unless more are asked for."""
_ROLLOUTS_READ = 100
"""Of one service; ECS remembers those of 90 days (Amazon ECS Developer Guide: service history)."""
_REVISIONS_OF_A_CALL = 20
"""Service revisions that one ``ecs:DescribeServiceRevisions`` takes (Amazon ECS API Reference)."""
_AT_ONCE = 8
REVISED = ("api", "queue")
"""The roles whose task definitions a revision is made of; a cache has a life of its own."""


@dataclass(frozen=True, kw_only=True)
class Revision:
    """One revision of a deployment."""

    definition: Definition
    """Of the API."""
    queue: Definition | None
    """Of the queue with the same image and secrets; None where it has none of its own, or none that fits."""
    state: RevisionState
    running: bool
    """Whether it is the one that the service is at."""
    rolled_out: RolledOut | None
    changes: tuple[Change, ...] | None
    """Against the one before; None where that one is not there any more."""

    @property
    def number(self) -> int:
        """Its number, which is that of the API's task definition."""
        return self.definition.number

    @property
    def at(self) -> datetime | None:
        """When it was registered; where ECS does not say, when it was rolled out."""
        return self.definition.registered_at or (self.rolled_out.at if self.rolled_out else None)

    @property
    def digest(self) -> str:
        """Of the image: as it is pinned, or as ECS resolved it at the roll-out; empty if neither is known."""
        pinned = self.definition.image.partition("@")[2]
        return pinned or (self.rolled_out.digest if self.rolled_out else "")

    def document(self) -> dict[str, Any]:
        """For a program to read; no value of any variable is in it."""
        item, queue = self.definition, self.queue
        return {
            "number": item.number,
            "state": self.state.value,
            "running": self.running,
            "image": item.image,
            "digest": self.digest or None,
            "registeredAt": iso(self.at) if self.at else None,
            "registeredBy": item.registered_by or None,
            "size": size_text(item),
            "environment": sorted(item.environment),
            "secrets": {name: f"{ref.name}@{ref.version}" for name, ref in sorted(item.secrets.items())},
            "copyOf": item.copy_of,
            "queue": queue.number if queue else None,
            "active": item.active,
            "changes": None if self.changes is None else [change.document() for change in self.changes],
            "reason": (self.rolled_out.reason or None) if self.rolled_out else None,
        }


@dataclass(frozen=True, kw_only=True)
class Revisions:
    """The revisions of a deployment, newest first, and its services as they are."""

    target: Target
    services: Mapping[str, ServiceFacts]
    """By role; the API's is among them."""
    items: tuple[Revision, ...]
    queue_items: tuple[Definition, ...]
    notes: tuple[str, ...]
    """What could not be found out."""

    @property
    def running(self) -> Revision | None:
        """The one that the API's service is at; None if it is older than all that were read."""
        return next((item for item in self.items if item.running), None)

    def of(self, number: int) -> Revision | None:
        """The revision with this number."""
        return next((item for item in self.items if item.number == number), None)

    def document(self) -> dict[str, Any]:
        """For a program to read."""
        return {
            "stack": self.target.stack,
            "deployment": self.target.deployment,
            "rolloutState": self.services["api"].rollout or None,
            "revisions": [item.document() for item in self.items],
            "notes": list(self.notes),
        }


def read_services(target: Target) -> dict[str, ServiceFacts]:
    """The services that a revision is rolled out to, by role: the API's, and the queue's where it is one of its own.

    Raises :class:`~byoc.errors.ByocError` if one of them is not there.
    """
    roles = [role for role in REVISED if role in target.service_roles]
    found = _services(target, roles)
    absent = [target.names.service(target.deployment, role) for role in roles if role not in found]
    if absent:
        raise AbsentServiceError(
            f"{target.deployment}: there is no service {absent[0]} in cluster {target.names.cluster}\n"
            f"      mend it:  byoc up {target.stack} makes it; byoc status {target.stack} shows what is there"
        )
    return found


def present_services(target: Target) -> dict[str, ServiceFacts]:
    """Those of the same services that are there, whatever the config says of them now; none is no error."""
    return _services(target, REVISED)


def _services(target: Target, roles: Sequence[str]) -> dict[str, ServiceFacts]:
    names = {role: target.names.service(target.deployment, role) for role in roles}
    try:
        answer = target.account.ask("ecs:DescribeServices", cluster=target.names.cluster, services=list(names.values()))
    except AbsentError:
        return {}
    told = {item["serviceName"]: item for item in listed("ecs:DescribeServices", answer, "services")}
    for name in names.values():
        if name not in told and (why := untold(answer, name)):
            raise NoAnswerError("ecs:DescribeServices", why, "repeat it later")
    return {
        role: service_facts(told[name])
        for role, name in names.items()
        if name in told and told[name]["status"] != "INACTIVE"
    }


class AbsentServiceError(ByocError):
    """The deployment is not there, or not all of it."""


def read_revisions(target: Target, *, limit: int = SHOWN, at_least: int | None = None) -> Revisions:
    """The newest ``limit`` revisions; with ``at_least`` all down to that number, and to the one that runs.

    What ECS remembers of roll-outs is left unknown where it does not say. Raises an ``AskingError`` where AWS cannot be
    asked for the revisions themselves.
    """
    services = read_services(target)
    api = services["api"]
    current = revision_number(api.task_definition)
    family = target.names.service(target.deployment)
    least = None if at_least is None else min(at_least, current or at_least)
    definitions = _definitions(target.account, family, limit + 1, least)  # one more to compare with
    queue: Sequence[Definition] = ()
    if "queue" in services:
        # A change of the queue's size alone is a revision of that alone: there may be more of them.
        count = 2 * max(limit, len(definitions))
        queue = _definitions(target.account, target.names.service(target.deployment, "queue"), count, None)
    history, notes = _history(target)
    items = [
        Revision(
            definition=item,
            queue=fitting(queue, item),
            state=state_of(item.number, api, history, active=item.active),
            running=item.number == current,
            rolled_out=history.get(item.number),
            changes=changes(before, item) if before is not None else None,
        )
        for item, before in zip(definitions, [*definitions[1:], None], strict=True)
    ]
    shown = items[:limit] if least is None else [item for item in items if item.number >= least]
    return Revisions(target=target, services=services, items=tuple(shown), queue_items=tuple(queue), notes=notes)


def fitting(queue: Sequence[Definition], api: Definition) -> Definition | None:
    """The newest definition of the queue with the image and the secret versions of the API's."""
    return next((item for item in queue if item.image == api.image and item.versions == api.versions), None)


def _definitions(account: Account, family: str, limit: int, at_least: int | None) -> list[Definition]:
    """Newest first: active ones, and those that were deregistered, which ECS goes on describing."""
    numbers: set[int] = set()
    for status in ("ACTIVE", "INACTIVE"):
        arns = account.all(
            "ecs:ListTaskDefinitions", "taskDefinitionArns", familyPrefix=family, status=status, sort="DESC"
        )
        found = (revision_number(str(arn)) or 0 for arn in arns)
        numbers |= set(islice(found, limit)) if at_least is None else set(_down_to(found, at_least))
    newest = sorted(numbers, reverse=True)
    chosen = newest[:limit] if at_least is None else newest
    return list(
        each(
            (f"{family}:{number}" for number in chosen), partial(described, account), at_once=_AT_ONCE, only_looks=True
        )
    )


def _down_to(numbers: Iterable[int], least: int) -> list[int]:
    found = []
    for number in numbers:
        found.append(number)
        if number < least:  # one more to compare with
            break
    return found


def described(account: Account, name: str) -> Definition:
    """A task definition by its ARN, or by family and number."""
    return definition(account.ask("ecs:DescribeTaskDefinition", taskDefinition=name, include=["TAGS"]))


def _history(target: Target) -> tuple[dict[int, RolledOut], tuple[str, ...]]:
    """What ECS remembers of the API's roll-outs; nothing, with the reason, where it cannot be asked."""
    try:
        deployments = _rollouts(target)
        arns = sorted({item["targetServiceRevisionArn"] for item in deployments})
        revisions: dict[str, Mapping[str, Any]] = {}
        for some in chunks(arns, _REVISIONS_OF_A_CALL):
            answer = target.account.ask("ecs:DescribeServiceRevisions", serviceRevisionArns=some)
            revisions |= {item["serviceRevisionArn"]: item for item in answer["serviceRevisions"]}
    except (ByocError, AbsentError) as error:
        first_line = str(error).partition("\n")[0]
        return {}, (f"not known: what became of earlier roll-outs, and digests of images: {first_line}",)
    return rolled_out(deployments, revisions), ()


def _rollouts(target: Target) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    more: dict[str, str] = {}
    while len(found) < _ROLLOUTS_READ:
        answer = target.account.ask(
            "ecs:ListServiceDeployments",
            cluster=target.names.cluster,
            service=target.names.service(target.deployment),
            maxResults=_ROLLOUTS_READ,
            **more,
        )
        found += answer["serviceDeployments"]
        if not answer.get("nextToken"):
            break
        more = {"nextToken": answer["nextToken"]}
    return found
