"""The analyser over the cross-account role in every mode and under every switch that the config knows.

Modes and switches are read from the config's model, so that a new one is analysed without a change here.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import pytest
from pydantic.alias_generators import to_camel

from byoc.access.role import role_of
from byoc.permissions.analyser.analyse import analyse
from byoc.permissions.analyser.findings import Subject
from byoc.permissions.policies.documents import control_plane_trust
from tests.unit.config_samples import account
from tests.unit.generated_documents import FIELDS, MODES, is_switch
from tests.unit.test_analyser_generated import DOCUMENTED, GUARDED

NO_SWITCHES = {"enabled", "allow_account_root", "allow_guessable_external_id"}
"""What makes no role, or lets a config say more: the documents are the same with it."""
SWITCHES = sorted(name for name, field in FIELDS.items() if name not in NO_SWITCHES and is_switch(field.annotation))
KEPT = DOCUMENTED - {
    ("any-cluster-delete", "AmazonRDSFullAccess"),
    ("any-database-delete", "AmazonRDSFullAccess"),
    ("any-snapshot-delete", "AmazonRDSFullAccess"),
    ("write-resource-policy", "SecretsManagerReadWrite"),
}
"""What the documented policies open where the role may delete nothing."""
EXTERNAL_ID = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822c"


def settings() -> list[dict[str, Any]]:
    several = itertools.product([False, True], repeat=len(SWITCHES))
    return [
        {"mode": mode, **dict(zip(SWITCHES, values, strict=True))} for mode, values in itertools.product(MODES, several)
    ]


def found(access: Mapping[str, Any], **more: Any) -> set[tuple[str, str]]:
    keys = {to_camel(key): value for key, value in access.items()}
    config = account(access=keys, externalId=EXTERNAL_ID, **more)
    role = role_of("sample", config)
    trust = control_plane_trust(role.principals, [EXTERNAL_ID])
    subject = Subject(arn=role.arn, identity=role.policies, trust=trust)
    return {(finding.id, finding.policy) for finding in analyse(subject)}


def test_the_modes_and_switches_are_those_of_the_config() -> None:
    assert set(MODES) == {"documented", "scoped"}
    assert set(SWITCHES) == {"allow_delete", "guardrails", "observe_only", "suspend"}


def expected(access: Mapping[str, Any]) -> set[tuple[str, str]]:
    if access["mode"] != "documented" or access["suspend"] or access["observe_only"]:
        return set()
    if access["guardrails"]:
        return GUARDED
    return DOCUMENTED if access["allow_delete"] else KEPT


@pytest.mark.parametrize("access", settings(), ids=lambda access: " ".join(map(str, access.values())))
@pytest.mark.parametrize("prefix", ["langgraph-cloud", "a"])
def test_every_mode_opens_what_a_reviewer_is_told_and_scoped_opens_nothing(
    access: Mapping[str, Any], prefix: str
) -> None:
    assert found(access, namePrefix=prefix) == expected(access)


def test_scoped_mode_without_its_limits_would_be_found() -> None:
    """A scoped role whose limits are gone has ways out: the analyser is not blind to its actions."""
    role = role_of("sample", account(access={"mode": "scoped"}, externalId=EXTERNAL_ID))
    opened = {
        name: {
            **document,
            "Statement": [
                {"Effect": "Allow", "Action": one["Action"], "Resource": "*"}
                for one in document["Statement"]
                if one["Effect"] == "Allow" and "Action" in one
            ],
        }
        for name, document in role.policies.items()
    }
    ids = {finding.id for finding in analyse(Subject(arn=role.arn, identity=opened))}
    assert {"pass-any-role", "any-secret-change", "any-database-delete", "any-database-change"} <= ids
