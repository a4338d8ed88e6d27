"""What a listener does with a request, and which requests a rule is for: from inputs to the API's forms. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from byoc.sandbox.handlers.calls import present
from byoc.sandbox.handlers.meaning import Unordered, number

_REDIRECT_DEFAULTS = {
    "host": "#{host}",
    "path": "/#{path}",
    "port": "#{port}",
    "protocol": "#{protocol}",
    "query": "#{query}",
}
"""A redirect keeps every part of the address that it does not change (AWS provider)."""


def actions(wanted: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Actions in the order in which they are given, unless they carry an ``order``.

    Raises ``ValueError`` for kinds other than ``forward``, ``redirect`` and ``fixed-response``.
    """
    return [_action(index, action) for index, action in enumerate(wanted, start=1)]


def _action(index: int, action: Mapping[str, Any]) -> dict[str, Any]:
    kind = str(action["type"])
    expand = _KINDS.get(kind)
    if expand is None:
        raise ValueError(f"the sandbox makes no listener action of type '{kind}': only {', '.join(sorted(_KINDS))}")
    return {"Type": kind, "Order": int(action.get("order") or index), **expand(action)}


def _forward(action: Mapping[str, Any]) -> dict[str, Any]:
    if action.get("targetGroupArn"):
        return {"TargetGroupArn": action["targetGroupArn"]}
    forward = action.get("forward") or {}
    if not forward.get("targetGroups"):
        raise ValueError("a listener action of type 'forward' needs 'targetGroupArn' or 'forward.targetGroups'")
    groups = [{"TargetGroupArn": group["arn"], "Weight": group.get("weight", 1)} for group in forward["targetGroups"]]
    stickiness = forward.get("stickiness")
    sticky = stickiness and {"Enabled": bool(stickiness.get("enabled")), "DurationSeconds": stickiness["duration"]}
    return {"ForwardConfig": {"TargetGroups": groups, **present(TargetGroupStickinessConfig=sticky)}}


def _redirect(action: Mapping[str, Any]) -> dict[str, Any]:
    wanted = {**_REDIRECT_DEFAULTS, **(action.get("redirect") or {})}
    return {
        "RedirectConfig": {
            "Host": wanted["host"],
            "Path": wanted["path"],
            "Port": str(wanted["port"]),
            "Protocol": wanted["protocol"],
            "Query": wanted["query"],
            "StatusCode": wanted["statusCode"],
        }
    }


def _fixed_response(action: Mapping[str, Any]) -> dict[str, Any]:
    wanted = action["fixedResponse"]
    return {
        "FixedResponseConfig": {
            "ContentType": wanted["contentType"],
            **present(MessageBody=wanted.get("messageBody"), StatusCode=str(wanted["statusCode"])),
        }
    }


_KINDS: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "fixed-response": _fixed_response,
    "forward": _forward,
    "redirect": _redirect,
}


def stated(wanted: object) -> object:
    """Actions with what is filled in where a program does not say it: their order, and what a redirect keeps."""
    if not isinstance(wanted, Sequence) or not all(isinstance(action, Mapping) for action in wanted):
        return wanted  # not known yet
    return [_stated(index, action) for index, action in enumerate(wanted, start=1)]


def _stated(index: int, action: Mapping[str, Any]) -> dict[str, Any]:
    filled = {**action, "order": action.get("order") or index}
    redirect = action.get("redirect")
    return {**filled, "redirect": {**_REDIRECT_DEFAULTS, **redirect}} if isinstance(redirect, Mapping) else filled


