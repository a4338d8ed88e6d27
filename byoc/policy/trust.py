"""Nobody is trusted who is not named."""

from __future__ import annotations

import re
from collections.abc import Iterator

from byoc.policy.facts import Provider, Resource, Settings, Violation, as_list, parsed, violation
from byoc.policy.statements import ANY, Statement, statements_of

ROLE = "aws:iam/role:Role"
RESOURCE_POLICIES = {
    "aws:cloudwatch/logResourcePolicy:LogResourcePolicy": "policyDocument",
    "aws:ecr/registryPolicy:RegistryPolicy": "policy",
    "aws:ecr/repositoryPolicy:RepositoryPolicy": "policy",
    "aws:efs/fileSystemPolicy:FileSystemPolicy": "policy",
    "aws:kms/key:Key": "policy",
    "aws:kms/keyPolicy:KeyPolicy": "policy",
    "aws:s3/bucket:Bucket": "policy",
    "aws:s3/bucketPolicy:BucketPolicy": "policy",
    "aws:secretsmanager/secret:Secret": "policy",
    "aws:secretsmanager/secretPolicy:SecretPolicy": "policy",
    "aws:sns/topic:Topic": "policy",
    "aws:sns/topicPolicy:TopicPolicy": "policy",
    "aws:sqs/queue:Queue": "policy",
    "aws:sqs/queuePolicy:QueuePolicy": "policy",
}
"""The property that holds the policy of a resource. Those of VPC endpoints are left out: they only narrow what callers
may do anyway, and AWS's own names everyone."""
ACCOUNT = re.compile(r"(?:arn:[\w-]+:iam::)?(\d{12})(?::root)?")
"""A whole account, by its number or as ``arn:aws:iam::123456789012:root``, which means the same."""


def no_wildcard_trust(resource: Resource, settings: Settings) -> Iterator[Violation]:
    """AWS docs: "AWS JSON policy elements: Principal", "NotPrincipal", and "The confused deputy problem"."""
    key = "assumeRolePolicy" if resource.type == ROLE else RESOURCE_POLICIES.get(resource.type)
    if key is None:
        return
    try:
        found = list(statements_of(resource.get(key)))
    except ValueError:
        yield unreadable(resource, key)
        return
    known = {*settings.get("trustedAccounts", []), *_own_accounts(resource.provider)}
    for statement in found:
        yield from _named_exactly(resource, key, statement)
        if resource.type == ROLE:
            yield from _accounts(resource, key, statement, known)


def unreadable(resource: Resource, key: str) -> Violation:
    """A document that cannot be judged is not let through; its text is not shown, for it may hold an external id."""
    return violation(
        resource,
        key,
        "a text that is no policy document",
        allowed="a JSON object with a list of statements",
        remedy="make it with json.dumps",
    )


def _named_exactly(resource: Resource, key: str, statement: Statement) -> Iterator[Violation]:
    if "NotPrincipal" in statement.content:
        yield violation(
            resource,
            f"{key}: {statement.place}.NotPrincipal",
            "everyone but those named",
            allowed="Principal, with those who are meant",
            remedy="name them; to deny all others use Principal * with Effect Deny and a condition on aws:PrincipalArn",
        )
    if not statement.allows:
        return
    for kind, principal in statement.principals:
        if ANY in principal:
            yield violation(
                resource,
                f"{key}: {statement.place}.Principal.{kind}",
                principal,
                allowed="roles, users or services by their full names",
                remedy="name who is meant; a condition does not narrow it for this policy",
            )


def _accounts(resource: Resource, key: str, statement: Statement, known: set[str]) -> Iterator[Violation]:
    if not statement.allows or statement.demands_external_id:
        return
    for kind, principal in statement.principals:
        account = ACCOUNT.fullmatch(principal) if kind == "AWS" else None
        if account and account[1] not in known:
            yield violation(
                resource,
                f"{key}: {statement.place}.Principal.{kind}",
                f"{principal}: everybody whom that account lets",
                allowed="a role of it, or a condition StringEquals on sts:ExternalId, or one of the accounts "
                f"{', '.join(sorted(known)) or '(none is known)'}",
                remedy="name the role that assumes this one, or put an account of your own into this policy's config, "
                "as trustedAccounts",
            )


def _own_accounts(provider: Provider | None) -> list[str]:
    """The account that the provider works in, if it says so."""
    allowed = parsed(provider.props.get("allowedAccountIds")) if provider else None
    return [account for account in as_list(allowed) if isinstance(account, str)]
