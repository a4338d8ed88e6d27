"""Resource policies: a way round a Deny that binds one role only, and whom they let in by themselves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from byoc.permissions.analyser.findings import Finding, Severity, Step, found
from byoc.permissions.analyser.places import FOREIGN, Place, filled, named
from byoc.permissions.analyser.reach import Reach
from byoc.permissions.evaluation.conditions import as_texts
from byoc.permissions.evaluation.evaluator import Document, Request, evaluate_trust, statements

STRANGER = "arn:aws:iam::444455556666:role/stranger"
"""A role of an account that nobody means."""


@dataclass(frozen=True)
class _Policy:
    """A resource's own policy: what writes it, and what it then could allow."""

    writes: tuple[str, ...]
    service: str
    kind: str
    what: str
    opens: tuple[str, ...]
    regional: bool = True


_POLICIES = (
    _Policy(("s3:PutBucketPolicy", "s3:PutBucketAcl"), "s3", "", "buckets", ("s3:GetObject", "s3:DeleteObject"), False),
    _Policy(
        ("secretsmanager:PutResourcePolicy",),
        "secretsmanager",
        "secret:",
        "secrets",
        ("secretsmanager:GetSecretValue", "secretsmanager:DeleteSecret"),
    ),
    _Policy(("kms:PutKeyPolicy", "kms:CreateGrant"), "kms", "key/", "keys", ("kms:Decrypt",)),
    _Policy(("sns:AddPermission", "sns:SetTopicAttributes"), "sns", "", "topics", ("sns:Publish", "sns:Subscribe")),
    _Policy(("sqs:AddPermission", "sqs:SetQueueAttributes"), "sqs", "", "queues", ("sqs:ReceiveMessage",)),
    _Policy(("lambda:AddPermission",), "lambda", "function:", "functions", ("lambda:InvokeFunction",)),
    _Policy(("ecr:SetRepositoryPolicy",), "ecr", "repository/", "image repositories", ("ecr:BatchGetImage",)),
    _Policy(("dynamodb:PutResourcePolicy",), "dynamodb", "table/", "tables", ("dynamodb:GetItem", "dynamodb:Scan")),
    _Policy(("events:PutPermission",), "events", "event-bus/", "event buses", ("events:PutEvents",)),
    _Policy(
        ("backup:PutBackupVaultAccessPolicy",), "backup", "backup-vault:", "backup vaults", ("backup:StartRestoreJob",)
    ),
    _Policy(
        ("rds:ModifyDBSnapshotAttribute", "rds:ModifyDBClusterSnapshotAttribute"),
        "rds",
        "snapshot:",
        "database snapshots",
        ("rds:RestoreDBInstanceFromDBSnapshot",),
    ),
    _Policy(("ec2:ModifySnapshotAttribute",), "ec2", "snapshot/", "disk snapshots", ("ec2:CreateVolume",)),
)


def writing_findings(reach: Reach) -> Iterator[Finding]:
    """Resource policies that can be written and should not."""
    for way in (_sidestepped, _foreign):
        if finding := next(way(reach), None):
            yield finding


def _foreign(reach: Reach) -> Iterator[Finding]:
    steps, kinds = [], []
    for policy in _POLICIES:
        written = [step for action in policy.writes if (step := _first(reach, action, _own(policy, reach)))]
        if written:
            steps += written
            kinds.append(policy.what)
    if steps:
        yield found(
            "write-resource-policy",
            Severity.HIGH,
            steps,
            f"It can let other accounts into what belongs to others: {', '.join(kinds)}.",
            "Take these actions away, or limit them to resources by name.",
        )


def _own(policy: _Policy, reach: Reach) -> list[str]:
    return list(
        reach.everywhere(policy.service, f"{policy.kind}{FOREIGN}", region=policy.regional, account=policy.regional)
    )


def _first(reach: Reach, action: str, resources: list[str]) -> Step | None:
    return reach.first(action, iter(resources))


def _sidestepped(reach: Reach) -> Iterator[Finding]:
    for policy in _POLICIES:
        for place in reach.places:
            for resource in _candidates(reach, policy, place):
                for action in policy.opens:
                    opened = f"{resource}/object" if policy.service == "s3" else resource
                    barred = reach.denied(action, opened)
                    write = barred and next((w for one in policy.writes if (w := reach.can(one, resource))), None)
                    if barred and write:
                        yield found(
                            "sidestep-deny",
                            Severity.CRITICAL,
                            [write, barred],
                            f"A Deny keeps it from {action}, but it can write the resource's own policy and let "
                            "another principal do the same: the Deny binds this role only.",
                            f"Deny {write.request.action} on the same resources, or state the Deny in the resource's "
                            "policy for everybody.",
                        )


def _candidates(reach: Reach, policy: _Policy, place: Place) -> list[str]:
    if policy.service != "s3":
        return list(named(reach.subject, policy.service, policy.kind, place))
    buckets = [arn for arn in _named_buckets(reach, place) if arn]
    return list(dict.fromkeys([*buckets, *_own(policy, reach)]))


def _named_buckets(reach: Reach, place: Place) -> Iterator[str]:
    for document in reach.subject.layers.values():
        for statement in statements(document):
            for pattern in as_texts(statement.get("Resource", [])):
                if pattern.startswith(f"arn:{place.partition}:s3:::"):
                    yield filled(pattern).partition("/")[0]


def open_findings(reach: Reach) -> Iterator[Finding]:
    """Resource policies among the input that let a stranger in."""
    for name, document in reach.subject.resource_policies.items():
        for step in _strangers(name, document):
            yield found(
                "resource-open-to-anyone",
                Severity.CRITICAL,
                [step],
                "Any principal of any AWS account may do this.",
                "Name the principals, or add a condition StringEquals on aws:PrincipalOrgID or aws:PrincipalAccount.",
            )
            break


def _strangers(name: str, document: Document) -> Iterator[Step]:
    for statement in statements(document):
        for action in as_texts(statement.get("Action", [])):
            for resource in as_texts(statement.get("Resource", ["*"])):
                # What a request always carries; a condition on it lets everybody in.
                context = {"aws:SecureTransport": "true", "aws:PrincipalArn": STRANGER}
                request = Request(principal=STRANGER, action=filled(action), resource=filled(resource), context=context)
                decision = evaluate_trust(request, document)
                if decision.allowed:
                    yield Step(
                        request=request,
                        decision=type(decision)(outcome=decision.outcome, statement=decision.statement, layer=name),
                    )
