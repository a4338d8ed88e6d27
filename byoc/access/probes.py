"""What a reviewer asks of a role, as concrete requests that the evaluator answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from byoc.access.role import HIDDEN, Role
from byoc.permissions.evaluation.evaluator import Decision, Document, Request, evaluate, evaluate_trust
from byoc.permissions.install import INSTALL_TAG, SECRET_TAG

_STRANGER = "another-team"
_ELSEWHERE = {"us-east-1": "eu-west-1"}


@dataclass(frozen=True)
class Probe:
    """One question, and what IAM answers by the policies of the role."""

    words: str
    """What is tried, in plain words."""
    request: Request
    decision: Decision

    @property
    def why(self) -> str:
        """What decided it."""
        return why(self.decision)


def why(decision: Decision) -> str:
    """What decided: a policy and its statement."""
    sid = (decision.statement or {}).get("Sid", "")
    layer = decision.layer.removeprefix("identity policy ")
    if layer == "identity policies":
        return "no policy allows it"
    if layer == "boundary" and not sid:
        return "the boundary does not allow it"
    return f"{layer}: {sid}" if sid else layer


def probes(role: Role, policies: Mapping[str, Document] | None = None, **context: str) -> tuple[Probe, ...]:
    """What lies outside of an install, tried under policies: data, roles, networks, other regions.

    ``policies``: by default those of ``role``, as if it were not suspended, within its boundary if that is ours.
    ``context``: more condition keys.
    """
    # A customer's boundary can only take more away; its text is not known here.
    identity, boundary = (role.reviewed, role.own_boundary) if policies is None else (policies, None)
    return tuple(
        Probe(words, request, evaluate(request, identity=identity, boundary=boundary))
        for words, request in _requests(role, context)
    )


def trust_probes(role: Role) -> tuple[Probe, ...]:
    """Who cannot assume the role: asked of the trust policy."""
    principal = role.grants.principals[0]
    stranger = f"arn:{role.account.partition}:iam::{'9' * 12}:role/{_STRANGER}"
    asked: tuple[tuple[str, str, Mapping[str, str]], ...] = (
        ("assume the role without an external id", principal, {}),
        ("assume the role with a wrong external id", principal, {"sts:ExternalId": "a-guess"}),
        ("assume the role as somebody else, even with the right external id", stranger, {"sts:ExternalId": HIDDEN}),
    )
    found = []
    for words, who, context in asked:
        request = Request(principal=who, action="sts:AssumeRole", resource=role.arn, context=context)
        found.append(Probe(words, request, evaluate_trust(request, role.trust)))
    return tuple(found)


def _requests(role: Role, context: Mapping[str, str]) -> Iterator[tuple[str, Request]]:
    account = role.account
    there = {
        f"aws:ResourceTag/{INSTALL_TAG}": _STRANGER,
        f"aws:ResourceTag/{SECRET_TAG}": _STRANGER,
        "aws:RequestedRegion": account.region,
        "aws:ViaAWSService": "false",
        **context,
    }

    def ask(action: str, resource: str, **more: str) -> Request:
        return Request(principal="", action=action, resource=resource, context={**there, **more})

    for words, action, service, resource in _OF_OTHERS:
        yield words, ask(action, account.arn(service, resource.format(stranger=_STRANGER)))
    pass_on = {"iam:PassedToService": "ecs-tasks.amazonaws.com"}
    yield "pass another role of the account to a container", ask("iam:PassRole", account.role_arn(_STRANGER), **pass_on)
    yield "make itself another role", ask("iam:CreateRole", account.role_arn("made-up"))
    yield "give a role more rights", ask("iam:AttachRolePolicy", role.arn)
    yield "change who may assume it", ask("iam:UpdateAssumeRolePolicy", role.arn)
    region = _ELSEWHERE.get(account.region, "us-east-1")
    elsewhere = account.arn("rds", f"db:{_STRANGER}").replace(f":{account.region}:", f":{region}:")
    yield (
        "make a database in another region",
        ask("rds:CreateDBInstance", elsewhere, **{"aws:RequestedRegion": region}),
    )
    yield "read objects in S3", ask("s3:GetObject", f"arn:{account.partition}:s3:::{_STRANGER}/data")


_OF_OTHERS = (
    ("read another team's secret", "secretsmanager:GetSecretValue", "secretsmanager", "secret:{stranger}/db-a1b2c3"),
    ("delete another team's secret", "secretsmanager:DeleteSecret", "secretsmanager", "secret:{stranger}/db-a1b2c3"),
    ("delete another team's database", "rds:DeleteDBInstance", "rds", "db:{stranger}"),
    ("change another team's database", "rds:ModifyDBInstance", "rds", "db:{stranger}"),
    ("share a database snapshot with another account", "rds:ModifyDBSnapshotAttribute", "rds", "snapshot:{stranger}"),
    ("start a task of its own making", "ecs:RunTask", "ecs", "task-definition/{stranger}:1"),
    ("change another team's service", "ecs:UpdateService", "ecs", "service/{stranger}/web"),
    ("delete another team's service", "ecs:DeleteService", "ecs", "service/{stranger}/web"),
    (
        "delete another team's load balancer",
        "elasticloadbalancing:DeleteLoadBalancer",
        "elasticloadbalancing",
        "loadbalancer/app/{stranger}/50dc6c495c0c9188",
    ),
    ("delete another team's alarms", "cloudwatch:DeleteAlarms", "cloudwatch", "alarm:{stranger}"),
    ("delete another team's logs", "logs:DeleteLogGroup", "logs", "log-group:{stranger}"),
    ("delete the VPC", "ec2:DeleteVpc", "ec2", "vpc/vpc-0a1b2c3d4e5f60718"),
    ("open a security group", "ec2:AuthorizeSecurityGroupIngress", "ec2", "security-group/sg-0a1b2c3d4e5f60718"),
    ("start a machine", "ec2:RunInstances", "ec2", "instance/*"),
    ("make CloudFormation stacks", "cloudformation:CreateStack", "cloudformation", "stack/{stranger}/*"),
    ("delete CloudFormation stacks", "cloudformation:DeleteStack", "cloudformation", "stack/{stranger}/*"),
    ("change EventBridge rules", "events:PutRule", "events", "rule/{stranger}"),
    ("delete EventBridge rules", "events:DeleteRule", "events", "rule/{stranger}"),
)
"""What another team of the account has: the question, the action, and the resource."""