def told_actions(described: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A described listener's or rule's actions as inputs. Of a forward to one group AWS tells both forms."""
    return [_told_action(action) for action in sorted(described, key=lambda action: int(action.get("Order") or 0))]


def _told_action(action: Mapping[str, Any]) -> dict[str, Any]:
    forward = action.get("ForwardConfig") or {}
    groups = forward.get("TargetGroups") or []
    group = action.get("TargetGroupArn") or (groups[0]["TargetGroupArn"] if len(groups) == 1 else None)
    sticky = forward.get("TargetGroupStickinessConfig") or {}
    redirect, fixed = action.get("RedirectConfig"), action.get("FixedResponseConfig")
    return {
        "type": action["Type"],
        "order": action.get("Order"),
        "targetGroupArn": group,
        "forward": {
            "targetGroups": Unordered(
                {"arn": group["TargetGroupArn"], "weight": group.get("Weight")} for group in groups
            ),
            "stickiness": {"enabled": bool(sticky.get("Enabled")), "duration": sticky.get("DurationSeconds")},
        }
        if groups and (len(groups) > 1 or sticky.get("Enabled"))
        else None,
        "redirect": redirect and _told_parts(redirect),
        "fixedResponse": fixed and _told_parts(fixed),
    }


def _told_parts(config: Mapping[str, Any]) -> dict[str, Any]:
    return {key[:1].lower() + key[1:]: number(value) for key, value in config.items()}


def conditions(wanted: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A rule's conditions: all of them must hold. Raises ``ValueError`` for one that says nothing that is known."""
    return [item for condition in wanted for item in _condition(condition)]


def told_conditions(described: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A described rule's conditions as inputs, one field each."""
    return [_told_condition(condition) for condition in described]


def _told_condition(condition: Mapping[str, Any]) -> dict[str, Any]:
    for name, (field, config) in _SIMPLE_CONDITIONS.items():
        if condition["Field"] == field:
            values = (condition.get(config) or {}).get("Values") or condition.get("Values") or []
            return {name: {"values": list(values)}}
    if header := condition.get("HttpHeaderConfig"):
        return {"httpHeader": {"httpHeaderName": header["HttpHeaderName"], "values": list(header["Values"])}}
    pairs = (condition.get("QueryStringConfig") or {}).get("Values") or []
    return {"queryStrings": [present(key=pair.get("Key"), value=pair["Value"]) for pair in pairs]}


def same_conditions(one: Sequence[Mapping[str, Any]] | None, other: Sequence[Mapping[str, Any]]) -> bool:
    """Whether two lists ask the same of a request, however they are cut into conditions."""
    return _by_field(one or []) == _by_field(other)


def _by_field(wanted: Sequence[Mapping[str, Any]]) -> list[str]:
    return sorted(json.dumps(condition, sort_keys=True) for condition in conditions(wanted))


def one_by_one(wanted: object) -> object:
    """Conditions cut into those on one field each."""
    if not isinstance(wanted, Sequence) or not all(isinstance(condition, Mapping) for condition in wanted):
        return wanted  # not known yet
    return [{name: value} for condition in wanted for name, value in condition.items() if value]


def _condition(condition: Mapping[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for name, (field, config) in _SIMPLE_CONDITIONS.items():
        if condition.get(name):
            found.append({"Field": field, config: {"Values": list(condition[name]["values"])}})
    if header := condition.get("httpHeader"):
        values = {"HttpHeaderName": header["httpHeaderName"], "Values": list(header["values"])}
        found.append({"Field": "http-header", "HttpHeaderConfig": values})
    if queries := condition.get("queryStrings"):
        pairs = [present(Key=query.get("key"), Value=query["value"]) for query in queries]
        found.append({"Field": "query-string", "QueryStringConfig": {"Values": pairs}})
    if not found:
        raise ValueError(f"the sandbox knows no listener condition of {', '.join(sorted(condition))}")
    return found


_SIMPLE_CONDITIONS = {
    "hostHeader": ("host-header", "HostHeaderConfig"),
    "httpRequestMethod": ("http-request-method", "HttpRequestMethodConfig"),
    "pathPattern": ("path-pattern", "PathPatternConfig"),
    "sourceIp": ("source-ip", "SourceIpConfig"),
}
