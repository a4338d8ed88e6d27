"""The analyser over every document that this library generates: each role of every variant, and each resource."""

from __future__ import annotations

import pytest

from byoc.naming import Names
from byoc.permissions.analyser.analyse import analyse
from byoc.permissions.analyser.findings import Subject
from byoc.permissions.evaluation.evaluator import Document
from byoc.permissions.policies.documents import control_plane_trust
from byoc.permissions.policies.guardrails import guardrails
from byoc.permissions.policies.managed import documented_identity
from byoc.permissions.policies.supplement import supplement
from byoc.types import AwsAccount
from tests.unit.access_documents import RANDOM_ID, VENDOR
from tests.unit.generated_documents import VARIANTS, every_document, roles

ACCOUNTS = [
    AwsAccount(account_id="123456789012", region="us-west-2"),
    AwsAccount(account_id="123456789012", region="us-gov-west-1"),
    AwsAccount(account_id="123456789012", region="cn-north-1"),
]
PREFIXES = ["langgraph-cloud", "a", "p" * 24]

DOCUMENTED = {
    # rds:* on *
    ("any-cluster-delete", "AmazonRDSFullAccess"),
    ("any-database-change", "AmazonRDSFullAccess"),
    ("any-database-delete", "AmazonRDSFullAccess"),
    ("any-snapshot-delete", "AmazonRDSFullAccess"),
    # secretsmanager:* on *; its policies of resources, and the sharing of database snapshots
    ("any-secret-change", "SecretsManagerReadWrite"),
    ("any-secret-read", "SecretsManagerReadWrite"),
    ("write-resource-policy", "SecretsManagerReadWrite"),
    # ec2 and cloudformation
    ("any-network-delete", "AmazonECS_FullAccess"),
    ("any-stack-change", "AmazonECS_FullAccess"),
    ("any-stack-delete", "AmazonECS_FullAccess"),
    ("run-machines", "AmazonECS_FullAccess"),
    # PassRole on *; ecs:* on *
    ("pass-any-role", "AmazonECS_FullAccess"),
    ("run-in-others", "AmazonECS_FullAccess"),
    # logs:Get* and logs:FilterLogEvents on *
    ("any-log-read", "CloudWatchReadOnlyAccess"),
}
"""What the five documented policies open: finding and policy."""
GUARDED = {("any-log-read", "CloudWatchReadOnlyAccess")}
"""What is left of it under the guardrails: alarms and dashboards are read with the same policy."""

every_account = pytest.mark.parametrize("account", ACCOUNTS, ids=lambda account: account.region)
every_prefix = pytest.mark.parametrize("prefix", PREFIXES)


def control_plane(account: AwsAccount, identity: dict[str, Document], names: Names) -> Subject:
    return Subject(
        arn=account.role_arn(names.control_plane_role),
        identity=identity,
        trust=control_plane_trust([VENDOR], [RANDOM_ID, RANDOM_ID[::-1]]),
    )


def found(subject: Subject) -> set[tuple[str, str]]:
    return {(finding.id, finding.policy) for finding in analyse(subject)}


def names_of(prefix: str) -> Names:
    return Names(prefix=prefix)


@every_account
@every_prefix
def test_documented_mode_opens_what_a_reviewer_is_told_and_nothing_else(account: AwsAccount, prefix: str) -> None:
    names = names_of(prefix)
    identity = {**documented_identity(), "supplement": supplement(account, names)}
    assert found(control_plane(account, identity, names)) == DOCUMENTED


@every_account
@every_prefix
def test_the_guardrails_close_all_but_the_logs(account: AwsAccount, prefix: str) -> None:
    names = names_of(prefix)
    identity = {
        **documented_identity(),
        "supplement": supplement(account, names),
        "guardrails": guardrails(account, names),
    }
    assert found(control_plane(account, identity, names)) == GUARDED


@every_account
@every_prefix
def test_the_supplement_alone_opens_nothing(account: AwsAccount, prefix: str) -> None:
    names = names_of(prefix)
    assert found(control_plane(account, {"supplement": supplement(account, names)}, names)) == set()


BOUNDED = {"pass-any-role", "run-in-others", "any-stack-change", "any-stack-delete"}
"""What our own boundary closes of it."""
KEPT = {"any-cluster-delete", "any-database-delete", "any-snapshot-delete", "write-resource-policy"}
"""What a role that may delete nothing does not open of it."""


def opened(variant: str) -> set[str]:
    """The findings about the control plane's role of a variant that a reviewer is told; in scoped mode there are none.

    Every role but this one opens nothing.
    """
    access = VARIANTS[variant]["access"]
    trust = {"trust-whole-account"} if variant == "an account's root" else set()
    if variant == "an external id that can be guessed":
        trust = {"external-id-guessable"}
    if access.get("mode") == "scoped" or access.get("observeOnly") or access.get("suspend"):
        return trust
    if access.get("guardrails", True):
        return trust | {finding for finding, _ in GUARDED}
    everything = {finding for finding, _ in DOCUMENTED}
    if access.get("permissionsBoundary") == "own":
        everything -= BOUNDED
    return trust | (everything - KEPT if access.get("allowDelete") is False else everything)


@pytest.mark.parametrize("variant", VARIANTS)
def test_no_role_opens_more_than_a_reviewer_is_told(variant: str) -> None:
    for role in roles(variant):
        expected = opened(variant) if role.name.endswith("BYOCRole") else set()
        assert {finding.id for finding in analyse(role)} == expected, role.name


def test_no_policy_of_a_resource_lets_anybody_in() -> None:
    policies = {one.place: one.document for one in every_document() if one.type == "aws:sns/topic:Topic"}
    assert policies
    assert analyse(Subject(resource_policies=policies)) == ()
