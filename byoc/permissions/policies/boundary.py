"""The permissions boundary: the most that a role of this install may ever do, and what keeps it where it is.

A boundary grants nothing. It holds for whatever somebody attaches to a role later, ``AdministratorAccess`` included.
It is worth as much as it is hard to get rid of: whoever may make a role without it, take it off a role, write its text
anew or change a role that has none is not bounded. :func:`boundary_stays` denies all of that, for a boundary of the
customer's as for our own.

Our own need not deny what it does not allow in the first place: roles that are made without it.

What AWS cannot tell: a boundary of the customer's is not ours to read. A role that somebody makes under it, and that
does not carry :func:`boundary_stays`, is held by the customer's text alone. Our own has these statements in itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from byoc.permissions.install import Account, InstallNames
from byoc.permissions.policies.documents import VERSION, Document

BOUNDARY_KEY = "iam:PermissionsBoundary"
"""The boundary that a request sets, or that its role or user has. Absent if there is none: ``StringNotEquals`` then
holds (AWS docs: IAM JSON policy elements: Condition operators)."""

STAYS_REASONS: Mapping[str, str] = {
    "OnlyWithBoundary": "a role or user without the boundary, or with another, would be a way around it",
    "BoundaryStays": "nobody under the boundary takes it off, whoever has it",
    "BoundaryTextStays": "nobody under the boundary writes its text anew",
    "RolesStay": "this install's roles, their policies and who may assume them are the account stack's to change",
    "NoWayAround": "trust, groups, keys, passwords and other policies give rights that no boundary condition sees",
}
"""What each statement of :func:`boundary_stays` is for, by its ``Sid``."""
OWN_REASONS: Mapping[str, str] = {
    "AllButIdentities": "the code of the graphs may be given whatever it needs, but neither identities, nor the "
    "account's organization and bills, nor what watches over it, nor what runs under the roles of others",
    "LookAtRoles": "what a role may do can be looked up",
    "PassTaskRoles": "tasks run under this install's two task roles and no others",
    "MakeServiceLinkedRoles": "AWS's own roles for the services of a deployment, which give nobody else any right",
    "MakeRoles": "roles under the same boundary; who may assume one is said when it is made, and never again",
    "NoOtherRoles": "under another role the boundary would be left behind",
    "OthersContainers": "a shell into a container has the rights of the container's role",
    **{sid: reason for sid, reason in STAYS_REASONS.items() if sid != "OnlyWithBoundary"},
}
"""What each statement of :func:`own_boundary` is for, by its ``Sid``."""

_KNOW_THE_KEY = (
    "iam:AttachRolePolicy",
    "iam:AttachUserPolicy",
    "iam:CreateRole",
    "iam:CreateUser",
    "iam:DeleteRole",
    "iam:DeleteRolePolicy",
    "iam:DeleteUserPolicy",
    "iam:DetachRolePolicy",
    "iam:DetachUserPolicy",
    "iam:PutRolePermissionsBoundary",
    "iam:PutRolePolicy",
    "iam:PutUserPermissionsBoundary",
    "iam:PutUserPolicy",
    "iam:UpdateRole",
    "iam:UpdateRoleDescription",
)
"""What makes or changes roles and users and carries :data:`BOUNDARY_KEY` (Service Authorization Reference). The rest of
what carries it is denied in any case, or reads."""
_ROLE_CHANGES = (
    "iam:AttachRolePolicy",
    "iam:CreateRole",
    "iam:DeleteRole",
    "iam:DeleteRolePolicy",
    "iam:DetachRolePolicy",
    "iam:PutRolePermissionsBoundary",
    "iam:PutRolePolicy",
    "iam:TagRole",
    "iam:UntagRole",
    "iam:UpdateAssumeRolePolicy",
    "iam:UpdateRole",
    "iam:UpdateRoleDescription",
)
_IDENTITIES = ("iam", "identitystore", "ram", "rolesanywhere", "sso", "sso-directory", "sts")
_ORGANIZATION = ("account", "controltower", "organizations")
_BILLS = (
    "aws-portal",
    "billing",
    "budgets",
    "consolidatedbilling",
    "invoicing",
    "payments",
    "purchase-orders",
    "savingsplans",
    "tax",
)
_WATCHERS = ("access-analyzer", "cloudtrail", "config", "guardduty", "securityhub")
_RUN_UNDER_ROLES = ("cloudformation", "codebuild", "codedeploy", "codepipeline", "datapipeline", "ec2-instance-connect")
"""Services whose projects, stacks and machines have roles of their own, and do what they are told."""
_OTHERS_CODE = (
    "ec2:ModifyInstanceAttribute",
    "eks:AssociateAccessPolicy",
    "eks:CreateAccessEntry",
    "glue:UpdateDevEndpoint",
    "lambda:UpdateFunctionCode",
    "lambda:UpdateFunctionConfiguration",
    "sagemaker:CreatePresigned*",
    "ssm:SendCommand",
    "ssm:StartAutomationExecution",
    "ssm:StartSession",
)
"""The same, of services that the code of a graph may well use otherwise."""
_SERVICES = (
    "ecs.amazonaws.com",
    "ecs.application-autoscaling.amazonaws.com",
    "elasticloadbalancing.amazonaws.com",
    "rds.amazonaws.com",
)
"""The services of a deployment that work through a role of AWS's (AWS docs: AWS services that work with IAM)."""


