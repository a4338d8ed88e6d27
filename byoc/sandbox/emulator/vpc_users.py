"""Who uses security groups, subnets and VPCs: what AWS would answer a deletion with ``DependencyViolation`` for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from byoc.sandbox.emulator.answers import AwsError
from byoc.sandbox.emulator.requests import ApiRequest
from byoc.sandbox.emulator.stored import Model, backend


def refuse_group_in_use(request: ApiRequest, account: str) -> None:
    """A group that other groups' rules name, or that something in the VPC carries, stays."""
    group_id = request.text("GroupId")
    if _rules_naming(account, request.region, group_id) or group_id in set(_groups_in_use(account, request.region)):
        raise AwsError.plain("DependencyViolation", f"resource {group_id} has a dependent object")


def refuse_subnet_in_use(request: ApiRequest, account: str) -> None:
    """A subnet that something lives in stays."""
    subnet_id = request.text("SubnetId")
    if subnet_id in set(_subnets_in_use(account, request.region)):
        message = f"The subnet '{subnet_id}' has dependencies and cannot be deleted."
        raise AwsError.plain("DependencyViolation", message)


def refuse_vpc_in_use(request: ApiRequest, account: str) -> None:
    """A VPC with a gateway, an endpoint or a group of its own stays; moto itself looks at subnets and route tables."""
    vpc_id = request.text("VpcId")
    ec2 = backend("ec2", account, request.region)
    if ec2 is None:
        return
    dependents = [
        *(gateway for gateway in ec2.internet_gateways.values() if gateway.vpc and gateway.vpc.id == vpc_id),
        *(point for point in ec2.vpc_end_points.values() if point.vpc_id == vpc_id and point.state != "deleted"),
        *(group for group in ec2.groups.get(vpc_id, {}).values() if group.name != "default"),
    ]
    if dependents:
        message = f"The vpc '{vpc_id}' has dependencies and cannot be deleted."
        raise AwsError.plain("DependencyViolation", message)


def refuse_gateway_in_use(request: ApiRequest, account: str) -> None:
    """An internet gateway through which public addresses are reached stays attached."""
    ec2 = backend("ec2", account, request.region)
    vpc_id = request.text("VpcId")
    if ec2 is not None and any(nat.vpc_id == vpc_id for nat in _public_nat_gateways(ec2)):
        message = (
            f"Network {vpc_id} has some mapped public address(es). "
            "Please unmap those public address(es) before detaching the gateway."
        )
        raise AwsError.plain("DependencyViolation", message)


def refuse_address_in_use(request: ApiRequest, account: str) -> None:
    """An address that a NAT gateway holds cannot be released."""
    ec2 = backend("ec2", account, request.region)
    held = {
        address.get("allocationId")
        for gateway in (_public_nat_gateways(ec2) if ec2 is not None else [])
        for address in gateway.address_set
    }
    if request.text("AllocationId") in held:
        message = f"Address with allocation id {request.text('AllocationId')} is in use."
        raise AwsError.plain("InvalidIPAddress.InUse", message)


def refuse_second_gateway_endpoint(request: ApiRequest, account: str) -> None:
    """A route table holds one route to a service's prefix list."""
    ec2 = backend("ec2", account, request.region)
    wanted = set(request.get("RouteTableIds", []))
    for point in ec2.vpc_end_points.values() if ec2 is not None else []:
        taken = wanted & set(point.route_table_ids or [])
        if point.state != "deleted" and point.service_name == request.text("ServiceName") and taken:
            message = f"route table {min(taken)} already has a route with the endpoint's prefix list"
            raise AwsError.plain("RouteAlreadyExists", message)


def release_nat_gateway(request: ApiRequest, account: str) -> None:
    """A NAT gateway that is gone takes its network interface with it and lets its address go; moto keeps both."""
    ec2 = backend("ec2", account, request.region)
    gateway = ec2.nat_gateways.get(request.text("NatGatewayId")) if ec2 is not None else None
    if ec2 is None or gateway is None:
        return
    for address in ec2.addresses:
        if address.eni is not None and address.eni.id == gateway._eni.id:
            address.eni = address.association_id = None
    ec2.enis.pop(gateway._eni.id, None)


def _public_nat_gateways(ec2: Model) -> Iterator[Any]:
    return (nat for nat in ec2.nat_gateways.values() if nat.state != "deleted" and nat.connectivity_type != "private")


def _rules_naming(account: str, region: str, group_id: str) -> bool:
    ec2 = backend("ec2", account, region)
    groups = [group for held in ec2.groups.values() for group in held.values()] if ec2 is not None else []
    return any(
        rule.source_group and rule.source_group.get("GroupId") == group_id
        for group in groups
        if group.id != group_id
        for rule in (*group.ingress_rules, *group.egress_rules)
    )


def _groups_in_use(account: str, region: str) -> Iterator[str]:
    ec2 = backend("ec2", account, region)
    if ec2 is not None:
        for interface in ec2.enis.values():
            yield from (group.id for group in interface.group_set)
        for point in ec2.vpc_end_points.values():
            yield from point.security_group_ids if point.state != "deleted" else []
    for database in _databases(account, region):
        yield from database.vpc_security_group_ids
    for balancer in _load_balancers(account, region):
        yield from balancer.security_groups or []
    for network in _task_networks(account, region):
        yield from network.get("securityGroups", [])


def _subnets_in_use(account: str, region: str) -> Iterator[str]:
    ec2 = backend("ec2", account, region)
    if ec2 is not None:
        yield from (interface.subnet.id for interface in ec2.enis.values())
        for point in ec2.vpc_end_points.values():
            yield from (point.subnet_ids or []) if point.state != "deleted" else []
    for database in _databases(account, region):
        subnets = getattr(database.db_subnet_group, "subnets", [])
        yield from (_subnet_id(subnet) for subnet in subnets)
    for balancer in _load_balancers(account, region):
        yield from (_subnet_id(subnet) for subnet in balancer.subnets)
    for network in _task_networks(account, region):
        yield from network.get("subnets", [])


def _subnet_id(subnet: Model) -> str:
    return str(subnet["SubnetIdentifier"] if isinstance(subnet, dict) else subnet.id)


def _databases(account: str, region: str) -> list[Any]:
    rds = backend("rds", account, region)
    return list(rds.databases.values()) if rds is not None else []


def _load_balancers(account: str, region: str) -> list[Any]:
    elbv2 = backend("elbv2", account, region)
    return list(elbv2.load_balancers.values()) if elbv2 is not None else []


def _task_networks(account: str, region: str) -> Iterator[dict[str, Any]]:
    ecs = backend("ecs", account, region)
    for service in ecs.services.values() if ecs is not None else []:
        if service.status == "ACTIVE" and service.running_count > 0:
            yield service.network_configuration.get("awsvpcConfiguration", {})
