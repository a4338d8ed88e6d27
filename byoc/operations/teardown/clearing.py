"""Takes out of the way what is ours: each change is told, with its reason, before it is made."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from byoc.errors import ByocError
from byoc.operations.answers import AbsentError, DeniedError
from byoc.operations.teardown.blockers import Blocker
from byoc.operations.teardown.facts import Database, LoadBalancer, Registered
from byoc.operations.teardown.found import Found
from byoc.operations.teardown.subject import Subject

_SECONDS = 120.0
"""How long a change may take until AWS shows it."""
_PAUSE = 2.0
_SETTLED = ("available", "stopped", "storage-full", "storage-optimization")
"""States of a database in which no change of it is under way."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """One change: what is called, on what, and why."""

    action: str
    on: str
    why: str


class Clear:
    """The changes that a teardown makes by itself, outside the engine; each may be repeated."""

    def __init__(self, subject: Subject, tell: Callable[[Told], None]) -> None:
        self._subject = subject
        self._account = subject.account
        self._tell = tell

    def clear(self, blockers: Iterable[Blocker]) -> None:
        """Take these blockers away; raises :class:`~byoc.errors.ByocError` where AWS refuses."""
        for blocker in blockers:
            if isinstance(blocker.subject, Registered):
                self._deregister(blocker.subject, blocker.why)
            elif isinstance(blocker.subject, Database):
                self._unprotect_database(blocker.subject)
            elif isinstance(blocker.subject, LoadBalancer):
                self._unprotect_balancer(blocker.subject)

    def purge(self, secrets: Iterable[Found]) -> str:
        """Delete secrets that wait for their deletion, at once and for good; what AWS denies, in words, or nothing."""
        denied = []
        for secret in secrets:
            why = "--purge-secrets: its name can be used again"
            self._tell(Told(action="secretsmanager:DeleteSecret", on=secret.id, why=why))
            try:
                self._account.ask("secretsmanager:DeleteSecret", SecretId=secret.id, ForceDeleteWithoutRecovery=True)
            except AbsentError:
                continue
            except DeniedError as error:
                denied.append(self._not_purged(secret, error))
        return "\n".join(denied)

    def forget(self, strays: Iterable[Found]) -> None:
        """Deregister what roll-backs and probes left; raises :class:`~byoc.errors.ByocError` where AWS refuses."""
        for stray in strays:
            why = f"{stray.facts['made_by']}, and no stack knows of it"
            self._tell(Told(action="ecs:DeregisterTaskDefinition", on=stray.id, why=why))
            self._account.ask("ecs:DeregisterTaskDefinition", taskDefinition=stray.id)

    def _not_purged(self, secret: Found, error: DeniedError) -> str:
        place = self._account.account
        untagged = (
            "" if secret.facts.get("tagged") else "; it lacks the install's tags, and the role may not touch such"
        )
        return (
            f"secret {secret.id} was not purged: {error.action}: {error.what}{untagged if self._account.role else ''}\n"
            f"      mend it:  as account {place.account_id} itself: aws secretsmanager delete-secret --secret-id "
            f"{secret.id} --force-delete-without-recovery --region {place.region} --profile <profile of the account>"
        )

    def _deregister(self, item: Registered, why: str) -> None:
        self._tell(Told(action="servicediscovery:DeregisterInstance", on=f"{item.service} {item.id}", why=why))
        try:
            self._account.ask("servicediscovery:DeregisterInstance", ServiceId=item.service_id, InstanceId=item.id)
        except AbsentError:
            return
        self._wait(f"instance {item.id} leaves Cloud Map", lambda: not self._is_registered(item))

    def _is_registered(self, item: Registered) -> bool:
        try:
            listed = self._account.all("servicediscovery:ListInstances", "Instances", ServiceId=item.service_id)
            return any(each["Id"] == item.id for each in listed)
        except AbsentError:
            return False

    def _unprotect_database(self, item: Database) -> None:
        why = "--unprotect: it is protected from deletion"
        self._tell(Told(action="rds:ModifyDBInstance", on=item.identifier, why=why))
        self._account.ask(
            "rds:ModifyDBInstance",
            DBInstanceIdentifier=item.identifier,
            DeletionProtection=False,
            ApplyImmediately=True,
        )
        self._wait(f"database {item.identifier} is unprotected", lambda: self._is_free(item.identifier))

    def _is_free(self, identifier: str) -> bool:
        try:
            described = self._account.ask("rds:DescribeDBInstances", DBInstanceIdentifier=identifier)
        except AbsentError:
            return True
        return any(  # half an answer is no yes: it is asked again
            item.get("DeletionProtection") is False and item.get("DBInstanceStatus") in _SETTLED
            for item in described.get("DBInstances") or ()
        )

    def _unprotect_balancer(self, item: LoadBalancer) -> None:
        why = "--unprotect: it is protected from deletion"
        self._tell(Told(action="elasticloadbalancing:ModifyLoadBalancerAttributes", on=item.name, why=why))
        self._account.ask(
            "elasticloadbalancing:ModifyLoadBalancerAttributes",
            LoadBalancerArn=item.arn,
            Attributes=[{"Key": "deletion_protection.enabled", "Value": "false"}],
        )

    @staticmethod
    def _wait(what: str, is_done: Callable[[], bool]) -> None:
        until = time.monotonic() + _SECONDS
        while not is_done():
            if time.monotonic() > until:
                raise ByocError(f"{what}: not seen within {_SECONDS:.0f} s\n      mend it:  run the same command again")
            time.sleep(_PAUSE)
