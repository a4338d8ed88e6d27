"""``byoc watch --restore`` with the real Pulumi CLI: what is ours comes back, what the customer added stays."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.engine.operated_project import CLUSTER, SERVICE, OperatedProject
from tests.engine.real_world import RealWorld
from tests.sandbox.sandbox_world import ACCOUNT, ALL_IN_ONE, CHAT, World

pytestmark = [pytest.mark.engine, pytest.mark.slow]
SCALES = {"type": "production", "size": {"minContainers": 1, "maxContainers": 3}}
ERRORS, SLOW = "langgraph-cloud-chat-errors", "langgraph-cloud-chat-latency"
RESOURCE = {
    "ServiceNamespace": "ecs",
    "ScalableDimension": "ecs:service:DesiredCount",
    "ResourceId": f"service/{CLUSTER}/{SERVICE}",
}
POLICY = "langgraph-cloud-chat-scale-out"
CPU = "langgraph-cloud-chat-database-cpu"


@pytest.fixture
def project(world: World) -> OperatedProject:
    """An account, and a deployment that scales, up."""
    world.configure(CHAT, SCALES)
    real = RealWorld(world)
    for stack in (ACCOUNT, CHAT):
        real.init(stack)
        real.up(stack).done()
    return OperatedProject(real)


def watched(project: OperatedProject, *words: str) -> tuple[int, dict[str, Any]]:
    """The exit code of ``byoc watch``, and all that it says."""
    ran = project.byoc("watch", CHAT, *words, "--json")
    assert ran.err == ""
    return ran.code, ran.document


def restoration(project: OperatedProject, *words: str) -> dict[str, Any]:
    """What became of the one stack."""
    (found,) = watched(project, *words)[1]["restorations"]
    return dict(found)


def policies(world: World) -> set[str]:
    """The names of the scaling policies."""
    found = world.aws("application-autoscaling").describe_scaling_policies(**RESOURCE)["ScalingPolicies"]
    return {policy["PolicyName"] for policy in found}


def alarm(world: World, name: str) -> dict[str, Any]:
    """An alarm; empty if it is not there."""
    found = world.aws("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
    return dict(found[0]) if found else {}


def service(world: World) -> dict[str, Any]:
    """The API's service with its tags."""
    (found,) = world.aws("ecs").describe_services(cluster=CLUSTER, services=[SERVICE], include=["TAGS"])["services"]
    return {**found, "tagged": {tag["key"]: tag["value"] for tag in found["tags"]}}


def edit_threshold(world: World) -> None:
    """Somebody sets an alarm otherwise."""
    kept = ("AlarmName", "AlarmActions", "OKActions", "ComparisonOperator", "EvaluationPeriods", "Namespace", "Period")
    wanted = (*kept, "DatapointsToAlarm", "TreatMissingData", "MetricName", "Statistic", "Dimensions")
    settings = {key: value for key, value in alarm(world, CPU).items() if key in wanted}
    world.aws("cloudwatch").put_metric_alarm(**settings, Threshold=99.0)


def add_beside(world: World) -> str:
    """Somebody adds a tag to the service and to the database, and a rule to the database's group; the group's id."""
    world.aws("ecs").tag_resource(resourceArn=service(world)["serviceArn"], tags=[{"key": "team", "value": "agents"}])
    rds = world.aws("rds")
    (database,) = rds.describe_db_instances(DBInstanceIdentifier="langgraph-cloud-chat")["DBInstances"]
    rds.add_tags_to_resource(ResourceName=database["DBInstanceArn"], Tags=[{"Key": "owner", "Value": "data"}])
    group = str(database["VpcSecurityGroups"][0]["VpcSecurityGroupId"])
    world.aws("ec2").authorize_security_group_ingress(
        GroupId=group, IpProtocol="tcp", FromPort=5432, ToPort=5432, CidrIp="10.9.0.0/16"
    )
    return group


def beside(world: World, group: str) -> tuple[bool, bool, bool]:
    """Whether the tags and the rule are there."""
    (database,) = world.aws("rds").describe_db_instances(DBInstanceIdentifier="langgraph-cloud-chat")["DBInstances"]
    (found,) = world.aws("ec2").describe_security_groups(GroupIds=[group])["SecurityGroups"]
    ranges = [item["CidrIp"] for rule in found["IpPermissions"] for item in rule["IpRanges"]]
    return (
        service(world)["tagged"].get("team") == "agents",
        {"Key": "owner", "Value": "data"} in database["TagList"],
        "10.9.0.0/16" in ranges,
    )


