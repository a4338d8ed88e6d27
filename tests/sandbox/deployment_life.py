"""The life of a deployment's resources on the emulator: made, changed, tagged, deleted, with every AWS call noted."""

from __future__ import annotations

import importlib
import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from byoc.permissions.package_data import package_data
from byoc.sandbox.emulator.server import Emulator
from byoc.sandbox.handlers import (
    autoscaling,
    autoscaling_policy,
    cloudwatch,
    ecs_service,
    ecs_task,
    elbv2,
    elbv2_listeners,
    elbv2_target_group,
    rds_instance,
    secretsmanager,
)
from byoc.sandbox.handlers.base import Handler, Properties
from byoc.sandbox.session import SandboxAws

MODULES = (
    autoscaling,
    autoscaling_policy,
    cloudwatch,
    ecs_service,
    ecs_task,
    elbv2,
    elbv2_listeners,
    elbv2_target_group,
    rds_instance,
    secretsmanager,
)
HANDLERS: dict[str, Handler] = {handler.token: handler() for module in MODULES for handler in module.HANDLERS}


DEFAULT_TAGS = {"byoc-install": "stage"}
LISTED: dict[str, dict[str, list[str]]] = package_data("needs", "provider-calls.json")["resources"]
"""The calls that the AWS provider was seen to make, by Terraform type and phase."""


@dataclass(frozen=True)
class Thing:
    """Something made on the stage."""

    handler: Handler
    id: str
    inputs: Properties
    outputs: Properties

    @property
    def state(self) -> Properties:
        return {**self.inputs, **self.outputs}


@dataclass
class Stage:
    """An account of the emulator with a VPC and nothing else, and its administrator's session."""

    aws: SandboxAws
    calls: list[str] = field(default_factory=list)

    @contextmanager
    def noted(self) -> Iterator[list[str]]:
        """The actions called within the block, as IAM names them."""
        start = len(self.calls)
        actions: list[str] = []
        yield actions
        actions.extend(self.calls[start:])

    def checked(self, handler: Handler, inputs: Properties, old: Properties | None = None) -> Properties:
        """Inputs as the engine hands them to a handler: with all tags, and checked."""
        given = dict(inputs)
        if handler.taggable:
            given["tagsAll"] = {**DEFAULT_TAGS, **(inputs.get("tags") or {})}
        return handler.check("thing", given, old)

    def network(self) -> Mapping[str, str]:
        """A VPC with two subnets in two zones, and a security group: ids of ``vpc``, ``a``, ``b`` and ``group``."""
        ec2 = self.aws.client("ec2")
        vpc = str(ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"])
        subnets = {
            zone: str(
                ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=f"eu-west-1{zone}")[
                    "Subnet"
                ]["SubnetId"]
            )
            for number, zone in enumerate("ab")
        }
        group = ec2.create_security_group(GroupName="group", Description="of the test", VpcId=vpc)
        return {"vpc": vpc, **subnets, "group": str(group["GroupId"])}


def open_stage(emulator: Emulator) -> Stage:
    """A stage in an account that nothing else uses."""
    calls: list[str] = []

    def note(when: str, action: str) -> None:
        if when == "before":
            calls.append(action)

    lent = emulator.client.administrator(f"{random.randrange(10**11, 10**12)}").boto3
    aws = SandboxAws(
        endpoint=emulator.endpoint,
        region="eu-west-1",
        credentials={key: value for key, value in lent.items() if value},
        run_id="stage",
        on_call=note,
    )
    return Stage(aws, calls)


@cache
def sdk_names(token: str, suffix: str = "") -> frozenset[str]:
    """The wire names that the Pulumi SDK gives a type's properties; with ``suffix`` ``Args`` its inputs."""
    package, module, name = token.split(":")
    library = importlib.import_module(f"pulumi_{package}.{module.partition('/')[0]}".removesuffix(".index"))
    members = vars(getattr(library, name + suffix)).values()
    getters = [member.fget for member in members if isinstance(member, property)]
    return frozenset(str(getattr(getter, "_pulumi_name", getter.__name__)) for getter in getters if getter)


