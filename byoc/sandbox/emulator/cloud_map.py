"""Cloud Map where moto differs from AWS: filters, several namespaces in a VPC, names taken, the hosted zone's end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from byoc.sandbox.emulator.answers import AwsError
from byoc.sandbox.emulator.requests import ApiRequest
from byoc.sandbox.emulator.stored import backend


def list_namespaces(request: ApiRequest, account: str) -> Mapping[str, Any] | None:
    """moto ignores the filters; AWS joins them with "and"."""
    held = backend("servicediscovery", account, request.region)
    if held is None:
        return None
    found = [namespace.to_json() for namespace in held.list_namespaces()]
    for condition in request.get("Filters", []):
        found = [item for item in found if _matches(item, condition)]
    return {"Namespaces": found}


def _matches(namespace: Mapping[str, Any], condition: Mapping[str, Any]) -> bool:
    key = {"NAME": "Name", "TYPE": "Type"}.get(condition["Name"])
    if key is None:
        return True
    value = str(namespace[key])
    if condition.get("Condition") == "BEGINS_WITH":
        return value.startswith(tuple(condition["Values"]))
    return value in condition["Values"]


def create_private_dns_namespace(request: ApiRequest, account: str) -> Mapping[str, Any]:
    """moto allows one namespace in a VPC; AWS allows any number of different names."""
    from moto.servicediscovery.models import servicediscovery_backends

    held = servicediscovery_backends[account][request.region]
    name, vpc = request.text("Name"), request.text("Vpc")
    if any((namespace.name, namespace.vpc) == (name, vpc) for namespace in held.namespaces.values()):
        message = f"The VPC {vpc} is already associated with a hosted zone for the domain {name}"
        raise AwsError.plain("ConflictingDomainExists", message)
    operation_id = held.create_private_dns_namespace(
        name=name,
        creator_request_id=request.text("CreatorRequestId"),
        description=request.text("Description"),
        vpc="",  # moto looks for a namespace of the same VPC: none is without one
        tags=request.get("Tags", []),
        properties=request.get("Properties", {}),
    )
    held.namespaces[held.operations[operation_id].targets["NAMESPACE"]].vpc = vpc
    return {"OperationId": operation_id}


def delete_namespace(request: ApiRequest, account: str) -> Mapping[str, Any] | None:
    """moto leaves the namespace's hosted zone behind."""
    held = backend("servicediscovery", account, request.region)
    namespace = held.namespaces.get(request.text("Id").rpartition("/")[2]) if held is not None else None
    if held is None or namespace is None:
        return None
    zones = backend("route53", account, request.partition)
    if zones is not None:
        zones.zones.pop(namespace.dns_properties.get("HostedZoneId", "").rpartition("/")[2], None)
    return {"OperationId": held.delete_namespace(namespace.id)}


def refuse_taken_service_name(request: ApiRequest, account: str) -> None:
    """moto makes a second service of the same name."""
    held = backend("servicediscovery", account, request.region)
    for service in held.services.values() if held is not None else []:
        if (service.name, service.namespace_id) == (request.text("Name"), request.text("NamespaceId")):
            raise AwsError.plain("ServiceAlreadyExists", "Service already exists.")


def refuse_namespace_in_use(request: ApiRequest, account: str) -> None:
    """A namespace that holds services stays."""
    held = backend("servicediscovery", account, request.region)
    namespace = request.text("Id").rpartition("/")[2]
    if held is not None and any(service.namespace_id == namespace for service in held.services.values()):
        raise AwsError.plain("ResourceInUse", "Namespace has associated services; delete the services first.")


def refuse_service_in_use(request: ApiRequest, account: str) -> None:
    """A service that holds registered instances stays."""
    held = backend("servicediscovery", account, request.region)
    service = held.services.get(request.text("Id").rpartition("/")[2]) if held is not None else None
    if service is not None and service.instances:
        message = "Service contains registered instances; delete the instances before deleting the service"
        raise AwsError.plain("ResourceInUse", message)
