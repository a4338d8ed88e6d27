"""Physical names: fixed where the documents fix them or a person must find the thing.

Under the default prefix, :class:`Names` gives exactly the names of the documented AWS setup
(``facts/langgraph.md``, "What the documented AWS setup makes"). Under any other prefix every name carries that
prefix, so that two installs can share an account.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

DEFAULT_PREFIX = "langgraph-cloud"

LOAD_BALANCER_NAME_LIMIT = 32
"""Characters in the name of a load balancer or target group (AWS limit)."""
RDS_IDENTIFIER_LIMIT = 63
"""Characters in an RDS instance identifier (AWS limit)."""
ROLE_NAME_LIMIT = 64
"""Characters in the name of an IAM role (AWS limit)."""

_HASH_DIGITS = 8


def bounded(name: str, limit: int) -> str:
    """``name``, cut to ``limit`` characters; a name that was cut ends in a hash of the whole, so that two long
    names stay different. The result never ends in a hyphen.
    """
    if len(name) <= limit:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:_HASH_DIGITS]
    return f"{name[: limit - _HASH_DIGITS - 1].rstrip('-')}-{digest}"


@dataclass(frozen=True)
class Names:
    """The physical names of one install in one account and region."""

    prefix: str = DEFAULT_PREFIX

    @property
    def is_documented(self) -> bool:
        """Whether this install carries the documented names."""
        return self.prefix == DEFAULT_PREFIX

    def _iam(self, documented: str, suffix: str) -> str:
        return documented if self.is_documented else bounded(f"{self.prefix}-{suffix}", ROLE_NAME_LIMIT)

    @property
    def control_plane_role(self) -> str:
        """The cross-account role."""
        return self._iam("LangGraphCloudBYOCRole", "BYOCRole")

    @property
    def supplement_policy(self) -> str:
        """The customer-managed policy beside the five documented ones."""
        return self._iam("LangGraphCloudCustomPermissions", "CustomPermissions")

    @property
    def guardrail_policy(self) -> str:
        """The customer-managed policy that only denies (not part of the documented setup)."""
        return self._iam("LangGraphCloudGuardrails", "Guardrails")

    @property
    def no_deletions_policy(self) -> str:
        """The policy that denies the deletion of data and services (``access.allowDelete: false``)."""
        return self._iam("LangGraphCloudNoDeletions", "NoDeletions")

    @property
    def suspended_policy(self) -> str:
        """The policy that denies everything (``access.suspend: true``)."""
        return self._iam("LangGraphCloudSuspended", "Suspended")

    def scoped_policy(self, area: str) -> str:
        """A policy of scoped mode: ``area`` is such as ``Databases``."""
        return self._iam(f"LangGraphCloudScoped{area}", f"Scoped{area}")

    @property
    def break_glass_role(self) -> str:
        """The role for emergencies, which is closed unless the config opens it (not part of the documented setup)."""
        return self._iam("LangGraphCloudBreakGlassRole", "BreakGlassRole")

    @property
    def break_glass_policy(self) -> str:
        """The inline policy of the role for emergencies."""
        return self._iam("BreakGlass", "BreakGlass")

    @property
    def boundary_policy(self) -> str:
        """The permissions boundary of every role (``access.permissionsBoundary: own``)."""
        return self._iam("LangGraphCloudBoundary", "Boundary")

    @property
    def boundary_stays_policy(self) -> str:
        """The inline policy that keeps a role's permissions boundary where it is, our own or the customer's."""
        return self._iam("BoundaryStays", "BoundaryStays")

    @property
    def execution_role(self) -> str:
        """The role with which ECS starts tasks: pulls images, reads secrets, writes logs."""
        return self._iam("LangGraphCloudECSTaskExecutionRole", "ECSTaskExecutionRole")

    @property
    def task_role(self) -> str:
        """The role under which the graphs' own code runs; it has no permissions by default."""
        return self._iam("LangGraphCloudECSTaskRole", "ECSTaskRole")

    @property
    def secrets_read_policy(self) -> str:
        """The policy that lets the execution role read this install's secrets."""
        return self._iam("SecretsRead", "SecretsRead")

    @property
    def cluster(self) -> str:
        """The ECS cluster."""
        return f"{self.prefix}-cluster"

    @property
    def log_group(self) -> str:
        """The CloudWatch log group of all containers."""
        return f"/aws/ecs/{self.prefix}"

    @property
    def db_subnet_group(self) -> str:
        """The RDS subnet group over the private subnets."""
        return f"{self.prefix}-db-subnet-group"

    @property
    def load_balancer_security_group(self) -> str:
        """The security group of all load balancers."""
        return f"{self.prefix}-lb-sg"

    @property
    def service_security_group(self) -> str:
        """The security group of all LangGraph Server tasks."""
        return f"{self.prefix}-service-sg"

    @property
    def data_security_group(self) -> str:
        """The security group of databases and caches (not part of the documented setup)."""
        return f"{self.prefix}-data-sg"

    @property
    def namespace(self) -> str:
        """The private DNS namespace in which caches are found."""
        return f"{self.prefix}-redis"

    @property
    def alarm_topic(self) -> str:
        """The SNS topic that alarms of all deployments go to."""
        return f"{self.prefix}-alarms"

    def event_rule(self, subject: str) -> str:
        """An EventBridge rule of the account stack: ``subject`` is what it tells of."""
        return f"{self.prefix}-{subject}"

    def load_balancer(self, deployment: str) -> str:
        """The load balancer of a deployment."""
        return bounded(f"{self.prefix}-{deployment}", LOAD_BALANCER_NAME_LIMIT)

    def database(self, deployment: str) -> str:
        """The RDS instance identifier of a deployment."""
        return bounded(f"{self.prefix}-{deployment}", RDS_IDENTIFIER_LIMIT)

    def service(self, deployment: str, role: str = "api") -> str:
        """An ECS service, and its task definition family: ``role`` is ``api``, ``queue`` or ``cache``."""
        return f"{self.prefix}-{deployment}-{role}"

    def egress_probe(self, deployment: str) -> str:
        """The task definition family of ``byoc doctor --probe-egress``, which is there while the probe runs."""
        return self.service(deployment, "egress-probe")

    def secret(self, deployment: str, content: str) -> str:
        """A Secrets Manager entry of a deployment: ``content`` is ``environment``, ``connections`` or ``cache``."""
        return f"{self.prefix}/{deployment}/{content}"

    def alarm(self, deployment: str, subject: str) -> str:
        """A CloudWatch alarm of a deployment."""
        return f"{self.prefix}-{deployment}-{subject}"
