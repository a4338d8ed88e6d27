"""Back to an earlier revision, on the embedded AWS: what runs, and what a later ``up`` does."""

from __future__ import annotations

import json

import pytest

from byoc.operations.revisions.keep import keep
from byoc.operations.revisions.rollback import carry_out, plan_rollback
from byoc.permissions.needs.deployment import TYPES
from byoc.permissions.needs.features import Feature, feature_needs
from byoc.sandbox.emulator.faults import Fault
from tests.operations.pushed_world import FAMILY, FIRST, REPOSITORY, SECOND, THIRD, Pushed
from tests.sandbox.sandbox_world import CHAT, SUPPORT

DIGEST = "sha256:" + "d" * 64
WRITES = ("ecs:RegisterTaskDefinition", "ecs:UpdateService", "ecs:DeregisterTaskDefinition", "ecs:TagResource")


@pytest.mark.slow
def test_a_rollback_brings_image_secret_values_and_size_back_and_a_later_up_leaves_it_alone(pushed: Pushed) -> None:
    begin = pushed.world.client.next_call()
    ran = pushed.run("rollback", CHAT, "--to", "1", "--yes")
    assert ran.code == 0, ran.err
    writes = [
        call["action"]
        for call in pushed.world.calls(since=begin)
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
    calls = [call for call in pushed.world.calls(since=begin) if "LangGraphCloudBYOCRole" in call["principal"]]
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
    document = json.loads(ran.out)
    assert document["taskDefinitions"] == {"api": f"{FAMILY}:6", "queue": "langgraph-cloud-chat-queue:3"}
    assert "byoc:queue" in document["differingKeys"]
    ecs = pushed.world.aws("ecs")
    made = ecs.describe_task_definition(taskDefinition="langgraph-cloud-chat-queue:3")["taskDefinition"]
    assert (made["cpu"], made["containerDefinitions"][0]["image"]) == ("512", f"{REPOSITORY}:1.3.0")

    other = json.dumps({"schemaVersion": 2, "mediaType": kind, "config": {}, "layers": [{"digest": DIGEST, "size": 1}]})
    images.put_image(repositoryName="agents/queued", imageManifest=other, imageTag="2.0.0")
    (note,) = json.loads(pushed.run("rollback", CHAT, "--to", "5", "--yes", "--json").out)["notes"]
    assert note.startswith(
        f"the image is not the one of that time: {registry}:2.0.0 was {newest.digest} and is sha256:"
    )

    ran = pushed.run("rollback", CHAT, "--to", "2", "--yes")
    assert ran.code == 2
    assert "no revision of the queue has the image and the secrets of revision 2" in ran.err


@pytest.mark.slow
def test_several_stacks_go_back_together_and_one_that_cannot_keeps_no_other_from_it(pushed: Pushed) -> None:
    pushed.world.up(SUPPORT).done()
    looked = pushed.run("rollback", "demo-*", "--dry-run")
    assert (looked.code, looked.out.splitlines()[0]) == (1, "chat: from revision 3 back to 2:")
    assert "error: demo-support: support: there is no revision before 1 to go back to\n" in looked.err
    assert pushed.running == 3

    ran = pushed.run("rollback", CHAT, SUPPORT, "--yes", "--json")
    assert ran.code == 1
    chat, support = json.loads(ran.out)["stacks"]
    assert (chat["from"], chat["to"], chat["taskDefinitions"], chat["failure"]) == (3, 2, {"api": f"{FAMILY}:4"}, "")
    assert (support["stack"], support["to"], support["taskDefinitions"]) == (SUPPORT, None, {})
    assert support["failure"].startswith("support: there is no revision before 1 to go back to\n")
    assert list(chat) == list(support)
    assert pushed.running == 4


@pytest.mark.slow
@pytest.mark.usefixtures("quick_retries")
def test_a_busy_aws_is_told_for_each_stack_and_the_same_command_goes_on_later(pushed: Pushed) -> None:
    pushed.world.up(SUPPORT).done()
    pushed.world.up(SUPPORT, 'byoc:environment={"GREETING": "Hi"}').done()
    pushed.world.client.set_faults(Fault(kind="throttle", actions=("ecs:UpdateService",)))
    busy = pushed.run("rollback", CHAT, SUPPORT, "--yes", "--json")
    pushed.world.client.clear_faults()
    assert busy.code == 1
    failures = [item["failure"] for item in json.loads(busy.out)["stacks"]]
    assert [failure.startswith("ecs:UpdateService: AWS is too busy") for failure in failures] == [True, True]
    ran = pushed.run("rollback", CHAT, SUPPORT, "--yes", "--json")
    assert [item["failure"] for item in json.loads(ran.out)["stacks"]] == ["", ""]
    assert ran.code == 0
