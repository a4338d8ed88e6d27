"""A table of questions: may this be done to what belongs to others?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from byoc.permissions.analyser.findings import Finding, Severity, Step, found
from byoc.permissions.analyser.places import FOREIGN, filled
from byoc.permissions.analyser.reach import Reach
from byoc.permissions.evaluation.conditions import as_texts
from byoc.permissions.evaluation.evaluator import covers_action, statements

_TAG_KEY = "resourcetag/"


@dataclass(frozen=True, kw_only=True)
class Question:
    """Actions on one foreign resource, and what it means if they are allowed."""

    id: str
    severity: Severity
    actions: tuple[str, ...]
    resource: str
    """What follows the account in the ARN."""
    service: str
    """Of the ARN."""
    explanation: str
    remedy: str
    region: bool = True
    account: bool = True
    tagger: str | None = None
    """The action that tags such a resource."""


def answers(reach: Reach, questions: Sequence[Question]) -> Iterator[Finding]:
    """A finding for each question that is answered with yes."""
    for question in questions:
        steps = [step for action in question.actions if (step := _asked(reach, question, action))]
        if steps:
            yield found(question.id, question.severity, steps, question.explanation, question.remedy)
    if finding := next(_retagged(reach, questions), None):
        yield finding


def _resources(reach: Reach, question: Question) -> Iterator[str]:
    return reach.everywhere(question.service, question.resource, region=question.region, account=question.account)


def _asked(reach: Reach, question: Question, action: str) -> Step | None:
    return reach.first(action, _resources(reach, question))


def _retagged(reach: Reach, questions: Sequence[Question]) -> Iterator[Finding]:
    """What is limited to a tag, where the tag can be put on what belongs to others."""
    for question in questions:
        for action in question.actions if question.tagger else ():
            tags = _tags(reach, action)
            for resource in _resources(reach, question) if tags else ():
                done = None if reach.can(action, resource) else reach.can(action, resource, dict(tags))
                tagged = done and reach.can(str(question.tagger), resource, _sent(tags))
                if done and tagged:
                    yield found(
                        "tag-makes-it-own",
                        question.severity,
                        [tagged, done],
                        f"A condition limits {action} to a tag, but the tag can be put on what belongs to others first "
                        f"with {question.tagger}.",
                        f"Limit {question.tagger} to resources by name, or to such as carry the tag already.",
                    )


def _tags(reach: Reach, action: str) -> dict[str, str]:
    """The resource tags that statements about an action ask for, with a value that they compare with."""
    return {
        key: filled(as_texts(wanted)[0])
        for document in reach.subject.layers.values()
        for statement in statements(document)
        if covers_action(statement, action)
        for operator, keys in statement.get("Condition", {}).items()
        if "string" in operator.lower()
        for key, wanted in keys.items()
        if _TAG_KEY in key.lower() and as_texts(wanted)
    }


def _sent(tags: dict[str, str]) -> dict[str, str | None]:
    names = {key: key[key.lower().index(_TAG_KEY) + len(_TAG_KEY) :] for key in tags}
    return {f"aws:RequestTag/{names[key]}": value for key, value in tags.items()}


def others(kind: str) -> str:
    """The name of a resource that belongs to others."""
    return f"{kind}{FOREIGN}"
