"""The runtime: exact names, tags, rules, policies and roles of what all deployments of an account share."""

from __future__ import annotations

import json

from byoc.components.runtime import AccountRuntime, AccountRuntimeArgs, AccountRuntimeSettings
from byoc.naming import Names
from tests.components.harness import run
from tests.components.programs import (
    ACCOUNT,
    annotated,
    inputs_by_name,
    outputs_of,
)
from tests.components.runtimes import build

GROUP = "aws:ec2/securityGroup:SecurityGroup"
CLUSTER, SUBNET_GROUP = "aws:ecs/cluster:Cluster", "aws:rds/subnetGroup:SubnetGroup"
NAMESPACE = "aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace"
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
TOPIC, SUBSCRIPTION = "aws:sns/topic:Topic", "aws:sns/topicSubscription:TopicSubscription"
REPOSITORY = "aws:ecr/repository:Repository"


# --- the documented table


def test_the_runtime_has_the_documented_names_tags_and_descriptions() -> None:
    recording = build()
    assert recording.only(CLUSTER).plain == {
        "name": "langgraph-cloud-cluster",
        "settings": [{"name": "containerInsights", "value": "enabled"}],
        "tags": {"langgraph-cloud-enabled": "1"},
    }
    assert recording.only(SUBNET_GROUP).plain == {
        "name": "langgraph-cloud-db-subnet-group",
        "description": "Private subnets of LangGraph Cloud databases",
        "subnetIds": ["subnet-a", "subnet-b"],
    }
    assert recording.only(NAMESPACE).plain == {
        "name": "langgraph-cloud-redis",
        "description": "LangGraph Cloud Redis service discovery namespace",
        "vpc": "vpc-1",
        "tags": {"langgraph-cloud-enabled": "1"},
    }
    assert recording.only(LOG_GROUP).plain == {"name": "/aws/ecs/langgraph-cloud", "retentionInDays": 30}
    assert inputs_by_name(recording, GROUP) == {
        "rt-lb-sg": {
            "name": "langgraph-cloud-lb-sg",
            "description": "Security group for LangGraph Cloud Load Balancer",
            "vpcId": "vpc-1",
            "tags": {"Name": "langgraph-cloud-lb-sg", "langgraph-cloud-enabled": "1"},
        },
        "rt-service-sg": {
            "name": "langgraph-cloud-service-sg",
            "description": "Security group for LangGraph Cloud ECS services/RDS instances",
            "vpcId": "vpc-1",
            "tags": {"Name": "langgraph-cloud-service-sg", "langgraph-cloud-enabled": "1"},
        },
        "rt-data-sg": {
            "name": "langgraph-cloud-data-sg",
            "description": "Security group for LangGraph Cloud databases and caches",
            "vpcId": "vpc-1",
            "tags": {"Name": "langgraph-cloud-data-sg", "langgraph-cloud-enabled": "1"},
        },
    }


def test_two_prefixes_have_no_physical_name_in_common() -> None:
    def names(prefix: str) -> list[str]:
        found = [(r.type, r.plain["name"]) for r in build(prefix=prefix).custom if "name" in r.plain]
        # The name of an inline policy belongs to its role.
        return sorted(name for token, name in found if token != ROLE_POLICY)

    assert names("team-b") == [
        "/aws/ecs/team-b",
        "team-b-ECSTaskExecutionRole",
        "team-b-ECSTaskRole",
        "team-b-alarms",
        "team-b-cluster",
        "team-b-data-sg",
        "team-b-db-subnet-group",
        "team-b-lb-sg",
        "team-b-redis",
        "team-b-service-sg",
    ]
    assert len(names("langgraph-cloud")) == 10
    assert not set(names("team-b")) & set(names("langgraph-cloud"))


def test_settings_reach_the_cluster_and_the_log() -> None:
    recording = build(AccountRuntimeSettings(container_insights=False, log_retention_days=365))
    assert recording.only(CLUSTER).plain["settings"] == [{"name": "containerInsights", "value": "disabled"}]
    assert recording.only(LOG_GROUP).plain["retentionInDays"] == 365


