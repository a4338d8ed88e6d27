"""Which log streams are those of one revision."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from byoc.errors import ByocError
from byoc.operations.answers import AbsentError, AskingError, listed
from byoc.operations.many import chunks
from byoc.operations.status.findings import revision_number
from byoc.operations.targets import Target
from byoc.operations.tasks import task_answers
from byoc.operations.times import of_milliseconds

CONTAINERS: Mapping[str, str] = {"api": "server", "queue": "queue", "cache": "cache"}
"""The container of a service, by its role, as ``byoc.components`` (``service``, ``cache``) names them."""
ROLES: Mapping[str, str] = {container: role for role, container in CONTAINERS.items()}
_STREAMS_OF_A_CALL = 100
"""Streams that one ``logs:FilterLogEvents`` takes (Amazon CloudWatch Logs API Reference)."""


@dataclass(frozen=True, kw_only=True)
class Streams:
    """Log streams, by how their names begin or by name."""

    prefix: str = ""
    names: Sequence[str] = ()

    def questions(self) -> Iterator[dict[str, Any]]:
        """Arguments of one ``logs:FilterLogEvents`` each; none where no stream is meant."""
        if self.prefix:
            yield {"logStreamNamePrefix": self.prefix}
        for some in chunks(self.names, _STREAMS_OF_A_CALL):
            yield {"logStreamNames": some}


def streams_of_revision(target: Target, revision: int, role: str | None = None) -> Streams:
    """The streams of the containers that run, or ran, a revision of the API's task definition (or of ``role``'s).

    ECS forgets a container about an hour after it stopped. Of one that it does not know any more, the stream's first
    entry decides: it lies between the revision's registration and the next one's.

    Raises :class:`~byoc.errors.ByocError` if there is no such revision, or nothing tells which streams are its.
    """
    role = role or "api"
    family = target.names.service(target.deployment, role)
    try:
        first = _registered(target, f"{family}:{revision}")
    except AbsentError as error:
        raise ByocError(
            f"there is no revision {revision} of {family}: {error}\n"
            "      mend it:  byoc status shows the one that runs; a revision is the number of its task definition"
        ) from error
    following = _registered_or_none(target, f"{family}:{revision + 1}")
    known = dict(_tasks(target, family))
    found = []
    for name, began in _streams(target, f"{target.deployment}/{CONTAINERS[role]}/"):
        number = known.get(name.rpartition("/")[2])
        if number == revision or (number is None and _within(began, first, following)):
            found.append(name)
    if not found and first is None:
        raise ByocError(
            f"nothing tells which containers ran revision {revision}: ECS forgets them after about an hour, and does "
            "not say when the revision was registered\n      mend it:  --since and --until instead of --revision"
        )
    return Streams(names=sorted(found))


def _within(began: datetime | None, first: datetime | None, following: datetime | None) -> bool:
    return began is not None and first is not None and began >= first and (following is None or began < following)


def _registered(target: Target, task_definition: str) -> datetime | None:
    """When a revision was registered; None if AWS does not say. Raises ``AbsentError`` if there is none."""
    try:
        answer = target.account.ask("ecs:DescribeTaskDefinition", taskDefinition=task_definition)
    except AskingError:
        raise
    except ByocError as error:  # ECS has no error code of its own for it: "ClientException"
        raise AbsentError(str(error)) from error
    found: datetime | None = answer.get("taskDefinition", {}).get("registeredAt")
    return found


def _registered_or_none(target: Target, task_definition: str) -> datetime | None:
    try:
        return _registered(target, task_definition)
    except AbsentError:
        return None


def _tasks(target: Target, family: str) -> Iterator[tuple[str, int | None]]:
    """The revision of each container that ECS knows, running or stopped, by the id of its task."""
    for status in ("RUNNING", "STOPPED"):
        try:
            for answer in task_answers(target.account, target.names.cluster, family=family, desiredStatus=status):
                for task in listed("ecs:DescribeTasks", answer, "tasks"):
                    yield task["taskArn"].rpartition("/")[2], revision_number(task.get("taskDefinitionArn", ""))
        except AbsentError:  # there is no cluster any more; what its containers wrote may still be there
            return


def _streams(target: Target, prefix: str) -> Iterator[tuple[str, datetime | None]]:
    """Each stream with the moment of its first entry."""
    group = target.names.log_group
    try:
        for item in target.account.all(
            "logs:DescribeLogStreams", "logStreams", logGroupName=group, logStreamNamePrefix=prefix
        ):
            began = item.get("firstEventTimestamp") or item.get("creationTime")
            yield item["logStreamName"], of_milliseconds(began) if began is not None else None
    except AbsentError as error:
        raise no_log_group(target, error) from error


def no_log_group(target: Target, error: AbsentError) -> ByocError:
    """What is said where the install's log group is not there."""
    return ByocError(
        f"there is no log group {target.names.log_group} in account {target.account.account.account_id}, "
        f"{target.account.account.region}: {error}\n"
        "      mend it:  see whether the account stack is up, and whether byoc:namePrefix is the same in both"
    )
