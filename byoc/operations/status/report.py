"""The status of many deployments, each on its own when another cannot be asked, as data for people and programs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from byoc.config import AccountConfig, DeploymentConfig
from byoc.errors import ByocError, InputError
from byoc.operations.account import Account, AssumedRole
from byoc.operations.answers import AskingError, CredentialsError, DeniedError
from byoc.operations.event_words import service_words
from byoc.operations.many import AT_ONCE, each
from byoc.operations.status.facts import Absent, DatabaseFacts, Facts, IngressFacts, ServiceFacts, Unknown
from byoc.operations.status.findings import revision_number
from byoc.operations.status.read import read_facts
from byoc.operations.status.shared import account_document, head, shared
from byoc.operations.status.states import DeploymentState, Health, RevisionState, Verdict, verdict
from byoc.operations.targets import Accounts, Stack, Target, targets
from byoc.operations.times import iso

LAST_EVENTS = 5
"""Events of the services that a status shows; 'byoc events' shows all."""
Document = dict[str, Any]
"""One JSON object with stable keys."""
_EXTERNAL: Mapping[str, Any] = {"state": "EXTERNAL"}
"""Of a database or a cache that somebody else keeps: nothing is asked about it."""


@dataclass(frozen=True, kw_only=True)
class _Subject:
    """A deployment, or what an account stack without any shares."""

    stack: Stack
    target: Target | None


class Ways:
    """The account of each stack, tried once: through the role, or with credentials of the account itself.

    An account stack is its owner's, who comes with credentials of the account. With others it is reached through its
    cross-account role, as its control plane does.
    """

    def __init__(self, accounts: Accounts, profile: str | None = None) -> None:
        self._accounts = accounts
        self._profile = profile

    def open(self, stacks: Sequence[Stack]) -> dict[str, Account | str]:
        """For each stack, the account, or why it cannot be reached."""
        found = {stack.name: (self._accounts.of(stack.config), _role_of(stack.config)) for stack in stacks}
        # Installs that share an account have a role each.
        different = {(id(account), role): (account, role) for account, role in found.values()}
        tried = dict(
            zip(different, each(different.values(), lambda way: self._tried(*way), only_looks=True), strict=True)
        )
        return {name: tried[id(account), role] for name, (account, role) in found.items()}

    def _tried(self, account: Account, role: AssumedRole | None) -> Account | str:
        why = _refusal(account)
        if not why or role is None:
            return why or account
        through = self._accounts.through(account.account, role, self._profile)
        return why if _refusal(through) else through


def _role_of(config: AccountConfig | DeploymentConfig) -> AssumedRole | None:
    """The role of an account stack; a deployment stack's stands in the way to its account already."""
    if isinstance(config, DeploymentConfig) or not config.access.enabled or config.external_id is None:
        return None
    return AssumedRole(
        role_arn=config.account.role_arn(config.names.control_plane_role, config.access.role_path),
        external_id=config.external_id.get_secret_value(),
    )


def _refusal(account: Account) -> str:
    """Why an account cannot be reached; empty if it can.

    Credentials that were read long ago, and are not taken any more, are read anew first: somebody has signed in again.
    """
    read_before = account.is_open
    try:
        try:
            account.require_right_account()
        except CredentialsError:
            if not read_before:
                raise
            account.reopen()
            account.require_right_account()
    except AskingError as error:
        why = f"{error.action}: {error.what}"
        if error.action == "sts:AssumeRole" and isinstance(error, DeniedError) and account.role is not None:
            return f"{why}: {account.role.role_arn} does not let these credentials in, or the external id is wrong"
        return why
    except InputError as error:
        return f"{str(error).splitlines()[0]}, not of {account.account.account_id} (--profile, AWS_PROFILE)"
    except ByocError as error:
        return str(error)
    return ""


def read_status(
    stacks: Sequence[Stack], accounts: Accounts, *, profile: str | None = None, at_once: int = AT_ONCE
) -> Iterator[Document]:
    """The status of every deployment in these stacks, in their order; an account stack without any tells what it
    shares. At most ``at_once`` deployments are asked about at a time. Raises nothing of AWS's.
    """
    ways = Ways(accounts, profile).open(stacks)
    yield from each(
        _subjects(stacks, accounts), lambda subject: _status(subject, ways), at_once=at_once, only_looks=True
    )


def summary(rows: Iterable[Mapping[str, Any]]) -> Document:
    """The whole as one object: when, how many of each health, and the rows."""
    listed = list(rows)
    counts = {health.value: sum(row["health"] == health.value for row in listed) for health in Health}
    return {"at": iso(datetime.now(UTC)), "summary": counts, "deployments": listed}


def all_well(rows: Iterable[Mapping[str, Any]]) -> bool:
    """Whether nothing is down, degraded, or not known."""
    return all(row["health"] == Health.HEALTHY.value for row in rows)


