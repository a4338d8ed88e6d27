"""Whether something can be done at all: a search for a request that the evaluator allows.

Whoever holds the role chooses what is sent along (tags, the region, the service that a role is passed to), waits for
the right hour, and comes from the right address: a condition that can be met prevents nothing. What only AWS or the
resource says (the resource's tags, which service calls on one's behalf) cannot be chosen.
"""

from __future__ import annotations

import ipaddress
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from byoc.permissions.analyser.findings import Step, Subject
from byoc.permissions.analyser.places import FOREIGN, Place, filled, places, variables
from byoc.permissions.evaluation.conditions import as_texts, operator_name
from byoc.permissions.evaluation.evaluator import (
    Outcome,
    Request,
    Statement,
    covers_action,
    covers_resource,
    evaluate,
    statements,
)
from byoc.permissions.evaluation.matching import Unresolved

Fixed = Mapping[str, str | None]
"""Condition keys that a question settles; ``None``: the request has no such key."""
_TRIES = 4096
"""Combinations of condition values that are tried for one request; policies with more are rare."""
_NOT_CHOSEN = re.compile(
    r"(.*:(resourcetag|existingobjecttag|\w+-tag)/.*"
    r"|.*:createaction|kms:viaservice|aws:calledvia(first|last)?|aws:source(arn|account|orgid|orgpaths|owner)"
    r"|aws:principalisawsservice|aws:principalservicename.*|aws:resource(orgid|orgpaths)|secretsmanager:secretid)"
)


class Reach:
    """What one principal can do."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.places = places(subject)
        self.arn = subject.arn or self.places[0].iam("role/analysed")
        self.boundary_arn = subject.boundary_arn or self.places[0].iam("policy/boundary-of-the-role")
        self._statements = [s for document in subject.layers.values() for s in statements(document)]
        self._own = [s for document in subject.identity.values() for s in statements(document)]

    def can(self, action: str, resource: str, fixed: Fixed | None = None) -> Step | None:
        """A request of this kind that is allowed, with as little sent along as it takes; ``None`` if there is none."""
        if not any(s.get("Effect") == "Allow" and covers_action(s, action) for s in self._own):
            return None
        for step in self._tries(action, resource, fixed or {}):
            if step.decision.allowed:
                return step
        return None

    def first(self, action: str, resources: Iterator[str], fixed: Fixed | None = None) -> Step | None:
        """The first of some resources on which the action can be done."""
        return next((step for resource in resources if (step := self.can(action, resource, fixed))), None)

    def denied(self, action: str, resource: str, fixed: Fixed | None = None) -> Step | None:
        """The request, if a statement denies it however it is sent; ``None`` if it is allowed or merely not granted."""
        denial = None
        for step in self._tries(action, resource, fixed or {}):
            if step.decision.outcome is not Outcome.EXPLICIT_DENY:
                return None
            denial = denial or step
        return denial

    def everywhere(self, service: str, resource: str, *, region: bool = True, account: bool = True) -> Iterator[str]:
        """The ARNs of a resource in every place that the documents speak of."""
        yield from dict.fromkeys(place.arn(service, resource, region=region, account=account) for place in self.places)

    def home(self) -> tuple[Place, ...]:
        """One place of each account."""
        return tuple({(place.partition, place.account): place for place in self.places}.values())

    def _tries(self, action: str, resource: str, fixed: Fixed) -> Iterator[Step]:
        relevant = [s for s in self._statements if covers_action(s, action) and self._may_cover(s, resource)]
        settled = {key.lower() for key in fixed}
        open_keys = {
            key: values
            for key, values in choices(relevant, resource).items()
            if key.lower() not in settled and can_be_chosen(key)
        }
        base = {**self._base(resource), **{key: value for key, value in fixed.items() if value is not None}}
        for chosen in itertools.islice(itertools.product(*open_keys.values()), _TRIES):
            sent = {key: value for key, value in zip(open_keys, chosen, strict=True) if value is not None}
            request = Request(principal=self.arn, action=action, resource=resource, context={**base, **sent})
            decision = evaluate(request, identity=self.subject.identity, boundary=self.subject.boundary)
            yield Step(request=request, decision=decision)

    def _may_cover(self, statement: Statement, resource: str) -> bool:
        request = Request(principal=self.arn, action="", resource=resource)
        try:
            return covers_resource(statement, request, variables=True)
        except Unresolved:
            return True  # by a variable that is to be given a value

    def _base(self, resource: str) -> dict[str, str]:
        fields = resource.split(":")
        of_resource = {"aws:ResourceAccount": fields[4]} if len(fields) > 4 and fields[4].isdigit() else {}
        return {"aws:PrincipalArn": self.arn, "aws:PrincipalAccount": self.arn.split(":")[4], **of_resource}


def can_be_chosen(key: str) -> bool:
    """Whether the caller decides on a condition key; the resource or AWS itself does on others."""
    return not _NOT_CHOSEN.fullmatch(key.lower())


_BASE = frozenset({"aws:principalarn", "aws:principalaccount", "aws:resourceaccount"})


def choices(relevant: Sequence[Statement], resource: str) -> dict[str, list[str | None]]:
    """Values worth trying by key: none, those that the statements compare with, and one that is none of these."""
    found: dict[str, list[str | None]] = {}
    names: dict[str, str] = {}

    def add(key: str, *values: str) -> None:
        if key.lower() in _BASE:
            return
        listed = found.setdefault(names.setdefault(key.lower(), key), [None])
        listed.extend(value for value in values if value not in listed)

    for statement in relevant:
        for operator, keys in statement.get("Condition", {}).items():
            for key, wanted in keys.items():
                for text in as_texts(wanted):
                    add(key, *_values(operator_name(operator), text))
                    for variable in variables(text):
                        add(variable, "x")
        for element in ("Resource", "NotResource"):
            for pattern in as_texts(statement.get(element, [])):
                for variable in variables(pattern):
                    add(variable, "x")
    regions = found.get(names.get("aws:requestedregion", ""))
    if regions is not None and (region := _region_of(resource)):
        regions[:] = [region]  # a regional resource is asked for in its region
    return found


def _region_of(resource: str) -> str:
    fields = [*resource.split(":"), "", "", "", ""]
    return "us-east-1" if (fields[1], fields[2]) == ("aws", "iam") else fields[3]  # IAM's one region


def _values(operator: str, text: str) -> tuple[str, ...]:
    """Values on both sides of one comparison."""
    if operator == "null":
        return (FOREIGN,)
    if operator == "bool":
        return ("true", "false")
    if operator.startswith("date"):
        return _around_date(text)
    if operator.startswith("numeric"):
        return (text, *(str(float(text) + by) for by in (-1, 1))) if re.fullmatch(r"-?\d+(\.\d+)?", text) else (text,)
    if operator in ("ipaddress", "notipaddress"):
        return _addresses(text)
    return (filled(text), FOREIGN)


def _around_date(text: str) -> tuple[str, ...]:
    try:
        moment = datetime.fromtimestamp(float(text), UTC)
    except ValueError:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            return (text,)
    return tuple((moment + timedelta(seconds=by)).isoformat() for by in (-1, 0, 1))


def _addresses(text: str) -> tuple[str, ...]:
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return ()
    return (str(network[0]), "203.0.113.9")  # the second is an address of documentation's
