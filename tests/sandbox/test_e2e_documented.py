"""What the documents promise of an account, read back from AWS: exact names, tags and contents.

LangGraph docs: "Self-Hosted Data Plane", and the public Terraform module. Where byoc is narrower on purpose (rules of
security groups, secrets that tasks may read), the narrower form is what is asserted, whole.
"""

from __future__ import annotations

import json
import urllib.parse
from typing import Any

import pytest

from tests.sandbox.sandbox_world import CHAT, Settled, World

ROLE = "LangGraphCloudBYOCRole"
EXECUTION_ROLE = "LangGraphCloudECSTaskExecutionRole"
ENABLED = ("langgraph-cloud-enabled", "1")


@pytest.fixture
def world(settled: Settled) -> World:
    return settled.world


def document(text: Any) -> Any:
    """A policy document; boto3 decodes some of them."""
    return json.loads(urllib.parse.unquote(text)) if isinstance(text, str) else text


def tags(found: Any) -> set[tuple[str, str]]:
    """Tags as pairs, whatever a service calls their parts."""
    return {(tag.get("Key") or tag["key"], tag.get("Value") or tag.get("value") or "") for tag in found}


def test_the_control_plane_s_role_trusts_one_principal_with_the_external_id(world: World) -> None:
    role = world.aws("iam").get_role(RoleName=ROLE)["Role"]
    external_id = world.workspace.deployment_config(CHAT).external_id
    assert external_id is not None
    assert document(role["AssumeRolePolicyDocument"]) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "ControlPlane",
                "Effect": "Allow",
                "Principal": {"AWS": ["arn:aws:iam::640174622193:role/HostBackendRoleProd"]},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"sts:ExternalId": [external_id.get_secret_value()]}},
            }
        ],
    }


def test_the_control_plane_s_role_has_the_five_policies_the_supplement_and_the_guardrails(world: World) -> None:
    iam = world.aws("iam")
    attached = {item["PolicyName"] for item in iam.list_attached_role_policies(RoleName=ROLE)["AttachedPolicies"]}
    assert attached == {
        "AmazonVPCReadOnlyAccess",
        "AmazonECS_FullAccess",
        "SecretsManagerReadWrite",
        "CloudWatchReadOnlyAccess",
        "AmazonRDSFullAccess",
        "LangGraphCloudCustomPermissions",
        "LangGraphCloudGuardrails",
    }
    assert iam.list_role_policies(RoleName=ROLE)["PolicyNames"] == []
    arn = f"arn:aws:iam::{world.account_id}:policy/LangGraphCloudGuardrails"
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    denied = document(iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"])
    assert {statement["Effect"] for statement in denied["Statement"]} == {"Deny"}


def test_the_execution_role_reads_the_install_s_secrets_and_nothing_else(world: World) -> None:
    iam = world.aws("iam")
    attached = iam.list_attached_role_policies(RoleName=EXECUTION_ROLE)["AttachedPolicies"]
    assert [item["PolicyName"] for item in attached] == ["AmazonECSTaskExecutionRolePolicy"]
    assert iam.list_role_policies(RoleName=EXECUTION_ROLE)["PolicyNames"] == ["SecretsRead"]
    policy = iam.get_role_policy(RoleName=EXECUTION_ROLE, PolicyName="SecretsRead")["PolicyDocument"]
    assert document(policy) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "SecretsRead",
                "Effect": "Allow",
                "Action": "secretsmanager:GetSecretValue",
                "Resource": f"arn:aws:secretsmanager:us-west-2:{world.account_id}:secret:langgraph-cloud/*",
                "Condition": {"StringEquals": {"aws:ResourceTag/langgraph-cloud": "langgraph-cloud"}},
            }
        ],
    }


def test_the_task_role_has_no_permissions(world: World) -> None:
    iam = world.aws("iam")
    assert iam.list_attached_role_policies(RoleName="LangGraphCloudECSTaskRole")["AttachedPolicies"] == []
    assert iam.list_role_policies(RoleName="LangGraphCloudECSTaskRole")["PolicyNames"] == []


def test_cluster_log_group_namespace_and_subnet_group_have_their_documented_names_and_tags(world: World) -> None:
    (cluster,) = world.aws("ecs").describe_clusters(clusters=["langgraph-cloud-cluster"], include=["TAGS", "SETTINGS"])[
        "clusters"
    ]
    assert {"name": "containerInsights", "value": "enabled"} in cluster["settings"]
    assert ENABLED in tags(cluster["tags"])
    (group,) = world.aws("logs").describe_log_groups()["logGroups"]
    assert (group["logGroupName"], group["retentionInDays"]) == ("/aws/ecs/langgraph-cloud", 30)
    discovery = world.aws("servicediscovery")
    (namespace,) = discovery.list_namespaces()["Namespaces"]
    assert (namespace["Name"], namespace["Type"]) == ("langgraph-cloud-redis", "DNS_PRIVATE")
    assert ENABLED in tags(discovery.list_tags_for_resource(ResourceARN=namespace["Arn"])["Tags"])
    (subnets,) = world.aws("rds").describe_db_subnet_groups()["DBSubnetGroups"]
    assert subnets["DBSubnetGroupName"] == "langgraph-cloud-db-subnet-group"
    private = {item["SubnetId"] for item in subnets_of(world) if ("langgraph-cloud-private", "1") in tags(item["Tags"])}
    assert {item["SubnetIdentifier"] for item in subnets["Subnets"]} == private


