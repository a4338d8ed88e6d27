"""Where moto is kinder or poorer than AWS, the emulator behaves as AWS does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from byoc.sandbox.emulator.client import EmulatorClient
from byoc.sandbox.emulator.faults import Fault
from byoc.sandbox.emulator.server import Emulator
from tests.sandbox.emulator_stage import REGION, Stage, allow, code, document, error, tags, trust
from tests.sandbox.emulator_world import (
    SCALED,
    World,
    ecs_service_inputs,
    endpoint_inputs,
    from_load_balancer,
    listener_inputs,
    load_balancer_inputs,
    make_data,
    make_network,
    make_service,
    register,
    subnet_group_inputs,
    target_group_inputs,
)


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator.in_process() as emulator:
        yield emulator


@pytest.fixture(scope="module")
def world(emulator: Emulator) -> World:
    world = World(Stage(emulator))
    assert world.stage.inventory() == []
    make_network(world)
    make_data(world)
    make_service(world)
    return world


def test_a_service_is_steady_at_once(world: World) -> None:
    world.ecs.get_waiter("services_stable").wait(cluster="main", services=["api"], WaiterConfig={"MaxAttempts": 1})
    service = world.ecs.describe_services(cluster="main", services=["api"])["services"][0]
    assert (service["runningCount"], service["pendingCount"], service["desiredCount"]) == (2, 0, 2)
    assert service["deployments"][0]["rolloutState"] == "COMPLETED"
    assert service["healthCheckGracePeriodSeconds"] == 60
    assert service["deploymentConfiguration"]["deploymentCircuitBreaker"] == {"enable": True, "rollback": True}


def test_a_new_task_definition_is_a_new_deployment(world: World) -> None:
    def deployment() -> dict[str, Any]:
        service = world.ecs.describe_services(cluster="main", services=["api"])["services"][0]
        assert len(service["deployments"]) == 1
        return dict(service["deployments"][0])

    before = deployment()
    world.ecs.update_service(cluster="main", service="api", taskDefinition=world["task"])
    assert deployment()["id"] == before["id"]
    world["task"] = register(world)
    world.ecs.update_service(cluster="main", service="api", taskDefinition=world["task"])
    after = deployment()
    assert after["id"] != before["id"]
    assert after["taskDefinition"] == world["task"]
    assert after["runningCount"] == 2


def test_an_inactive_task_definition_cannot_be_deployed(world: World) -> None:
    retired = register(world)
    world.ecs.deregister_task_definition(taskDefinition=retired)
    assert (
        code(lambda: world.ecs.update_service(cluster="main", service="api", taskDefinition=retired))
        == "ClientException"
    )


def test_a_database_is_available_at_once(world: World) -> None:
    world.rds.get_waiter("db_instance_available").wait(DBInstanceIdentifier="main", WaiterConfig={"MaxAttempts": 1})


IN_USE: dict[str, tuple[Callable[[World], object], str]] = {
    "a group that a rule names": (lambda w: w.ec2.delete_security_group(GroupId=w["lb-sg"]), "DependencyViolation"),
    "a group of tasks": (lambda w: w.ec2.delete_security_group(GroupId=w["service-sg"]), "DependencyViolation"),
    "a group of a database": (lambda w: w.ec2.delete_security_group(GroupId=w["data-sg"]), "DependencyViolation"),
    "a subnet": (lambda w: w.ec2.delete_subnet(SubnetId=w["subnet-a"]), "DependencyViolation"),
    "a subnet of tasks": (lambda w: w.ec2.delete_subnet(SubnetId=w["subnet-b"]), "DependencyViolation"),
    "a VPC": (lambda w: w.ec2.delete_vpc(VpcId=w["vpc"]), "DependencyViolation"),
    "a gateway": (
        lambda w: w.ec2.detach_internet_gateway(InternetGatewayId=w["igw"], VpcId=w["vpc"]),
        "DependencyViolation",
    ),
    "an address": (lambda w: w.ec2.release_address(AllocationId=w["eip"]), "InvalidIPAddress.InUse"),
    "a namespace": (lambda w: w.cloudmap.delete_namespace(Id=w["namespace"]), "ResourceInUse"),
    "a registry": (lambda w: w.cloudmap.delete_service(Id=w["registry"]), "ResourceInUse"),
    "a cluster": (lambda w: w.ecs.delete_cluster(cluster="main"), "ClusterContainsServicesException"),
    "a service": (lambda w: w.ecs.delete_service(cluster="main", service="api"), "InvalidParameterException"),
    "a target group": (lambda w: w.elbv2.delete_target_group(TargetGroupArn=w["tg"]), "ResourceInUse"),
    "a subnet group": (
        lambda w: w.rds.delete_db_subnet_group(DBSubnetGroupName="main"),
        "InvalidDBSubnetGroupStateFault",
    ),
    "a parameter group": (
        lambda w: w.rds.delete_db_parameter_group(DBParameterGroupName="main"),
        "InvalidDBParameterGroupState",
    ),
    "a protected database": (
        lambda w: w.rds.delete_db_instance(DBInstanceIdentifier="main", SkipFinalSnapshot=True),
        "InvalidParameterCombination",
    ),
}


@pytest.mark.parametrize("what", IN_USE)
def test_what_is_in_use_cannot_be_deleted(world: World, what: str) -> None:
    delete, expected = IN_USE[what]
    before = world.stage.client.inventory(world.stage.account, REGION)
    assert code(lambda: delete(world)) == expected
    assert world.stage.client.inventory(world.stage.account, REGION) == before


def _other_listener(world: World) -> dict[str, Any]:
    action = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}
    return {**listener_inputs(world), "DefaultActions": [action]}


TAKEN: dict[str, tuple[Callable[[World], object], str]] = {
    "an ECS service": (lambda w: w.ecs.create_service(**ecs_service_inputs(w)), "InvalidParameterException"),
    "a registry": (
        lambda w: w.cloudmap.create_service(Name="cache", NamespaceId=w["namespace"]),
        "ServiceAlreadyExists",
    ),
    "a namespace": (
        lambda w: w.cloudmap.create_private_dns_namespace(Name="caches", Vpc=w["vpc"]),
        "ConflictingDomainExists",
    ),
    "a subnet group": (lambda w: w.rds.create_db_subnet_group(**subnet_group_inputs(w)), "DBSubnetGroupAlreadyExists"),
    "a gateway endpoint": (lambda w: w.ec2.create_vpc_endpoint(**endpoint_inputs(w)), "RouteAlreadyExists"),
    "a load balancer": (
        lambda w: w.elbv2.create_load_balancer(**{**load_balancer_inputs(w), "Scheme": "internal"}),
        "DuplicateLoadBalancerName",
    ),
    "a target group": (
        lambda w: w.elbv2.create_target_group(**{**target_group_inputs(w), "Port": 9000}),
        "DuplicateTargetGroupName",
    ),
    "a listener": (lambda w: w.elbv2.create_listener(**_other_listener(w)), "DuplicateListener"),
}


@pytest.mark.parametrize("what", TAKEN)
def test_what_is_there_is_not_made_twice(world: World, what: str) -> None:
    create, expected = TAKEN[what]
    before = world.stage.client.inventory(world.stage.account, REGION)
    assert code(lambda: create(world)) == expected
    assert world.stage.client.inventory(world.stage.account, REGION) == before


def test_making_the_same_again_gives_the_first_one(world: World) -> None:
    before = world.stage.client.inventory(world.stage.account, REGION)
    balancer = world.elbv2.create_load_balancer(**load_balancer_inputs(world))["LoadBalancers"][0]
    assert (balancer["LoadBalancerArn"], balancer["LoadBalancerName"]) == (world["lb"], "main")
    group = world.elbv2.create_target_group(**target_group_inputs(world))["TargetGroups"][0]
    assert (group["TargetGroupArn"], group["Port"]) == (world["tg"], 8000)
    listener = world.elbv2.create_listener(**listener_inputs(world))["Listeners"][0]
    assert (listener["ListenerArn"], listener["Port"]) == (world["listener"], 80)
    cluster = world.ecs.create_cluster(clusterName="main")["cluster"]
    assert cluster["tags"] == [{"key": "a", "value": "b"}]
    assert world.stage.client.inventory(world.stage.account, REGION) == before


def test_a_client_that_retries_after_a_lost_answer_gets_the_first_one(emulator: Emulator) -> None:
    stage = Stage(emulator)
    vpc = stage.aws("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    cloud_map = stage.aws("servicediscovery", attempts=3)
    operation = cloud_map.create_private_dns_namespace(Name="retried", Vpc=vpc)["OperationId"]
    namespace = cloud_map.get_operation(OperationId=operation)["Operation"]["Targets"]["NAMESPACE"]
    stage.client.set_faults(Fault(kind="drop", when="after", actions=("servicediscovery:CreateService",), limit=1))
    start = stage.client.next_call()
    made = cloud_map.create_service(Name="retried", NamespaceId=namespace)["Service"]
    stage.client.clear_faults()
    assert stage.outcomes(start, "servicediscovery:CreateService") == ["ConnectionDropped", "ok"]
    assert [service["Id"] for service in cloud_map.list_services()["Services"]] == [made["Id"]]


def test_namespaces_are_found_by_name_and_several_fit_in_a_vpc(world: World) -> None:
    second = world.cloudmap.create_private_dns_namespace(Name="other-caches", Vpc=world["vpc"])["OperationId"]
    operation = world.cloudmap.get_operation(OperationId=second)["Operation"]
    assert operation["Status"] == "SUCCESS"

    def named(name: str) -> list[str]:
        wanted = [{"Name": "NAME", "Values": [name], "Condition": "EQ"}]
        return [item["Id"] for item in world.cloudmap.list_namespaces(Filters=wanted)["Namespaces"]]

    assert named("caches") == [world["namespace"]]
    assert named("other-caches") == [operation["Targets"]["NAMESPACE"]]
    assert named("absent") == []
    world.cloudmap.delete_namespace(Id=operation["Targets"]["NAMESPACE"])
    assert world.stage.inventory().count("route53:hosted-zone") == 1


def test_scalable_targets_have_tags(world: World) -> None:
    autoscaling = world.autoscaling
    assert autoscaling.list_tags_for_resource(ResourceARN=world["target"])["Tags"] == {"made": "by-us"}
    autoscaling.tag_resource(ResourceARN=world["target"], Tags={"more": "yes"})
    autoscaling.untag_resource(ResourceARN=world["target"], TagKeys=["made"])
    assert autoscaling.list_tags_for_resource(ResourceARN=world["target"])["Tags"] == {"more": "yes"}
    absent = world["target"][:-4] + "none"
    assert code(lambda: autoscaling.list_tags_for_resource(ResourceARN=absent)) == "ResourceNotFoundException"


def test_scaling_policies_are_found_by_name(world: World) -> None:
    found = world.autoscaling.describe_scaling_policies(ServiceNamespace="ecs", PolicyNames=["out"])["ScalingPolicies"]
    assert [policy["PolicyName"] for policy in found] == ["out"]
    remove = world.autoscaling.delete_scaling_policy
    assert code(lambda: remove(**SCALED, PolicyName="absent")) == "ObjectNotFoundException"


def test_a_final_snapshot_has_to_be_named_or_declined(world: World) -> None:
    message = error(lambda: world.rds.delete_db_instance(DBInstanceIdentifier="main"))[1]
    assert message == "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified."


def test_a_teardown_in_the_right_order_leaves_the_final_snapshot_and_nothing_else(emulator: Emulator) -> None:
    world = World(Stage(emulator))
    make_network(world)
    make_data(world)
    make_service(world)
    world.autoscaling.deregister_scalable_target(**SCALED)
    world.ecs.update_service(cluster="main", service="api", desiredCount=0)
    world.ecs.delete_service(cluster="main", service="api")
    world.ecs.deregister_task_definition(taskDefinition=world["task"])
    world.ecs.delete_cluster(cluster="main")
    world.elbv2.delete_load_balancer(LoadBalancerArn=world["lb"])
    world.elbv2.delete_target_group(TargetGroupArn=world["tg"])
    world.cloudmap.delete_service(Id=world["registry"])
    world.cloudmap.delete_namespace(Id=world["namespace"])
    world.rds.modify_db_instance(DBInstanceIdentifier="main", DeletionProtection=False)
    world.rds.delete_db_instance(DBInstanceIdentifier="main", FinalDBSnapshotIdentifier="main-final")
    world.rds.delete_db_parameter_group(DBParameterGroupName="main")
    world.rds.delete_db_subnet_group(DBSubnetGroupName="main")
    world.stage.aws("iam").delete_role(RoleName="tasks")
    world.ec2.revoke_security_group_ingress(GroupId=world["service-sg"], IpPermissions=from_load_balancer(world))
    for name in ("lb-sg", "service-sg", "data-sg"):
        world.ec2.delete_security_group(GroupId=world[name])
    world.ec2.delete_vpc_endpoints(VpcEndpointIds=[world["vpce"]])
    world.ec2.delete_nat_gateway(NatGatewayId=world["nat"])
    world.ec2.release_address(AllocationId=world["eip"])
    world.ec2.delete_route_table(RouteTableId=world["rtb"])
    world.ec2.detach_internet_gateway(InternetGatewayId=world["igw"], VpcId=world["vpc"])
    world.ec2.delete_internet_gateway(InternetGatewayId=world["igw"])
    for zone in "ab":
        world.ec2.delete_subnet(SubnetId=world[f"subnet-{zone}"])
    world.ec2.delete_vpc(VpcId=world["vpc"])
    assert world.stage.client.inventory(world.stage.account, REGION) == [
        {"service": "rds", "kind": "snapshot", "id": "main-final"}
    ]
    snapshot = world.rds.describe_db_snapshots(DBSnapshotIdentifier="main-final")["DBSnapshots"][0]
    assert (snapshot["Status"], snapshot["SnapshotType"]) == ("available", "manual")


def test_policies_in_use_and_protected_load_balancers_stay(emulator: Emulator) -> None:
    stage = Stage(emulator)
    world = World(stage)
    make_network(world)
    balancer = world.elbv2.create_load_balancer(**load_balancer_inputs(world))["LoadBalancers"][0]["LoadBalancerArn"]
    protection = {"Key": "deletion_protection.enabled", "Value": "true"}
    world.elbv2.modify_load_balancer_attributes(LoadBalancerArn=balancer, Attributes=[protection])
    assert code(lambda: world.elbv2.delete_load_balancer(LoadBalancerArn=balancer)) == "OperationNotPermitted"
    stage.make_role("holder", trust("ecs.amazonaws.com", service=True))
    arn = world.iam.create_policy(PolicyName="held", PolicyDocument=document(allow("ecs:*")))["Policy"]["Arn"]
    world.iam.attach_role_policy(RoleName="holder", PolicyArn=arn)
    assert code(lambda: world.iam.delete_policy(PolicyArn=arn)) == "DeleteConflict"


def test_what_the_emulator_cannot_do_says_so_once(emulator: Emulator) -> None:
    stage = Stage(emulator)
    start = stage.client.next_call()
    refused, message = error(lambda: stage.aws("logs", attempts=3).list_anomalies())
    assert refused == "NotImplemented"
    assert message.startswith("the emulator cannot do logs:ListAnomalies")
    assert stage.outcomes(start, "logs:ListAnomalies") == ["NotImplemented"]


def test_a_reset_empties_every_account(emulator: Emulator) -> None:
    stage = Stage(emulator)
    stage.aws("ecs").create_cluster(clusterName="c", tags=[])
    stage.aws("sns").create_topic(Name="t", Tags=tags(a="b"))
    assert stage.inventory() == ["ecs:cluster", "sns:topic"]
    client: EmulatorClient = stage.client
    client.reset()
    assert stage.inventory() == []
    assert client.calls() == []
    assert code(stage.aws("sts").get_caller_identity) == "InvalidClientTokenId"
    renewed = client.administrator(stage.account)
    assert renewed != stage.administrator
    assert stage.aws("sts", renewed).get_caller_identity()["Account"] == stage.account
