"""Resource policies and session policies beside a principal's own, within one account."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from byoc.permissions.evaluation.evaluator import Decision, Document, Outcome, Request, evaluate
from tests.unit.test_evaluator_properties import documents, requests

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/app"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/app/session-1"
USER = f"arn:aws:iam::{ACCOUNT}:user/ann"
ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}
DENY = {"Effect": "Deny", "Action": "s3:GetObject", "Resource": "*"}


def document(*statements: dict[str, Any]) -> Document:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def granting(principal: Any) -> Document:
    return document({**ALL, "Principal": principal})


def ask(
    caller: str = SESSION,
    *,
    own: tuple[dict[str, Any], ...] = (),
    boundary: tuple[dict[str, Any], ...] | None = None,
    session: tuple[dict[str, Any], ...] | None = None,
    resource: Document | None = None,
) -> Decision:
    return evaluate(
        Request(principal=caller, action="s3:GetObject", resource="arn:aws:s3:::data/a"),
        identity={"app": document(*own)},
        boundary=document(*boundary) if boundary is not None else None,
        session=document(*session) if session is not None else None,
        resource=resource,
    )


@pytest.mark.parametrize(
    ("principal", "caller", "allowed"),
    [
        ({"AWS": ROLE}, SESSION, True),
        ({"AWS": SESSION}, SESSION, True),
        ({"AWS": USER}, USER, True),
        ("*", SESSION, True),
        ({"AWS": "*"}, SESSION, True),
        ({"Service": "s3.amazonaws.com"}, "s3.amazonaws.com", True),
        # The account as a whole: its administrator has to grant it in an identity policy, too.
        ({"AWS": ACCOUNT}, SESSION, False),
        ({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, SESSION, False),
        ({"AWS": "arn:aws:iam::123456789012:role/other"}, SESSION, False),
    ],
)
def test_a_resource_policy_grants_without_an_identity_policy(principal: Any, caller: str, allowed: bool) -> None:
    decision = ask(caller, resource=granting(principal))
    assert decision.allowed is allowed
    assert decision.layer == ("resource policy" if allowed else "identity policies")


@pytest.mark.parametrize(
    ("principal", "caller", "allowed"),
    [
        ({"AWS": ROLE}, SESSION, False),
        ("*", SESSION, False),
        ({"AWS": SESSION}, SESSION, True),
        ({"AWS": [ROLE, SESSION]}, SESSION, True),
        ({"AWS": USER}, USER, True),
    ],
)
@pytest.mark.parametrize("layer", ["boundary", "session policy"])
def test_what_is_granted_to_a_role_is_bounded_and_what_is_granted_to_the_very_session_is_not(
    principal: Any, caller: str, allowed: bool, layer: str
) -> None:
    limit = ({**ALL, "Action": "ec2:*"},)
    limits: dict[str, Any] = {"boundary": limit} if layer == "boundary" else {"session": limit}
    decision = ask(caller, resource=granting(principal), **limits)
    assert decision.allowed is allowed
    assert decision.layer == ("resource policy" if allowed else layer)


@pytest.mark.parametrize("where", ["own", "boundary", "session"])
def test_an_explicit_deny_wins_over_a_resource_policy(where: str) -> None:
    layers: dict[str, Any] = {"own": (ALL,), where: (ALL, DENY)}
    assert ask(resource=granting({"AWS": SESSION}), **layers).outcome is Outcome.EXPLICIT_DENY


def test_a_deny_in_a_resource_policy_binds_those_it_speaks_of() -> None:
    resource = document({**DENY, "Principal": {"AWS": ROLE}})
    assert ask(own=(ALL,), resource=resource).outcome is Outcome.EXPLICIT_DENY
    assert ask(USER, own=(ALL,), resource=resource).outcome is Outcome.ALLOWED


def test_a_deny_for_all_but_one_spares_that_one() -> None:
    resource = document({**DENY, "NotPrincipal": {"AWS": [ROLE, SESSION]}})
    assert ask(own=(ALL,), resource=resource).allowed
    assert ask(USER, own=(ALL,), resource=resource).outcome is Outcome.EXPLICIT_DENY


def test_a_session_policy_has_to_allow_as_well() -> None:
    decision = ask(own=(ALL,), session=({**ALL, "Action": "ec2:*"},))
    assert (decision.outcome, decision.layer) == (Outcome.IMPLICIT_DENY, "session policy")
    assert ask(own=(ALL,), session=(ALL,)).layer == "identity policy app"


def test_a_session_policy_grants_nothing_by_itself() -> None:
    assert ask(session=(ALL,)).outcome is Outcome.IMPLICIT_DENY


@given(requests, documents, documents)
def test_a_session_policy_never_allows_more(
    request: Request, held: list[dict[str, Any]], session: list[dict[str, Any]]
) -> None:
    identity = {"app": document(*held)}
    if evaluate(request, identity=identity, session=document(*session)).allowed:
        assert evaluate(request, identity=identity).allowed


@given(requests, documents, documents)
def test_a_resource_policy_that_only_allows_never_denies_more(
    request: Request, held: list[dict[str, Any]], resource: list[dict[str, Any]]
) -> None:
    granted = document(*({**one, "Principal": "*"} for one in resource if one["Effect"] == "Allow"))
    if evaluate(request, identity={"app": document(*held)}).allowed:
        assert evaluate(request, identity={"app": document(*held)}, resource=granted).allowed
