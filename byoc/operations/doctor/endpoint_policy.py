"""Whether the policies of VPC endpoints let containers do there what they need in order to start.

What is needed: Amazon ECR User Guide, "Amazon ECR interface VPC endpoints" (the layers of images come from a bucket of
ECR's, by links that ECR has signed, so that a policy that names principals leaves them out); Amazon ECS Developer
Guide, "Task execution IAM role".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from byoc.operations.doctor.image import repository_of
from byoc.operations.doctor.place import Passes
from byoc.operations.doctor.subject import Subject
from byoc.permissions.evaluation.evaluator import Document, Outcome, Request, Statement, evaluate_trust, statements

Needed = Mapping[str, tuple[Request, ...]]
"""Requests, by the service of the endpoint that they go through."""
_ECR_ITSELF = "arn:aws:sts::000000000000:assumed-role/ecr/ecr"
"""Someone whom no policy of the customer's names."""
_SUFFIX = "-AbCdEf"
"""Secrets Manager ends the ARN of a secret with a hyphen and six characters."""


def needed(subject: Subject) -> Needed:
    """What the stack's containers ask for on their way to a start."""
    account, names = subject.config.account, subject.names
    role = f"arn:{account.partition}:sts::{account.account_id}:assumed-role/{names.execution_role}/task"

    def by_role(action: str, resource: str) -> Request:
        return Request(principal=role, action=action, resource=resource)

    images = tuple(
        by_role(f"ecr:{operation}", repository)
        for repository in sorted(set(_repositories(subject)))
        for operation in ("BatchGetImage", "GetDownloadUrlForLayer")
    )
    logs = account.arn("logs", f"log-group:{names.log_group}:log-stream:one")
    secrets = (
        account.arn("secretsmanager", f"secret:{names.secret(deployment, content)}{_SUFFIX}")
        for deployment in subject.deployments
        for content in ("environment", "connections")
    )
    layers = f"arn:{account.partition}:s3:::prod-{account.region}-starport-layer-bucket/layer"
    return {
        "ecr.api": (by_role("ecr:GetAuthorizationToken", "*"), *images),
        "ecr.dkr": images,
        "logs": tuple(by_role(f"logs:{operation}", logs) for operation in ("CreateLogStream", "PutLogEvents")),
        "secretsmanager": tuple(by_role("secretsmanager:GetSecretValue", secret) for secret in secrets),
        "s3": (Request(principal=_ECR_ITSELF, action="s3:GetObject", resource=layers),),
    }


def _repositories(subject: Subject) -> Iterator[str]:
    """Those in this account; of another one's, AWS asks that one's policy as well."""
    account = subject.config.account
    for section, _ in subject.deployments.values():
        where = repository_of(section.image)
        if where is not None and (where.account_id, where.region) == (account.account_id, account.region):
            yield account.arn("ecr", f"repository/{where.name}")


def passes(written: object, asked: Sequence[Request]) -> Passes:
    """What a policy, as AWS writes it, lets through; without one everything goes (Amazon EC2 API Reference)."""
    if not written or not asked:
        return Passes()
    try:
        document: Document = json.loads(str(written))
        answers = [(request.action, _let_through(document, request)) for request in asked]
    except (ValueError, TypeError, AttributeError, KeyError):  # no policy that IAM would take
        return Passes(unclear=tuple(dict.fromkeys(request.action for request in asked)))
    return Passes(
        denied=tuple(dict.fromkeys(action for action, answer in answers if answer is False)),
        unclear=tuple(dict.fromkeys(action for action, answer in answers if answer is None)),
    )


def _let_through(document: Document, request: Request) -> bool | None:
    """Whether a request goes through; None where that hangs on conditions, whose values are not known from here."""

    def outcome(chosen: Callable[[Statement], bool]) -> Outcome:
        kept = [_without_condition(one) for one in statements(document) if chosen(one)]
        return evaluate_trust(request, {**document, "Statement": kept}).outcome

    certain = outcome(lambda one: not one.get("Condition"))
    if certain is Outcome.EXPLICIT_DENY:
        return False
    if outcome(lambda one: bool(one.get("Condition")) and one.get("Effect") == "Deny") is Outcome.EXPLICIT_DENY:
        return None
    if certain is Outcome.ALLOWED:
        return True
    return None if outcome(lambda one: bool(one.get("Condition"))) is Outcome.ALLOWED else False


def _without_condition(statement: Statement) -> dict[str, Any]:
    return {key: value for key, value in statement.items() if key != "Condition"}
