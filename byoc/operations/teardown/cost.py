"""What a stack cost, as AWS Cost Explorer bills it by tag; asked only on request, since each question costs money."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

DAYS = 30
"""Whole days by UTC that are asked about; the day that is not over is none of them."""
PRICE = "USD 0.01"
"""Of each request to Cost Explorer (AWS pricing page: "AWS Cost Explorer pricing", the API)."""
HOW_TO_ASK = f"not asked; --cost asks AWS Cost Explorer, which charges the account {PRICE} for each request"
_METRIC = "UnblendedCost"
_ACTIVE = "Active"


@dataclass(frozen=True, kw_only=True)
class Period:
    """Days by UTC, the first and the last among them."""

    first: date
    last: date

    @classmethod
    def before(cls, today: date) -> Period:
        """The :data:`DAYS` days before ``today``."""
        return cls(first=today - timedelta(days=DAYS), last=today - timedelta(days=1))

    @property
    def interval(self) -> dict[str, str]:
        """As Cost Explorer takes it: without the end (AWS API reference: DateInterval)."""
        return {"Start": str(self.first), "End": str(self.last + timedelta(days=1))}

    def __str__(self) -> str:
        return f"{self.first} to {self.last} (UTC)"


@dataclass(frozen=True, kw_only=True)
class Money:
    """An amount in a currency, as a bill names it (``USD``)."""

    amount: Decimal
    currency: str

    def __str__(self) -> str:
        """To the hundredth; what is less and not nothing is not shown as nothing."""
        if 0 < self.amount < Decimal("0.005"):
            return f"under 0.01 {self.currency}"
        return f"{self.amount:,.2f} {self.currency}"


@dataclass(frozen=True, kw_only=True)
class TagState:
    """A tag as the bill knows it (``ce:ListCostAllocationTags``)."""

    is_active: bool
    since: date | None = None
    """When that last changed; None where AWS does not say."""


@dataclass(frozen=True, kw_only=True)
class TagsNotKnown:
    """Why AWS does not say whether tags are active: to an account of an organization it does not."""

    why: str


Tags = Mapping[str, TagState] | TagsNotKnown
"""The tags that were asked about, by key; one that the bill has never met is not among them."""


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What was billed in a period for all that carries a stack's tags, without credits and refunds."""

    period: Period
    services: tuple[tuple[str, Money], ...]
    """By AWS's name of the service, the dearest first."""
    is_estimated: bool
    """Whether AWS may still correct it."""
    notes: tuple[str, ...] = ()
    """What it does not hold, in plain words."""

    @property
    def totals(self) -> tuple[Money, ...]:
        """The sum; more than one only where the bill has several currencies."""
        sums: dict[str, Decimal] = {}
        for _, money in self.services:
            sums[money.currency] = sums.get(money.currency, Decimal(0)) + money.amount
        return tuple(Money(amount=amount, currency=currency) for currency, amount in sorted(sums.items()))


@dataclass(frozen=True, kw_only=True)
class CostNotKnown:
    """Why it is not known, and the way out. Not known is not nothing."""

    why: str
    remedy: str


def inactive(tags: Tags, wanted: Iterable[str]) -> CostNotKnown | None:
    """Why a bill cannot be read by tags that it does not keep; None if it does, or if AWS does not say."""
    if isinstance(tags, TagsNotKnown):
        return None
    off = [key for key in wanted if key not in tags or not tags[key].is_active]
    if not off:
        return None
    return CostNotKnown(
        why=f"the bill is not kept by {_listed(off)}: not active as cost-allocation tag{'s' if len(off) > 1 else ''}",
        remedy=_ACTIVATE,
    )


def cost_of(period: Period, results: Iterable[Mapping[str, Any]], tags: Tags) -> Cost | CostNotKnown:
    """What the pages of an answer come to: ``results`` as ``ce:GetCostAndUsage`` gives them, by day and service.

    An answer without a service is no zero: Cost Explorer gives the same for tags that nothing carries, that were made
    active too late, or not at all.
    """
    sums: dict[tuple[str, str], Decimal] = {}
    estimated = False
    for result in results:
        for group in result.get("Groups") or ():
            try:
                (service,), told = group["Keys"], group["Metrics"][_METRIC]
                amount, currency = Decimal(told["Amount"]), str(told["Unit"])
            except (KeyError, TypeError, ValueError, InvalidOperation):
                return _senseless("an amount that is none")
            if not amount.is_finite():
                return _senseless(f"the amount {amount}")
            sums[service, currency] = sums.get((service, currency), Decimal(0)) + amount
            estimated = estimated or bool(result.get("Estimated", True))
    if not sums or (isinstance(tags, TagsNotKnown) and not any(sums.values())):
        return _nothing_named(tags)
    services = sorted(sums.items(), key=lambda item: (-item[1], item[0]))
    return Cost(
        period=period,
        services=tuple((name, Money(amount=amount, currency=currency)) for (name, currency), amount in services),
        is_estimated=estimated,
        notes=tuple(_notes(period, tags)),
    )


def _notes(period: Period, tags: Tags) -> Iterable[str]:
    yield "without credits, refunds, tax and what carries no tags, such as some of the traffic"
    if isinstance(tags, TagsNotKnown):
        yield f"whether the tags were active on all of these days is not known: {tags.why}"
        return
    late = [state.since for state in tags.values() if state.since is not None and state.since > period.first]
    if late:
        yield f"days before {max(late)} may be missing: the tags became active then"


def _nothing_named(tags: Tags) -> CostNotKnown:
    if isinstance(tags, TagsNotKnown):
        return CostNotKnown(
            why="Cost Explorer names nothing with these tags, and does not say whether they are active: " + tags.why,
            remedy=_ACTIVATE,
        )
    return CostNotKnown(
        why="Cost Explorer names nothing with these tags, though they are active",
        remedy="ask again after a day: it learns of new tags, and of a day's cost, with a day's delay",
    )


def _senseless(what: str) -> CostNotKnown:
    return CostNotKnown(why=f"Cost Explorer answers with {what}", remedy="ask again later")


def _listed(keys: Iterable[str]) -> str:
    return " and ".join(keys)


_ACTIVATE = (
    "who pays the bill (in an organization its management account) activates byoc-install and byoc-deployment: "
    "aws ce update-cost-allocation-tags-status; they count from then on"
)
