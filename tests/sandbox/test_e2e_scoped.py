"""Scoped mode under enforcement: the whole life of both deployments, and nothing of what is not this install's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from tests.sandbox.sandbox_world import ACCOUNT, CHAT, SUPPORT, Run, World, Worlds
from tests.sandbox.vendor_session import VendorSession, outcome

pytestmark = pytest.mark.slow

SCOPED = {"controlPlane": "us", "mode": "scoped"}
DIGEST = "b" * 64
IMAGE = "registry.example.com/agents/chat:2.0.0"
STEPS = ("create", "preview", "again", "revision", "tags", "size", "destroy")
SIZES: Mapping[str, Mapping[str, Any]] = {
    CHAT: {"size": {"cpu": 2048, "memory": 4096}, "database": {"instanceClass": "db.t4g.small"}},
    SUPPORT: {
        "size": {"minContainers": 1, "maxContainers": 3},
        "database": {"instanceClass": "db.m7g.xlarge", "backupRetentionDays": 7, "deletionProtection": False},
    },
}
EXPECTED_WRITES: Mapping[str, frozenset[str]] = {
    "create": frozenset(
        {
            "application-autoscaling:PutScalingPolicy",
            "application-autoscaling:RegisterScalableTarget",
            "cloudwatch:PutMetricAlarm",
            "ecs:CreateService",
            "ecs:RegisterTaskDefinition",
            "elasticloadbalancing:CreateListener",
            "elasticloadbalancing:CreateLoadBalancer",
            "elasticloadbalancing:CreateTargetGroup",
            "rds:CreateDBInstance",
            "rds:CreateDBParameterGroup",
            "secretsmanager:CreateSecret",
            "servicediscovery:CreateService",
        }
    ),
    "revision": frozenset({"ecs:DeregisterTaskDefinition", "ecs:RegisterTaskDefinition", "ecs:UpdateService"}),
    "tags": frozenset(
        {
            "application-autoscaling:TagResource",
            "cloudwatch:TagResource",
            "ecs:TagResource",
            "elasticloadbalancing:AddTags",
            "rds:AddTagsToResource",
            "secretsmanager:TagResource",
            "servicediscovery:TagResource",
        }
    ),
    "size": frozenset({"application-autoscaling:RegisterScalableTarget", "rds:ModifyDBInstance"}),
    "destroy": frozenset(
        {
            "application-autoscaling:DeregisterScalableTarget",
            "cloudwatch:DeleteAlarms",
            "ecs:DeleteService",
            "elasticloadbalancing:DeleteLoadBalancer",
            "rds:DeleteDBInstance",
            "secretsmanager:DeleteSecret",
            "servicediscovery:DeleteService",
        }
    ),
}


@dataclass(frozen=True)
class Life:
    world: World
    runs: Mapping[tuple[str, str], Run]
    left: list[dict[str, str]]


@pytest.fixture(scope="module")
def life(worlds: Worlds) -> Life:
    """Both deployments through their life under the scoped role."""
    world = worlds.new()
    world.configure(ACCOUNT, {"access": SCOPED})
    world.up(ACCOUNT).done()
    before = world.inventory()
    runs: dict[tuple[str, str], Run] = {}
    for stack in (CHAT, SUPPORT):
        runs[stack, "create"] = world.up(stack)
        runs[stack, "preview"] = world.preview(stack)
        runs[stack, "again"] = world.up(stack)
        world.configure(stack, {"image": IMAGE})
        runs[stack, "revision"] = world.up(stack)
        world.configure(stack, {"tags": {"owner": "another-team"}})
        runs[stack, "tags"] = world.up(stack)
        world.configure(stack, SIZES[stack])
        runs[stack, "size"] = world.up(stack)
        runs[stack, "destroy"] = world.destroy(stack)
    known = {item["id"] for item in before}
    return Life(world, runs, [item for item in world.inventory() if item["id"] not in known])


def test_the_role_carries_no_policy_of_aws(life: Life) -> None:
    iam = life.world.aws("iam")
    attached = iam.list_attached_role_policies(RoleName="LangGraphCloudBYOCRole")["AttachedPolicies"]
    assert {item["PolicyArn"] for item in attached} == {
        f"arn:aws:iam::{life.world.account_id}:policy/LangGraphCloudScoped{area}"
        for area in ("Observing", "Secrets", "Databases", "LoadBalancing", "Containers", "Scaling")
    }


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("stack", [CHAT, SUPPORT])
def test_every_step_of_the_life_passes_without_a_denial(life: Life, stack: str, step: str) -> None:
    run = life.runs[stack, step].done()
    assert [call for call in run.calls if call["outcome"] == "denied"] == []
    principals = {str(call["principal"]) for call in run.calls if call["action"] != "sts:AssumeRole"}
    assert all(
        ":assumed-role/LangGraphCloudBYOCRole/" in principal or ":640174622193:" in principal
        for principal in principals
    )
    assert step not in ("preview", "again") or run.mutating == []


@pytest.mark.parametrize("step", EXPECTED_WRITES)
def test_each_step_did_what_it_is_there_for(life: Life, step: str) -> None:
    done = {*life.runs[CHAT, step].mutating, *life.runs[SUPPORT, step].mutating}
    assert EXPECTED_WRITES[step] <= done


def test_nothing_is_left_but_the_final_snapshot(life: Life) -> None:
    assert [(item["service"], item["kind"]) for item in life.left] == [("rds", "snapshot")]


# What is not this install's


@pytest.fixture(scope="module")
def neighbours(worlds: Worlds) -> World:
    return two_installs(worlds.new())


def two_installs(world: World) -> World:
    """A deployment under the scoped role, and another install beside it."""
    world.configure(ACCOUNT, {"access": SCOPED})
    world.up(ACCOUNT).done()
    world.up(CHAT).done()
    # Its prefix begins with the first one's: names alone could not tell them apart.
    account = world.copy_stack(ACCOUNT, "second-account", {"namePrefix": OTHER, "runtime": None})
    chat = world.copy_stack(CHAT, "second-chat", {"namePrefix": OTHER})
    world.up(account).done()
    world.up(chat).done()
    return world


@pytest.fixture(scope="module")
def vendor(neighbours: World) -> VendorSession:
    return VendorSession(neighbours)


def balancer(world: World, prefix: str) -> str:
    described = world.aws("elbv2").describe_load_balancers(Names=[f"{prefix}-chat"])["LoadBalancers"]
    return str(described[0]["LoadBalancerArn"])


OTHER = "langgraph-cloud-b"
"""Another install's prefix, which a pattern for the first one's names fits as well."""
TAG = [{"Key": "byoc-install", "Value": "langgraph-cloud"}]
LOWER_TAG = [{"key": "byoc-install", "value": "langgraph-cloud"}]


@pytest.mark.parametrize("action", ["get_secret_value", "delete_secret", "describe_secret"])
def test_another_install_s_secrets_are_closed(vendor: VendorSession, action: str) -> None:
    call = getattr(vendor.aws("secretsmanager"), action)
    assert outcome(lambda: call(SecretId=f"{OTHER}/chat/environment")) == "denied"


def test_another_install_s_secret_cannot_be_made_its_own(vendor: VendorSession) -> None:
    tag = vendor.aws("secretsmanager").tag_resource
    assert outcome(lambda: tag(SecretId=f"{OTHER}/chat/environment", Tags=TAG)) == "denied"


def test_another_install_s_database_is_closed(neighbours: World, vendor: VendorSession) -> None:
    rds, name = vendor.aws("rds"), f"{OTHER}-chat"
    arn = f"arn:aws:rds:us-west-2:{neighbours.account_id}:db:{name}"
    assert outcome(lambda: rds.modify_db_instance(DBInstanceIdentifier=name, BackupRetentionPeriod=0)) == "denied"
    assert outcome(lambda: rds.delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True)) == "denied"
    assert outcome(lambda: rds.add_tags_to_resource(ResourceName=arn, Tags=TAG)) == "denied"
    assert outcome(lambda: rds.remove_tags_from_resource(ResourceName=arn, TagKeys=["byoc-install"])) == "denied"


def test_another_install_s_cluster_and_services_are_closed(neighbours: World, vendor: VendorSession) -> None:
    ecs, cluster, service = vendor.aws("ecs"), f"{OTHER}-cluster", f"{OTHER}-chat-api"
    arn = f"arn:aws:ecs:us-west-2:{neighbours.account_id}:service/{cluster}/{service}"
    family = neighbours.aws("ecs").describe_services(cluster=cluster, services=[service])["services"][0]
    assert outcome(lambda: ecs.delete_cluster(cluster=cluster)) == "denied"
    assert outcome(lambda: ecs.update_service(cluster=cluster, service=service, desiredCount=0)) == "denied"
    assert outcome(lambda: ecs.delete_service(cluster=cluster, service=service, force=True)) == "denied"
    assert outcome(lambda: ecs.describe_services(cluster=cluster, services=[service])) == "denied"
    assert outcome(lambda: ecs.tag_resource(resourceArn=arn, tags=LOWER_TAG)) == "denied"
    assert outcome(lambda: ecs.tag_resource(resourceArn=family["taskDefinition"], tags=LOWER_TAG)) == "denied"
    for action in ("run_task", "start_task"):
        more = {"containerInstances": ["i"]} if action == "start_task" else {}
        start = getattr(ecs, action)
        assert outcome(lambda: start(cluster=cluster, taskDefinition=family["taskDefinition"], **more)) == "denied"  # noqa: B023


def test_another_install_s_load_balancer_is_closed(neighbours: World, vendor: VendorSession) -> None:
    elb, theirs, ours = vendor.aws("elbv2"), balancer(neighbours, OTHER), balancer(neighbours, "langgraph-cloud")
    (targets,) = neighbours.aws("elbv2").describe_target_groups(LoadBalancerArn=theirs)["TargetGroups"]
    group = targets["TargetGroupArn"]
    page = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}]
    listener = {"Protocol": "HTTP", "Port": 81, "DefaultActions": page, "Tags": TAG}
    assert outcome(lambda: elb.delete_load_balancer(LoadBalancerArn=theirs)) == "denied"
    assert outcome(lambda: elb.create_listener(LoadBalancerArn=theirs, **listener)) == "denied"
    assert outcome(lambda: elb.add_tags(ResourceArns=[theirs], Tags=TAG)) == "denied"
    assert outcome(lambda: elb.add_tags(ResourceArns=[group], Tags=TAG)) == "denied"
    assert outcome(lambda: elb.modify_target_group(TargetGroupArn=group, HealthCheckPath="/")) == "denied"
    assert outcome(lambda: elb.delete_target_group(TargetGroupArn=group)) == "denied"
    assert outcome(lambda: elb.remove_tags(ResourceArns=[ours], TagKeys=["byoc-install"])) == "denied"


def test_another_install_s_alarms_scaling_and_discovery_are_closed(neighbours: World, vendor: VendorSession) -> None:
    (alarm, *_) = neighbours.aws("cloudwatch").describe_alarms(AlarmNamePrefix=OTHER)["MetricAlarms"]
    name, arn = alarm["AlarmName"], alarm["AlarmArn"]
    cloudwatch = vendor.aws("cloudwatch")
    assert outcome(lambda: cloudwatch.delete_alarms(AlarmNames=[name])) == "denied"
    assert outcome(lambda: cloudwatch.tag_resource(ResourceARN=arn, Tags=TAG)) == "denied"
    namespaces = neighbours.aws("servicediscovery").list_namespaces()["Namespaces"]
    theirs = next(item["Id"] for item in namespaces if item["Name"] == f"{OTHER}-redis")
    discovery = vendor.aws("servicediscovery")
    made = {"Name": "cache", "NamespaceId": theirs, "Tags": TAG}
    assert outcome(lambda: discovery.create_service(**made)) == "denied"
    every = neighbours.aws("servicediscovery").list_services()["Services"]
    details = [neighbours.aws("servicediscovery").get_service(Id=item["Id"])["Service"] for item in every]
    (service,) = [item["Id"] for item in details if theirs == item["DnsConfig"]["NamespaceId"]]
    assert outcome(lambda: discovery.delete_service(Id=service)) == "denied"


def test_a_scalable_target_of_another_install_is_closed(neighbours: World, vendor: VendorSession) -> None:
    target = {
        "ServiceNamespace": "ecs",
        "ResourceId": f"service/{OTHER}-cluster/{OTHER}-chat-api",
        "ScalableDimension": "ecs:service:DesiredCount",
    }
    neighbours.aws("application-autoscaling").register_scalable_target(
        **target, MinCapacity=1, MaxCapacity=2, Tags={"byoc-install": OTHER}
    )
    scaling = vendor.aws("application-autoscaling")
    assert outcome(lambda: scaling.deregister_scalable_target(**target)) == "denied"
    assert outcome(lambda: scaling.register_scalable_target(**target, MinCapacity=0, MaxCapacity=0)) == "denied"
    tagged = {"Tags": {"byoc-install": "langgraph-cloud"}}
    assert outcome(lambda: scaling.register_scalable_target(**target, MinCapacity=0, **tagged)) == "denied"
    described = neighbours.aws("application-autoscaling").describe_scalable_targets(ServiceNamespace="ecs")
    arns = {item["ResourceId"]: item["ScalableTargetARN"] for item in described["ScalableTargets"]}
    arn = arns[target["ResourceId"]]
    assert outcome(lambda: scaling.tag_resource(ResourceARN=arn, **tagged)) == "denied"


def test_no_role_but_the_two_task_roles_is_passed(neighbours: World, vendor: VendorSession) -> None:
    register = vendor.aws("ecs").register_task_definition
    containers = [{"name": "api", "image": "x", "memory": 128}]

    def passing(role: str, **settings: Any) -> str:
        arn = f"arn:aws:iam::{neighbours.account_id}:role/{role}"
        given = {"family": "langgraph-cloud-chat-api", "containerDefinitions": containers, "tags": LOWER_TAG}
        return outcome(lambda: register(**{**given, "taskRoleArn": arn, **settings}))

    assert passing("LangGraphCloudECSTaskRole") == "ok"
    assert passing("LangGraphCloudECSTaskRole", tags=[]) == "denied"
    assert passing("LangGraphCloudECSTaskRole", family="another") == "denied"
    assert passing(f"{OTHER}-ECSTaskRole") == "denied"
    assert passing("LangGraphCloudBYOCRole") == "denied"


def test_nothing_is_made_without_the_tag_or_with_another_s(neighbours: World, vendor: VendorSession) -> None:
    subnets = [
        item["SubnetId"]
        for item in neighbours.aws("ec2").describe_subnets(
            Filters=[{"Name": "tag:byoc-install", "Values": ["langgraph-cloud"]}]
        )["Subnets"]
    ]
    secrets, rds, elb = vendor.aws("secretsmanager"), vendor.aws("rds"), vendor.aws("elbv2")
    ecs, alarms = vendor.aws("ecs"), vendor.aws("cloudwatch")
    others = [{"Key": "byoc-install", "Value": OTHER}]
    database = {"DBInstanceIdentifier": "langgraph-cloud-x", "Engine": "postgres", "DBInstanceClass": "db.t4g.micro"}
    alarm = {
        "AlarmName": "langgraph-cloud-x",
        "ComparisonOperator": "GreaterThanThreshold",
        "EvaluationPeriods": 1,
        "MetricName": "m",
        "Namespace": "n",
        "Period": 60,
        "Statistic": "Sum",
        "Threshold": 1.0,
    }
    service = {"cluster": "langgraph-cloud-cluster", "serviceName": "x", "taskDefinition": "langgraph-cloud-chat-api"}
    for tags in ([], others):
        more = {"Tags": tags} if tags else {}
        tried = {
            "secret": lambda: secrets.create_secret(Name="langgraph-cloud/x/y", SecretString="z", **more),  # noqa: B023
            "database": lambda: rds.create_db_instance(**database, **more),  # noqa: B023
            "load balancer": lambda: elb.create_load_balancer(Name="langgraph-cloud-x", Subnets=subnets, **more),  # noqa: B023
            "target group": lambda: elb.create_target_group(Name="x", **more),  # noqa: B023
            "alarm": lambda: alarms.put_metric_alarm(**alarm, **more),  # noqa: B023
            "service": lambda: ecs.create_service(**service),
        }
        assert {name: outcome(call) for name, call in tried.items()} == dict.fromkeys(tried, "denied")


def test_names_of_others_are_closed_whatever_the_tag(vendor: VendorSession) -> None:
    secret_tags = [*TAG, {"Key": "langgraph-cloud", "Value": "langgraph-cloud"}]
    create = vendor.aws("secretsmanager").create_secret
    assert outcome(lambda: create(Name="payroll/x", SecretString="z", Tags=secret_tags)) == "denied"
    database = {"Engine": "postgres", "DBInstanceClass": "db.t4g.micro", "Tags": TAG}
    rds = vendor.aws("rds").create_db_instance
    assert outcome(lambda: rds(DBInstanceIdentifier="payroll", **database)) == "denied"


def test_other_regions_are_closed(vendor: VendorSession) -> None:
    region = "eu-west-1"
    tried = {
        "subnets": vendor.aws("ec2", region).describe_subnets,
        "load balancers": vendor.aws("elbv2", region).describe_load_balancers,
        "databases": vendor.aws("rds", region).describe_db_instances,
        "alarms": vendor.aws("cloudwatch", region).describe_alarms,
        "namespaces": vendor.aws("servicediscovery", region).list_namespaces,
        "secret": lambda: vendor.aws("secretsmanager", region).create_secret(
            Name="langgraph-cloud/x/y",
            SecretString="z",
            Tags=[*TAG, {"Key": "langgraph-cloud", "Value": "langgraph-cloud"}],
        ),
        "task definition": lambda: vendor.aws("ecs", region).register_task_definition(
            family="langgraph-cloud-x", containerDefinitions=[{"name": "a", "image": "x"}], tags=LOWER_TAG
        ),
    }
    assert {name: outcome(call) for name, call in tried.items()} == dict.fromkeys(tried, "denied")
    assert outcome(vendor.aws("ec2").describe_subnets) == "ok"


def test_iam_networks_and_everything_else_are_closed(neighbours: World, vendor: VendorSession) -> None:
    iam, ec2, role = vendor.aws("iam"), vendor.aws("ec2"), "LangGraphCloudBYOCRole"
    (group, *_) = neighbours.aws("ec2").describe_security_groups()["SecurityGroups"]
    tried = {
        "roles": iam.list_roles,
        "new role": lambda: iam.create_role(RoleName="langgraph-cloud-x", AssumeRolePolicyDocument="{}"),
        "inline policy": lambda: iam.put_role_policy(RoleName=role, PolicyName="more", PolicyDocument="{}"),
        "attaching": lambda: iam.attach_role_policy(
            RoleName=role, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess"
        ),
        "trust": lambda: iam.update_assume_role_policy(RoleName=role, PolicyDocument="{}"),
        "vpc": lambda: ec2.create_vpc(CidrBlock="10.9.0.0/16"),
        "opening": lambda: ec2.authorize_security_group_ingress(
            GroupId=group["GroupId"], IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="0.0.0.0/0"
        ),
        "machine": lambda: ec2.run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1),
        "buckets": vendor.aws("s3").list_buckets,
        "log groups": vendor.aws("logs").describe_log_groups,
        "log queries": lambda: vendor.aws("logs").start_query(
            logGroupName="/aws/ecs/langgraph-cloud", startTime=1, endTime=2, queryString="fields @message"
        ),
        "stacks": vendor.aws("cloudformation").list_stacks,
        "secrets": vendor.aws("secretsmanager").list_secrets,
        "snapshots": vendor.aws("rds").describe_db_snapshots,
    }
    assert {name: outcome(call) for name, call in tried.items()} == dict.fromkeys(tried, "denied")
