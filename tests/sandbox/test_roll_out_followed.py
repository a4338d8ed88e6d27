"""A roll-out is followed to its end as the AWS provider follows it, and the role may ask what that asks."""

from __future__ import annotations

import json

import pytest

from tests.sandbox.access_steps import denied
from tests.sandbox.sandbox_world import ACCOUNT, CHAT, Run, World

FOLLOWED = ["ecs:ListServiceDeployments", "ecs:DescribeServiceDeployments"]


def asked(run: Run) -> list[str]:
    return [str(call["action"]) for call in run.calls if call["action"] in FOLLOWED]


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["documented", "scoped"])
def test_a_new_revision_is_followed_and_a_changed_number_is_not(world: World, mode: str) -> None:
    world.configure(ACCOUNT, {"access": {**world.value(ACCOUNT, "access"), "mode": mode}})
    world.up(ACCOUNT).done()
    services = 2  # the server and its cache
    first = world.up(CHAT).done()
    assert sorted(asked(first)) == sorted(FOLLOWED * services)
    image = str(world.value(CHAT, "image")).replace(":1.0.0", ":1.0.1")
    second = world.up(CHAT, f"byoc:image={image}").done()
    assert asked(second) == FOLLOWED
    assert asked(world.up(CHAT, f"byoc:image={image}", f"byoc:tags={json.dumps({'team': 'agents'})}").done()) == []
    assert denied(first.calls).actions | denied(second.calls).actions == set()
