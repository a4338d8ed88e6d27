"""The permissions boundary of an install's roles: the customer's, by its ARN, or one that is made here."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from byoc import tags
from byoc.errors import ByocError, Problem
from byoc.naming import Names
from byoc.permissions.policies import boundary as documents
from byoc.permissions.policies.access import POLICIES_VERSION
from byoc.permissions.policies.documents import MANAGED_POLICY_LIMIT, Document, compact
from byoc.types import AwsAccount


@dataclass(frozen=True)
class OwnBoundary:
    """The boundary policy of the install itself, in the place of an ARN.

    ``made``: the ARN as the policy's output, where the same run makes the policy: roles then wait for it, and go before
    it. By default it is taken to be there, under its name.
    """

    made: pulumi.Input[str] | None = None


Boundary = str | OwnBoundary
"""The ARN of a policy that is there already, or the install's own."""


def boundary_arn(boundary: Boundary | None, account: AwsAccount, names: Names, role_path: str) -> str | None:
    """The ARN as the documents speak of it: text, since it is known before the policy is made."""
    if isinstance(boundary, OwnBoundary):
        return documents.own_boundary_arn(account, names, role_path)
    return boundary


def boundary_of_role(
    boundary: Boundary | None, account: AwsAccount, names: Names, role_path: str
) -> pulumi.Input[str] | None:
    """What a role is given: the ARN, once the policy is there."""
    if isinstance(boundary, OwnBoundary) and boundary.made is not None:
        return boundary.made
    return boundary_arn(boundary, account, names, role_path)


def boundary_stays(
    parent: pulumi.Resource, name: str, *, role: aws.iam.Role, account: AwsAccount, names: Names, arn: str
) -> aws.iam.RolePolicy:
    """Keep a role from making others without the boundary ``arn``, and the boundary where it is."""
    return aws.iam.RolePolicy(
        name,
        name=names.boundary_stays_policy,
        role=role.name,
        policy=_text(documents.boundary_stays(account, names, arn), names, names.boundary_stays_policy),
        opts=pulumi.ResourceOptions(parent=parent),
    )


@dataclass(frozen=True, kw_only=True)
class PermissionsBoundaryArgs:
    """Whose boundary it is. ``role_path``: of the install's roles and policies, with a slash at either end."""

    account: AwsAccount
    names: Names
    role_path: str = "/"


class PermissionsBoundary(pulumi.ComponentResource):
    """The policy that is the most any role of an install may ever do (``permissions/policies/boundary.py``).

    It grants nothing. It costs nothing, and a destroy leaves nothing of it; the roles under it go first.

    Raises ``ByocError`` if the policy is longer than AWS allows.
    """

    policy_arn: pulumi.Output[str]
    """What the roles are given as boundary."""

    def __init__(self, name: str, args: PermissionsBoundaryArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("byoc:index:PermissionsBoundary", name, None, opts)
        names = args.names
        policy = aws.iam.Policy(
            f"{name}-policy",
            name=names.boundary_policy,
            description="The most that any role of LangGraph Cloud may do, whatever is attached to it; grants nothing",
            path=args.role_path,
            policy=_text(
                documents.own_boundary(args.account, names, role_path=args.role_path), names, names.boundary_policy
            ),
            tags={tags.POLICIES_VERSION_KEY: POLICIES_VERSION},
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.policy_arn = policy.arn
        self.register_outputs({"policy_arn": self.policy_arn})


def _text(document: Document, names: Names, policy: str) -> str:
    try:
        return compact(document, limit=MANAGED_POLICY_LIMIT, what=f"the policy {policy}")
    except ValueError as error:
        remedy = "give a shorter prefix, or a shorter rolePath"
        problem = Problem(key="byoc:namePrefix", value=names.prefix, allowed=str(error), remedy=remedy)
        raise ByocError(f"the permissions boundary cannot be set up\n{problem.render()}") from error
