"""The embedded engine and the real one come to the same: this is what keeps the embedded one honest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from byoc.values import Secret
from tests.engine.comparing import Comparison
from tests.engine.real_world import RealWorld
from tests.engine.test_life import PLACED_IN, REGIONS
from tests.golden.examples import STACKS
from tests.sandbox.sandbox_world import World, Worlds

STACK_TYPE = "pulumi:pulumi:Stack"
_OF_THE_ENGINE = frozenset({"__internal", "version", "pluginDownloadURL"})
"""Inputs of a provider that the real engine notes for itself: which plugin to start."""
RANDOM_ID = "random:index/randomId:RandomId"
RANDOM = frozenset({"b64Std", "b64Url", "dec", "hex"})
"""The outputs of a random id, which are too short to be told from words."""
Resources = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Twins:
    """One stack, made by each engine in an account of its own."""

    stack: str
    real: Resources
    embedded: Resources
    real_outputs: Mapping[str, Any]
    embedded_outputs: Mapping[str, Any]


def made_twice(worlds: Worlds, stack: str) -> Twins:
    real, embedded = RealWorld(new_world(worlds, stack)), new_world(worlds, stack)
    for name in filter(None, (PLACED_IN.get(stack), stack)):
        real.init(name)
        real.up(name).done()
        embedded.up(name).done()
    resources = real.resources(stack)
    (root,) = [item for item in resources if item["type"] == STACK_TYPE]
    state = embedded.workspace.recorded(stack)
    return Twins(
        stack=stack,
        real={item["urn"]: _settled(_by_the_real_one(item, root["urn"])) for item in resources if item is not root},
        embedded={item.urn: _settled(_by_the_embedded_one(item)) for item in state.resources.values()},
        real_outputs=root["outputs"],
        embedded_outputs=dict(state.outputs),
    )


def new_world(worlds: Worlds, stack: str) -> World:
    world = worlds.new()
    world.region = REGIONS.get(stack, "us-west-2")
    return world


def _settled(item: dict[str, Any]) -> dict[str, Any]:
    if item["type"] != RANDOM_ID:
        return item
    assert item["outputs"].keys() >= RANDOM
    return {**item, "id": "random", "outputs": {**item["outputs"], **dict.fromkeys(RANDOM, "random")}}


def _by_the_real_one(item: Mapping[str, Any], root: str) -> dict[str, Any]:
    is_provider = item["type"].startswith("pulumi:providers:")
    ours = {key: value for key, value in item.get("inputs", {}).items() if not (is_provider and key in _OF_THE_ENGINE)}
    made = {key: value for key, value in item.get("outputs", {}).items() if not (is_provider and key in _OF_THE_ENGINE)}
    dependencies = item.get("propertyDependencies") or {}
    return {
        "type": item["type"],
        "custom": item["custom"],
        "id": "" if is_provider else item.get("id", ""),
        "inputs": ours,
        "outputs": made,
        "parent": "" if item.get("parent") == root else item.get("parent", ""),
        "provider": item.get("provider", "").rpartition("::")[0],
        "dependencies": sorted(item.get("dependencies") or []),
        "propertyDependencies": {key: sorted(urns) for key, urns in dependencies.items() if urns},
        "protect": item.get("protect", False),
        "retainOnDelete": item.get("retainOnDelete", False),
        "deletedWith": item.get("deletedWith", ""),
    }


def _by_the_embedded_one(item: Any) -> dict[str, Any]:
    return {
        "type": item.type,
        "custom": item.custom,
        "id": "" if item.type.startswith("pulumi:providers:") else item.id,
        "inputs": dict(item.inputs),
        "outputs": dict(item.outputs),
        "parent": item.parent,
        "provider": item.provider,
        "dependencies": sorted(item.dependencies),
        "propertyDependencies": {key: sorted(urns) for key, urns in item.property_dependencies.items()},
        "protect": item.protect,
        "retainOnDelete": item.retain_on_delete,
        "deletedWith": item.deleted_with,
    }


@pytest.fixture(scope="module", params=STACKS)
def twins(request: pytest.FixtureRequest, worlds: Worlds) -> Twins:
    """Each example stack, made by both."""
    return made_twice(worlds, request.param)


@pytest.mark.engine
@pytest.mark.slow
def test_both_engines_make_the_same_resources_with_the_same_inputs_parents_and_outputs(twins: Twins) -> None:
    assert twins.real.keys() == twins.embedded.keys()
    comparison = Comparison()
    found = [
        difference
        for urn in twins.real
        for difference in comparison.differences(twins.real[urn], twins.embedded[urn], urn.rsplit("::", 1)[1])
    ]
    found += comparison.differences(twins.real_outputs, twins.embedded_outputs, "outputs of the stack")
    assert found == [], "\n".join(found)


def differences(one: object, other: object) -> list[str]:
    return list(Comparison().differences(one, other, "it"))


def test_the_comparison_lets_pass_what_aws_makes_up() -> None:
    secrets = [
        f"arn:aws:secretsmanager:us-west-2:123456789012:secret:chat/keys-{end}:KEY::" for end in ("abcdef", "X1y2Z3")
    ]
    assert differences(secrets[0], secrets[1]) == []
    ids = {"a": "subnet-11111111", "b": "subnet-22222222", "both": ["subnet-11111111", "subnet-22222222"]}
    others = {"a": "subnet-44444444", "b": "subnet-33333333", "both": ["subnet-33333333", "subnet-44444444"]}
    assert differences(ids, others) == []
    one = {
        "vpc": "vpc-0a1b2c3d",
        "subnets": ["subnet-11111111"],
        "of": "arn:x/vpc-0a1b2c3d",
        "n": 1,
        "s": Secret("a b"),
    }
    other = {**one, "vpc": "vpc-9f8e7d6c", "subnets": ["subnet-22222222"], "of": "arn:x/vpc-9f8e7d6c"}
    assert differences(one, other) == []
    assert differences({"at": "2026-01-02T03:04:05Z"}, {"at": "2027-01-02T03:04:06.123+00:00"}) == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": "subnet-11111111", "b": "subnet-22222222"}, {"a": "subnet-33333333", "b": "subnet-33333333"}),
        ({"a": "subnet-11111111", "b": "subnet-11111111"}, {"a": "subnet-33333333", "b": "subnet-44444444"}),
        ({"a": "subnet-11111111", "b": "subnet-22222222"}, {"a": "subnet-22222222", "b": "subnet-22222222"}),
        ({"a": Secret("x")}, {"a": "x"}),
        ({"a": 1}, {"a": True}),
        ({"a": "1.0.0"}, {"a": "1.0.1"}),
        ({"a": "available"}, {"a": "modifying"}),
        ({"a": [1]}, {"a": [1, 2]}),
        ({"a": "x"}, {}),
        ({"a": None}, {"a": ""}),
    ],
)
def test_the_comparison_finds_what_is_not_the_same(one: object, other: object) -> None:
    assert len(differences(one, other)) == 1
