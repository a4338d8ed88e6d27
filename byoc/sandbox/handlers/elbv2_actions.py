"""What a listener does with a request, and which requests a rule is for: from inputs to the API's forms. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from byoc.sandbox.handlers.calls import present

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


def conditions(wanted: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A rule's conditions: all of them must hold. Raises ``ValueError`` for one that says nothing that is known."""
    return [item for condition in wanted for item in _condition(condition)]


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
