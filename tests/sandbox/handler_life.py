"""A stage on the emulator on which a handler goes through a resource's whole life, with every AWS call noted."""

from __future__ import annotations

import importlib
import random
import re
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from byoc.permissions.package_data import package_data
from byoc.sandbox.emulator.server import Emulator
from byoc.sandbox.handlers import (
    cloudmap,
    ec2_endpoints,
    ec2_gateways,
    ec2_network,
    ec2_routes,
    ec2_security_group_rules,
    ec2_security_groups,
    ec2_tags,
    ecr,
    ecs_cluster,
    events,
    iam,
    iam_policies,
    logs,
    rds_groups,
    sns,
    sns_subscription,
)
from byoc.sandbox.handlers.base import Handler, Properties
from byoc.sandbox.session import SandboxAws

MODULES = (
    cloudmap,
    ec2_endpoints,
    ec2_gateways,
    ec2_network,
    ec2_routes,
    ec2_security_group_rules,
    ec2_security_groups,
    ec2_tags,
    ecr,
    ecs_cluster,
    events,
    iam,
    iam_policies,
    logs,
    rds_groups,
    sns,
    sns_subscription,
)
HANDLERS: dict[str, Handler] = {handler.token: handler() for module in MODULES for handler in module.HANDLERS}
BY_NAME = {token.rsplit("/", 1)[1]: handler for token, handler in HANDLERS.items()}
"""Handlers by the last part of their token, such as ``vpc:Vpc``."""
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
    """A place for one test in an account of the emulator, seen by the account's administrator.

    ``calls``: every action called so far. ``tags``: what everything of this stage carries, and nothing else does.
    """

    aws: SandboxAws
    calls: list[str]
    tags: Mapping[str, str] = field(default_factory=lambda: {"byoc-install": uuid.uuid4().hex})
    _made: list[Thing] = field(default_factory=list)

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
            given["tagsAll"] = {**self.tags, **(inputs.get("tags") or {})}
        return handler.check("thing", given, old)

    def make(self, kind: str, **inputs: Any) -> Thing:
        """Make a thing that another needs."""
        handler = BY_NAME[kind]
        checked = self.checked(handler, inputs)
        made = handler.create(self.aws, checked)
        handler.configure(self.aws, made, checked)
        outputs = handler.read(self.aws, made, checked)
        assert outputs is not None
        assert outputs.keys() <= sdk_names(handler.token)
        thing = Thing(handler, made, checked, outputs)
        self._made.append(thing)
        return thing

    def strike(self) -> None:
        """Delete what :meth:`make` made, the newest first."""
        for thing in reversed(self._made):
            thing.handler.delete(self.aws, thing.id, thing.state)

    def live(
        self,
        kind: str,
        terraform: str,
        inputs: Properties,
        *,
        changes: Sequence[Properties] = (),
        not_ours: frozenset[str] = frozenset(),
        calls_of_create: int = 1,
    ) -> Thing:
        """The whole life of one thing; returns it as it was after its creation.

        ``changes``: inputs that change one after the other in place, and that the outputs, if they show them, follow.
        ``not_ours``: listed calls that belong to another type. ``calls_of_create``: AWS calls of ``create`` alone.
        """
        handler = BY_NAME[kind]
        checked = self.checked(handler, inputs)
        listed = LISTED.get(terraform, {})
        assert handler.find(self.aws, checked) is None
        with self.noted() as all_of_creation:
            with self.noted() as of_create:
                made = handler.create(self.aws, checked)
            assert handler.find(self.aws, checked) == made, "an interrupted create is not found again"
            handler.configure(self.aws, made, checked)
            outputs = handler.read(self.aws, made, checked)
        assert outputs is not None
        assert outputs.keys() <= sdk_names(handler.token)
        assert len(of_create) == calls_of_create, of_create
        assert set(listed.get("create", ())) - not_ours <= set(all_of_creation)
        assert not handler.diff(checked, dict(checked)).changed
        handler.configure(self.aws, made, checked)
        assert handler.read(self.aws, made, checked) == outputs, "configure is not safe to repeat"
        current = checked
        tag_changes = [{"tags": {"team": "a", "Name": "x"}}, {"tags": {"team": "b"}}, {}] if handler.taggable else []
        latest = {**inputs, **(changes[-1] if changes else {})}
        for wanted in [*({**inputs, **change} for change in changes), *({**latest, **tags} for tags in tag_changes)]:
            current = self._change(handler, made, current, wanted)
        self._delete(handler, made, {**current, **outputs}, set(listed.get("delete", ())) - not_ours)
        assert handler.find(self.aws, current) is None
        return Thing(handler, made, checked, outputs)

    def _change(self, handler: Handler, made: str, old: Properties, inputs: Properties) -> Properties:
        new = self.checked(handler, inputs, old)
        diff = handler.diff(old, new)
        assert diff.changed
        assert not diff.replaces
        handler.update(self.aws, made, old, new)
        handler.update(self.aws, made, old, new)  # repeated after an interruption
        outputs = handler.read(self.aws, made, new)
        assert outputs is not None
        for key in diff.changed & outputs.keys():
            if new.get(key) is not None:
                assert _unordered(outputs[key]) == _unordered(new[key])
        if handler.taggable:
            assert handler.find(self.aws, new) == made, "the tags were not changed"
        return new

    def _delete(self, handler: Handler, made: str, state: Properties, listed: set[str]) -> None:
        with self.noted() as called:
            handler.delete(self.aws, made, state)
        assert listed <= set(called)
        assert handler.read(self.aws, made, state) is None
        handler.delete(self.aws, made, state)  # what is gone already is no error

    def network(self) -> Mapping[str, str]:
        """A VPC with two subnets in two zones: ids of ``vpc``, ``a`` and ``b``."""
        vpc = self.make("vpc:Vpc", cidrBlock="10.0.0.0/16").id
        subnets = {
            zone: self.make(
                "subnet:Subnet", vpcId=vpc, cidrBlock=f"10.0.{number}.0/24", availabilityZone=f"eu-west-1{zone}"
            ).id
            for number, zone in enumerate("ab")
        }
        return {"vpc": vpc, **subnets}


