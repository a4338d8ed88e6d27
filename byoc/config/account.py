"""The stack of kind ``account``: what the customer runs once per account and region."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Discriminator, Tag, ValidationInfo, field_validator

from byoc.config.access import AccessConfig, ExternalId, refuse_guessable
from byoc.config.adopted import AdoptedConfig
from byoc.config.break_glass import BreakGlassConfig, foreign_principals_of, partition_findings
from byoc.config.common import CommonConfig
from byoc.config.deployment import DeploymentSection, whole_findings
from byoc.config.fields import DeploymentName, Switch
from byoc.config.network import CreateNetwork, ExistingNetwork, NetworkConfig
from byoc.config.problems import Finding, refuse, refuse_if
from byoc.config.runtime import LoadBalancerConfig, RuntimeConfig
from byoc.config.secrets import DeploymentSecrets
from byoc.config.section import setting
from byoc.config.serving import certificate_findings
from byoc.config.vendor_activity import VendorActivityConfig
from byoc.permissions.policies.access import AccessSettings
from byoc.permissions.policies.boundary import own_boundary_arn
from byoc.types import AwsAccount


def _network_kind(value: object) -> str:
    """Which of the two networks is meant; ``create`` where nothing is said."""
    if isinstance(value, Mapping):
        return str(value.get("kind", "create"))
    return str(getattr(value, "kind", "create"))


Network = Annotated[
    Annotated[CreateNetwork, Tag("create")] | Annotated[ExistingNetwork, Tag("existing")], Discriminator(_network_kind)
]


class AccountConfig(CommonConfig):
    """A stack of kind ``account``: the cross-account role, the network, and what all deployments share."""

    kind: Literal["account"] = setting("The account's own stack: access, network, and what all deployments share.")
    access: AccessConfig = setting("The cross-account role.", default=AccessConfig(), shown="the documented one")
    external_id: ExternalId | None = setting(
        "What the control plane must send to assume the role: 16 to 1,224 characters that nobody guesses. "
        "`byoc external-id new` makes one.",
        default=None,
        shown="required while `access.enabled`",
    )
    previous_external_id: ExternalId | None = setting(
        "A second external id that is accepted too, while the control plane moves from one to the other.",
        default=None,
        shown="none",
    )
    break_glass: BreakGlassConfig | None = setting(
        "A second role, for emergencies: closed unless this section opens it.", default=None, shown="no such role"
    )
    break_glass_external_id: ExternalId | None = setting(
        "What principals must send to assume the break-glass role; not the control plane's `externalId`.",
        default=None,
        shown="none; required while `breakGlass` is open to principals of another account",
    )
    vendor_activity: VendorActivityConfig | None = setting(
        "Messages to the account's topic about what the control plane does here; `{}` for all of them. The account "
        "needs a CloudTrail trail that logs management events in the region.",
        default=None,
        shown="none",
    )
    network: Network = setting("The network.", default=CreateNetwork(kind="create"), shown="one is made")
    runtime: RuntimeConfig = setting("What all deployments share.", default=RuntimeConfig(), shown="as documented")
    service_linked_roles: Switch = setting(
        "Whether service-linked roles that the account lacks are made (load balancing, ECS, RDS, scaling). Those that "
        "are there are left alone; none is ever deleted.",
        default=True,
    )
    adopted: AdoptedConfig = setting(
        "What an account that another tool made keeps as it is.", default=AdoptedConfig(), shown="nothing"
    )
    deployments: dict[DeploymentName, DeploymentSection] = setting(
        "Deployments in this same stack, by name: for those who run everything themselves.", default={}, shown="none"
    )
    deployment_secrets: dict[str, DeploymentSecrets] = setting(
        "The secrets of inline deployments, as a JSON object by name.", default={}, shown="none"
    )

    @field_validator("access")
    @classmethod
    def _of_this_partition(cls, value: AccessConfig, info: ValidationInfo) -> AccessConfig:
        """Roles do not cross partitions, and a permissions boundary is one of the account's."""
        if "account_id" not in info.data or "region" not in info.data:
            return value
        account = AwsAccount(account_id=info.data["account_id"], region=info.data["region"])
        here = f"arn:{account.partition}:iam:"
        findings = [
            Finding(
                at=("principals", index) if value.principals else ("controlPlane",),
                allowed=f"principals of the partition {account.partition}, since region is {account.region}",
                remedy="set controlPlane to custom and name principals of that partition",
            )
            for index, principal in enumerate(value.principal_arns if value.enabled else ())
            if not principal.startswith(here)
        ]
        boundary = value.supplied_boundary
        if boundary is not None and not boundary.startswith((f"{here}:{account.account_id}:", f"{here}:aws:")):
            findings.append(
                Finding(
                    at=("permissionsBoundary",),
                    allowed=f"a policy of account {account.account_id}, or one that AWS manages",
                    remedy="create the boundary policy in this account, or write own for that of this library",
                )
            )
        refuse_if(findings)
        return value

    @field_validator("external_id")
    @classmethod
    def _needed_for_the_role(cls, value: ExternalId | None, info: ValidationInfo) -> ExternalId | None:
        """No role without an external id."""
        access = info.data.get("access")
        if value is None and access is not None and access.enabled:
            raise refuse(
                "an external id, since access.enabled is true",
                'pulumi config set --secret byoc:externalId "$(byoc external-id new)", or set access.enabled to false',
            )
        refuse_guessable(value, access, "externalId")
        return value

    @field_validator("previous_external_id")
    @classmethod
    def _another_one(cls, value: ExternalId | None, info: ValidationInfo) -> ExternalId | None:
        """A rotation has two different ids."""
        if value is not None and value == info.data.get("external_id"):
            raise refuse("another id than byoc:externalId", "remove it, or put the id that is being replaced there")
        return value

    @field_validator("break_glass")
    @classmethod
    def _opened_to_this_partition(cls, value: BreakGlassConfig | None, info: ValidationInfo) -> BreakGlassConfig | None:
        """Roles do not cross partitions."""
        if value is not None and "account_id" in info.data and "region" in info.data:
            account = AwsAccount(account_id=info.data["account_id"], region=info.data["region"])
            refuse_if(partition_findings(value, account))
        return value

    @field_validator("break_glass_external_id")
    @classmethod
    def _needed_across_accounts(cls, value: ExternalId | None, info: ValidationInfo) -> ExternalId | None:
        """No principal of another account without an external id, and not with the control plane's."""
        break_glass = info.data.get("break_glass")
        if value is not None and value in (info.data.get("external_id"), info.data.get("previous_external_id")):
            raise refuse(
                "another id than the control plane's", "set one of its own, which only those who open the role know"
            )
        if value is None and break_glass is not None and "account_id" in info.data and "region" in info.data:
            account = AwsAccount(account_id=info.data["account_id"], region=info.data["region"])
            if foreign := foreign_principals_of(break_glass, account):
                raise refuse(
                    f"an external id, since breakGlass is open to {', '.join(foreign)}",
                    'pulumi config set --secret byoc:breakGlassExternalId "$(byoc external-id new)", or name '
                    "principals of this account",
                )
        refuse_guessable(value, info.data.get("access"), "breakGlassExternalId")
        return value

    @field_validator("vendor_activity")
    @classmethod
    def _of_some_role(cls, value: VendorActivityConfig | None, info: ValidationInfo) -> VendorActivityConfig | None:
        """There is a role whose doings can be told."""
        access = info.data.get("access")
        if value is not None and access is not None and not access.enabled and info.data.get("break_glass") is None:
            raise refuse(
                "nothing, since access.enabled is false and there is no breakGlass: there is no role to tell of",
                "remove vendorActivity, or set access.enabled to true",
            )
        return value

    @field_validator("network")
    @classmethod
    def _zones_of_this_region(cls, value: NetworkConfig, info: ValidationInfo) -> NetworkConfig:
        """Named zones belong to the region."""
        region = info.data.get("region")
        if region is None or not isinstance(value, CreateNetwork) or isinstance(value.zones, int):
            return value
        refuse_if(
            [
                Finding(
                    at=("zones", index),
                    allowed=f"zones of {region}: {region}a, {region}b and so on",
                    remedy="correct the zone's name or byoc:region",
                )
                for index, zone in enumerate(value.zones)
                if not (zone.startswith(region) and len(zone) == len(region) + 1 and zone[-1] in "abcdefgh")
            ]
        )
        return value

    @field_validator("deployments")
    @classmethod
    def _fit_the_account(
        cls, value: dict[str, DeploymentSection], info: ValidationInfo
    ) -> dict[str, DeploymentSection]:
        """Certificates are of this account; who wants to be public can be reached."""
        findings: list[Finding] = []
        for name, deployment in value.items():
            place = ("deployments", name, "ingress")
            if "account_id" in info.data and "region" in info.data:
                account = AwsAccount(account_id=info.data["account_id"], region=info.data["region"])
                findings += certificate_findings(deployment.ingress, account, place)
            if deployment.ingress.scheme == "internet-facing":
                findings += _unreachable(info.data.get("network"), info.data.get("runtime"), place)
        refuse_if(findings)
        return value

    @field_validator("deployment_secrets")
    @classmethod
    def _of_inline_deployments(
        cls, value: dict[str, DeploymentSecrets], info: ValidationInfo
    ) -> dict[str, DeploymentSecrets]:
        """Secrets belong to deployments, and go with them."""
        deployments: Mapping[str, DeploymentSection] | None = info.data.get("deployments")
        if deployments is None:
            return value
        findings = [
            Finding(
                at=(name,),
                allowed=f"names of inline deployments: {', '.join(deployments) or 'there are none'}",
                remedy="correct the name, or remove the entry",
                got="[secret]",
            )
            for name in value
            if name not in deployments
        ]
        for name, deployment in deployments.items():
            findings += whole_findings(deployment, value.get(name, DeploymentSecrets()), name)
        refuse_if(findings)
        return value

    def secrets_of(self, deployment: str) -> DeploymentSecrets:
        """The secrets of an inline deployment; none of them set if the config says nothing."""
        return self.deployment_secrets.get(deployment, DeploymentSecrets())

    @property
    def external_ids(self) -> tuple[str, ...]:
        """The external ids that the role accepts, in plain text: to be wrapped as a Pulumi secret at once."""
        given = (self.external_id, self.previous_external_id)
        return tuple(secret.get_secret_value() for secret in given if secret is not None)

    @property
    def tells_of_roles(self) -> bool:
        """Whether EventBridge rules of the account tell of its roles."""
        return self.break_glass is not None or self.vendor_activity is not None

    @property
    def access_settings(self) -> AccessSettings:
        """All that decides what the control plane's role is, but for its external ids."""
        access = self.access
        return AccessSettings(
            mode=access.mode,
            principals=access.principal_arns,
            account_roots=access.allow_account_root,
            guessable_external_ids=access.allow_guessable_external_id,
            guardrails=access.with_guardrails,
            permissions_boundary=own_boundary_arn(self.account, self.names, access.role_path)
            if access.own_boundary
            else access.supplied_boundary,
            role_path=access.role_path,
            max_session_seconds=access.max_session_hours * 3600,
            allow_delete=access.allow_delete,
            suspend=access.suspend,
            observe_only=access.observe_only,
            event_rules=self.tells_of_roles,
            supplement_description=self.adopted.descriptions.supplement_policy,
        )


def _unreachable(
    network: NetworkConfig | None, runtime: RuntimeConfig | None, place: tuple[str | int, ...]
) -> list[Finding]:
    """Why an internet-facing load balancer would not work."""
    findings = []
    if isinstance(network, ExistingNetwork) and not network.public_subnet_ids:
        findings.append(
            Finding(
                key=(*place, "scheme"),
                allowed="internal, since network.publicSubnetIds is empty",
                remedy="add two public subnets to network.publicSubnetIds, or set scheme to internal",
            )
        )
    balancer = runtime.load_balancer if runtime is not None else LoadBalancerConfig(public=True)
    if not balancer.public and not balancer.allowed_cidrs:
        findings.append(
            Finding(
                key=(*place, "scheme"),
                allowed="internal, since runtime.loadBalancer lets in the VPC alone",
                remedy="name runtime.loadBalancer.allowedCidrs, set runtime.loadBalancer.public to true, or set "
                "scheme to internal",
            )
        )
    return findings
