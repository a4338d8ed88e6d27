"""What a teardown is about: one deployment, or an account's install with everything in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from byoc import tags
from byoc.config import AccountConfig
from byoc.errors import ByocError
from byoc.naming import Names
from byoc.operations.account import Account
from byoc.operations.answers import DeniedError
from byoc.operations.targets import Accounts, Stack, Target, targets
from byoc.types import AwsAccount

SERVICE_ROLES = ("api", "queue", "cache")
"""The roles that an ECS service of a deployment can have, whatever its config says today."""
SECRETS = ("environment", "connections", "cache")
"""The contents that a secret of a deployment can have."""
ALARMS = (
    "errors",
    "unhealthy-hosts",
    *(f"{role}-{what}" for role in SERVICE_ROLES for what in ("not-running", "tasks-missing")),
    "database-connections",
    "database-cpu",
    "database-storage",
    "scale-out",
    "scale-in",
)
"""What an alarm of a deployment can be about."""


@dataclass(frozen=True, kw_only=True)
class Install:
    """What only an account stack has."""

    makes_network: bool
    """Whether the VPC is one that the stack made; otherwise only its tags are the stack's."""
    vpc_id: str
    """Of an adopted VPC; empty where the stack makes it."""
    subnet_ids: tuple[str, ...]
    """Of an adopted VPC."""
    tags_network: bool
    """Whether the stack writes the documented tags on an adopted VPC."""
    repositories: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A stack that is to go, and the ways to ask about it."""

    stack: str
    account: Account
    names: Names
    deployments: tuple[Target, ...]
    """Those of the stack itself."""
    install: Install | None
    """None for a deployment stack."""

    @property
    def deployment_names(self) -> frozenset[str]:
        """The deployments that go with the stack."""
        return frozenset(target.deployment for target in self.deployments)

    def services(self) -> tuple[str, ...]:
        """Every name that an ECS service of its deployments can have."""
        return tuple(self.names.service(name, role) for name in sorted(self.deployment_names) for role in SERVICE_ROLES)

    def families(self) -> tuple[str, ...]:
        """Every family that a task definition of its deployments can have: of services, and of ``byoc doctor``."""
        return (*self.services(), *(self.names.egress_probe(name) for name in sorted(self.deployment_names)))

    def databases(self) -> tuple[str, ...]:
        """The identifiers of its deployments' databases."""
        return tuple(self.names.database(name) for name in sorted(self.deployment_names))

    def secrets(self) -> tuple[str, ...]:
        """Every name that a secret of its deployments can have."""
        return tuple(self.names.secret(name, content) for name in sorted(self.deployment_names) for content in SECRETS)

    def alarms(self) -> tuple[str, ...]:
        """Every name that an alarm of its deployments can have."""
        return tuple(self.names.alarm(name, subject) for name in sorted(self.deployment_names) for subject in ALARMS)

    def owns(self, found_tags: dict[str, str]) -> bool:
        """Whether tags say that a thing belongs to it."""
        if found_tags.get(tags.INSTALL_KEY) != self.names.prefix:
            return False
        return self.install is not None or found_tags.get(tags.DEPLOYMENT_KEY, "") in self.deployment_names

    def may_own(self, name: str, found_tags: dict[str, str]) -> bool:
        """Whether a thing belongs to it by its tags, or, where no install has put any, by the beginning of its name.

        For a deployment only tags count: names of different deployments can begin alike.
        """
        if self.owns(found_tags):
            return True
        begins = name.startswith((f"{self.names.prefix}-", f"{self.names.prefix}/"))
        return self.install is not None and begins and tags.INSTALL_KEY not in found_tags


def subjects(stacks: Iterable[Stack], accounts: Accounts) -> Iterator[Subject]:
    """The stacks in the order in which they can go: deployment stacks before the account stacks that they live in."""
    ordered = sorted(stacks, key=lambda stack: isinstance(stack.config, AccountConfig))
    for stack in ordered:
        yield Subject(
            stack=stack.name,
            account=accounts.of(stack.config),
            names=stack.config.names,
            deployments=tuple(targets([stack], accounts)),
            install=_install(stack.config) if isinstance(stack.config, AccountConfig) else None,
        )


def reached(found: Sequence[Subject], tell: Callable[[str], None] = lambda _: None) -> tuple[Subject, ...]:
    """The same stacks, once it is certain that each account answers, and is the right one.

    An account stack takes the cross-account role with it. A deployment whose role lets nobody in any more is then asked
    about as the account itself, where its account stack is among them: so the same command ends the same when it is run
    again. ``tell``: is told of that.

    Raises :class:`~byoc.errors.ByocError` where nobody answers, or another account does.
    """
    hosts = {(item.account.account, item.names.prefix): item.account for item in found if item.install is not None}
    refused: dict[Account, DeniedError] = {}
    for account in dict.fromkeys(item.account for item in found):
        try:
            account.require_right_account()
        except DeniedError as error:
            if error.action != "sts:AssumeRole":
                raise
            refused[account] = error
    return tuple(
        _through_host(item, refused[item.account], hosts, tell) if item.account in refused else item for item in found
    )


def _through_host(
    subject: Subject,
    error: DeniedError,
    hosts: Mapping[tuple[AwsAccount, str], Account],
    tell: Callable[[str], None],
) -> Subject:
    host = hosts.get((subject.account.account, subject.names.prefix))
    if host is None:
        raise ByocError(
            f"{subject.stack}: {error.action}: {error.what}\n"
            "      mend it:  see 'byoc doctor'; or, if the account stack is gone and the role with it, name it in the "
            "same command, with credentials of the account (--account-profile)"
        )
    tell(f"{subject.stack}: {error.action}: {error.what}; it is asked about as the account itself")
    return replace(subject, account=host)


def _install(config: AccountConfig) -> Install:
    network = config.network
    if network.kind == "create":
        return Install(
            makes_network=True,
            vpc_id="",
            subnet_ids=(),
            tags_network=False,
            repositories=config.runtime.repositories,
        )
    return Install(
        makes_network=False,
        vpc_id=network.vpc_id,
        subnet_ids=(*network.private_subnet_ids, *network.public_subnet_ids),
        tags_network=network.tag,
        repositories=config.runtime.repositories,
    )


def tag_map(listed: Iterable[dict[str, str]] | None) -> dict[str, str]:
    """Tags by key, from any of the lists that AWS's services answer with."""
    found = {}
    for item in listed or ():
        lower = {key.lower(): value for key, value in item.items()}
        found[lower["key"]] = lower.get("value", "")
    return found