def test_what_is_ours_comes_back_and_what_was_added_beside_it_stays(project: OperatedProject) -> None:
    world = project.world
    before = service(world)["taskDefinition"]
    world.aws("cloudwatch").delete_alarms(AlarmNames=[ERRORS])
    world.aws("application-autoscaling").delete_scaling_policy(PolicyName=POLICY, **RESOURCE)
    edit_threshold(world)
    group = add_beside(world)

    dry = restoration(project, "--restore")
    assert (dry["outcome"], sorted(dry["findings"])) == (
        "would",
        ["drift.managed", "watching.alarm-absent", "watching.policy-absent"],
    )
    assert restoration(project, "--apply")["outcome"] == "offered"
    assert (alarm(world, ERRORS), POLICY in policies(world)) == ({}, False)

    done = restoration(project, "--apply", "--restore")
    assert done["outcome"] == "done", done["detail"]
    assert alarm(world, ERRORS)["AlarmName"] == ERRORS
    assert alarm(world, CPU)["Threshold"] == 80.0
    assert POLICY in policies(world)
    assert beside(world, group) == (True, True, True)
    assert service(world)["taskDefinition"] == before
    assert {text.rpartition(": ")[2] for text in done["left"]} == {"team", "owner"}

    code, well = watched(project)
    assert (code, well["restorations"]) == (0, [])
    (run,) = project.done("runs")["runs"]
    assert (run["run"], run["state"], run["asked"]) == (
        done["run"],
        "succeeded",
        "watch demo-chat --apply --restore",
    )
    (line,) = (world.root / ".byoc" / "watch.jsonl").read_text().splitlines()
    assert json.loads(line)["outcome"] == "done"


def test_a_config_that_was_not_brought_up_yet_is_not_rolled_out(project: OperatedProject) -> None:
    world = project.world
    world.aws("cloudwatch").delete_alarms(AlarmNames=[ERRORS])
    world.configure(CHAT, {"environment": {"GREETING": "Hello anew"}})
    since = world.client.next_call()

    refused = restoration(project, "--apply", "--restore")
    assert refused["outcome"] == "refused", refused["detail"]
    assert "aws:ecs/taskDefinition:TaskDefinition" in refused["detail"]
    assert (alarm(world, ERRORS), project.image) == ({}, project.tagged("1.0.0"))
    assert project.done("runs")["runs"] == []

    world.configure(CHAT, {"image": project.tagged("2.0.0")})
    known = restoration(project, "--apply", "--restore")
    assert known["outcome"] == "refused"
    assert known["detail"] == (
        f"service api runs image {project.tagged('1.0.0')}, the config says {project.tagged('2.0.0')}"
    )
    changing = ("Create", "Put", "Update", "Register", "Delete", "Modify", "Tag", "Untag", "Authorize")
    changed = [
        call["action"]
        for call in world.calls(since=since)
        if call["action"].partition(":")[2].startswith(changing) and ":assumed-role/" in call["principal"]
    ]
    assert changed == []


def test_a_stack_that_is_not_in_the_backend_failed_and_the_other_one_goes_on(project: OperatedProject) -> None:
    world = project.world
    world.copy_stack(CHAT, "absent", {})
    world.aws("cloudwatch").delete_alarms(AlarmNames=[ERRORS])
    ran = project.byoc("watch", "absent", CHAT, "--apply", "--restore", "--json")
    absent, present = ran.document["restorations"]
    assert (absent["stack"], absent["outcome"], absent["run"]) == ("absent", "failed", "")
    assert "absent" in absent["detail"]
    assert "--init" in absent["wayOut"]
    assert (present["stack"], present["outcome"]) == (CHAT, "done"), present["detail"]
    assert alarm(world, ERRORS)["AlarmName"] == ERRORS
    assert ran.code == 1


# Deployments that stand in their account's stack

INSTALL = "agents"


@pytest.fixture
def inline(world: World) -> OperatedProject:
    """An account stack with two deployments in it, up."""
    world.region = "us-east-1"
    real = RealWorld(world)
    real.init(ALL_IN_ONE)
    real.up(ALL_IN_ONE).done()
    return OperatedProject(real)


def rules_for_postgres(world: World) -> tuple[str, list[dict[str, Any]]]:
    """The group of the databases, and its rules for them."""
    ec2 = world.aws("ec2")
    (group,) = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": [f"{INSTALL}-data-sg"]}])[
        "SecurityGroups"
    ]
    return group["GroupId"], [rule for rule in group["IpPermissions"] if rule.get("FromPort") == 5432]


def test_of_an_account_stack_alarms_and_rules_of_its_deployments_come_back_in_one_run(inline: OperatedProject) -> None:
    world = inline.world
    names = [f"{INSTALL}-sandbox-errors", f"{INSTALL}-assistant-errors"]
    assert all(alarm(world, name) for name in names)
    world.aws("cloudwatch").delete_alarms(AlarmNames=names)
    group, rules = rules_for_postgres(world)
    world.aws("ec2").revoke_security_group_ingress(GroupId=group, IpPermissions=rules)

    ran = inline.byoc("watch", ALL_IN_ONE, "--profile", "account", "--apply", "--restore", "--json")
    assert ran.err == ""
    (done,) = ran.document["restorations"]
    assert done["outcome"] == "done", done["detail"]
    assert (done["deployments"], set(done["findings"])) == (
        ["assistant", "sandbox"],
        {"watching.alarm-absent", "drift.rule-absent"},
    )
    assert all(alarm(world, name) for name in names)
    assert rules_for_postgres(world) == (group, rules)
    again = inline.byoc("watch", ALL_IN_ONE, "--profile", "account", "--json")
    assert (again.code, again.document["well"], again.document["restorations"]) == (0, True, [])
