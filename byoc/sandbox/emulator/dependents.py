"""Permissions that AWS checks beside the call itself: passing roles, tagging on create.

Source: AWS docs, Service Authorization Reference, "dependent actions"; IAM User Guide, "Grant a user permissions to
pass a role to an AWS service".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from byoc.sandbox.emulator.context import Context
from byoc.sandbox.emulator.request_tags import tag_permissions
from byoc.sandbox.emulator.requests import ApiRequest
from byoc.sandbox.emulator.stored import StoredResources


@dataclass(frozen=True, kw_only=True)
class Needed:
    """One permission that a call needs: an action on resources, with condition keys beyond those of the call."""

    action: str
    resources: tuple[str, ...]
    context: Context = field(default_factory=dict)


_PASSED_ROLES: Mapping[tuple[str, str], tuple[tuple[str, str], ...]] = {
    ("application-autoscaling", "RegisterScalableTarget"): (("RoleARN", "application-autoscaling.amazonaws.com"),),
    ("ec2", "CreateFlowLogs"): (("DeliverLogsPermissionArn", "vpc-flow-logs.amazonaws.com"),),
    ("ecs", "CreateService"): (("role", "ecs.amazonaws.com"),),
    ("ecs", "RegisterTaskDefinition"): (
        ("executionRoleArn", "ecs-tasks.amazonaws.com"),
        ("taskRoleArn", "ecs-tasks.amazonaws.com"),
    ),
    ("events", "PutRule"): (("RoleArn", "events.amazonaws.com"),),
    ("logs", "PutSubscriptionFilter"): (("roleArn", "logs.amazonaws.com"),),
    ("rds", "CreateDBInstance"): (("MonitoringRoleArn", "monitoring.rds.amazonaws.com"),),
    ("rds", "ModifyDBInstance"): (("MonitoringRoleArn", "monitoring.rds.amazonaws.com"),),
}
"""The parameters that hand a role to a service, by service and operation."""


def needed_besides(
    request: ApiRequest, account: str, resources: tuple[str, ...], stored: StoredResources
) -> list[Needed]:
    """What a call on ``resources`` needs beside its own action."""
    needed = [_pass_role(request, account, role, service, stored) for role, service in _passed(request)]
    for permission in tag_permissions(request, account):
        context: Context = {permission.create_action_key: request.operation} if permission.create_action_key else {}
        on = (permission.resource,) if permission.resource else resources
        needed.append(Needed(action=permission.action, resources=on, context=context))
    return needed


def _passed(request: ApiRequest) -> list[tuple[str, str]]:
    pairs = [
        (request.text(parameter), service)
        for parameter, service in _PASSED_ROLES.get((request.service, request.operation), ())
    ]
    if (request.service, request.operation) == ("ecs", "RunTask"):
        overrides = request.get("overrides", {})
        pairs += [(overrides.get(key, ""), "ecs-tasks.amazonaws.com") for key in ("executionRoleArn", "taskRoleArn")]
    if (request.service, request.operation) == ("events", "PutTargets"):
        pairs += [(target.get("RoleArn", ""), "events.amazonaws.com") for target in request.get("Targets", [])]
    return [(role, service) for role, service in pairs if role]


def _pass_role(request: ApiRequest, account: str, role: str, service: str, stored: StoredResources) -> Needed:
    arn = role if role.startswith("arn:") else stored.role_arn(account, request.partition, role)
    return Needed(
        action="iam:PassRole",
        resources=(arn,),
        context={"iam:PassedToService": service, "iam:AssociatedResourceArn": "*"},
    )