def _unordered(value: object) -> object:
    return sorted(map(str, value)) if isinstance(value, list) else value


class NotingAws:
    """A session whose clients answer nothing and note every call: for what moto cannot do."""

    region, partition, account_id = "eu-west-1", "aws", "123456789012"

    def __init__(self) -> None:
        self.called: list[tuple[str, dict[str, Any]]] = []

    def client(self, service: str) -> NotingAws:
        return self

    def wait(self, what: str, ready: Callable[[], bool], *, timeout: float = 3600.0) -> None:
        raise AssertionError(what)

    def __getattr__(self, operation: str) -> Callable[..., dict[str, Any]]:
        def call(**arguments: Any) -> dict[str, Any]:
            self.called.append((operation, arguments))
            return {}

        return call


def sdk_names(token: str, suffix: str = "") -> set[str]:
    """The wire names of a resource's or a function result's properties in pulumi-aws."""
    _, module, name = token.split(":")
    package, _, _ = module.partition("/")
    snake = re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
    path = f"pulumi_aws.{snake}" if package == "index" else f"pulumi_aws.{package}.{snake}"
    # The SDK loads a package when it is first used. Were one of its modules imported before that, the package would be
    # loaded from within it, and lack that module's names for the rest of the process.
    getattr(importlib.import_module(path.rpartition(".")[0]), "_loaded", None)
    found = getattr(importlib.import_module(path), f"{name[0].upper()}{name[1:]}{suffix}")
    getters = {key: value.fget for key, value in vars(found).items() if isinstance(value, property)}
    return {getattr(getter, "_pulumi_name", None) or key for key, getter in getters.items()}


def administrator(emulator: Emulator) -> tuple[SandboxAws, list[str]]:
    """The administrator's session of an account that nothing else uses, and the actions that it calls."""
    account_id = f"{random.randrange(10**11, 10**12)}"
    calls: list[str] = []

    def note(when: str, action: str) -> None:
        if when == "before":
            calls.append(action)

    aws = SandboxAws(
        endpoint=emulator.endpoint,
        region="eu-west-1",
        credentials={key: value for key, value in emulator.client.administrator(account_id).boto3.items() if value},
        run_id="stage",
        on_call=note,
    )
    return aws, calls
