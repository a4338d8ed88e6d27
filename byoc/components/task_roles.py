"""The two IAM roles of all tasks of an install.

The cross-account role can make no roles, so both must exist before the first deployment.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from byoc.components.boundary import Boundary, boundary_arn, boundary_of_role, boundary_stays
from byoc.naming import Names
from byoc.permissions.policies import documents
from byoc.types import AwsAccount


@dataclass(frozen=True)
class TaskRoles:
    """The roles, made, with all that they may do."""

    execution: aws.iam.Role
    execution_policies: tuple[pulumi.Resource, ...]
    """Without these a task under the execution role does not start, or could do more than it may."""
    task: aws.iam.Role
    task_policies: tuple[pulumi.Resource, ...]
    """Without these the code of a graph could do more than it may."""


def execution_trust() -> dict[str, Any]:
    """Who may take the execution role: ECS, as documented (AWS docs: "Amazon ECS task execution IAM role")."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }


def task_trust(account: AwsAccount) -> dict[str, Any]:
    """Who may take the task role: ECS, for tasks of this account and region (AWS docs: "Amazon ECS task IAM role")."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "ecs-tasks.amazonaws.com"},
                "Action": "sts:AssumeRole",
                "Condition": {
                    "StringEquals": {"aws:SourceAccount": account.account_id},
                    # "*": any task; ECS gives each its own ARN.
                    "ArnLike": {"aws:SourceArn": account.arn("ecs", "*")},
                },
            }
        ],
    }


def task_roles(
    parent: pulumi.Resource,
    name: str,
    *,
    account: AwsAccount,
    names: Names,
    path: str,
    boundary: Boundary | None,
) -> TaskRoles:
    """Make the roles.

    The execution role is ECS's own, to start a task: it pulls images, writes logs
    (``AmazonECSTaskExecutionRolePolicy``) and reads the secrets of this install. The task role is what the graphs' code
    runs under; it has no permissions: attach your own policies to it, they are left alone. Under a ``boundary`` both
    carry a policy that keeps it there, whatever is attached.
    """
    permissions_boundary = boundary_of_role(boundary, account, names, path)
    execution = aws.iam.Role(
        f"{name}-execution-role",
        name=names.execution_role,
        description="ECS starts LangGraph Cloud tasks with it: images, logs, secrets of this install",
        path=path,
        permissions_boundary=permissions_boundary,
        assume_role_policy=json.dumps(execution_trust()),
        opts=pulumi.ResourceOptions(parent=parent),
    )
    starts_tasks = aws.iam.RolePolicyAttachment(
        f"{name}-execution-role-starts-tasks",
        role=execution.name,
        policy_arn=account.managed_policy_arn("service-role/AmazonECSTaskExecutionRolePolicy"),
        opts=pulumi.ResourceOptions(parent=parent),
    )
    reads_secrets = aws.iam.RolePolicy(
        f"{name}-execution-role-reads-secrets",
        name=names.secrets_read_policy,
        role=execution.name,
        policy=json.dumps(documents.secrets_read(account, names)),
        opts=pulumi.ResourceOptions(parent=parent),
    )
    task = aws.iam.Role(
        f"{name}-task-role",
        name=names.task_role,
        description="The code of LangGraph Cloud deployments runs under it; no permissions by default",
        path=path,
        permissions_boundary=permissions_boundary,
        assume_role_policy=json.dumps(task_trust(account)),
        opts=pulumi.ResourceOptions(parent=parent),
    )
    arn = boundary_arn(boundary, account, names, path)
    if arn is None:
        return TaskRoles(execution, (starts_tasks, reads_secrets), task, ())
    execution_stays, task_stays = (
        boundary_stays(parent, f"{name}-{role}-boundary-stays", role=of, account=account, names=names, arn=arn)
        for role, of in (("execution-role", execution), ("task-role", task))
    )
    return TaskRoles(execution, (starts_tasks, reads_secrets, execution_stays), task, (task_stays,))
