"""Looks for how deployments are reached and watched: load balancers, alarms, log groups, topics, rules, images."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from byoc import tags
from byoc.operations.answers import AbsentError
from byoc.operations.many import chunks
from byoc.operations.teardown.found import Found
from byoc.operations.teardown.subject import Subject, tag_map

REPOSITORY = "image repository"
INSIGHTS = "log group of container insights"
_ARNS_OF_A_CALL = 20
"""Of one ``DescribeTags`` (Elastic Load Balancing API Reference)."""
_ALARMS_OF_A_CALL = 100
"""Names that one ``DescribeAlarms`` takes (Amazon CloudWatch API Reference)."""
_TARGET_GROUP_PREFIX = 6
"""Characters of the install's name that a target group's name begins with: the provider adds 26."""


def load_balancers(subject: Subject) -> Iterator[Found]:
    """Load balancers, with their listeners."""
    if subject.install is None:
        for deployment in sorted(subject.deployment_names):
            name = subject.names.load_balancer(deployment)
            try:
                subject.account.ask("elasticloadbalancing:DescribeLoadBalancers", Names=[name])
            except AbsentError:
                continue
            yield Found(kind="load balancer", id=name, deployment=deployment)
        return
    every = subject.account.all("elasticloadbalancing:DescribeLoadBalancers", "LoadBalancers")
    names = {item["LoadBalancerArn"]: item["LoadBalancerName"] for item in every}
    for name, found_tags in _tagged(subject, names):
        if subject.may_own(name, found_tags):
            yield Found(kind="load balancer", id=name, deployment=found_tags.get(tags.DEPLOYMENT_KEY, ""))


def target_groups(subject: Subject) -> Iterator[Found]:
    """Target groups: their names say little, their tags decide."""
    begin = subject.names.prefix[: _TARGET_GROUP_PREFIX - 1].rstrip("-")
    every = subject.account.all("elasticloadbalancing:DescribeTargetGroups", "TargetGroups")
    names = {
        item["TargetGroupArn"]: item["TargetGroupName"]
        for item in every
        if item["TargetGroupName"].startswith(f"{begin}-")
    }
    for name, found_tags in _tagged(subject, names):
        if subject.owns(found_tags):
            yield Found(kind="target group", id=name, deployment=found_tags.get(tags.DEPLOYMENT_KEY, ""))


def _tagged(subject: Subject, names: dict[str, str]) -> Iterator[tuple[str, dict[str, str]]]:
    for chunk in chunks(list(names), _ARNS_OF_A_CALL):
        for item in _described_tags(subject, chunk):
            yield names[item["ResourceArn"]], tag_map(item.get("Tags"))


def _described_tags(subject: Subject, arns: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Of those that are still there: one that went since it was listed, anybody's, refuses the whole call."""
    try:
        yield from subject.account.ask("elasticloadbalancing:DescribeTags", ResourceArns=list(arns))["TagDescriptions"]
    except AbsentError:
        for arn in arns if len(arns) > 1 else ():
            yield from _described_tags(subject, [arn])


def _tags_of(subject: Subject, action: str, arn: str) -> dict[str, str] | None:
    """Tags by key; None of a thing that went since it was listed."""
    try:
        return tag_map(subject.account.ask(action, ResourceARN=arn).get("Tags"))
    except AbsentError:
        return None


def alarms(subject: Subject) -> Iterator[Found]:
    """Alarms, those that AWS makes by itself for the queue's scaling among them."""
    yield from _own_alarms(subject)
    cluster = f"TargetTracking-service/{subject.names.cluster}/"
    queues = (f"{subject.names.service(name, 'queue')}-Alarm" for name in sorted(subject.deployment_names))
    for begin in queues if subject.install is None else ("",):
        for item in subject.account.all("cloudwatch:DescribeAlarms", "MetricAlarms", AlarmNamePrefix=cluster + begin):
            yield Found(kind="alarm", id=item["AlarmName"], note="AWS makes and deletes it with a scaling policy")


def _own_alarms(subject: Subject) -> Iterator[Found]:
    if subject.install is None:
        for chunk in chunks(subject.alarms(), _ALARMS_OF_A_CALL):
            for item in subject.account.all("cloudwatch:DescribeAlarms", "MetricAlarms", AlarmNames=list(chunk)):
                yield Found(kind="alarm", id=item["AlarmName"])
        return
    begin = f"{subject.names.prefix}-"
    for item in subject.account.all("cloudwatch:DescribeAlarms", "MetricAlarms", AlarmNamePrefix=begin):
        found_tags = _tags_of(subject, "cloudwatch:ListTagsForResource", item["AlarmArn"])
        if found_tags is not None and subject.may_own(item["AlarmName"], found_tags):
            yield Found(kind="alarm", id=item["AlarmName"], deployment=found_tags.get(tags.DEPLOYMENT_KEY, ""))


def log_groups(subject: Subject) -> Iterator[Found]:
    """The log group of all containers, and the one that ECS makes for container insights."""
    insights = f"/aws/ecs/containerinsights/{subject.names.cluster}/performance"
    for name, kind in ((subject.names.log_group, "log group"), (insights, INSIGHTS)):
        for item in subject.account.all("logs:DescribeLogGroups", "logGroups", logGroupNamePrefix=name):
            if item["logGroupName"] == name:
                yield Found(kind=kind, id=name)


def topics(subject: Subject) -> Iterator[Found]:
    """The topic of alarms, with its subscriptions."""
    arn = subject.account.account.arn("sns", subject.names.alarm_topic)
    try:
        subject.account.ask("sns:GetTopicAttributes", TopicArn=arn)
    except AbsentError:
        return
    yield Found(kind="topic", id=subject.names.alarm_topic)


def event_rules(subject: Subject) -> Iterator[Found]:
    """EventBridge rules, with their targets."""
    begin = f"{subject.names.prefix}-"
    for item in subject.account.all("events:ListRules", "Rules", NamePrefix=begin):
        found_tags = _tags_of(subject, "events:ListTagsForResource", item["Arn"])
        if found_tags is not None and subject.may_own(item["Name"], found_tags):
            yield Found(kind="EventBridge rule", id=item["Name"])


def repositories(subject: Subject) -> Iterator[Found]:
    """Image repositories that the config names."""
    for name in subject.install.repositories if subject.install is not None else ():
        try:
            images = len(list(subject.account.all("ecr:ListImages", "imageIds", repositoryName=name)))
        except AbsentError:
            continue
        yield Found(kind=REPOSITORY, id=name, note=_images(images), facts={"images": images})


def _images(count: int) -> str:
    return "1 image" if count == 1 else f"{count} images" if count else "empty"
