"""Small shared vocabulary: values that more than one part of the library speaks about."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class DeploymentType(enum.StrEnum):
    """The two documented types of a deployment; a deployment never changes its type."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


@dataclass(frozen=True, kw_only=True)
class AwsAccount:
    """The customer's account and region that a stack provisions into.

    ``account_id`` has twelve digits. The partition follows from the region.
    """

    account_id: str
    region: str

    @property
    def partition(self) -> str:
        """``aws``, ``aws-cn`` or ``aws-us-gov``, by the region's prefix."""
        if self.region.startswith("cn-"):
            return "aws-cn"
        if self.region.startswith("us-gov-"):
            return "aws-us-gov"
        return "aws"

    @property
    def dns_suffix(self) -> str:
        """The domain under which the partition's services are reached."""
        return "amazonaws.com.cn" if self.partition == "aws-cn" else "amazonaws.com"

    def arn(self, service: str, resource: str, *, region: bool = True) -> str:
        """The ARN of ``resource`` in this account; ``region=False`` for global services such as IAM."""
        place = self.region if region else ""
        return f"arn:{self.partition}:{service}:{place}:{self.account_id}:{resource}"

    def role_arn(self, role_name: str, path: str = "/") -> str:
        """The ARN of a role of this account; ``path`` begins and ends with a slash."""
        return self.arn("iam", f"role{path}{role_name}", region=False)

    def managed_policy_arn(self, name: str) -> str:
        """The ARN of a policy that AWS manages, such as ``AmazonECS_FullAccess`` or ``service-role/...``."""
        return f"arn:{self.partition}:iam::aws:policy/{name}"
