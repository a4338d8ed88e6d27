"""What a released version made is taken over by the code of today without a replacement."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.engine.real_world import RealWorld
from tests.engine.released_states import releases, state_file
from tests.golden.examples import STACKS
from tests.sandbox.sandbox_world import ACCOUNT, CHAT, EXAMPLE_ACCOUNT, SUPPORT, World, Worlds, copy_project

_VERSIONED = ["tags", "tagsAll"]
"""From version 2 on the policies of an install carry the version of their documents."""
_ACCESS = {
    "update account-access-guardrails": _VERSIONED,
    "update account-access-supplement": ["policy", *_VERSIONED],  # health of targets, registrations in Cloud Map
}
EXPECTED: Mapping[tuple[str, str], Mapping[str, list[str]]] = {
    ("0.1.0", ACCOUNT): _ACCESS,
    ("0.1.0", "adopted-vpc"): {
        **_ACCESS,
        # Its roles have a permissions boundary, which is now kept where it is.
        "create account-access-boundary-stays": [],
        "create account-runtime-execution-role-boundary-stays": [],
        "create account-runtime-task-role-boundary-stays": [],
    },
}
"""What the upgrade from a release does to a stack beyond nothing: operation, logical name and properties; and why."""


@pytest.fixture(scope="module")
def real(worlds: Worlds, tmp_path_factory: pytest.TempPathFactory) -> RealWorld:
    """The examples' own account, with the cross-account role that the deployments' providers assume."""
    root = tmp_path_factory.mktemp("upgrade") / "project"
    copy_project(root)
    home = root / ".byoc" / "sandbox"
    home.mkdir(parents=True)
    for path in worlds.emulator_home.glob("*.json"):
        (home / path.name).write_bytes(path.read_bytes())
    world = World(root, EXAMPLE_ACCOUNT, worlds.emulator.client)
    world.up(ACCOUNT).done()
    return RealWorld(world)


def outputs(version: str, stack: str) -> Mapping[str, Any]:
    """The outputs of a stack as released."""
    resources = json.loads(state_file(version, stack).read_text())["deployment"]["resources"]
    (root,) = [item for item in resources if item["type"] == "pulumi:pulumi:Stack"]
    found: Mapping[str, Any] = root["outputs"]
    return found


def test_there_is_a_release_with_a_state_of_every_example() -> None:
    assert releases()
    for version in releases():
        assert {path.stem for path in state_file(version, "").parent.glob("*.json")} == set(STACKS)


@pytest.mark.engine
@pytest.mark.slow
@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("version", releases())
def test_the_state_of_a_release_is_left_as_it_is_but_for_what_is_expected(
    real: RealWorld, version: str, stack: str
) -> None:
    real.init(stack)
    real.pulumi("stack", "import", "--file", str(state_file(version, stack)), stack=stack).done()
    if stack in (CHAT, SUPPORT):  # its account is that of the release, not the one that stands in for it here
        account = outputs(version, ACCOUNT)
        keys = ("vpcId", "privateSubnetIds", "publicSubnetIds", "namespaceId")
        groups = [f"{name}SecurityGroupId" for name in ("loadBalancer", "service", "data")]
        real.world.configure(stack, {"runtime": {key: account[key] for key in (*keys, *groups)}})
    preview = real.preview(stack, "--json").done().document
    steps = {
        f"{step['op']} {step['urn'].rsplit('::', 1)[1]}": sorted(step.get("detailedDiff") or {})
        for step in preview["steps"]
        if step["op"] != "same"
    }
    assert steps == EXPECTED.get((version, stack), {})
    made = json.loads(state_file(version, stack).read_text())["deployment"]["resources"]
    touched = [step for step in steps if not step.startswith("create ")]
    assert preview["changeSummary"]["same"] == len(made) - len(touched)
