"""``byoc teardown``: take stacks down, and prove what is left."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from byoc.cli.asking import typed
from byoc.cli.operations.options import Every, Folder, Profile, Stacks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from byoc.operations.teardown.cost import Cost, CostNotKnown
    from byoc.operations.teardown.plan import Options, Plan
    from byoc.operations.teardown.run import Engine, Outcome
    from byoc.operations.teardown.subject import Subject
    from byoc.runs import RunResult

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do it without asking; needed where there is no terminal.")]
SweepOnly = Annotated[bool, typer.Option("--sweep-only", help="Only look at what is left; change nothing.")]
Unprotect = Annotated[bool, typer.Option("--unprotect", help="Take deletion protection off what goes.")]
Purge = Annotated[
    bool,
    typer.Option("--purge-secrets", help="Delete secrets that wait for their deletion at once, without recovery."),
]
AskCost = Annotated[
    bool,
    typer.Option(
        "--cost",
        help="Say what the last 30 days cost. AWS Cost Explorer charges the account USD 0.01 for each request.",
    ),
]
Sandbox = Annotated[
    bool, typer.Option("--sandbox", help="Destroy as 'byoc sandbox destroy' does: for stacks of 'byoc sandbox up'.")
]
AccountProfile = Annotated[
    str | None, typer.Option("--account-profile", help="AWS profile for account stacks. Default: as --profile.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
Markdown = Annotated[bool, typer.Option("--markdown", help="Print Markdown, to keep or to send.")]
_AT_ONCE = 4
"""Stacks that are asked about at once; of each, eight kinds of things are."""
Profiles = tuple[str | None, str | None]
"""Of deployment stacks, and of account stacks."""
Costs: TypeAlias = "Mapping[str, Cost | CostNotKnown]"
"""By stack; empty where nobody asked."""


def teardown(
    stacks: Stacks = None,
    every: Every = False,
    yes: Yes = False,
    sweep_only: SweepOnly = False,
    unprotect: Unprotect = False,
    purge_secrets: Purge = False,
    cost: AskCost = False,
    sandbox: Sandbox = False,
    profile: Profile = None,
    account_profile: AccountProfile = None,
    json: Json = False,
    markdown: Markdown = False,
    cwd: Folder = None,
) -> int:
    """Show what would go, what stays and what stands in the way; after a yes, take it down and sweep.

    Deployment stacks go before the account stack they live in. Exit code 0 only if nothing is left but what is kept on
    purpose, and everything could be asked; of a plan alone, if nothing stands in its way.
    """
    from byoc.cli.operations.teardown_engines import pulumi_engine, sandbox_engine
    from byoc.operations.teardown.plan import Options

    _check(json=json, markdown=markdown, sweep_only=sweep_only, cost=cost, changes=yes or unprotect or purge_secrets)
    folder = cwd or Path.cwd()
    profiles = (profile, account_profile or profile)
    chosen = _subjects(folder, stacks or (), every=every, profiles=profiles)
    if sweep_only:
        return _sweep(chosen, json=json, markdown=markdown)
    options = Options(unprotect=unprotect, purge_secrets=purge_secrets)
    plans = _plans(chosen, options)
    costs = _costs(chosen, profiles[1]) if cost else {}
    if not (yes and json):
        _show_plans(plans, costs, begins=yes, json=json, markdown=markdown)
    stands = any(plan.standing for plan in plans)
    asks = not yes and not json and not markdown and sys.stdin.isatty() and sys.stdout.isatty()
    if (stands and not (yes and json)) or not (yes or (asks and _agreed(plans))):
        return 1 if stands else 0
    engine = sandbox_engine(folder) if sandbox else pulumi_engine(folder, _profiles_by_stack(chosen, profiles))
    engine = _recorded(folder, engine)
    return _carry_out(plans, engine, options, costs, json=json, markdown=markdown)


def _recorded(folder: Path, engine: Engine) -> Engine:
    """With a record of each deletion, as ``byoc destroy`` leaves one: ``byoc resume`` does not make it again."""
    from dataclasses import replace

    from byoc.automation.recording import recorded_run
    from byoc.project.project_file import find_project

    root = find_project(folder)

    def destroy(stack: str) -> RunResult:
        asked = f"teardown {stack}"
        return recorded_run(root, stack, lambda _: engine.destroy(stack), verb="destroy", asked=asked).result

    return replace(engine, destroy=destroy)


def _check(*, json: bool, markdown: bool, sweep_only: bool, cost: bool, changes: bool) -> None:
    from byoc.errors import InputError

    if json and markdown:
        raise InputError("--json and --markdown cannot both be printed\n      mend it:  give one of the two")
    if sweep_only and changes:
        raise InputError(
            "--sweep-only changes nothing, and --yes, --unprotect and --purge-secrets are about changes\n"
            "      mend it:  give --sweep-only alone, or leave it out"
        )
    if sweep_only and cost:
        raise InputError(
            "--cost belongs to a plan, and --sweep-only shows none\n"
            "      mend it:  leave --sweep-only out: without --yes, nothing is changed"
        )


def _subjects(folder: Path, words: Sequence[str], *, every: bool, profiles: Profiles) -> tuple[Subject, ...]:
    """The stacks, deployments first, once it is certain that the credentials are of the right accounts."""
    from byoc.operations.stacks import read_stacks
    from byoc.operations.targets import Accounts
    from byoc.operations.teardown.subject import reached, subjects

    read = read_stacks(folder, words, every=every)
    deployments, accounts = (
        [stack for stack in read if (stack.config.kind == "account") is is_account] for is_account in (False, True)
    )
    found = (*subjects(deployments, Accounts(profiles[0])), *subjects(accounts, Accounts(profiles[1])))
    return reached(found, lambda line: typer.echo(line, err=True))


def _profiles_by_stack(chosen: Sequence[Subject], profiles: Profiles) -> dict[str, str | None]:
    return {subject.stack: profiles[subject.install is not None] for subject in chosen}


def _plans(chosen: Sequence[Subject], options: Options) -> tuple[Plan, ...]:
    from byoc.operations.many import each
    from byoc.operations.teardown.plan import make_plan

    def planned(number: int) -> Plan:
        subject = chosen[number]
        before = [other for other in chosen[:number] if _place(other) == _place(subject)]
        going_first = {name for other in before for name in other.deployment_names}
        return make_plan(subject, options, going_first=going_first)

    return tuple(each(range(len(chosen)), planned, at_once=_AT_ONCE, only_looks=True))


def _place(subject: Subject) -> tuple[str, str, str]:
    account = subject.account.account
    return account.account_id, account.region, subject.names.prefix


def _agreed(plans: Sequence[Plan]) -> bool:
    """Whether the name of each stack was typed."""
    for plan in plans:
        if typed(f"to take {plan.stack} down, type its name") != plan.stack:
            typer.echo("nothing was changed")
            return False
    return True


def _sweep(chosen: Sequence[Subject], *, json: bool, markdown: bool) -> int:
    from byoc.cli.operations.teardown_view import show_signed
    from byoc.cli.view import show_json
    from byoc.operations.many import each
    from byoc.operations.teardown.report import signed_document, signed_markdown
    from byoc.operations.teardown.run import sweep

    lists = list(each(chosen, sweep, at_once=_AT_ONCE, only_looks=True))
    if json:
        show_json({"stacks": [signed_document(signed) for signed in lists]})
    for signed in () if json else lists:
        typer.echo(signed_markdown(signed)) if markdown else show_signed(signed)
    return 0 if all(signed.is_clean for signed in lists) else 1


def _costs(chosen: Sequence[Subject], profile: str | None) -> Costs:
    """What each stack cost, asked as its account, whose bill it is."""
    from datetime import UTC, datetime

    from byoc.operations.account import Account
    from byoc.operations.teardown.bill import Bill

    today = datetime.now(UTC).date()
    places = dict.fromkeys(subject.account.account for subject in chosen)
    bills = {place: Bill(Account(place, profile=profile)) for place in places}
    return {subject.stack: bills[subject.account.account].cost(subject, today) for subject in chosen}


def _show_plans(plans: Sequence[Plan], costs: Costs, *, begins: bool, json: bool, markdown: bool) -> None:
    from byoc.cli.operations.teardown_view import show_plan
    from byoc.cli.view import show_json
    from byoc.operations.teardown.report import plan_document, plan_markdown

    if json:
        show_json({"plans": [plan_document(plan, costs.get(plan.stack)) for plan in plans]})
    for plan in () if json else plans:
        cost = costs.get(plan.stack)
        typer.echo(plan_markdown(plan, cost)) if markdown else show_plan(plan, cost, begins=begins)


def _carry_out(
    plans: Sequence[Plan], engine: Engine, options: Options, costs: Costs, *, json: bool, markdown: bool
) -> int:
    from byoc.cli.operations.teardown_view import show_outcome, show_told
    from byoc.cli.view import show_json
    from byoc.operations.teardown.report import outcome_document, outcome_markdown
    from byoc.operations.teardown.run import tear_down

    outcomes: list[Outcome] = []
    interrupted = False
    for outcome in tear_down(plans, engine, options, (lambda _: None) if json or markdown else show_told):
        outcomes.append(outcome)
        if not json:
            typer.echo(outcome_markdown(outcome)) if markdown else show_outcome(outcome)
        if interrupted := outcome.destroyed is not None and outcome.destroyed.interrupted:
            break
    if json:
        show_json({"stacks": [outcome_document(item, costs.get(item.plan.stack)) for item in outcomes]})
    if interrupted:
        raise KeyboardInterrupt
    return 0 if all(outcome.is_clean for outcome in outcomes) else 1
