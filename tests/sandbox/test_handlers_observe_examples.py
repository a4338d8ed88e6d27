"""A refresh right after ``up`` of the examples, and an import of all that they made, by the providers' own sessions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import pytest

from byoc.runs import ignore
from byoc.sandbox.handlers.base import Handler, Properties
from byoc.sandbox.registry import handler_for
from byoc.sandbox.session import SandboxAws
from byoc.values import plain
from tests.sandbox.sandbox_world import ACCOUNT, CHAT, SUPPORT, Settled

STACKS = (ACCOUNT, CHAT, SUPPORT)


@dataclass(frozen=True)
class Kept:
    """A resource of a provider as the state has it."""

    name: str
    id: str
    handler: Handler
    aws: SandboxAws
    inputs: Properties
    outputs: Properties
    default_tags: Mapping[str, str]


def place(kept: Kept) -> str:
    return "/".join(kept.inputs[key] for key in ("serviceNamespace", "resourceId", "scalableDimension"))


IMPORT_IDS: Mapping[str, Callable[[Kept], str]] = {
    "aws:appautoscaling/policy:Policy": lambda kept: f"{place(kept)}/{kept.inputs['name']}",
    "aws:appautoscaling/target:Target": place,
    "aws:ec2/route:Route": lambda kept: f"{kept.inputs['routeTableId']}_{kept.inputs['destinationCidrBlock']}",
    "aws:ec2/routeTableAssociation:RouteTableAssociation": lambda kept: (
        f"{kept.inputs['subnetId']}/{kept.inputs['routeTableId']}"
    ),
    "aws:ecs/cluster:Cluster": lambda kept: str(kept.inputs["name"]),
    "aws:ecs/service:Service": lambda kept: f"{kept.id.split('/')[-2]}/{kept.inputs['name']}",
    "aws:ecs/taskDefinition:TaskDefinition": lambda kept: str(kept.outputs["arn"]),
    "aws:rds/instance:Instance": lambda kept: str(kept.inputs["identifier"]),
    "aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace": lambda kept: f"{kept.id}:{kept.inputs['vpc']}",
    "random:index/randomId:RandomId": lambda kept: (
        f"{kept.inputs['prefix']},{kept.id}" if kept.inputs.get("prefix") else kept.id
    ),
    "random:index/randomPassword:RandomPassword": lambda kept: str(kept.outputs["result"]),
}
"""By what the provider imports those types that it does not import by their id."""
OF_THE_PROVIDER = frozenset(
    {
        "allowMajorVersionUpgrade",
        "applyImmediately",
        "finalSnapshotIdentifier",
        "recoveryWindowInDays",
        "skipFinalSnapshot",
        "waitForSteadyState",
    }
)
"""Inputs that only say what later calls shall do: after an import the next ``up`` notes them."""
NOT_TOLD = {
    "aws:iam/role:Role": frozenset({"inlinePolicies", "managedPolicyArns"}),
    "aws:rds/instance:Instance": frozenset({"password", "performanceInsightsEnabled"}),
    "random:index/randomId:RandomId": frozenset({"keepers"}),
    "random:index/randomPassword:RandomPassword": frozenset({"keepers", "overrideSpecial", "special"}),
}


def kept(settled: Settled, stack: str) -> Iterator[Kept]:
    with settled.world.workspace._engine(stack, ignore, None) as engine:
        providers = engine._providers()
        for item in engine.state.resources.values():
            if item.custom and not item.type.startswith("pulumi:"):
                yield Kept(
                    item.name,
                    item.id,
                    handler_for(item.type),
                    providers.session(item.provider),
                    plain(dict(item.inputs)),
                    plain(dict(item.outputs)),
                    providers.default_tags(item.provider),
                )


@pytest.mark.parametrize("stack", STACKS)
def test_a_refresh_right_after_up_sees_no_drift(settled: Settled, stack: str) -> None:
    drifted = {}
    for item in kept(settled, stack):
        there = item.handler.observe(item.aws, item.id, item.inputs)
        if there != item.inputs:
            seen = there or {}
            drifted[item.name] = {
                key: (value, seen.get(key, "gone")) for key, value in item.inputs.items() if seen.get(key) != value
            }
    assert drifted == {}


@pytest.mark.parametrize("stack", STACKS)
def test_what_an_import_of_everything_gives_is_not_replaced_by_the_next_up(settled: Settled, stack: str) -> None:
    changed = {}
    for item in kept(settled, stack):
        import_id = IMPORT_IDS[item.handler.token](item) if item.handler.token in IMPORT_IDS else item.id
        assert item.handler.imported_id(item.aws, import_id) == item.id
        there = item.handler.observe(item.aws, import_id, {})
        assert there is not None, item.name
        if item.handler.taggable:
            own = {key: value for key, value in there["tags"].items() if item.default_tags.get(key) != value}
            there = {**there, "tags": own}
        untold = OF_THE_PROVIDER | NOT_TOLD.get(item.handler.token, frozenset())
        told = {key: value for key, value in item.inputs.items() if key in untold}
        diff = item.handler.diff(item.handler.check(item.name, {**there, **told}, None), item.inputs)
        if diff.changed:
            changed[item.name] = {key: (there.get(key), item.inputs.get(key)) for key in diff.changed}
    assert changed == {}