def make(stage: Stage, token: str, **inputs: Any) -> Thing:
    """Make a thing as the engine does."""
    handler = HANDLERS[token]
    checked = stage.checked(handler, inputs)
    made = handler.create(stage.aws, checked)
    handler.configure(stage.aws, made, checked)
    outputs = handler.read(stage.aws, made, checked)
    assert outputs is not None
    return Thing(handler, made, checked, outputs)


def born(stage: Stage, token: str, terraform: str, inputs: Properties, *, calls_of_create: int = 1) -> Thing:
    """Make a thing, and see that it could be found again and set up again after an interruption at any point."""
    handler = HANDLERS[token]
    checked = stage.checked(handler, inputs)
    assert handler.find(stage.aws, checked) is None
    with stage.noted() as of_create:
        made = handler.create(stage.aws, checked)
    assert len(of_create) == calls_of_create, of_create
    assert handler.find(stage.aws, checked) == made, "an interrupted create is not found again"
    with stage.noted() as after_create:
        handler.configure(stage.aws, made, checked)
        outputs = handler.read(stage.aws, made, checked)
    assert outputs is not None
    assert_listed(terraform, "create", [*of_create, *after_create])
    assert outputs.keys() <= sdk_names(token)
    assert not handler.diff(checked, dict(checked)).changed
    handler.configure(stage.aws, made, checked)
    assert handler.read(stage.aws, made, checked) == outputs, "configure is not safe to repeat"
    return Thing(handler, made, checked, outputs)


def changed(stage: Stage, thing: Thing, wanted: Properties) -> Thing:
    """Change a thing in place, twice as after an interruption, and see what AWS holds then."""
    handler = thing.handler
    new = stage.checked(handler, wanted, thing.inputs)
    diff = handler.diff(thing.inputs, new)
    assert diff.changed
    assert not diff.replaces, diff.replaces
    handler.update(stage.aws, thing.id, thing.inputs, new)
    handler.update(stage.aws, thing.id, thing.inputs, new)
    outputs = handler.read(stage.aws, thing.id, new)
    assert outputs is not None
    for key in diff.changed & outputs.keys():
        if new.get(key) is not None:
            assert _unordered(outputs[key]) == _unordered(new[key]), key
    return Thing(handler, thing.id, new, outputs)


def ended(stage: Stage, thing: Thing, terraform: str) -> None:
    """Delete a thing; it is gone then, and deleting it again is no error."""
    with stage.noted() as called:
        thing.handler.delete(stage.aws, thing.id, thing.state)
    assert_listed(terraform, "delete", called)
    assert thing.handler.read(stage.aws, thing.id, thing.inputs) is None
    assert thing.handler.find(stage.aws, thing.inputs) is None
    thing.handler.delete(stage.aws, thing.id, thing.state)


def live(
    stage: Stage,
    token: str,
    terraform: str,
    inputs: Properties,
    *,
    changes: Sequence[Mapping[str, Any]] = (),
    calls_of_create: int = 1,
) -> Thing:
    """A whole life: ``changes`` come one after the other, each on top of ``inputs``; then three of tags, if it has any.

    Returns the thing as it was born.
    """
    thing = born(stage, token, terraform, inputs, calls_of_create=calls_of_create)
    latest = thing
    with stage.noted() as of_updates:
        for change in changes:
            latest = changed(stage, latest, {**inputs, **change})
        if thing.handler.taggable:
            last = {**inputs, **(changes[-1] if changes else {})}
            for tags in ({"team": "a", "Name": "x"}, {"team": "b"}, {}):
                latest = changed(stage, latest, {**last, "tags": tags})
                assert thing.handler.find(stage.aws, latest.inputs) == latest.id, "the tags were not changed"
    assert_listed(terraform, "update", of_updates)
    ended(stage, latest, terraform)
    return thing


def assert_listed(terraform: str, phase: str, called: Sequence[str]) -> None:
    """Every call that the AWS provider was seen to make in this phase was made."""
    missing = set(LISTED[terraform].get(phase, ())) - set(called)
    assert not missing, f"{terraform}, {phase}: not called: {sorted(missing)}; called: {sorted(set(called))}"


def _unordered(value: object) -> object:
    return sorted(map(str, value)) if isinstance(value, list) else value
