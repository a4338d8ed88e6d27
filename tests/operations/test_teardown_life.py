"""Stacks taken down in the sandbox: what goes, what stays, and that nothing else is left."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from byoc.operations.teardown.look_data import DATABASE
from byoc.operations.teardown.plan import Options
from byoc.operations.teardown.run import tear_down
from byoc.operations.teardown.sign_off import Verdict
from byoc.permissions.needs.deployment import deployment_needs
from byoc.permissions.needs.features import Feature
from byoc.runs import RunResult
from tests.operations.teardown_world import Teardowns, lines, teardowns
from tests.sandbox.sandbox_world import ACCOUNT, ADOPTED, ALL_IN_ONE, CHAT, SUPPORT, World

pytestmark = pytest.mark.slow

TRACES = ("tracing project", "chat")
LINKED = {
    ("service-linked role", name)
    for name in (
        "AWSServiceRoleForECS",
        "AWSServiceRoleForRDS",
        "AWSServiceRoleForElasticLoadBalancing",
        "AWSServiceRoleForApplicationAutoScaling_ECSService",
    )
}


@pytest.fixture
def life(world: World) -> Iterator[Teardowns]:
    """An account with nothing in it but its own stack."""
    world.up(ACCOUNT).done()
    with teardowns(world) as found:
        yield found


@pytest.fixture
def chat(life: Teardowns) -> Teardowns:
    """And a development deployment in it."""
    life.world.up(CHAT).done()
    return life


def test_a_plan_names_everything_and_changes_nothing(chat: Teardowns) -> None:
    with chat.changing_nothing():
        plan = chat.plan(CHAT)
    assert plan.standing == ()
    assert Counter(item.kind for item in plan.going) == {
        "alarm": 9,
        "ECS service": 2,
        "ECS task": 2,
        "ECS task definition": 2,
        "Cloud Map service": 1,
        "load balancer": 1,
        "target group": 1,
        "database": 1,
        "database parameter group": 1,
        "secret": 3,
    }
    assert [(entry.kind, entry.id) for entry in plan.kept] == [TRACES]


def test_a_development_deployment_goes_and_the_account_is_as_it_was_before(life: Teardowns) -> None:
    before = life.world.kinds()
    life.world.up(CHAT).done()
    (outcome,) = life.run(CHAT)
    assert (outcome.error, outcome.is_clean) == ("", True)
    assert lines(outcome.signed, Verdict.KEPT) == [TRACES]
    assert [item.action for item in life.told] == ["destroy"]
    assert life.world.kinds() == before


def test_a_teardown_of_what_is_gone_already_ends_the_same(chat: Teardowns) -> None:
    chat.run(CHAT)
    plan = chat.plan(CHAT)
    assert plan.going == ()
    (outcome,) = chat.carry_out([plan])
    assert outcome.is_clean


def test_a_production_deployment_stands_until_its_protection_may_go_and_leaves_a_verified_snapshot(
    life: Teardowns,
) -> None:
    life.world.up(SUPPORT).done()
    with life.changing_nothing():
        (outcome,) = life.run(SUPPORT)
    assert outcome.error == (
        "something stands in the way; nothing was begun\n"
        "  database langgraph-cloud-support: it is protected from deletion"
    )
    (outcome,) = life.run(SUPPORT, unprotect=True)
    assert (outcome.error, outcome.is_clean) == ("", True)
    assert [(item.action, item.on) for item in life.told] == [
        ("rds:ModifyDBInstance", "langgraph-cloud-support"),
        ("unprotect", "demo-support"),
        ("destroy", "demo-support"),
    ]
    (snapshot, traces) = lines(outcome.signed, Verdict.KEPT)
    assert traces == ("tracing project", "support-agents")
    assert snapshot[0] == "final database snapshot"
    assert [item["id"] for item in life.world.inventory() if item["kind"] == "snapshot"] == [snapshot[1]]


def destroyed_without_a_snapshot(life: Teardowns, stack: str) -> RunResult:
    """A destroy after which no snapshot is there."""
    result = life.destroy(stack)
    rds = life.world.aws("rds")
    for item in rds.describe_db_snapshots(SnapshotType="manual")["DBSnapshots"]:
        rds.delete_db_snapshot(DBSnapshotIdentifier=item["DBSnapshotIdentifier"])
    return result


def test_a_production_database_whose_final_snapshot_is_not_there_is_a_finding(life: Teardowns) -> None:
    life.world.up(SUPPORT).done()
    engine = replace(life.engine, destroy=lambda stack: destroyed_without_a_snapshot(life, stack))
    plan = life.plan(SUPPORT, unprotect=True)
    (outcome,) = tear_down([plan], engine, Options(unprotect=True))
    assert lines(outcome.signed, Verdict.LEFT) == [("final database snapshot", "langgraph-cloud-support")]
    assert not outcome.is_clean


def test_a_snapshot_that_is_missing_is_a_finding_even_where_something_else_failed(life: Teardowns) -> None:
    life.world.up(SUPPORT).done()
    engine = replace(
        life.engine, destroy=lambda stack: replace(destroyed_without_a_snapshot(life, stack), interrupted=True)
    )
    (outcome,) = tear_down([life.plan(SUPPORT, unprotect=True)], engine, Options(unprotect=True))
    assert outcome.error == "interrupted"
    assert lines(outcome.signed, Verdict.LEFT) == [("final database snapshot", "langgraph-cloud-support")]


def test_a_database_that_would_go_without_the_snapshot_that_its_config_asks_for_by_now_stays(
    life: Teardowns,
) -> None:
    unprotected = {"deletionProtection": False}
    life.world.configure(SUPPORT, {"database": {**unprotected, "finalSnapshot": False}})
    life.world.up(SUPPORT).done()
    life.world.configure(SUPPORT, {"database": unprotected})
    with life.changing_nothing():
        (outcome,) = life.run(SUPPORT)
    assert outcome.error == (
        "the config asks for a final snapshot of langgraph-cloud-support, and the stack was last brought up without "
        "one: its data would be lost; nothing was begun\n"
        "      mend it:  bring demo-support up once more, then run teardown again; or, to lose the data, set "
        "database.finalSnapshot to false"
    )
    life.world.up(SUPPORT).done()
    (outcome,) = life.run(SUPPORT)
    assert (outcome.error, outcome.is_clean) == ("", True)
    assert "final database snapshot" in [kind for kind, _ in lines(outcome.signed, Verdict.KEPT)]


def test_a_secret_that_aws_has_not_ended_yet_is_waited_for_and_not_called_left_over(
    chat: Teardowns, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, secrets = "langgraph-cloud/chat/cache", chat.world.aws("secretsmanager")
    pauses: list[float] = []

    def destroy(stack: str) -> RunResult:
        result = chat.destroy(stack)
        secrets.create_secret(Name=name, SecretString="{}")
        secrets.delete_secret(SecretId=name, RecoveryWindowInDays=7)  # shown as AWS shows one that it is ending
        return result

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        secrets.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)

    monkeypatch.setattr(time, "sleep", sleep)
    (outcome,) = tear_down([chat.plan(CHAT)], replace(chat.engine, destroy=destroy), Options())
    assert (outcome.error, outcome.is_clean, len(pauses)) == ("", True, 1)


def test_a_whole_install_goes_deployments_first(chat: Teardowns) -> None:
    (refused,) = chat.run(ACCOUNT)
    assert "deployment chat: it still stands" in refused.error
    assert chat.destroyed == []
    plans = [chat.plan(CHAT), chat.plan(ACCOUNT, going_first=("chat",))]
    assert [plan.standing for plan in plans] == [(), ()]
    outcomes = chat.carry_out(plans)
    assert [(outcome.error, outcome.is_clean) for outcome in outcomes] == [("", True), ("", True)]
    assert chat.destroyed == [CHAT, ACCOUNT]
    assert set(lines(outcomes[1].signed, Verdict.KEPT)) == LINKED
    assert chat.world.kinds() == Counter()


def test_an_account_stack_is_not_begun_when_its_deployment_did_not_go(chat: Teardowns) -> None:
    plans = [chat.plan(CHAT), chat.plan(ACCOUNT, going_first=("chat",))]
    unnamed = replace(plans[0], going=tuple(item for item in plans[0].going if item.kind != DATABASE))
    with chat.changing_nothing():
        outcomes = chat.carry_out([unnamed, plans[1]])
    assert [outcome.error for outcome in outcomes] == [
        "the plan that was shown did not name database langgraph-cloud-chat; nothing was begun; look at the plan again",
        "a deployment of this install did not go; nothing was begun",
    ]


def test_an_account_with_deployments_of_its_own_goes_in_one(world: World) -> None:
    world.up(ALL_IN_ONE).done()
    with teardowns(world) as life:
        (outcome,) = life.run(ALL_IN_ONE, unprotect=True)
        assert (outcome.error, outcome.is_clean) == ("", True)
        kept = Counter(kind for kind, _ in lines(outcome.signed, Verdict.KEPT))
        assert kept == {"service-linked role": 4, "final database snapshot": 1, "tracing project": 2}


def test_an_adopted_network_loses_the_tags_and_nothing_else(world: World) -> None:
    world.up(ADOPTED).done()
    with teardowns(world) as life:
        group = _group(world, "team-eu-service-sg", region="eu-central-1")
        ec2 = world.aws("ec2", "eu-central-1")
        theirs = ec2.create_security_group(GroupName="theirs", Description="d", VpcId=group["VpcId"])["GroupId"]
        pair: list[dict[str, Any]] = [{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": group["GroupId"]}]}]
        ec2.authorize_security_group_ingress(GroupId=theirs, IpPermissions=pair)
        (outcome,) = life.run(ADOPTED)
        assert f"security-group rule {theirs}: others made it" in outcome.error
        ec2.delete_security_group(GroupId=theirs)
        (outcome,) = life.run(ADOPTED)
        assert (outcome.error, outcome.is_clean) == ("", True)
        tagged = [*ec2.describe_vpcs()["Vpcs"], *ec2.describe_subnets()["Subnets"]]
        keys = {tag["Key"] for item in tagged for tag in item.get("Tags") or ()}
        assert not any(key.startswith("langgraph-cloud") for key in keys)
        assert group["VpcId"] in {item["VpcId"] for item in tagged}


def test_two_installs_in_one_adopted_network_are_told_apart(world: World) -> None:
    world.up(ADOPTED).done()
    beside = world.copy_stack(ADOPTED, "beside", {"namePrefix": "team-two"})
    world.up(beside).done()
    with teardowns(world) as life:
        plan = life.plan(ADOPTED)
        assert [(item.kind, item.id, item.stands) for item in plan.blockers] == [("install", "team-two", False)]
        assert "tag on an adopted VPC or subnet" in [item.kind for item in plan.going]
        assert not [item for item in plan.going if "team-two" in item.id or "team-two" in item.note]
        (outcome,) = life.carry_out([plan])
        assert (outcome.error, outcome.is_clean) == ("", True)
        (private,) = world.value(ADOPTED, "network")["privateSubnetIds"][:1]
        world.aws("ec2", "eu-central-1").create_tags(
            Resources=[private], Tags=[{"Key": "langgraph-cloud-enabled", "Value": "1"}]
        )  # as the other install's account stack does
        signed = life.sweep(ADOPTED)
        assert ("tag on an adopted VPC or subnet", f"{private} langgraph-cloud-enabled") in lines(signed, Verdict.KEPT)
        assert signed.is_clean
        assert not [item for item in life.plan(beside).blockers if item.stands]


def test_a_repository_with_images_stays_and_everything_else_goes(life: Teardowns) -> None:
    manifest = {"schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json", "layers": []}
    life.world.aws("ecr").put_image(repositoryName="agents/chat", imageManifest=json.dumps(manifest), imageTag="1.0.0")
    plan = life.plan(ACCOUNT)
    assert ("image repository", "agents/chat") in [(entry.kind, entry.id) for entry in plan.kept]
    (outcome,) = life.carry_out([plan])
    assert (outcome.error, outcome.is_clean) == ("", True)
    assert ("image repository", "agents/chat") in lines(outcome.signed, Verdict.KEPT)
    assert life.world.kinds() == {"ecr repository": 1}


def test_what_the_role_is_asked_about_a_deployment_is_in_the_permission_source(chat: Teardowns) -> None:
    first = chat.world.client.next_call()
    chat.plan(CHAT)
    chat.sweep(CHAT)
    of_the_role = {
        str(call["action"])
        for call in chat.world.calls(since=first)
        if "assumed-role/LangGraphCloudBYOCRole" in str(call["principal"])
    }
    assert of_the_role
    known = {need.action for need in deployment_needs(features=[Feature.TEARDOWN])}
    assert of_the_role - known == set()


def _group(world: World, name: str, region: str = "") -> dict[str, Any]:
    filters = [{"Name": "group-name", "Values": [name]}]
    (found,) = world.aws("ec2", region).describe_security_groups(Filters=filters)["SecurityGroups"]
    return dict(found)
