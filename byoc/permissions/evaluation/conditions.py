"""The ``Condition`` element: every operator of IAM, with its behaviour on missing and on multivalued keys.

Source: AWS docs, "IAM JSON policy elements: Condition operators" and "Set operators for multivalued context keys".
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from byoc.permissions.evaluation.matching import Context, Unresolved, arn_like, like, lookup, substitute

Compare = Callable[[str, str, Context, bool], bool]
"""``(value in the policy, value in the request, context, whether variables are live) -> matches``."""


@dataclass(frozen=True)
class _Operator:
    compare: Compare
    negated: bool = False


def holds(condition: Mapping[str, Mapping[str, Any]], context: Context, *, variables: bool) -> bool:
    """Whether a whole ``Condition`` element is met: all operators and all keys, any of a key's values.

    Raises ``ValueError`` for an operator that IAM does not know.
    """
    return all(
        _key_holds(operator, key, as_texts(values), context, variables=variables)
        for operator, keys in condition.items()
        for key, values in keys.items()
    )


def as_texts(values: Any) -> tuple[str, ...]:  # noqa: ANN401 - what a JSON document may hold here
    """One value or a list of them, each as the text that IAM compares (``true`` for JSON's true)."""
    several = values if isinstance(values, list | tuple) else (values,)
    return tuple(str(value).lower() if isinstance(value, bool) else str(value) for value in several)


def require_operator(operator: str) -> None:
    """Raise ``ValueError`` for an operator that IAM does not know."""
    quantifier, name, if_exists = _parse(operator)
    plain_null = name == "null" and not quantifier and not if_exists
    if name not in _OPERATORS and not plain_null:
        raise ValueError(f"IAM knows no condition operator {operator!r}")


def operator_name(operator: str) -> str:
    """An operator's bare lower-case name, without quantifier and ``IfExists``."""
    return _parse(operator)[1]


def _key_holds(operator: str, key: str, wanted: tuple[str, ...], context: Context, *, variables: bool) -> bool:
    quantifier, name, if_exists = _parse(operator)
    got = lookup(context, key)
    if name == "null" and not quantifier and not if_exists:
        absent = got is None or not got
        return any((value == "true") == absent for value in as_texts(list(wanted)))
    kind = _OPERATORS.get(name)
    if kind is None:
        raise ValueError(f"IAM knows no condition operator {operator!r}")

    def one(value: str) -> bool:
        matched = any(_compare(kind.compare, pattern, value, context, variables=variables) for pattern in wanted)
        return matched != kind.negated

    if quantifier == "forallvalues":
        return all(one(value) for value in got or ())
    if quantifier == "foranyvalue":
        return any(one(value) for value in got or ())  # IfExists changes nothing here: there has to be a value
    if got is None or not got:
        return if_exists or kind.negated
    # A multivalued key under a single-valued operator: any value may match, and none may where the operator negates.
    return all(one(value) for value in got) if kind.negated else any(one(value) for value in got)


def _parse(operator: str) -> tuple[str, str, bool]:
    """An operator's quantifier (or ``""``), bare lower-case name, and whether it ends in ``IfExists``."""
    quantifier, colon, rest = operator.lower().rpartition(":")
    if colon and quantifier not in ("forallvalues", "foranyvalue"):
        raise ValueError(f"IAM knows no condition operator {operator!r}")
    name = rest.removesuffix("ifexists")
    return quantifier, name, name != rest


def _compare(compare: Compare, pattern: str, value: str, context: Context, *, variables: bool) -> bool:
    try:
        return compare(pattern, value, context, variables)
    except (ValueError, InvalidOperation, OverflowError, binascii.Error):
        return False  # a value that is no number, date, address or base64 matches nothing
    except Unresolved:
        return False  # a variable without a value equals nothing


def _equals(pattern: str, value: str, context: Context, variables: bool) -> bool:
    return substitute(pattern, context, variables=variables) == value


def _equals_ignoring_case(pattern: str, value: str, context: Context, variables: bool) -> bool:
    return substitute(pattern, context, variables=variables).casefold() == value.casefold()


def _like(pattern: str, value: str, context: Context, variables: bool) -> bool:
    return like(pattern, value, context, variables=variables)


def _arn_like(pattern: str, value: str, context: Context, variables: bool) -> bool:
    return arn_like(pattern, value, context, variables=variables)


def _address(pattern: str, value: str, context: Context, variables: bool) -> bool:
    network = ipaddress.ip_network(substitute(pattern, context, variables=variables), strict=False)
    return ipaddress.ip_address(value) in network


def _binary(pattern: str, value: str, _context: Context, _variables: bool) -> bool:
    return base64.b64decode(pattern, validate=True) == base64.b64decode(value, validate=True)


def _boolean(pattern: str, value: str, context: Context, variables: bool) -> bool:
    return substitute(pattern, context, variables=variables).lower() == value.lower()


def _numeric(decide: Callable[[Decimal, Decimal], bool]) -> Compare:
    def compare(pattern: str, value: str, context: Context, variables: bool) -> bool:
        return decide(Decimal(value), Decimal(substitute(pattern, context, variables=variables)))

    return compare


def _date(decide: Callable[[datetime, datetime], bool]) -> Compare:
    def compare(pattern: str, value: str, context: Context, variables: bool) -> bool:
        return decide(_moment(value), _moment(substitute(pattern, context, variables=variables)))

    return compare


def _moment(text: str) -> datetime:
    """ISO 8601 or seconds since 1970, as IAM writes dates; without a zone it is UTC."""
    try:
        return datetime.fromtimestamp(float(text), UTC)
    except ValueError:
        moment = datetime.fromisoformat(text)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


_OPERATORS: Mapping[str, _Operator] = {
    "stringequals": _Operator(_equals),
    "stringnotequals": _Operator(_equals, negated=True),
    "stringequalsignorecase": _Operator(_equals_ignoring_case),
    "stringnotequalsignorecase": _Operator(_equals_ignoring_case, negated=True),
    "stringlike": _Operator(_like),
    "stringnotlike": _Operator(_like, negated=True),
    # ArnEquals and ArnLike behave identically (AWS docs: ARN condition operators).
    "arnequals": _Operator(_arn_like),
    "arnnotequals": _Operator(_arn_like, negated=True),
    "arnlike": _Operator(_arn_like),
    "arnnotlike": _Operator(_arn_like, negated=True),
    "numericequals": _Operator(_numeric(lambda got, wanted: got == wanted)),
    "numericnotequals": _Operator(_numeric(lambda got, wanted: got == wanted), negated=True),
    "numericlessthan": _Operator(_numeric(lambda got, wanted: got < wanted)),
    "numericlessthanequals": _Operator(_numeric(lambda got, wanted: got <= wanted)),
    "numericgreaterthan": _Operator(_numeric(lambda got, wanted: got > wanted)),
    "numericgreaterthanequals": _Operator(_numeric(lambda got, wanted: got >= wanted)),
    "dateequals": _Operator(_date(lambda got, wanted: got == wanted)),
    "datenotequals": _Operator(_date(lambda got, wanted: got == wanted), negated=True),
    "datelessthan": _Operator(_date(lambda got, wanted: got < wanted)),
    "datelessthanequals": _Operator(_date(lambda got, wanted: got <= wanted)),
    "dategreaterthan": _Operator(_date(lambda got, wanted: got > wanted)),
    "dategreaterthanequals": _Operator(_date(lambda got, wanted: got >= wanted)),
    "bool": _Operator(_boolean),
    "ipaddress": _Operator(_address),
    "notipaddress": _Operator(_address, negated=True),
    "binaryequals": _Operator(_binary),
}
