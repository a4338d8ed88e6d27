"""What a command is about: stacks by name, and the deployments in them, each with a way into its account."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from byoc.config import AccountConfig, DeploymentConfig, DeploymentSection
from byoc.naming import Names
from byoc.operations.account import Account, AssumedRole, FewOpen
from byoc.types import AwsAccount


@dataclass(frozen=True, kw_only=True)
class Stack:
    """A stack's name and its config, secrets in plain text among it."""

    name: str
    config: AccountConfig | DeploymentConfig

    def __repr__(self) -> str:
        """Without the config: some of it is secret."""
        return f"Stack({self.name!r}, kind={self.config.kind!r})"


@dataclass(frozen=True, kw_only=True)
class Target:
    """A deployment that a command is about."""

    stack: str
    deployment: str
    """The deployment's name."""
    section: DeploymentSection
    names: Names
    account: Account
    own_database: bool
    """Whether the database is one that the stack makes."""
    own_cache: bool
    """Whether the cache is one that the stack makes."""
    has_retention: bool = False
    """Whether ``byoc retention`` looks whether anybody uses it."""

    @property
    def label(self) -> str:
        """As people read it: :func:`label`."""
        return label(self.stack, self.deployment)

    @property
    def service_roles(self) -> tuple[str, ...]:
        """The roles of its ECS services: ``api``, and ``queue`` and ``cache`` where they are services of their own."""
        queue = ("queue",) if self.section.queue.separate else ()
        return ("api", *queue, *(("cache",) if self.own_cache else ()))


def label(stack: str, deployment: str | None) -> str:
    """A stack's name, with the deployment's where that does not stand in it: it may be one of several."""
    if not deployment or stack == deployment or stack.endswith(f"-{deployment}"):
        return stack
    return f"{stack}/{deployment}"


OPEN_ACCOUNTS = 32
"""Accounts that hold connections at a time: twice as many as are looked at at once."""


class Accounts:
    """The ways into accounts: stacks that go the same way share one, with its connections and its session."""

    def __init__(self, profile: str | None = None) -> None:
        self._profile = profile
        self._few = FewOpen(OPEN_ACCOUNTS)
        self._known: dict[tuple[AwsAccount, AssumedRole | None], Account] = {}

    def of(self, config: AccountConfig | DeploymentConfig) -> Account:
        """Through the cross-account role for a deployment stack, unless its config says otherwise."""
        return self.through(config.account, _role(config), self._profile)

    def through(self, account: AwsAccount, role: AssumedRole | None, profile: str | None = None) -> Account:
        """Through a role, or with the credentials themselves; the same each time, so that no look assumes it anew."""
        return self._known.setdefault((account, role), Account(account, role=role, profile=profile, among=self._few))


def targets(stacks: Iterable[Stack], accounts: Accounts) -> Iterator[Target]:
    """The deployments of stacks: of a deployment stack itself, of an account stack those that stand in it."""
    for stack in stacks:
        config, account = stack.config, accounts.of(stack.config)
        if isinstance(config, DeploymentConfig):
            sections = {config.name: (config.deployment, config.secrets)}
        else:
            sections = {name: (section, config.secrets_of(name)) for name, section in config.deployments.items()}
        for name, (section, secrets) in sections.items():
            yield Target(
                stack=stack.name,
                deployment=name,
                section=section,
                names=config.names,
                account=account,
                own_database=secrets.postgres_uri_custom is None,
                own_cache=secrets.redis_uri_custom is None,
                has_retention=isinstance(config, DeploymentConfig) and config.retention is not None,
            )


def _role(config: AccountConfig | DeploymentConfig) -> AssumedRole | None:
    if isinstance(config, AccountConfig) or not config.assume_role.enabled or config.external_id is None:
        return None
    return AssumedRole(
        role_arn=config.role_arn,
        external_id=config.external_id.get_secret_value(),
        session_name=config.assume_role.session_name,
    )
