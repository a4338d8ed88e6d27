"""The limits that the statements of scoped mode have in common: this install's tag, region and names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from byoc.permissions.install import (
    INSTALL_TAG,
    LOAD_BALANCER_NAME_LIMIT,
    RDS_IDENTIFIER_LIMIT,
    SECRET_TAG,
    Account,
    InstallNames,
    name_pattern,
)
from byoc.permissions.policies.documents import Document

Condition = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Install:
    """An install as its statements speak of it: ARNs by name, conditions by tag."""

    account: Account
    names: InstallNames
    role_path: str = "/"

    def arn(self, service: str, resource: str) -> str:
        """The ARN of a resource of this account and region."""
        return self.account.arn(service, resource)

    @property
    def databases(self) -> list[str]:
        """Databases and parameter groups by name."""
        return [self.rds("db"), self.rds("pg")]

    def rds(self, kind: str) -> str:
        """What RDS holds of one kind, by name."""
        return self.arn("rds", f"{kind}:{name_pattern(self.names.prefix, RDS_IDENTIFIER_LIMIT)}")

    def balancing(self, kind: str) -> str:
        """Load balancers (``loadbalancer``) or their listeners (``listener``), by the load balancer's name."""
        pattern = name_pattern(self.names.prefix, LOAD_BALANCER_NAME_LIMIT)
        return self.arn("elasticloadbalancing", f"{kind}/app/{pattern}")

    @property
    def secrets(self) -> str:
        """Secrets by name; "*": the deployment's name and what AWS adds to it."""
        return self.arn("secretsmanager", f"secret:{self.names.prefix}/*")

    @property
    def cluster(self) -> str:
        """This install's cluster."""
        return self.arn("ecs", f"cluster/{self.names.cluster}")

    @property
    def tasks(self) -> str:
        """The tasks of this install's cluster; "*": ECS gives them random ids."""
        return self.arn("ecs", f"task/{self.names.cluster}/*")

    @property
    def services(self) -> str:
        """The services of this install's cluster."""
        return self.arn("ecs", f"service/{self.names.cluster}/*")

    @property
    def task_definitions(self) -> str:
        """Every revision of this install's families."""
        return self.arn("ecs", f"task-definition/{self.names.prefix}-*")

    @property
    def log_group(self) -> list[str]:
        """The log group of this install's containers, in both forms of its ARN; "*": every stream of it."""
        group = self.arn("logs", f"log-group:{self.names.log_group}")
        return [group, f"{group}:*"]

    @property
    def alarms(self) -> str:
        """Alarms by name."""
        return self.arn("cloudwatch", f"alarm:{self.names.prefix}-*")

    @property
    def roll_outs(self) -> tuple[str, str]:
        """What ECS keeps of each roll-out in this install's cluster; "*": it gives them random ids."""
        of_cluster = f"{self.names.cluster}/*"
        return self.arn("ecs", f"service-deployment/{of_cluster}"), self.arn("ecs", f"service-revision/{of_cluster}")

    @property
    def repositories(self) -> str:
        """Image repositories; "*": their names are the customer's, so that the tag has to say whose they are."""
        return self.arn("ecr", "repository/*")

    @property
    def alarm_topic(self) -> str:
        """The topic by which people are told."""
        return self.arn("sns", self.names.alarm_topic)

    @property
    def here(self) -> Condition:
        """Only in this region: for actions that AWS does not limit by resource."""
        return {"StringEquals": {"aws:RequestedRegion": self.account.region}}

    @property
    def in_cluster(self) -> Condition:
        """Only in this install's cluster: for calls that name a cluster and that nothing else limits."""
        return {"ArnEquals": {"ecs:cluster": self.cluster}}

    @property
    def ours(self) -> Condition:
        """Only what carries this install's tag."""
        return {"StringEquals": {f"aws:ResourceTag/{INSTALL_TAG}": self.names.prefix}}

    @property
    def our_secrets(self) -> Condition:
        """Only what carries this install's tag and the documented one of secrets."""
        return {"StringEquals": {f"aws:ResourceTag/{tag}": self.names.prefix for tag in (INSTALL_TAG, SECRET_TAG)}}

    @property
    def tagged(self) -> Condition:
        """Only with this install's tag in the request."""
        return {"StringEquals": {f"aws:RequestTag/{INSTALL_TAG}": self.names.prefix}}

    @property
    def tagged_new(self) -> Condition:
        """With this install's tag in the request, on what no install has tagged yet: a thing in the making."""
        return {**self.tagged, "Null": {f"aws:ResourceTag/{INSTALL_TAG}": "true"}}

    @property
    def other_tags(self) -> Condition:
        """Only tags that do not say whose a thing is."""
        return {"ForAllValues:StringNotEquals": {"aws:TagKeys": [INSTALL_TAG, SECRET_TAG]}}


def both(*conditions: Condition) -> Condition:
    """All of the conditions; keys under the same operator come together."""
    joined: dict[str, dict[str, Any]] = {}
    for condition in conditions:
        for operator, keys in condition.items():
            joined.setdefault(operator, {}).update(keys)
    return joined


def allow(
    sid: str, actions: Sequence[str], resources: str | Sequence[str], condition: Condition | None = None
) -> Document:
    """One statement that allows ``actions``, sorted, on ``resources``, under ``condition``."""
    statement: Document = {
        "Sid": sid,
        "Effect": "Allow",
        "Action": sorted(actions),
        "Resource": resources if isinstance(resources, str) else list(resources),
    }
    if condition:
        statement["Condition"] = {operator: dict(keys) for operator, keys in condition.items()}
    return statement


def of(service: str, operations: str) -> list[str]:
    """``of("rds", "CreateDBInstance DeleteDBInstance")`` as actions."""
    return [f"{service}:{operation}" for operation in operations.split()]
