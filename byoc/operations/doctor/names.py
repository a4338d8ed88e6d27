"""Whether the names that a stack wants are free, its own already, taken, or held by a secret that waits for its end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from byoc import tags
from byoc.config import AccountConfig, ExistingNetwork
from byoc.operations.answers import AbsentError
from byoc.operations.doctor.asking import Absent, NoAnswer, known, tags_of
from byoc.operations.doctor.checks import Area, Check, failed, passed, unknown
from byoc.operations.doctor.subject import DATABASE, LOAD_BALANCER, SECRET, SERVICE, Subject
from byoc.operations.many import each

_AREA = Area.NAMES
_AT_ONCE = 8


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


def judged(subject: Subject) -> tuple[Check, ...]:
    """Ask and judge."""
    wanted = tuple(_wanted(subject))
    answers = each(
        wanted, lambda item: known(lambda: _READERS[item.kind](subject, item.name)), at_once=_AT_ONCE, only_looks=True
    )
    return judge_names(dict(zip(wanted, answers, strict=True)), _own_tags(subject))


def _own_tags(subject: Subject) -> Mapping[str, str]:
    own = tags.install_tags(subject.names.prefix)
    deployments = subject.deployments
    return {**own, **tags.deployment_tags(next(iter(deployments)))} if subject.is_deployment else own


_TYPES = {
    "role": ("aws:iam/role:Role", "name"),
    "policy": ("aws:iam/policy:Policy", "name"),
    "ECS cluster": ("aws:ecs/cluster:Cluster", "name"),
    "log group": ("aws:cloudwatch/logGroup:LogGroup", "name"),
    "DB subnet group": ("aws:rds/subnetGroup:SubnetGroup", "name"),
    "repository": ("aws:ecr/repository:Repository", "name"),
    "topic": ("aws:sns/topic:Topic", "name"),
    "namespace": ("aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace", "name"),
    "load balancer": (LOAD_BALANCER, "name"),
    "database": (DATABASE, "identifier"),
    "secret": (SECRET, "name"),
    "ECS service": (SERVICE, "name"),
}


def _wanted(subject: Subject) -> Iterable[Named]:
    for kind, (type_, key) in _TYPES.items():
        for name in subject.named(type_, key):
            yield Named(kind=kind, name=name)
    if _adopted_vpc(subject):  # in a VPC of its own nobody else has made any
        for name in subject.named("aws:ec2/securityGroup:SecurityGroup"):
            yield Named(kind="security group", name=name)


def _adopted_vpc(subject: Subject) -> str:
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
    filters = [{"Name": "group-name", "Values": [name]}, {"Name": "vpc-id", "Values": [_adopted_vpc(subject)]}]
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
}


def judge_names(held: Mapping[Named, Held], own: Mapping[str, str]) -> tuple[Check, ...]:
    """One check for each name that is not free, and one for all that are; ``own``: the tags of the stack's things."""
    checks: list[Check] = []
    free, mine = [], []
    for item, answer in held.items():
        check = _trouble(item, answer, own)
        if check is not None:
            checks.append(check)
        elif isinstance(answer, Absent):
            free.append(item)
        else:
            mine.append(item)
    return (*checks, *_rest(free, mine))


def _trouble(item: Named, answer: Held, own: Mapping[str, str]) -> Check | None:
    title = f"{item.kind} {item.name}"
    if isinstance(answer, NoAnswer):
        return answer.check(_AREA, title)
    if isinstance(answer, Absent):
        return None
    if answer.deleted_at is not None:
        since = f"{answer.deleted_at.astimezone(UTC):%Y-%m-%d}"
        return failed(
            _AREA,
            title,
            f"is marked for deletion (DeletedDate {since}), and keeps its name until its recovery window is over",
            f"aws secretsmanager delete-secret --force-delete-without-recovery --secret-id {item.name} (its values are "
            "gone then), or restore-secret and adopt it",
        )
    if isinstance(answer.tags, NoAnswer):
        return unknown(_AREA, title, f"is there; whose it is, is not known: {answer.tags.why}", answer.tags.remedy)
    if any(answer.tags.get(key) != value for key, value in own.items()):
        wanted = ", ".join(f"{key}={value}" for key, value in own.items())
        return failed(
            _AREA,
            title,
            f"is taken: what has it does not carry {wanted}",
            "adopt it (byoc adopt), remove it, or choose another name (byoc:namePrefix, byoc:name)",
        )
    return None


def _rest(free: list[Named], mine: list[Named]) -> Iterable[Check]:
    if free and mine:
        there = ", ".join(f"{item.kind} {item.name}" for item in mine)
        yield unknown(
            _AREA,
            "earlier install",
            f"{len(mine)} of {len(free) + len(mine)} named things are there, with this stack's tags: {there}",
            "if an up was interrupted, or the config has grown, run up: it goes on; if they are left over from an "
            "earlier install, adopt them (byoc adopt) or remove them",
        )
    if free and not mine:
        yield passed(_AREA, "names", f"all {len(free)} are free")
    if mine and not free:
        yield passed(_AREA, "names", f"all {len(mine)} are this stack's own")
