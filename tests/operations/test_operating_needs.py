"""What revisions, tracing and retention ask of AWS is exactly what the permission source says."""

from __future__ import annotations

import pytest

from byoc.permissions.needs.deployment import TYPES
from byoc.permissions.needs.features import Feature, feature_needs
from tests.operations.test_status_needs import literals

WITHIN_OTHERS = {"ecs:TagResource", "iam:PassRole"}
"""Checked by AWS within another call."""


@pytest.mark.parametrize(
    ("parts", "feature"),
    [
        (("revisions",), Feature.REVISIONS),
        (("langsmith",), Feature.TRACING),
        (("langsmith", "retention"), Feature.RETENTION),
    ],
)
def test_what_a_part_asks_is_what_its_feature_needs(parts: tuple[str, ...], feature: Feature) -> None:
    needed = {need.action for need in feature_needs([feature], TYPES)}
    assert literals(*parts) == needed - WITHIN_OTHERS


def test_a_teardown_needs_nothing_that_it_does_not_ask() -> None:
    assert {need.action for need in feature_needs([Feature.TEARDOWN], TYPES)} - literals("teardown") == set()
