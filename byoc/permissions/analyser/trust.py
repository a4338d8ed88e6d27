"""Who may assume the role: anybody, a whole account, somebody without the external id, somebody who guesses it."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping

from byoc.permissions.analyser.findings import Finding, Severity, Step, found
from byoc.permissions.analyser.places import FOREIGN
from byoc.permissions.analyser.reach import Reach, can_be_chosen, choices
from byoc.permissions.analyser.resource_policies import STRANGER
from byoc.permissions.evaluation.conditions import as_texts
from byoc.permissions.evaluation.evaluator import Decision, Document, Request, Statement, evaluate_trust, statements
from byoc.permissions.evaluation.principals import account_of
from byoc.permissions.external_ids import why_guessable

_EXTERNAL_ID = "sts:ExternalId"
_ASSUME = "sts:AssumeRole"
_TRIES = 4096
_WHAT_AWS_ACCEPTS = re.compile(r"[\w+=,.@:/-]{2,1224}", re.ASCII)
"""Anything else stands for an external id that is not shown."""


def trust_findings(reach: Reach) -> Iterator[Finding]:
    """What is wrong with the trust policy."""
    trust = reach.subject.trust
    if trust is None:
        return
    seen = _Trust(reach, trust)
    anyone = seen.lets_in(STRANGER)
    if anyone:
        yield found(
            "trust-anyone",
            Severity.CRITICAL,
            [anyone],
            "Any principal of any AWS account may assume the role if it meets the conditions.",
            "Name the roles or users in Principal.",
        )
    else:
        yield from _accounts(seen)
    yield from _external_id(seen)


class _Trust:
    """A trust policy, asked by different callers."""

    def __init__(self, reach: Reach, trust: Document) -> None:
        self.role = reach.arn
        self.own_account = reach.subject.arn.split(":")[4] if reach.subject.arn else None
        self.document = trust
        self.statements = [s for s in statements(trust) if s.get("Effect") == "Allow"]

    def lets_in(self, caller: str, fixed: Mapping[str, str | None] | None = None) -> Step | None:
        """The request with which ``caller`` gets in, if it does."""
        settled = {key.lower(): value for key, value in (fixed or {}).items()}
        open_keys = {
            key: values
            for key, values in choices(list(statements(self.document)), self.role).items()
            if key.lower() not in settled and can_be_chosen(key) and not key.lower().startswith("aws:principal")
        }
        base = {"aws:PrincipalArn": caller, "aws:PrincipalAccount": _account(caller)}
        base |= {key: value for key, value in (fixed or {}).items() if value is not None}
        for chosen in itertools.islice(itertools.product(*open_keys.values()), _TRIES):
            sent = {key: value for key, value in zip(open_keys, chosen, strict=True) if value is not None}
            request = Request(principal=caller, action=_ASSUME, resource=self.role, context={**base, **sent})
            decision = evaluate_trust(request, self.document)
            if decision.allowed:
                return Step(request=request, decision=decision)
        return None

    @property
    def callers(self) -> list[str]:
        """The principals of other accounts that are named; where the role's account is unknown, all of them."""
        entries = [entry for statement in self.statements for entry in _aws(statement)]
        named = [f"arn:aws:iam::{account}:role/{FOREIGN}" if (account := account_of(e)) else e for e in entries]
        arns = [STRANGER if entry == "*" else entry for entry in named if entry == "*" or entry.startswith("arn:")]
        return [arn for arn in dict.fromkeys(arns) if _account(arn) != self.own_account]


def _accounts(seen: _Trust) -> Iterator[Finding]:
    accounts = [account for s in seen.statements for entry in _aws(s) if (account := account_of(entry))]
    for account in dict.fromkeys(accounts):
        step = seen.lets_in(f"arn:aws:iam::{account}:role/{FOREIGN}")
        if step and account != seen.own_account:
            yield found(
                "trust-whole-account",
                Severity.MEDIUM,
                [step],
                "Every role and user of the trusted account that its administrators allow may assume the role.",
                "Name the roles or users in Principal, in the place of the account's id or root.",
            )
            return


def _external_id(seen: _Trust) -> Iterator[Finding]:
    ids = [value for s in seen.statements for value in _external_ids(s)]
    for caller in seen.callers:
        without = seen.lets_in(caller, {_EXTERNAL_ID: None})
        if without and _mentions(without.decision):
            yield found(
                "external-id-optional",
                Severity.CRITICAL,
                [without],
                "The condition on sts:ExternalId is met by a caller that sends no external id at all: so do "
                "ForAllValues, IfExists and the operators that negate.",
                "Use plain StringEquals on sts:ExternalId.",
            )
            break
        if without:
            yield found(
                "external-id-missing",
                Severity.HIGH,
                [without],
                "Another account may assume the role without an external id: whoever can make that account act for "
                "them gets in here (a confused deputy).",
                "Add a condition StringEquals on sts:ExternalId.",
            )
            break
        wrong = seen.lets_in(caller, {_EXTERNAL_ID: FOREIGN})
        if wrong:
            yield found(
                "external-id-any",
                Severity.CRITICAL,
                [wrong],
                "Any external id is accepted.",
                "Use plain StringEquals on sts:ExternalId, with the whole id.",
            )
            break
    yield from _guessable(seen, ids)


def _guessable(seen: _Trust, ids: list[str]) -> Iterator[Finding]:
    for external_id in ids:
        why = why_guessable(external_id) if _WHAT_AWS_ACCEPTS.fullmatch(external_id) else None
        for caller in seen.callers if why else ():
            step = seen.lets_in(caller, {_EXTERNAL_ID: external_id})
            if step:
                yield found(
                    "external-id-guessable",
                    Severity.HIGH,
                    [step],
                    f"The external id can be guessed: {why}.",
                    "Take a random one of at least 32 characters, such as: byoc external-id new",
                )
                return


def _mentions(decision: Decision) -> bool:
    return bool(decision.statement) and any(
        key.lower() == _EXTERNAL_ID.lower()
        for keys in (decision.statement or {}).get("Condition", {}).values()
        for key in keys
    )


def _external_ids(statement: Statement) -> Iterator[str]:
    for operator, keys in statement.get("Condition", {}).items():
        for key, wanted in keys.items():
            if key.lower() == _EXTERNAL_ID.lower() and "not" not in operator.lower() and operator.lower() != "null":
                yield from as_texts(wanted)


def _aws(statement: Statement) -> Iterator[str]:
    principal = statement.get("Principal", {})
    if isinstance(principal, str):
        yield principal
    else:
        yield from as_texts(principal.get("AWS", []))


def _account(arn: str) -> str:
    return arn.split(":")[4]
