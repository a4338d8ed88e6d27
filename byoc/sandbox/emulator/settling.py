"""What AWS does by and by after a call, done at once: services reach a steady state, tasks register themselves.

Runs after moto has carried out a call. moto itself leaves RDS instances, NAT gateways and endpoints available at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from moto.core.utils import utcnow
from moto.moto_api._internal import mock_random

from byoc.sandbox.emulator.gaps import scalable_target
from byoc.sandbox.emulator.requests import ApiRequest
from byoc.sandbox.emulator.service_tasks import run_tasks
from byoc.sandbox.emulator.storage_keys import name_default_key
from byoc.sandbox.emulator.stored import Model, backend
from byoc.sandbox.emulator.vpc_users import release_nat_gateway

_DROPPED_BY_MOTO = {
    "deploymentConfiguration": "deployment_configuration",
    "enableECSManagedTags": "enable_ecs_managed_tags",
    "enableExecuteCommand": "enable_execute_command",
    "healthCheckGracePeriodSeconds": "health_check_grace_period_seconds",
    "availabilityZoneRebalancing": "availability_zone_rebalancing",
    "capacityProviderStrategy": "capacity_provider_strategy",
}
"""Inputs of an ECS service that moto drops; set on its model, its serializer returns them like AWS."""


def settle(request: ApiRequest, account: str) -> None:
    """Bring what ``request`` set going to its end."""
    finish = _FINISHERS.get((request.service, request.operation))
    if finish is not None:
        finish(request, account)


def ecs_service(request: ApiRequest, account: str) -> Model | None:
    """The ECS service that a request names, by name or ARN in its cluster; None if there is none."""
    held = backend("ecs", account, request.region)
    cluster = request.text("cluster").rpartition("/")[2] or "default"
    name = (request.text("serviceName") or request.text("service")).rpartition("/")[2]
    return held.services.get(f"{cluster}:{name}") if held is not None else None


def _settle_service(request: ApiRequest, account: str) -> None:
    service = ecs_service(request, account)
    if service is None:
        return
    for parameter, attribute in _DROPPED_BY_MOTO.items():
        if request.get(parameter) is not None:
            setattr(service, attribute, request.get(parameter))
    service.running_count, service.pending_count = service.desired_count, 0
    if service.deployments:
        _complete_deployment(service, forced=bool(request.get("forceNewDeployment")))
    run_tasks(service, account, request.region)
    _register_tasks(service, account, request.region)


def _complete_deployment(service: Model, *, forced: bool) -> None:
    """The newest deployment is done; a changed task definition is a new one."""
    deployment = service.deployments[0]
    now = utcnow()
    if forced or deployment["taskDefinition"] != service.task_definition:
        deployment.update(id=f"ecs-svc/{mock_random.randint(0, 32**12)}", createdAt=now)
    deployment.update(
        desiredCount=service.desired_count,
        failedTasks=0,
        pendingCount=0,
        runningCount=service.desired_count,
        rolloutState="COMPLETED",
        rolloutStateReason=f"ECS deployment {deployment['id']} completed.",
        taskDefinition=service.task_definition,
        updatedAt=now,
    )


def _date_task_definition(request: ApiRequest, account: str) -> None:
    """When a revision was registered, which moto does not note; set on its model, its serializer returns it."""
    held = backend("ecs", account, request.region)
    revisions = held.task_definitions.get(request.text("family"), {}) if held is not None else {}
    if revisions:
        revisions[max(revisions)].registered_at = utcnow()


def _stop_service(request: ApiRequest, account: str) -> None:
    service = ecs_service(request, account)
    if service is None:
        return
    service.desired_count = service.running_count = service.pending_count = 0
    service.deployments = []
    run_tasks(service, account, request.region)
    _register_tasks(service, account, request.region)


def _register_tasks(service: Model, account: str, region: str) -> None:
    """Cloud Map holds one instance per running task, so that a namespace cannot go before its service's tasks."""
    cloud_map = backend("servicediscovery", account, region)
    if cloud_map is None:
        return
    from moto.servicediscovery.models import ServiceInstance

    owner = f"{service.cluster_name}-{service.name}-"
    for registry in service.service_registries:
        registered = cloud_map.services.get(registry.get("registryArn", "").rpartition("/")[2])
        if registered is None:
            continue
        others = [item for item in registered.instances if not item.instance_id.startswith(owner)]
        whose = {"ECS_CLUSTER_NAME": service.cluster_name, "ECS_SERVICE_NAME": service.name}
        tasks = [
            ServiceInstance(
                registered.id, f"{owner}{number}", attributes={"AWS_INSTANCE_IPV4": f"10.0.0.{number + 4}", **whose}
            )
            for number in range(service.running_count)
        ]
        registered.instances = others + tasks


def _tag_target(request: ApiRequest, account: str) -> None:
    target = scalable_target(request, account)
    if target is not None:
        target.tags = {**getattr(target, "tags", {}), **request.get("Tags", {})}


def _drop_policies(request: ApiRequest, account: str) -> None:
    """A scalable target takes its policies with it (AWS docs: DeregisterScalableTarget)."""
    held = backend("applicationautoscaling", account, request.region)
    gone = (request.text("ResourceId"), request.text("ScalableDimension"))
    if held is not None:
        held.policies = {
            key: policy
            for key, policy in held.policies.items()
            if (policy.resource_id, policy.scalable_dimension) != gone
        }


def _type_endpoint(request: ApiRequest, account: str) -> None:
    """An endpoint without a type is a gateway endpoint; moto leaves the type open and cannot delete it then."""
    held = backend("ec2", account, request.region)
    for endpoint in held.vpc_end_points.values() if held is not None else []:
        endpoint.vpc_endpoint_type = endpoint.vpc_endpoint_type or "Gateway"


_FINISHERS: Mapping[tuple[str, str], Callable[[ApiRequest, str], None]] = {
    ("application-autoscaling", "DeregisterScalableTarget"): _drop_policies,
    ("application-autoscaling", "RegisterScalableTarget"): _tag_target,
    ("ec2", "CreateVpcEndpoint"): _type_endpoint,
    ("ec2", "DeleteNatGateway"): release_nat_gateway,
    ("ecs", "CreateService"): _settle_service,
    ("ecs", "DeleteService"): _stop_service,
    ("ecs", "RegisterTaskDefinition"): _date_task_definition,
    ("ecs", "UpdateService"): _settle_service,
    ("rds", "CreateDBInstance"): name_default_key,
}
