"""Listener actions and conditions, from a program's inputs to what the API takes."""

from __future__ import annotations

import pytest

from byoc.sandbox.handlers.elbv2_actions import actions, conditions


def test_actions_become_what_the_api_takes() -> None:
    assert actions(
        [
            {"type": "redirect", "redirect": {"protocol": "HTTPS", "port": "443", "statusCode": "HTTP_301"}},
            {
                "type": "forward",
                "forward": {"targetGroups": [{"arn": "a", "weight": 3}], "stickiness": {"duration": 5}},
            },
        ]
    ) == [
        {
            "Type": "redirect",
            "Order": 1,
            "RedirectConfig": {
                "Host": "#{host}",
                "Path": "/#{path}",
                "Port": "443",
                "Protocol": "HTTPS",
                "Query": "#{query}",
                "StatusCode": "HTTP_301",
            },
        },
        {
            "Type": "forward",
            "Order": 2,
            "ForwardConfig": {
                "TargetGroups": [{"TargetGroupArn": "a", "Weight": 3}],
                "TargetGroupStickinessConfig": {"Enabled": False, "DurationSeconds": 5},
            },
        },
    ]


def test_an_action_that_the_sandbox_does_not_make_is_refused() -> None:
    with pytest.raises(ValueError, match="no listener action of type 'authenticate-oidc'"):
        actions([{"type": "authenticate-oidc"}])
    with pytest.raises(ValueError, match=r"needs 'targetGroupArn' or 'forward.targetGroups'"):
        actions([{"type": "forward"}])


def test_conditions_become_what_the_api_takes() -> None:
    assert conditions(
        [
            {"httpHeader": {"httpHeaderName": "X-A", "values": ["1"]}, "sourceIp": {"values": ["10.0.0.0/8"]}},
            {"queryStrings": [{"key": "a", "value": "1"}, {"value": "2"}]},
        ]
    ) == [
        {"Field": "source-ip", "SourceIpConfig": {"Values": ["10.0.0.0/8"]}},
        {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-A", "Values": ["1"]}},
        {"Field": "query-string", "QueryStringConfig": {"Values": [{"Key": "a", "Value": "1"}, {"Value": "2"}]}},
    ]
    with pytest.raises(ValueError, match="no listener condition of weather"):
        conditions([{"weather": {"values": ["fine"]}}])
