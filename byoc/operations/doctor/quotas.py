"""Room under AWS's quotas: what the stack still needs, against the limit less what is in use."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from byoc.operations.account import Account
from byoc.operations.doctor.asking import Absent, NoAnswer, known
from byoc.operations.doctor.checks import Area, Check, failed, passed, unknown
from byoc.operations.doctor.quota_table import NAT_GATEWAYS, Quota, Want, wants
from byoc.operations.doctor.quota_usage import USAGES, Usage
from byoc.operations.doctor.subject import Subject
from byoc.operations.many import each

_AREA = Area.QUOTAS
_AT_ONCE = 4
"""Service Quotas takes few requests per second."""


@dataclass(frozen=True, kw_only=True)
class Limit:
    """A quota's value. ``applied``: it is this account's own; else AWS's default, by Service Quotas."""

    value: float
    applied: bool


@dataclass(frozen=True, kw_only=True)
class QuotaFacts:
    """What AWS says of one quota."""

    limit: Limit | NoAnswer
    usage: Mapping[str, Usage] | NoAnswer
    """By zone, for a quota by zone; else under the empty name. What is not there is not in use."""


def judged(subject: Subject) -> tuple[Check, ...]:
    """Ask and judge."""
    wanted = wants(subject)
    quotas = tuple(dict.fromkeys(want.quota for want in wanted))
    facts = dict(
        zip(
            quotas,
            each(quotas, lambda quota: read_quota(subject, quota), at_once=_AT_ONCE, only_looks=True),
            strict=True,
        )
    )
    if isinstance(subject.zones, NoAnswer):
        facts |= {NAT_GATEWAYS: QuotaFacts(limit=subject.zones, usage=subject.zones)}
    return tuple(judge_quota(want, facts[want.quota]) for want in wanted)


def read_quota(subject: Subject, quota: Quota) -> QuotaFacts:
    """The limit and what is in use."""
    return QuotaFacts(limit=_limit(subject.account, quota), usage=_usage(lambda: USAGES[quota](subject)))


def _limit(account: Account, quota: Quota) -> Limit | NoAnswer:
    asked = {"ServiceCode": quota.service, "QuotaCode": quota.code}
    applied = known(lambda: account.ask("servicequotas:GetServiceQuota", **asked)["Quota"]["Value"])
    if isinstance(applied, NoAnswer):
        return applied
    if not isinstance(applied, Absent):
        return Limit(value=float(applied), applied=True)
    # An account whose quota was never changed has none of its own (Service Quotas API Reference: GetServiceQuota).
    default = known(lambda: account.ask("servicequotas:GetAWSDefaultServiceQuota", **asked)["Quota"]["Value"])
    if isinstance(default, Absent):
        return NoAnswer(why=f"Service Quotas knows no quota {quota.code} of {quota.service}")
    return default if isinstance(default, NoAnswer) else Limit(value=float(default), applied=False)


def _usage(ask: Callable[[], Mapping[str, Usage]]) -> Mapping[str, Usage] | NoAnswer:
    answer = known(ask)
    return {} if isinstance(answer, Absent) else answer


def judge_quota(want: Want, facts: QuotaFacts) -> Check:
    """Whether what is still missing of ``want`` fits."""
    name = f"{want.quota.name} in {want.place}" if want.place else want.quota.name
    if isinstance(facts.usage, NoAnswer):
        evidence = f"needs {_figure(want.amount)}; what is in use is not known: {facts.usage.why}"
        return unknown(_AREA, name, evidence, facts.usage.remedy)
    usage = facts.usage.get(want.place, Usage())
    missing = max(0.0, want.amount - usage.own)
    told = f"{_needs(want, usage, missing)}; {_figure(usage.total)} in use"
    if isinstance(facts.limit, NoAnswer):
        if missing == 0:
            return passed(_AREA, name, f"{told}; nothing more is needed")
        default = f"AWS's default, which is not the account's own, is {_figure(want.quota.default)}"
        return unknown(
            _AREA, name, f"{told}; the limit is not known: {facts.limit.why} ({default})", facts.limit.remedy
        )
    source = "the account's limit" if facts.limit.applied else "AWS's default limit"
    evidence = f"{told} of {_figure(facts.limit.value)}, {source}"
    if missing == 0 or missing <= facts.limit.value - usage.total:
        return passed(_AREA, name, evidence)
    asked = math.ceil(usage.total + missing)
    return failed(
        _AREA,
        name,
        evidence,
        f"ask for {_figure(asked)} or more: aws service-quotas request-service-quota-increase --service-code "
        f"{want.quota.service} --quota-code {want.quota.code} --desired-value {asked}; or remove some",
    )


def _needs(want: Want, usage: Usage, missing: float) -> str:
    if usage.own:
        return f"needs {_figure(want.amount)}, has {_figure(min(usage.own, want.amount))}"
    if want.start is not None and want.start != want.amount:
        return f"needs {_figure(want.start)} at first, {_figure(missing)} at most"
    return f"needs {_figure(missing)}"


def _figure(value: float) -> str:
    return f"{value:,.2f}".rstrip("0").rstrip(".") if value % 1 else f"{value:,.0f}"
