"""How much of a quota is in use, and how much of that is the stack's own: found by names and tags."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from byoc import tags
from byoc.operations.answers import AbsentError
from byoc.operations.doctor.asking import tags_of
from byoc.operations.doctor.quota_table import (
    ADDRESSES,
    DATABASES,
    GATEWAYS,
    LOAD_BALANCERS,
    NAT_GATEWAYS,
    SECRETS,
    STORAGE,
    TARGET_GROUPS,
    UNITS_OF_A_VCPU,
    VCPUS,
    VPCS,
    Quota,
)
from byoc.operations.doctor.subject import DATABASE, LOAD_BALANCER, SECRET, SERVICE, Subject
from byoc.operations.many import chunks
from byoc.operations.tasks import TASKS_OF_A_CALL

_COUNTED_NATS = ("pending", "available", "deleting")
"""States of a NAT gateway that count (Amazon VPC User Guide: quotas)."""


@dataclass(frozen=True, kw_only=True)
class Usage:
    """How much is in use, and how much of it is the stack's own."""

    total: float = 0
    own: float = 0


Used = Mapping[str, Usage]
"""By zone for quotas by zone; else under the empty name."""


def _counted(items: Iterable[tuple[float, bool]]) -> Used:
    total = own = 0.0
    for amount, mine in items:
        total += amount
        own += amount if mine else 0
    return {"": Usage(total=total, own=own)}


def _by_tag(action: str, key: str) -> Callable[[Subject], Used]:
    """Things of EC2 that carry the install's tag."""

    def used(subject: Subject) -> Used:
        return _counted((1, _is_own(subject, item)) for item in subject.account.all(action, key))

    return used


def _is_own(subject: Subject, item: Mapping[str, Any]) -> bool:
    # What a deployment stack makes in the network is nothing: all of it is the account stack's.
    return not subject.is_deployment and tags_of(item).get(tags.INSTALL_KEY) == subject.names.prefix


def _nat_gateways(subject: Subject) -> Used:
    zones = {
        subnet["SubnetId"]: subnet["AvailabilityZone"]
        for subnet in subject.account.all("ec2:DescribeSubnets", "Subnets")
    }
    counts: dict[str, list[tuple[float, bool]]] = defaultdict(list)
    for gateway in subject.account.all("ec2:DescribeNatGateways", "NatGateways"):
        if gateway["State"] in _COUNTED_NATS:
            counts[zones.get(gateway.get("SubnetId", ""), "")].append((1, _is_own(subject, gateway)))
    return {zone: _counted(items)[""] for zone, items in counts.items()}


def _balancers(subject: Subject) -> list[tuple[str, bool]]:
    """ARNs of application load balancers, and whether they are the stack's own."""
    own = set(subject.named(LOAD_BALANCER))
    found = subject.account.all("elasticloadbalancing:DescribeLoadBalancers", "LoadBalancers")
    return [
        (item["LoadBalancerArn"], item["LoadBalancerName"] in own) for item in found if item["Type"] == "application"
    ]


def _load_balancers(subject: Subject) -> Used:
    return _counted((1, mine) for _, mine in _balancers(subject))


def _target_groups(subject: Subject) -> Used:
    own = {arn for arn, mine in _balancers(subject) if mine}
    groups = subject.account.all("elasticloadbalancing:DescribeTargetGroups", "TargetGroups")
    return _counted((1, bool(own & set(group.get("LoadBalancerArns") or ()))) for group in groups)


def _instances(subject: Subject) -> Iterable[tuple[Mapping[str, Any], bool]]:
    own = set(subject.named(DATABASE, "identifier"))
    for item in subject.account.all("rds:DescribeDBInstances", "DBInstances"):
        yield item, item["DBInstanceIdentifier"] in own


def _databases(subject: Subject) -> Used:
    return _counted((1, mine) for _, mine in _instances(subject))


def _storage(subject: Subject) -> Used:
    # Aurora's instances have no storage of their own.
    return _counted((item.get("AllocatedStorage", 0), mine) for item, mine in _instances(subject))


def _secrets(subject: Subject) -> Used:
    own = set(subject.named(SECRET))
    found = subject.account.all("secretsmanager:ListSecrets", "SecretList", IncludePlannedDeletion=True)
    return _counted((1, item["Name"] in own) for item in found)


def _vcpus(subject: Subject) -> Used:
    """Those of every Fargate task; the spot ones are another quota's."""
    own = {f"service:{name}" for name in subject.named(SERVICE)}
    return _counted(
        (
            int(task.get("cpu") or 0) / UNITS_OF_A_VCPU,
            cluster.endswith(f":cluster/{subject.names.cluster}") and task.get("group") in own,
        )
        for cluster in subject.account.all("ecs:ListClusters", "clusterArns")
        for task in _tasks(subject, cluster)
        if task.get("launchType") == "FARGATE" and task.get("capacityProviderName") != "FARGATE_SPOT"
    )


def _tasks(subject: Subject, cluster: str) -> Iterable[Mapping[str, Any]]:
    try:
        arns = list(subject.account.all("ecs:ListTasks", "taskArns", cluster=cluster))
    except AbsentError:  # a cluster that went meanwhile
        return
    for some in chunks(arns, TASKS_OF_A_CALL):
        yield from subject.account.ask("ecs:DescribeTasks", cluster=cluster, tasks=some)["tasks"]


USAGES: Mapping[Quota, Callable[[Subject], Used]] = {
    VPCS: _by_tag("ec2:DescribeVpcs", "Vpcs"),
    GATEWAYS: _by_tag("ec2:DescribeInternetGateways", "InternetGateways"),
    ADDRESSES: _by_tag("ec2:DescribeAddresses", "Addresses"),
    NAT_GATEWAYS: _nat_gateways,
    LOAD_BALANCERS: _load_balancers,
    TARGET_GROUPS: _target_groups,
    VCPUS: _vcpus,
    DATABASES: _databases,
    STORAGE: _storage,
    SECRETS: _secrets,
}
"""Who counts the use of each quota."""
