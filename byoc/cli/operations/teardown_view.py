"""Showing teardowns on a terminal: plans, changes as they are made, and the list that is signed."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING

from rich.padding import Padding

from byoc.cli.view import console, rows_table, show_result
from byoc.operations.teardown.cost import Cost
from byoc.operations.teardown.report import blocker_rows, cost_rows, cost_words, entry_rows, going_rows
from byoc.operations.teardown.run import unexpected_failures
from byoc.operations.teardown.sign_off import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console

    from byoc.operations.teardown.clearing import Told
    from byoc.operations.teardown.cost import CostNotKnown
    from byoc.operations.teardown.plan import Plan
    from byoc.operations.teardown.run import Outcome
    from byoc.operations.teardown.sign_off import SignedOff
    from byoc.operations.teardown.subject import Subject


def show_plan(plan: Plan, cost: Cost | CostNotKnown | None, *, begins: bool) -> None:
    """What goes, what stays, what stands in the way, what it cost.

    ``cost``: None where nobody asked. ``begins``: whether it is carried out next, unasked.
    """
    out = console()
    out.print(f"teardown of {plan.stack}", style="bold")
    if plan.going:
        out.print("\ngoes, in this order:")
        whole = _repeated(plan.subject) if out.is_terminal else ()  # elsewhere names are searched for
        out.print(rows_table(("kind", "number", "which"), going_rows(plan.going, lambda text: _shorter(text, whole))))
        if whole:
            out.print(f"… is {whole[1]}; services and tasks are in cluster {whole[0]}")
    else:
        out.print("\nnothing of it is there")
    for secret in plan.purged:
        out.print(f"deleted for good: {secret.id}")
    if plan.kept:
        out.print("\nstays:")
        _show_each(
            out,
            [(item.kind, item.id, item.why, item.remedy if item.verdict is Verdict.LEFT else "") for item in plan.kept],
        )
    if plan.blockers:
        out.print("\nstands in the way:")
        _show_each(out, blocker_rows(plan.blockers))
    _show_cost(out, cost)
    if plan.standing:
        out.print(f"{plan.stack}: not as long as that stands in the way; nothing was changed")
    elif not begins:
        out.print(f"{plan.stack}: nothing keeps it; nothing was changed yet (--yes does it)")


def _repeated(subject: Subject) -> tuple[str, ...]:
    """What nearly all names of a deployment stack begin with: the cluster, and the deployment's own part."""
    if subject.install is not None:
        return ()
    (deployment,) = subject.deployment_names
    return subject.names.cluster, f"{subject.names.prefix}-{deployment}"


def _shorter(text: str, repeated: tuple[str, ...]) -> str:
    """A name without what nearly all of them begin with."""
    if not repeated:
        return text
    cluster, deployment = repeated
    return text.replace(f"service/{cluster}/", "").replace(f"{cluster}/", "").replace(f"{deployment}-", "…-")


def _show_cost(out: Console, cost: Cost | CostNotKnown | None) -> None:
    first, *more = cost_words(cost)
    out.print(f"\n{first}")
    if isinstance(cost, Cost):
        rows = cost_rows(cost)
        width = max(len(amount) for _, amount in rows)
        out.print(rows_table(("service", "cost".rjust(width)), [(name, amount.rjust(width)) for name, amount in rows]))
    for line in more:
        out.print(line)


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
    for verdict, rows in itertools.groupby(entry_rows(signed.entries), key=lambda row: row[0]):
        out.print(f"{verdict}:")
        _show_each(out, [row[1:] for row in rows])
    if signed.signature is not None:
        out.print(f"swept: {signed.signature}")
    out.print(f"{signed.stack}: {signed.conclusion}", style="green" if signed.is_clean else "red")


def _show_each(out: Console, rows: Iterable[tuple[str, ...]]) -> None:
    """Kind, id, why and what to do, below each other: ids and commands stay whole at any width."""
    alike: dict[tuple[str, str, str], list[str]] = {}
    for kind, id_, why, to_do in rows:
        alike.setdefault((kind, why, to_do), []).append(id_)
    for (kind, why, to_do), ids in alike.items():
        out.print(Padding(f"{kind} {', '.join(ids)}".rstrip(), (0, 0, 0, 2), expand=False))
        for line in (why, f"what to do: {to_do}" if to_do else ""):
            if line:
                out.print(Padding(line, (0, 0, 0, 6), expand=False))
