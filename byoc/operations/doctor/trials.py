"""Actions tried for real without a change: reads that a stack makes anyway, and dry runs of EC2."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from byoc import tags
from byoc.config import AccountConfig, CreateNetwork
from byoc.errors import ByocError
from byoc.operations.answers import AbsentError, AskingError, DeniedError
from byoc.operations.doctor.asking import no_answer
from byoc.operations.doctor.place import Network, Place
from byoc.operations.doctor.simulation import Allowed, Answer, Denied, Ruling
from byoc.operations.doctor.subject import Subject
from byoc.operations.many import each

_AT_ONCE = 8
_DRY_RUN = "DryRunOperation"
"""EC2's error code for a dry run that would have gone through (Amazon EC2 API Reference)."""
_A_NAME = "byoc-doctor"

Arguments = Mapping[str, Any]


def tried(subject: Subject, place: Place, needed: frozenset[str]) -> tuple[Ruling, ...]:
    """What came of every trial of an action that the stack needs; a trial that tells nothing is left out."""
    reads = [(action, make(subject), "asked") for action, make in _READS.items() if action in needed]
    runs = [(action, asked, "dry run") for action, asked in _dry_runs(subject, place) if action in needed]
    found = each([*reads, *runs], lambda trial: _try(subject, *trial), at_once=_AT_ONCE, only_looks=True)
    return tuple(ruling for ruling in found if ruling is not None)


def _try(subject: Subject, action: str, asked: Arguments, how: str) -> Ruling | None:
    dry: dict[str, Any] = {"DryRun": True} if how == "dry run" else {}
    try:
        subject.account.ask(action, **asked, **dry)
    except (AbsentError, ByocError) as error:
        answer = answer_of(error)
    else:
        answer = Allowed()
    return None if answer is None else Ruling(action=action, resource="*", answer=answer, how=how)


def answer_of(error: Exception) -> Answer | None:
    """What an error says of the permission; None where AWS minded the question itself."""
    if isinstance(error, AbsentError):
        return Allowed()
    if isinstance(error, DeniedError):
        return Denied(layer=error.layer)
    if isinstance(error, AskingError):
        return no_answer(error)
    cause = error.__cause__
    dry = isinstance(cause, ClientError) and cause.response["Error"]["Code"] == _DRY_RUN
    return Allowed() if dry else None


def _nothing(_: Subject) -> Arguments:
    return {}


def _deployment(subject: Subject) -> str:
    return next(iter(subject.deployments), "none")


_READS: Mapping[str, Callable[[Subject], Arguments]] = {
    "application-autoscaling:DescribeScalableTargets": lambda _: {"ServiceNamespace": "ecs"},
    "cloudwatch:DescribeAlarms": lambda s: {"AlarmNames": [s.names.alarm(_deployment(s), "errors")]},
    "ec2:DescribeAddresses": _nothing,
    "ec2:DescribeAvailabilityZones": _nothing,
    "ec2:DescribeInternetGateways": lambda _: {"MaxResults": 5},
    "ec2:DescribeNatGateways": lambda _: {"MaxResults": 5},
    "ec2:DescribeNetworkAcls": lambda _: {"MaxResults": 5},
    "ec2:DescribeRouteTables": lambda _: {"MaxResults": 5},
    "ec2:DescribeSecurityGroups": lambda _: {"MaxResults": 5},
    "ec2:DescribeSubnets": lambda _: {"MaxResults": 5},
    "ec2:DescribeVpcEndpoints": lambda _: {"MaxResults": 5},
    "ec2:DescribeVpcs": lambda _: {"MaxResults": 5},
    "ecs:DescribeClusters": lambda s: {"clusters": [s.names.cluster]},
    "ecs:DescribeServices": lambda s: {
        "cluster": s.names.cluster,
        "services": [s.names.service(_deployment(s))],
    },
    "elasticloadbalancing:DescribeLoadBalancers": lambda _: {"PageSize": 1},
    "elasticloadbalancing:DescribeTargetGroups": lambda _: {"PageSize": 1},
    "iam:GetRole": lambda s: {"RoleName": s.names.control_plane_role},
    "iam:ListRoles": lambda _: {"PathPrefix": "/aws-service-role/", "MaxItems": 1},
    "logs:DescribeLogGroups": lambda s: {"logGroupNamePrefix": s.names.log_group},
    "rds:DescribeDBInstances": lambda s: {"DBInstanceIdentifier": s.names.database(_deployment(s))},
    "rds:DescribeDBSubnetGroups": lambda s: {"DBSubnetGroupName": s.names.db_subnet_group},
    "secretsmanager:DescribeSecret": lambda s: {"SecretId": s.names.secret(_deployment(s), "environment")},
    "servicediscovery:ListNamespaces": lambda _: {"MaxResults": 1},
}
"""Reads of a stack's life that can be asked at any time, with names that need not exist."""


def _dry_runs(subject: Subject, place: Place) -> Iterator[tuple[str, Arguments]]:
    """What EC2 can be asked with what is known: the VPC itself before it is there, what goes into it afterwards."""
    config = subject.config
    if not isinstance(config, AccountConfig):
        return
    if isinstance(config.network, CreateNetwork):
        yield "ec2:CreateVpc", {"CidrBlock": config.network.cidr, **_tagged(config, "vpc")}
        yield "ec2:AllocateAddress", {"Domain": "vpc", **_tagged(config, "elastic-ip")}
        yield "ec2:CreateInternetGateway", _tagged(config, "internet-gateway")
    if isinstance(place, Network):
        inside = {"VpcId": place.vpc_id}
        group = {"GroupName": _A_NAME, "Description": "Never made: a dry run"}
        yield "ec2:CreateSecurityGroup", {**inside, **group, **_tagged(config, "security-group")}
        yield "ec2:CreateRouteTable", {**inside, **_tagged(config, "route-table")}
        yield "ec2:CreateTags", {"Resources": [place.vpc_id], "Tags": _tags(config)}


def _tags(config: AccountConfig) -> list[dict[str, str]]:
    # As the provider sends them: policies of an organization often ask for tags.
    wanted = {**config.tags, **tags.install_tags(config.name_prefix)}
    return [{"Key": key, "Value": value} for key, value in wanted.items()]


def _tagged(config: AccountConfig, kind: str) -> Arguments:
    return {"TagSpecifications": [{"ResourceType": kind, "Tags": _tags(config)}]}
