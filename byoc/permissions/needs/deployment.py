"""What a deployment stack is made of, and which of its actions a set of policies does not grant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from byoc.permissions.evaluation.evaluator import Document, evaluate
from byoc.permissions.install import Account, InstallNames
from byoc.permissions.needs.actions import Need
from byoc.permissions.needs.features import Feature
from byoc.permissions.needs.requests import requests_of
from byoc.permissions.needs.stack import stack_needs

_ALWAYS = (
    "aws:cloudwatch/metricAlarm:MetricAlarm",
    "aws:ecs/service:Service",
    "aws:ecs/taskDefinition:TaskDefinition",
    "aws:lb/listener:Listener",
    "aws:lb/loadBalancer:LoadBalancer",
    "aws:lb/targetGroup:TargetGroup",
    "aws:secretsmanager/secret:Secret",
    "aws:secretsmanager/secretVersion:SecretVersion",
)
_OF_DATABASES = ("aws:rds/instance:Instance", "aws:rds/parameterGroup:ParameterGroup")
_OF_CACHES = ("aws:servicediscovery/service:Service",)
_OF_SCALING = ("aws:appautoscaling/policy:Policy", "aws:appautoscaling/target:Target")


class _Size(Protocol):
    @property
    def min_containers(self) -> int: ...
    @property
    def max_containers(self) -> int: ...


class _Queue(Protocol):
    @property
    def separate(self) -> bool: ...
    @property
    def containers(self) -> int: ...
    @property
    def max_containers(self) -> int: ...


class DeploymentSettings(Protocol):
    """What of a deployment's settings decides its types; ``byoc.config.DeploymentSection`` fits."""

    @property
    def size(self) -> _Size:
        """Bounds of the API's containers."""

    @property
    def queue(self) -> _Queue:
        """Bounds of the queue's containers, where it has its own."""


class DeploymentSecrets(Protocol):
    """Which secrets of a deployment decide its types; ``byoc.config.DeploymentSecrets`` fits."""

    @property
    def postgres_uri_custom(self) -> object | None:
        """Where somebody else keeps the database."""

    @property
    def redis_uri_custom(self) -> object | None:
        """Where somebody else keeps the cache."""


class RuntimeIds(Protocol):
    """The ids of a runtime that need no look-up; ``byoc.config``'s section ``runtime`` fits."""

    @property
    def vpc_id(self) -> str | None:
        """The VPC."""

    @property
    def private_subnet_ids(self) -> object | None:
        """The private subnets."""

    @property
    def public_subnet_ids(self) -> object | None:
        """The public subnets."""

    @property
    def load_balancer_security_group_id(self) -> str | None:
        """The load balancers' group."""

    @property
    def service_security_group_id(self) -> str | None:
        """The containers' group."""

    @property
    def data_security_group_id(self) -> str | None:
        """The databases' and caches' group."""

    @property
    def namespace_id(self) -> str | None:
        """The private DNS namespace."""


@dataclass(frozen=True, kw_only=True)
class DeploymentParts:
    """The parts of a deployment that not every deployment has. A queue of its own brings no type of its own."""

    database: bool = True
    """A database of ours."""
    cache: bool = True
    """A Redis of ours."""
    scaling: bool = True
    """API or queue have bounds to scale between."""


def parts_of(settings: DeploymentSettings, secrets: DeploymentSecrets) -> DeploymentParts:
    """The parts that a deployment's config asks for."""
    size, queue = settings.size, settings.queue
    return DeploymentParts(
        database=secrets.postgres_uri_custom is None,
        cache=secrets.redis_uri_custom is None,
        scaling=size.max_containers > size.min_containers
        or (queue.separate and queue.max_containers > queue.containers),
    )


def deployment_types(parts: DeploymentParts) -> tuple[str, ...]:
    """The AWS resource types of a deployment with these parts, sorted."""
    return tuple(
        sorted(
            (
                *_ALWAYS,
                *(_OF_DATABASES if parts.database else ()),
                *(_OF_CACHES if parts.cache else ()),
                *(_OF_SCALING if parts.scaling else ()),
            )
        )
    )


TYPES = deployment_types(DeploymentParts())
"""The AWS resource types of a deployment, whatever its config."""
FUNCTIONS = (
    "aws:ec2/getSecurityGroups:getSecurityGroups",
    "aws:ec2/getSubnets:getSubnets",
    "aws:rds/getSubnetGroup:getSubnetGroup",
    "aws:servicediscovery/getDnsNamespace:getDnsNamespace",
)
"""The look-ups with which a deployment stack finds its runtime."""


def lookups_of(ids: RuntimeIds) -> tuple[str, ...]:
    """The look-ups of a deployment stack whose config gives these ids, sorted. A given id is not looked up."""
    groups = (ids.load_balancer_security_group_id, ids.service_security_group_id, ids.data_security_group_id)
    known = {
        "aws:ec2/getSecurityGroups:getSecurityGroups": all((ids.vpc_id, *groups)),
        "aws:ec2/getSubnets:getSubnets": bool(ids.public_subnet_ids),
        "aws:rds/getSubnetGroup:getSubnetGroup": bool(ids.private_subnet_ids),
        "aws:servicediscovery/getDnsNamespace:getDnsNamespace": bool(ids.namespace_id),
    }
    return tuple(function for function in FUNCTIONS if not known[function])


def deployment_needs(
    parts: DeploymentParts | None = None,
    functions: Iterable[str] = FUNCTIONS,
    features: Iterable[Feature] = (),
) -> tuple[Need, ...]:
    """Every action that a deployment stack calls for over its life: create, refresh, update, delete.

    Without ``parts``, those of a deployment that has them all. ``features``: what is done with it beside.
    """
    return stack_needs(deployment_types(parts or DeploymentParts()), functions, features)


def missing_needs(
    identity: Mapping[str, Document],
    account: Account,
    names: InstallNames,
    *,
    boundary: Document | None = None,
    features: Iterable[Feature] = (),
) -> tuple[Need, ...]:
    """The needs of a deployment stack that the given policies of a role do not meet.

    ``identity``: documents by name, as for the evaluator. A need is met if every request that comes of it is allowed.
    """
    return tuple(
        need
        for need in deployment_needs(features=features)
        if not all(
            evaluate(request, identity=identity, boundary=boundary).allowed
            for request in requests_of(need, account, names)
        )
    )
