"""Calls that AWS refuses for what else exists, and moto would carry out.

Deletions of what is still in use, and creations under a name that is taken: what a teardown or a second run has to get
right. Codes and messages are AWS's (AWS docs: the services' API references).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from byoc.sandbox.emulator import cloud_map, vpc_users
from byoc.sandbox.emulator.answers import AwsError
from byoc.sandbox.emulator.requests import ApiRequest
from byoc.sandbox.emulator.settling import ecs_service
from byoc.sandbox.emulator.stored import backend


def refuse(request: ApiRequest, account: str) -> None:
    """Raise :class:`AwsError` where AWS would refuse ``request`` for what exists in ``account``."""
    check = _CHECKS.get((request.service, request.operation))
    if check is not None:
        check(request, account)


def _cluster_in_use(request: ApiRequest, account: str) -> None:
    ecs = backend("ecs", account, request.region)
    name = request.text("cluster").rpartition("/")[2]
    for service in ecs.services.values() if ecs is not None else []:
        if service.cluster_name == name and service.status == "ACTIVE":
            message = "The Cluster cannot be deleted while Services are active."
            raise AwsError.plain("ClusterContainsServicesException", message)


def _service_name_taken(request: ApiRequest, account: str) -> None:
    service = ecs_service(request, account)
    if service is not None and service.status == "ACTIVE":
        raise AwsError.plain("InvalidParameterException", "Creation of service was not idempotent.")
    _inactive_task_definition(request, account)
    _target_group_without_load_balancer(request, account)


def _inactive_task_definition(request: ApiRequest, account: str) -> None:
    ecs = backend("ecs", account, request.region)
    family, _, revision = request.text("taskDefinition").rpartition("/")[2].partition(":")
    if ecs is None or not revision.isdigit():
        return
    found = ecs.task_definitions.get(family, {}).get(int(revision))
    if found is not None and found.status != "ACTIVE":
        raise AwsError.plain("ClientException", "TaskDefinition is inactive")


def _target_group_without_load_balancer(request: ApiRequest, account: str) -> None:
    elbv2 = backend("elbv2", account, request.region)
    for wanted in request.get("loadBalancers", []):
        arn = wanted.get("targetGroupArn")
        if arn and (elbv2 is None or not elbv2._any_listener_using(arn)):
            message = f"The target group with targetGroupArn {arn} does not have an associated load balancer."
            raise AwsError.plain("InvalidParameterException", message)


def _subnet_group_in_use(request: ApiRequest, account: str) -> None:
    name = request.text("DBSubnetGroupName").lower()
    if any(str(getattr(database.db_subnet_group, "name", "")) == name for database in _databases(request, account)):
        message = f"Cannot delete the subnet group '{name}' because at least one database instance is still using it."
        raise AwsError.plain("InvalidDBSubnetGroupStateFault", message)


def _subnet_group_name_taken(request: ApiRequest, account: str) -> None:
    name = request.text("DBSubnetGroupName").lower()
    rds = backend("rds", account, request.region)
    if rds is not None and name in rds.subnet_groups:
        raise AwsError.plain("DBSubnetGroupAlreadyExists", f"The DB subnet group '{name}' already exists.")


def _parameter_group_in_use(request: ApiRequest, account: str) -> None:
    name = request.text("DBParameterGroupName").lower()
    if any(str(database.db_parameter_group_name or "").lower() == name for database in _databases(request, account)):
        message = (
            "One or more database instances are still members of this parameter group, so the group cannot be deleted"
        )
        raise AwsError.plain("InvalidDBParameterGroupState", f"{message}.")


def _final_snapshot_unnamed(request: ApiRequest, account: str) -> None:  # noqa: ARG001 - as all checks
    if not request.get("SkipFinalSnapshot", False) and not request.get("FinalDBSnapshotIdentifier"):
        message = "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified."
        raise AwsError.plain("InvalidParameterCombination", message)


def _databases(request: ApiRequest, account: str) -> list[Any]:
    rds = backend("rds", account, request.region)
    return list(rds.databases.values()) if rds is not None else []


def _load_balancer_protected(request: ApiRequest, account: str) -> None:
    elbv2 = backend("elbv2", account, request.region)
    arn = request.text("LoadBalancerArn")
    balancer = elbv2.load_balancers.get(arn) if elbv2 is not None else None
    if balancer is not None and balancer.attrs.get("deletion_protection.enabled") == "true":
        message = f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled"
        raise AwsError.plain("OperationNotPermitted", message)


def _policy_in_use(request: ApiRequest, account: str) -> None:
    iam = backend("iam", account, request.partition)
    policy = iam.managed_policies.get(request.text("PolicyArn")) if iam is not None else None
    if policy is not None and policy.attachment_count > 0:
        message = "Cannot delete a policy attached to entities."
        raise AwsError.plain("DeleteConflict", message, 409)


def _service_linked_role_protected(request: ApiRequest, account: str) -> None:
    iam = backend("iam", account, request.partition)
    name = request.text("RoleName")
    for role in iam.roles.values() if iam is not None else []:
        if role.name == name and role.path.startswith("/aws-service-role/"):
            message = (
                f"Cannot perform the operation on the protected role '{name}' - this role is only modifiable by AWS"
            )
            raise AwsError.plain("UnmodifiableEntity", message)


def _scalable_target_unknown(request: ApiRequest, account: str) -> None:
    held = backend("applicationautoscaling", account, request.region)
    targets = held.targets.get(request.text("ScalableDimension"), {}) if held is not None else {}
    if request.text("ResourceId") not in targets:
        raise AwsError.plain("ObjectNotFoundException", f"No scalable target registered for {_scaled(request)}")


def _scaling_policy_unknown(request: ApiRequest, account: str) -> None:
    held = backend("applicationautoscaling", account, request.region)
    wanted = (request.text("PolicyName"), request.text("ResourceId"), request.text("ScalableDimension"))
    policies = held.policies.values() if held is not None else []
    if wanted not in {(policy.policy_name, policy.resource_id, policy.scalable_dimension) for policy in policies}:
        raise AwsError.plain("ObjectNotFoundException", f"No scaling policy found for {_scaled(request)}")


def _scaled(request: ApiRequest) -> str:
    return (
        f"service namespace: {request.text('ServiceNamespace')}, resource ID: {request.text('ResourceId')}, "
        f"scalable dimension: {request.text('ScalableDimension')}"
    )


_CHECKS: Mapping[tuple[str, str], Callable[[ApiRequest, str], None]] = {
    ("application-autoscaling", "DeleteScalingPolicy"): _scaling_policy_unknown,
    ("application-autoscaling", "DeregisterScalableTarget"): _scalable_target_unknown,
    ("application-autoscaling", "PutScalingPolicy"): _scalable_target_unknown,
    ("ec2", "CreateVpcEndpoint"): vpc_users.refuse_second_gateway_endpoint,
    ("ec2", "DeleteSecurityGroup"): vpc_users.refuse_group_in_use,
    ("ec2", "DeleteSubnet"): vpc_users.refuse_subnet_in_use,
    ("ec2", "DeleteVpc"): vpc_users.refuse_vpc_in_use,
    ("ec2", "DetachInternetGateway"): vpc_users.refuse_gateway_in_use,
    ("ec2", "ReleaseAddress"): vpc_users.refuse_address_in_use,
    ("ecs", "CreateService"): _service_name_taken,
    ("ecs", "DeleteCluster"): _cluster_in_use,
    ("ecs", "UpdateService"): _inactive_task_definition,
    ("elbv2", "DeleteLoadBalancer"): _load_balancer_protected,
    ("iam", "AttachRolePolicy"): _service_linked_role_protected,
    ("iam", "DeletePolicy"): _policy_in_use,
    ("iam", "DeleteRole"): _service_linked_role_protected,
    ("iam", "PutRolePolicy"): _service_linked_role_protected,
    ("rds", "CreateDBSubnetGroup"): _subnet_group_name_taken,
    ("rds", "DeleteDBInstance"): _final_snapshot_unnamed,
    ("rds", "DeleteDBParameterGroup"): _parameter_group_in_use,
    ("rds", "DeleteDBSubnetGroup"): _subnet_group_in_use,
    ("servicediscovery", "CreateService"): cloud_map.refuse_taken_service_name,
    ("servicediscovery", "DeleteNamespace"): cloud_map.refuse_namespace_in_use,
    ("servicediscovery", "DeleteService"): cloud_map.refuse_service_in_use,
}
