"""A whole deployment on the emulator, made by plain boto3 calls in the order that AWS wants."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.sandbox.emulator_stage import REGION, Stage, error, trust


@dataclass
class World:
    """One account with a whole deployment in it."""

    stage: Stage
    ids: dict[str, str] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Any:
        return self.stage.aws(
            {"cloudmap": "servicediscovery", "autoscaling": "application-autoscaling"}.get(name, name)
        )

    def __getitem__(self, name: str) -> str:
        return self.ids[name]

    def __setitem__(self, name: str, value: str) -> None:
        self.ids[name] = value


SCALED = {"ServiceNamespace": "ecs", "ResourceId": "service/main/api", "ScalableDimension": "ecs:service:DesiredCount"}


def make_network(world: World) -> None:
    world["vpc"] = world.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    for n, zone in enumerate("ab"):
        made = world.ec2.create_subnet(
            VpcId=world["vpc"], CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"{REGION}{zone}"
        )
        world[f"subnet-{zone}"] = made["Subnet"]["SubnetId"]
    world["igw"] = world.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    world.ec2.attach_internet_gateway(InternetGatewayId=world["igw"], VpcId=world["vpc"])
    world["eip"] = world.ec2.allocate_address(Domain="vpc")["AllocationId"]
    nat = world.ec2.create_nat_gateway(SubnetId=world["subnet-a"], AllocationId=world["eip"])["NatGateway"]
    world["nat"] = nat["NatGatewayId"]
    world["rtb"] = world.ec2.create_route_table(VpcId=world["vpc"])["RouteTable"]["RouteTableId"]
    world["vpce"] = world.ec2.create_vpc_endpoint(**endpoint_inputs(world))["VpcEndpoint"]["VpcEndpointId"]
    for name in ("lb", "service", "data"):
        made = world.ec2.create_security_group(GroupName=name, Description=name, VpcId=world["vpc"])
        world[f"{name}-sg"] = made["GroupId"]
    world.ec2.authorize_security_group_ingress(GroupId=world["service-sg"], IpPermissions=from_load_balancer(world))


def from_load_balancer(world: World) -> list[dict[str, Any]]:
    return [{"IpProtocol": "tcp", "FromPort": 8000, "ToPort": 8000, "UserIdGroupPairs": [{"GroupId": world["lb-sg"]}]}]


def make_data(world: World) -> None:
    world.rds.create_db_subnet_group(**subnet_group_inputs(world))
    world.rds.create_db_parameter_group(
        DBParameterGroupName="main", DBParameterGroupFamily="postgres16", Description="d"
    )
    world.rds.create_db_instance(
        DBInstanceIdentifier="main",
        Engine="postgres",
        DBInstanceClass="db.t4g.micro",
        AllocatedStorage=20,
        MasterUsername="langgraph",
        MasterUserPassword="not-a-secret-of-anyone",
        DBSubnetGroupName="main",
        DBParameterGroupName="main",
        VpcSecurityGroupIds=[world["data-sg"]],
        DeletionProtection=True,
    )
    operation = world.cloudmap.create_private_dns_namespace(Name="caches", Vpc=world["vpc"])["OperationId"]
    world["namespace"] = world.cloudmap.get_operation(OperationId=operation)["Operation"]["Targets"]["NAMESPACE"]
    registry = world.cloudmap.create_service(
        Name="cache", NamespaceId=world["namespace"], DnsConfig={"DnsRecords": [{"Type": "A", "TTL": 10}]}
    )["Service"]
    world["registry"], world["registry-arn"] = registry["Id"], registry["Arn"]


def make_service(world: World) -> None:
    world["role"] = world.stage.make_role("tasks", trust("ecs-tasks.amazonaws.com", service=True))
    world.ecs.create_cluster(clusterName="main", tags=[{"key": "a", "value": "b"}])
    world["lb"] = world.elbv2.create_load_balancer(**load_balancer_inputs(world))["LoadBalancers"][0]["LoadBalancerArn"]
    world["tg"] = world.elbv2.create_target_group(**target_group_inputs(world))["TargetGroups"][0]["TargetGroupArn"]
    world["task"] = register(world)
    lonely = error(lambda: world.ecs.create_service(**ecs_service_inputs(world)))
    assert lonely[0] == "InvalidParameterException"
    assert "does not have an associated load balancer" in lonely[1]
    world["listener"] = world.elbv2.create_listener(**listener_inputs(world))["Listeners"][0]["ListenerArn"]
    world.ecs.create_service(**ecs_service_inputs(world))
    made = world.autoscaling.register_scalable_target(**SCALED, MinCapacity=1, MaxCapacity=10, Tags={"made": "by-us"})
    world["target"] = made["ScalableTargetARN"]
    for name in ("out", "in"):
        world.autoscaling.put_scaling_policy(
            **SCALED, PolicyName=name, PolicyType="StepScaling", StepScalingPolicyConfiguration={"Cooldown": 60}
        )


def load_balancer_inputs(world: World) -> dict[str, Any]:
    return {"Name": "main", "Subnets": [world["subnet-a"], world["subnet-b"]], "SecurityGroups": [world["lb-sg"]]}


def target_group_inputs(world: World) -> dict[str, Any]:
    return {"Name": "main", "Port": 8000, "Protocol": "HTTP", "VpcId": world["vpc"], "TargetType": "ip"}


def listener_inputs(world: World) -> dict[str, Any]:
    action = {"Type": "forward", "TargetGroupArn": world["tg"]}
    return {"LoadBalancerArn": world["lb"], "Port": 80, "Protocol": "HTTP", "DefaultActions": [action]}


def register(world: World) -> str:
    made = world.ecs.register_task_definition(
        family="api",
        cpu="1024",
        memory="2048",
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        executionRoleArn=world["role"],
        containerDefinitions=[{"name": "server", "image": "image", "portMappings": [{"containerPort": 8000}]}],
    )
    return str(made["taskDefinition"]["taskDefinitionArn"])


def ecs_service_inputs(world: World) -> dict[str, Any]:
    return {
        "cluster": "main",
        "serviceName": "api",
        "taskDefinition": world["task"],
        "desiredCount": 2,
        "launchType": "FARGATE",
        "healthCheckGracePeriodSeconds": 60,
        "deploymentConfiguration": {"deploymentCircuitBreaker": {"enable": True, "rollback": True}},
        "networkConfiguration": {
            "awsvpcConfiguration": {"subnets": [world["subnet-b"]], "securityGroups": [world["service-sg"]]}
        },
        "loadBalancers": [{"targetGroupArn": world["tg"], "containerName": "server", "containerPort": 8000}],
        "serviceRegistries": [{"registryArn": world["registry-arn"]}],
    }


def subnet_group_inputs(world: World) -> dict[str, Any]:
    subnets = [world["subnet-a"], world["subnet-b"]]
    return {"DBSubnetGroupName": "main", "DBSubnetGroupDescription": "d", "SubnetIds": subnets}


def endpoint_inputs(world: World) -> dict[str, Any]:
    return {
        "VpcId": world["vpc"],
        "ServiceName": f"com.amazonaws.{REGION}.s3",
        "RouteTableIds": [world["rtb"]],
    }
