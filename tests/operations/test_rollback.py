"""Back to an earlier revision, on the embedded AWS: what runs, what a later ``up`` does, what is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from byoc.automation.locks import held
from byoc.errors import InputError
from byoc.operations.account import Account
from byoc.operations.answers import DeniedError
from byoc.operations.revisions.keep import keep
from byoc.operations.revisions.rollback import carry_out, plan_rollback
from byoc.operations.revisions.secret_versions import Labels, label_of
from byoc.permissions.needs.deployment import TYPES
from byoc.permissions.needs.features import Feature, feature_needs
from tests.operations.pushed_world import FAMILY, REPOSITORY, Pushed
from tests.sandbox.cli_runner import byoc
from tests.sandbox.sandbox_world import ACCOUNT, CHAT, World

FIRST, SECOND, THIRD = ("sk-first-0001", "sk-second-0002", "sk-third-0003")


@pytest.fixture
def pushed(world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Pushed:
    for name, value in world.workspace.cli_environment().items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    made = Pushed(world, lambda *words: byoc(capsys, *words, "-C", str(world.root)))
    world.up(ACCOUNT).done()
    made.push("1.0.0", FIRST, environment={"GREETING": "hello"})
    made.push("1.1.0", SECOND, environment={"GREETING": "good day"}, size={"cpu": 2048, "memory": 4096})
    made.push("1.2.0", THIRD, environment={"GREETING": "good day", "MORE": "yes"})
    return made


@pytest.mark.slow
def test_revisions_are_listed_with_what_changed_by_whom_and_no_value(pushed: Pushed) -> None:
    found = pushed.run("revisions", CHAT, "--json")
    assert found.code == 0
    (deployment,) = json.loads(found.out)["deployments"]
    newest, middle, oldest = deployment["revisions"]
    assert [item["number"] for item in deployment["revisions"]] == [3, 2, 1]
    assert [item["state"] for item in deployment["revisions"]] == ["DEPLOYED"] * 3
    assert [item["running"] for item in deployment["revisions"]] == [True, False, False]
    assert [item["active"] for item in deployment["revisions"]] == [True, False, False]
    assert newest["image"] == f"{REPOSITORY}:1.2.0"
    assert newest["registeredBy"].endswith(":assumed-role/LangGraphCloudBYOCRole/byoc")
    assert [(each["what"], each["name"]) for each in newest["changes"]] == [
        ("image", ""),
        ("secret", "MORE"),
        ("version", "environment"),
    ]
    assert [(each["what"], each["before"], each["after"]) for each in middle["changes"] if each["what"] == "size"] == [
        ("size", "1024/2048", "2048/4096")
    ]
    assert oldest["changes"] is None
    assert deployment["notes"] == []
    shown = pushed.run("revisions", CHAT)
    assert shown.code == 0
    assert "3 *" in shown.out
    assert "image: 1.1.0 -> 1.2.0; secret MORE added; version environment: " in shown.out
    assert not [value for value in (FIRST, SECOND, THIRD, "hello", "good day") if value in found.out + shown.out]


@pytest.mark.slow
def test_a_rollback_brings_image_secret_values_and_size_back_and_a_later_up_leaves_it_alone(pushed: Pushed) -> None:
    begin = pushed.world.client.next_call()
    ran = pushed.run("rollback", CHAT, "--to", "1", "--yes")
    assert ran.code == 0, ran.err
    writes = [
        call["action"]
        for call in pushed.world.client.calls(since=begin)
        if call["account"] == pushed.world.account_id and call["action"] in WRITES
    ]
    assert writes == ["ecs:RegisterTaskDefinition", "ecs:UpdateService"]
    assert pushed.running == 4
    assert pushed.value(4) == FIRST
    made, first = pushed.definition(4), pushed.definition(1)
    assert made["containerDefinitions"] == first["containerDefinitions"]
    assert (made["cpu"], made["memory"]) == ("1024", "2048")
    assert made["tags"] == {**first["tags"], "byoc-copy-of": "1"}
    assert "later up may follow it: byoc:environment, byoc:image, byoc:langsmithApiKey, byoc:licenseKey, " in ran.out
    assert "byoc rollback demo-chat --to 1 --write-config" in ran.out

    assert set(pushed.world.up(CHAT).done().counts) == {"unchanged"}
    assert pushed.running == 4, "no config has changed, so an up changes nothing"

    pushed.world.configure(CHAT, {"image": f"{REPOSITORY}:1.3.0"})
    pushed.world.up(CHAT).done()
    assert pushed.running == 5
    assert pushed.value(5) == THIRD, "the config decides again"
    kept = keep(pushed.target)
    assert kept.deregistered == (f"{FAMILY}:4",)
    assert pushed.definition(4)["status"] == "INACTIVE"


WRITES = ("ecs:RegisterTaskDefinition", "ecs:UpdateService", "ecs:DeregisterTaskDefinition", "ecs:TagResource")


@pytest.mark.slow
def test_with_the_config_written_a_later_up_makes_the_revision_again_and_keeps_its_values(pushed: Pushed) -> None:
    before = pushed.world.file(CHAT).read_text()
    ran = pushed.run("rollback", CHAT, "--to", "1", "--yes", "--write-config", "--json")
    assert ran.code == 0, ran.err
    document = json.loads(ran.out)
    assert (document["from"], document["to"]) == (3, 1)
    assert document["taskDefinitions"] == {"api": f"{FAMILY}:4"}
    assert document["writtenKeys"] == ["byoc:environment", "byoc:image", "byoc:secretEnvironment", "byoc:size"]
    assert pushed.world.value(CHAT, "image") == f"{REPOSITORY}:1.0.0"
    assert pushed.world.value(CHAT, "environment") == {"GREETING": "hello"}
    assert pushed.world.value(CHAT, "size") == {"cpu": 1024, "memory": 2048}
    assert set(pushed.world.value(CHAT, "secretEnvironment")) == {"secure"}
    assert FIRST not in pushed.world.file(CHAT).read_text()
    assert pushed.world.file(CHAT).read_text() != before

    pushed.world.up(CHAT).done()
    assert pushed.running == 5
    assert pushed.value(5) == FIRST
    assert pushed.definition(5)["containerDefinitions"][0]["image"] == f"{REPOSITORY}:1.0.0"
    again = pushed.run("rollback", CHAT, "--to", "5", "--write-config")
    assert again.out.splitlines()[-1] == "written to the file of demo-chat: nothing: it agrees already"
    assert again.code == 0


@pytest.mark.slow
def test_by_default_one_step_back_is_taken_and_the_next_goes_further(pushed: Pushed) -> None:
    begin = pushed.world.client.next_call()
    assert pushed.run("rollback", CHAT, "--yes").code == 0
    assert (pushed.running, pushed.value(4)) == (4, SECOND)
    assert pushed.run("rollback", CHAT, "--yes").code == 0
    assert (pushed.running, pushed.value(5)) == (5, FIRST)
    forward = pushed.run("rollback", CHAT, "--to", "3", "--yes")
    assert forward.code == 0
    assert pushed.running == 3, "it is still active: the stack's own revision is taken as it is"
    assert [item.number for item in pushed.revisions.items] == [5, 4, 3, 2, 1]
    assert keep(pushed.target).deregistered == (f"{FAMILY}:5", f"{FAMILY}:4")
    calls = [call for call in pushed.world.client.calls(since=begin) if "LangGraphCloudBYOCRole" in call["principal"]]
    asked = {call["action"] for call in calls if call["account"] == pushed.world.account_id}
    assert asked <= {need.action for need in feature_needs([Feature.REVISIONS], TYPES)}
    assert {"ecs:UpdateService", "secretsmanager:UpdateSecretVersionStage"} <= asked


@pytest.mark.slow
def test_a_rollback_that_was_cut_short_goes_on_and_registers_nothing_twice(pushed: Pushed) -> None:
    plan = plan_rollback(pushed.target, 1)
    pushed.world.aws("ecs").register_task_definition(**plan.definitions["api"].copy())
    done = carry_out(plan_rollback(pushed.target, 1))
    assert done.task_definitions == {"api": f"{FAMILY}:4"}
    assert pushed.running == 4


@pytest.mark.slow
def test_what_cannot_be_gone_back_to_is_refused_and_nothing_is_changed(
    pushed: Pushed, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = pushed.world.client.next_call()
    same = pushed.run("rollback", CHAT, "--to", "3", "--yes")
    assert (same.code, same.err.splitlines()[0]) == (
        2,
        "error: chat: what runs, revision 3, has the content of revision 3 already; nothing was done",
    )
    absent = pushed.run("rollback", CHAT, "--to", "9", "--yes")
    assert (absent.code, absent.err.splitlines()[:2]) == (
        2,
        ["error: chat has no revision 9", "      allowed:  3, 2, 1, and older ones"],
    )
    unasked = pushed.run("rollback", CHAT, "--to", "1")
    assert unasked.code == 2
    assert "there is no terminal to ask on" in unasked.err
    with held(pushed.world.root, [CHAT], words="up demo-chat"):
        busy = pushed.run("rollback", CHAT, "--to", "1", "--yes")
    assert busy.code == 2
    assert "stack 'demo-chat' is being worked on by process" in busy.err
    many = pushed.run("rollback", "demo-*", "--yes")
    assert many.code == 2
    assert "'demo-*' means 3 stacks" in many.err
    shown = pushed.run("rollback", CHAT, "--to", "1", "--dry-run")
    assert shown.code == 0
    assert "chat: from revision 3 back to 1:" in shown.out

    asked = Account.ask

    def ask(self: Account, action: str, **arguments: Any) -> dict[str, Any]:
        answer = asked(self, action, **arguments)
        if action == "ecs:DescribeServices":
            answer["services"][0]["deployments"][0].update(rolloutState="IN_PROGRESS")
        return answer

    monkeypatch.setattr(Account, "ask", ask)
    rolling = pushed.run("rollback", CHAT, "--to", "1", "--yes")
    assert rolling.code == 2
    first = rolling.err.splitlines()[0]
    assert first.startswith(f"error: chat: {FAMILY}:3 is rolling out, last changed 20")
    assert first.endswith(": 1 of 1 containers run; nothing was done")
    assert "aws ecs stop-service-deployment --stop-type ROLLBACK" in rolling.err
    with pytest.raises(InputError, match="is rolling out"):
        keep(pushed.target)
    calls = pushed.world.client.calls(since=begin)
    mine = [call for call in calls if call["account"] == pushed.world.account_id]
    assert mine
    assert not [call for call in mine if not call["action"].partition(":")[2].startswith(("Describe", "List", "Get"))]


@pytest.mark.slow
def test_a_secret_version_that_is_gone_refuses_the_rollback_before_anything_is_changed(
    pushed: Pushed, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, version = pushed.version(1)
    listed = Account.all

    def all_but_one(self: Account, action: str, key: str, **arguments: Any) -> Iterator[Any]:
        """As AWS answers when it has deleted the version."""
        found = listed(self, action, key, **arguments)
        return (item for item in found if not isinstance(item, dict) or item.get("VersionId") != version)

    monkeypatch.setattr(Account, "all", all_but_one)
    ran = pushed.run("rollback", CHAT, "--to", "1", "--yes")
    assert ran.code == 2
    assert ran.err.splitlines()[0] == (
        "error: chat: revision 1 cannot start again: a secret version is gone: "
        f"langgraph-cloud/chat/environment, version {version}"
    )
    assert "byoc:revisions.keep" in ran.err
    assert pushed.running == 3
    assert [item.number for item in pushed.revisions.items] == [3, 2, 1]
    assert pushed.run("rollback", CHAT, "--to", "2", "--yes").code == 0


@pytest.mark.slow
def test_versions_are_kept_by_labels_for_as_many_revisions_as_the_config_says(pushed: Pushed) -> None:
    one, two, three = (pushed.version(number)[1] for number in (1, 2, 3))
    assert pushed.stages() == {one: set(), two: {"AWSPREVIOUS"}, three: {"AWSCURRENT"}}
    ran = pushed.run("revisions", CHAT, "--keep")
    assert ran.code == 0, ran.err
    assert "kept: the secret versions of revisions 3, 2, 1: 1 labelled, 0 released" in ran.out
    assert pushed.stages() == {one: {label_of(one)}, two: {"AWSPREVIOUS"}, three: {"AWSCURRENT"}}

    pushed.push("1.3.0", "four")
    four = pushed.version(4)[1]
    assert pushed.stages() == {one: {label_of(one)}, two: set(), three: {"AWSPREVIOUS"}, four: {"AWSCURRENT"}}
    pushed.world.configure(CHAT, {"revisions": {"keep": 3}})
    kept = json.loads(pushed.run("revisions", CHAT, "--keep", "--json").out)["deployments"][0]["kept"]
    assert kept["revisions"] == [4, 3, 2]
    assert kept["labelled"] == [f"langgraph-cloud/chat/environment@{two}: {label_of(two)}"]
    assert kept["released"] == [f"langgraph-cloud/chat/environment@{one}: {label_of(one)}"]
    assert pushed.stages() == {one: set(), two: {label_of(two)}, three: {"AWSPREVIOUS"}, four: {"AWSCURRENT"}}
    assert set(pushed.world.up(CHAT).done().counts) == {"unchanged"}, "labels are no drift"

    assert pushed.run("rollback", CHAT, "--to", "2", "--yes").code == 0
    pushed.world.aws("secretsmanager").update_secret_version_stage(
        SecretId=pushed.version(2)[0], VersionStage=label_of(two), RemoveFromVersionId=two
    )
    assert keep(pushed.target).labels == Labels(), "what runs is not what the stack wrote last"


@pytest.mark.slow
def test_what_ecs_does_not_tell_of_earlier_roll_outs_is_unknown(
    pushed: Pushed, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Account.ask

    def ask(self: Account, action: str, **arguments: Any) -> dict[str, Any]:
        if action == "ecs:ListServiceDeployments":
            raise DeniedError(action, "because no identity-based policy allows it")
        return asked(self, action, **arguments)

    monkeypatch.setattr(Account, "ask", ask)
    found = pushed.revisions
    assert [item.state.value for item in found.items] == ["DEPLOYED", "UNKNOWN", "UNKNOWN"]
    (note,) = found.notes
    assert note.startswith("not known: what became of earlier roll-outs, and digests of images: ecs:ListServiceDepl")


@pytest.mark.slow
def test_the_queue_goes_back_with_the_api_and_a_digest_is_told_where_the_registry_knows_it(pushed: Pushed) -> None:
    images = pushed.world.aws("ecr")
    images.create_repository(repositoryName="agents/queued")
    kind = "application/vnd.docker.distribution.manifest.v2+json"
    manifest = json.dumps({"schemaVersion": 2, "mediaType": kind, "config": {}, "layers": []})
    images.put_image(repositoryName="agents/queued", imageManifest=manifest, imageTag="2.0.0")
    registry = f"{pushed.world.account_id}.dkr.ecr.us-west-2.amazonaws.com/agents/queued"
    queue = {"mode": "separate", "cpu": 512, "memory": 1024}
    pushed.push("1.3.0", "sk-fourth", queue=queue)
    pushed.world.configure(CHAT, {"image": f"{registry}:2.0.0", "queue": {**queue, "cpu": 1024, "memory": 2048}})
    pushed.world.up(CHAT).done()
    newest, before = pushed.revisions.items[:2]
    assert newest.digest.startswith("sha256:")
    assert before.digest == ""
    assert [getattr(item.queue, "number", None) for item in pushed.revisions.items] == [2, 1, None, None, None]

    ran = pushed.run("rollback", CHAT, "--yes", "--json")
    assert ran.code == 0, ran.err
    handed = json.loads(ran.out)["taskDefinitions"]
    assert handed == {"api": f"{FAMILY}:6", "queue": "langgraph-cloud-chat-queue:3"}
    assert "byoc:queue" in json.loads(ran.out)["differingKeys"]
    ecs = pushed.world.aws("ecs")
    made = ecs.describe_task_definition(taskDefinition="langgraph-cloud-chat-queue:3")["taskDefinition"]
    assert (made["cpu"], made["containerDefinitions"][0]["image"]) == ("512", f"{REPOSITORY}:1.3.0")

    ran = pushed.run("rollback", CHAT, "--to", "2", "--yes")
    assert ran.code == 2
    assert "no revision of the queue has the image and the secrets of revision 2" in ran.err
