"""What shows in a statement: typos, allowances by exception, and conditions that another statement voids."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from byoc.permissions.analyser.actions import an_action, matches_an_action
from byoc.permissions.analyser.findings import Finding, Severity, Step, Subject, found
from byoc.permissions.analyser.places import FOREIGN, filled
from byoc.permissions.analyser.reach import Reach
from byoc.permissions.evaluation.conditions import as_texts
from byoc.permissions.evaluation.evaluator import (
    Document,
    Outcome,
    Request,
    Statement,
    covers_action,
    evaluate,
    statements,
)

_UNEXPECTED = ("account:CloseAccount", "organizations:LeaveOrganization", "newservice:AnyAction", "s3:DeleteBucket")
"""Actions that nobody means who lists what is not allowed; the third stands for services to come."""


def text_findings(reach: Reach) -> Iterator[Finding]:
    """Findings of single statements."""
    yield from _unknown_actions(reach.subject)
    yield from _by_exception(reach)
    yield from _repeats(reach)


def _numbered(documents: Mapping[str, Document]) -> Iterator[tuple[str, str, Statement]]:
    for name, document in documents.items():
        for number, statement in enumerate(statements(document), start=1):
            yield name, str(statement.get("Sid") or f"#{number}"), statement


def _unknown_actions(subject: Subject) -> Iterator[Finding]:
    trust = {"trust policy": subject.trust} if subject.trust is not None else {}
    for name, sid, statement in _numbered({**subject.layers, **subject.resource_policies, **trust}):
        for element in ("Action", "NotAction"):
            unknown = [entry for entry in as_texts(statement.get(element, [])) if matches_an_action(entry) is False]
            if not unknown:
                continue
            # What is to be kept out, and is not: a Deny of nothing, or an exception of nothing from an Allow.
            keeps_out = (statement["Effect"] == "Deny") == (element == "Action")
            yield Finding(
                id="unknown-action",
                severity=Severity.MEDIUM if keeps_out else Severity.LOW,
                policy=name,
                sid=sid,
                explanation=f"AWS knows no such action: {', '.join(unknown)}. "
                + ("What it is meant to keep out is not kept out." if keeps_out else "The entry does nothing."),
                remedy="Correct the name; the Service Authorization Reference of AWS lists them.",
            )


def _by_exception(reach: Reach) -> Iterator[Finding]:
    for name, sid, statement in _numbered(reach.subject.identity):
        if statement.get("Effect") != "Allow":
            continue
        if "NotAction" in statement and (step := _decided_by(reach, statement, _unexpected(reach))):
            yield Finding(
                id="not-action-allow",
                severity=Severity.HIGH,
                policy=name,
                sid=sid,
                explanation="It allows every action but those listed, those of services to come included.",
                remedy="List what is allowed under Action.",
                evidence=(step,),
            )
        if "NotResource" in statement and (step := _decided_by(reach, statement, _elsewhere(reach, statement))):
            yield Finding(
                id="not-resource-allow",
                severity=Severity.HIGH,
                policy=name,
                sid=sid,
                explanation="It allows its actions on every resource but those listed, whoever they belong to.",
                remedy="List the resources under Resource.",
                evidence=(step,),
            )


def _unexpected(reach: Reach) -> Iterator[tuple[str, str]]:
    for action in _UNEXPECTED:
        yield action, "*"
        for place in reach.places:
            yield action, place.arn(action.partition(":")[0], FOREIGN)


def _elsewhere(reach: Reach, statement: Statement) -> Iterator[tuple[str, str]]:
    for entry in as_texts(statement.get("Action", [])):
        for place in reach.places:
            yield filled(entry), place.arn(entry.partition(":")[0], FOREIGN)


def _decided_by(reach: Reach, statement: Statement, asked: Iterator[tuple[str, str]]) -> Step | None:
    for action, resource in asked:
        step = reach.can(action, resource) if covers_action(statement, action) else None
        if step and step.decision.statement is statement:
            return step
    return None


def _repeats(reach: Reach) -> Iterator[Finding]:
    subject = reach.subject
    yield from _repeats_in(reach, subject.identity, "identity policies")
    if subject.boundary is not None:
        yield from _repeats_in(reach, {"boundary": subject.boundary}, "boundary")


def _repeats_in(reach: Reach, layer: Mapping[str, Document], name: str) -> Iterator[Finding]:
    """Statements without a condition that allow what another of the same layer allows under one.

    A narrower one is none: it takes nothing from the other's condition beyond its own resources.
    """
    reported: set[tuple[str, str]] = set()
    for conditioned_in, conditioned_sid, conditioned in _numbered(layer):
        if conditioned.get("Effect") != "Allow" or not conditioned.get("Condition"):
            continue
        rest = {policy: _without(document, conditioned) for policy, document in layer.items()}
        for request in _requests(reach, conditioned, layer):
            decision = evaluate(request, identity=rest)
            by = decision.statement
            if decision.outcome is not Outcome.ALLOWED or by is None or by.get("Condition"):
                continue
            step = Step(request=request, decision=decision)
            if (step.policy, step.sid) not in reported:
                reported.add((step.policy, step.sid))
                yield found(
                    "unconditioned-repeat",
                    Severity.HIGH,
                    [step],
                    f"It allows {request.action} without a condition, which {conditioned_sid} of {conditioned_in} "
                    f"allows under one ({name}): the condition has no effect.",
                    "Take the action out of the statement without the condition, or add the condition to it.",
                )


def _without(document: Document, left_out: Statement) -> Document:
    return {**document, "Statement": [one for one in statements(document) if one is not left_out]}


def _requests(reach: Reach, conditioned: Statement, layer: Mapping[str, Document]) -> Iterator[Request]:
    place = reach.places[0]
    for action in _concrete(conditioned, layer):
        for pattern in as_texts(conditioned.get("Resource", [])):
            resource = place.arn(action.partition(":")[0], f"{FOREIGN}/{FOREIGN}") if pattern == "*" else pattern
            yield Request(
                principal=reach.arn,
                action=action,
                resource=filled(resource),
                context={"aws:PrincipalArn": reach.arn},
            )


def _concrete(conditioned: Statement, layer: Mapping[str, Document]) -> list[str]:
    """Actions that a statement covers: those that any statement of the layer names, and one for each wildcard."""
    everything = [entry for _, _, one in _numbered(layer) for entry in as_texts(one.get("Action", []))]
    named = [entry for entry in everything if "*" not in entry and covers_action(conditioned, entry)]
    examples = (an_action(entry) or filled(entry) for entry in as_texts(conditioned.get("Action", [])) if "*" in entry)
    return list(dict.fromkeys([*named, *examples]))
