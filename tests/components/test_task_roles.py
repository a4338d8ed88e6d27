"""The roles of tasks: who may take them, and what they may do."""

from __future__ import annotations

import json

import pulumi
import pytest

from byoc.components.runtime import AccountRuntime, AccountRuntimeArgs, AccountRuntimeSettings
from byoc.naming import Names
from byoc.types import AwsAccount
from tests.components.programs import ACCOUNT, dependencies_by_name, under_providers
from tests.components.runtimes import build

ROLE, ATTACHMENT = "aws:iam/role:Role", "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"


def test_the_execution_role_is_trusted_by_ecs_alone_and_may_do_what_starting_a_task_needs() -> None:
    recording = build()
    role = recording.only(ROLE, "rt-execution-role").plain
    assert json.loads(role.pop("assumeRolePolicy")) == {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
    assert role == {
        "name": "LangGraphCloudECSTaskExecutionRole",
        "description": "ECS starts LangGraph Cloud tasks with it: images, logs, secrets of this install",
        "path": "/",
    }
    assert recording.only(ATTACHMENT).plain == {
        "role": "LangGraphCloudECSTaskExecutionRole",
        "policyArn": "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy",
    }


@pytest.mark.parametrize("prefix", ["langgraph-cloud", "team-b"])
def test_the_execution_role_reads_only_secrets_of_this_install(prefix: str) -> None:
    policy = build(prefix=prefix).only(ROLE_POLICY).plain
    assert policy["name"] == ("SecretsRead" if prefix == "langgraph-cloud" else "team-b-SecretsRead")
    (statement,) = json.loads(policy["policy"])["Statement"]
    assert {key: statement[key] for key in ("Effect", "Action", "Resource", "Condition")} == {
        "Effect": "Allow",
        "Action": "secretsmanager:GetSecretValue",
        "Resource": f"arn:aws:secretsmanager:us-west-2:123456789012:secret:{prefix}/*",
        "Condition": {"StringEquals": {"aws:ResourceTag/langgraph-cloud": prefix}},
    }


def test_the_task_role_is_for_tasks_of_this_account_and_has_no_permissions() -> None:
    recording = build()
    role = recording.only(ROLE, "rt-task-role").plain
    assert json.loads(role.pop("assumeRolePolicy")) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "ecs-tasks.amazonaws.com"},
                "Action": "sts:AssumeRole",
                "Condition": {
                    "StringEquals": {"aws:SourceAccount": "123456789012"},
                    "ArnLike": {"aws:SourceArn": "arn:aws:ecs:us-west-2:123456789012:*"},
                },
            }
        ],
    }
    assert role == {
        "name": "LangGraphCloudECSTaskRole",
        "description": "The code of LangGraph Cloud deployments runs under it; no permissions by default",
        "path": "/",
    }
    granted = {r.plain["role"] for token in (ATTACHMENT, ROLE_POLICY) for r in recording.of_type(token)}
    assert granted == {"LangGraphCloudECSTaskExecutionRole"}


def test_boundary_and_path_are_on_both_roles() -> None:
    boundary = "arn:aws:iam::123456789012:policy/Boundary"
    settings = AccountRuntimeSettings(permissions_boundary=boundary, role_path="/langgraph/")
    for role in build(settings).of_type(ROLE):
        assert (role.plain["permissionsBoundary"], role.plain["path"]) == (boundary, "/langgraph/")


def test_arns_carry_the_partition_of_the_region() -> None:
    recording = build(account=AwsAccount(account_id="123456789012", region="us-gov-west-1"))
    assert recording.only(ATTACHMENT).plain["policyArn"].startswith("arn:aws-us-gov:iam::aws:policy/")
    for registration in recording.custom:
        assert "arn:aws:" not in json.dumps(registration.plain), registration.urn


def test_a_task_under_the_execution_role_waits_until_the_role_may_start_it() -> None:
    class Probe(pulumi.CustomResource):
        def __init__(self, value: pulumi.Input[str], opts: pulumi.ResourceOptions) -> None:
            super().__init__("aws:probe:Probe", "probe", {"value": value}, opts)

    def program(opts: pulumi.ResourceOptions) -> None:
        args = AccountRuntimeArgs(
            account=ACCOUNT, names=Names(), vpc_id="vpc-1", vpc_cidr="10.0.0.0/16", private_subnet_ids=["subnet-a"]
        )
        runtime = AccountRuntime("rt", args, opts)
        Probe(runtime.execution_role_arn, pulumi.ResourceOptions(parent=runtime))

    recording = under_providers(program)
    assert dependencies_by_name(recording, recording.only("aws:probe:Probe")) == {
        "Role rt-execution-role",
        "RolePolicyAttachment rt-execution-role-starts-tasks",
        "RolePolicy rt-execution-role-reads-secrets",
    }
