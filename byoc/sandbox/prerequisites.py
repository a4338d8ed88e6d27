"""What a stack's config takes for granted: things of the customer's that no stack makes.

Left out is what an account stack makes for its deployment stacks, such as the ids under ``runtime``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from byoc.config import AccountConfig, DeploymentConfig


@dataclass(frozen=True, kw_only=True)
class ExistingVpc:
    """A VPC that is there already, with the subnets that a config names."""

    vpc_id: str
    private_subnet_ids: tuple[str, ...]
    public_subnet_ids: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Prerequisites:
    """What has to be in the account before a stack can be made; by default nothing."""

    certificates: tuple[str, ...] = ()
    """ARNs of certificates, of ACM or IAM."""
    vpc: ExistingVpc | None = None
    policies: tuple[str, ...] = ()
    """ARNs of the customer's own managed policies; those that AWS manages are in every account."""

    def __bool__(self) -> bool:
        """Whether anything is taken for granted."""
        return bool(self.certificates or self.vpc or self.policies)

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return asdict(self)

    @classmethod
    def from_json(cls, item: Mapping[str, Any]) -> Prerequisites:
        """From what :meth:`to_json` gave; raises ``KeyError`` or ``TypeError`` for anything else."""
        vpc = item["vpc"]
        return cls(
            certificates=tuple(item["certificates"]),
            vpc=None
            if vpc is None
            else ExistingVpc(
                vpc_id=vpc["vpc_id"],
                private_subnet_ids=tuple(vpc["private_subnet_ids"]),
                public_subnet_ids=tuple(vpc["public_subnet_ids"]),
            ),
            policies=tuple(item["policies"]),
        )


def taken_for_granted(config: AccountConfig | DeploymentConfig) -> Prerequisites:
    """The certificates, the VPC and the policies that ``config`` names and no stack makes, each once."""
    if config.kind == "deployment":
        return Prerequisites(certificates=_given(config.ingress.certificate_arn))
    network = config.network
    boundary = config.access.supplied_boundary
    return Prerequisites(
        certificates=_given(*(deployment.ingress.certificate_arn for deployment in config.deployments.values())),
        vpc=ExistingVpc(
            vpc_id=network.vpc_id,
            private_subnet_ids=network.private_subnet_ids,
            public_subnet_ids=network.public_subnet_ids,
        )
        if network.kind == "existing"
        else None,
        policies=_given(boundary) if boundary is not None and ":iam::aws:" not in boundary else (),
    )


def _given(*arns: str | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(arn for arn in arns if arn is not None))
