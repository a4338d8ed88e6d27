"""Which quotas a stack meets, and how much of each it needs: data and arithmetic."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from byoc.operations.doctor.subject import DATABASE, LOAD_BALANCER, SECRET, SUBNET, Subject

UNITS_OF_A_VCPU = 1024


@dataclass(frozen=True, kw_only=True)
class Quota:
    """A quota of Service Quotas. ``default`` is AWS's (AWS General Reference: service endpoints and quotas)."""

    name: str
    service: str
    code: str
    default: int


VPCS = Quota(name="VPCs", service="vpc", code="L-F678F1CE", default=5)
GATEWAYS = Quota(name="internet gateways", service="vpc", code="L-A4707A72", default=5)
ADDRESSES = Quota(name="Elastic IP addresses", service="ec2", code="L-0263D0A3", default=5)
NAT_GATEWAYS = Quota(name="NAT gateways", service="vpc", code="L-FE5A380F", default=5)
"""Per availability zone."""
LOAD_BALANCERS = Quota(name="application load balancers", service="elasticloadbalancing", code="L-53DA6B97", default=50)
TARGET_GROUPS = Quota(name="target groups", service="elasticloadbalancing", code="L-B22855CB", default=3000)
VCPUS = Quota(name="Fargate vCPUs", service="fargate", code="L-3032A538", default=6)
DATABASES = Quota(name="RDS instances", service="rds", code="L-7B6409FD", default=40)
STORAGE = Quota(name="RDS storage in GiB", service="rds", code="L-7ADDB58A", default=100_000)
SECRETS = Quota(name="secrets", service="secretsmanager", code="L-2F66C23C", default=500_000)
QUOTAS = (
    VPCS,
    GATEWAYS,
    ADDRESSES,
    NAT_GATEWAYS,
    LOAD_BALANCERS,
    TARGET_GROUPS,
    VCPUS,
    DATABASES,
    STORAGE,
    SECRETS,
)

Place = str
"""A zone for a quota by zone; empty for the region."""


@dataclass(frozen=True, kw_only=True)
class Want:
    """How much of a quota a stack needs in one place. ``start``: where it can do with less at first, how much."""

    quota: Quota
    place: Place
    amount: float
    start: float | None = None


def wants(subject: Subject) -> tuple[Want, ...]:
    """What the stack's own resources need; nothing of a quota that they do not touch."""
    count = subject.counted()
    plain = {
        VPCS: count["aws:ec2/vpc:Vpc"],
        GATEWAYS: count["aws:ec2/internetGateway:InternetGateway"],
        ADDRESSES: count["aws:ec2/eip:Eip"],
        LOAD_BALANCERS: count[LOAD_BALANCER],
        TARGET_GROUPS: count["aws:lb/targetGroup:TargetGroup"],
        DATABASES: count[DATABASE],
        STORAGE: sum(int(inputs.get("allocatedStorage") or 0) for inputs in subject.inputs(DATABASE)),
        SECRETS: count[SECRET],
    }
    found = [Want(quota=quota, place="", amount=amount) for quota, amount in plain.items()]
    found += [Want(quota=NAT_GATEWAYS, place=zone, amount=number) for zone, number in _nat_zones(subject).items()]
    start, most = _vcpus(subject)
    found.append(Want(quota=VCPUS, place="", amount=most, start=start))
    order = {quota: index for index, quota in enumerate(QUOTAS)}
    return tuple(sorted((want for want in found if want.amount), key=lambda want: (order[want.quota], want.place)))


def _nat_zones(subject: Subject) -> Mapping[str, int]:
    registered = subject.planned.registered
    zones = {
        item.name: subject.zone(str(item.inputs["availabilityZone"]))
        for item in registered
        if item.type == SUBNET and "availabilityZone" in item.inputs
    }
    return Counter(zones[str(inputs["subnetId"])] for inputs in subject.inputs("aws:ec2/natGateway:NatGateway"))


def _vcpus(subject: Subject) -> tuple[float, float]:
    """With the fewest and with the most containers, caches included; those of a rolling update are not counted."""
    start = most = 0
    for section, secrets in subject.deployments.values():
        cache = section.cache.cpu if secrets.redis_uri_custom is None else 0
        start += section.size.min_containers * section.size.cpu + cache
        most += section.size.max_containers * section.size.cpu + cache
        if section.queue.separate:
            start += section.queue.containers * section.queue.cpu
            most += section.queue.max_containers * section.queue.cpu
    return start / UNITS_OF_A_VCPU, most / UNITS_OF_A_VCPU
