"""One look at many deployments: what is wrong, and what is done about it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from byoc.errors import ByocError
from byoc.operations.many import AT_ONCE, each
from byoc.operations.recovery.deed_log import DeedLog
from byoc.operations.recovery.diagnose import diagnose
from byoc.operations.recovery.finding import Diagnosis
from byoc.operations.recovery.read import now, read_recovery_facts
from byoc.operations.recovery.remedies import Deed, Guard, Outcome, mend
from byoc.operations.recovery.tries import Tries
from byoc.operations.status.report import Ways
from byoc.operations.targets import Accounts, Stack, Target, targets
from byoc.operations.times import iso

_BAD = frozenset({Outcome.DENIED, Outcome.FAILED})


@dataclass(frozen=True, kw_only=True)
class Case:
    """A deployment, what is wrong with it, and what was done."""

    at: datetime
    stack: str
    deployment: str
    diagnosis: Diagnosis
    deeds: tuple[Deed, ...] = ()
    failure: str = ""
    """Why nothing was done though something could be."""

    @property
    def well(self) -> bool:
        """Whether nothing is wrong, everything is known, and nothing failed."""
        return self.diagnosis.well and not self.failure and not any(deed.outcome in _BAD for deed in self.deeds)

    def document(self) -> dict[str, Any]:
        """As a JSON object."""
        return {
            "at": iso(self.at),
            "stack": self.stack,
            "deployment": self.deployment,
            "well": self.well,
            "findings": [finding.document() for finding in self.diagnosis.findings],
            "unknown": list(self.diagnosis.unknown),
            "deeds": [deed.document() for deed in self.deeds],
            "failure": self.failure,
        }


@dataclass(frozen=True, kw_only=True)
class Watcher:
    """Looks at deployments, again and again if asked.

    ``guard``: None for a dry run, which changes nothing. ``log``: where what is done is written down; by default
    nowhere. ``clock``: by default this machine's.
    """

    stacks: Sequence[Stack]
    accounts: Accounts
    tries: Tries
    guard: Guard | None = None
    log: DeedLog | None = None
    profile: str | None = None
    clock: Callable[[], datetime] = now
    _one: threading.Lock = field(default_factory=threading.Lock)
    """Two deployments of one stack must not keep each other away."""

    def look(self, *, at_once: int = AT_ONCE) -> Iterator[Case]:
        """One pass over every deployment of the stacks, in their order. Raises nothing of AWS's."""
        ways = Ways(self.accounts, self.profile).open(self.stacks)
        by_name = {stack.name: stack for stack in self.stacks}

        def case(target: Target) -> Case:
            account = ways[target.stack]
            if isinstance(account, str):
                target.account.reopen()  # the next pass may find credentials that work
                unknown = Diagnosis(unknown=(f"not known: everything: {account}",))
                return Case(at=self.clock(), stack=target.stack, deployment=target.deployment, diagnosis=unknown)
            return self._case(replace(target, account=account), by_name[target.stack])

        found = targets(self.stacks, self.accounts)
        yield from each(found, case, at_once=at_once, only_looks=self.guard is None)

    def _case(self, target: Target, stack: Stack) -> Case:
        facts = read_recovery_facts(target, stack.config, self.clock())
        found = diagnose(facts)
        deeds: tuple[Deed, ...] = ()
        failure = ""
        try:
            with self._one:
                deeds = mend(target, found.findings, facts.at, self.tries, self.guard, self.log)
        except ByocError as error:
            failure = str(error)
        return Case(
            at=facts.at,
            stack=target.stack,
            deployment=target.deployment,
            diagnosis=found,
            deeds=deeds,
            failure=failure,
        )


def without_deployment(stacks: Iterable[Stack], accounts: Accounts) -> tuple[str, ...]:
    """Stacks without a deployment of their own: there is nothing in them to watch."""
    return tuple(stack.name for stack in stacks if not list(targets([stack], accounts)))
