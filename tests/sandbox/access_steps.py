"""Steps of a deployment's life with one action taken away from the control plane's role."""

from __future__ import annotations

import json
import urllib.parse
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from byoc.errors import ByocError
from byoc.operations.teardown.clearing import Clear
from byoc.operations.teardown.facts import Registered
from byoc.sandbox.emulator_cloud import EmulatorCloud
from byoc.sandbox.providers import Providers
from byoc.sandbox.registry import handler_for
from byoc.values import plain
from tests.operations.teardown_world import teardowns
from tests.sandbox.sandbox_world import World

SUPPLEMENT = "LangGraphCloudCustomPermissions"
Calls = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Denied:
    """What was denied in a step, as pairs of action and resource."""

    pairs: frozenset[tuple[str, str]]

    @property
    def actions(self) -> set[str]:
        return {action for action, _ in self.pairs}

    @property
    def resources(self) -> set[str]:
        return {resource for _, resource in self.pairs}


def denied(calls: Calls) -> Denied:
    """The denials among calls."""
    return Denied(
        frozenset(
            (str(call["action"]), str(resource))
            for call in calls
            if call["outcome"] == "denied"
            for resource in call["resources"]
        )
    )


@contextmanager
def without(world: World, sid: str, action: str) -> Iterator[None]:
    """Take an action out of one statement of the supplement, as the account's administrator; put it back in the end."""
    iam = world.aws("iam")
    arn = f"arn:aws:iam::{world.account_id}:policy/{SUPPLEMENT}"
    whole = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    found = iam.get_policy_version(PolicyArn=arn, VersionId=whole)["PolicyVersion"]["Document"]
    document = json.loads(urllib.parse.unquote(found)) if isinstance(found, str) else found
    (statement,) = [item for item in document["Statement"] if item["Sid"] == sid]
    statement["Action"].remove(action)
    reduced = iam.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(document), SetAsDefault=True)
    try:
        yield
    finally:
        iam.set_default_policy_version(PolicyArn=arn, VersionId=whole)
        iam.delete_policy_version(PolicyArn=arn, VersionId=reduced["PolicyVersion"]["VersionId"])


def refresh(world: World, stack: str) -> Calls:
    """Look at every resource of a stack as a refresh does, through the role; every request that this made.

    A resource that cannot be read does not keep the others from being read.
    """
    run_id = uuid.uuid4().hex[:12]
    with _session_of(world, stack, run_id) as (providers, resources):
        for resource in resources:
            handler, inputs = handler_for(resource.type), plain(dict(resource.inputs))
            aws = providers.session(resource.provider)
            with suppress(ClientError):
                handler.read(aws, resource.id, inputs)
            with suppress(ClientError):
                handler.observe(aws, resource.id, inputs)
    return world.client.calls(run=run_id)


def clear(world: World, stack: str) -> Calls:
    """What a teardown does about a container that is gone and still registered, through the role; its requests."""
    names, deployment = world.workspace.config(stack).names, stack.removeprefix("demo-")
    cloud_map = world.aws("servicediscovery")
    (service,) = [item for item in cloud_map.list_services()["Services"] if item["Name"] == deployment]
    gone = {"ECS_CLUSTER_NAME": names.cluster, "ECS_SERVICE_NAME": "gone", "AWS_INSTANCE_IPV4": "10.0.0.9"}
    cloud_map.register_instance(ServiceId=service["Id"], InstanceId="left-behind", Attributes=gone)
    first = world.client.next_call()
    with teardowns(world) as life, suppress(ByocError):
        found = [item for item in life.plan(stack).blockers if isinstance(item.subject, Registered)]
        Clear(life.subject(stack), life.told.append).clear(found)
    calls = world.calls(since=first)
    return [call for call in calls if f":{world.account_id}:assumed-role/" in str(call["principal"])]


def status(world: World, stack: str) -> Calls:
    """Ask through the role which containers answer; every request that this made."""
    run_id = uuid.uuid4().hex[:12]
    with _session_of(world, stack, run_id) as (providers, resources):
        (group,) = [item for item in resources if item.type == "aws:lb/targetGroup:TargetGroup"]
        with suppress(ClientError):
            providers.session(group.provider).client("elbv2").describe_target_health(TargetGroupArn=group.id)
    return world.client.calls(run=run_id)


@contextmanager
def _session_of(world: World, stack: str, run_id: str) -> Iterator[tuple[Providers, Sequence[Any]]]:
    state = world.workspace.recorded(stack)
    providers = Providers(EmulatorCloud(world.client), run_id)
    live = list(state.resources.values())
    for item in live:
        if item.type.startswith("pulumi:providers:"):
            providers.configure(item.urn, item.inputs)
    yield providers, [item for item in live if item.custom and item.type.startswith("aws:")]
