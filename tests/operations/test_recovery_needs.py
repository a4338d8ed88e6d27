"""Whatever a diagnosis or a remedy asks of AWS is in the permission source, which is where grants come from."""

from __future__ import annotations

from byoc.operations.recovery.remedies import ALLOWED
from byoc.permissions.needs.actions import Phase
from byoc.permissions.needs.deployment import TYPES
from byoc.permissions.needs.features import Feature, feature_needs
from tests.operations.test_status_needs import literals

NEEDS = list(feature_needs({Feature.RECOVERY}, TYPES))


def test_what_a_diagnosis_asks_is_a_need_of_recovery_and_nothing_else_is() -> None:
    assert literals("recovery", "tasks.py") == {need.action for need in NEEDS}


def test_only_remedies_change_anything() -> None:
    assert {need.action for need in NEEDS if need.phase is not Phase.READ} == set(ALLOWED)
