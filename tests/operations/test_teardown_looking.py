"""What AWS answers while things come and go, and what of an answer is missing: nothing is taken for gone by that."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, NoReturn

import pytest

from byoc.errors import ByocError, InputError
from byoc.naming import Names
from byoc.operations.answers import AbsentError
from byoc.operations.teardown import look_containers, look_data, look_network, look_serving
from byoc.operations.teardown.by_tag import tagged
from byoc.operations.teardown.clearing import Clear, Told
from byoc.operations.teardown.found import Found, NotAsked
from byoc.operations.teardown.guests import guests
from byoc.operations.teardown.look import gathered
from byoc.operations.teardown.plan import Options, make_plan
from byoc.operations.teardown.read import describe_key, read_facts
from byoc.operations.teardown.run import Engine, tear_down
from byoc.operations.teardown.sign_off import Verdict
from byoc.operations.teardown.subject import Install, Subject
from byoc.types import AwsAccount
from tests.operations.fake_account import FakeAccount, target

INSTALL = Install(makes_network=True, vpc_id="", subnet_ids=(), tags_network=False, repositories=())
OURS = [{"Key": "byoc-install", "Value": "langgraph-cloud"}]
REGION = "us-west-2:123456789012"


def subject(answers: Mapping[str, Any], *, install: bool = False) -> Subject:
    account = FakeAccount(answers)
    return Subject(
        stack="s",
        account=account,
        names=Names(),
        deployments=() if install else (target(account),),
        install=INSTALL if install else None,
    )


def gone_if(key: str, gone: str, answer: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[dict[str, Any]], Any]:
    """Refuses what names a thing that went since it was listed."""
    return lambda asked: AbsentError("it went") if gone in asked[key] else answer(asked)


def ids(found: Any) -> list[str]:
    return [item.id for item in found]


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


def test_a_load_balancer_of_others_that_goes_meanwhile_hides_none_of_ours() -> None:
    listed = [{"LoadBalancerArn": f"arn:{name}", "LoadBalancerName": name} for name in ("theirs", "ours")]

    def described(asked: dict[str, Any]) -> dict[str, Any]:
        return {"TagDescriptions": [{"ResourceArn": arn, "Tags": OURS} for arn in asked["ResourceArns"]]}

    answers = {
        "elasticloadbalancing:DescribeLoadBalancers": {"LoadBalancers": listed},
        "elasticloadbalancing:DescribeTags": gone_if("ResourceArns", "arn:theirs", described),
    }
    assert ids(look_serving.load_balancers(subject(answers, install=True))) == ["ours"]


def test_an_alarm_a_rule_or_a_parameter_group_that_goes_meanwhile_hides_none_of_the_others() -> None:
    names = ("langgraph-cloud-gone", "langgraph-cloud-stays")
    tags = {"Tags": OURS}
    alarms = subject(
        {
            "cloudwatch:DescribeAlarms": {"MetricAlarms": [{"AlarmName": name, "AlarmArn": name} for name in names]},
            "cloudwatch:ListTagsForResource": gone_if("ResourceARN", "langgraph-cloud-gone", lambda _: tags),
        },
        install=True,
    )
    rules = subject(
        {
            "events:ListRules": {"Rules": [{"Name": name, "Arn": name} for name in names]},
            "events:ListTagsForResource": gone_if("ResourceARN", "langgraph-cloud-gone", lambda _: tags),
        },
        install=True,
    )
    groups = [{"DBParameterGroupName": name, "DBParameterGroupArn": name} for name in names]
    parameters = subject(
        {
            "rds:DescribeDBParameterGroups": {"DBParameterGroups": groups},
            "rds:ListTagsForResource": gone_if("ResourceName", "langgraph-cloud-gone", lambda _: {"TagList": OURS}),
        },
        install=True,
    )
    assert "langgraph-cloud-stays" in ids(look_serving.alarms(alarms))
    assert ids(look_serving.event_rules(rules)) == ["langgraph-cloud-stays"]
    assert ids(look_data.parameter_groups(parameters)) == ["langgraph-cloud-stays"]


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (AbsentError("NoSuch: it went"), "something went while it was asked about: NoSuch: it went"),
        (KeyError("Status"), "half an answer (KeyError: 'Status')"),
        (IndexError("list index out of range"), "half an answer (IndexError: list index out of range)"),
    ],
)
def test_what_breaks_a_look_off_leaves_the_rest_unknown_and_keeps_what_was_found(error: Exception, why: str) -> None:
    def things() -> Any:
        yield "one"
        raise error

    assert gathered("alarms", things()) == (["one"], [NotAsked(what="alarms", why=why)])


def test_a_service_that_ecs_neither_describes_nor_misses_is_unknown() -> None:
    missing = {"services": [], "failures": [{"arn": "langgraph-cloud-chat-api", "reason": "MISSING"}]}
    found, (refused,) = gathered("ECS services", look_containers.services(subject({"ecs:DescribeServices": missing})))
    assert (found, refused.why) == ([], "half an answer (ValueError: 0 of 3 services described; no reason)")
    gone = {"services": [], "failures": missing["failures"] * 3}
    assert gathered("ECS services", look_containers.services(subject({"ecs:DescribeServices": gone}))) == ([], [])


def test_an_instance_whose_ecs_service_is_not_known_is_never_taken_out_of_cloud_map() -> None:
    attributes = {"ECS_CLUSTER_NAME": "langgraph-cloud-cluster", "ECS_SERVICE_NAME": "langgraph-cloud-chat-cache"}
    answers: dict[str, Any] = EMPTY | {
        "secretsmanager:DescribeSecret": {},
        "servicediscovery:ListNamespaces": {"Namespaces": [{"Id": "ns", "Name": "n"}]},
        "servicediscovery:ListServices": {"Services": [{"Id": "srv", "Name": "chat"}]},
        "servicediscovery:ListInstances": {"Instances": [{"Id": "i-1", "Attributes": attributes}]},
        "ecs:DescribeServices": {"services": [], "failures": []},
    }
    facts = read_facts(subject(answers))
    assert facts.registered == ()
    assert "instances in Cloud Map" in [item.what for item in facts.not_asked]


EVERYTHING: dict[str, str] = {
    "application-autoscaling:DescribeScalableTargets": "ScalableTargets",
    "application-autoscaling:DescribeScalingPolicies": "ScalingPolicies",
    "cloudwatch:DescribeAlarms": "MetricAlarms",
    "ecs:ListTaskDefinitions": "taskDefinitionArns",
    "ecs:ListTasks": "taskArns",
    "elasticloadbalancing:DescribeLoadBalancers": "LoadBalancers",
    "elasticloadbalancing:DescribeTags": "TagDescriptions",
    "elasticloadbalancing:DescribeTargetGroups": "TargetGroups",
    "rds:DescribeDBInstanceAutomatedBackups": "DBInstanceAutomatedBackups",
    "rds:DescribeDBInstances": "DBInstances",
    "rds:DescribeDBParameterGroups": "DBParameterGroups",
    "rds:DescribeDBSnapshots": "DBSnapshots",
    "servicediscovery:ListNamespaces": "Namespaces",
    "tag:GetResources": "ResourceTagMappingList",
}
"""The lists that a look around a deployment asks for, and where each answer has its own."""
EMPTY: dict[str, Any] = {question: {key: []} for question, key in EVERYTHING.items()}
"""Of an account in which nothing is."""


def test_empty_answers_are_half_answers_where_aws_always_says_something() -> None:
    questions = (*EVERYTHING, "ecs:DescribeServices", "secretsmanager:DescribeSecret")
    answers: dict[str, Any] = {question: {} for question in questions}
    look = read_facts(subject(answers)).look
    unknown = {item.what for item in look.not_asked}
    assert {"databases", "secrets", "ECS services"} <= unknown


NOTHING: dict[str, Any] = {
    **EMPTY,
    "ecs:DescribeServices": {"services": [], "failures": [{"reason": "MISSING"}] * 3},
    "rds:DescribeDBInstances": AbsentError("DBInstanceNotFound"),
    "secretsmanager:DescribeSecret": AbsentError("ResourceNotFoundException"),
    "elasticloadbalancing:DescribeLoadBalancers": AbsentError("LoadBalancerNotFound"),
}
"""Of a deployment of which nothing is there."""


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


def test_a_key_that_is_described_by_half_is_not_known() -> None:
    account = FakeAccount({"kms:DescribeKey": {"KeyMetadata": {"Arn": "arn:k"}}})
    told = describe_key(account, "k")
    assert told == NotAsked(what="key k", why="kms:DescribeKey: half an answer (KeyError: 'KeyManager')")


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
