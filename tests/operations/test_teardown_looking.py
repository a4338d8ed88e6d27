"""What a look around a stack sees of it, and what stands in the way of its end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, NoReturn

import pytest

from byoc.errors import ByocError, InputError
from byoc.operations.answers import AbsentError
from byoc.operations.teardown import look_containers, look_network, look_serving
from byoc.operations.teardown.by_tag import tagged
from byoc.operations.teardown.clearing import Clear, Told
from byoc.operations.teardown.found import Found, NotAsked
from byoc.operations.teardown.guests import guests
from byoc.operations.teardown.plan import Options, make_plan
from byoc.operations.teardown.run import Engine, tear_down
from byoc.operations.teardown.sign_off import Verdict
from byoc.types import AwsAccount
from tests.operations.teardown_answers import INSTALL, NOTHING, OURS, REGION, ids, subject


@pytest.mark.parametrize(
    ("interface", "is_guest"),
    [
        ({"InterfaceType": "interface", "Description": "ELB app/langgraph-cloud-chat/1"}, False),
        ({"InterfaceType": "interface", "Description": "RDSNetworkInterface"}, False),
        ({"InterfaceType": "interface", "Description": "arn:aws:ecs:attachment/1", "RequesterManaged": False}, False),
        ({"InterfaceType": "interface", "Description": "theirs", "RequesterManaged": False}, True),
        ({"InterfaceType": "lambda", "Description": "AWS Lambda VPC ENI-theirs"}, True),
        ({"InterfaceType": "efs", "Description": "EFS mount target"}, True),
        ({"InterfaceType": "vpc_endpoint", "Description": "VPC Endpoint Interface vpce-1"}, True),
    ],
)
def test_what_others_functions_and_mounts_put_under_a_group_of_the_install_is_theirs(
    interface: dict[str, Any], is_guest: bool
) -> None:
    group = {"GroupId": "sg-1", "GroupName": "langgraph-cloud-service-sg", "VpcId": "vpc-1", "Tags": OURS}
    found = {"NetworkInterfaceId": "eni-1", "RequesterManaged": True, "Groups": [group], **interface}
    answers = {
        "ec2:DescribeSecurityGroups": {"SecurityGroups": [group]},
        "ec2:DescribeNetworkInterfaces": {"NetworkInterfaces": [found]},
        "ec2:DescribeNatGateways": {"NatGateways": []},
        "ec2:DescribeVpcEndpoints": {"VpcEndpoints": []},
    }
    adopted = replace(subject(answers, install=True), install=replace(INSTALL, makes_network=False))
    assert [guest.id for guest in guests(adopted)] == (["eni-1"] if is_guest else [])


def test_a_security_group_whose_tags_somebody_took_off_is_found_by_its_name() -> None:
    group = {"GroupId": "sg-1", "GroupName": "langgraph-cloud-data-sg"}
    answers = {
        "ec2:DescribeSecurityGroups": lambda asked: (
            {"SecurityGroups": [group]}
            if asked["Filters"][0]["Name"] == "group-name" and group["GroupName"] in asked["Filters"][0]["Values"]
            else {"SecurityGroups": []}
        )
    }
    assert ids(look_network.security_groups(subject(answers, install=True))) == ["sg-1"]


@pytest.mark.parametrize(
    ("install", "begins"),
    [
        (False, "TargetTracking-service/langgraph-cloud-cluster/langgraph-cloud-chat-queue-Alarm"),
        (True, "TargetTracking-service/langgraph-cloud-cluster/"),
    ],
)
def test_alarms_that_aws_made_for_the_scaling_of_a_queue_are_looked_for(install: bool, begins: str) -> None:
    answers = {
        "cloudwatch:DescribeAlarms": lambda asked: (
            {"MetricAlarms": [{"AlarmName": f"{begins}High-1"}] if asked.get("AlarmNamePrefix") == begins else []}
        )
    }
    assert ids(look_serving.alarms(subject(answers, install=install))) == [f"{begins}High-1"]


def test_a_task_of_a_whole_cluster_is_told_with_what_has_started_it() -> None:
    answers = {
        "ecs:ListTasks": {"taskArns": ["arn:1"]},
        "ecs:DescribeTasks": {"tasks": [{"taskArn": "arn:aws:ecs:r:1:task/c/t", "group": "family:theirs"}]},
    }
    (task,) = look_containers.tasks(subject(answers, install=True))
    assert (task.id, task.facts) == ("c/t", {"group": "family:theirs"})


def test_what_a_probe_left_is_found_and_goes_with_its_deployment() -> None:
    family = "langgraph-cloud-chat-egress-probe"
    ours = [{"key": "byoc-install", "value": "langgraph-cloud"}, {"key": "byoc-deployment", "value": "chat"}]
    answers = {
        "ecs:ListTaskDefinitions": lambda asked: (
            {"taskDefinitionArns": [f"arn:aws:ecs:r:1:task-definition/{family}:1"]}
            if asked["familyPrefix"] == family
            else {"taskDefinitionArns": []}
        ),
        "ecs:DescribeTaskDefinition": {"tags": ours},
        "ecs:DeregisterTaskDefinition": {},
    }
    chat = subject(answers)
    told: list[Told] = []
    Clear(chat, told.append).forget(look_containers.strays(chat))
    assert [(item.action, item.on, item.why) for item in told] == [
        (
            "ecs:DeregisterTaskDefinition",
            f"{family}:1",
            "byoc doctor --probe-egress left it, and no stack knows of it",
        )
    ]


def never(_: str) -> NoReturn:
    raise AssertionError("it was begun")


def busy(_: str) -> NoReturn:
    raise InputError("stack 's' is being worked on by process 1 (byoc up s); nothing was run")


def test_a_stack_that_another_run_is_at_stays_as_it_is() -> None:
    engine = Engine(destroy=never, unprotect=never, final_snapshots=busy)
    (outcome,) = tear_down([make_plan(subject(NOTHING), Options())], engine, Options(unprotect=True))
    assert outcome.error == "stack 's' is being worked on by process 1 (byoc up s); nothing was run"
    assert outcome.told == ()


@pytest.mark.parametrize(("region", "begun"), [("us-west-2", False), ("eu-central-1", True)])
def test_a_deployment_that_did_not_go_keeps_the_install_of_its_own_region_alone(region: str, begun: bool) -> None:
    engine = Engine(destroy=never, unprotect=never, final_snapshots=busy)
    chat, install = subject(NOTHING), subject({}, install=True)
    install.account.account = AwsAccount(account_id="123456789012", region=region)
    plans = [make_plan(chat, Options()), replace(make_plan(chat, Options()), subject=install)]
    _, outcome = tear_down(plans, engine, Options())
    assert (outcome.error != "a deployment of this install did not go; nothing was begun") is begun


def test_what_no_destroy_deletes_is_planned_to_stay_and_never_to_go() -> None:
    backup = {"DBInstanceIdentifier": "langgraph-cloud-chat", "DbiResourceId": "db-1", "Status": "retained"}
    of_aws_backup = {"DBInstanceIdentifier": "langgraph-cloud-chat", "DBSnapshotIdentifier": "awsbackup:job-1"}
    pending = {"Name": "langgraph-cloud/chat/cache", "DeletedDate": datetime(2026, 1, 2, tzinfo=UTC)}
    answers = {
        **NOTHING,
        "rds:DescribeDBInstanceAutomatedBackups": {"DBInstanceAutomatedBackups": [backup]},
        "rds:DescribeDBSnapshots": lambda asked: (
            {"DBSnapshots": [{**of_aws_backup, "SnapshotType": "awsbackup"}]}
            if asked["SnapshotType"] == "awsbackup"
            else {"DBSnapshots": []}
        ),
        "secretsmanager:DescribeSecret": lambda asked: (
            pending if asked["SecretId"].endswith("cache") else AbsentError("absent")
        ),
    }
    plan = make_plan(subject(answers), Options())
    assert plan.going == ()
    stays = [(item.verdict, item.kind, item.id) for item in plan.kept if item.kind != "tracing project"]
    assert stays == [
        (Verdict.LEFT, "retained database backup", "db-1"),
        (Verdict.LEFT, "secret that waits for its deletion", "langgraph-cloud/chat/cache"),
        (Verdict.KEPT, "database snapshot", "awsbackup:job-1"),
    ]
    purging = make_plan(subject(answers), Options(purge_secrets=True))
    assert "secret that waits for its deletion" not in [item.kind for item in purging.kept]
    assert [item.id for item in purging.purged] == ["langgraph-cloud/chat/cache"]


def by_tag(arn: str, answers: Mapping[str, Any]) -> list[Found | NotAsked]:
    named = {"ResourceARN": arn, "Tags": OURS}
    index = {"tag:GetResources": {"ResourceTagMappingList": [named]}}
    return list(tagged(subject({**index, **answers}, install=True), frozenset()))


def test_the_index_of_tags_names_rules_of_security_groups_that_went_with_their_group() -> None:
    assert by_tag(f"arn:aws:ec2:{REGION}:security-group-rule/sgr-0a1b2c3d", {}) == []


@pytest.mark.parametrize(("there", "left"), [(["/aws/ecs/p-eu"], 0), (["/aws/ecs/p", "/aws/ecs/p-eu"], 1)])
def test_the_log_group_of_an_install_whose_name_begins_alike_is_another_one(there: list[str], left: int) -> None:
    answer = {"logGroups": [{"logGroupName": name} for name in there]}
    assert len(by_tag(f"arn:aws:logs:{REGION}:log-group:/aws/ecs/p", {"logs:DescribeLogGroups": answer})) == left


def test_a_task_definition_that_ecs_no_longer_describes_is_gone() -> None:
    arn = f"arn:aws:ecs:{REGION}:task-definition/langgraph-cloud-chat-api:1"
    words = "ecs:DescribeTaskDefinition: ClientException: "
    gone = {"ecs:DescribeTaskDefinition": ByocError(f"{words}Unable to describe task definition.")}
    assert by_tag(arn, gone) == []
    refused = {"ecs:DescribeTaskDefinition": ByocError(f"{words}something else")}
    assert [type(item) for item in by_tag(arn, refused)] == [NotAsked]
