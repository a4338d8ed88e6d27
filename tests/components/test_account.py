"""A whole account: what it is made of, in which order, and what another stack can be told about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import pulumi
import pytest

from byoc.components.access import ControlPlaneAccessArgs
from byoc.components.account import CustomerAccount, CustomerAccountArgs
from byoc.components.network import CreateNetwork, ExistingNetwork
from byoc.components.runtime import AccountRuntimeSettings
from byoc.components.runtime_refs import RuntimeRefs
from byoc.errors import ByocError
from byoc.naming import Names
from byoc.types import AwsAccount
from tests.components.deployments import COMPUTED, spec
from tests.components.harness import Recording
from tests.components.programs import (
    ACCOUNT,
    GET_SUBNETS,
    GET_VPC,
    annotated,
    dependencies_by_name,
    outputs_of,
    under_providers,
)

GET_ROLES = "aws:iam/getRoles:getRoles"
LINKED_ROLE = "aws:iam/serviceLinkedRole:ServiceLinkedRole"
ANSWERS: Mapping[str, Any] = {
    GET_ROLES: {"id": "r", "arns": [], "names": []},
    GET_VPC: {"id": "vpc-1", "cidrBlock": "172.16.0.0/16", "enableDnsSupport": True, "enableDnsHostnames": True},
    GET_SUBNETS: {"id": "us-west-2", "ids": ["subnet-a", "subnet-b"]},
}
COMPONENTS = {
    "byoc:index:ServiceLinkedRoles",
    "byoc:index:ControlPlaneAccess",
    "byoc:index:Network",
    "byoc:index:AccountRuntime",
    "byoc:index:Deployment",
}


def access(prefix: str = "langgraph-cloud") -> ControlPlaneAccessArgs:
    return ControlPlaneAccessArgs(
        account=ACCOUNT,
        names=Names(prefix),
        principals=("arn:aws:iam::640174622193:role/HostBackendRoleProd",),
        external_ids=["5f0c1b7e9a3d42c8"],
    )


def build(**changes: Any) -> Recording:
    def program(opts: pulumi.ResourceOptions) -> None:
        args: dict[str, Any] = {"account": ACCOUNT, "access": access(), **changes}
        CustomerAccount("acct", CustomerAccountArgs(**args), opts)

    return under_providers(program, answers=ANSWERS, computed=COMPUTED)


def parts(recording: Recording) -> set[str]:
    account = recording.only("byoc:index:CustomerAccount")
    return {r.type for r in recording.registrations if r.parent == account.urn}


def test_an_account_is_access_network_runtime_and_service_linked_roles() -> None:
    recording = build()
    assert parts(recording) == COMPONENTS - {"byoc:index:Deployment"}
    assert {r.name for r in recording.registrations if r.type in COMPONENTS} == {
        "acct-service-linked-roles",
        "acct-access",
        "acct-network",
        "acct-runtime",
    }


def test_access_and_service_linked_roles_can_be_left_out() -> None:
    recording = build(access=None, service_linked_roles=False)
    assert parts(recording) == {"byoc:index:Network", "byoc:index:AccountRuntime"}
    assert outputs_of(recording, "byoc:index:CustomerAccount").get("role_arn") is None


def test_outputs_tell_another_stack_everything_that_a_deployment_needs() -> None:
    outputs = outputs_of(build(), "byoc:index:CustomerAccount")
    assert set(outputs) == annotated(CustomerAccount)
    assert {f.name for f in fields(RuntimeRefs)} <= set(outputs)
    assert outputs["role_arn"]
    assert outputs["db_subnet_group_name"] == "langgraph-cloud-db-subnet-group"
    assert outputs["vpc_id"] == "acct-network-vpc-id"
    assert outputs["deployment_urls"] == {}


def test_databases_do_not_wait_for_the_nat_gateway() -> None:
    recording = build(service_linked_roles=False)
    group = recording.only("aws:rds/subnetGroup:SubnetGroup")
    assert dependencies_by_name(recording, group) == {f"Subnet acct-network-private-us-west-2{zone}" for zone in "abc"}


def test_service_linked_roles_come_before_aws_would_make_them_itself() -> None:
    recording = build(deployments={"chat": spec()})
    roles = {f"ServiceLinkedRole {r.name}" for r in recording.of_type(LINKED_ROLE)}
    assert len(roles) == 4
    for token in (
        "aws:ecs/cluster:Cluster",
        "aws:rds/subnetGroup:SubnetGroup",
        "aws:lb/loadBalancer:LoadBalancer",
    ):
        assert roles <= dependencies_by_name(recording, recording.only(token)), token


def test_an_adopted_network_that_is_not_tagged_has_nothing_of_ours_in_it_but_the_runtime() -> None:
    network = ExistingNetwork(vpc_id="vpc-1", private_subnet_ids=("subnet-a", "subnet-b"), tag=False)
    recording = build(network=network)
    existing = recording.only("byoc:index:Network").urn
    assert [r.urn for r in recording.custom if r.parent == existing] == []
    assert {r.plain["vpcId"] for r in recording.of_type("aws:ec2/securityGroup:SecurityGroup")} == {"vpc-1"}


def test_every_part_carries_the_prefix() -> None:
    recording = build(names=Names("team-b"), access=access("team-b"), network=CreateNetwork(zones=2))
    for registration in recording.custom:
        name = registration.plain.get("name", "team-b")
        assert "team-b" in name, f"{registration.urn} is called {name}"


def test_settings_reach_the_runtime() -> None:
    recording = build(runtime=AccountRuntimeSettings(log_retention_days=7, alarm_emails=("ops@example.com",)))
    assert recording.only("aws:cloudwatch/logGroup:LogGroup").plain["retentionInDays"] == 7
    assert recording.only("aws:sns/topicSubscription:TopicSubscription").plain["endpoint"] == "ops@example.com"


# --- inline deployments


def test_inline_deployments_use_the_runtime_of_their_account() -> None:
    recording = build(deployments={"chat": spec(), "support": spec(name="support")})
    deployments = recording.of_type("byoc:index:Deployment")
    assert [d.name for d in deployments] == ["acct-deployment-chat", "acct-deployment-support"]
    services = recording.of_type("aws:ecs/service:Service")
    assert services
    for service in services:
        network = service.plain["networkConfiguration"]
        assert network["subnets"] == [f"acct-network-private-us-west-2{zone}-id" for zone in "abc"]
        assert network["assignPublicIp"] is False
        assert service.plain["cluster"] == "arn:aws:test:us-west-2:123456789012:acct-runtime-cluster"
    outputs = outputs_of(recording, "byoc:index:CustomerAccount")
    assert set(outputs["deployment_urls"]) == set(outputs["task_definition_arns"]) == {"chat", "support"}


def test_tasks_of_inline_deployments_wait_for_their_way_out_and_databases_do_not() -> None:
    recording = build(deployments={"chat": spec()})
    way_out = {
        "Route acct-network-private-internet",
        "RouteTableAssociation acct-network-private-us-west-2a-association",
    }
    for service in recording.of_type("aws:ecs/service:Service"):
        assert way_out <= dependencies_by_name(recording, service)
    database = recording.only("aws:rds/instance:Instance")
    assert not way_out & dependencies_by_name(recording, database)


def test_the_dependencies_of_a_deployment_do_not_grow_with_the_number_of_deployments() -> None:
    def most(count: int) -> int:
        recording = build(deployments={f"d{i}": spec(name=f"d{i}") for i in range(count)})
        return max(len(r.dependencies) for r in recording.registrations)

    assert most(1) == most(4)


def test_a_deployment_whose_key_is_not_its_name_is_refused() -> None:
    with pytest.raises(ByocError, match=r"deployments\.chat\n +got: +name support\n"):
        build(deployments={"chat": spec(name="support")})


@pytest.mark.parametrize(
    ("key", "changes"),
    [
        ("names", {"names": Names("team-b")}),
        ("role_path", {"runtime": AccountRuntimeSettings(role_path="/langgraph/")}),
        ("account", {"account": AwsAccount(account_id="210987654321", region="us-west-2")}),
    ],
)
def test_access_to_another_install_than_the_rest_is_refused(key: str, changes: dict[str, Any]) -> None:
    with pytest.raises(ByocError, match=rf"access\.{key}\n"):
        build(**changes)
