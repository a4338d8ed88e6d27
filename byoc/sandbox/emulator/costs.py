"""AWS Cost Explorer: a bill that is told to the emulator, read as AWS reads it: by active tags, dimensions and days.

Nothing costs anything here, so that without such a bill every question has an empty answer. Sources: AWS API reference,
"GetCostAndUsage", "Expression", "ListCostAllocationTags".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Self

from byoc.sandbox.emulator.answers import ACCESS_DENIED, AwsError
from byoc.sandbox.emulator.requests import ApiRequest

Result = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Line:
    """What one service cost on one day."""

    day: str
    service: str
    amount: str
    currency: str = "USD"
    region: str = "us-west-2"
    account: str = ""
    """Another account of the organization; empty: the one that is asked as."""
    record_type: str = "Usage"
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Bill:
    """An account's bill, and which tags it is kept by."""

    lines: tuple[Line, ...] = ()
    active: Mapping[str, str] = field(default_factory=dict)
    """Active cost-allocation tags, with the time since when."""
    inactive: tuple[str, ...] = ()
    is_member: bool = False
    """Whether the account belongs to an organization: then AWS tells it nothing about tags."""
    estimated_from: str = "9999-12-31"
    """The first day that is not final."""
    page: int = 1000
    """Groups on a page."""

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """A bill from the control API; ``ValueError`` on an unknown field."""
        known = {item.name for item in fields(cls)}
        if value.keys() - known:
            raise ValueError(f"unknown: {', '.join(sorted(value.keys() - known))}; allowed: {', '.join(sorted(known))}")
        lines = tuple(Line(**line) for line in value.get("lines", ()))
        return cls(**{**value, "lines": lines, "inactive": tuple(value.get("inactive", ()))})


def set_bill(account: str, bill: Bill) -> None:
    """Give an account a bill in the place of the one it had."""
    _backend(account).bill = bill


def get_cost_and_usage(request: ApiRequest, account: str) -> Result:
    """Unblended cost by day and service. Other ways to group or to measure are not answered."""
    if [group["Key"] for group in request.get("GroupBy", [])] != ["SERVICE"] or request.get("Granularity") != "DAILY":
        raise NotImplementedError("the embedded Cost Explorer groups by day and SERVICE alone")
    bill, first, end = _bill(account), *_days(request)
    wanted = request.get("Filter", {})
    days = [str(first + timedelta(days=number)) for number in range((end - first).days)]
    found = [line for line in bill.lines if line.day in days and _matches(wanted, line, bill, account)]
    groups: dict[tuple[str, str, str], Decimal] = {}
    for line in found:
        key = (line.day, line.service, line.currency)
        groups[key] = groups.get(key, Decimal(0)) + Decimal(line.amount)
    begin = int(request.text("NextPageToken") or 0)
    shown = sorted(groups.items())[begin : begin + bill.page]
    more = begin + bill.page < len(groups)
    return {
        "GroupDefinitions": request.get("GroupBy"),
        "ResultsByTime": [_day(day, bill, shown) for day in days],
        "DimensionValueAttributes": [],
        **({"NextPageToken": str(begin + bill.page)} if more else {}),
    }


def list_cost_allocation_tags(request: ApiRequest, account: str) -> Result:
    """The tags that the bill has met, and whether it is kept by them."""
    bill = _bill(account)
    if bill.is_member:
        message = "Failed to list Cost Allocation Tags: Linked account doesn't have access to cost allocation tags."
        raise AwsError(message, ACCESS_DENIED)
    states = {
        **dict.fromkeys(bill.inactive, ("Inactive", "")),
        **{key: ("Active", at) for key, at in bill.active.items()},
    }
    wanted = request.get("TagKeys") or list(states)
    return {
        "CostAllocationTags": [
            {"TagKey": key, "Type": "UserDefined", "Status": status, **({"LastUpdatedDate": at} if at else {})}
            for key, (status, at) in sorted(states.items())
            if key in wanted
        ]
    }


def _days(request: ApiRequest) -> tuple[date, date]:
    asked = request.get("TimePeriod", {})
    first, end = date.fromisoformat(asked["Start"]), date.fromisoformat(asked["End"])
    if first >= end:
        raise AwsError.plain("ValidationException", "Start date (and hour) should be before end date (and hour)")
    return first, end


def _day(day: str, bill: Bill, shown: list[tuple[tuple[str, str, str], Decimal]]) -> dict[str, Any]:
    return {
        "TimePeriod": {"Start": day, "End": str(date.fromisoformat(day) + timedelta(days=1))},
        "Total": {},
        "Groups": [
            {"Keys": [service], "Metrics": {"UnblendedCost": {"Amount": str(amount), "Unit": currency}}}
            for (on, service, currency), amount in shown
            if on == day
        ],
        "Estimated": day >= bill.estimated_from,
    }


def _matches(wanted: Mapping[str, Any], line: Line, bill: Bill, account: str) -> bool:
    """Whether a line is meant by an expression; a tag that is not active is on no line."""
    if "And" in wanted:
        return all(_matches(part, line, bill, account) for part in wanted["And"])
    if "Not" in wanted:
        return not _matches(wanted["Not"], line, bill, account)
    if "Tags" in wanted:
        key = wanted["Tags"]["Key"]
        return key in bill.active and line.tags.get(key, "") in wanted["Tags"]["Values"]
    if "Dimensions" in wanted:
        values = {"REGION": line.region, "LINKED_ACCOUNT": line.account or account, "RECORD_TYPE": line.record_type}
        return values[wanted["Dimensions"]["Key"]] in wanted["Dimensions"]["Values"]
    if wanted:
        raise NotImplementedError(f"the embedded Cost Explorer knows no {', '.join(wanted)}")
    return True


def _bill(account: str) -> Bill:
    found: Bill = getattr(_backend(account), "bill", Bill())
    return found


def _backend(account: str) -> Any:  # noqa: ANN401 - moto's backends share no useful type
    from moto.ce.models import ce_backends

    return ce_backends[account]["aws"]
