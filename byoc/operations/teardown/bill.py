"""Asks AWS Cost Explorer what stacks cost, with credentials of the account itself.

The cross-account role is not given a look at the customer's bill: whoever wants to know asks as the account.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from byoc import tags as keys
from byoc.errors import ByocError, InputError
from byoc.operations.account import Account
from byoc.operations.answers import AbsentError, CredentialsError, DeniedError
from byoc.operations.teardown.cost import (
    Cost,
    CostNotKnown,
    Period,
    Tags,
    TagsNotKnown,
    TagState,
    cost_of,
    inactive,
)
from byoc.operations.teardown.look import reason
from byoc.operations.teardown.subject import Subject

MOST_PAGES = 20
"""Of one answer, each paid for; a month of one stack fits on one or two."""
_TAGS = (keys.INSTALL_KEY, keys.DEPLOYMENT_KEY)


class _PagesError(ByocError):
    """An answer that does not end."""


class Bill:
    """The bill of one account. What it says about tags is asked once; each stack costs one request and more."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._tags: Tags | None = None

    def cost(self, subject: Subject, today: date) -> Cost | CostNotKnown:
        """What a stack cost in the days before ``today``; it never raises for what AWS says."""
        period = Period.before(today)
        try:
            self._account.require_right_account()
        except InputError as error:
            return CostNotKnown(why=str(error).splitlines()[0], remedy=_AS_THE_ACCOUNT)
        except ByocError as error:
            return _refused(error)
        if self._tags is None:
            self._tags = self._ask_tags()
        wanted = _TAGS if subject.install is None else (keys.INSTALL_KEY,)
        if (off := inactive(self._tags, wanted)) is not None:
            return off
        try:
            return cost_of(period, list(self._results(subject, period)), _of(self._tags, wanted))
        except (ByocError, AbsentError) as error:
            return _refused(error)

    def _ask_tags(self) -> Tags:
        try:
            pages = self._pages("ce:ListCostAllocationTags", "NextToken", TagKeys=list(_TAGS))
            listed = [item for page in pages for item in page.get("CostAllocationTags") or ()]
            return {item["TagKey"]: _state(item) for item in listed if item["TagKey"] in _TAGS}
        except (ByocError, AbsentError) as error:
            return TagsNotKnown(why=_why(error))
        except (KeyError, ValueError):
            return TagsNotKnown(why="ce:ListCostAllocationTags: half an answer")

    def _results(self, subject: Subject, period: Period) -> Iterator[Mapping[str, Any]]:
        pages = self._pages(
            "ce:GetCostAndUsage",
            "NextPageToken",
            TimePeriod=period.interval,
            Granularity="DAILY",
            Metrics=["UnblendedCost"],
            GroupBy=[{"Type": "DIMENSION", "Key": "SERVICE"}],
            Filter=_filter(subject),
        )
        for page in pages:
            yield from page.get("ResultsByTime") or ()

    def _pages(self, action: str, token: str, **arguments: Any) -> Iterator[Mapping[str, Any]]:  # noqa: ANN401
        """Page by page: botocore knows no paginator of ``ce:GetCostAndUsage``."""
        for _ in range(MOST_PAGES):
            page = self._account.ask(action, **arguments)
            yield page
            if not page.get(token):
                return
            arguments[token] = page[token]
        raise _PagesError(f"{action}: an answer of more than {MOST_PAGES} pages; no more were paid for")


def _state(item: Mapping[str, Any]) -> TagState:
    changed = str(item.get("LastUpdatedDate") or "")[: len("2026-01-31")]
    return TagState(is_active=item["Status"] == "Active", since=date.fromisoformat(changed) if changed else None)


def _of(tags: Tags, wanted: tuple[str, ...]) -> Tags:
    return tags if isinstance(tags, TagsNotKnown) else {key: tags[key] for key in wanted}


def _filter(subject: Subject) -> dict[str, Any]:
    """By tag; and by account and region, since a bill may be that of an organization, and prefixes repeat."""
    place = subject.account.account
    parts: list[dict[str, Any]] = [
        {"Tags": {"Key": keys.INSTALL_KEY, "Values": [subject.names.prefix]}},
        {"Dimensions": {"Key": "LINKED_ACCOUNT", "Values": [place.account_id]}},
        {"Dimensions": {"Key": "REGION", "Values": [place.region]}},
        {"Not": {"Dimensions": {"Key": "RECORD_TYPE", "Values": ["Credit", "Refund", "Tax"]}}},
    ]
    if subject.install is None:
        parts.append({"Tags": {"Key": keys.DEPLOYMENT_KEY, "Values": sorted(subject.deployment_names)}})
    return {"And": parts}


def _refused(error: Exception) -> CostNotKnown:
    if isinstance(error, DeniedError | CredentialsError):
        return CostNotKnown(why=_why(error), remedy=_AS_THE_ACCOUNT)
    if "DataUnavailableException" in str(error):
        return CostNotKnown(why=_why(error), remedy="ask again after a day: Cost Explorer has nothing yet")
    return CostNotKnown(why=_why(error), remedy="ask again later")


def _why(error: Exception) -> str:
    return reason(error) if isinstance(error, ByocError) else str(error).splitlines()[0]


_AS_THE_ACCOUNT = (
    "ask with --account-profile: credentials of the account itself that may call ce:GetCostAndUsage and "
    "ce:ListCostAllocationTags; in an organization, the management account decides whether that is open to its members"
)
