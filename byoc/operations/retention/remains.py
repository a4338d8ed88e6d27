"""What there is of a deployment whose ``environment`` secret is not there: a deletion broke off, or an ``up`` did."""

from __future__ import annotations

from byoc.operations.retention.running import certain, standing
from byoc.operations.status.read import known
from byoc.operations.targets import Target

_ROLES = ("api", "queue", "cache")


def remains(target: Target) -> tuple[str, ...]:
    """What costs money or holds data of it and is there, by kind and name. Raises ``ByocError`` where AWS does not say.

    All services are asked for: which of them there were is not the config's to say.
    """
    return (*_services(target), *_database(target), *_load_balancer(target))


def _services(target: Target) -> tuple[str, ...]:
    names = [target.names.service(target.deployment, role) for role in _ROLES]
    found = known(
        "ecs:DescribeServices",
        lambda: target.account.ask("ecs:DescribeServices", cluster=target.names.cluster, services=names),
        lambda answer: tuple(f"ECS service {service['serviceName']}" for service in standing(answer, names)),
    )
    return certain(found) or ()


def _database(target: Target) -> tuple[str, ...]:
    if not target.own_database:
        return ()
    name = target.names.database(target.deployment)
    found = known(
        "rds:DescribeDBInstances",
        lambda: target.account.ask("rds:DescribeDBInstances", DBInstanceIdentifier=name),
        lambda answer: answer["DBInstances"][0]["DBInstanceIdentifier"],
    )
    return () if certain(found) is None else (f"database {name}",)


def _load_balancer(target: Target) -> tuple[str, ...]:
    name = target.names.load_balancer(target.deployment)
    found = known(
        "elasticloadbalancing:DescribeLoadBalancers",
        lambda: target.account.ask("elasticloadbalancing:DescribeLoadBalancers", Names=[name]),
        lambda answer: answer["LoadBalancers"][0]["LoadBalancerArn"],
    )
    return () if certain(found) is None else (f"load balancer {name}",)
