"""What a control plane outside the account may do in it: one cross-account role."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from byoc.errors import ByocError, Problem
from byoc.naming import Names
from byoc.permissions.policies.documents import (
    MANAGED_POLICY_LIMIT,
    TRUST_POLICY_LIMIT,
    Document,
    compact,
    control_plane_trust,
    require_exact_principals,
)
from byoc.permissions.policies.guardrails import guardrails
from byoc.permissions.policies.managed import CONTROL_PLANE, managed_policies
from byoc.permissions.policies.supplement import supplement
from byoc.types import AwsAccount


@dataclass(frozen=True, kw_only=True)
class ControlPlaneAccessArgs:
    """Who may assume the role, and under which limits.

    ``principals``: ARNs of roles or users of the control plane; exact, none of them a wildcard or a whole account.
    ``external_ids``: what they must send along; one, or two while the id is being changed. They are handled as secrets
    whether they are marked as such or not.
    ``guardrails``: whether a policy that only denies takes back what the documented policies grant beyond need; by
    default it does. Switch it off only for a control plane that gives its resources other names and tags than this
    library does.
    ``permissions_boundary``: the ARN of a policy; by default the role has none. ``role_path``: of the role, its
    policies and this install's task roles; by default ``/``.
    ``max_session_seconds``: 3,600 to 43,200; by default an hour, which is also AWS's limit for a role that is assumed
    by another role.
    ``supplement_description``: of an adopted policy, which AWS cannot change in place; by default this library's.
    """

    account: AwsAccount
    principals: tuple[str, ...]
    external_ids: pulumi.Input[Sequence[str]]
    names: Names = field(default_factory=Names)
    guardrails: bool = True
    permissions_boundary: str | None = None
    role_path: str = "/"
    max_session_seconds: int = 3600
    supplement_description: str | None = None


class ControlPlaneAccess(pulumi.ComponentResource):
    """The cross-account role of the documented AWS setup, under its documented names.

    It holds the five policies of AWS that the documents name, a supplement with exactly those actions that provisioning
    needs and the five lack, and the guardrails. The policies that grant are attached after the one that denies and
    detached before it, so that the role never has the one without the other.

    It costs nothing, and a destroy leaves nothing of it.

    Raises ``ByocError`` if a principal is not exact, an external id is not one, or a policy is longer than AWS allows.
    """

    role_arn: pulumi.Output[str]
    """What the control plane assumes."""
    role_name: pulumi.Output[str]
    """The role's name."""

    def __init__(self, name: str, args: ControlPlaneAccessArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("byoc:index:ControlPlaneAccess", name, None, opts)
        self._check_principals(args)
        role = aws.iam.Role(
            f"{name}-role",
            name=args.names.control_plane_role,
            description="The LangGraph Cloud control plane provisions deployments with it",
            path=args.role_path,
            permissions_boundary=args.permissions_boundary,
            max_session_duration=args.max_session_seconds,
            assume_role_policy=_trust(args),
            opts=pulumi.ResourceOptions(parent=self),
        )
        denying = [self._guardrails(name, args, role)] if args.guardrails else []
        after_denying = pulumi.ResourceOptions(parent=self, depends_on=denying)
        for policy in CONTROL_PLANE:
            aws.iam.RolePolicyAttachment(
                f"{name}-policy-{policy}",
                role=role.name,
                policy_arn=args.account.managed_policy_arn(managed_policies()[policy].arn_name),
                opts=after_denying,
            )
        self._own_policy(
            f"{name}-supplement",
            args,
            role,
            policy_name=args.names.supplement_policy,
            description="What provisioning LangGraph Cloud deployments needs beside the policies of AWS"
            if args.supplement_description is None
            else args.supplement_description,
            document=supplement(args.account, args.names),
            opts=after_denying,
        )
        self.role_arn = role.arn
        self.role_name = role.name
        self.register_outputs({"role_arn": self.role_arn, "role_name": self.role_name})

    def _guardrails(self, name: str, args: ControlPlaneAccessArgs, role: aws.iam.Role) -> pulumi.Resource:
        return self._own_policy(
            f"{name}-guardrails",
            args,
            role,
            policy_name=args.names.guardrail_policy,
            description="Only denies: what the policies of AWS grant beyond what LangGraph Cloud deployments need",
            document=guardrails(args.account, args.names, role_path=args.role_path),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _own_policy(
        self,
        name: str,
        args: ControlPlaneAccessArgs,
        role: aws.iam.Role,
        *,
        policy_name: str,
        description: str,
        document: Document,
        opts: pulumi.ResourceOptions,
    ) -> pulumi.Resource:
        try:
            text = compact(document, limit=MANAGED_POLICY_LIMIT, what=f"the policy {policy_name}")
        except ValueError as error:
            raise _refused("byoc:namePrefix", args.names.prefix, str(error), "give a shorter prefix") from error
        policy = aws.iam.Policy(
            name,
            name=policy_name,
            description=description or None,
            path=args.role_path,
            policy=text,
            opts=pulumi.ResourceOptions(parent=self),
        )
        return aws.iam.RolePolicyAttachment(f"{name}-attachment", role=role.name, policy_arn=policy.arn, opts=opts)

    @staticmethod
    def _check_principals(args: ControlPlaneAccessArgs) -> None:
        try:
            require_exact_principals(args.principals)
        except ValueError as error:
            got = ", ".join(args.principals) or "none"
            raise _refused("byoc:access.principals", got, str(error), "name the control plane's role") from error


def _trust(args: ControlPlaneAccessArgs) -> pulumi.Output[str]:
    """The trust policy; secret, for the external ids in it."""

    def document(external_ids: Sequence[str]) -> str:
        try:
            trust = control_plane_trust(args.principals, external_ids)
            return compact(trust, limit=TRUST_POLICY_LIMIT, what="the trust policy")
        except ValueError as error:
            raise _refused("byoc:externalId", "[secret]", str(error), "set another external id") from error

    return pulumi.Output.secret(args.external_ids).apply(document)


def _refused(key: str, value: str, allowed: str, remedy: str) -> ByocError:
    problem = Problem(key=key, value=value, allowed=allowed, remedy=remedy)
    return ByocError(f"the access of the control plane cannot be set up\n{problem.render()}")