# --- alarms and repositories


def test_only_alarms_of_this_account_publish_to_the_topic() -> None:
    topic = build().only(TOPIC).plain
    assert json.loads(topic.pop("policy")) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "AlarmsOfThisAccount",
                "Effect": "Allow",
                "Principal": {"Service": "cloudwatch.amazonaws.com"},
                "Action": "sns:Publish",
                "Resource": "arn:aws:sns:us-west-2:123456789012:langgraph-cloud-alarms",
                "Condition": {
                    "StringEquals": {"aws:SourceAccount": "123456789012"},
                    "ArnLike": {"aws:SourceArn": "arn:aws:cloudwatch:us-west-2:123456789012:alarm:*"},
                },
            }
        ],
    }
    assert topic == {"name": "langgraph-cloud-alarms"}


def test_each_address_is_subscribed_once() -> None:
    emails = ("ops@example.com", "dev@example.com", "ops@example.com")
    assert inputs_by_name(build(AccountRuntimeSettings(alarm_emails=emails)), SUBSCRIPTION) == {
        f"rt-alarms-{email}": {
            "topic": "arn:aws:test:us-west-2:123456789012:rt-alarms",
            "protocol": "email",
            "endpoint": email,
        }
        for email in set(emails)
    }


def test_repositories_keep_their_tags_scan_encrypt_and_are_never_emptied() -> None:
    recording = build(AccountRuntimeSettings(repositories=("chat", "team/support")))
    assert inputs_by_name(recording, REPOSITORY) == {
        f"rt-repository-{name}": {
            "name": name,
            "imageTagMutability": "IMMUTABLE",
            "imageScanningConfiguration": {"scanOnPush": True},
            "encryptionConfigurations": [{"encryptionType": "AES256"}],
            "forceDelete": False,
        }
        for name in ("chat", "team/support")
    }


def test_no_repository_and_no_subscription_is_made_unasked() -> None:
    assert not {REPOSITORY, SUBSCRIPTION} & build().types


# --- outputs and order


def test_outputs_are_what_is_declared_and_what_was_made() -> None:
    outputs = outputs_of(build(AccountRuntimeSettings(repositories=("chat",))), "byoc:index:AccountRuntime")
    assert set(outputs) == annotated(AccountRuntime)
    arn = "arn:aws:test:us-west-2:123456789012:"
    assert {key: value for key, value in outputs.items() if key != "repository_urls"} == {
        "cluster_arn": f"{arn}rt-cluster",
        "cluster_name": "langgraph-cloud-cluster",
        "load_balancer_security_group_id": "rt-lb-sg-id",
        "service_security_group_id": "rt-service-sg-id",
        "data_security_group_id": "rt-data-sg-id",
        "db_subnet_group_name": "langgraph-cloud-db-subnet-group",
        "namespace_id": "rt-namespace-id",
        "namespace_name": "langgraph-cloud-redis",
        "log_group_name": "/aws/ecs/langgraph-cloud",
        "execution_role_arn": f"{arn}rt-execution-role",
        "task_role_arn": f"{arn}rt-task-role",
        "alarm_topic_arn": f"{arn}rt-alarms",
    }


def test_repository_urls_go_by_name_and_are_a_mapping_even_if_there_are_none() -> None:
    url = "123456789012.dkr.ecr.us-west-2.amazonaws.com"

    def urls(*names: str) -> object:
        args = AccountRuntimeArgs(
            account=ACCOUNT,
            names=Names(),
            vpc_id="vpc-1",
            vpc_cidr="10.0.0.0/16",
            private_subnet_ids=["subnet-a"],
            settings=AccountRuntimeSettings(repositories=names),
        )
        computed = {REPOSITORY: lambda _, inputs: {"repositoryUrl": f"{url}/{inputs['name']}"}}
        recording = run(lambda: AccountRuntime("rt", args), computed=computed)
        return outputs_of(recording, "byoc:index:AccountRuntime")["repository_urls"]

    assert urls("team/support", "chat") == {"chat": f"{url}/chat", "team/support": f"{url}/team/support"}
    assert urls() == {}
