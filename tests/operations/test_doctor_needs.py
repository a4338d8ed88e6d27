"""Whatever doctor asks of AWS is in the permission source, and nothing stands there that it does not ask."""

from __future__ import annotations

from pathlib import Path

import pytest

import byoc.operations.doctor
from byoc.access.required import planned
from byoc.operations.doctor.quota_table import QUOTAS as ASKED_ABOUT
from byoc.operations.doctor.trials import _READS
from byoc.permissions.needs.features import Feature, feature_needs
from byoc.permissions.needs.preflight_rows import QUOTAS
from byoc.permissions.needs.tokens import RESOURCES
from byoc.project.stack_file import read_stack_file
from tests.golden.examples import PASSPHRASE, ROOT, STACKS
from tests.operations.test_status_needs import literals

ROOM = Path(byoc.operations.doctor.__file__).parent
PROBE = tuple(f"doctor/{file.name}" for file in sorted(ROOM.glob("probe*.py")))
PREFLIGHT = tuple(
    f"doctor/{file.name}"
    for file in sorted(ROOM.glob("*.py"))
    # Trials are of actions that the stack itself needs, and requests.py speaks of such; of an endpoint's policy it is
    # looked whether it lets containers ask.
    if file.name not in ("endpoint_policy.py", "requests.py", "trials.py") and f"doctor/{file.name}" not in PROBE
)
NO_ACTIONS = {"sts:ExternalId"}


def needs(feature: Feature) -> set[str]:
    return {need.action for need in feature_needs([feature], RESOURCES.values())}


def test_what_doctor_asks_is_what_a_preflight_needs() -> None:
    assert literals(*PREFLIGHT) - NO_ACTIONS == needs(Feature.PREFLIGHT)


def test_what_its_probe_asks_is_a_need_of_the_probe() -> None:
    if PROBE:
        assert literals(*PROBE) - needs(Feature.EGRESS_PROBE) == set()


def test_a_trial_is_of_an_action_that_some_stack_needs() -> None:
    needed: set[str] = set()
    for stack in STACKS:
        file = read_stack_file(ROOT, stack, passphrase=lambda: PASSPHRASE)
        needed |= {need.action for need in planned(file).needs()}
    assert set(_READS) <= needed


def test_the_quotas_of_both_tables_are_the_same() -> None:
    assert {(quota.service, quota.code) for quota in ASKED_ABOUT} == {
        quota for found in QUOTAS.values() for quota in found
    }


@pytest.mark.parametrize("stack", STACKS)
def test_a_preflight_of_every_example_is_listed_beside_what_the_stack_needs(stack: str) -> None:
    found = planned(read_stack_file(ROOT, stack, passphrase=lambda: PASSPHRASE))
    added = {need.action for need in found.needs([Feature.PREFLIGHT])} - {need.action for need in found.needs()}
    assert "iam:SimulatePrincipalPolicy" in added
    assert ("ecr:DescribeImages" in added) is ("aws:ecs/taskDefinition:TaskDefinition" in found.types)
