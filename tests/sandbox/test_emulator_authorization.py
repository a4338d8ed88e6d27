"""What a principal may do: policies with their resources and conditions, and what AWS checks beside the call."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from byoc.sandbox.emulator.client import Credentials
from byoc.sandbox.emulator.server import Emulator
from tests.sandbox.emulator_stage import (
    REGION,
    Stage,
    allow,
    code,
    deny,
    document,
    error,
    tagged,
    tags,
    trust,
)


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with Emulator.in_process() as emulator:
        yield Stage(emulator)


@pytest.fixture(scope="module")
def nobody(stage: Stage) -> Credentials:
    return stage.role()


@pytest.fixture(scope="module")
def task_role(stage: Stage) -> str:
    return stage.make_role("task-role", trust("ecs-tasks.amazonaws.com", service=True))


@pytest.fixture(scope="module")
def network(stage: Stage) -> dict[str, Any]:
    ec2 = stage.aws("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"{REGION}{zone}")["Subnet"][
            "SubnetId"
        ]
        for n, zone in enumerate("ab")
    ]
    group = ec2.create_security_group(GroupName="lb", Description="for load balancers", VpcId=vpc)["GroupId"]
    return {"vpc": vpc, "subnets": subnets, "group": group}


Denial = tuple[str, Callable[[Any], object], str, str, str]
HERE = "us-east-1:{account}"
DENIALS: list[Denial] = [
    ("iam", lambda c: c.get_role(RoleName="r"), "AccessDenied", "iam:GetRole", "arn:aws:iam::{account}:role/r"),
    ("sns", lambda c: c.create_topic(Name="t"), "AuthorizationError", "sns:CreateTopic", f"arn:aws:sns:{HERE}:t"),
    (
        "rds",
        lambda c: c.delete_db_instance(DBInstanceIdentifier="d"),
        "AccessDenied",
        "rds:DeleteDBInstance",
        f"arn:aws:rds:{HERE}:db:d",
    ),
    (
        "elbv2",
        lambda c: c.describe_load_balancers(),
        "AccessDenied",
        "elasticloadbalancing:DescribeLoadBalancers",
        "*",
    ),
    (
        "ecs",
        lambda c: c.describe_clusters(clusters=["c"]),
        "AccessDeniedException",
        "ecs:DescribeClusters",
        f"arn:aws:ecs:{HERE}:cluster/c",
    ),
    (
        "cloudwatch",
        lambda c: c.delete_alarms(AlarmNames=["a"]),
        "AccessDenied",
        "cloudwatch:DeleteAlarms",
        f"arn:aws:cloudwatch:{HERE}:alarm:a",
    ),
    (
        "logs",
        lambda c: c.create_log_group(logGroupName="g"),
        "AccessDeniedException",
        "logs:CreateLogGroup",
        f"arn:aws:logs:{HERE}:log-group:g:log-stream:",
    ),
    (
        "secretsmanager",
        lambda c: c.create_secret(Name="s"),
        "AccessDeniedException",
        "secretsmanager:CreateSecret",
        f"arn:aws:secretsmanager:{HERE}:secret:s-??????",
    ),
    (
        "servicediscovery",
        lambda c: c.list_namespaces(),
        "AccessDeniedException",
        "servicediscovery:ListNamespaces",
        "*",
    ),
    (
        "route53",
        lambda c: c.get_hosted_zone(Id="Z1"),
        "AccessDenied",
        "route53:GetHostedZone",
        "arn:aws:route53:::hostedzone/Z1",
    ),
    ("resourcegroupstaggingapi", lambda c: c.get_resources(), "AccessDeniedException", "tag:GetResources", "*"),
]


@pytest.mark.parametrize(("service", "call", "expected", "action", "resource"), DENIALS, ids=[d[0] for d in DENIALS])
def test_a_denial_has_the_protocols_code_and_awss_words(
    stage: Stage,
    nobody: Credentials,
    service: str,
    call: Callable[[Any], object],
    expected: str,
    action: str,
    resource: str,
) -> None:
    assert error(lambda: call(stage.aws(service, nobody))) == (
        expected,
        f"User: {nobody.principal} is not authorized to perform: {action} on resource: "
        f"{resource.format(account=stage.account)} because no identity-based policy allows the {action} action",
    )


def test_ec2_denies_in_its_own_words(stage: Stage, nobody: Credentials) -> None:
    assert error(lambda: stage.aws("ec2", nobody).create_vpc(CidrBlock="10.0.0.0/16")) == (
        "UnauthorizedOperation",
        f"You are not authorized to perform this operation. User: {nobody.principal} is not authorized to perform: "
        f"ec2:CreateVpc on resource: arn:aws:ec2:us-east-1:{stage.account}:vpc/* "
        "because no identity-based policy allows the ec2:CreateVpc action",
    )


def test_an_explicit_deny_says_so(stage: Stage) -> None:
    denied = stage.role(allow("*"), deny("ecs:ListClusters"))
    stage.aws("ecs", denied).describe_clusters()
    _, message = error(stage.aws("ecs", denied).list_clusters)
    assert message.endswith("on resource: * with an explicit deny in an identity-based policy")


def test_a_boundary_limits_and_says_so(stage: Stage) -> None:
    policy = stage.aws("iam").create_policy(PolicyName="edge", PolicyDocument=document(allow("ecs:List*")))["Policy"]
    bounded = stage.role(allow("ecs:*"), PermissionsBoundary=policy["Arn"])
    stage.aws("ecs", bounded).list_clusters()
    _, message = error(stage.aws("ecs", bounded).describe_clusters)
    assert message.endswith("because no permissions boundary allows the ecs:DescribeClusters action")


def test_a_boundary_that_does_not_exist_allows_nothing(stage: Stage) -> None:
    bounded = stage.role(allow("ecs:*"), PermissionsBoundary=f"arn:aws:iam::{stage.account}:policy/nowhere")
    assert code(stage.aws("ecs", bounded).list_clusters) == "AccessDeniedException"


def test_conditions_on_the_boundary_see_the_one_that_is_set_and_else_the_one_that_the_role_has(stage: Stage) -> None:
    iam, arn = stage.aws("iam"), "arn:aws:iam::aws:policy/PowerUserAccess"
    caller = stage.aws("iam", stage.role(allow("iam:*", StringEquals={"iam:PermissionsBoundary": arn})))
    for role, boundary in (("bounded", {"PermissionsBoundary": arn}), ("free", {})):
        iam.create_role(RoleName=role, AssumeRolePolicyDocument=document(), **boundary)
    write = {"PolicyName": "p", "PolicyDocument": document(allow("*"))}
    caller.put_role_policy(RoleName="bounded", **write)
    assert code(lambda: caller.put_role_policy(RoleName="free", **write)) == "AccessDenied"
    caller.put_role_permissions_boundary(RoleName="free", PermissionsBoundary=arn)
    caller.put_role_policy(RoleName="free", **write)
    other = "arn:aws:iam::aws:policy/AdministratorAccess"
    set_other = {"RoleName": "bounded", "PermissionsBoundary": other}
    assert code(lambda: caller.put_role_permissions_boundary(**set_other)) == "AccessDenied"
    caller.create_role(RoleName="new", AssumeRolePolicyDocument=document(), PermissionsBoundary=arn)
    assert code(lambda: caller.create_role(RoleName="newer", AssumeRolePolicyDocument=document())) == "AccessDenied"
    assert code(lambda: caller.create_user(UserName="free")) == "AccessDenied"


def test_a_user_has_the_policies_of_its_groups(stage: Stage) -> None:
    iam = stage.aws("iam")
    iam.create_user(UserName="member")
    key = iam.create_access_key(UserName="member")["AccessKey"]
    member = Credentials(
        principal="", access_key_id=key["AccessKeyId"], secret_access_key=key["SecretAccessKey"], session_token=""
    )
    assert code(stage.aws("ecs", member).list_clusters) == "AccessDeniedException"
    iam.create_group(GroupName="listers")
    iam.put_group_policy(GroupName="listers", PolicyName="list", PolicyDocument=document(allow("ecs:ListClusters")))
    iam.add_user_to_group(GroupName="listers", UserName="member")
    stage.aws("ecs", member).list_clusters()


def test_nothing_can_deny_asking_who_one_is(stage: Stage) -> None:
    assert stage.aws("sts", stage.role(deny("*"))).get_caller_identity()["Account"] == stage.account


def test_resources_count(stage: Stage) -> None:
    one = stage.role(allow("ecs:CreateCluster", f"arn:aws:ecs:*:{stage.account}:cluster/mine-*"))
    stage.aws("ecs", one).create_cluster(clusterName="mine-1")
    assert code(lambda: stage.aws("ecs", one).create_cluster(clusterName="theirs")) == "AccessDeniedException"


def test_the_requested_region_counts(stage: Stage) -> None:
    here = stage.role(allow("ecs:*", StringEquals={"aws:RequestedRegion": REGION}))
    elsewhere = stage.role(allow("ecs:*", StringEquals={"aws:RequestedRegion": "eu-central-1"}))
    stage.aws("ecs", here).list_clusters()
    assert code(stage.aws("ecs", elsewhere).list_clusters) == "AccessDeniedException"


def test_request_tags_count(stage: Stage) -> None:
    may = stage.role(
        allow("ec2:CreateVpc", StringEquals={"aws:RequestTag/team": "graphs"}),
        {**allow("ec2:CreateTags"), "Condition": {"ForAllValues:StringEquals": {"aws:TagKeys": ["team"]}}},
    )
    ec2 = stage.aws("ec2", may)
    ec2.create_vpc(CidrBlock="10.2.0.0/16", TagSpecifications=tagged("vpc", team="graphs"))
    for wrong in (tagged("vpc", team="others"), tagged("vpc", team="graphs", more="x"), []):
        parameters = {"TagSpecifications": wrong} if wrong else {}
        assert code(lambda: ec2.create_vpc(CidrBlock="10.2.0.0/16", **parameters)) == "UnauthorizedOperation"  # noqa: B023


def test_resource_tags_count(stage: Stage) -> None:
    secrets = stage.aws("secretsmanager")
    secrets.create_secret(Name="ours", SecretString="{}", Tags=tags(**{"langgraph-cloud": "1"}))
    secrets.create_secret(Name="another-team", SecretString="{}")
    reader = stage.role(
        allow("secretsmanager:GetSecretValue", Null={"aws:ResourceTag/langgraph-cloud": "false"}),
    )
    assert stage.aws("secretsmanager", reader).get_secret_value(SecretId="ours")["SecretString"] == "{}"
    denied = code(lambda: stage.aws("secretsmanager", reader).get_secret_value(SecretId="another-team"))
    assert denied == "AccessDeniedException"


def test_services_offer_resource_tags_under_their_own_keys(stage: Stage, network: dict[str, Any]) -> None:
    stage.aws("ec2").create_tags(Resources=[network["group"]], Tags=tags(owner="byoc"))
    stage.aws("rds").create_db_subnet_group(
        DBSubnetGroupName="tagged", DBSubnetGroupDescription="d", SubnetIds=network["subnets"], Tags=tags(owner="byoc")
    )
    own = stage.role(
        allow("ec2:DeleteSecurityGroup", StringEquals={"ec2:ResourceTag/owner": "someone"}),
        allow("rds:DeleteDBSubnetGroup", StringEquals={"rds:subgrp-tag/owner": "byoc"}),
    )
    remove = stage.aws("ec2", own).delete_security_group
    assert code(lambda: remove(GroupId=network["group"])) == "UnauthorizedOperation"
    stage.aws("rds", own).delete_db_subnet_group(DBSubnetGroupName="tagged")


def test_passing_a_role_is_a_permission_of_its_own(stage: Stage, task_role: str) -> None:
    register = {
        "family": "passing",
        "containerDefinitions": [{"name": "server", "image": "image", "memory": 512}],
        "taskRoleArn": task_role,
    }
    without = stage.role(allow("ecs:*"))
    denied, message = error(lambda: stage.aws("ecs", without).register_task_definition(**register))
    assert denied == "AccessDeniedException"
    assert f"is not authorized to perform: iam:PassRole on resource: {task_role} because" in message
    to_lambda = stage.role(
        allow("ecs:*"), allow("iam:PassRole", task_role, StringEquals={"iam:PassedToService": "lambda.amazonaws.com"})
    )
    assert code(lambda: stage.aws("ecs", to_lambda).register_task_definition(**register)) == "AccessDeniedException"
    to_tasks = stage.role(
        allow("ecs:*"),
        allow("iam:PassRole", task_role, StringEquals={"iam:PassedToService": "ecs-tasks.amazonaws.com"}),
    )
    stage.aws("ecs", to_tasks).register_task_definition(**register)
    other = {**register, "executionRoleArn": f"arn:aws:iam::{stage.account}:role/other"}
    assert code(lambda: stage.aws("ecs", to_tasks).register_task_definition(**other)) == "AccessDeniedException"


def test_tagging_on_create_is_a_permission_of_its_own(stage: Stage) -> None:
    may = stage.role(allow(["ec2:CreateVpc", "secretsmanager:CreateSecret", "iam:CreateRole", "logs:CreateLogGroup"]))
    with_tags: dict[str, Callable[[], object]] = {
        "ec2:CreateTags": lambda: stage.aws("ec2", may).create_vpc(
            CidrBlock="10.3.0.0/16", TagSpecifications=tagged("vpc", a="b")
        ),
        "secretsmanager:TagResource": lambda: stage.aws("secretsmanager", may).create_secret(
            Name="t", Tags=tags(a="b")
        ),
        "iam:TagRole": lambda: stage.aws("iam", may).create_role(
            RoleName="t", AssumeRolePolicyDocument=trust("ecs.amazonaws.com", service=True), Tags=tags(a="b")
        ),
        "logs:TagResource": lambda: stage.aws("logs", may).create_log_group(logGroupName="t", tags={"a": "b"}),
    }
    stage.aws("ec2", may).create_vpc(CidrBlock="10.3.0.0/16")
    for action, call in with_tags.items():
        assert f"is not authorized to perform: {action} on resource" in error(call)[1]


def test_tagging_on_create_can_be_granted_for_creating_alone(stage: Stage) -> None:
    may = stage.role(allow("ec2:CreateVpc"), allow("ec2:CreateTags", StringEquals={"ec2:CreateAction": "CreateVpc"}))
    ec2 = stage.aws("ec2", may)
    vpc = ec2.create_vpc(CidrBlock="10.4.0.0/16", TagSpecifications=tagged("vpc", a="b"))["Vpc"]["VpcId"]
    assert code(lambda: ec2.create_tags(Resources=[vpc], Tags=tags(a="c"))) == "UnauthorizedOperation"


def test_the_trust_of_a_role_reads_back_as_it_was_written(stage: Stage, task_role: str) -> None:
    held = stage.aws("iam").get_role(RoleName=task_role.rpartition("/")[2])["Role"]["AssumeRolePolicyDocument"]
    assert held == json.loads(trust("ecs-tasks.amazonaws.com", service=True))
