"""Room under quotas: needed against the limit less what is in use."""

from __future__ import annotations

import pytest

from byoc.operations.doctor.asking import NoAnswer
from byoc.operations.doctor.checks import Area, Verdict, failed, passed, unknown
from byoc.operations.doctor.quota_table import NAT_GATEWAYS, QUOTAS, VCPUS, VPCS, Want
from byoc.operations.doctor.quota_usage import Usage
from byoc.operations.doctor.quotas import Limit, QuotaFacts, judge_quota

DENIED = NoAnswer(why="servicequotas:GetServiceQuota: denied", remedy="allow it")
VPC = Want(quota=VPCS, place="", amount=1)


def _facts(total: float, own: float = 0, limit: float = 5, *, applied: bool = True) -> QuotaFacts:
    return QuotaFacts(limit=Limit(value=limit, applied=applied), usage={"": Usage(total=total, own=own)})


@pytest.mark.parametrize(
    ("facts", "verdict", "evidence"),
    [
        (_facts(0), Verdict.PASS, "needs 1; 0 in use of 5, the account's limit"),
        (_facts(4), Verdict.PASS, "needs 1; 4 in use of 5, the account's limit"),
        (_facts(5), Verdict.FAIL, "needs 1; 5 in use of 5, the account's limit"),
        (_facts(5, own=1), Verdict.PASS, "needs 1, has 1; 5 in use of 5, the account's limit"),
        # What is there, is there: nothing more is needed.
        (_facts(7, own=1), Verdict.PASS, "needs 1, has 1; 7 in use of 5, the account's limit"),
        (_facts(2, applied=False), Verdict.PASS, "needs 1; 2 in use of 5, AWS's default limit"),
        (_facts(0, limit=0), Verdict.FAIL, "needs 1; 0 in use of 0, the account's limit"),
    ],
)
def test_what_is_missing_must_fit_between_use_and_limit(facts: QuotaFacts, verdict: Verdict, evidence: str) -> None:
    check = judge_quota(VPC, facts)
    assert (check.verdict, check.evidence) == (verdict, evidence)


def test_a_full_quota_fails_with_the_request_that_raises_it() -> None:
    assert judge_quota(VPC, _facts(5)) == failed(
        Area.QUOTAS,
        "VPCs",
        "needs 1; 5 in use of 5, the account's limit",
        "ask for 6 or more: aws service-quotas request-service-quota-increase --service-code vpc --quota-code "
        "L-F678F1CE --desired-value 6; or remove some",
    )


def test_a_limit_that_cannot_be_asked_is_unknown_even_if_the_default_would_do() -> None:
    facts = QuotaFacts(limit=DENIED, usage={"": Usage(total=1)})
    assert judge_quota(VPC, facts) == unknown(
        Area.QUOTAS,
        "VPCs",
        "needs 1; 1 in use; the limit is not known: servicequotas:GetServiceQuota: denied (AWS's default, which is not "
        "the account's own, is 5)",
        "allow it",
    )


def test_nothing_more_to_make_needs_no_limit() -> None:
    facts = QuotaFacts(limit=DENIED, usage={"": Usage(total=3, own=1)})
    assert judge_quota(VPC, facts) == passed(Area.QUOTAS, "VPCs", "needs 1, has 1; 3 in use; nothing more is needed")


def test_use_that_cannot_be_asked_is_unknown() -> None:
    facts = QuotaFacts(limit=Limit(value=5, applied=True), usage=NoAnswer(why="ec2:DescribeVpcs: denied"))
    check = judge_quota(VPC, facts)
    assert (check.verdict, check.evidence) == (
        Verdict.UNKNOWN,
        "needs 1; what is in use is not known: ec2:DescribeVpcs: denied",
    )


def test_a_quota_by_zone_is_counted_in_its_zone() -> None:
    facts = QuotaFacts(
        limit=Limit(value=5, applied=False), usage={"us-west-2a": Usage(total=5), "us-west-2b": Usage(total=1)}
    )
    full, free, empty = (
        judge_quota(Want(quota=NAT_GATEWAYS, place=f"us-west-2{zone}", amount=1), facts) for zone in "abc"
    )
    assert (full.name, full.verdict) == ("NAT gateways in us-west-2a", Verdict.FAIL)
    assert (free.verdict, empty.verdict) == (Verdict.PASS, Verdict.PASS)
    assert empty.evidence == "needs 1; 0 in use of 5, AWS's default limit"


def test_vcpus_tell_what_is_needed_at_first_and_at_most() -> None:
    want = Want(quota=VCPUS, place="", amount=20.25, start=2.25)
    check = judge_quota(want, _facts(0, limit=6, applied=False))
    assert (check.verdict, check.evidence) == (
        Verdict.FAIL,
        "needs 2.25 at first, 20.25 at most; 0 in use of 6, AWS's default limit",
    )
    assert "--desired-value 20.25" not in check.remedy
    assert "--desired-value 21;" in check.remedy


def test_every_quota_has_a_code_of_its_own() -> None:
    assert len({(quota.service, quota.code) for quota in QUOTAS}) == len(QUOTAS)
