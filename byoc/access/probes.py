"""What a reviewer asks of the role, as concrete requests that the evaluator answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from byoc.access.role import Role
from byoc.permissions.evaluation.evaluator import Decision, Request, evaluate, evaluate_trust
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
        sid = (self.decision.statement or {}).get("Sid", "")
        layer = self.decision.layer.removeprefix("identity policy ")
        if layer == "identity policies":
            return "no policy allows it"
        return f"{layer}: {sid}" if sid else layer


def probes(role: Role) -> tuple[Probe, ...]:
    """What lies outside of an install, tried under the role's policies: data, roles, networks, other regions."""
    # A customer's boundary can only take more away; its text is not known here.
    return tuple(Probe(words, request, evaluate(request, identity=role.policies)) for words, request in _requests(role))


def trust_probes(role: Role) -> tuple[Probe, ...]:
    """Who cannot assume the role: asked of the trust policy."""
    principal = role.principals[0]
    stranger = f"arn:{role.account.partition}:iam::{'9' * 12}:role/{_STRANGER}"
    asked: tuple[tuple[str, str, Mapping[str, str]], ...] = (
        ("assume the role without an external id", principal, {}),
        ("assume the role with a wrong external id", principal, {"sts:ExternalId": "a-guess"}),
        ("assume the role as somebody else, even with the right external id", stranger, {"sts:ExternalId": "[secret]"}),
    )
    found = []
    for words, who, context in asked:
        request = Request(principal=who, action="sts:AssumeRole", resource=role.arn, context=context)
        found.append(Probe(words, request, evaluate_trust(request, role.trust)))
    return tuple(found)


def _requests(role: Role) -> Iterator[tuple[str, Request]]:
    account = role.account
    region = _ELSEWHERE.get(account.region, "us-east-1")
    foreign = {f"aws:ResourceTag/{INSTALL_TAG}": _STRANGER, f"aws:ResourceTag/{SECRET_TAG}": _STRANGER}
    there = {**foreign, "aws:RequestedRegion": account.region}

    def ask(action: str, resource: str, **more: str) -> Request:
        return Request(principal="", action=action, resource=resource, context={**there, **more})

    secret = account.arn("secretsmanager", f"secret:{_STRANGER}/database-a1b2c3")
    database = account.arn("rds", f"db:{_STRANGER}")
    yield "read another team's secret", ask("secretsmanager:GetSecretValue", secret)
    yield "delete another team's secret", ask("secretsmanager:DeleteSecret", secret)
    yield "delete another team's database", ask("rds:DeleteDBInstance", database)
    yield "change another team's database", ask("rds:ModifyDBInstance", database)
    snapshot = account.arn("rds", f"snapshot:{_STRANGER}")
    yield "share a database snapshot with another account", ask("rds:ModifyDBSnapshotAttribute", snapshot)
    pass_on = {"iam:PassedToService": "ecs-tasks.amazonaws.com"}
    yield (
        "run a container under another role of the account",
        ask("iam:PassRole", account.role_arn(_STRANGER), **pass_on),
    )
    task = account.arn("ecs", f"task-definition/{_STRANGER}:1")
    yield "start a task of its own making", ask("ecs:RunTask", task)
    service = account.arn("ecs", f"service/{_STRANGER}/web")
    yield "delete another team's service", ask("ecs:DeleteService", service)
    balancer = account.arn("elasticloadbalancing", f"loadbalancer/app/{_STRANGER}/50dc6c495c0c9188")
    yield "delete another team's load balancer", ask("elasticloadbalancing:DeleteLoadBalancer", balancer)
    yield "delete the VPC", ask("ec2:DeleteVpc", account.arn("ec2", "vpc/vpc-0a1b2c3d4e5f60718"))
    yield "start a machine", ask("ec2:RunInstances", account.arn("ec2", "instance/*"))
    group = account.arn("ec2", "security-group/sg-0a1b2c3d4e5f60718")
    yield "open a security group", ask("ec2:AuthorizeSecurityGroupIngress", group)
    yield "make itself another role", ask("iam:CreateRole", account.role_arn("made-up"))
    yield "give a role more rights", ask("iam:AttachRolePolicy", role.arn)
    yield "change who may assume it", ask("iam:UpdateAssumeRolePolicy", role.arn)
    stack = account.arn("cloudformation", f"stack/{_STRANGER}/*")
    yield "make CloudFormation stacks", ask("cloudformation:CreateStack", stack)
    other_region = database.replace(f":{account.region}:", f":{region}:")
    yield (
        "make a database in another region",
        ask("rds:CreateDBInstance", other_region, **{"aws:RequestedRegion": region}),
    )
    yield "read objects in S3", ask("s3:GetObject", f"arn:{account.partition}:s3:::{_STRANGER}/data")
    yield "delete another team's logs", ask("logs:DeleteLogGroup", account.arn("logs", f"log-group:{_STRANGER}"))
