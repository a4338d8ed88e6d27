"""The cross-account role as one function of its settings: modes, switches, and what they come to."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from byoc.naming import Names
from byoc.permissions.evaluation.evaluator import Decision, Outcome, Request, evaluate
from byoc.permissions.needs.actions import is_read
from byoc.permissions.needs.deployment import deployment_needs
from byoc.permissions.needs.features import HEALTH, OPERATING, Feature
from byoc.permissions.policies.access import POLICIES_OF_A_ROLE, AccessSettings, RoleGrants, control_plane_role
from byoc.permissions.policies.guardrails import guardrails
from byoc.permissions.policies.managed import CONTROL_PLANE, documented_identity
from byoc.permissions.policies.supplement import supplement
from byoc.types import AwsAccount
from tests.unit.withheld import WITHHELD

ACCOUNT = AwsAccount(account_id="123456789012", region="us-west-2")
NAMES = Names()
US = "arn:aws:iam::640174622193:role/HostBackendRoleProd"
OURS = {"aws:ResourceTag/byoc-install": "langgraph-cloud", "aws:ResourceTag/langgraph-cloud": "langgraph-cloud"}
NEW = {"aws:ResourceTag/byoc-provisioning": "true"}
DELETES = {
    "rds:DeleteDBInstance": "rds:us-west-2:123456789012:db:langgraph-cloud-chat",
    "secretsmanager:DeleteSecret": "secretsmanager:us-west-2:123456789012:secret:langgraph-cloud/chat/"
    "environment-a1B2c3",
    "ecs:DeleteService": "ecs:us-west-2:123456789012:service/langgraph-cloud-cluster/langgraph-cloud-chat-api",
    "elasticloadbalancing:DeleteLoadBalancer": "elasticloadbalancing:us-west-2:123456789012:loadbalancer/app/"
    "langgraph-cloud-chat/50dc6c495c0c9188",
}
"""The deletions that the switch takes away, on what is this install's."""


def role(**settings: Any) -> RoleGrants:
    return control_plane_role(ACCOUNT, NAMES, AccessSettings(principals=(US,), **settings))


def ask(grants: RoleGrants, action: str, resource: str, **context: str) -> Decision:
    documents = {**(documented_identity() if grants.aws_managed else {}), **grants.documents}
    keys = {"aws:RequestedRegion": "us-west-2", **context}
    return evaluate(Request(principal="", action=action, resource=resource, context=keys), identity=documents)


def keys_of(grants: RoleGrants) -> list[str]:
    return [policy.key for policy in grants.own]


def test_by_default_it_is_the_documented_role() -> None:
    grants = role()
    assert grants.aws_managed == tuple(CONTROL_PLANE)
    assert grants.documents == {
        "LangGraphCloudGuardrails": guardrails(ACCOUNT, NAMES),
        "LangGraphCloudCustomPermissions": supplement(ACCOUNT, NAMES),
    }
    assert (grants.role_name, grants.path, grants.permissions_boundary) == ("LangGraphCloudBYOCRole", "/", None)
    assert grants.role_arn == "arn:aws:iam::123456789012:role/LangGraphCloudBYOCRole"


def test_scoped_mode_has_generated_policies_alone() -> None:
    grants = role(mode="scoped", guardrails=False)
    assert grants.aws_managed == ()
    assert keys_of(grants) == [
        f"scoped-{area}" for area in ("observing", "secrets", "databases", "load-balancing", "containers", "scaling")
    ]
    assert {name.removeprefix("LangGraphCloudScoped") for name in grants.documents} == {
        "Observing",
        "Secrets",
        "Databases",
        "LoadBalancing",
        "Containers",
        "Scaling",
    }


def test_the_names_carry_the_prefix() -> None:
    settings = AccessSettings(mode="scoped", principals=(US,), allow_delete=False, suspend=True)
    names = control_plane_role(ACCOUNT, Names("acme"), settings).documents
    assert {"acme-ScopedSecrets", "acme-NoDeletions", "acme-Suspended", "acme-Guardrails"} < set(names)
    assert all(name.startswith("acme-") for name in names)


SWITCHES = [
    {"mode": mode, "guardrails": guards, "allow_delete": deletes, "suspend": suspend, "observe_only": observe}
    for mode, guards, deletes, suspend, observe in itertools.product(
        ("documented", "scoped"), (False, True), (False, True), (False, True), (False, True)
    )
]


@pytest.mark.parametrize("settings", SWITCHES, ids=lambda settings: " ".join(str(v) for v in settings.values()))
def test_under_every_setting_it_fits_is_explained_and_denies_first(settings: dict[str, Any]) -> None:
    grants = role(**settings)
    assert all(policy.text for policy in grants.own)
    assert len(grants.own) + len(grants.aws_managed) <= POLICIES_OF_A_ROLE
    sids = [statement["Sid"] for document in grants.documents.values() for statement in document["Statement"]]
    assert set(sids) == set(grants.reasons)
    assert len(sids) == len(set(sids))
    assert all(grants.reasons.values())
    denying = [policy.denies for policy in grants.own]
    assert denying == sorted(denying, reverse=True)
    assert len({policy.key for policy in grants.own}) == len({policy.name for policy in grants.own}) == len(denying)


