"""What the embedded AWS answers for ``byoc doctor``: dry runs, policy simulation, quotas, offers of RDS."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from byoc.operations.doctor.quota_table import QUOTAS
from tests.sandbox.sandbox_world import World


def _refused(call: Callable[[], Any]) -> tuple[str, int]:
    with pytest.raises(ClientError) as caught:
        call()
    answer = caught.value.response
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]


def _policy(effect: str, action: str, **more: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": action, "Resource": "*", **more}


def _role(world: World, *statements: dict[str, Any], boundary: str | None = None) -> str:
    iam = world.aws("iam")
    trust = {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"AWS": f"arn:aws:iam::{world.account_id}:root"},
    }
    limit = {"PermissionsBoundary": boundary} if boundary else {}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    arn = iam.create_role(RoleName="tried", AssumeRolePolicyDocument=document, **limit)["Role"]["Arn"]
    policy = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    iam.put_role_policy(RoleName="tried", PolicyName="Own", PolicyDocument=policy)
    return str(arn)


def _simulated(world: World, arn: str, action: str, **context: str) -> dict[str, Any]:
    entries = [
        {"ContextKeyName": key.replace("__", ":"), "ContextKeyValues": [value], "ContextKeyType": "string"}
        for key, value in context.items()
    ]
    answer = world.aws("iam").simulate_principal_policy(
        PolicySourceArn=arn, ActionNames=[action], ContextEntries=entries
    )
    (result,) = answer["EvaluationResults"]
    return dict(result)


def test_a_dry_run_makes_nothing_and_says_that_it_would_go_through(world: World) -> None:
    ec2 = world.aws("ec2")
    before = len(ec2.describe_vpcs()["Vpcs"])
    assert _refused(lambda: ec2.create_vpc(CidrBlock="10.9.0.0/16", DryRun=True)) == ("DryRunOperation", 412)
    assert _refused(lambda: ec2.allocate_address(Domain="vpc", DryRun=True)) == ("DryRunOperation", 412)
    assert len(ec2.describe_vpcs()["Vpcs"]) == before
    assert ec2.describe_addresses()["Addresses"] == []


def test_a_dry_run_that_is_not_allowed_is_denied_like_the_call_itself(world: World) -> None:
    world.aws("iam").put_user_policy(
        UserName="administrator",
        PolicyName="NoNetworks",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [_policy("Deny", "ec2:CreateVpc")]}),
    )
    assert _refused(lambda: world.aws("ec2").create_vpc(CidrBlock="10.9.0.0/16", DryRun=True)) == (
        "UnauthorizedOperation",
        403,
    )


def test_a_simulation_tells_allowed_from_the_two_kinds_of_deny(world: World) -> None:
    arn = _role(world, _policy("Allow", "ec2:*"), _policy("Deny", "ec2:CreateVpc"))
    assert _simulated(world, arn, "ec2:CreateSubnet")["EvalDecision"] == "allowed"
    assert _simulated(world, arn, "sns:CreateTopic")["EvalDecision"] == "implicitDeny"
    denied = _simulated(world, arn, "ec2:CreateVpc")
    assert denied["EvalDecision"] == "explicitDeny"
    assert [item["SourcePolicyId"] for item in denied["MatchedStatements"]] == ["Own"]


def test_a_simulation_names_the_boundary_that_denies(world: World) -> None:
    arn = _role(world, _policy("Allow", "*"), boundary="arn:aws:iam::aws:policy/ReadOnlyAccess")
    read, write = _simulated(world, arn, "ec2:DescribeVpcs"), _simulated(world, arn, "ec2:CreateVpc")
    assert read["PermissionsBoundaryDecisionDetail"] == {"AllowedByPermissionsBoundary": True}
    assert write["EvalDecision"] == "implicitDeny"
    assert write["PermissionsBoundaryDecisionDetail"] == {"AllowedByPermissionsBoundary": False}


def test_a_simulation_tells_which_values_it_lacked(world: World) -> None:
    condition = {"StringEquals": {"aws:RequestedRegion": "us-west-2"}}
    arn = _role(world, _policy("Allow", "ec2:CreateVpc", Condition=condition))
    lacking = _simulated(world, arn, "ec2:CreateVpc")
    assert (lacking["EvalDecision"], lacking["MissingContextValues"]) == ("implicitDeny", ["aws:RequestedRegion"])
    given = _simulated(world, arn, "ec2:CreateVpc", aws__RequestedRegion="us-west-2")
    assert (given["EvalDecision"], given.get("MissingContextValues", [])) == ("allowed", [])


def test_a_simulation_of_nobody_is_refused(world: World) -> None:
    arn = f"arn:aws:iam::{world.account_id}:role/nobody"
    assert _refused(lambda: _simulated(world, arn, "ec2:CreateVpc")) == ("NoSuchEntity", 404)


def test_an_account_has_awss_defaults_for_every_quota_that_stacks_meet(world: World) -> None:
    quotas = world.aws("service-quotas")
    for quota in QUOTAS:
        asked = {"ServiceCode": quota.service, "QuotaCode": quota.code}
        assert quotas.get_aws_default_service_quota(**asked)["Quota"]["Value"] == quota.default
    assert _refused(lambda: quotas.get_service_quota(**asked)) == ("NoSuchResourceException", 400)
    unknown = {"ServiceCode": "vpc", "QuotaCode": "L-00000000"}
    assert _refused(lambda: quotas.get_aws_default_service_quota(**unknown)) == ("NoSuchResourceException", 400)


def test_rds_offers_postgresql_by_major_version_and_class(world: World) -> None:
    rds = world.aws("rds")
    found = rds.describe_db_engine_versions(Engine="postgres", EngineVersion="16")["DBEngineVersions"]
    assert [item["EngineVersion"] for item in found] == ["16.4", "16.8"]
    world.aws("ec2").describe_vpcs()
    options = rds.describe_orderable_db_instance_options(
        Engine="postgres", DBInstanceClass="db.t4g.micro", EngineVersion="16.8"
    )["OrderableDBInstanceOptions"]
    assert [(item["DBInstanceClass"], item["StorageType"]) for item in options] == [
        ("db.t4g.micro", "gp2"),
        ("db.t4g.micro", "gp3"),
    ]
    assert {zone["Name"] for zone in options[0]["AvailabilityZones"]} >= {"us-west-2a", "us-west-2b"}
    none = rds.describe_orderable_db_instance_options(Engine="postgres", DBInstanceClass="db.z9.huge")
    assert none["OrderableDBInstanceOptions"] == []
