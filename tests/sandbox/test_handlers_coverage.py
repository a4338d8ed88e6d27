"""Every type that an example registers has a handler, and what handlers call is what the permission data lists."""

from __future__ import annotations

import pytest

from byoc.permissions.needs.actions import needs_of, required_actions
from byoc.sandbox.registry import handled_types, invoke_for
from tests.golden.examples import STACKS, recorded
from tests.sandbox.sandbox_world import ACCOUNT, CHAT, SUPPORT, Settled

NOT_LISTED = {"aws:ecr/lifecyclePolicy:LifecyclePolicy"}
"""Handled, but made by no component, so that no role needs its actions."""
OF_THE_SESSION = {"sts:AssumeRole", "sts:GetCallerIdentity"}
"""What the provider itself calls, whatever it manages."""


@pytest.mark.parametrize("stack", STACKS)
def test_every_type_and_look_up_of_an_example_is_handled(stack: str) -> None:
    assert recorded(stack).types - handled_types() == set()
    for call in recorded(stack).calls:
        invoke_for(call.token)  # raises for one that is not answered


def test_every_handled_type_of_aws_has_its_actions_listed() -> None:
    made = set().union(*(recorded(stack).types for stack in STACKS))
    assert made & NOT_LISTED == set(), "a stack makes this now: list its actions"
    for token in sorted(handled_types() - NOT_LISTED):
        assert bool(needs_of(token)) == token.startswith("aws:"), token


@pytest.mark.parametrize("stack", [ACCOUNT, CHAT, SUPPORT])
def test_every_action_that_a_run_calls_is_listed_for_its_types(settled: Settled, stack: str) -> None:
    recording = recorded(stack)
    listed = {need.action for need in required_actions(recording.types, {call.token for call in recording.calls})}
    called = {str(call["action"]) for call in settled.runs[stack].calls}
    assert len(called) > 20
    assert called - listed - OF_THE_SESSION == set()
