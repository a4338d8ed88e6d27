"""What looking after a deployment asks and moto does not answer, or answers wrongly: log entries, alarms, scaling."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from typing import Any

from byoc.sandbox.emulator.requests import ApiRequest
from byoc.sandbox.emulator.stored import Model, backend


def filter_log_events(request: ApiRequest, account: str) -> Mapping[str, Any] | None:
    """moto passes over ``logStreamNamePrefix``; a call without one is left to it."""
    held, prefix = backend("logs", account, request.region), request.text("logStreamNamePrefix")
    group = held.groups.get(request.text("logGroupName")) if held is not None else None
    if group is None or not prefix:
        return None
    names = [name for name in group.streams if name.startswith(prefix)]
    if not names:
        return {"events": [], "searchedLogStreams": []}
    events, token, searched = group.filter_log_events(
        group.name,
        names,
        request.get("startTime"),
        request.get("endTime"),
        request.get("limit"),
        request.get("nextToken"),
        request.text("filterPattern"),
        True,
    )
    return {"events": events, "searchedLogStreams": searched, **({"nextToken": token} if token else {})}


def describe_alarm_history(request: ApiRequest, account: str) -> Mapping[str, Any]:
    """When alarms changed their state, newest first; moto keeps it and does not tell."""
    held, name = backend("cloudwatch", account, request.region), request.text("AlarmName")
    alarms = [alarm for alarm in (held.alarms.values() if held is not None else []) if name in ("", alarm.name)]
    items = sorted(
        (item for alarm in alarms for item in _changes(alarm)), key=lambda item: item["Timestamp"], reverse=True
    )
    if request.text("HistoryItemType") not in ("", "StateUpdate"):
        items = []
    first, last = request.get("StartDate"), request.get("EndDate")
    return {
        "AlarmHistoryItems": [
            item
            for item in items
            if (first is None or item["Timestamp"].timestamp() >= first.timestamp())
            and (last is None or item["Timestamp"].timestamp() <= last.timestamp())
        ]
    }


def _changes(alarm: Model) -> list[dict[str, Any]]:
    """moto notes the state that ended: the next one began at the end of it."""
    states = [(reason, value, at) for _, reason, _, value, at in alarm.history]
    states.append((alarm.state_reason, alarm.state_value, alarm.state_updated_timestamp))
    return [
        {
            "AlarmName": alarm.name,
            "AlarmType": "MetricAlarm",
            "Timestamp": at,
            "HistoryItemType": "StateUpdate",
            "HistorySummary": f"Alarm updated from {before} to {value}",
            "HistoryData": json.dumps(
                {
                    "version": "1.0",
                    "oldState": {"stateValue": before},
                    "newState": {"stateValue": value, "stateReason": reason},
                }
            ),
        }
        for (_, before, _), (reason, value, at) in itertools.pairwise(states)
    ]


def describe_scaling_activities(_request: ApiRequest, _account: str) -> Mapping[str, Any]:
    """None: nothing scales here, since nothing is loaded."""
    return {"ScalingActivities": []}
