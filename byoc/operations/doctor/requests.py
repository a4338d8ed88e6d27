"""The needs of a stack as questions to AWS's policy simulation: actions on resources, with what goes along."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from byoc.operations.doctor.subject import Subject
from byoc.permissions.needs.actions import Need
from byoc.permissions.needs.requests import EXAMPLE_DEPLOYMENT, requests_of

_WITHOUT_RESOURCES = ("ec2:Describe", "ec2:Get", "elasticloadbalancing:Describe", "rds:DescribeDBEngineVersions")
"""Actions that IAM limits by no resource (Service Authorization Reference)."""
BOOLEANS = frozenset({"aws:SecureTransport", "aws:ViaAWSService"})
"""Context keys whose values are booleans (IAM User Guide: global condition context keys)."""
_NAMED: Mapping[str, tuple[str, str, str]] = {
    "aws:cloudwatch/logGroup:LogGroup": ("logs", "log-group:{}", "name"),
    "aws:ecr/repository:Repository": ("ecr", "repository/{}", "name"),
    "aws:ecs/cluster:Cluster": ("ecs", "cluster/{}", "name"),
    "aws:rds/subnetGroup:SubnetGroup": ("rds", "subgrp:{}", "name"),
    "aws:sns/topic:Topic": ("sns", "{}", "name"),
}
"""Types of an account stack whose ARNs follow from their names: service, resource, key of the name."""
_ROLE, _POLICY = "aws:iam/role:Role", "aws:iam/policy:Policy"


@dataclass(frozen=True, kw_only=True)
class Question:
    """One action on one resource. ``exact``: the resource is the one that AWS will look at, and not all of them."""

    action: str
    resource: str
    exact: bool
    context: Mapping[str, str] = field(default_factory=dict)

    @property
    def group(self) -> tuple[str, tuple[tuple[str, str], ...]]:
        """What questions of one simulation share: resource and context."""
        return self.resource, tuple(sorted(self.context.items()))


def questions(subject: Subject) -> tuple[Question, ...]:
    """Every need of the stack as questions, each once."""
    found: dict[tuple[str, object], Question] = {}
    for need in subject.planned.needs():
        for question in _of_need(subject, need):
            found.setdefault((question.action, question.group), question)
    return tuple(found.values())


def _of_need(subject: Subject, need: Need) -> Iterator[Question]:
    context = {
        "aws:RequestedRegion": subject.config.region,
        "aws:SecureTransport": "true",
        "aws:ViaAWSService": "false",
    }
    own = tuple(_arns(subject, need))
    if own:
        for resource in own:
            # A log group has two forms of ARN, and which of them a policy has to name differs by action.
            exact = not need.action.startswith("logs:")
            yield Question(action=need.action, resource=resource, exact=exact, context=context)
        return
    deployment = next(iter(subject.deployments), EXAMPLE_DEPLOYMENT)
    path = _role_path(subject)
    for request in requests_of(need, subject.config.account, subject.names, deployment=deployment, role_path=path):
        resource = str(request.resource)
        exact = resource != "*" or need.action.startswith(_WITHOUT_RESOURCES)
        keys = {key: value for key, value in request.context.items() if isinstance(value, str)}
        if need.action.startswith("application-autoscaling:"):
            keys["application-autoscaling:service-namespace"] = "ecs"
        yield Question(action=need.action, resource=resource, exact=exact, context={**keys, **context})


def _role_path(subject: Subject) -> str:
    config = subject.config
    return config.role_path if config.kind == "deployment" else config.access.role_path


def _arns(subject: Subject, need: Need) -> Iterable[str]:
    """The ARNs of an account stack's own things that a need is about; none where they do not follow from names."""
    account = subject.config.account
    if need.token in _NAMED:
        service, form, key = _NAMED[need.token]
        for name in subject.named(need.token, key):
            yield account.arn(service, form.format(name))
    elif need.action.startswith("iam:") and need.token.startswith("aws:iam/"):
        kind = _iam_kind(need)
        for inputs in subject.inputs({"role": _ROLE, "policy": _POLICY}.get(kind, "")):
            if isinstance(inputs.get("name"), str):
                yield account.arn("iam", f"{kind}{inputs.get('path') or '/'}{inputs['name']}", region=False)


def _iam_kind(need: Need) -> str:
    """Whether IAM looks at roles or at policies for an action; empty for others."""
    operation = need.action.partition(":")[2]
    if "ServiceLinkedRole" in operation or (operation.startswith("List") and operation.endswith("Roles")):
        return ""
    return "role" if "Role" in operation else "policy" if "Polic" in operation else ""
