"""The documented role, and the service-linked roles that its calls depend on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from byoc.sandbox.emulator.client import Credentials
from byoc.sandbox.emulator.server import Emulator
from tests.sandbox.emulator_stage import DOCUMENTED_POLICIES, REGION, Stage, allow, code, error, tags


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with Emulator.in_process() as emulator:
        yield Stage(emulator)


@pytest.fixture(scope="module")
def documented(stage: Stage) -> Credentials:
    return stage.role(managed=DOCUMENTED_POLICIES)


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


def test_the_documented_policies_tag_load_balancers_only_while_making_them(
    stage: Stage, documented: Credentials, network: dict[str, Any]
) -> None:
    elbv2 = stage.aws("elbv2", documented)
    stage.aws("iam").create_service_linked_role(AWSServiceName="elasticloadbalancing.amazonaws.com")
    made = elbv2.create_load_balancer(
        Name="documented", Subnets=network["subnets"], SecurityGroups=[network["group"]], Tags=tags(a="b")
    )["LoadBalancers"][0]["LoadBalancerArn"]
    assert code(lambda: elbv2.add_tags(ResourceArns=[made], Tags=tags(a="c"))) == "AccessDenied"
    attributes = [{"Key": "idle_timeout.timeout_seconds", "Value": "3600"}]
    refused, message = error(lambda: elbv2.modify_load_balancer_attributes(LoadBalancerArn=made, Attributes=attributes))
    assert refused == "AccessDenied"
    assert f"elasticloadbalancing:ModifyLoadBalancerAttributes on resource: {made} because" in message


def test_the_documented_policies_grant_alarms_by_cloudwatchs_own_name(stage: Stage, documented: Credentials) -> None:
    stage.aws("cloudwatch", documented).put_metric_alarm(
        AlarmName="a",
        Namespace="n",
        MetricName="m",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )


def test_the_documented_policies_make_no_roles_and_delete_only_what_ecs_stacks_made(
    stage: Stage, documented: Credentials, network: dict[str, Any]
) -> None:
    create = stage.aws("iam", documented).create_role
    assert code(lambda: create(RoleName="r", AssumeRolePolicyDocument="{}")) == "AccessDenied"
    remove = stage.aws("ec2", documented).delete_security_group
    assert code(lambda: remove(GroupId=network["group"])) == "UnauthorizedOperation"


def test_the_documented_policies_cannot_make_the_load_balancers_service_linked_role(
    stage: Stage, network: dict[str, Any]
) -> None:
    fresh = Stage(stage.emulator)
    ec2 = fresh.aws("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    create = fresh.aws("elbv2", fresh.role(managed=DOCUMENTED_POLICIES)).create_load_balancer
    denied, message = error(lambda: create(Name="first", Subnets=[subnet]))
    assert denied == "AccessDenied"
    assert "AWSServiceRoleForElasticLoadBalancing" in message


def test_a_service_linked_role_is_made_on_first_use_if_the_caller_may(stage: Stage) -> None:
    fresh = Stage(stage.emulator)
    database = {
        "DBInstanceIdentifier": "first",
        "Engine": "postgres",
        "DBInstanceClass": "db.t4g.micro",
        "AllocatedStorage": 20,
        "MasterUsername": "langgraph",
        "MasterUserPassword": "not-a-secret-of-anyone",
    }
    denied, message = error(lambda: fresh.aws("rds", fresh.role(allow("rds:*"))).create_db_instance(**database))
    assert denied == "InvalidParameterValue"
    assert "permission to create service linked role" in message
    may = fresh.role(managed=["AmazonRDSFullAccess"])
    fresh.aws("rds", may).create_db_instance(**database)
    roles = fresh.aws("iam").list_roles(PathPrefix="/aws-service-role/")["Roles"]
    assert [role["Arn"] for role in roles] == [
        f"arn:aws:iam::{fresh.account}:role/aws-service-role/rds.amazonaws.com/AWSServiceRoleForRDS"
    ]


def test_service_linked_roles_have_awss_names_and_exist_once(stage: Stage) -> None:
    iam = Stage(stage.emulator).aws("iam")
    names = {
        "ecs.amazonaws.com": "AWSServiceRoleForECS",
        "elasticloadbalancing.amazonaws.com": "AWSServiceRoleForElasticLoadBalancing",
        "ecs.application-autoscaling.amazonaws.com": "AWSServiceRoleForApplicationAutoScaling_ECSService",
    }
    for service, name in names.items():
        role = iam.create_service_linked_role(AWSServiceName=service)["Role"]
        assert (role["RoleName"], role["Path"]) == (name, f"/aws-service-role/{service}/")
        assert code(lambda: iam.create_service_linked_role(AWSServiceName=service)) == "InvalidInput"  # noqa: B023
        assert code(lambda: iam.delete_role(RoleName=name)) == "UnmodifiableEntity"  # noqa: B023
