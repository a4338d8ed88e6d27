"""The end of a probe: what it made is taken away, and what cannot be is told."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from byoc.errors import ByocError
from byoc.operations.account import Account
from byoc.operations.doctor.asking import NoAnswer, known, known_or_absent
from byoc.operations.doctor.probe_plan import Plan
from byoc.operations.doctor.probe_requests import Made
from byoc.operations.many import chunks

_REASON = "byoc doctor --probe-egress is done"
_DELETED_AT_ONCE = 10
"""Task definitions that one ``ecs:DeleteTaskDefinitions`` takes (Amazon ECS API Reference)."""


def take_away(account: Account, plan: Plan, made: Made) -> list[str]:
    """Stop the task, deregister and delete the definition, and what an earlier probe may have left; what stays."""
    left: list[str] = []
    for task in _tasks(account, plan, made, left):
        _try(left, task, partial(account.ask, "ecs:StopTask", cluster=plan.cluster, task=task, reason=_REASON))
    if not made.asked_for_definition:
        return left
    active = _active(account, plan, made, left)
    for arn in active:
        _try(left, arn, partial(account.ask, "ecs:DeregisterTaskDefinition", taskDefinition=arn))
    inactive = _revisions(account, plan, "INACTIVE")
    gone = list(dict.fromkeys([*active, *(inactive if isinstance(inactive, list) else ())]))
    for chunk in chunks(gone, _DELETED_AT_ONCE):
        _try(left, ", ".join(chunk), partial(_deleted, account, chunk))
    return left


def _tasks(account: Account, plan: Plan, made: Made, left: list[str]) -> list[str]:
    """The task, if it may still run; where the call that started it gave no answer, what it may have started."""
    if made.task:
        return [] if made.task_ended else [made.task]
    if not made.asked_for_task:
        return []
    found = known(
        lambda: list(account.all("ecs:ListTasks", "taskArns", cluster=plan.cluster, startedBy=made.started_by))
    )
    if isinstance(found, list):
        return found
    if isinstance(found, NoAnswer):
        left.append(f"perhaps a task of {plan.cluster} started by {made.started_by}: {found.why}")
    return []


def _active(account: Account, plan: Plan, made: Made, left: list[str]) -> list[str]:
    """The definition; and what else the family has, of a probe that was ended by force or whose answer was lost."""
    found = _revisions(account, plan, "ACTIVE")
    own = [made.definition] if made.definition else []
    if isinstance(found, NoAnswer):
        if not own:
            left.append(f"perhaps a task definition {plan.family}: {found.why}")
        return own
    return list(dict.fromkeys([*own, *found]))


def _revisions(account: Account, plan: Plan, status: str) -> list[str] | NoAnswer:
    return known_or_absent(
        lambda: list(
            account.all("ecs:ListTaskDefinitions", "taskDefinitionArns", familyPrefix=plan.family, status=status)
        ),
        [],
    )


def _deleted(account: Account, arns: list[str]) -> None:
    answer = account.ask("ecs:DeleteTaskDefinitions", taskDefinitions=arns)
    if failures := answer.get("failures"):
        raise ByocError("; ".join(f"{each.get('arn')}: {each.get('reason')}" for each in failures))


def _try(left: list[str], what: str, call: Callable[[], object]) -> None:
    answer = known(call)
    if isinstance(answer, NoAnswer):
        names = ", ".join(arn.partition(":task")[2].partition("/")[2] or arn for arn in what.split(", "))
        left.append(f"{names}: {answer.why}")
