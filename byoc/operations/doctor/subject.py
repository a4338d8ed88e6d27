"""What is examined: a stack, what it is made of, and the ways into its account."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from byoc.access.required import Planned
from byoc.config import AccountConfig, DeploymentConfig, DeploymentSecrets, DeploymentSection
from byoc.naming import Names
from byoc.operations.account import Account
from byoc.operations.doctor.asking import NoAnswer

SUBNET = "aws:ec2/subnet:Subnet"
LOAD_BALANCER = "aws:lb/loadBalancer:LoadBalancer"
SERVICE = "aws:ecs/service:Service"
DATABASE = "aws:rds/instance:Instance"
SECRET = "aws:secretsmanager/secret:Secret"  # noqa: S105 - a type


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A stack to examine."""

    stack: str
    config: AccountConfig | DeploymentConfig
    planned: Planned
    """What its program makes, computed without AWS."""
    account: Account
    """The way in: through the cross-account role for a deployment stack, unless its config or the caller says
    otherwise."""
    caller: Account
    """The same account and region with the caller's own credentials."""
    zones: Mapping[str, str] | NoAnswer = field(default_factory=dict)
    """What the zones of ``planned`` are called in this account, where that differs; empty: there is none."""

    @property
    def names(self) -> Names:
        """The install's names."""
        return self.config.names

    @property
    def is_deployment(self) -> bool:
        """Whether the account's runtime is somebody else's stack."""
        return isinstance(self.config, DeploymentConfig)

    @property
    def through_role(self) -> bool:
        """Whether the cross-account role is the way in."""
        return self.account.role is not None

    @property
    def role_arn(self) -> str | None:
        """The role that the stack runs as, whoever asks now; None where it runs as its caller."""
        config = self.config
        return config.role_arn if isinstance(config, DeploymentConfig) and config.assume_role.enabled else None

    @property
    def deployments(self) -> Mapping[str, tuple[DeploymentSection, DeploymentSecrets]]:
        """The deployments of the stack, by name: one of a deployment stack, the inline ones of an account stack."""
        if isinstance(self.config, DeploymentConfig):
            return {self.config.name: (self.config.deployment, self.config.secrets)}
        return {name: (section, self.config.secrets_of(name)) for name, section in self.config.deployments.items()}

    def counted(self) -> Counter[str]:
        """How many resources of each type the stack has."""
        return Counter(item.type for item in self.planned.registered if item.custom and not item.is_provider)

    def inputs(self, type_: str) -> Iterator[Mapping[str, Any]]:
        """The inputs of the stack's resources of a type."""
        for item in self.planned.registered:
            if item.type == type_:
                yield item.inputs

    def zone(self, planned: str) -> str:
        """A zone of ``planned`` by the name that it has in this account; empty where that is not known."""
        return "" if isinstance(self.zones, NoAnswer) else self.zones.get(planned, planned)

    def named(self, type_: str, key: str = "name") -> tuple[str, ...]:
        """The physical names of the stack's resources of a type; those that AWS names are left out."""
        return tuple(sorted(str(found[key]) for found in self.inputs(type_) if isinstance(found.get(key), str)))
