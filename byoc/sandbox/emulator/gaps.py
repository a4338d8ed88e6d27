"""AWS calls that moto does not answer, or answers wrongly, answered here as AWS would."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

from byoc.sandbox.emulator import (
    cloud_map,
    costs,
    load_balancers,
    observing,
    offers,
    policy_simulation,
    service_history,
    service_quotas,
    service_tasks,
    single_tasks,
)
from byoc.sandbox.emulator.answers import Answer, AwsError, result_answer
from byoc.sandbox.emulator.requests import ApiRequest
from byoc.sandbox.emulator.service_linked import create_service_linked_role
from byoc.sandbox.emulator.stored import Model, backend

Result = Mapping[str, Any]
"""The output of a call, by the names of the service model."""


def gap_answer(request: ApiRequest, account: str) -> Answer | None:
    """The answer to ``request``; None when moto shall answer it. Raises :class:`AwsError` as AWS would."""
    handle = _ANSWERS.get((request.service, request.operation))
    result = handle(request, account) if handle is not None else None
    return result_answer(request, result) if result is not None else None


def scalable_target(request: ApiRequest, account: str) -> Model | None:
    """The scalable target that a request names by ARN, or by resource id and dimension; None if there is none."""
    held = backend("applicationautoscaling", account, request.region)
    arn = request.text("ResourceARN")
    for targets in held.targets.values() if held is not None else []:
        for target in targets.values():
            named = (target.resource_id, target.scalable_dimension)
            if target.arn == arn or named == (request.text("ResourceId"), request.text("ScalableDimension")):
                return target
    return None


def _tagged_target(request: ApiRequest, account: str) -> Model:
    target = scalable_target(request, account)
    if target is None:
        message = f"No scalable target found for resource ARN: {request.text('ResourceARN')}"
        raise AwsError.plain("ResourceNotFoundException", message)
    if not hasattr(target, "tags"):
        target.tags = {}
    return target


def _list_scalable_target_tags(request: ApiRequest, account: str) -> Result:
    return {"Tags": dict(_tagged_target(request, account).tags)}


def _tag_scalable_target(request: ApiRequest, account: str) -> Result:
    _tagged_target(request, account).tags.update(request.get("Tags", {}))
    return {}


def _untag_scalable_target(request: ApiRequest, account: str) -> Result:
    tags = _tagged_target(request, account).tags
    for key in request.get("TagKeys", []):
        tags.pop(key, None)
    return {}


def _describe_scaling_policies(request: ApiRequest, account: str) -> Result | None:
    """moto ignores ``PolicyNames`` and matches resource ids by their parts."""
    from moto.applicationautoscaling.responses import _build_policy

    held = backend("applicationautoscaling", account, request.region)
    if held is None:
        return None
    wanted = {
        "policy_name": request.get("PolicyNames"),
        "service_namespace": [request.text("ServiceNamespace")],
        "resource_id": [request.text("ResourceId")] if request.get("ResourceId") else None,
        "scalable_dimension": [request.text("ScalableDimension")] if request.get("ScalableDimension") else None,
    }
    found = [
        policy
        for policy in held.policies.values()
        if all(values is None or getattr(policy, name) in values for name, values in wanted.items())
    ]
    return {"ScalingPolicies": [_build_policy(policy) for policy in found]}


def _existing_cluster(request: ApiRequest, account: str) -> Result | None:
    """AWS gives an active cluster of that name back; moto puts an empty one in its place."""
    held = backend("ecs", account, request.region)
    cluster = held.clusters.get(request.text("clusterName") or "default") if held is not None else None
    return {"cluster": cluster} if cluster is not None and cluster.status == "ACTIVE" else None


def _delete_gone_endpoints(request: ApiRequest, account: str) -> Result | None:
    """AWS names endpoints that are gone in its answer; moto takes their routes out of the route tables once more."""
    held = backend("ec2", account, request.region)
    ids = [str(id_) for id_ in request.get("VpcEndpointIds", [])]
    endpoints = held.vpc_end_points if held is not None else {}
    if not ids or any(id_ in endpoints and endpoints[id_].state != "deleted" for id_ in ids):
        return None
    code = "InvalidVpcEndpointId.NotFound"
    return {
        "Unsuccessful": [
            {"ResourceId": id_, "Error": {"Code": code, "Message": f"The Vpc Endpoint Id '{id_}' does not exist"}}
            for id_ in ids
        ]
    }


def _modify_endpoint_dns(request: ApiRequest, account: str) -> Result | None:
    """moto passes over ``PrivateDnsEnabled``; the rest of the call is left to it."""
    held, wanted = backend("ec2", account, request.region), request.get("PrivateDnsEnabled")
    endpoint = held.vpc_end_points.get(request.text("VpcEndpointId")) if held is not None else None
    if endpoint is not None and wanted is not None:
        endpoint.private_dns_enabled = bool(wanted)
    return None


def _describe_rules(_request: ApiRequest, _account: str) -> Result | None:
    """moto forgets the description of a rule that names a group; the rest of the call is left to it."""
    _remember_descriptions()
    return None


@functools.cache
def _remember_descriptions() -> None:
    from moto.ec2.models.security_groups import SecurityGroupRule

    def description(rule: Model) -> str | None:
        found: str | None = rule.ip_range.get("Description") or rule.source_group.get("Description")
        return found

    SecurityGroupRule.description = property(description)  # type: ignore[assignment,method-assign]


def _modify_subnet_group(request: ApiRequest, account: str) -> Result | None:
    """moto loses a subnet group that is modified."""
    held, network = backend("rds", account, request.region), backend("ec2", account, request.region)
    group = held.subnet_groups.get(request.text("DBSubnetGroupName")) if held is not None else None
    if group is None or network is None:
        return None
    group.subnets = [network.get_subnet(subnet_id) for subnet_id in request.get("SubnetIds", [])]
    group.description = request.get("DBSubnetGroupDescription") or group.description
    return {
        "DBSubnetGroup": {
            "DBSubnetGroupArn": group.arn,
            "DBSubnetGroupDescription": group.description,
            "DBSubnetGroupName": group.name,
            "SubnetGroupStatus": group.subnet_group_status,
            "Subnets": group.subnets,
            "VpcId": group.vpc_id,
        }
    }


_ANSWERS: Mapping[tuple[str, str], Callable[[ApiRequest, str], Result | None]] = {
    ("application-autoscaling", "DescribeScalingActivities"): observing.describe_scaling_activities,
    ("application-autoscaling", "DescribeScalingPolicies"): _describe_scaling_policies,
    ("application-autoscaling", "ListTagsForResource"): _list_scalable_target_tags,
    ("application-autoscaling", "TagResource"): _tag_scalable_target,
    ("application-autoscaling", "UntagResource"): _untag_scalable_target,
    ("ce", "GetCostAndUsage"): costs.get_cost_and_usage,
    ("ce", "ListCostAllocationTags"): costs.list_cost_allocation_tags,
    ("cloudwatch", "DescribeAlarmHistory"): observing.describe_alarm_history,
    ("ec2", "DeleteVpcEndpoints"): _delete_gone_endpoints,
    ("ec2", "DescribeSecurityGroupRules"): _describe_rules,
    ("ec2", "ModifyVpcEndpoint"): _modify_endpoint_dns,
    ("ecs", "CreateCluster"): _existing_cluster,
    ("ecs", "DescribeServiceDeployments"): service_history.describe_service_deployments,
    ("ecs", "DescribeServiceRevisions"): service_history.describe_service_revisions,
    ("ecs", "DescribeTasks"): single_tasks.describe_tasks,
    ("ecs", "ListServiceDeployments"): service_history.list_service_deployments,
    ("ecs", "ListTaskDefinitions"): service_history.list_task_definitions,
    ("ecs", "ListTasks"): service_tasks.list_tasks,
    ("ecs", "RunTask"): single_tasks.run_task,
    ("ecs", "StopTask"): single_tasks.stop_task,
    ("ecs", "UpdateService"): service_history.refuse_inactive,
    ("elbv2", "CreateListener"): load_balancers.existing_listener,
    ("elbv2", "CreateLoadBalancer"): load_balancers.existing_load_balancer,
    ("elbv2", "CreateTargetGroup"): load_balancers.existing_target_group,
    ("iam", "CreateServiceLinkedRole"): create_service_linked_role,
    ("iam", "SimulatePrincipalPolicy"): policy_simulation.simulate_principal_policy,
    ("rds", "DescribeDBEngineVersions"): offers.describe_engine_versions,
    ("rds", "DescribeOrderableDBInstanceOptions"): offers.describe_orderable_options,
    ("logs", "FilterLogEvents"): observing.filter_log_events,
    ("rds", "ModifyDBSubnetGroup"): _modify_subnet_group,
    ("secretsmanager", "PutSecretValue"): service_history.keep_labels,
    ("secretsmanager", "UpdateSecretVersionStage"): service_history.refuse_label,
    ("service-quotas", "GetAWSDefaultServiceQuota"): service_quotas.get_default_quota,
    ("service-quotas", "GetServiceQuota"): service_quotas.get_quota,
    ("servicediscovery", "CreatePrivateDnsNamespace"): cloud_map.create_private_dns_namespace,
    ("servicediscovery", "DeleteNamespace"): cloud_map.delete_namespace,
    ("servicediscovery", "ListNamespaces"): cloud_map.list_namespaces,
}
