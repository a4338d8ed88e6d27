"""What IAM's policy simulation says of who asks: which actions are allowed, and which layer denies the others."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from byoc.errors import ByocError
from byoc.operations.account import Account
from byoc.operations.doctor.asking import Absent, NoAnswer, known, no_answer
from byoc.operations.doctor.requests import BOOLEANS, Question
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
_ORGANIZATION = "a service control policy of the organization"
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
    results = _results(account, principal_arn, first)
    silent = [result for result in results.values() if isinstance(result, NoAnswer)]
    if len(silent) == len(results):
        # What is not answered once is not asked forty times.
        return unanswered(questions, silent[0])
    rulings = list(_rulings(first, results))
    found = each(
        rest, lambda group: _rulings(group, _results(account, principal_arn, group)), at_once=_AT_ONCE, only_looks=True
    )
    return tuple(rulings + [ruling for group in found for ruling in group])


def unanswered(questions: Iterable[Question], reason: NoAnswer) -> tuple[Ruling, ...]:
    """Rulings for questions that cannot be put."""
    return tuple(_ruling(question, reason) for question in questions)


def _ruling(question: Question, answer: Answer) -> Ruling:
    return Ruling(action=question.action, resource=question.resource, answer=answer, how="simulated")


_Result = Mapping[str, Any] | NoAnswer
_Results = Mapping[str, _Result]
"""What IAM says, by action in lower case."""


def _results(account: Account, principal_arn: str, group: Sequence[Question]) -> _Results:
    """Results of questions on one resource; of all of them at once, or in parts where IAM does not take them together.

    IAM refuses actions that "require different authorization information", and does not document which those are.
    """
    try:
        answer = known(lambda: _asked(account, principal_arn, group))
    except _RefusedError as refused:
        if len(group) > 1:
            parts = parts_of(group, refused.words)
            return {name: found for part in parts for name, found in _results(account, principal_arn, part).items()}
        answer = refused.answer
    if isinstance(answer, Absent):
        answer = NoAnswer(why=f"iam:SimulatePrincipalPolicy: IAM knows no {principal_arn}")
    if isinstance(answer, NoAnswer):
        return dict.fromkeys((question.action.lower() for question in group), answer)
    return answer


class _RefusedError(Exception):
    """IAM minds the question itself; ``words`` are its own."""

    def __init__(self, words: str, answer: NoAnswer) -> None:
        self.words, self.answer = words, answer
        super().__init__(words)


def _asked(account: Account, principal_arn: str, group: Sequence[Question]) -> _Results:
    resource, context = group[0].group
    asked: dict[str, Any] = {
        "PolicySourceArn": principal_arn,
        "ActionNames": [question.action for question in group],
        "ResourceArns": [resource],
        "ContextEntries": [_entry(key, value) for key, value in context],
    }
    try:
        found = list(account.all("iam:SimulatePrincipalPolicy", "EvaluationResults", **asked))
    except ByocError as error:
        cause = error.__cause__
        if isinstance(cause, ClientError) and cause.response["Error"]["Code"] == "InvalidInput":
            raise _RefusedError(str(cause.response["Error"].get("Message", "")), no_answer(error)) from error
        raise
    return {item["EvalActionName"].lower(): item for item in found}


def _entry(key: str, value: str) -> dict[str, Any]:
    kind = "boolean" if key in BOOLEANS else "string"
    return {"ContextKeyName": key, "ContextKeyValues": [value], "ContextKeyType": kind}


def parts_of(group: Sequence[Question], message: str) -> tuple[Sequence[Question], ...]:
    """Questions in the parts that IAM names, ``[a, b] and [c] require different…``; in halves where it names none."""
    named = [{name.strip().lower() for name in words.split(",")} for words in re.findall(r"\[([^\]]*)\]", message)]
    parts = [[question for question in group if question.action.lower() in names] for names in named]
    if len(parts) > 1 and all(parts) and sum(map(len, parts)) == len(group):
        return tuple(parts)
    middle = len(group) // 2
    return (group[:middle], group[middle:])


def _rulings(group: Iterable[Question], results: _Results) -> list[Ruling]:
    return [_ruling(question, _answer(question, results.get(question.action.lower()))) for question in group]


def _answer(question: Question, result: _Result | None) -> Answer:
    if isinstance(result, NoAnswer):
        return result
    if result is None:
        return NoAnswer(why=f"iam:SimulatePrincipalPolicy: no word of {question.action}")
    return judge_result(question, result)


def judge_result(question: Question, result: Mapping[str, Any]) -> Answer:
    """What one result of a simulation comes to.

    A deny is none where IAM lacked a condition's value, or knew of the resource only that there are some.
    """
    layer = layer_of(result)
    if result["EvalDecision"] == "allowed" and layer not in (_ORGANIZATION, _BOUNDARY):
        return Allowed()
    missing = {key for part in _details(result) for key in part.get("MissingContextValues") or ()}
    if missing:
        keys = ", ".join(sorted(missing))
        return NoAnswer(why=f"{question.action}: IAM's simulation would need {keys}, which only the call itself has")
    if result["EvalDecision"] == "implicitDeny" and not question.exact and layer in _LIMITED_BY_RESOURCE:
        by = layer.partition(":")[0]
        return NoAnswer(
            why=f"{question.action}: not allowed by {by} on every resource, and which one it will be is not known yet"
        )
    return Denied(layer=layer)


def _details(result: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """A result, and what it says of its resource: where a resource is named, details may stand there alone.

    IAM API Reference: ``EvaluationResult`` and ``ResourceSpecificResult``, ``MissingContextValues``.
    """
    yield result
    yield from result.get("ResourceSpecificResults") or ()


def layer_of(result: Mapping[str, Any]) -> str:
    """The layer that a simulation names (IAM API Reference: EvaluationResult)."""
    if result.get("OrganizationsDecisionDetail", {}).get("AllowedByOrganizations") is False:
        return _ORGANIZATION
    boundaries = [part.get("PermissionsBoundaryDecisionDetail") or {} for part in _details(result)]
    if any(boundary.get("AllowedByPermissionsBoundary") is False for boundary in boundaries):
        return _BOUNDARY
    if result["EvalDecision"] == "explicitDeny":
        matched = [item for part in _details(result) for item in part.get("MatchedStatements") or ()]
        sources = [str(item.get("SourcePolicyId", "")) for item in matched]
        named = ", ".join(dict.fromkeys(source for source in sources if source))
        return f"an explicit deny in {named}" if named else "an explicit deny"
    return _POLICIES
