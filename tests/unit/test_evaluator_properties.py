"""What must hold of every set of policies: denies only take, allows only give, order means nothing."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from byoc.permissions.evaluation.evaluator import Outcome, Request, evaluate, evaluate_trust

ACTIONS = ["s3:GetObject", "s3:PutObject", "ec2:RunInstances"]
RESOURCES = ["arn:aws:s3:::data/a", "arn:aws:s3:::data/b", "*"]
KEYS = ["aws:username", "aws:ResourceTag/team"]

patterns = st.sampled_from([*ACTIONS, "*", "s3:*", "s3:?etObject"])
resources = st.sampled_from([*RESOURCES, "arn:aws:s3:::data/*", "arn:aws:s3:::data/${aws:username}"])
conditions = st.dictionaries(
    st.sampled_from(["StringEquals", "StringNotEquals", "StringLikeIfExists", "ForAllValues:StringEquals", "Null"]),
    st.dictionaries(st.sampled_from(KEYS), st.sampled_from(["a", "true", "false"]), min_size=1, max_size=2),
    max_size=2,
)


@st.composite
def statements(draw: st.DrawFn, effects: tuple[str, ...] = ("Allow", "Deny")) -> dict[str, Any]:
    return {
        "Effect": draw(st.sampled_from(effects)),
        draw(st.sampled_from(["Action", "NotAction"])): draw(st.lists(patterns, min_size=1, max_size=2)),
        draw(st.sampled_from(["Resource", "NotResource"])): draw(st.lists(resources, min_size=1, max_size=2)),
        "Condition": draw(conditions),
    }


requests = st.builds(
    Request,
    principal=st.just("arn:aws:iam::123456789012:role/app"),
    action=st.sampled_from(ACTIONS),
    resource=st.sampled_from(RESOURCES),
    context=st.dictionaries(st.sampled_from(KEYS), st.sampled_from(["a", "b"]), max_size=2),
)
documents = st.lists(statements(), max_size=4)


def outcome(request: Request, held: list[dict[str, Any]], boundary: list[dict[str, Any]] | None = None) -> Outcome:
    def of(found: list[dict[str, Any]]) -> dict[str, Any]:
        return {"Version": "2012-10-17", "Statement": found}

    limit = of(boundary) if boundary is not None else None
    return evaluate(request, identity={"app": of(held)}, boundary=limit).outcome


@given(requests, documents, statements(effects=("Deny",)))
def test_adding_a_deny_never_allows_more(request: Request, held: list[dict[str, Any]], deny: dict[str, Any]) -> None:
    if outcome(request, held) is not Outcome.ALLOWED:
        assert outcome(request, [*held, deny]) is not Outcome.ALLOWED


@given(requests, documents, statements(effects=("Allow",)))
def test_adding_an_allow_never_denies_more(request: Request, held: list[dict[str, Any]], allow: dict[str, Any]) -> None:
    if outcome(request, held) is Outcome.ALLOWED:
        assert outcome(request, [*held, allow]) is Outcome.ALLOWED


@given(requests, documents, st.randoms(use_true_random=False))
def test_the_order_of_statements_means_nothing(request: Request, held: list[dict[str, Any]], random: Any) -> None:
    shuffled = list(held)
    random.shuffle(shuffled)
    assert outcome(request, shuffled) is outcome(request, held)


@given(requests, documents, documents)
def test_a_boundary_never_allows_more(
    request: Request, held: list[dict[str, Any]], boundary: list[dict[str, Any]]
) -> None:
    if outcome(request, held, boundary) is Outcome.ALLOWED:
        assert outcome(request, held) is Outcome.ALLOWED
        assert outcome(request, boundary) is Outcome.ALLOWED


@given(requests, documents, documents)
def test_it_does_not_matter_how_statements_are_spread_over_policies(
    request: Request, first: list[dict[str, Any]], second: list[dict[str, Any]]
) -> None:
    apart = evaluate(
        request,
        identity={
            "first": {"Version": "2012-10-17", "Statement": first},
            "second": {"Version": "2012-10-17", "Statement": second},
        },
    )
    assert apart.outcome is outcome(request, [*first, *second])


@given(requests, documents, st.integers(min_value=0, max_value=3))
def test_a_wider_resource_never_allows_less(request: Request, held: list[dict[str, Any]], which: int) -> None:
    allows = [one for one in held if one["Effect"] == "Allow"]
    if not allows or outcome(request, held) is not Outcome.ALLOWED:
        return
    narrow = allows[which % len(allows)]
    wider = {key: value for key, value in narrow.items() if key != "NotResource"} | {"Resource": "*"}
    assert outcome(request, [wider if one is narrow else one for one in held]) is Outcome.ALLOWED


@given(requests, documents, st.integers(min_value=0, max_value=3))
def test_an_allow_without_its_condition_never_allows_less(
    request: Request, held: list[dict[str, Any]], which: int
) -> None:
    allows = [one for one in held if one["Effect"] == "Allow"]
    if allows and outcome(request, held) is Outcome.ALLOWED:
        open_one = allows[which % len(allows)]
        freed = [{**one, "Condition": {}} if one is open_one else one for one in held]
        assert outcome(request, freed) is Outcome.ALLOWED


@given(requests, documents)
def test_a_deny_without_its_condition_never_allows_more(request: Request, held: list[dict[str, Any]]) -> None:
    stricter = [{**one, "Condition": {}} if one["Effect"] == "Deny" else one for one in held]
    if outcome(request, stricter) is Outcome.ALLOWED:
        assert outcome(request, held) is Outcome.ALLOWED


@given(requests, documents)
def test_equal_documents_are_answered_alike(request: Request, held: list[dict[str, Any]]) -> None:
    again = json.loads(json.dumps(held, sort_keys=True))
    scalars = [
        {key: value[0] if isinstance(value, list) and len(value) == 1 else value for key, value in one.items()}
        for one in held
    ]
    assert outcome(request, again) is outcome(request, held)
    assert outcome(request, scalars) is outcome(request, held)


@given(requests, documents)
def test_the_case_of_actions_and_keys_means_nothing(request: Request, held: list[dict[str, Any]]) -> None:
    def loud(one: dict[str, Any]) -> dict[str, Any]:
        element = "Action" if "Action" in one else "NotAction"
        conditions = {
            operator.upper(): {key.upper(): value for key, value in keys.items()}
            for operator, keys in one["Condition"].items()
        }
        return {**one, element: [entry.upper() for entry in one[element]], "Condition": conditions}

    assert outcome(request, [loud(one) for one in held]) is outcome(request, held)


@given(requests, documents)
def test_a_statement_and_its_opposite_end_in_a_deny(request: Request, held: list[dict[str, Any]]) -> None:
    if outcome(request, held) is Outcome.ALLOWED:
        mirrored = [{**one, "Effect": "Deny"} for one in held if one["Effect"] == "Allow"]
        assert outcome(request, [*held, *mirrored]) is Outcome.EXPLICIT_DENY


@given(requests, documents, statements(effects=("Deny",)))
def test_a_deny_in_a_trust_policy_never_lets_more_in(
    request: Request, held: list[dict[str, Any]], deny: dict[str, Any]
) -> None:
    def trust(found: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "Version": "2012-10-17",
            "Statement": [{**one, "Principal": {"AWS": request.principal}} for one in found],
        }

    if not evaluate_trust(request, trust(held)).allowed:
        assert not evaluate_trust(request, trust([*held, deny])).allowed
