"""Plans and sign-offs as documents: for programs (JSON), and to keep or to send (Markdown)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from byoc.operations.teardown.blockers import Blocker
from byoc.operations.teardown.found import Found
from byoc.operations.teardown.plan import NO_COST, Plan
from byoc.operations.teardown.run import Outcome
from byoc.operations.teardown.sign_off import Entry, SignedOff


def plan_document(plan: Plan) -> dict[str, Any]:
    """A plan for a program to read."""
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
        "cost": None,
    }


def signed_document(signed: SignedOff) -> dict[str, Any]:
    """A sign-off for a program to read."""
    return {
        "stack": signed.stack,
        "clean": signed.is_clean,
        "conclusion": signed.conclusion,
        "entries": [_entry(entry) for entry in signed.entries],
    }


def outcome_document(outcome: Outcome) -> dict[str, Any]:
    """What became of a stack, for a program to read."""
    return {
        "stack": outcome.plan.stack,
        "clean": outcome.is_clean,
        "error": outcome.error,
        "plan": plan_document(outcome.plan),
        "changes": [asdict(item) for item in outcome.told],
        "destroyed": outcome.destroyed.document() if outcome.destroyed is not None else None,
        "sweep": signed_document(outcome.signed) if outcome.signed is not None else None,
    }


def plan_markdown(plan: Plan) -> str:
    """A plan as Markdown."""
    lines = [f"# Teardown of {plan.stack}", ""]
    lines += ["## What stands in the way", "", *_table(_BLOCKER_COLUMNS, blocker_rows(plan.blockers)), ""]
    lines += ["## What goes, in this order", "", *_table(("kind", "how many", "which"), going_rows(plan.going)), ""]
    if plan.purged:
        lines += ["## Secrets that are deleted for good", "", *(f"- {item.id}" for item in plan.purged), ""]
    lines += ["## What stays", "", *_table(_ENTRY_COLUMNS, [_row(entry) for entry in plan.kept]), ""]
    return "\n".join([*lines, f"Cost: {NO_COST}."])


def signed_markdown(signed: SignedOff) -> str:
    """A sign-off as Markdown."""
    lines = [f"# Sweep after the teardown of {signed.stack}", "", f"Conclusion: {signed.conclusion}.", ""]
    return "\n".join([*lines, *_table(("verdict", *_ENTRY_COLUMNS), entry_rows(signed.entries))])


def outcome_markdown(outcome: Outcome) -> str:
    """What became of a stack, as Markdown."""
    lines = [f"# Teardown of {outcome.plan.stack}", ""]
    lines += [f"Stopped: {outcome.error}", ""] if outcome.error else []
    rows = [(item.action, item.on, item.why) for item in outcome.told]
    lines += ["## Changes", "", *_table(("change", "of", "why"), rows), ""]
    return "\n".join([*lines, *([signed_markdown(outcome.signed)] if outcome.signed is not None else [])])


def going_rows(going: Iterable[Found]) -> list[tuple[str, ...]]:
    """What goes, by kind, in order."""
    items = list(going)
    counts = Counter(item.kind for item in items)
    rows: list[tuple[str, ...]] = []
    for kind, count in counts.items():
        names = [f"{item.id} ({item.note})" if item.note else item.id for item in items if item.kind == kind]
        rows.append((kind, str(count), ", ".join(names)))
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
