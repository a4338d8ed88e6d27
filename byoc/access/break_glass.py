"""The role for emergencies, as the config says it will be: for whom, for what, how long, and what it may do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from byoc.access.hidden import hidden
from byoc.config import AccountConfig
from byoc.permissions.evaluation.conditions import as_texts
from byoc.permissions.evaluation.evaluator import Document, Statement, statements
from byoc.permissions.policies.break_glass import (
    SESSION_SECONDS,
    Opening,
    break_glass_policy,
    break_glass_trust,
    shell_channels,
)

REASONS: Mapping[str, str] = {
    "BreakGlass": "the named people, under the ticket's name, in this region, within the window",
    "SourceIdentity": "a session says who it is, and CloudTrail shows that with every call",
    "Closed": "the role is closed",
    "ReadLogs": "what the containers wrote",
    "LookAtTasks": "which containers run, and why others stopped",
    "LookAtServices": "the state of this install's services",
    "LookAtDatabases": "the state of this install's databases",
    "LookAtAlarms": "which of this install's alarms are in alarm",
    "LookAtHealth": "health of load balancers and figures: states of the region, no content",
    "RestartServices": "start a service's containers anew; the same call also changes how many run",
    "RebootDatabases": "restart a database of this install",
    "OpenShells": "a shell into a container, which shows the secrets that the container holds",
    "NothingElse": "every other action is denied, whatever else comes to be attached",
    "Ended": "everything is denied from the end of the window on, in open sessions too",
    "ShellChannels": "what a container needs so that a shell into it opens, within the window",
}
"""What each statement of the role for emergencies is for, by its ``Sid``."""


@dataclass(frozen=True, kw_only=True)
class Permitted:
    """What one statement lets the role do."""

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    reason: str


@dataclass(frozen=True, kw_only=True)
class BreakGlass:
    """One version of the role for emergencies. No external id is in it."""

    name: str
    arn: str
    opening: Opening | None
    """For whom it is open; none while it is closed."""
    trust: Document
    policy: Document
    with_external_id: bool
    boundary: str | None

    @property
    def minutes(self) -> int:
        """How long a session lasts at most."""
        return SESSION_SECONDS // 60

    @property
    def permitted(self) -> tuple[Permitted, ...]:
        """What it may do, statement by statement; nothing while it is closed."""
        return tuple(_permitted(statement) for statement in statements(self.policy) if statement["Effect"] == "Allow")

    @property
    def denied(self) -> tuple[str, ...]:
        """What it denies, in words."""
        return tuple(
            REASONS[statement["Sid"]] for statement in statements(self.policy) if statement["Effect"] == "Deny"
        )

    @property
    def documents(self) -> dict[str, Document]:
        """Its trust and policy, and what the task role gets while shells are open; by what they are."""
        found = {f"Trust policy of {self.name}": self.trust, f"Inline policy of {self.name}": self.policy}
        if self.opening is not None and self.opening.shell:
            found["Inline policy of the task role, for shells"] = shell_channels(self.opening)
        return found


def break_glass_of(config: AccountConfig) -> BreakGlass | None:
    """The role for emergencies that this config makes, if any."""
    if config.break_glass is None:
        return None
    account, names, opening = config.account, config.names, config.break_glass.opening
    secret = config.break_glass_external_id
    ids = () if secret is None else (secret.get_secret_value(),)
    return BreakGlass(
        name=names.break_glass_role,
        arn=account.role_arn(names.break_glass_role, config.access.role_path),
        opening=opening,
        trust=hidden(break_glass_trust(account, opening, ids)),
        policy=break_glass_policy(account, names, opening),
        with_external_id=bool(ids),
        boundary=config.access_settings.permissions_boundary,
    )


def _permitted(statement: Statement) -> Permitted:
    return Permitted(
        actions=as_texts(statement["Action"]),
        resources=as_texts(statement["Resource"]),
        reason=REASONS[statement["Sid"]],
    )
