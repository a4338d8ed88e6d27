"""The analyser finds every trap, under exactly its ids, and no look-alike."""

from __future__ import annotations

import json

import pytest

from byoc.permissions.analyser.analyse import analyse
from byoc.permissions.analyser.documents import checked
from byoc.permissions.analyser.findings import Severity, Subject
from byoc.permissions.evaluation.evaluator import Outcome, evaluate, evaluate_trust
from tests.unit.access_documents import (
    LOOK_ALIKES,
    RANDOM_ID,
    TRAPS,
    VENDOR,
    Case,
    allow,
    deny,
    document,
    external_id,
    role,
    trusting,
)


def ids(subject: Subject) -> tuple[str, ...]:
    return tuple(sorted(finding.id for finding in analyse(subject)))


@pytest.mark.parametrize("case", TRAPS, ids=lambda case: case.name)
def test_every_trap_is_found_under_exactly_its_ids(case: Case) -> None:
    assert ids(case.subject) == case.findings


@pytest.mark.parametrize("case", LOOK_ALIKES, ids=lambda case: case.name)
def test_no_look_alike_is_reported(case: Case) -> None:
    assert ids(case.subject) == ()


@pytest.mark.parametrize("case", [*TRAPS, *LOOK_ALIKES], ids=lambda case: case.name)
def test_the_fixtures_are_policies(case: Case) -> None:
    documents = [*case.subject.layers.values(), *case.subject.resource_policies.values()]
    for found in [*documents, *([case.subject.trust] if case.subject.trust else [])]:
        checked(json.loads(json.dumps(found)))


@pytest.mark.parametrize("case", TRAPS, ids=lambda case: case.name)
def test_the_evidence_is_what_the_evaluator_says(case: Case) -> None:
    subject = case.subject
    for finding in analyse(subject):
        for step in finding.evidence:
            if step.policy == "trust policy":
                assert subject.trust is not None
                decision = evaluate_trust(step.request, subject.trust)
            elif step.policy in subject.resource_policies:
                decision = evaluate_trust(step.request, subject.resource_policies[step.policy])
            elif finding.id == "unconditioned-repeat":
                continue  # of one layer alone
            else:
                decision = evaluate(step.request, identity=subject.identity, boundary=subject.boundary)
            assert decision.outcome is step.decision.outcome
            assert decision.outcome is not Outcome.IMPLICIT_DENY


def test_every_finding_but_a_typo_comes_with_evidence_and_all_with_a_remedy() -> None:
    for case in TRAPS:
        for finding in analyse(case.subject):
            assert bool(finding.evidence) is (finding.id != "unknown-action"), finding.id
            assert finding.remedy.endswith((".", "new")), finding.id
            assert finding.explanation.endswith((".", ")")), finding.id


def test_a_finding_names_the_policy_the_statement_and_the_request() -> None:
    (finding,) = analyse(
        role(
            allow("secretsmanager:*", Sid="Reads"),
            deny("secretsmanager:P*"),
            deny(["secretsmanager:Delete*", "secretsmanager:Update*"]),
        )
    )
    assert finding.document() == {
        "id": "any-secret-read",
        "severity": "high",
        "policy": "policy",
        "sid": "Reads",
        "explanation": "It can read the secrets of others in the account.",
        "remedy": "Limit it to resources by name or tag, in Resource or in a condition.",
        "evidence": [
            {
                "principal": "arn:aws:iam::123456789012:role/deployer",
                "action": "secretsmanager:GetSecretValue",
                "resource": "arn:aws:secretsmanager:us-east-1:123456789012:secret:of-another-team",
                "context": {
                    "aws:PrincipalArn": "arn:aws:iam::123456789012:role/deployer",
                    "aws:PrincipalAccount": "123456789012",
                    "aws:ResourceAccount": "123456789012",
                },
                "answer": "allowed",
                "policy": "policy",
                "sid": "Reads",
            }
        ],
    }


def test_an_external_id_is_never_in_a_finding() -> None:
    secret = "acme-production-2026"
    found = [*analyse(trusting(condition=external_id(secret))), *analyse(trusting("*", external_id(RANDOM_ID)))]
    text = json.dumps([finding.document() for finding in found]) + repr([f.explanation for f in found])
    assert len(found) == 2
    assert secret not in text
    assert RANDOM_ID not in text
    assert '"sts:ExternalId": "[hidden]"' in text


def test_the_worst_comes_first() -> None:
    found = [finding.severity for finding in analyse(role(allow("*")))]
    assert found == sorted(found, reverse=True)
    assert found[0] is Severity.CRITICAL


def test_an_administrator_is_found_in_every_way() -> None:
    missing = {
        *("mint-role", "mint-user", "change-role", "change-user", "change-group", "change-trust", "change-policy"),
        *(
            "drop-boundary",
            "change-boundary",
            "take-user",
            "rewrite-own-policy",
            "rewrite-own-trust",
            "assume-any-role",
        ),
        *("pass-any-role", "write-resource-policy", "any-secret-read", "any-object-read", "any-database-delete"),
    } - set(ids(role(allow("*"))))
    assert missing == set()


def test_a_deny_of_everything_ends_every_finding() -> None:
    assert ids(role(allow("*"), deny("*"))) == ()


def test_a_boundary_of_nothing_ends_every_finding_but_its_own() -> None:
    assert ids(role(allow("*"), boundary=document(allow("ecs:DescribeServices")))) == ()


def test_a_trap_in_a_region_or_account_that_only_the_documents_name_is_found() -> None:
    policy = document(
        allow("secretsmanager:GetSecretValue", "arn:aws-cn:secretsmanager:cn-north-1:210987654321:secret:*")
    )
    (finding,) = analyse(Subject(identity={"policy": policy}))
    assert (
        finding.evidence[0].request.resource
        == "arn:aws-cn:secretsmanager:cn-north-1:210987654321:secret:of-another-team"
    )


def test_a_trust_of_a_role_whose_account_is_unknown_needs_an_external_id() -> None:
    trust = trusting(VENDOR).trust
    assert ids(Subject(trust=trust)) == ("external-id-missing",)


def test_a_principal_with_no_documents_has_no_way_out() -> None:
    assert analyse(Subject()) == ()
