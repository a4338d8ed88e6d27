"""An account and its deployments from nothing to nothing, as the command line does it: what is promised of each run."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass

import pytest

from byoc.errors import ByocError
from tests.sandbox.sandbox_world import ACCOUNT, CHAT, SUPPORT, Run, Settled, World, Worlds, short

CONTROL_PLANE = "arn:aws:sts::640174622193:assumed-role/HostBackendRoleProd/"
REVISION = ["ecs:RegisterTaskDefinition", "ecs:UpdateService", "ecs:DeregisterTaskDefinition"]
LIFTED = 'byoc:database={"deletionProtection": false}'


@pytest.mark.parametrize("stack", [ACCOUNT, CHAT, SUPPORT])
def test_a_second_up_is_all_unchanged_and_changes_nothing_in_aws(settled: Settled, stack: str) -> None:
    made = settled.runs[stack].counts
    assert set(made) == {"created"}
    before = settled.world.inventory()
    again = settled.world.up(stack).done()
    assert again.counts == {"unchanged": made["created"]}
    assert again.result.steps == ()
    assert again.mutating == []
    assert settled.world.inventory() == before


@pytest.mark.parametrize("stack", [CHAT, SUPPORT])
def test_a_deployment_is_made_through_the_role_alone_and_nothing_is_denied(settled: Settled, stack: str) -> None:
    role = f"arn:aws:sts::{settled.world.account_id}:assumed-role/LangGraphCloudBYOCRole/byoc"
    first, *rest = settled.runs[stack].calls
    assert first["action"] == "sts:AssumeRole"
    assert str(first["principal"]).startswith(CONTROL_PLANE)
    assert {call["principal"] for call in rest} == {role}
    assert len(rest) > 50
    assert [call for call in settled.runs[stack].calls if call["outcome"] == "denied"] == []


def test_the_account_stack_runs_as_the_account_s_administrator(settled: Settled) -> None:
    (principal,) = {str(call["principal"]) for call in settled.runs[ACCOUNT].calls}
    assert principal.startswith(f"arn:aws:iam::{settled.world.account_id}:user/")


@pytest.mark.parametrize("stack", [CHAT, SUPPORT])
def test_a_preview_of_a_change_changes_neither_aws_nor_the_state(settled: Settled, stack: str) -> None:
    world = settled.world
    before = world.inventory(), world.state_files()
    run = world.preview(stack, "byoc:image=registry.example.com/agents/next:2").done()
    assert {kind for _, kind in run.changed_types} == {"ecs:TaskDefinition", "ecs:Service"}
    assert run.result.document()["outputs"]["taskDefinitionArn"] == "[unknown]"
    assert run.result.document()["outputs"]["image"] == "registry.example.com/agents/next:2"
    assert run.mutating == []
    assert (world.inventory(), world.state_files()) == before


def test_a_preview_of_a_new_account_changes_nothing_and_leaves_unknown_outputs_unknown(
    settled: Settled, world: World
) -> None:
    run = world.preview(ACCOUNT).done()
    assert set(run.counts) == {"created"}
    outputs = run.result.document()["outputs"]
    assert outputs["vpcId"] == "[unknown]"
    assert outputs["clusterName"] == "langgraph-cloud-cluster"
    assert run.mutating == []
    assert world.inventory() == []
    assert [item for item in world.state_files().values() if item] == []
    assert run.counts == settled.runs[ACCOUNT].counts


def test_what_would_replace_a_database_is_refused_and_nothing_is_changed(settled: Settled) -> None:
    world = settled.world
    before, next_call = world.inventory(), world.client.next_call()
    with pytest.raises(ByocError) as refusal:
        world.up(CHAT, "byoc:name=other")
    for part in ("would replace the database langgraph-cloud-chat", "lose its data; refused", "byoc:name", "mend it:"):
        assert part in str(refusal.value)
    called = {str(call["action"]) for call in world.calls(since=next_call)}
    assert called, "the refusal comes from a comparison with what is there"
    assert Run(settled.runs[CHAT].result, world.calls(since=next_call)).mutating == []
    assert world.inventory() == before
    assert set(world.up(CHAT).done().counts) == {"unchanged"}


def test_a_destroy_of_a_protected_deployment_is_refused_as_a_whole(settled: Settled) -> None:
    world = settled.world
    before, next_call = world.inventory(), world.client.next_call()
    with pytest.raises(ByocError, match="holds protected resources: deployment-database-instance; nothing was deleted"):
        world.destroy(SUPPORT)
    assert world.calls(since=next_call) == []
    assert world.inventory() == before


def test_no_secret_is_in_a_result_a_state_file_or_the_call_log(settled: Settled) -> None:
    world = settled.world
    made = world.aws("secretsmanager")
    environment = json.loads(made.get_secret_value(SecretId="langgraph-cloud/chat/environment")["SecretString"])
    connections = json.loads(made.get_secret_value(SecretId="langgraph-cloud/chat/connections")["SecretString"])
    external_id = world.workspace.deployment_config(CHAT).external_id
    assert external_id is not None
    password = connections["DATABASE_URI"].split(":")[2].partition("@")[0]
    secrets = [
        external_id.get_secret_value(),
        environment["OPENAI_API_KEY"],
        environment["LANGSMITH_API_KEY"],
        password,
    ]
    assert all(len(secret) >= 8 for secret in secrets)
    texts = {
        **{name: content.decode() for name, content in world.state_files().items()},
        "calls": json.dumps(world.client.calls()),
        **{stack: json.dumps(run.result.document()) for stack, run in settled.runs.items()},
        "outputs": json.dumps(world.workspace.outputs(CHAT)),
        "resources": json.dumps(world.workspace.resources(CHAT)),
    }
    assert [(name, secret) for name, text in texts.items() for secret in secrets if secret in text] == []


@pytest.fixture(scope="module")
def life(worlds: Worlds) -> Life:
    return live(worlds.new())


def test_a_new_image_touches_only_task_definition_and_service(life: Life) -> None:
    assert sorted(kinds(life.image)) == [("replace", "ecs:TaskDefinition"), ("update", "ecs:Service")]
    assert life.image.mutating == REVISION


def test_with_a_queue_of_its_own_there_are_two_of_each(life: Life) -> None:
    assert Counter(kinds(life.image_with_queue)) == {
        ("replace", "ecs:TaskDefinition"): 2,
        ("update", "ecs:Service"): 2,
    }
    assert Counter(life.image_with_queue.mutating) == dict.fromkeys(REVISION, 2)


def test_a_changed_secret_is_a_version_more_and_a_revision(life: Life) -> None:
    assert sorted(kinds(life.secret)) == [
        ("replace", "ecs:TaskDefinition"),
        ("replace", "secretsmanager:SecretVersion"),
        ("update", "ecs:Service"),
    ]
    assert life.secret.mutating == ["secretsmanager:PutSecretValue", *REVISION]


def test_a_revision_runs_what_was_asked_for(life: Life) -> None:
    assert life.running_image == "registry.example.com/agents/chat:2.0.0"
    assert life.running_secret == "sk-another"


def test_the_end_of_production_takes_the_snapshot_that_it_names(life: Life) -> None:
    (kept,) = life.destroyed[SUPPORT].result.kept
    kind, _, snapshot = kept.rpartition(" ")
    assert kind == "database snapshot"
    assert life.left == [{"service": "rds", "kind": "snapshot", "id": snapshot}]


def test_every_other_end_keeps_nothing_but_service_linked_roles(life: Life) -> None:
    assert life.destroyed[CHAT].result.kept == ()
    assert {kept.split()[0] for kept in life.destroyed[ACCOUNT].result.kept} == {"ServiceLinkedRole"}


def test_no_state_is_left(life: Life) -> None:
    assert life.state_left == {}


def test_the_end_of_a_deployment_goes_through_the_role_without_a_denial(life: Life) -> None:
    calls = [*life.destroyed[CHAT].calls, *life.destroyed[SUPPORT].calls]
    assert [call for call in calls if call["outcome"] == "denied"] == []
    principals = Counter(str(call["principal"]).split(":")[4] for call in calls)
    assert principals == {life.account_id: len(calls) - 2, "640174622193": 2}


@dataclass(frozen=True)
class Life:
    """What happened from the first revision to the end."""

    account_id: str
    image: Run
    image_with_queue: Run
    secret: Run
    running_image: str
    running_secret: str
    destroyed: dict[str, Run]
    left: list[dict[str, str]]
    state_left: dict[str, bytes]


def live(world: World) -> Life:
    for stack in (ACCOUNT, CHAT, SUPPORT):
        world.up(stack).done()
    image = "byoc:image=registry.example.com/agents/chat:2.0.0"
    first = world.up(CHAT, image).done()
    second = world.up(SUPPORT, image).done()
    world.configure_secret(CHAT, "secretEnvironment", json.dumps({"OPENAI_API_KEY": "sk-another"}))
    third = world.up(CHAT, image).done()
    running_image, running_secret = running(world)
    world.up(SUPPORT, image, LIFTED).done()
    destroyed = {stack: world.destroy(stack).done() for stack in (CHAT, SUPPORT, ACCOUNT)}
    return Life(
        world.account_id,
        first,
        second,
        third,
        running_image,
        running_secret,
        destroyed,
        world.inventory(),
        world.state_files(),
    )


def running(world: World) -> tuple[str, str]:
    """The image of the chat service, and the secret that its containers see."""
    ecs, secrets = world.aws("ecs"), world.aws("secretsmanager")
    (service,) = ecs.describe_services(cluster="langgraph-cloud-cluster", services=["langgraph-cloud-chat-api"])[
        "services"
    ]
    task = ecs.describe_task_definition(taskDefinition=service["taskDefinition"])["taskDefinition"]
    (container,) = task["containerDefinitions"]
    (pinned,) = [item["valueFrom"] for item in container["secrets"] if item["name"] == "OPENAI_API_KEY"]
    arn, key, _stage, version = pinned.rsplit(":", 3)
    value = json.loads(secrets.get_secret_value(SecretId=arn, VersionId=version)["SecretString"])
    return str(container["image"]), str(value[key])


def kinds(run: Run) -> list[tuple[str, str]]:
    return [(step.op.value, short(step.type)) for step in run.result.steps]
