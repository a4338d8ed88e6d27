"""The scaling rule: the documents' examples, and the proof that the alarms say what the arithmetic says."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from byoc import scaling_rules as rules
from byoc.scaling_rules import Bounds, Expression, Measurement

PRODUCTION = Bounds(1, 10)


def busy(requests_in_progress: float, containers: float) -> Measurement:
    return Measurement(active_connections=2 * requests_in_progress, healthy_containers=containers)


# What the documents say


def test_twenty_requests_on_one_container_ask_for_a_second() -> None:
    assert rules.needed(20, PRODUCTION) == 2
    assert rules.decide([busy(20, 1)], PRODUCTION) == 1


def test_ten_requests_on_one_container_are_on_target() -> None:
    assert rules.decide([busy(10, 1)] * 40, PRODUCTION) == 0


def test_eleven_requests_need_a_second_container() -> None:
    assert rules.decide([busy(11, 1)], PRODUCTION) == 1


def test_two_containers_with_ten_requests_become_one_after_thirty_minutes_and_not_before() -> None:
    assert rules.SCALE_IN_PERIODS * rules.PERIOD_SECONDS == 30 * 60
    quiet = busy(10, 2)
    for minutes in range(1, 30):
        assert rules.decide([quiet] * minutes, PRODUCTION) == 0, f"after {minutes} minutes"
    assert rules.decide([quiet] * 30, PRODUCTION) == -1


def test_a_burst_in_between_begins_the_thirty_minutes_anew() -> None:
    quiet, burst = busy(10, 2), busy(20, 2)
    assert rules.decide([quiet] * 29 + [burst] + [quiet] * 29, PRODUCTION) == 0
    assert rules.decide([quiet] * 29 + [burst] + [quiet] * 30, PRODUCTION) == -1


def test_a_minute_without_data_begins_the_thirty_minutes_anew() -> None:
    quiet, silence = busy(10, 2), Measurement()
    assert rules.decide([quiet] * 29 + [silence] + [quiet] * 29, PRODUCTION) == 0


def test_streams_count_although_their_response_time_is_tiny() -> None:
    # 35 streams that have run for an hour: no new request, and each one's first byte came after 40 ms.
    streams = Measurement(active_connections=70, requests=0, response_seconds=0.04, healthy_containers=1)
    assert rules.concurrency(streams) == 35
    assert rules.decide([streams], PRODUCTION) == 3


def test_many_requests_over_few_connections_count_by_their_rate() -> None:
    # 1,800 requests in a minute of 0.8 s each are 24 at a time.
    pooled = Measurement(active_connections=12, requests=1800, response_seconds=0.8, healthy_containers=1)
    assert rules.concurrency(pooled) == pytest.approx(24)
    assert rules.decide([pooled], PRODUCTION) == 2


def test_never_more_than_the_maximum_and_never_fewer_than_the_minimum() -> None:
    assert rules.needed(1000, PRODUCTION) == 10
    assert rules.needed(0, Bounds(2, 10)) == 2
    assert rules.decide([busy(1000, 10)] * 40, PRODUCTION) == 0
    assert rules.decide([busy(0, 2)] * 40, Bounds(2, 10)) == 0


def test_no_traffic_at_all_is_a_surplus() -> None:
    assert rules.decide([Measurement(healthy_containers=3)] * 30, PRODUCTION) == -2


def test_without_any_healthy_container_nothing_is_decided() -> None:
    assert rules.decide([Measurement(active_connections=400)] * 40, PRODUCTION) == 0


def test_no_more_containers_go_than_were_too_many_in_every_one_of_the_thirty_minutes() -> None:
    assert rules.decide([busy(5, 6)] * 15 + [busy(40, 6)] + [busy(5, 6)] * 14, PRODUCTION) == -2


def test_fixed_bounds_decide_nothing() -> None:
    assert not Bounds(1, 1).scales
    assert Bounds(1, 2).scales


# Steps


def test_production_has_one_step_per_container() -> None:
    out, back = rules.scale_out_steps(PRODUCTION), rules.scale_in_steps(PRODUCTION)
    assert [step.change for step in out] == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert [step.change for step in back] == [-1, -2, -3, -4, -5, -6, -7, -8, -9]
    for steps in (out, back):
        assert [step.lower for step in steps] == list(range(9))
        assert [step.upper for step in steps] == [*range(1, 9), None]


@given(st.integers(0, 20), st.integers(1, 480))
def test_steps_stay_under_the_quota_leave_no_gap_and_err_to_more_containers(minimum: int, span: int) -> None:
    bounds = Bounds(minimum, minimum + span)
    for steps in (rules.scale_out_steps(bounds), rules.scale_in_steps(bounds)):
        assert len(steps) <= rules.MOST_STEPS
        assert steps[0].lower == 0
        assert [step.upper for step in steps] == [*(step.lower for step in steps[1:]), None]
    for amount in range(1, span + 1):
        assert amount <= rules.change_for(amount, rules.scale_out_steps(bounds)) <= span
        assert 1 <= -rules.change_for(amount, rules.scale_in_steps(bounds)) <= amount
    assert rules.change_for(0, rules.scale_out_steps(bounds)) == 0


# The expressions, read by a small interpreter of CloudWatch's metric math: a missing data point is None


_Value = float | None
_ARITHMETIC: Mapping[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_COMPARISONS: Mapping[type[ast.cmpop], Callable[[float, float], bool]] = {ast.Lt: operator.lt, ast.Gt: operator.gt}


def evaluate(node: ast.expr, known: Mapping[str, _Value]) -> _Value:
    match node:
        case ast.Constant(value=int() | float() as number):
            return number
        case ast.Name(id=name):
            return known[name]
        case ast.BinOp(left=left, op=op, right=right):
            a, b = evaluate(left, known), evaluate(right, known)
            return None if a is None or b is None else _ARITHMETIC[type(op)](a, b)
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            a, b = evaluate(left, known), evaluate(right, known)
            return None if a is None or b is None else float(_COMPARISONS[type(op)](a, b))
        case ast.Call(func=ast.Name(id="FILL"), args=[value, default]):
            found = evaluate(value, known)
            return evaluate(default, known) if found is None else found
        case ast.Call(func=ast.Name(id="CEIL"), args=[value]):
            found = evaluate(value, known)
            return None if found is None else math.ceil(found)
        case ast.Call(func=ast.Name(id="MAX"), args=[ast.List(elts=items)]):
            # Strict, so that nothing relies on how CloudWatch takes the maximum of what is partly missing.
            values = [evaluate(item, known) for item in items]
            return None if None in values else max(value for value in values if value is not None)
        case ast.Call(func=ast.Name(id="IF"), args=[condition, yes, no]):
            holds = evaluate(condition, known)
            return None if holds is None else evaluate(yes if holds else no, known)
    raise AssertionError(f"not metric math: {ast.unparse(node)}")


def run(expressions: tuple[Expression, ...], measurement: Measurement) -> _Value:
    known: dict[str, _Value] = {
        "connections": measurement.active_connections,
        "requests": measurement.requests,
        "seconds": measurement.response_seconds,
        "healthy": measurement.healthy_containers,
    }
    assert known.keys() == {metric.id for metric in rules.METRICS}
    for expression in expressions:
        known[expression.id] = evaluate(ast.parse(expression.text, mode="eval").body, known)
    return known[expressions[-1].id]


counts = st.none() | st.integers(0, 5000).map(float)
measurements = st.builds(
    Measurement,
    active_connections=counts,
    requests=counts,
    response_seconds=st.none() | st.floats(0, 600),
    healthy_containers=st.none() | st.integers(0, 40).map(float),
)
bounds_of = st.builds(lambda low, span: Bounds(low, low + span), st.integers(0, 10), st.integers(1, 60))


@given(measurements, bounds_of)
def test_the_alarms_expressions_agree_with_the_arithmetic(measurement: Measurement, bounds: Bounds) -> None:
    missing = rules.deficit(measurement, bounds)
    assert run(rules.deficit_expressions(bounds), measurement) == missing
    assert run(rules.surplus_expressions(bounds), measurement) == (None if missing is None else -missing)


@pytest.mark.parametrize(
    ("measurement", "deficit"),
    [
        (busy(20, 1), 1),
        (busy(10, 1), 0),
        (busy(10, 2), -1),
        (busy(1000, 4), 6),
        (Measurement(healthy_containers=1), 0),
        (Measurement(active_connections=50), None),
    ],
)
def test_the_expression_gives_the_documented_figures(measurement: Measurement, deficit: float | None) -> None:
    assert run(rules.deficit_expressions(PRODUCTION), measurement) == deficit


def test_ids_are_what_cloudwatch_accepts() -> None:
    ids = [metric.id for metric in rules.METRICS] + [e.id for e in rules.deficit_expressions(PRODUCTION)]
    assert len(ids) == len(set(ids)) <= 20  # AWS limit of metrics and expressions in one alarm
    assert all(name[0].islower() and name.replace("_", "").isalnum() for name in ids)
