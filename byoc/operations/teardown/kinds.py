"""Every kind of thing that this library makes, and how a sweep looks for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from byoc.operations.teardown import look_containers as containers
from byoc.operations.teardown import look_data as data
from byoc.operations.teardown import look_network as network
from byoc.operations.teardown import look_rights as rights
from byoc.operations.teardown import look_serving as serving
from byoc.operations.teardown.found import Found
from byoc.operations.teardown.subject import Subject


@dataclass(frozen=True)
class Kind:
    """A kind of thing: in words, the resource types that it stands for, and how it is looked for."""

    words: str
    types: tuple[str, ...]
    """Empty for what AWS makes by itself."""
    look: Callable[[Subject], Iterator[Found]]
    install_only: bool = False
    """Whether only an account stack makes it."""


KINDS: tuple[Kind, ...] = (
    Kind("alarms", ("aws:cloudwatch/metricAlarm:MetricAlarm",), serving.alarms),
    Kind("scaling policies", ("aws:appautoscaling/policy:Policy",), containers.scaling_policies),
    Kind("scalable targets", ("aws:appautoscaling/target:Target",), containers.scalable_targets),
    Kind("ECS services", ("aws:ecs/service:Service",), containers.services),
    Kind("ECS tasks", (), containers.tasks),
    Kind("ECS task definitions", ("aws:ecs/taskDefinition:TaskDefinition",), containers.task_definitions),
    Kind("Cloud Map services", ("aws:servicediscovery/service:Service",), containers.registries),
    Kind("load balancers", ("aws:lb/loadBalancer:LoadBalancer",), serving.load_balancers),
    Kind("target groups", ("aws:lb/targetGroup:TargetGroup",), serving.target_groups),
    Kind("databases", ("aws:rds/instance:Instance",), data.databases),
    Kind("database snapshots", (), data.snapshots),
    Kind("retained database backups", (), data.automated_backups),
    Kind("database parameter groups", ("aws:rds/parameterGroup:ParameterGroup",), data.parameter_groups),
    Kind("secrets", ("aws:secretsmanager/secret:Secret",), data.secrets),
    Kind("ECS clusters", ("aws:ecs/cluster:Cluster",), containers.clusters, install_only=True),
    Kind(
        "Cloud Map namespaces",
        ("aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace",),
        containers.namespaces,
        install_only=True,
    ),
    Kind("database subnet groups", ("aws:rds/subnetGroup:SubnetGroup",), data.subnet_groups, install_only=True),
    Kind("log groups", ("aws:cloudwatch/logGroup:LogGroup",), serving.log_groups, install_only=True),
    Kind("topics", ("aws:sns/topic:Topic",), serving.topics, install_only=True),
    Kind("EventBridge rules", ("aws:cloudwatch/eventRule:EventRule",), serving.event_rules, install_only=True),
    Kind("image repositories", ("aws:ecr/repository:Repository",), serving.repositories, install_only=True),
    Kind("IAM roles", ("aws:iam/role:Role",), rights.roles, install_only=True),
    Kind("IAM policies", ("aws:iam/policy:Policy",), rights.policies, install_only=True),
    Kind("service-linked roles", ("aws:iam/serviceLinkedRole:ServiceLinkedRole",), rights.linked_roles, True),
    Kind("security groups", ("aws:ec2/securityGroup:SecurityGroup",), network.security_groups, install_only=True),
    Kind("network interfaces", (), network.interfaces, install_only=True),
    Kind("VPC endpoints", ("aws:ec2/vpcEndpoint:VpcEndpoint",), network.endpoints, install_only=True),
    Kind("NAT gateways", ("aws:ec2/natGateway:NatGateway",), network.nat_gateways, install_only=True),
    Kind("Elastic IP addresses", ("aws:ec2/eip:Eip",), network.addresses, install_only=True),
    Kind("route tables", ("aws:ec2/routeTable:RouteTable",), network.route_tables, install_only=True),
    Kind(
        "internet gateways", ("aws:ec2/internetGateway:InternetGateway",), network.internet_gateways, install_only=True
    ),
    Kind("subnets", ("aws:ec2/subnet:Subnet",), network.subnets, install_only=True),
    Kind("VPCs", ("aws:ec2/vpc:Vpc",), network.vpcs, install_only=True),
    Kind("tags on an adopted network", ("aws:ec2/tag:Tag",), network.adopted_tags, install_only=True),
)
"""In the order in which they can go: what uses others before what is used."""

PARTS: Mapping[str, str] = {
    "aws:cloudwatch/eventTarget:EventTarget": "aws:cloudwatch/eventRule:EventRule",
    "aws:ec2/route:Route": "aws:ec2/routeTable:RouteTable",
    "aws:ec2/routeTableAssociation:RouteTableAssociation": "aws:ec2/routeTable:RouteTable",
    "aws:iam/rolePolicy:RolePolicy": "aws:iam/role:Role",
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": "aws:iam/role:Role",
    "aws:lb/listener:Listener": "aws:lb/loadBalancer:LoadBalancer",
    "aws:secretsmanager/secretVersion:SecretVersion": "aws:secretsmanager/secret:Secret",
    "aws:sns/topicSubscription:TopicSubscription": "aws:sns/topic:Topic",
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": "aws:ec2/securityGroup:SecurityGroup",
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": "aws:ec2/securityGroup:SecurityGroup",
}
"""Types that do not outlive another: a sweep finds them with it."""


def kinds_of(subject: Subject) -> tuple[Kind, ...]:
    """The kinds that a subject can have."""
    return tuple(kind for kind in KINDS if subject.install is not None or not kind.install_only)
