"""What IAM's policy simulation says of who asks: which actions are allowed, and which layer denies the others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from byoc.operations.account import Account
from byoc.operations.doctor.asking import Absent, NoAnswer, known
from byoc.operations.doctor.requests import Question
from byoc.operations.many import each

_AT_ONCE = 4
"""IAM takes few requests per second."""


@dataclass(frozen=True, kw_only=True)
class Allowed:
    """The action is allowed."""


@dataclass(frozen=True, kw_only=True)
class Denied:
    """The action is denied; ``layer`` is what denies, in plain words, where AWS says it."""

    layer: str = ""


Answer = Allowed | Denied | NoAnswer
_BOUNDARY, _POLICIES = "the permissions boundary", "the policies of who asks: no statement allows it"
_LIMITED_BY_RESOURCE = (_BOUNDARY, _POLICIES)
"""Layers that may allow an action on some resources alone; allow lists of an organization are for all resources."""


@dataclass(frozen=True, kw_only=True)
class Ruling:
    """What is known of one action on one resource, and how: ``simulated``, ``dry run`` or ``asked``."""

    action: str
    resource: str
    answer: Answer
    how: str


def simulate(account: Account, principal_arn: str, questions: Sequence[Question]) -> tuple[Ruling, ...]:
    """Ask IAM about each question; where it may not be asked, every ruling says so."""
    groups: dict[object, list[Question]] = defaultdict(list)
    for question in questions:
        groups[question.group].append(question)
    first, *rest = groups.values()
    rulings = list(_simulated(account, principal_arn, first))
    if all(isinstance(ruling.answer, NoAnswer) for ruling in rulings):
        # What is not answered once is not asked forty times.
        return tuple(_ruling(question, rulings[0].answer) for question in questions)
    for found in each(rest, lambda group: _simulated(account, principal_arn, group), at_once=_AT_ONCE):
        rulings += found
    return tuple(rulings)


def unanswered(questions: Iterable[Question], reason: NoAnswer) -> tuple[Ruling, ...]:
    """Rulings for questions that cannot be put."""
    return tuple(_ruling(question, reason) for question in questions)


def _ruling(question: Question, answer: Answer) -> Ruling:
    return Ruling(action=question.action, resource=question.resource, answer=answer, how="simulated")


def _simulated(account: Account, principal_arn: str, group: Sequence[Question]) -> tuple[Ruling, ...]:
    resource, context = group[0].group
    entries = [
        {"ContextKeyName": key, "ContextKeyValues": [value], "ContextKeyType": "string"} for key, value in context
    ]
    answer = known(
        lambda: list(
            account.all(
                "iam:SimulatePrincipalPolicy",
                "EvaluationResults",
                PolicySourceArn=principal_arn,
                ActionNames=[question.action for question in group],
                ResourceArns=[resource],
                ContextEntries=entries,
            )
        )
    )
    if isinstance(answer, Absent):
        answer = NoAnswer(why=f"iam:SimulatePrincipalPolicy: IAM knows no {principal_arn}")
    if isinstance(answer, NoAnswer):
        return unanswered(group, answer)
    results = {item["EvalActionName"].lower(): item for item in answer}
    return tuple(_ruling(question, _answer(question, results.get(question.action.lower()))) for question in group)


def _answer(question: Question, result: Mapping[str, Any] | None) -> Answer:
    if result is None:
        return NoAnswer(why=f"iam:SimulatePrincipalPolicy: no word of {question.action}")
    return judge_result(question, result)


def judge_result(question: Question, result: Mapping[str, Any]) -> Answer:
    """What one result of a simulation comes to.

    A deny is none where IAM lacked a condition's value, or knew of the resource only that there are some.
    """
    if result["EvalDecision"] == "allowed":
        return Allowed()
    missing = result.get("MissingContextValues") or ()
    if missing:
        keys = ", ".join(sorted(missing))
        return NoAnswer(why=f"{question.action}: IAM's simulation would need {keys}, which only the call itself has")
    layer = layer_of(result)
    if result["EvalDecision"] == "implicitDeny" and not question.exact and layer in _LIMITED_BY_RESOURCE:
        by = layer.partition(":")[0]
        return NoAnswer(
            why=f"{question.action}: not allowed by {by} on every resource, and which one it will be is not known yet"
        )
    return Denied(layer=layer)


def layer_of(result: Mapping[str, Any]) -> str:
    """The layer that a simulation names (IAM API Reference: EvaluationResult)."""
    if result.get("OrganizationsDecisionDetail", {}).get("AllowedByOrganizations") is False:
        return "a service control policy of the organization"
    if result.get("PermissionsBoundaryDecisionDetail", {}).get("AllowedByPermissionsBoundary") is False:
        return _BOUNDARY
    if result["EvalDecision"] == "explicitDeny":
        sources = [str(item.get("SourcePolicyId", "")) for item in result.get("MatchedStatements") or ()]
        named = ", ".join(dict.fromkeys(source for source in sources if source))
        return f"an explicit deny in {named}" if named else "an explicit deny"
    return _POLICIES
