"""What a control plane outside the account may do in it: one cross-account role."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pulumi
import pulumi_aws as aws

from byoc import tags
from byoc.components.boundary import (
    Boundary,
    OwnBoundary,
    PermissionsBoundary,
    PermissionsBoundaryArgs,
    boundary_arn,
    boundary_of_role,
)
from byoc.errors import ByocError, Problem
from byoc.naming import Names
from byoc.permissions.policies.access import (
    POLICIES_VERSION,
    AccessSettings,
    Mode,
    OwnPolicy,
    RoleGrants,
    control_plane_role,
)
from byoc.permissions.policies.documents import TRUST_POLICY_LIMIT, compact
from byoc.permissions.policies.managed import managed_policies
from byoc.types import AwsAccount


@dataclass(frozen=True, kw_only=True)
class ControlPlaneAccessArgs:
    """Who may assume the role, and under which limits.

    ``principals``: ARNs of roles or users of the control plane; exact, none of them a wildcard. ``account_roots``:
    whether one may be a whole account (``…:root``), which trusts everyone in it; by default none may.
    ``external_ids``: what they must send along; one, or two while the id is being changed. They are handled as secrets
    whether they are marked as such or not. ``guessable_external_ids``: whether the first may be one that can be guessed
    (short, a number, made of words, an id of AWS's); by default it may not: ``byoc external-id new`` prints a good one.
    ``mode``: ``documented`` with five policies of AWS and a supplement, or ``scoped`` with generated policies alone,
    which fit only what carries this library's names and tags; by default documented.
    ``guardrails``: whether a policy that only denies takes back what the documented policies grant beyond need; by
    default it does in documented mode. Switch it off there only for a control plane that gives its resources other
    names and tags than this library does.
    ``allow_delete``: whether data and services may be deleted; by default they may. ``suspend``: whether everything is
    denied. ``observe_only``: whether the role only reads, and no contents of secrets. Both by default not.
    ``permissions_boundary``: the ARN of a policy, or the install's own; by default the role has none. With either the
    role also carries a policy that keeps it from all that would get around the boundary.
    ``role_path``: of the role, its policies and this install's task roles; by default ``/``.
    ``max_session_seconds``: 3,600 to 43,200; by default an hour, which is also AWS's limit for a role that is assumed
    by another role.
    ``event_rules``: whether EventBridge rules of the account tell of the role, which are then kept from it; by default
    there are none.
    ``supplement_description``: of an adopted policy, which AWS cannot change in place; by default this library's.
    """

    account: AwsAccount
    principals: tuple[str, ...]
    external_ids: pulumi.Input[Sequence[str]]
    names: Names = field(default_factory=Names)
    account_roots: bool = False
    guessable_external_ids: bool = False
    mode: Mode = "documented"
    guardrails: bool | None = None
    allow_delete: bool = True
    suspend: bool = False
    observe_only: bool = False
    permissions_boundary: Boundary | None = None
    role_path: str = "/"
    max_session_seconds: int = 3600
    event_rules: bool = False
    supplement_description: str | None = None

    @property
    def settings(self) -> AccessSettings:
        """All of it but the external ids, for :func:`~byoc.permissions.policies.access.control_plane_role`."""
        return AccessSettings(
            mode=self.mode,
            principals=self.principals,
            account_roots=self.account_roots,
            guessable_external_ids=self.guessable_external_ids,
            guardrails=self.mode == "documented" if self.guardrails is None else self.guardrails,
            permissions_boundary=boundary_arn(self.permissions_boundary, self.account, self.names, self.role_path),
            role_path=self.role_path,
            max_session_seconds=self.max_session_seconds,
            allow_delete=self.allow_delete,
            suspend=self.suspend,
            observe_only=self.observe_only,
            event_rules=self.event_rules,
            supplement_description=self.supplement_description,
        )


class ControlPlaneAccess(pulumi.ComponentResource):
    """The cross-account role of the documented AWS setup, under its documented names.

    In documented mode it holds the five policies of AWS that the documents name, a supplement with exactly those
    actions that provisioning needs and the five lack, and the guardrails; in scoped mode generated policies by area
    (``permissions/policies/access.py`` is the whole of it). The policies that grant are attached after those that deny
    and detached before them, so that the role never has the one without the other.

    It costs nothing, and a destroy leaves nothing of it.

    Raises ``ByocError`` if a principal is not exact, an external id is not one, or a policy is longer than AWS allows.
    """

    role_arn: pulumi.Output[str]
    """What the control plane assumes."""
    role_name: pulumi.Output[str]
    """The role's name."""

    def __init__(self, name: str, args: ControlPlaneAccessArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("byoc:index:ControlPlaneAccess", name, None, opts)
        grants = _grants(args)
        role = aws.iam.Role(
            f"{name}-role",
            name=grants.role_name,
            description=grants.description,
            path=grants.path,
            permissions_boundary=boundary_of_role(args.permissions_boundary, args.account, args.names, args.role_path),
            max_session_duration=grants.max_session_seconds,
            assume_role_policy=_trust(grants, args.external_ids),
            opts=pulumi.ResourceOptions(parent=self),
        )
        child = pulumi.ResourceOptions(parent=self)
        denying: list[pulumi.Resource] = [
            self._own_policy(name, args, role, policy, opts=child) for policy in grants.own if policy.denies
        ]
        for policy in grants.inline:
            inline = aws.iam.RolePolicy(
                f"{name}-{policy.key}", name=policy.name, role=role.name, policy=policy.text, opts=child
            )
            denying.append(inline)
        after_denying = pulumi.ResourceOptions(parent=self, depends_on=denying)
        for managed in grants.aws_managed:
            aws.iam.RolePolicyAttachment(
                f"{name}-policy-{managed}",
                role=role.name,
                policy_arn=args.account.managed_policy_arn(managed_policies()[managed].arn_name),
                opts=after_denying,
            )
        for policy in grants.own:
            if not policy.denies:
                self._own_policy(name, args, role, policy, opts=after_denying)
        self.role_arn = role.arn
        self.role_name = role.name
        self.register_outputs({"role_arn": self.role_arn, "role_name": self.role_name})

    def _own_policy(
        self,
        name: str,
        args: ControlPlaneAccessArgs,
        role: aws.iam.Role,
        own: OwnPolicy,
        *,
        opts: pulumi.ResourceOptions,
    ) -> pulumi.Resource:
        try:
            text = own.text
        except ValueError as error:
            raise _refused("byoc:namePrefix", args.names.prefix, str(error), "give a shorter prefix") from error
        policy = aws.iam.Policy(
            f"{name}-{own.key}",
            name=own.name,
            description=own.description or None,
            path=args.role_path,
            policy=text,
            tags={tags.POLICIES_VERSION_KEY: POLICIES_VERSION},
            opts=pulumi.ResourceOptions(parent=self),
        )
        return aws.iam.RolePolicyAttachment(
            f"{name}-{own.key}-attachment", role=role.name, policy_arn=policy.arn, opts=opts
        )


def with_made_boundary(
    name: str, args: ControlPlaneAccessArgs, opts: pulumi.ResourceOptions | None = None
) -> ControlPlaneAccessArgs:
    """``args`` with the install's own boundary made, if it is that: for access without the rest of an account."""
    if args.permissions_boundary != OwnBoundary():
        return args
    of = PermissionsBoundaryArgs(account=args.account, names=args.names, role_path=args.role_path)
    return replace(args, permissions_boundary=OwnBoundary(made=PermissionsBoundary(name, of, opts).policy_arn))


def _grants(args: ControlPlaneAccessArgs) -> RoleGrants:
    try:
        return control_plane_role(args.account, args.names, args.settings)
    except ValueError as error:
        got = ", ".join(args.principals) or "none"
        raise _refused("byoc:access.principals", got, str(error), "name the control plane's role") from error


def _trust(grants: RoleGrants, external_ids: pulumi.Input[Sequence[str]]) -> pulumi.Output[str]:
    """The trust policy; secret, for the external ids in it."""

    def document(external_ids: Sequence[str]) -> str:
        try:
            return compact(grants.trust(external_ids), limit=TRUST_POLICY_LIMIT, what="the trust policy")
        except ValueError as error:
            raise _refused("byoc:externalId", "[secret]", str(error), "set another external id") from error

    return pulumi.Output.secret(external_ids).apply(document)


def _refused(key: str, value: str, allowed: str, remedy: str) -> ByocError:
    problem = Problem(key=key, value=value, allowed=allowed, remedy=remedy)
    return ByocError(f"the access of the control plane cannot be set up\n{problem.render()}")
