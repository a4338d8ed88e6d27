"""Operating a deployment through a scoped role, under enforcement: nothing is denied but what is denied on purpose."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from byoc.operations.retention.run import Done
from byoc.operations.revisions.keep import keep
from byoc.operations.teardown.sign_off import Verdict
from tests.operations.operated_world import Operated
from tests.operations.pushed_world import Pushed
from tests.operations.retention_world import Traced, traced
from tests.operations.teardown_world import lines, teardowns
from tests.operations.test_watch import stopped_database, watch
from tests.sandbox.access_steps import clear, denied
from tests.sandbox.cli_runner import Outcome, byoc
from tests.sandbox.sandbox_world import ACCOUNT, CHAT, World, Worlds, is_read
from tests.sandbox.test_e2e_scoped import SCOPED
from tests.unit.withheld import is_withheld

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("quick_retries")]

REPOSITORY = "agents/chat"
OF_ECS = {"ECS_CLUSTER_NAME": "langgraph-cloud-cluster", "ECS_SERVICE_NAME": "langgraph-cloud-chat-cache"}
Run = Callable[..., Outcome]


@dataclass(frozen=True)
class Asked:
    """What was asked through the role within a block."""

    calls: list[Mapping[str, Any]]

    @property
    def actions(self) -> set[str]:
        return {str(call["action"]) for call in self.calls}

    @property
    def denied(self) -> set[tuple[str, str]]:
        """Action and resource."""
        refused = [call for call in self.calls if call["outcome"] == "denied"]
        return {(str(call["action"]), str(resource)) for call in refused for resource in call["resources"]}


@contextlib.contextmanager
def watched(world: World) -> Iterator[Asked]:
    """Collects the requests of the cross-account role."""
    first, asked = world.client.next_call(), Asked([])
    yield asked
    role = f":{world.account_id}:assumed-role/LangGraphCloudBYOCRole/"
    asked.calls.extend(call for call in world.calls(since=first) if role in str(call["principal"]))


def push(world: World, tag: str, secret: str) -> None:
    """Another revision: another image and another value of a secret."""
    image = f"{world.account_id}.dkr.ecr.{world.region}.amazonaws.com/{REPOSITORY}:{tag}"
    config = {"mediaType": "application/vnd.docker.container.image.v1+json", "digest": f"sha256:{'1' * 64}", "size": 1}
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "config": config,
        "layers": [],
        "annotations": {"tag": tag},
    }
    world.aws("ecr").put_image(repositoryName=REPOSITORY, imageManifest=json.dumps(manifest), imageTag=tag)
    world.configure(CHAT, {"image": image})
    world.configure_secret(CHAT, "secretEnvironment", json.dumps({"OPENAI_API_KEY": secret}))
    world.up(CHAT).done()


@pytest.fixture(scope="module")
def life(worlds: Worlds, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traced]:
    """A deployment under a scoped role, pushed twice; each test leaves it as healthy as it found it."""
    world = worlds.new()
    world.configure(ACCOUNT, {"access": SCOPED})
    with traced(world, tmp_path_factory.mktemp("langsmith")) as found:
        found.server.add_project("chat")
        push(world, "1.1.0", "sk-first-0001")
        push(world, "1.2.0", "sk-second-0002")
        yield found


@pytest.fixture
def run(life: Traced, capsys: pytest.CaptureFixture[str]) -> Run:
    return lambda *words: byoc(capsys, *words, "-C", str(life.world.root))


def test_the_role_carries_no_policy_of_aws(life: Traced) -> None:
    attached = life.world.aws("iam").list_attached_role_policies(RoleName="LangGraphCloudBYOCRole")
    assert {item["PolicyArn"].split(":")[4] for item in attached["AttachedPolicies"]} == {life.world.account_id}


def test_doctor_is_answered_and_what_it_is_not_told_is_unknown(life: Traced, run: Run) -> None:
    world = life.world
    with watched(world) as asked:
        outcome = run("doctor", CHAT, "--json")
    secrets = f"arn:aws:servicequotas:{world.region}:{world.account_id}:secretsmanager/L-2F66C23C"
    assert asked.denied == {("secretsmanager:ListSecrets", "*"), ("servicequotas:GetServiceQuota", secrets)}
    assert all(is_withheld("scoped", action, resource) for action, resource in asked.denied)
    assert {
        "ecr:BatchGetImage",
        "ecr:DescribeImages",
        "ecr:GetDownloadUrlForLayer",
        "iam:SimulatePrincipalPolicy",
        "servicequotas:GetServiceQuota",
        "ec2:DescribeVpcAttribute",
        "rds:DescribeOrderableDBInstanceOptions",
    } <= asked.actions
    (report,) = json.loads(outcome.out)["stacks"]
    checks = {f"{item['area']}: {item['name']}": item for item in report["checks"]}
    unknown = {name for name, item in checks.items() if item["verdict"] == "unknown"}
    assert [name for name, item in checks.items() if item["verdict"] == "fail"] == []
    assert {name for name in unknown if not name.startswith("egress: ")} == {
        # IAM's simulation lacks values that only a create call has.
        "actions: ecs",
        "actions: elasticloadbalancing",
        "actions: servicediscovery",
        "image: platform of chat",  # the emulator has no layers to download
        "quotas: secrets",
    }
    assert checks["image: image of chat"]["verdict"] == "pass"
    denied = "denied by the policies of the role: no statement allows it"
    assert f"secretsmanager:ListSecrets: {denied}" in checks["quotas: secrets"]["evidence"]
    assert checks["actions: secretsmanager"]["verdict"] == "pass"
    assert outcome.code == 3


def test_revisions_are_listed_and_gone_back_to(life: Traced, run: Run) -> None:
    with watched(life.world) as asked:
        listed = json.loads(run("revisions", CHAT, "--json").out)["deployments"][0]
        back = run("rollback", CHAT, "--to", "2", "--yes")
        assert (back.code, back.err) == (0, "")
        forward = run("rollback", CHAT, "--to", "3", "--yes")
        assert (forward.code, forward.err) == (0, "")
        keep(Pushed(life.world, run).target)
    assert [item["number"] for item in listed["revisions"]] == [3, 2, 1]
    assert listed["notes"] == []
    assert asked.denied == set()
    assert {
        "ecs:DescribeServiceRevisions",
        "ecs:ListServiceDeployments",
        "ecs:RegisterTaskDefinition",
        "ecs:UpdateService",
        "secretsmanager:ListSecretVersionIds",
        "secretsmanager:UpdateSecretVersionStage",
    } <= asked.actions


def test_a_stopped_database_is_started(life: Traced, run: Run) -> None:
    with stopped_database(life.world), watched(life.world) as asked:
        outcome = run("watch", CHAT, "--apply", "--json")
        (found,) = json.loads(outcome.out)["deployments"]
    assert [finding["id"] for finding in found["findings"]] == ["database.stopped"]
    assert asked.denied == set()
    assert "rds:StartDBInstance" in asked.actions
    (database,) = life.world.aws("rds").describe_db_instances()["DBInstances"]
    assert database["DBInstanceStatus"] == "available"


def test_a_deployment_that_nobody_uses_is_told_of(life: Traced) -> None:
    with watched(life.world) as asked:
        assert [life.on(day).apply().done for day in (0, 8)] == [Done.NOTHING, Done.NOTIFIED]
    assert asked.denied == set()
    assert {"secretsmanager:TagResource", "sns:ListSubscriptionsByTopic", "sns:Publish"} <= asked.actions


def test_status_logs_and_events_are_read(life: Traced, run: Run) -> None:
    with watched(life.world) as asked:
        assert [run(verb, CHAT).code for verb in ("status", "logs", "events")] == [0, 0, 0]
    assert asked.denied == set()


@pytest.mark.usefixtures("short_patience")
def test_a_deployment_is_taken_down_and_the_sweep_is_signed_off(world: World, capsys: Any) -> None:
    world.configure(ACCOUNT, {"access": SCOPED})
    world.up(ACCOUNT).done()
    world.up(CHAT).done()
    cloud_map = world.aws("servicediscovery")
    (service,) = [item for item in cloud_map.list_services()["Services"] if item["Name"] == "chat"]
    left = {"AWS_INSTANCE_IPV4": "10.0.0.9", **OF_ECS}
    cloud_map.register_instance(ServiceId=service["Id"], InstanceId="left-behind", Attributes=left)
    with teardowns(world) as life, watched(world) as asked:
        planned = byoc(capsys, "teardown", CHAT, "--json", "-C", str(world.root))
        assert json.loads(planned.out)
        (outcome,) = life.run(CHAT)
        signed = life.sweep(CHAT)
    assert (outcome.error, outcome.is_clean) == ("", True)
    assert ("servicediscovery:DeregisterInstance", "chat left-behind") in [(item.action, item.on) for item in life.told]
    assert asked.denied == set()
    assert lines(signed, Verdict.UNKNOWN) == []
    assert {
        "kms:DescribeKey",
        "rds:DescribeDBInstanceAutomatedBackups",
        "rds:DescribeDBParameterGroups",
        "rds:DescribeDBSnapshots",
        "servicediscovery:DeregisterInstance",
        "servicediscovery:ListInstances",
        "servicediscovery:ListServices",
        "tag:GetResources",
    } <= asked.actions


def test_who_only_observes_is_answered_changes_nothing_and_is_told_what_it_may_not(
    world: World, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.configure(ACCOUNT, {"access": SCOPED})
    world.up(ACCOUNT).done()
    world.up(CHAT).done()
    world.configure(ACCOUNT, {"access": {**SCOPED, "observeOnly": True}})
    world.up(ACCOUNT).done()
    operated = Operated.of(world, capsys, monkeypatch)
    assert [operated.byoc(verb, CHAT).code for verb in ("status", "events", "revisions")] == [0, 0, 0]
    assert operated.byoc("teardown", CHAT).code == 0
    assert operated.byoc("teardown", CHAT, "--sweep-only").code == 1, "it is there"
    assert operated.denied() == []
    with stopped_database(world):
        _, found = watch(operated, "--apply")
    assert [deed["outcome"] for deed in found["deeds"]] == ["denied"]
    assert operated.denied() == ["rds:StartDBInstance"]
    assert [call["action"] for call in operated.calls() if not is_read(call["action"])] == ["rds:StartDBInstance"]


def test_without_deletions_a_registration_and_a_secret_stay(world: World) -> None:
    world.configure(ACCOUNT, {"access": {**SCOPED, "allowDelete": False}})
    world.up(ACCOUNT).done()
    world.up(CHAT).done()
    with watched(world) as asked:
        calls = clear(world, CHAT)
    assert "servicediscovery:ListInstances" in asked.actions
    assert denied(calls).actions == {"servicediscovery:DeregisterInstance"}
    cloud_map = world.aws("servicediscovery")
    (service,) = [item for item in cloud_map.list_services()["Services"] if item["Name"] == "chat"]
    left = cloud_map.list_instances(ServiceId=service["Id"])["Instances"]
    assert "left-behind" in {item["Id"] for item in left}