@pytest.mark.parametrize("settings", SWITCHES, ids=lambda settings: " ".join(str(v) for v in settings.values()))
def test_a_switch_never_allows_what_was_not_allowed_without_it(settings: dict[str, Any]) -> None:
    plain = role(mode=settings["mode"], guardrails=settings["guardrails"])
    switched = role(**settings)
    for action, resource in DELETES.items():
        for context in ({}, OURS, {**OURS, **NEW}):
            if ask(switched, action, f"arn:aws:{resource}", **context).allowed:
                assert ask(plain, action, f"arn:aws:{resource}", **context).allowed


@pytest.mark.parametrize("mode", ["documented", "scoped"])
@pytest.mark.parametrize("action", sorted({need.action for need in deployment_needs()}))
def test_a_suspended_role_is_denied_everything(mode: Any, action: str) -> None:
    decision = ask(role(mode=mode, suspend=True), action, "*", **OURS)
    assert decision.outcome is Outcome.EXPLICIT_DENY
    assert decision.layer == "identity policy LangGraphCloudSuspended"


@pytest.mark.parametrize("mode", ["documented", "scoped"])
def test_who_only_observes_has_reads_alone_and_no_secrets(mode: Any) -> None:
    grants = role(mode=mode, observe_only=True, guardrails=False)
    assert grants.aws_managed == ()
    actions = {
        action
        for document in grants.documents.values()
        for statement in document["Statement"]
        for action in statement["Action"]
    }
    assert all(is_read(action) for action in actions)
    # Log entries are data, as the contents of secrets and of images are.
    looking_after = [feature for feature in HEALTH if feature is not Feature.LOGS]
    needed = {need.action for need in deployment_needs(features=(*looking_after, *OPERATING)) if is_read(need.action)}
    withheld = {
        action
        for item in WITHHELD
        if "observing" in item.modes and item.feature in OPERATING
        for action in item.actions.split()
    }
    assert "secretsmanager:GetSecretValue" in withheld
    assert actions == needed - withheld


@pytest.mark.parametrize("mode", ["documented", "scoped"])
@pytest.mark.parametrize("guards", [True, False])
@pytest.mark.parametrize(("action", "resource"), DELETES.items())
def test_without_deletions_only_what_is_being_made_is_deleted(
    mode: Any, guards: bool, action: str, resource: str
) -> None:
    arn = f"arn:aws:{resource}"
    before, after = role(mode=mode, guardrails=guards), role(mode=mode, guardrails=guards, allow_delete=False)
    assert ask(before, action, arn, **OURS).allowed
    assert ask(after, action, arn, **OURS).outcome is Outcome.EXPLICIT_DENY
    assert ask(after, action, arn, **OURS, **{"aws:ResourceTag/byoc-provisioning": "yes"}).outcome is (
        Outcome.EXPLICIT_DENY
    )
    assert ask(after, action, arn, **OURS, **NEW).allowed
    foreign = arn.replace("langgraph-cloud", "payroll")
    assert ask(after, action, foreign, **OURS, **NEW).outcome is Outcome.EXPLICIT_DENY


def test_without_deletions_snapshots_and_clusters_are_kept_in_any_case() -> None:
    grants = role(guardrails=False, allow_delete=False)
    for action in ("rds:DeleteDBSnapshot", "rds:DeleteDBCluster", "rds:DeleteDBClusterSnapshot", "ecs:DeleteCluster"):
        assert ask(grants, action, "*", **OURS, **NEW).outcome is Outcome.EXPLICIT_DENY


def test_the_rest_of_a_deployment_s_life_needs_no_deletion_that_is_taken_away() -> None:
    before, after = role(mode="scoped", guardrails=False), role(mode="scoped", guardrails=False, allow_delete=False)
    arn = "arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/abc/943f017f100becff"
    alarm = "arn:aws:cloudwatch:us-west-2:123456789012:alarm:langgraph-cloud-chat-x"
    for action, resource in (("elasticloadbalancing:DeleteTargetGroup", arn), ("cloudwatch:DeleteAlarms", alarm)):
        assert ask(before, action, resource, **OURS).allowed
        assert ask(after, action, resource, **OURS).allowed


def test_principals_that_are_not_exact_are_refused() -> None:
    with pytest.raises(ValueError, match="without wildcards"):
        control_plane_role(ACCOUNT, NAMES, AccessSettings(principals=("*",)))
    with pytest.raises(ValueError, match="at least one principal"):
        control_plane_role(ACCOUNT, NAMES, AccessSettings())


def test_the_trust_is_asked_for_with_its_external_ids() -> None:
    statement = role().trust(["5f0c1b7e9a3d42c8"])["Statement"][0]
    assert statement["Principal"] == {"AWS": [US]}
    assert statement["Condition"] == {"StringEquals": {"sts:ExternalId": ["5f0c1b7e9a3d42c8"]}}
    with pytest.raises(ValueError, match="at least one external id"):
        role().trust([])


def test_a_whole_account_is_trusted_only_if_it_is_asked_for() -> None:
    root = "arn:aws:iam::111122223333:root"
    with pytest.raises(ValueError, match="one IAM role or user"):
        control_plane_role(ACCOUNT, NAMES, AccessSettings(principals=(root,)))
    grants = control_plane_role(ACCOUNT, NAMES, AccessSettings(principals=(root, US), account_roots=True))
    assert grants.trust(["5f0c1b7e9a3d42c8"])["Statement"][0]["Principal"] == {"AWS": [root, US]}
    with pytest.raises(ValueError, match="one IAM role or user"):
        control_plane_role(ACCOUNT, NAMES, AccessSettings(principals=("arn:aws:iam::*:root",), account_roots=True))
