"""Whom the trust policy of the control plane's role lets in, and with which external id: read, not tried."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from byoc.config import DeploymentConfig
from byoc.operations.account import Account
from byoc.operations.doctor.asking import Absent, NoAnswer, known
from byoc.operations.doctor.checks import Area, Check, failed, passed
from byoc.operations.doctor.subject import Subject
from byoc.permissions.evaluation.conditions import as_texts
from byoc.permissions.evaluation.evaluator import Document, Request, evaluate_trust, statements
from byoc.permissions.evaluation.principals import account_of

_AREA = Area.IDENTITY
_EVERYBODY = "*"


@dataclass(frozen=True, kw_only=True)
class Trust:
    """The trust policy of the control plane's role."""

    document: Document


@dataclass(frozen=True, kw_only=True)
class Trusted:
    """Whom the control plane's role should let in."""

    role_arn: str
    principals: tuple[str, ...]
    """Empty where the config does not say: then those are meant whom the policy names."""
    external_ids: tuple[str, ...]
    made: bool
    """Whether the stack itself makes the role."""


def trusted(subject: Subject) -> Trusted | None:
    """What the config says of the role's trust; None where nobody has to be let in, or the role itself was asked."""
    config = subject.config
    if isinstance(config, DeploymentConfig):
        if subject.through_role or subject.role_arn is None or config.external_id is None:
            return None
        ids = (config.external_id.get_secret_value(),)
        return Trusted(role_arn=subject.role_arn, principals=(), external_ids=ids, made=False)
    if not config.access.enabled:
        return None
    return Trusted(
        role_arn=config.account.role_arn(config.names.control_plane_role, config.access.role_path),
        principals=config.access.principal_arns,
        external_ids=config.external_ids,
        made=True,
    )


def read_trust(account: Account, role_arn: str) -> Trust | Absent | NoAnswer:
    """The trust policy of a role."""
    name = role_arn.rpartition("/")[2]
    return known(lambda: Trust(document=account.ask("iam:GetRole", RoleName=name)["Role"]["AssumeRolePolicyDocument"]))


def judge_trust(trust: Trust | Absent | NoAnswer, wanted: Trusted) -> Check:
    """Whether the role lets in whom it should and nobody else, with each external id of the config and not without."""
    name, role = "trust of the control plane's role", wanted.role_arn.rpartition("/")[2]
    if isinstance(trust, NoAnswer):
        return trust.check(_AREA, name)
    if isinstance(trust, Absent):
        if wanted.made:
            return passed(_AREA, name, f"there is no role {role} yet: up makes it")
        return failed(_AREA, name, f"there is no role {role}", "bring the account stack up first, or correct roleArn")
    principals = wanted.principals or principals_of(trust.document)
    wrong = [
        *(
            f"{principal} {words}"
            for principal in principals
            for words, context, allowed in _questions(wanted, trust.document)
            if _is_let_in(trust.document, wanted, principal, context) is not allowed
        ),
        *_strangers(trust.document, wanted),
    ]
    if wrong:
        remedy = "run the account stack's up: it writes the trust policy of its config; and compare byoc:externalId"
        return failed(_AREA, name, "; ".join(dict.fromkeys(wrong)), remedy)
    if not principals:
        return failed(_AREA, name, "it trusts nobody", "run the account stack's up: it writes the trust policy")
    return passed(_AREA, name, f"{', '.join(principals)} with the external id, and not without or with a wrong one")


def _is_let_in(document: Document, wanted: Trusted, principal: str, context: Mapping[str, str]) -> bool:
    asked = Request(principal=principal, action="sts:AssumeRole", resource=wanted.role_arn, context=context)
    return evaluate_trust(asked, document).allowed


def principals_of(document: Document) -> tuple[str, ...]:
    """The principals of AWS that a trust policy's allowing statements name."""
    return tuple(dict.fromkeys(entry for kind, entry in _named(document) if kind == "AWS"))


def _named(document: Document) -> Iterator[tuple[str, str]]:
    """Kind and name of everybody in allowing statements; ``*`` is a principal of AWS, with and without its kind."""
    for statement in statements(document):
        if statement.get("Effect") != "Allow":
            continue
        principal = statement.get("Principal", {})
        if isinstance(principal, Mapping):
            yield from ((kind, entry) for kind, entries in principal.items() for entry in as_texts(entries))
        else:
            yield "AWS", str(principal)
        if "NotPrincipal" in statement:
            yield "AWS", _EVERYBODY


def _strangers(document: Document, wanted: Trusted) -> Iterator[str]:
    """Who is trusted besides: whom the config does not name; everybody, and other kinds of principals, in any case."""
    named = {account_of(principal) or principal for principal in wanted.principals}
    for kind, entry in _named(document):
        if entry == _EVERYBODY:
            yield "everybody (*) is trusted"
        elif kind != "AWS" or (named and (account_of(entry) or entry) not in named):
            yield f"{entry} is trusted, and byoc:access does not name it"


def _questions(wanted: Trusted, document: Document) -> Iterator[tuple[str, Mapping[str, str], bool]]:
    """Words for a wrong answer, context, and the right answer. No words have an external id: they are secrets."""
    for id_ in wanted.external_ids:
        yield "is turned away with the external id", {"sts:ExternalId": id_}, True
    yield "is let in without an external id", {}, False
    yield "is let in with a wrong external id", {"sts:ExternalId": "a-wrong-one"}, False
    if wanted.made:  # a deployment's config has one id; during a rotation the role takes two
        for id_ in set(_ids_in(document)) - set(wanted.external_ids):
            yield "is let in with an external id that the config does not have", {"sts:ExternalId": id_}, False


def _ids_in(document: Document) -> Iterator[str]:
    for statement in statements(document):
        for tests in statement.get("Condition", {}).values():
            for key, values in tests.items():
                if key.lower() == "sts:externalid":
                    yield from as_texts(values)
