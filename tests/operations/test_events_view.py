"""Events of several deployments, as people read them: whose each one is, and whether nothing is nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from byoc.cli.operations.events import show
from byoc.errors import InputError
from byoc.operations.answers import NoAnswerError
from byoc.operations.events.report import read_events
from tests.operations.test_events_reading import answers
from tests.operations.test_status_report import Given, account_stack

SINCE = datetime(2026, 5, 1, tzinfo=UTC)
INLINE = json.dumps({name: {"type": "development", "image": "registry/agents:1"} for name in ("chat", "search")})


def of_chat(asked: dict[str, Any]) -> dict[str, Any]:
    """ECS's answer about services: only those of ``chat`` are there."""
    found: dict[str, Any] = answers()["ecs:DescribeServices"]
    missing = [{"arn": f"arn:aws:ecs:::service/c/{name}", "reason": "MISSING"} for name in asked["services"]]
    return {"services": found["services"] if "-chat-" in asked["services"][0] else [], "failures": missing}


def quiet(**changes: Any) -> Given:
    """An account in which only the API of ``chat`` has events."""
    return Given(
        {
            "ecs:DescribeServices": of_chat,
            "ecs:ListTasks": {"taskArns": []},
            "rds:DescribeEvents": {"Events": []},
            "cloudwatch:DescribeAlarmHistory": {"AlarmHistoryItems": []},
            **changes,
        }
    )


def shown(capsys: pytest.CaptureFixture[str], document: dict[str, Any]) -> list[str]:
    show(document)
    return capsys.readouterr().out.splitlines()


def test_of_several_deployments_each_line_says_whose_it_is_even_if_one_alone_has_events(
    capsys: pytest.CaptureFixture[str],
) -> None:
    document = read_events([account_stack(deployments=INLINE)], quiet(), SINCE)
    assert document["deployments"] == [
        {"stack": "acme", "deployment": "chat"},
        {"stack": "acme", "deployment": "search"},
    ]
    lines = shown(capsys, document)
    assert len(lines) == 2
    assert lines[1] == "2026-05-01T08:05:00Z  acme/chat api: as many containers run as are wanted"


def test_what_could_not_be_asked_is_not_said_to_be_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    silent = quiet(**{"sts:GetCallerIdentity": NoAnswerError("sts:GetCallerIdentity", "timed out", "later")})
    lines = shown(capsys, read_events([account_stack(deployments=INLINE)], silent, SINCE))
    assert lines == [
        "acme/chat: not known: sts:GetCallerIdentity: timed out",
        "acme/search: not known: sts:GetCallerIdentity: timed out",
        "nothing known since 2026-05-01T00:00:00Z",
    ]


def test_nothing_is_nothing_where_everybody_was_asked(capsys: pytest.CaptureFixture[str]) -> None:
    document = read_events([account_stack(deployments=INLINE)], quiet(), SINCE + timedelta(days=1))
    assert shown(capsys, document) == ["nothing since 2026-05-02T00:00:00Z"]


def test_stacks_without_a_deployment_are_refused_before_anything_is_asked() -> None:
    given = quiet()
    with pytest.raises(InputError, match="acme: there is no deployment\n"):
        read_events([account_stack()], given, SINCE)
    assert given.account.asked == []
