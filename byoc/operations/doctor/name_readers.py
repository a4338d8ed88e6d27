"""Asks AWS who has the names that a stack wants."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from byoc.config import AccountConfig, DeploymentConfig, ExistingNetwork
from byoc.operations.answers import AbsentError, listed
from byoc.operations.doctor.asking import Absent, NoAnswer, known, tags_of
from byoc.operations.doctor.subject import Subject
from byoc.operations.many import chunks, each

_AT_ONCE = 8
_ALARMS_AT_ONCE = 100
"""Names that one call takes (Amazon CloudWatch API Reference: DescribeAlarms)."""


@dataclass(frozen=True, kw_only=True)
class Holder:
    """What has a name."""

    tags: Mapping[str, str] | NoAnswer
    deleted_at: datetime | None = None
    """Of a secret that waits for its end: ``DeletedDate``, of which AWS says that it is the day it is marked for."""


Held = Holder | Absent | NoAnswer


@dataclass(frozen=True, kw_only=True)
class Named:
    """A name that the stack wants."""

    kind: str
    name: str


def read_names(subject: Subject, wanted: Sequence[Named]) -> dict[Named, Held]:
    """Who has each of these names, in their order."""
    alone = [item for item in wanted if item.kind in _READERS]
    answers = each(
        alone, lambda item: known(lambda: _READERS[item.kind](subject, item.name)), at_once=_AT_ONCE, only_looks=True
    )
    found: dict[Named, Held] = dict(zip(alone, answers, strict=True))
    for kind, read in _READERS_OF_MANY.items():
        names = [item.name for item in wanted if item.kind == kind]
        if names:
            held = read(subject, names)
            found |= {Named(kind=kind, name=name): held[name] for name in names}
    return {item: found[item] for item in wanted}


def adopted_vpc(subject: Subject) -> str:
    """The VPC that the stack adopts; empty where it makes one, or looks it up."""
    network = subject.config.network if isinstance(subject.config, AccountConfig) else None
    return network.vpc_id if isinstance(network, ExistingNetwork) else ""


def _role(subject: Subject, name: str) -> Holder:
    return Holder(tags=tags_of(subject.account.ask("iam:GetRole", RoleName=name)["Role"]))


def _policy(subject: Subject, name: str) -> Holder:
    (inputs,) = [found for found in subject.inputs("aws:iam/policy:Policy") if found.get("name") == name]
    arn = subject.config.account.arn("iam", f"policy{inputs.get('path') or '/'}{name}", region=False)
    return Holder(tags=tags_of(subject.account.ask("iam:GetPolicy", PolicyArn=arn)["Policy"]))


def _cluster(subject: Subject, name: str) -> Holder:
    found = subject.account.ask("ecs:DescribeClusters", clusters=[name], include=["TAGS"])["clusters"]
    return _holder([item for item in found if item["status"] != "INACTIVE"], "tags")


def _service(subject: Subject, name: str) -> Holder:
    asked: dict[str, Any] = {"cluster": subject.names.cluster, "services": [name], "include": ["TAGS"]}
    found = subject.account.ask("ecs:DescribeServices", **asked)["services"]
    return _holder([item for item in found if item["status"] != "INACTIVE"], "tags")


def _security_group(subject: Subject, name: str) -> Holder:
    filters = [{"Name": "group-name", "Values": [name]}, {"Name": "vpc-id", "Values": [adopted_vpc(subject)]}]
    found = subject.account.all("ec2:DescribeSecurityGroups", "SecurityGroups", Filters=filters)
    return _holder(list(found), "Tags")


def _log_group(subject: Subject, name: str) -> Holder:
    groups = subject.account.all("logs:DescribeLogGroups", "logGroups", logGroupNamePrefix=name)
    (arn,) = _one(item["arn"].removesuffix(":*") for item in groups if item["logGroupName"] == name)
    return Holder(tags=_asked(lambda: dict(subject.account.ask("logs:ListTagsForResource", resourceArn=arn)["tags"])))


def _subnet_group(subject: Subject, name: str) -> Holder:
    (item,) = subject.account.ask("rds:DescribeDBSubnetGroups", DBSubnetGroupName=name)["DBSubnetGroups"]
    return Holder(
        tags=_asked(
            lambda: tags_of(
                subject.account.ask("rds:ListTagsForResource", ResourceName=item["DBSubnetGroupArn"]), "TagList"
            )
        )
    )


def _repository(subject: Subject, name: str) -> Holder:
    (item,) = subject.account.ask("ecr:DescribeRepositories", repositoryNames=[name])["repositories"]
    asked = {"resourceArn": item["repositoryArn"]}
    return Holder(tags=_asked(lambda: tags_of(subject.account.ask("ecr:ListTagsForResource", **asked), "tags")))


def _topic(subject: Subject, name: str) -> Holder:
    arn = subject.config.account.arn("sns", name)
    _ = subject.account.ask("sns:GetTopicAttributes", TopicArn=arn)["Attributes"]
    return Holder(tags=_asked(lambda: tags_of(subject.account.ask("sns:ListTagsForResource", ResourceArn=arn))))


def _namespace(subject: Subject, name: str) -> Holder:
    found = subject.account.all("servicediscovery:ListNamespaces", "Namespaces")
    (arn,) = _one(item["Arn"] for item in found if item["Name"] == name)
    asked = {"ResourceARN": arn}
    return Holder(tags=_asked(lambda: tags_of(subject.account.ask("servicediscovery:ListTagsForResource", **asked))))


def _load_balancer(subject: Subject, name: str) -> Holder:
    (item,) = subject.account.ask("elasticloadbalancing:DescribeLoadBalancers", Names=[name])["LoadBalancers"]
    asked: dict[str, Any] = {"ResourceArns": [item["LoadBalancerArn"]]}
    return Holder(
        tags=_asked(
            lambda: tags_of(subject.account.ask("elasticloadbalancing:DescribeTags", **asked)["TagDescriptions"][0])
        )
    )


def _database(subject: Subject, name: str) -> Holder:
    (item,) = subject.account.ask("rds:DescribeDBInstances", DBInstanceIdentifier=name)["DBInstances"]
    return Holder(tags=tags_of(item, "TagList"))


def _secret(subject: Subject, name: str) -> Holder:
    item = subject.account.ask("secretsmanager:DescribeSecret", SecretId=name)
    _ = item["ARN"]  # tags may be missing because there are none, but not from half an answer
    return Holder(tags=tags_of(item), deleted_at=item.get("DeletedDate"))


def _holder(items: list[Mapping[str, Any]], key: str) -> Holder:
    (item,) = _one(items)
    return Holder(tags=tags_of(item, key))


def _one(items: Iterable[Any]) -> list[Any]:
    found = list(items)
    if not found:
        raise AbsentError("not in AWS's answer")
    return found[:1]


def _asked(ask: Callable[[], Mapping[str, str]]) -> Mapping[str, str] | NoAnswer:
    answer = known(ask)
    return {} if isinstance(answer, Absent) else answer


def _event_rule(subject: Subject, name: str) -> Holder:
    arn = subject.account.ask("events:DescribeRule", Name=name)["Arn"]
    return Holder(tags=_asked(lambda: tags_of(subject.account.ask("events:ListTagsForResource", ResourceARN=arn))))


_READERS: Mapping[str, Callable[[Subject, str], Holder]] = {
    "role": _role,
    "policy": _policy,
    "ECS cluster": _cluster,
    "log group": _log_group,
    "DB subnet group": _subnet_group,
    "repository": _repository,
    "topic": _topic,
    "namespace": _namespace,
    "load balancer": _load_balancer,
    "database": _database,
    "secret": _secret,
    "ECS service": _service,
    "security group": _security_group,
    "event rule": _event_rule,
}


def _alarms(subject: Subject, names: Sequence[str]) -> Mapping[str, Held]:
    """Metric and composite alarms share their names (Amazon CloudWatch API Reference: PutMetricAlarm)."""

    def arns() -> dict[str, str]:
        found = {}
        for some in chunks(names, _ALARMS_AT_ONCE):
            asked: dict[str, Any] = {"AlarmNames": some, "AlarmTypes": ["MetricAlarm", "CompositeAlarm"]}
            for page in subject.account.pages("cloudwatch:DescribeAlarms", **asked):
                metric = listed("cloudwatch:DescribeAlarms", page, "MetricAlarms")
                for item in (*metric, *page.get("CompositeAlarms", ())):
                    found[item["AlarmName"]] = item["AlarmArn"]
        return found

    def tags(arn: str) -> Mapping[str, str]:
        return tags_of(subject.account.ask("cloudwatch:ListTagsForResource", ResourceARN=arn))

    return _holders(names, known(arns), tags)


def _registries(subject: Subject, names: Sequence[str]) -> Mapping[str, Held]:
    """Services of Cloud Map, whose names are those of their namespace alone."""

    def arns() -> dict[str, str]:
        within = [{"Name": "NAMESPACE_ID", "Values": [_namespace_id(subject)], "Condition": "EQ"}]
        services = subject.account.all("servicediscovery:ListServices", "Services", Filters=within)
        return {item["Name"]: item["Arn"] for item in services}

    def tags(arn: str) -> Mapping[str, str]:
        return tags_of(subject.account.ask("servicediscovery:ListTagsForResource", ResourceARN=arn))

    return _holders(names, known(arns), tags)


def _namespace_id(subject: Subject) -> str:
    config = subject.config
    if isinstance(config, DeploymentConfig) and config.runtime.namespace_id is not None:
        return config.runtime.namespace_id
    found = subject.account.all("servicediscovery:ListNamespaces", "Namespaces")
    (id_,) = _one(item["Id"] for item in found if item["Name"] == subject.names.namespace)
    return str(id_)


_READERS_OF_MANY: Mapping[str, Callable[[Subject, Sequence[str]], Mapping[str, Held]]] = {
    "alarm": _alarms,
    "Cloud Map service": _registries,
}
"""Of these a stack wants so many that one is not asked for after the other, or AWS tells of all alone."""


def _holders(
    names: Sequence[str], arns: Mapping[str, str] | Absent | NoAnswer, tags: Callable[[str], Mapping[str, str]]
) -> Mapping[str, Held]:
    """Who has names, given the ARNs of what has one of them."""
    if isinstance(arns, Absent | NoAnswer):
        return dict.fromkeys(names, arns)
    there = [name for name in names if name in arns]
    holders = each(there, lambda name: Holder(tags=_asked(lambda: tags(arns[name]))), at_once=_AT_ONCE, only_looks=True)
    return {**dict.fromkeys(names, Absent()), **dict(zip(there, holders, strict=True))}
