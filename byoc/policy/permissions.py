"""Nobody may do everything."""

from __future__ import annotations

from collections.abc import Iterator

from byoc.policy.facts import UNKNOWN, Resource, Settings, Violation, as_list, violation
from byoc.policy.statements import ANY, Statement, statements_of
from byoc.policy.trust import ROLE, unreadable

DOCUMENTS = {
    "aws:iam/groupPolicy:GroupPolicy": "policy",
    "aws:iam/policy:Policy": "policy",
    "aws:iam/rolePolicy:RolePolicy": "policy",
    "aws:iam/userPolicy:UserPolicy": "policy",
}
ATTACHMENTS = {
    "aws:iam/groupPolicyAttachment:GroupPolicyAttachment": "policyArn",
    "aws:iam/policyAttachment:PolicyAttachment": "policyArn",
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": "policyArn",
    "aws:iam/userPolicyAttachment:UserPolicyAttachment": "policyArn",
    ROLE: "managedPolicyArns",
}
EVERYTHING = (ANY, "*:*")
ADMINISTRATOR = ":iam::aws:policy/AdministratorAccess"


def no_wildcard_permissions(resource: Resource, settings: Settings) -> Iterator[Violation]:  # noqa: ARG001
    """AWS docs: "Security best practices in IAM", least privilege."""
    for key, document in _documents(resource):
        try:
            yield from _too_wide(resource, key, list(statements_of(document)))
        except ValueError:
            yield unreadable(resource, key)
    if resource.type in ATTACHMENTS:
        key = ATTACHMENTS[resource.type]
        for arn in as_list(resource.get(key)):
            if isinstance(arn, str) and arn.endswith(ADMINISTRATOR):
                yield violation(
                    resource, key, arn, allowed="policies for what is needed", remedy="attach one that grants just that"
                )


def _documents(resource: Resource) -> Iterator[tuple[str, object]]:
    if resource.type in DOCUMENTS:
        yield DOCUMENTS[resource.type], resource.get(DOCUMENTS[resource.type])
    if resource.type == ROLE:
        for number, inline in enumerate(resource.items("inlinePolicies")):
            if inline is not UNKNOWN:
                yield f"inlinePolicies[{number}].policy", inline.get("policy")


def _too_wide(resource: Resource, key: str, statements: list[Statement]) -> Iterator[Violation]:
    for statement in statements:
        everything = "NotAction" in statement.content or any(a in EVERYTHING for a in statement.texts("Action"))
        everywhere = "NotResource" in statement.content or ANY in statement.texts("Resource")
        if statement.allows and everything and everywhere:
            action, target = (_word(statement, "Action"), _word(statement, "Resource"))
            yield violation(
                resource,
                f"{key}: {statement.place}",
                f"Allow {action} on {target}",
                allowed="actions by service, or resources by ARN; * on * only with Effect Deny",
                remedy="list the actions that are needed (byoc/permissions/supplement.py shows how)",
            )


def _word(statement: Statement, key: str) -> str:
    return ANY if key in statement.content else f"all but the Not{key}"