def _subjects(stacks: Sequence[Stack], accounts: Accounts) -> Iterator[_Subject]:
    for stack in stacks:
        found = [_Subject(stack=stack, target=target) for target in targets([stack], accounts)]
        yield from found or [_Subject(stack=stack, target=None)]


def _status(subject: _Subject, ways: Mapping[str, Account | str]) -> Document:
    account = ways[subject.stack.name]
    if isinstance(account, str):
        return _unreachable(subject, account)
    if subject.target is None:
        return shared(subject.stack, account)
    target = replace(subject.target, account=account)
    facts = read_facts(target)
    return deployment_document(target, facts, verdict(facts))


def _unreachable(subject: _Subject, why: str) -> Document:
    finding = f"not known: {why}"
    if subject.target is None:
        return account_document(subject.stack, "UNKNOWN", Health.UNKNOWN, [finding])
    unknown = {"state": "UNKNOWN"}
    return {
        **head(subject.stack, subject.target.deployment),
        "state": DeploymentState.UNKNOWN.value,
        "health": Health.UNKNOWN.value,
        "revision": {"number": None, "state": RevisionState.UNKNOWN.value, "image": None, "changedAt": None}
        | {"wentBack": False},
        "services": {},
        "url": None,
        "database": unknown,
        "cache": unknown,
        "alarms": {"state": "UNKNOWN"},
        "events": [],
        "findings": [finding],
    }


def deployment_document(target: Target, facts: Facts, found: Verdict) -> Document:
    """A deployment as one JSON object; a part that is not there, or not known, says so in its ``state``."""
    api, ingress = facts.services["api"], facts.ingress
    return {
        "kind": "deployment",
        "stack": target.stack,
        "deployment": target.deployment,
        "account": target.account.account.account_id,
        "region": target.account.account.region,
        "state": found.state.value,
        "health": found.health.value,
        "revision": {
            "number": revision_number(api.task_definition) if isinstance(api, ServiceFacts) else None,
            "state": found.revision.value,
            "image": facts.image if isinstance(facts.image, str) else None,
            "changedAt": iso(api.changed_at) if isinstance(api, ServiceFacts) and api.changed_at else None,
            "wentBack": found.went_back,
        },
        "services": {role: _service(service) for role, service in facts.services.items()},
        "url": ingress.url if isinstance(ingress, IngressFacts) else None,
        "database": _database(facts.database),
        "cache": _cache(facts, own=target.own_cache),
        "alarms": _alarms(facts),
        "events": _events(facts),
        "findings": list(found.findings),
    }


def _service(service: ServiceFacts | Absent | Unknown) -> Document:
    if not isinstance(service, ServiceFacts):
        return _missing(service)
    return {
        "state": service.status,
        "running": service.running,
        "desired": service.desired,
        "pending": service.pending,
        "revision": revision_number(service.task_definition),
        "rollout": service.rollout or None,
    }


def _missing(part: Absent | Unknown) -> Document:
    return {"state": "ABSENT"} if isinstance(part, Absent) else {"state": "UNKNOWN", "why": part.why}


def _database(database: DatabaseFacts | Absent | Unknown | None) -> Document:
    if database is None:
        return dict(_EXTERNAL)
    if not isinstance(database, DatabaseFacts):
        return _missing(database)
    return {
        "state": database.status,
        "class": database.instance_class,
        "engineVersion": database.engine_version,
        "storageGib": database.storage_gib,
        "multiAz": database.multi_az,
        "pending": sorted(database.pending),
    }


def _cache(facts: Facts, *, own: bool) -> Document:
    """Our cache is a container: it is available while that runs."""
    if not own:
        return dict(_EXTERNAL)
    service = facts.services["cache"]
    if not isinstance(service, ServiceFacts):
        return _missing(service)
    return {"state": "available" if service.running else "unavailable"}


def _alarms(facts: Facts) -> Document:
    if isinstance(facts.alarms, Unknown):
        return {"state": "UNKNOWN", "why": facts.alarms.why}
    by_state: dict[str, list[str]] = {}
    for alarm in facts.alarms:
        by_state.setdefault(alarm.state, []).append(alarm.subject)
    return {
        "state": "KNOWN",
        "on": sorted(by_state.get("ALARM", [])),
        "absent": sorted(by_state.get("ABSENT", [])),
        "total": len(facts.alarms),
    }


def _events(facts: Facts) -> list[Document]:
    """What ECS said last, the newest first."""
    found = [
        (note.at, role, service_words(note.text))
        for role, service in facts.services.items()
        if isinstance(service, ServiceFacts)
        for note in service.notes[:LAST_EVENTS]
    ]
    newest = sorted(found, key=lambda item: item[0], reverse=True)[:LAST_EVENTS]
    return [{"time": iso(at), "part": role, "text": text} for at, role, text in newest]
