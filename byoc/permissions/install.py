"""What the policy documents need to know about an account and an install.

Structural types: ``byoc.types.AwsAccount`` and ``byoc.naming.Names`` fit them, and nothing of ours is imported.
"""

from __future__ import annotations

from typing import Protocol

INSTALL_TAG = "byoc-install"
"""On everything taggable of an install; the value is its name prefix (``byoc.tags.INSTALL_KEY``)."""
DEPLOYMENT_TAG = "byoc-deployment"
"""On everything of one deployment; the value is its name (``byoc.tags.DEPLOYMENT_KEY``)."""
SECRET_TAG = "langgraph-cloud"  # noqa: S105 - the name of a tag
"""On secrets; the value is the install's name prefix (``byoc.tags.SECRET_KEY``)."""


class Account(Protocol):
    """The account and region of an install."""

    @property
    def account_id(self) -> str:
        """Twelve digits."""

    @property
    def region(self) -> str:
        """Such as ``us-west-2``."""

    @property
    def partition(self) -> str:
        """``aws``, ``aws-cn`` or ``aws-us-gov``."""

    def arn(self, service: str, resource: str, *, region: bool = True) -> str:
        """The ARN of a resource of this account; ``region=False`` for global services such as IAM."""

    def role_arn(self, role_name: str, path: str = "/") -> str:
        """The ARN of a role of this account."""


class InstallNames(Protocol):
    """The physical names of an install that its policies speak of."""

    @property
    def prefix(self) -> str:
        """The install's name prefix."""

    @property
    def execution_role(self) -> str:
        """Name of the task execution role."""

    @property
    def task_role(self) -> str:
        """Name of the task role."""

    @property
    def cluster(self) -> str:
        """Name of the ECS cluster."""

    @property
    def log_group(self) -> str:
        """Name of the log group of all containers."""

    @property
    def db_subnet_group(self) -> str:
        """Name of the RDS subnet group."""

    @property
    def control_plane_role(self) -> str:
        """Name of the cross-account role."""

    @property
    def alarm_topic(self) -> str:
        """Name of the SNS topic of all alarms."""


LOAD_BALANCER_NAME_LIMIT = 32
"""Characters in the name of a load balancer (AWS limit)."""
RDS_IDENTIFIER_LIMIT = 63
"""Characters in an RDS identifier (AWS limit)."""
_CUT_OFF = 9
"""Characters that a name which is cut to its limit gives up for a hyphen and a hash (``byoc.naming.bounded``)."""


def name_pattern(prefix: str, limit: int) -> str:
    """What every name of an install looks like that AWS limits to ``limit`` characters.

    ``<prefix>-*``; a prefix so long that its names are cut is cut here as well, and then fits other names, too.
    """
    whole = f"{prefix}-"
    kept = limit - _CUT_OFF
    return f"{whole}*" if len(whole) <= kept else f"{prefix[:kept].rstrip('-')}*"
