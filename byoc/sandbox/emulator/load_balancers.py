"""Load balancers, target groups and listeners made twice: the same settings give the first again, others an error.

Source: AWS docs: Elastic Load Balancing API reference, "This operation is idempotent". moto makes a second load
balancer or listener, and refuses a second target group.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from byoc.sandbox.emulator.answers import AwsError
from byoc.sandbox.emulator.requests import ApiRequest
from byoc.sandbox.emulator.stored import Model, backend


def existing_load_balancer(request: ApiRequest, account: str) -> Mapping[str, Any] | None:
    """The load balancer of this name, if there is one; ``DuplicateLoadBalancerName`` if it differs."""
    elbv2 = backend("elbv2", account, request.region)
    name = request.text("Name")
    for found in elbv2.load_balancers.values() if elbv2 is not None else []:
        if found.name != name:
            continue
        mappings = [mapping["SubnetId"] for mapping in request.get("SubnetMappings", [])]
        same = (
            (found.scheme or "internet-facing") == (request.get("Scheme") or "internet-facing")
            and found.type == (request.get("Type") or "application")
            and {subnet.id for subnet in found.subnets} == set(request.get("Subnets", mappings))
            and set(found.security_groups or []) == set(request.get("SecurityGroups", []))
        )
        if same:
            return {"LoadBalancers": [found]}
        message = f"A load balancer with the same name '{name}' exists, but with different settings"
        raise AwsError.plain("DuplicateLoadBalancerName", message)
    return None


def existing_target_group(request: ApiRequest, account: str) -> Mapping[str, Any] | None:
    """The target group of this name, if there is one; ``DuplicateTargetGroupName`` if it differs."""
    elbv2 = backend("elbv2", account, request.region)
    name = request.text("Name")
    for found in elbv2.target_groups.values() if elbv2 is not None else []:
        if found.name != name:
            continue
        wanted = {
            "protocol": request.get("Protocol"),
            "port": request.get("Port"),
            "vpc_id": request.get("VpcId"),
            "target_type": request.get("TargetType") or "instance",
        }
        if all(str(getattr(found, key)) == str(value) for key, value in wanted.items() if value is not None):
            return {"TargetGroups": [found]}
        message = f"A target group with the same name '{name}' exists, but with different settings"
        raise AwsError.plain("DuplicateTargetGroupName", message)
    return None


def existing_listener(request: ApiRequest, account: str) -> Mapping[str, Any] | None:
    """The listener on this port, if there is one; ``DuplicateListener`` if it differs."""
    elbv2 = backend("elbv2", account, request.region)
    arn = request.text("LoadBalancerArn")
    balancer = elbv2.load_balancers.get(arn) if elbv2 is not None else None
    for found in balancer.listeners.values() if balancer is not None else []:
        if str(found.port) != request.text("Port"):
            continue
        targets = {action.get("TargetGroupArn") for action in request.get("DefaultActions", [])}
        known = {_target(action) for action in found.default_actions}
        if found.protocol == request.text("Protocol") and known == targets:
            return {"Listeners": [found]}
        message = f"A listener already exists on this port for this load balancer '{arn}'"
        raise AwsError.plain("DuplicateListener", message)
    return None


def _target(action: Model) -> str | None:
    data = action if isinstance(action, Mapping) else action.data
    target: str | None = data.get("TargetGroupArn")
    return target
