"""What AWS's index of tags knows of a subject, each asked about once more where it lives: the index runs late.

``tag:GetResources`` names resources "that are tagged, or were tagged", for a while even such as are gone (Resource
Groups Tagging API Reference).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from byoc import tags
from byoc.errors import ByocError
from byoc.operations.account import Account
from byoc.operations.answers import AbsentError
from byoc.operations.teardown import look_data as data
from byoc.operations.teardown.found import Found, NotAsked
from byoc.operations.teardown.subject import Subject, tag_map

BY_TAG = "resources by tag"

Answer = Mapping[str, Any]


@dataclass(frozen=True)
class _Check:
    """How to see whether the thing that an ARN names is there: a call, and what in its answer says so."""

    kind: str
    arn: re.Pattern[str]
    """One group: the id that sweeps use."""
    action: str
    arguments: Callable[[str, str], Mapping[str, Any]]
    """From the ARN and the id."""
    is_there: Callable[[Answer, str], bool] = lambda _answer, _id: True
    """From the answer and the id."""


def _ec2(kind: str, what: str, operation: str, id_parameter: str, key: str) -> _Check:
    def is_there(answer: Answer, _: str) -> bool:
        return any(str(item.get("State", "")).lower() not in ("deleted", "deleting") for item in answer[key])

    return _Check(
        kind,
        re.compile(rf":ec2:[^:]*:[^:]*:{what}/(.+)"),
        f"ec2:{operation}",
        lambda _arn, id_: {id_parameter: [id_]},
        is_there,
    )


_CHECKS = (
    _ec2("VPC", "vpc", "DescribeVpcs", "VpcIds", "Vpcs"),
    _ec2("subnet", "subnet", "DescribeSubnets", "SubnetIds", "Subnets"),
    _ec2("route table", "route-table", "DescribeRouteTables", "RouteTableIds", "RouteTables"),
    _ec2("internet gateway", "internet-gateway", "DescribeInternetGateways", "InternetGatewayIds", "InternetGateways"),
    _ec2("NAT gateway", "natgateway", "DescribeNatGateways", "NatGatewayIds", "NatGateways"),
    _ec2("Elastic IP address", "elastic-ip", "DescribeAddresses", "AllocationIds", "Addresses"),
    _ec2("VPC endpoint", "vpc-endpoint", "DescribeVpcEndpoints", "VpcEndpointIds", "VpcEndpoints"),
    _ec2("security group", "security-group", "DescribeSecurityGroups", "GroupIds", "SecurityGroups"),
    _ec2(
        "network interface",
        "network-interface",
        "DescribeNetworkInterfaces",
        "NetworkInterfaceIds",
        "NetworkInterfaces",
    ),
    _Check(
        "ECS cluster",
        re.compile(r":ecs:[^:]*:[^:]*:cluster/(.+)"),
        "ecs:DescribeClusters",
        lambda arn, _: {"clusters": [arn]},
        lambda answer, _: any(item["status"] != "INACTIVE" for item in answer["clusters"]),
    ),
    _Check(
        "ECS service",
        re.compile(r":ecs:[^:]*:[^:]*:service/(.+)"),
        "ecs:DescribeServices",
        lambda arn, id_: {"cluster": id_.partition("/")[0], "services": [arn]},
        lambda answer, _: any(item["status"] != "INACTIVE" for item in answer["services"]),
    ),
    _Check(
        "ECS task definition",
        re.compile(r":ecs:[^:]*:[^:]*:task-definition/(.+)"),
        "ecs:DescribeTaskDefinition",
        lambda arn, _: {"taskDefinition": arn},
        lambda answer, _: answer["taskDefinition"]["status"] == "ACTIVE",
    ),
    _Check(
        "load balancer",
        re.compile(r":elasticloadbalancing:[^:]*:[^:]*:loadbalancer/app/([^/]+)/"),
        "elasticloadbalancing:DescribeLoadBalancers",
        lambda arn, _: {"LoadBalancerArns": [arn]},
    ),
    _Check(
        "target group",
        re.compile(r":elasticloadbalancing:[^:]*:[^:]*:targetgroup/([^/]+)/"),
        "elasticloadbalancing:DescribeTargetGroups",
        lambda arn, _: {"TargetGroupArns": [arn]},
    ),
    _Check(
        data.DATABASE,
        re.compile(r":rds:[^:]*:[^:]*:db:(.+)"),
        "rds:DescribeDBInstances",
        lambda _arn, id_: {"DBInstanceIdentifier": id_},
    ),
    _Check(
        data.SNAPSHOT,
        re.compile(r":rds:[^:]*:[^:]*:snapshot:(.+)"),
        "rds:DescribeDBSnapshots",
        lambda _arn, id_: {"DBSnapshotIdentifier": id_},
        # RDS's own snapshots go with their database.
        lambda answer, _: any(item["SnapshotType"] == "manual" for item in answer["DBSnapshots"]),
    ),
    _Check(
        "database parameter group",
        re.compile(r":rds:[^:]*:[^:]*:pg:(.+)"),
        "rds:DescribeDBParameterGroups",
        lambda _arn, id_: {"DBParameterGroupName": id_},
    ),
    _Check(
        "database subnet group",
        re.compile(r":rds:[^:]*:[^:]*:subgrp:(.+)"),
        "rds:DescribeDBSubnetGroups",
        lambda _arn, id_: {"DBSubnetGroupName": id_},
    ),
    _Check(
        data.SECRET,
        re.compile(r":secretsmanager:[^:]*:[^:]*:secret:(.+)-[A-Za-z0-9]{6}"),
        "secretsmanager:DescribeSecret",
        lambda arn, _: {"SecretId": arn},
        lambda answer, _: answer.get("DeletedDate") is None,
    ),
    _Check(
        "log group",
        re.compile(r":logs:[^:]*:[^:]*:log-group:([^:]+)"),
        "logs:DescribeLogGroups",
        lambda _arn, id_: {"logGroupNamePrefix": id_},
        # Asked for by the beginning of its name: that of another install may begin alike.
        lambda answer, id_: any(item["logGroupName"] == id_ for item in answer["logGroups"]),
    ),
    _Check(
        "topic",
        re.compile(r":sns:[^:]*:[^:]*:([^:]+)"),
        "sns:GetTopicAttributes",
        lambda arn, _: {"TopicArn": arn},
    ),
    _Check(
        "alarm",
        re.compile(r":cloudwatch:[^:]*:[^:]*:alarm:(.+)"),
        "cloudwatch:DescribeAlarms",
        lambda _arn, id_: {"AlarmNames": [id_]},
        lambda answer, _: bool(answer["MetricAlarms"]),
    ),
    _Check(
        "image repository",
        re.compile(r":ecr:[^:]*:[^:]*:repository/(.+)"),
        "ecr:DescribeRepositories",
        lambda _arn, id_: {"repositoryNames": [id_]},
    ),
    _Check(
        "Cloud Map service",
        re.compile(r":servicediscovery:[^:]*:[^:]*:service/(.+)"),
        "servicediscovery:GetService",
        lambda _arn, id_: {"Id": id_},
    ),
    _Check(
        "Cloud Map namespace",
        re.compile(r":servicediscovery:[^:]*:[^:]*:namespace/(.+)"),
        "servicediscovery:GetNamespace",
        lambda _arn, id_: {"Id": id_},
    ),
)
_COVERED = re.compile(r":(application-autoscaling|events|ecs):[^:]*:[^:]*:(scalable-target|rule|task)/")
"""What is always found by its place: targets and tasks by their service, rules by their name."""
_ELSEWHERE = re.compile(r":iam::|:elasticloadbalancing:[^:]*:[^:]*:listener/|:ec2:[^:]*:[^:]*:security-group-rule/")
"""What is looked for by name alone, or goes with another thing: listeners with their load balancer, rules with their
group."""
_UNDESCRIBED = "Unable to describe task definition"
"""With what ECS refuses to describe one that is deleted, or deregistered and in no use (Amazon ECS API Reference:
``DescribeTaskDefinition``)."""


def tagged(subject: Subject, known: frozenset[tuple[str, str]]) -> Iterator[Found | NotAsked]:
    """What carries the subject's tags, is there, and is not among ``known`` already."""
    account = subject.account
    wanted = [{"Key": tags.INSTALL_KEY, "Values": [subject.names.prefix]}]
    if subject.install is None:
        wanted.append({"Key": tags.DEPLOYMENT_KEY, "Values": sorted(subject.deployment_names)})
    for item in account.all("tag:GetResources", "ResourceTagMappingList", TagFilters=wanted):
        arn, of = item["ResourceARN"], tag_map(item.get("Tags")).get(tags.DEPLOYMENT_KEY, "")
        if _COVERED.search(arn) or _ELSEWHERE.search(arn):
            continue
        yield from _checked(account, arn, of, known)


def _checked(
    account: Account, arn: str, deployment: str, known: frozenset[tuple[str, str]]
) -> Iterator[Found | NotAsked]:
    for check in _CHECKS:
        match = check.arn.search(arn)
        if match is None:
            continue
        id_ = match[1]
        if (check.kind, id_) in known:
            return
        try:
            answer = account.ask(check.action, **check.arguments(arn, id_))
        except AbsentError:
            return
        except ByocError as error:
            if _UNDESCRIBED not in str(error):
                yield NotAsked(what=f"{check.kind} {id_}", why=str(error).partition("\n")[0])
            return
        if check.is_there(answer, id_):
            facts = answer["DBSnapshots"][0] if check.kind == data.SNAPSHOT else {}
            yield Found(kind=check.kind, id=id_, deployment=deployment, note="found by its tags", facts=facts)
        return
    yield Found(kind="other", id=arn, deployment=deployment, note="AWS's index of tags names it; it may be gone")
