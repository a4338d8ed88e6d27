"""A stage for what ``observe`` tells: things of any handled type, each in an account that nothing else uses."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from byoc.sandbox.emulator.server import Emulator
from byoc.sandbox.handlers.base import Handler, Properties
from byoc.sandbox.registry import handler_for
from byoc.sandbox.session import SandboxAws
from tests.sandbox.handler_life import administrator

DEFAULT_TAGS = {"byoc-install": "stage"}
"""What the provider's default tags put on everything."""


@dataclass(frozen=True)
class Made:
    """A thing on the stage."""

    stage: Stage
    handler: Handler
    id: str
    inputs: Properties
    outputs: Properties

    def observed(self) -> Properties:
        """What a refresh sees."""
        there = self.handler.observe(self.stage.aws, self.id, self.inputs)
        assert there is not None
        assert there.keys() == self.inputs.keys()
        return there

    def drift(self) -> set[str]:
        """The inputs of which a refresh sees that they changed."""
        return set(self.handler.diff(self.observed(), self.inputs).changed)

    def delete(self) -> None:
        self.handler.delete(self.stage.aws, self.id, {**self.inputs, **self.outputs})


@dataclass
class Stage:
    """An account, seen by its administrator; ``calls``: every action called so far."""

    aws: SandboxAws
    calls: list[str]
    _places: dict[str, str] = field(default_factory=dict)

    @staticmethod
    def open(emulator: Emulator) -> Stage:
        return Stage(*administrator(emulator))

    def make(self, token: str, **inputs: Any) -> Made:
        """Make a thing as the engine does."""
        handler = handler_for(token)
        if handler.taggable:
            inputs["tagsAll"] = {**DEFAULT_TAGS, **(inputs.get("tags") or {})}
        checked = handler.check("thing", inputs, None)
        id_ = handler.create(self.aws, checked)
        handler.configure(self.aws, id_, checked)
        outputs = handler.read(self.aws, id_, checked)
        assert outputs is not None
        return Made(self, handler, id_, checked, outputs)

    def client(self, service: str) -> Any:
        return self.aws.client(service)

    def network(self) -> Mapping[str, str]:
        """A VPC with two subnets in two zones, and a security group: ids of ``vpc``, ``a``, ``b`` and ``group``."""
        if not self._places:
            ec2 = self.client("ec2")
            vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
            zones = {"a": "10.0.1.0/24", "b": "10.0.2.0/24"}
            subnets = {
                zone: ec2.create_subnet(VpcId=vpc, CidrBlock=cidr, AvailabilityZone=f"eu-west-1{zone}")["Subnet"]
                for zone, cidr in zones.items()
            }
            ids = {zone: str(subnet["SubnetId"]) for zone, subnet in subnets.items()}
            group = ec2.create_security_group(GroupName="group", Description="of the test", VpcId=vpc)["GroupId"]
            self._places = {"vpc": str(vpc), **ids, "group": str(group)}
        return self._places


Act = Callable[[Made], object]
"""A change made behind the program's back."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """How a type is made with a rich set of inputs, and what may happen to it."""

    inputs: Callable[[Stage], Properties]
    behind: Mapping[str, Act]
    """Changes, each by the one input in which it shows."""
    import_id: Callable[[Made], str] = lambda made: made.id
    """By what the provider imports it."""
    untold: frozenset[str] = frozenset()
    """Inputs that an import cannot give, or leaves to resources of their own."""


def imported(made: Made, import_id: str) -> Properties | None:
    """The inputs that an import gives; those of its tags that the provider's default tags give are not stated."""
    there = made.handler.observe(made.stage.aws, import_id, {})
    if there is None or not made.handler.taggable:
        return there
    own = {key: value for key, value in (there.get("tags") or {}).items() if DEFAULT_TAGS.get(key) != value}
    return {**there, "tags": own}


def trust(service: str = "ecs-tasks.amazonaws.com") -> str:
    """A trust policy."""
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, indent=2)


def policy(action: str, resource: str = "*", **more: Any) -> str:
    """A policy document."""
    statement = {"Effect": "Allow", "Action": action, "Resource": resource, **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, indent=2)