class BoundaryNames(InstallNames, Protocol):
    """The physical names of the boundary, and of the roles that it is for."""

    @property
    def boundary_policy(self) -> str:
        """Name of our own boundary policy."""

    @property
    def boundary_stays_policy(self) -> str:
        """Name of the inline policy that keeps a boundary where it is."""

    @property
    def break_glass_role(self) -> str:
        """Name of the role for emergencies."""


def own_boundary_arn(account: Account, names: BoundaryNames, role_path: str = "/") -> str:
    """The ARN of our own boundary policy; ``role_path``: of all roles and policies of this install."""
    return account.arn("iam", f"policy{role_path}{names.boundary_policy}", region=False)


def own_boundary(account: Account, names: BoundaryNames, *, role_path: str = "/") -> Document:
    """The boundary policy of an install, for each of its roles.

    In general everything, since the task role is the customer's to fill: S3, Bedrock and what else a graph needs.
    Outside of it: identities, the organization, bills, what watches over the account, and what would run under roles
    of others. In IAM it leaves what provisioning does, and roles that are made under this same boundary.

    No other role can be assumed: the boundary does not go along. Who wants graphs to work under a role of another
    account supplies a boundary of their own (``access.permissionsBoundary`` with its ARN).
    """
    arn = own_boundary_arn(account, names, role_path)
    outside = (*_IDENTITIES, *_ORGANIZATION, *_BILLS, *_WATCHERS, *_RUN_UNDER_ROLES)
    return _document(
        {
            "Sid": "AllButIdentities",
            "Effect": "Allow",
            "NotAction": [*(f"{service}:*" for service in outside), *_OTHERS_CODE],
            "Resource": "*",  # whatever a policy of the role grants
        },
        {
            "Sid": "LookAtRoles",
            "Effect": "Allow",
            "Action": [
                "iam:GetPolicy",
                "iam:GetPolicyVersion",
                "iam:GetRole",
                "iam:GetRolePolicy",
                "iam:ListAttachedRolePolicies",
                "iam:ListRolePolicies",
            ],
            "Resource": "*",  # whose role it is, is seen when one has looked
        },
        {
            "Sid": "PassTaskRoles",
            "Effect": "Allow",
            "Action": "iam:PassRole",
            "Resource": [account.role_arn(role, role_path) for role in (names.execution_role, names.task_role)],
            "Condition": {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
        },
        {
            "Sid": "MakeServiceLinkedRoles",
            "Effect": "Allow",
            "Action": "iam:CreateServiceLinkedRole",
            "Resource": account.role_arn("*", "/aws-service-role/"),  # "*": AWS gives them their names
            "Condition": {"StringEquals": {"iam:AWSServiceName": list(_SERVICES)}},
        },
        {
            "Sid": "MakeRoles",
            "Effect": "Allow",
            # Not PutRolePermissionsBoundary: a role of others would be taken by putting it under this boundary.
            "Action": [
                "iam:AttachRolePolicy",
                "iam:CreateRole",
                "iam:DeleteRole",
                "iam:DeleteRolePolicy",
                "iam:DetachRolePolicy",
                "iam:PutRolePolicy",
            ],
            "Resource": "*",  # whatever its name; "RolesStay" keeps this install's own
            "Condition": {"StringEquals": {BOUNDARY_KEY: arn}},
        },
        # "*": any role. Explicit, since a trust policy may name the very session, which an Allow's absence would not
        # stop.
        {"Sid": "NoOtherRoles", "Effect": "Deny", "Action": "sts:AssumeRole*", "Resource": "*"},
        {
            "Sid": "OthersContainers",
            "Effect": "Deny",
            "Action": ["ecs:ExecuteCommand", "ecs:RunTask", "ecs:StartTask"],
            # "*": every task of this install's cluster, every revision of its families.
            "NotResource": [
                account.arn("ecs", f"cluster/{names.cluster}"),
                account.arn("ecs", f"task/{names.cluster}/*"),
                account.arn("ecs", f"task-definition/{names.prefix}-*"),
            ],
        },
        *_stays(account, names, arn),
    )


def boundary_stays(account: Account, names: BoundaryNames, boundary_arn: str) -> Document:
    """What each role under a boundary carries besides; it only denies. ``boundary_arn``: of the boundary."""
    only_with = {
        "Sid": "OnlyWithBoundary",
        "Effect": "Deny",
        "Action": list(_KNOW_THE_KEY),
        "Resource": "*",  # whatever its name
        "Condition": {"StringNotEquals": {BOUNDARY_KEY: boundary_arn}},
    }
    return _document(only_with, *_stays(account, names, boundary_arn))


def _stays(account: Account, names: BoundaryNames, boundary_arn: str) -> Sequence[Document]:
    own_roles = (names.control_plane_role, names.execution_role, names.task_role, names.break_glass_role)
    versions = ["iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion"]
    return [
        {
            "Sid": "BoundaryStays",
            "Effect": "Deny",
            "Action": ["iam:DeleteRolePermissionsBoundary", "iam:DeleteUserPermissionsBoundary"],
            "Resource": "*",  # from nobody
        },
        {
            "Sid": "BoundaryTextStays",
            "Effect": "Deny",
            "Action": [versions[0], "iam:DeletePolicy", "iam:DeletePolicyVersion", versions[1]],
            "Resource": boundary_arn,
        },
        {
            "Sid": "RolesStay",
            "Effect": "Deny",
            "Action": list(_ROLE_CHANGES),
            # "*": the path, which can have 512 characters. Roles whose names only end so are denied with them.
            "Resource": [account.role_arn(f"*{role}") for role in own_roles],
        },
        {
            "Sid": "NoWayAround",
            "Effect": "Deny",
            "Action": [
                "iam:AddUserToGroup",
                "iam:AttachGroupPolicy",
                "iam:CreateAccessKey",
                "iam:CreateLoginProfile",
                *versions,
                "iam:PutGroupPolicy",
                "iam:UpdateAssumeRolePolicy",
                "iam:UpdateLoginProfile",
            ],
            "Resource": "*",  # of nobody
        },
    ]


def _document(*statements: Mapping[str, Any]) -> Document:
    return {"Version": VERSION, "Statement": [dict(statement) for statement in statements]}
