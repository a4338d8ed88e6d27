"""What tracing and retention ask of AWS is what the permission source says, and every mode grants it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from byoc.naming import Names
from byoc.operations.langsmith.project import ensure_project
from byoc.operations.stacks import read_stacks
from byoc.operations.targets import Accounts, targets
from byoc.permissions.evaluation.evaluator import evaluate
from byoc.permissions.needs.feature import BALANCER, DATABASE, SECRET, SERVICE, Feature
from byoc.permissions.needs.features import feature_needs
from byoc.permissions.needs.requests import requests_of
from byoc.permissions.policies.access import AccessSettings, control_plane_role
from byoc.permissions.policies.managed import documented_identity
from byoc.types import AwsAccount
from tests.operations.retention_world import traced
from tests.sandbox.sandbox_world import CHAT, World
from tests.unit.test_policies_scoped import MODES, PRINCIPAL

ACCOUNT = AwsAccount(account_id="123456789012", region="us-west-2")


def said(feature: Feature) -> set[str]:
    """The actions that the permission source says a feature needs."""
    return {need.action for need in feature_needs([feature], [SECRET, SERVICE, DATABASE, BALANCER])}


@pytest.mark.slow
def test_nothing_is_asked_that_the_permission_source_does_not_say(world: World, tmp_path: Path) -> None:
    with traced(world, tmp_path) as life:
        begin = world.client.next_call()
        (target,) = targets(read_stacks(world.root, [CHAT]), Accounts())
        ensure_project(target, check=False)
        assert _asked(world, begin) == said(Feature.TRACING)
        begin = world.client.next_call()
        for day in (0, 8):
            life.on(day).apply()
        deployed = _asked(world, begin)
        world.destroy(CHAT).done()
        begin = world.client.next_call()
        life.apply()
        assert deployed | _asked(world, begin) == said(Feature.RETENTION)


def _asked(world: World, begin: int) -> set[str]:
    """What was asked of the account since a call, but for who asks."""
    calls = world.calls(since=begin)
    ours = {str(call["action"]) for call in calls if world.account_id in str(call)}
    return {action for action in ours if not action.startswith("sts:")}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("feature", [Feature.TRACING, Feature.RETENTION])
def test_every_mode_grants_what_is_asked_of_the_secret_and_of_the_topic(mode: str, feature: Feature) -> None:
    settings: Mapping[str, Any] = MODES[mode]
    grants = control_plane_role(ACCOUNT, Names(), AccessSettings(principals=(PRINCIPAL,), **settings))
    identity = {**(documented_identity() if grants.aws_managed else {}), **grants.documents}
    requests = [
        request for need in feature_needs([feature], [SECRET]) for request in requests_of(need, ACCOUNT, Names())
    ]
    assert requests
    assert [request for request in requests if not evaluate(request, identity=identity).allowed] == []
