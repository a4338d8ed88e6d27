"""Whatever status, logs and events ask of AWS is in the permission source, which is where grants come from."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import byoc.operations
from byoc.permissions.needs.deployment import TYPES
from byoc.permissions.needs.features import Feature, feature_needs

ROOM = Path(byoc.operations.__file__).parent
ACTION = re.compile(r'"([a-z][a-z0-9-]+:[A-Z][A-Za-z]+)"')
ALWAYS = {"sts:GetCallerIdentity", "sts:AssumeRole"}
"""No policy can deny the first; the second is asked of the control plane's own account, and of the role's trust."""


def literals(*parts: str) -> set[str]:
    """The actions that stand in the source of a part of the room."""
    files = [
        file for part in parts for file in ([ROOM / part] if part.endswith(".py") else (ROOM / part).rglob("*.py"))
    ]
    assert files
    return {action for file in files for action in ACTION.findall(file.read_text())} - ALWAYS


@pytest.mark.parametrize(
    ("parts", "features", "some"),
    [
        (("status",), {Feature.STATUS}, "rds:DescribeDBInstances"),
        (("logs.py", "log_streams.py", "tasks.py"), {Feature.LOGS, Feature.STATUS}, "logs:FilterLogEvents"),
        (("events", "tasks.py"), {Feature.EVENTS, Feature.STATUS}, "cloudwatch:DescribeAlarmHistory"),
    ],
)
def test_what_a_part_asks_is_a_need_of_its_features(parts: tuple[str, ...], features: set[Feature], some: str) -> None:
    asked = literals(*parts)
    assert some in asked
    assert asked - {need.action for need in feature_needs(features, TYPES)} == set()


def test_every_question_names_its_action_as_a_literal() -> None:
    for file in [
        *(ROOM / "status").rglob("*.py"),
        *(ROOM / "events").rglob("*.py"),
        ROOM / "logs.py",
        ROOM / "log_streams.py",
        ROOM / "tasks.py",
    ]:
        for asked in re.findall(r"\.(?:ask|all)\(\s*([^\s,)]+)", file.read_text()):
            assert ACTION.fullmatch(asked), f"{file.name}: {asked}"
