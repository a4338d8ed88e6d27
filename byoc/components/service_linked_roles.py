"""The roles that AWS services use for themselves, without which the first deployment of an account fails."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from byoc.types import AwsAccount

SERVICES = (
    "ecs.amazonaws.com",
    "ecs.application-autoscaling.amazonaws.com",
    "elasticloadbalancing.amazonaws.com",
    "rds.amazonaws.com",
)
"""The services of a deployment that work through such a role (AWS docs: AWS services that work with IAM)."""
OWNER_KEY = "byoc-service-linked-role"
"""The tag by which a later run knows a role that it has made; the value is project, stack and component."""

_PATH = "/aws-service-role/"
_TAG_VALUE_LIMIT = 256


@dataclass(frozen=True, kw_only=True)
class ServiceLinkedRolesArgs:
    """``account``: where to look; such roles belong to an account as a whole, not to a region."""

    account: AwsAccount


class ServiceLinkedRoles(pulumi.ComponentResource):
    """Makes those service-linked roles that the account does not have yet, and leaves all others alone.

    An account can have each of them once, and everybody in it shares them. So they are looked up first; one that is
    absent is made, with a tag that names this component. A later run finds the tag and declares the role again, by its
    ARN, so that it comes back into a stack that was destroyed in between. None is ever destroyed: others may be using
    it by then.

    They cost nothing.
    """

    def __init__(self, name: str, args: ServiceLinkedRolesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("byoc:index:ServiceLinkedRoles", name, None, opts)
        owner = f"{pulumi.get_project()}/{pulumi.get_stack()}/{name}"[:_TAG_VALUE_LIMIT]
        existing = self._existing(args.account)
        for service in SERVICES:
            arn = existing.get(service)
            if arn is not None and self._owner(arn) != owner:
                continue
            aws.iam.ServiceLinkedRole(
                f"{name}-{service.removesuffix('.amazonaws.com')}",
                aws_service_name=service,
                tags={OWNER_KEY: owner},
                opts=pulumi.ResourceOptions(parent=self, retain_on_delete=True, import_=arn),
            )
        self.register_outputs({})

    def _existing(self, account: AwsAccount) -> dict[str, str]:
        """The ARNs of the account's service-linked roles, by service."""
        found = aws.iam.get_roles(path_prefix=_PATH, opts=pulumi.InvokeOptions(parent=self))
        start = account.role_arn("", _PATH)
        by_service = {arn.removeprefix(start).partition("/")[0]: arn for arn in found.arns if arn.startswith(start)}
        return {service: arn for service, arn in by_service.items() if service in SERVICES}

    def _owner(self, arn: str) -> str | None:
        role = aws.iam.get_role(name=arn.rpartition("/")[2], opts=pulumi.InvokeOptions(parent=self))
        return role.tags.get(OWNER_KEY)
