"""One LangGraph Server: the settings of a deployment, and the stack of kind ``deployment``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ValidationInfo, field_validator, model_validator

from byoc.config.access import ExternalId
from byoc.config.common import CommonConfig
from byoc.config.containers import CacheConfig, QueueConfig, SizeConfig
from byoc.config.database import DatabaseConfig, connection_findings
from byoc.config.defaults import complete_deployment
from byoc.config.environment import Environment, environment_findings
from byoc.config.fields import (
    DeploymentName,
    MountPrefix,
    NamespaceId,
    PrivateSubnetIds,
    PublicSubnetIds,
    RoleArn,
    RolePath,
    SecurityGroupId,
    SessionName,
    Switch,
    VpcId,
    Whole,
    counted,
)
from byoc.config.images import ImageReference
from byoc.config.problems import Finding, refuse, refuse_if
from byoc.config.retention import RetentionConfig
from byoc.config.revisions import RevisionsConfig
from byoc.config.secrets import DeploymentSecrets
from byoc.config.section import Section, setting
from byoc.config.serving import IngressConfig, TracingConfig, certificate_findings
from byoc.sizing import most_tasks
from byoc.types import AwsAccount, DeploymentType

LONGEST_GRACE_SECONDS = 115
"""Fargate kills a task 120 seconds after it was told to stop (AWS docs: ``stopTimeout``); five are left to re-queue."""


class DeploymentSection(Section):
    """Settings of one deployment, alike in both kinds of stack."""

    type: DeploymentType = setting(
        "`development` (one container, smallest database, no backups) or `production` (up to 10 containers, Multi-AZ "
        "database with backups and protection). A deployment never changes its type."
    )
    image: ImageReference = setting(
        "The server's image, made by `langgraph build` for linux/amd64, with a tag other than `latest` or a digest."
    )
    environment: Environment = setting(
        "Environment variables of the graphs, as names and texts; numbers and `true` in quotes. They are kept in "
        "Secrets "
        "Manager as well. At most 200, 60 KiB together with `secretEnvironment`. Names that the server reserves "
        "are refused.",
        default={},
        shown="none",
    )
    size: SizeConfig = setting("Size and number of containers.", shown="by type")
    queue: QueueConfig = setting("Where background runs are worked off.", shown="in the API containers")
    database: DatabaseConfig = setting("The database that is made.", shown="by type")
    cache: CacheConfig = setting("The Redis that is made.", default=CacheConfig(), shown="a small one")
    ingress: IngressConfig = setting(
        "How the deployment is reached.", default=IngressConfig(), shown="from within the VPC"
    )
    tracing: TracingConfig = setting("Traces to LangSmith.", default=TracingConfig(), shown="on")
    mount_prefix: MountPrefix | None = setting(
        "Path under which the server answers, such as `/agents/chat`.", default=None, shown="at the root"
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] | None = setting(
        "How much the server logs.", default=None, shown="the server's own: INFO"
    )
    shutdown_grace_seconds: Annotated[Whole, counted(1, LONGEST_GRACE_SECONDS)] = setting(
        "Seconds that a container waits for its runs before it re-queues them, 1 to 115: Fargate ends it after 120.",
        default=100,
    )
    revisions: RevisionsConfig = setting("Going back to earlier revisions.", default=RevisionsConfig(), shown="five")

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, raw: object) -> object:
        """Fill in the defaults that depend on the type."""
        return complete_deployment(raw)

    @field_validator("type", mode="before")
    @classmethod
    def _known_type(cls, value: object) -> object:
        """One of two words."""
        if not isinstance(value, str) or value not in set(DeploymentType):
            raise refuse("development or production", "write one of the two")
        return value

    @field_validator("size")
    @classmethod
    def _development_is_single(cls, value: SizeConfig, info: ValidationInfo) -> SizeConfig:
        """A development deployment has one container, as documented."""
        if info.data.get("type") is DeploymentType.DEVELOPMENT and value.max_containers > 1:
            at = "minContainers" if value.min_containers > 1 else "maxContainers"
            raise refuse("1, since type is development", "remove it, or make a deployment of type production", at=(at,))
        return value

    @field_validator("queue")
    @classmethod
    def _development_queue_is_single(cls, value: QueueConfig, info: ValidationInfo) -> QueueConfig:
        """So does its queue."""
        if info.data.get("type") is DeploymentType.DEVELOPMENT and value.separate and value.max_containers > 1:
            at = "containers" if value.containers > 1 else "maxContainers"
            raise refuse("1, since type is development", "remove it, or make a deployment of type production", at=(at,))
        return value

    @property
    def most_tasks(self) -> int:
        """The most containers with database connections that are alive at once, during a rolling update."""
        return most_tasks(self.size.max_containers, self.queue.max_containers if self.queue.separate else 0)


class AssumeRoleConfig(Section):
    """How a deployment stack gets into the account."""

    enabled: Switch = setting(
        "Whether the cross-account role is assumed. `false`: the stack runs with credentials of the account itself.",
        default=True,
    )
    role_arn: RoleArn | None = setting(
        "ARN of the role.", default=None, shown="the account stack's role, by `accountId`, `namePrefix` and `rolePath`"
    )
    session_name: SessionName = setting("Name of the role session; it stands in CloudTrail.", default="byoc")


class RuntimeIds(Section):
    """Ids of what the account stack made, where they cannot be found by name and tag."""

    vpc_id: VpcId | None = setting("The VPC.", default=None, shown="that of the service security group")
    private_subnet_ids: PrivateSubnetIds | None = setting(
        "The private subnets.", default=None, shown="by documented tags"
    )
    public_subnet_ids: PublicSubnetIds | None = setting("The public subnets.", default=None, shown="by documented tags")
    load_balancer_security_group_id: SecurityGroupId | None = setting(
        "The load balancers' security group.", default=None, shown="by name"
    )
    service_security_group_id: SecurityGroupId | None = setting(
        "The containers' security group.", default=None, shown="by name"
    )
    data_security_group_id: SecurityGroupId | None = setting(
        "The databases' and caches' security group.", default=None, shown="by name"
    )
    namespace_id: NamespaceId | None = setting("The Cloud Map namespace.", default=None, shown="by name")


class DeploymentConfig(DeploymentSecrets, DeploymentSection, CommonConfig):
    """A stack of kind ``deployment``: one deployment in an account whose account stack is up."""

    kind: Literal["deployment"] = setting("One deployment, in an account whose account stack is up.")
    name: DeploymentName = setting(
        "The deployment's name: lowercase letters, digits and hyphens, at most 63 characters. It never changes."
    )
    assume_role: AssumeRoleConfig = setting(
        "How the stack gets into the account.", default=AssumeRoleConfig(), shown="through the cross-account role"
    )
    external_id: ExternalId | None = setting(
        "The external id with which the cross-account role is assumed; the account stack has the same.",
        default=None,
        shown="required while `assumeRole.enabled`",
    )
    role_path: RolePath = setting("IAM path of the account stack's roles: its `access.rolePath`.", default="/")
    runtime: RuntimeIds = setting(
        "Ids of what the account stack made.", default=RuntimeIds(), shown="everything is found by name and tag"
    )
    retention: RetentionConfig | None = setting(
        "Deletion of the deployment after days without a trace (`byoc retention`).", default=None, shown="never"
    )

    @field_validator("ingress")
    @classmethod
    def _certificate_is_at_hand(cls, value: IngressConfig, info: ValidationInfo) -> IngressConfig:
        """The certificate is one of this account and region."""
        if "account_id" in info.data and "region" in info.data:
            account = AwsAccount(account_id=info.data["account_id"], region=info.data["region"])
            refuse_if(certificate_findings(value, account, ("ingress",)))
        return value

    @field_validator("assume_role")
    @classmethod
    def _role_of_this_account(cls, value: AssumeRoleConfig, info: ValidationInfo) -> AssumeRoleConfig:
        """The role is one of this account."""
        account_id = info.data.get("account_id")
        if value.role_arn is not None and account_id is not None and value.role_arn.split(":")[4] != account_id:
            raise refuse(f"a role of account {account_id}", "correct roleArn or accountId", at=("roleArn",))
        return value

    @field_validator("external_id")
    @classmethod
    def _needed_to_get_in(cls, value: ExternalId | None, info: ValidationInfo) -> ExternalId | None:
        """The role's trust policy asks for it."""
        assume_role = info.data.get("assume_role")
        if value is None and assume_role is not None and assume_role.enabled:
            raise refuse(
                "the external id of the account's cross-account role",
                "pulumi config set --secret byoc:externalId …, or set assumeRole.enabled to false",
            )
        return value

    @field_validator("redis_uri_custom")
    @classmethod
    def _fits_as_a_whole(cls, value: object, info: ValidationInfo) -> object:
        """What only the deployment with its secrets as a whole tells; on the last of its settings."""
        data = info.data
        findings = environment_findings(
            data.get("environment", {}),
            data.get("secret_environment", {}),
            place=("environment",),
            secret_place=("secretEnvironment",),
        )
        own_database = data.get("postgres_uri_custom", "unknown") is None
        if own_database and all(part in data for part in ("size", "queue", "database")):
            queue = data["queue"]
            tasks = most_tasks(data["size"].max_containers, queue.max_containers if queue.separate else 0)
            findings += connection_findings(data["database"], tasks, ())
        refuse_if(findings)
        return value

    @property
    def deployment(self) -> DeploymentSection:
        """The settings of the deployment: this config itself, by the type that inline deployments have."""
        return self

    @property
    def secrets(self) -> DeploymentSecrets:
        """The secrets of the deployment: this config itself, by the type that inline deployments have."""
        return self

    @property
    def role_arn(self) -> str:
        """The cross-account role, by its ARN or by the documented name."""
        default = self.account.role_arn(self.names.control_plane_role, self.role_path)
        return self.assume_role.role_arn or default


def whole_findings(section: DeploymentSection, secrets: DeploymentSecrets, name: str) -> list[Finding]:
    """What only an inline deployment with its secrets as a whole tells."""
    place = ("deployments", name)
    findings = environment_findings(
        section.environment,
        secrets.secret_environment,
        place=(*place, "environment"),
        secret_place=("deploymentSecrets", name, "secretEnvironment"),
    )
    if secrets.postgres_uri_custom is None:
        findings += connection_findings(section.database, section.most_tasks, place)
    return findings
