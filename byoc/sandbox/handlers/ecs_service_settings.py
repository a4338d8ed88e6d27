"""What an ECS service can be set to: from inputs to the API's parameters, and back from its answer. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any

from byoc.sandbox.handlers.base import Properties
from byoc.sandbox.handlers.calls import present
from byoc.sandbox.handlers.meaning import Told, Unordered, named

DEPLOYMENT = frozenset({"deploymentCircuitBreaker", "deploymentMaximumPercent", "deploymentMinimumHealthyPercent"})
"""Inputs that are parts of one parameter."""
PLAIN = {
    "availabilityZoneRebalancing": "availabilityZoneRebalancing",
    "enableEcsManagedTags": "enableECSManagedTags",
    "enableExecuteCommand": "enableExecuteCommand",
    "healthCheckGracePeriodSeconds": "healthCheckGracePeriodSeconds",
    "platformVersion": "platformVersion",
    "propagateTags": "propagateTags",
    "taskDefinition": "taskDefinition",
}
"""Inputs that can change and that the API takes as they are, by the API's names."""


def settings(inputs: Properties, wanted: Set[str], *, emptied: bool = False) -> dict[str, Any]:
    """Those inputs of ``wanted`` that can change, as parameters; with ``emptied`` also those that are taken away."""
    arguments: dict[str, Any] = {
        parameter: inputs[name]
        for name, parameter in PLAIN.items()
        if name in wanted and inputs.get(name) not in (None, "")
    }
    if "desiredCount" in wanted and inputs.get("schedulingStrategy") != "DAEMON":
        arguments["desiredCount"] = int(inputs.get("desiredCount") or 0)
    if wanted & DEPLOYMENT:
        arguments["deploymentConfiguration"] = _deployment_configuration(inputs)
    lists = {
        "capacityProviderStrategies": ("capacityProviderStrategy", _plain_items(inputs, "capacityProviderStrategies")),
        "loadBalancers": ("loadBalancers", _plain_items(inputs, "loadBalancers")),
        "serviceRegistries": ("serviceRegistries", _registries(inputs)),
    }
    for name, (parameter, items) in lists.items():
        if name in wanted and (items or emptied):
            arguments[parameter] = items
    if "networkConfiguration" in wanted and inputs.get("networkConfiguration"):
        arguments["networkConfiguration"] = {"awsvpcConfiguration": _network(inputs["networkConfiguration"])}
    return arguments


def _deployment_configuration(inputs: Properties) -> dict[str, Any]:
    breaker = inputs.get("deploymentCircuitBreaker") or {}
    return {
        "maximumPercent": int(inputs["deploymentMaximumPercent"]),
        "minimumHealthyPercent": int(inputs["deploymentMinimumHealthyPercent"]),
        "deploymentCircuitBreaker": {
            "enable": bool(breaker.get("enable")),
            "rollback": bool(breaker.get("rollback")),
        },
    }


def _network(wanted: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "subnets": wanted["subnets"],
        "assignPublicIp": "ENABLED" if wanted.get("assignPublicIp") else "DISABLED",
        **present(securityGroups=wanted.get("securityGroups")),
    }


def _plain_items(inputs: Properties, name: str) -> list[dict[str, Any]]:
    return [present(**item) for item in inputs.get(name) or []]


def _registries(inputs: Properties) -> list[dict[str, Any]]:
    registry = inputs.get("serviceRegistries")
    return [present(**registry)] if registry else []


def told_service(service: Mapping[str, Any]) -> Properties:
    """Inputs as a described service has them, without tags."""
    configuration = service.get("deploymentConfiguration") or {}
    breaker = configuration.get("deploymentCircuitBreaker") or {}
    network = (service.get("networkConfiguration") or {}).get("awsvpcConfiguration")
    registries = service.get("serviceRegistries") or [None]
    return {
        **{name: service.get(key) for name, key in PLAIN.items()},
        "capacityProviderStrategies": Unordered(service.get("capacityProviderStrategy") or []),
        "cluster": named(service["clusterArn"]),
        "deploymentCircuitBreaker": {"enable": bool(breaker.get("enable")), "rollback": bool(breaker.get("rollback"))},
        "deploymentController": service.get("deploymentController"),
        "deploymentMaximumPercent": configuration.get("maximumPercent"),
        "deploymentMinimumHealthyPercent": configuration.get("minimumHealthyPercent"),
        "desiredCount": service.get("desiredCount"),
        "iamRole": named(service.get("roleArn")),
        "launchType": service.get("launchType"),
        "loadBalancers": Unordered(service.get("loadBalancers") or []),
        "name": service["serviceName"],
        "networkConfiguration": network and _told_network(network),
        "schedulingStrategy": service.get("schedulingStrategy"),
        "serviceRegistries": registries[0],
        "taskDefinition": Told(service.get("taskDefinition"), _is_revision),
    }


def _told_network(network: Mapping[str, Any]) -> Properties:
    return {
        "assignPublicIp": network.get("assignPublicIp") == "ENABLED",
        "securityGroups": Unordered(network.get("securityGroups") or []),
        "subnets": Unordered(network.get("subnets") or []),
    }


def _is_revision(written: object, arn: object) -> bool:
    """Whether a task definition is named by this ARN, by family and revision, or by its family alone."""
    revision = str(arn).rpartition("/")[2]
    return written in (arn, revision, revision.rpartition(":")[0])