def test_the_network_is_the_documented_one(world: World) -> None:
    ec2 = world.aws("ec2")
    (vpc,) = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["false"]}])["Vpcs"]
    assert vpc["CidrBlock"] == "10.0.0.0/16"
    assert ENABLED in tags(vpc["Tags"])
    found = {
        (subnet["CidrBlock"], dict(tags(subnet["Tags"]))["langgraph-cloud-private"]) for subnet in subnets_of(world)
    }
    assert found == {(f"10.0.{number}.0/24", "1" if number <= 3 else "0") for number in range(1, 7)}
    assert all(ENABLED in tags(subnet["Tags"]) for subnet in subnets_of(world))
    assert len({subnet["AvailabilityZone"] for subnet in subnets_of(world)}) == 3
    assert len(ec2.describe_nat_gateways()["NatGateways"]) == 1


def subnets_of(world: World) -> list[Any]:
    filters = [{"Name": "vpc-id", "Values": [world.resource("demo-account", "account-network-vpc")]}]
    found: list[Any] = world.aws("ec2").describe_subnets(Filters=filters)["Subnets"]
    return found


def test_security_groups_are_named_described_and_tagged_as_documented_and_open_to_nothing_more(world: World) -> None:
    ec2 = world.aws("ec2")
    described = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["langgraph-cloud-*"]}])
    groups = {group["GroupName"]: group for group in described["SecurityGroups"]}
    assert {name: group["Description"] for name, group in groups.items()} == {
        "langgraph-cloud-lb-sg": "Security group for LangGraph Cloud Load Balancer",
        "langgraph-cloud-service-sg": "Security group for LangGraph Cloud ECS services/RDS instances",
        "langgraph-cloud-data-sg": "Security group for LangGraph Cloud databases and caches",
    }
    assert all(ENABLED in tags(group["Tags"]) for group in groups.values())
    names = {group["GroupId"]: name.removeprefix("langgraph-cloud-") for name, group in groups.items()}
    rules = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": list(names)}])
    assert sorted(_rule(rule, names) for rule in rules["SecurityGroupRules"]) == [
        ("data-sg", "in", "tcp", 5432, 5432, "service-sg"),
        ("data-sg", "in", "tcp", 6379, 6379, "service-sg"),
        ("data-sg", "out", "tcp", 443, 443, "0.0.0.0/0"),
        ("lb-sg", "in", "tcp", 80, 80, "10.0.0.0/16"),
        ("lb-sg", "in", "tcp", 443, 443, "10.0.0.0/16"),
        ("lb-sg", "out", "tcp", 8000, 8000, "service-sg"),
        ("service-sg", "in", "tcp", 8000, 8000, "lb-sg"),
        ("service-sg", "out", "-1", -1, -1, "0.0.0.0/0"),
    ]


def _rule(rule: Any, names: dict[str, str]) -> tuple[str, str, str, int, int, str]:
    other = rule.get("ReferencedGroupInfo", {}).get("GroupId")
    return (
        names[rule["GroupId"]],
        "out" if rule["IsEgress"] else "in",
        rule["IpProtocol"],
        rule.get("FromPort", -1),
        rule.get("ToPort", -1),
        names[other] if other else rule["CidrIpv4"],
    )


def test_the_service_linked_roles_that_were_missing_are_made(world: World) -> None:
    roles = world.aws("iam").list_roles(PathPrefix="/aws-service-role/")["Roles"]
    assert {"AWSServiceRoleForElasticLoadBalancing", "AWSServiceRoleForECS", "AWSServiceRoleForRDS"} <= {
        role["RoleName"] for role in roles
    }


def test_a_production_database_is_as_documented(world: World) -> None:
    databases = {item["DBInstanceIdentifier"]: item for item in world.aws("rds").describe_db_instances()["DBInstances"]}
    assert set(databases) == {"langgraph-cloud-chat", "langgraph-cloud-support"}
    production, development = databases["langgraph-cloud-support"], databases["langgraph-cloud-chat"]
    keys = ("MultiAZ", "DeletionProtection", "StorageEncrypted", "PubliclyAccessible", "BackupRetentionPeriod")
    assert [production[key] for key in keys] == [True, True, True, False, 14]
    assert [development[key] for key in keys] == [False, False, True, False, 0]


def test_every_secret_carries_the_tag_that_the_execution_role_reads_by(world: World) -> None:
    secrets = world.aws("secretsmanager").list_secrets()["SecretList"]
    assert {item["Name"] for item in secrets} >= {
        f"langgraph-cloud/{name}/{part}" for name in ("chat", "support") for part in ("environment", "connections")
    }
    assert all(("langgraph-cloud", "langgraph-cloud") in tags(item["Tags"]) for item in secrets)


def test_everything_that_a_deployment_made_carries_the_install_s_and_the_deployment_s_tag(world: World) -> None:
    """By the tagging of each service, since that is how an operator finds what is whose."""
    install = ("byoc-install", "langgraph-cloud")
    deployment = ("byoc-deployment", "chat")
    elb = world.aws("elbv2")
    balancer = next(
        item for item in elb.describe_load_balancers()["LoadBalancers"] if item["LoadBalancerName"].endswith("chat")
    )
    (described,) = elb.describe_tags(ResourceArns=[balancer["LoadBalancerArn"]])["TagDescriptions"]
    (service,) = world.aws("ecs").describe_services(
        cluster="langgraph-cloud-cluster", services=["langgraph-cloud-chat-api"], include=["TAGS"]
    )["services"]
    database = next(
        item
        for item in world.aws("rds").describe_db_instances()["DBInstances"]
        if item["DBInstanceIdentifier"] == "langgraph-cloud-chat"
    )
    for found in (described["Tags"], service["tags"], database["TagList"]):
        assert {install, deployment} <= tags(found)
