"""What changes from one mode or switch to another, action by action, with the reason."""

from __future__ import annotations

from typing import Any

import pytest

from byoc.access.saved import version_of
from byoc.cli.access.diff import compared, document_of
from byoc.permissions.policies.access import POLICIES_VERSION
from tests.unit.test_access_report_modes import MODES, OPENING, report, role


def told(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    before, after = version_of(role(**old)), version_of(role(**new))
    return document_of(before, after, compared(before, after))


def test_from_documented_to_scoped_every_action_that_goes_is_named_with_its_reason() -> None:
    document = told({"access": MODES["documented"]}, {"access": MODES["scoped"]})
    gone = {item["action"]: item["reasons"] for item in document["differences"] if item["kind"] == "no longer allowed"}
    assert len(gone) == report(MODES["documented"]).beyond.actions
    assert all(gone.values())
    assert gone["ec2:DeleteVpc"] == [
        "AmazonECS_FullAccess, a policy of AWS, grants it",
        "no deployment of this library needs it",
    ]
    assert [item["action"] for item in document["differences"] if item["kind"] == "newly allowed"] == [
        "acm:DescribeCertificate",
        "ecr:BatchGetImage",
        "ecr:DescribeImages",
        "ecr:GetDownloadUrlForLayer",
        "iam:SimulatePrincipalPolicy",
        "servicequotas:GetAWSDefaultServiceQuota",
    ], "what byoc doctor asks through a scoped role, and nothing else"
    moved = next(item for item in document["differences"] if item["action"] == "iam:PassRole")
    assert moved["kind"] == "allowed elsewhere"
    assert "tasks run under this install's two task roles and no others" in moved["reasons"]
    assert document["old"] == {"byoc": "0.1.0", "policiesVersion": POLICIES_VERSION, "settings": "mode documented"}
    assert document["new"]["settings"] == "mode scoped"


@pytest.mark.parametrize("mode", MODES)
def test_a_suspension_takes_every_action_away_and_its_end_gives_them_back(mode: str) -> None:
    plain, suspended = {"access": MODES[mode]}, {"access": {**MODES[mode], "suspend": True}}
    lost, regained = told(plain, suspended), told(suspended, plain)
    assert {item["kind"] for item in lost["differences"]} == {"no longer allowed"}
    assert {item["kind"] for item in regained["differences"]} == {"newly allowed"}
    assert len(lost["differences"]) == report(MODES[mode]).beyond.total.role == len(regained["differences"])
    reason = "the account's owner has suspended the control plane"
    assert all(reason in item["reasons"] for item in lost["differences"])


def test_inline_policies_and_limits_are_part_of_the_difference() -> None:
    document = told({"access": MODES["documented"]}, {"access": MODES["documented"], "vendorActivity": {}})
    by_action = {item["action"]: item for item in document["differences"]}
    assert set(by_action) == {action for action in by_action if action.startswith("events:")} != set()
    assert by_action["events:DeleteRule"]["reasons"][0] == (
        "the rules that tell of the control plane are not the control plane's"
    )
    bounded = told({}, {"access": {"permissionsBoundary": "own", "maxSessionHours": 2}})
    assert bounded["limits"] == {
        "permissions boundary": {"old": "none", "new": "arn:aws:iam::123456789012:policy/LangGraphCloudBoundary"},
        "longest session": {"old": "1 h", "new": "2 h"},
    }


def test_an_opening_of_the_role_for_emergencies_is_told_apart_from_the_control_plane_s_role() -> None:
    document = told({"breakGlass": {}}, {"breakGlass": OPENING})
    assert document["differences"] == []
    emergency = document["breakGlass"]
    assert {item["kind"] for item in emergency["differences"]} == {"newly allowed"}
    reasons = {item["action"]: item["reasons"] for item in emergency["differences"]}
    assert reasons["rds:RebootDBInstance"][0] == "restart a database of this install"
    assert "secretsmanager:GetSecretValue" not in reasons
    assert any("ada@example.com" in entry for entry in emergency["trust"]["gained"])
    assert emergency["trust"]["lost"] == ["deny *"]
    assert told({}, {"breakGlass": {}})["breakGlass"]["limits"]["role"]["old"] == "none"
