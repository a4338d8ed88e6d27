"""Showing teardowns on a terminal: plans, changes as they are made, and the list that is signed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from byoc.cli.view import console, rows_table, show_result
from byoc.operations.teardown.plan import NO_COST
from byoc.operations.teardown.report import blocker_rows, entry_rows, going_rows
from byoc.operations.teardown.run import unexpected_failures

if TYPE_CHECKING:
    from byoc.operations.teardown.clearing import Told
    from byoc.operations.teardown.plan import Plan
    from byoc.operations.teardown.run import Outcome
    from byoc.operations.teardown.sign_off import SignedOff


def show_plan(plan: Plan, *, begins: bool) -> None:
    """What goes, what stays, what stands in the way. ``begins``: whether it is carried out next, unasked."""
    out = console()
    out.print(f"teardown of {plan.stack}", style="bold")
    if plan.going:
        out.print("\ngoes, in this order:")
        out.print(rows_table(("kind", "number", "which"), going_rows(plan.going)))
    else:
        out.print("\nnothing of it is there")
    for secret in plan.purged:
        out.print(f"deleted for good: {secret.id}")
    if plan.kept:
        out.print("\nstays:")
        out.print(rows_table(("kind", "id", "why"), [(item.kind, item.id, item.why) for item in plan.kept]))
    if plan.blockers:
        out.print("\nstands in the way:")
        out.print(rows_table(("kind", "id", "why", "what to do"), blocker_rows(plan.blockers)))
    out.print(f"\n{NO_COST}")
    if plan.standing:
        out.print(f"{plan.stack}: not before {len(plan.standing)} in its way are gone; nothing was changed")
    elif not begins:
        out.print(f"{plan.stack}: nothing keeps it; nothing was changed yet (--yes does it)")


def show_told(item: Told) -> None:
    """One change, before it is made."""
    console().print(f"{item.action} {item.on}: {item.why}")


def show_outcome(outcome: Outcome) -> None:
    """What became of a stack."""
    out = console()
    if outcome.destroyed is not None:
        unexpected = unexpected_failures(outcome.destroyed, outcome.plan)
        show_result(out, replace(outcome.destroyed, failures=unexpected))
    if outcome.error:
        out.print(f"{outcome.plan.stack}: stopped\n{outcome.error}", style="red")
    if outcome.signed is not None:
        show_signed(outcome.signed)


def show_signed(signed: SignedOff) -> None:
    """The list of a sweep, and what it comes to."""
    out = console()
    if signed.entries:
        out.print(rows_table(("verdict", "kind", "id", "why", "what to do"), entry_rows(signed.entries)))
    out.print(f"{signed.stack}: {signed.conclusion}", style="green" if signed.is_clean else "red")
