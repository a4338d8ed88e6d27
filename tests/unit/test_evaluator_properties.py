"""What must hold of every set of policies: denies only take, allows only give, order means nothing."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from byoc.permissions.evaluation.evaluator import Outcome, Request, evaluate

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
