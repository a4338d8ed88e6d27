"""Whether the names that a stack wants are free, its own already, taken, or held by a secret that waits for its end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC

from byoc import tags
from byoc.operations.doctor.asking import Absent, NoAnswer
from byoc.operations.doctor.checks import Area, Check, failed, passed, unknown
from byoc.operations.doctor.name_readers import Held, Named, adopted_vpc, read_names
from byoc.operations.doctor.subject import DATABASE, LOAD_BALANCER, SECRET, SERVICE, Subject

_AREA = Area.NAMES


def judged(subject: Subject) -> tuple[Check, ...]:
    """Ask and judge."""
    return judge_names(read_names(subject, tuple(_wanted(subject))), _own_tags(subject))


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
    "Cloud Map service": ("aws:servicediscovery/service:Service", "name"),
    "event rule": ("aws:cloudwatch/eventRule:EventRule", "name"),
    "alarm": ("aws:cloudwatch/metricAlarm:MetricAlarm", "name"),
}
"""Kind, its type, and the input that is its name. An alarm or a rule that has it would be written over: AWS refuses
neither (Amazon CloudWatch API Reference: PutMetricAlarm; Amazon EventBridge API Reference: PutRule)."""


def _wanted(subject: Subject) -> Iterable[Named]:
    for kind, (type_, key) in _TYPES.items():
        for name in subject.named(type_, key):
            yield Named(kind=kind, name=name)
    if adopted_vpc(subject):  # in a VPC of its own nobody else has made any
        for name in subject.named("aws:ec2/securityGroup:SecurityGroup"):
            yield Named(kind="security group", name=name)


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
