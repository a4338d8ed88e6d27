"""Service-linked roles: made on first use if the caller may, as AWS does, and a refusal in AWS's words if not.

Source: AWS docs: "Using service-linked roles" of ECS, RDS, Elastic Load Balancing and Application Auto Scaling.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from moto.iam.models import iam_backends

from byoc.sandbox.emulator.answers import ACCESS_DENIED, AwsError
from byoc.sandbox.emulator.authorization import Authorizer
from byoc.sandbox.emulator.dependents import Needed
from byoc.sandbox.emulator.identities import Principal
from byoc.sandbox.emulator.requests import ApiRequest
from byoc.sandbox.emulator.stored import Model


@dataclass(frozen=True)
class _Linked:
    """A service's role; ``refusal``: the error when it can neither be found nor made; None: AWS goes on without."""

    service: str
    role: str
    refusal: AwsError | None


_ECS_REFUSAL = AwsError.plain(
    "InvalidParameterException",
    "Unable to assume the service linked role. Please verify that the ECS service linked role exists.",
)
_RDS_REFUSAL = AwsError.plain(
    "InvalidParameterValue",
    "Unable to create the resource. Verify that you have permission to create service linked role. "
    "Otherwise wait and try again later",
)
_ECS = ("ecs.amazonaws.com", "AWSServiceRoleForECS")


def _denied(service: str, role: str) -> AwsError:
    return AwsError(f"You are not authorized to create the service-linked role {role} of {service}", ACCESS_DENIED)


_USES: Mapping[tuple[str, str], _Linked] = {
    ("ecs", "CreateCluster"): _Linked(*_ECS, None),
    ("ecs", "CreateService"): _Linked(*_ECS, _ECS_REFUSAL),
    ("elbv2", "CreateLoadBalancer"): _Linked(
        "elasticloadbalancing.amazonaws.com",
        "AWSServiceRoleForElasticLoadBalancing",
        _denied("elasticloadbalancing.amazonaws.com", "AWSServiceRoleForElasticLoadBalancing"),
    ),
    ("rds", "CreateDBInstance"): _Linked("rds.amazonaws.com", "AWSServiceRoleForRDS", _RDS_REFUSAL),
    ("application-autoscaling", "RegisterScalableTarget"): _Linked(
        "ecs.application-autoscaling.amazonaws.com",
        "AWSServiceRoleForApplicationAutoScaling_ECSService",
        _denied("ecs.application-autoscaling.amazonaws.com", "AWSServiceRoleForApplicationAutoScaling_ECSService"),
    ),
}


_ROLE_NAMES = {linked.service: linked.role for linked in _USES.values()}
"""What AWS calls the roles; moto would call ECS's ``AWSServiceRoleForecs``."""


def ensure_service_linked_role(request: ApiRequest, principal: Principal, authorizer: Authorizer) -> None:
    """Make the service-linked role that a call depends on, under the caller's permissions.

    Raises :class:`AwsError` when the role is absent and the caller may not make it.
    """
    linked = _USES.get((request.service, request.operation))
    if linked is None:
        return
    backend = iam_backends[principal.account][principal.partition]
    if any(role.name == linked.role for role in backend.roles.values()):
        return
    path = f"role/aws-service-role/{linked.service}/{linked.role}"
    needed = Needed(
        action="iam:CreateServiceLinkedRole",
        resources=(f"arn:{principal.partition}:iam::{principal.account}:{path}",),
        context={"iam:AWSServiceName": linked.service},
    )
    if authorizer.allows(needed):
        _make(backend, linked.service, linked.role, "")
    elif linked.refusal is not None:
        raise linked.refusal


def create_service_linked_role(request: ApiRequest, account: str) -> Mapping[str, Any] | None:
    """The result of ``iam:CreateServiceLinkedRole``; None for services that are left to moto.

    Raises :class:`AwsError` when the role exists, as AWS does.
    """
    service = request.text("AWSServiceName")
    name = _ROLE_NAMES.get(service)
    if name is None:
        return None
    backend = iam_backends[account][request.partition]
    if any(role.name == name for role in backend.roles.values()):
        message = f"Service role name {name} has been taken in this account, please try a different suffix."
        raise AwsError.plain("InvalidInput", message)
    role = _make(backend, service, name, request.text("Description"))
    return {
        "Role": {
            "Path": role.path,
            "RoleName": role.name,
            "RoleId": role.id,
            "Arn": role.arn,
            "CreateDate": role.create_date,
            "AssumeRolePolicyDocument": quote(role.assume_role_policy_document),
        }
    }


def _make(backend: Model, service: str, name: str, description: str) -> Model:
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Action": ["sts:AssumeRole"], "Effect": "Allow", "Principal": {"Service": [service]}}],
    }
    return backend.create_role(
        name,
        json.dumps(trust),
        f"/aws-service-role/{service}/",
        permissions_boundary=None,
        description=description,
        tags=[],
        max_session_duration="3600",
        linked_service=service,
    )
