"""Plans and sign-offs as documents: for programs (JSON), and to keep or to send (Markdown)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from typing import Any

from byoc.operations.teardown.blockers import Blocker
from byoc.operations.teardown.cost import HOW_TO_ASK, Cost, CostNotKnown, Money
from byoc.operations.teardown.found import Found
from byoc.operations.teardown.plan import Plan
from byoc.operations.teardown.run import Outcome
from byoc.operations.teardown.sign_off import Entry, Signature, SignedOff
from byoc.operations.times import iso


def plan_document(plan: Plan, cost: Cost | CostNotKnown | None = None) -> dict[str, Any]:
    """A plan for a program to read. ``cost``: None where nobody asked."""
    return {
        "stack": plan.stack,
        "going": [{"kind": item.kind, "id": item.id, "note": item.note} for item in plan.going],
        "kept": [_entry(entry) for entry in plan.kept],
        "blockers": [
            {
                "kind": item.kind,
                "id": item.id,
                "why": item.why,
                "remedy": item.remedy,
                "clearing": item.clearing.value,
                "stands": item.stands,
            }
            for item in plan.blockers
        ],
        "purged": [item.id for item in plan.purged],
        "cost": _cost(cost),
    }


def _cost(cost: Cost | CostNotKnown | None) -> dict[str, Any] | None:
    if cost is None:
        return None
    if isinstance(cost, CostNotKnown):
        return {"known": False, "why": cost.why, "remedy": cost.remedy}
    return {
        "known": True,
        "firstDay": str(cost.period.first),
        "lastDay": str(cost.period.last),
        "estimated": cost.is_estimated,
        "totals": [_money(money) for money in cost.totals],
        "services": [{"service": service, **_money(money)} for service, money in cost.services],
        "notes": list(cost.notes),
    }


def _money(money: Money) -> dict[str, str]:
    return {"amount": str(money.amount), "currency": money.currency}


def cost_rows(cost: Cost) -> list[tuple[str, str]]:
    """By service, and the sum."""
    rows = [(service, str(money)) for service, money in cost.services]
    said = " (estimated)" if cost.is_estimated else ""
    return [*rows, *((f"total{said}", str(money)) for money in cost.totals)]


def cost_words(cost: Cost | CostNotKnown | None) -> tuple[str, ...]:
    """What there is to say of it beside its rows, line by line."""
    if cost is None:
        return (f"what it cost: {HOW_TO_ASK}",)
    if isinstance(cost, CostNotKnown):
        return (f"what it cost: not known: {cost.why}", f"what to do: {cost.remedy}")
    return (f"what it cost, {cost.period}:", *(f"note: {note}" for note in cost.notes))


def signed_document(signed: SignedOff) -> dict[str, Any]:
    """A sign-off for a program to read."""
    return {
        "stack": signed.stack,
        "clean": signed.is_clean,
        "conclusion": signed.conclusion,
        "signed": _signature(signed.signature),
        "entries": [_entry(entry) for entry in signed.entries],
    }


def _signature(signature: Signature | None) -> dict[str, str] | None:
    if signature is None:
        return None
    place = signature.account
    return {"at": iso(signature.at), "account": place.account_id, "region": place.region, "by": signature.by}


def outcome_document(outcome: Outcome, cost: Cost | CostNotKnown | None = None) -> dict[str, Any]:
    """What became of a stack, for a program to read."""
    return {
        "stack": outcome.plan.stack,
        "clean": outcome.is_clean,
        "error": outcome.error,
        "plan": plan_document(outcome.plan, cost),
        "changes": [asdict(item) for item in outcome.told],
        "destroyed": outcome.destroyed.document() if outcome.destroyed is not None else None,
        "sweep": signed_document(outcome.signed) if outcome.signed is not None else None,
    }


def plan_markdown(plan: Plan, cost: Cost | CostNotKnown | None = None) -> str:
    """A plan as Markdown."""
    lines = [f"# Teardown of {plan.stack}", ""]
    lines += ["## What stands in the way", "", *_table(_BLOCKER_COLUMNS, blocker_rows(plan.blockers)), ""]
    lines += ["## What goes, in this order", "", *_table(("kind", "how many", "which"), going_rows(plan.going)), ""]
    if plan.purged:
        lines += ["## Secrets that are deleted for good", "", *(f"- {item.id}" for item in plan.purged), ""]
    lines += ["## What stays", "", *_table(_ENTRY_COLUMNS, [_row(entry) for entry in plan.kept]), ""]
    lines += ["## What it cost", ""]
    if isinstance(cost, Cost):
        rows = [(service, money) for service, money in cost_rows(cost)]
        lines += [f"{cost.period}, unblended.", "", *_table(("service", "cost"), rows), ""]
        return "\n".join([*lines, *(f"- {note}" for note in cost.notes)])
    return "\n".join([*lines, *(f"- {line}" for line in cost_words(cost))])


def signed_markdown(signed: SignedOff) -> str:
    """A sign-off as Markdown."""
    lines = [f"# Sweep after the teardown of {signed.stack}", "", f"Conclusion: {signed.conclusion}.", ""]
    lines += [f"Swept: {signed.signature}.", ""] if signed.signature is not None else []
    return "\n".join([*lines, *_table(("verdict", *_ENTRY_COLUMNS), entry_rows(signed.entries))])


def outcome_markdown(outcome: Outcome) -> str:
    """What became of a stack, as Markdown."""
    lines = [f"# Teardown of {outcome.plan.stack}", ""]
    lines += [f"Stopped: {outcome.error}", ""] if outcome.error else []
    rows = [(item.action, item.on, item.why) for item in outcome.told]
    lines += ["## Changes", "", *_table(("change", "of", "why"), rows), ""]
    return "\n".join([*lines, *([signed_markdown(outcome.signed)] if outcome.signed is not None else [])])


def going_rows(going: Iterable[Found], shorter: Callable[[str], str] = str) -> list[tuple[str, ...]]:
    """What goes, by kind, in order. ``shorter``: what is shown of an id."""
    items = list(going)
    counts = Counter(item.kind for item in items)
    rows: list[tuple[str, ...]] = []
    for kind, count in counts.items():
        names = [f"{item.id} ({item.note})" if item.note else item.id for item in items if item.kind == kind]
        rows.append((kind, str(count), ", ".join(map(shorter, names))))
    return rows


def blocker_rows(blockers: Iterable[Blocker]) -> list[tuple[str, ...]]:
    """What stands in the way: what it is, why, and who does what about it."""
    return [
        (item.kind, item.id, item.why, item.remedy if item.stands else f"this teardown: {item.clearing.value}")
        for item in blockers
    ]


def entry_rows(entries: Iterable[Entry]) -> list[tuple[str, ...]]:
    """The lines of a sign-off."""
    return [(entry.verdict.value, *_row(entry)) for entry in entries]


_ENTRY_COLUMNS = ("kind", "id", "why", "what to do")
_BLOCKER_COLUMNS = ("kind", "id", "why", "what to do")


def _row(entry: Entry) -> tuple[str, ...]:
    return entry.kind, entry.id, entry.why, entry.remedy


def _entry(entry: Entry) -> dict[str, str]:
    return {
        "verdict": entry.verdict.value,
        "kind": entry.kind,
        "id": entry.id,
        "why": entry.why,
        "remedy": entry.remedy,
    }


def _table(columns: Sequence[str], rows: Sequence[tuple[str, ...]]) -> list[str]:
    if not rows:
        return ["nothing"]
    cells = [[text.replace("|", "\\|").replace("\n", " ") for text in row] for row in rows]
    return [
        f"| {' | '.join(columns)} |",
        f"|{'---|' * len(columns)}",
        *(f"| {' | '.join(row)} |" for row in cells),
    ]
