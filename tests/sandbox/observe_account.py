"""How the types of an account stack are observed: made, changed behind the program's back, imported."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from byoc.sandbox.handlers.base import Properties
from tests.sandbox.observe_stage import Act, Case, Made, Stage, policy, trust

READ_ONLY = "arn:aws:iam::aws:policy/AmazonVPCReadOnlyAccess"
OTHER_KEY = "arn:aws:kms:eu-west-1:123456789012:key/another"
RESOURCE_TAGS = {"tags": {"team": "a", "Name": "x"}}


def call(service: str, operation: str, arguments: Callable[[Made], Mapping[str, Any]]) -> Act:
    """A change by one AWS call."""
    return lambda made: getattr(made.stage.client(service), operation)(**arguments(made))


def role(stage: Stage) -> Properties:
    boundary = stage.make("aws:iam/policy:Policy", name="boundary", policy=policy("s3:Get*")).id
    return {
        "name": "task",
        "path": "/team/",
        "assumeRolePolicy": trust(),
        "description": "what it is for",
        "maxSessionDuration": 7200,
        "permissionsBoundary": boundary,
        "forceDetachPolicies": True,
        "managedPolicyArns": [READ_ONLY],
        "inlinePolicies": [{"name": "own", "policy": policy("logs:*")}],
        **RESOURCE_TAGS,
    }


def iam_role(operation: str, **arguments: Any) -> Act:
    return call("iam", operation, lambda made: {"RoleName": made.outputs["name"], **arguments})


def new_policy_version(made: Made) -> None:
    made.stage.client("iam").create_policy_version(
        PolicyArn=made.id, PolicyDocument=policy("s3:Put*"), SetAsDefault=True
    )


def inline_policy(stage: Stage) -> Properties:
    stage.make("aws:iam/role:Role", name="task", assumeRolePolicy=trust())
    return {"role": "task", "name": "SecretsRead", "policy": policy("s3:Get*")}


def attachment(stage: Stage) -> Properties:
    stage.make("aws:iam/role:Role", name="task", assumeRolePolicy=trust())
    return {"role": "task", "policyArn": READ_ONLY}


def log_group(stage: Stage) -> Properties:
    key = stage.client("kms").create_key()["KeyMetadata"]["Arn"]
    return {"name": "/aws/ecs/graphs", "retentionInDays": 30, "kmsKeyId": key, "skipDestroy": False, **RESOURCE_TAGS}


def log_group_with_another_key(made: Made) -> None:
    """Made again by another: moto cannot change the key of one."""
    logs = made.stage.client("logs")
    logs.delete_log_group(logGroupName=made.id)
    logs.create_log_group(logGroupName=made.id, kmsKeyId=OTHER_KEY, tags=made.inputs["tagsAll"])
    logs.put_retention_policy(logGroupName=made.id, retentionInDays=30)


def topic(stage: Stage) -> str:
    return stage.make("aws:sns/topic:Topic", name="alarms").id


def subscription(stage: Stage) -> Properties:
    stage.client("sqs").create_queue(QueueName="queue")
    endpoint = f"arn:aws:sqs:eu-west-1:{stage.aws.account_id}:queue"
    return {
        "topic": topic(stage),
        "protocol": "sqs",
        "endpoint": endpoint,
        "rawMessageDelivery": True,
        "filterPolicy": json.dumps({"kind": ["a"]}, indent=1),
    }


def subscription_attribute(name: str, value: str) -> Act:
    return call(
        "sns",
        "set_subscription_attributes",
        lambda made: {"SubscriptionArn": made.id, "AttributeName": name, "AttributeValue": value},
    )


def topic_attribute(name: str, value: str) -> Act:
    return call(
        "sns",
        "set_topic_attributes",
        lambda made: {"TopicArn": made.id, "AttributeName": name, "AttributeValue": value},
    )


def parameter(name: str, value: str) -> Act:
    item = {"ParameterName": name, "ParameterValue": value, "ApplyMethod": "immediate"}
    return call(
        "rds", "modify_db_parameter_group", lambda made: {"DBParameterGroupName": made.id, "Parameters": [item]}
    )


def cloud_map_service(stage: Stage) -> Properties:
    namespace = stage.make(
        "aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace", name="redis", vpc=stage.network()["vpc"]
    ).id
    return {
        "name": "chat",
        "description": "what it is for",
        "dnsConfig": {"namespaceId": namespace, "dnsRecords": [{"type": "A", "ttl": 10}]},
        "healthCheckCustomConfig": {"failureThreshold": 1},
        "forceDestroy": False,
        **RESOURCE_TAGS,
    }


def update_cloud_map_service(**change: Any) -> Act:
    def act(made: Made) -> None:
        config = {"DnsRecords": [{"Type": "A", "TTL": 10}]}
        settings = {"Description": "what it is for", "DnsConfig": config, **change}
        made.stage.client("servicediscovery").update_service(Id=made.id, Service=settings)

    return act


def both_subnets(stage: Stage) -> list[str]:
    return [stage.network()["b"], stage.network()["a"]]


EVENTS = {"source": ["aws.sts"], "detail": {"eventName": ["AssumeRole"]}}


def change_rule(**change: Any) -> Act:
    """A rule is changed by putting it whole."""

    def act(made: Made) -> None:
        there = made.stage.client("events").describe_rule(Name=made.id)
        names = ("Name", "Description", "EventPattern", "State", "RoleArn")
        made.stage.client("events").put_rule(**{key: there[key] for key in names if key in there} | change)

    return act


def event_rule(stage: Stage) -> str:
    made = stage.make("aws:cloudwatch/eventRule:EventRule", name="assumed", eventPattern=json.dumps(EVENTS))
    return str(made.id)


def event_target(stage: Stage) -> Properties:
    return {
        "rule": event_rule(stage),
        "targetId": "alarm-topic",
        "arn": topic(stage),
        "inputTransformer": {"inputPaths": {"who": "$.detail.userIdentity.arn"}, "inputTemplate": '"<who> did it"'},
        "forceDestroy": False,
    }


def change_target(**change: Any) -> Act:
    """A target is changed by putting it whole."""

    def act(made: Made) -> None:
        events = made.stage.client("events")
        (there,) = events.list_targets_by_rule(Rule="assumed")["Targets"]
        events.put_targets(Rule="assumed", Targets=[there | change])

    return act


CASES: Mapping[str, Case] = {
    "aws:cloudwatch/eventRule:EventRule": Case(
        inputs=lambda _stage: {
            "name": "assumed",
            "description": "what it is for",
            "eventPattern": json.dumps(EVENTS, indent=1),
            "state": "ENABLED",
            "forceDestroy": False,
            **RESOURCE_TAGS,
        },
        behind={
            "description": change_rule(Description="another"),
            "eventPattern": change_rule(EventPattern=json.dumps({"source": ["aws.iam"]})),
            "state": call("events", "disable_rule", lambda made: {"Name": made.id}),
        },
        untold=frozenset({"forceDestroy"}),
    ),
    "aws:cloudwatch/eventTarget:EventTarget": Case(
        inputs=event_target,
        behind={
            "arn": change_target(Arn="arn:aws:sns:eu-west-1:123456789012:another"),
            "inputTransformer": change_target(InputTransformer={"InputTemplate": '"somebody did it"'}),
        },
        import_id=lambda made: "assumed/alarm-topic",
        untold=frozenset({"forceDestroy"}),
    ),
    "aws:iam/role:Role": Case(
        inputs=role,
        behind={
            "assumeRolePolicy": iam_role("update_assume_role_policy", PolicyDocument=trust("ec2.amazonaws.com")),
            "description": iam_role("update_role_description", Description="another"),
            "inlinePolicies": iam_role("put_role_policy", PolicyName="theirs", PolicyDocument=policy("s3:*")),
            "managedPolicyArns": iam_role("detach_role_policy", PolicyArn=READ_ONLY),
            "maxSessionDuration": iam_role("update_role", MaxSessionDuration=3600, Description="what it is for"),
            "permissionsBoundary": iam_role("delete_role_permissions_boundary"),
        },
        untold=frozenset({"forceDetachPolicies", "inlinePolicies", "managedPolicyArns"}),
    ),
    "aws:iam/serviceLinkedRole:ServiceLinkedRole": Case(
        inputs=lambda _stage: {"awsServiceName": "ecs.amazonaws.com", "description": "for ours", **RESOURCE_TAGS},
        behind={"description": iam_role("update_role", Description="another")},
    ),
    "aws:iam/policy:Policy": Case(
        inputs=lambda _stage: {
            "name": "read",
            "path": "/team/",
            "description": "what it is for",
            "policy": policy("s3:Get*"),
            **RESOURCE_TAGS,
        },
        behind={"policy": new_policy_version},
    ),
    "aws:iam/rolePolicy:RolePolicy": Case(
        inputs=inline_policy,
        behind={
            "policy": call(
                "iam",
                "put_role_policy",
                lambda _made: {"RoleName": "task", "PolicyName": "SecretsRead", "PolicyDocument": policy("s3:Put*")},
            )
        },
    ),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": Case(inputs=attachment, behind={}),
    "aws:cloudwatch/logGroup:LogGroup": Case(
        inputs=log_group,
        behind={
            "kmsKeyId": log_group_with_another_key,
            "retentionInDays": call(
                "logs", "put_retention_policy", lambda made: {"logGroupName": made.id, "retentionInDays": 7}
            ),
        },
    ),
    "aws:sns/topic:Topic": Case(
        inputs=lambda _stage: {
            "name": "alarms",
            "displayName": "Alarms",
            "kmsMasterKeyId": "alias/aws/sns",
            "deliveryPolicy": json.dumps({"http": {"disableSubscriptionOverrides": False}}, indent=1),
            **RESOURCE_TAGS,
        },
        behind={
            "deliveryPolicy": topic_attribute("DeliveryPolicy", "{}"),
            "displayName": topic_attribute("DisplayName", "Others"),
            "kmsMasterKeyId": topic_attribute("KmsMasterKeyId", "alias/other"),
        },
    ),
    "aws:sns/topicPolicy:TopicPolicy": Case(
        inputs=lambda stage: {"arn": topic(stage), "policy": policy("sns:Publish", Principal="*")},
        behind={"policy": topic_attribute("Policy", policy("sns:Subscribe", Principal="*"))},
    ),
    "aws:sns/topicSubscription:TopicSubscription": Case(
        inputs=subscription,
        behind={
            "filterPolicy": subscription_attribute("FilterPolicy", json.dumps({"kind": ["b"]})),
            "rawMessageDelivery": subscription_attribute("RawMessageDelivery", "false"),
        },
    ),
    "aws:ecs/cluster:Cluster": Case(
        inputs=lambda _stage: {
            "name": "graphs",
            "settings": [{"name": "containerInsights", "value": "enabled"}],
            **RESOURCE_TAGS,
        },
        behind={
            "settings": call(
                "ecs",
                "update_cluster",
                lambda made: {
                    "cluster": made.id,
                    "settings": [{"name": "containerInsights", "value": "disabled"}],
                },
            )
        },
        import_id=lambda made: "graphs",
    ),
    "aws:rds/subnetGroup:SubnetGroup": Case(
        inputs=lambda stage: {"name": "graphs", "subnetIds": both_subnets(stage), **RESOURCE_TAGS},
        behind={
            "description": call(
                "rds",
                "modify_db_subnet_group",
                lambda made: {
                    "DBSubnetGroupName": made.id,
                    "DBSubnetGroupDescription": "another",
                    "SubnetIds": made.inputs["subnetIds"],
                },
            ),
            "subnetIds": call(
                "rds",
                "modify_db_subnet_group",
                lambda made: {"DBSubnetGroupName": made.id, "SubnetIds": made.inputs["subnetIds"][:1]},
            ),
        },
    ),
    "aws:rds/parameterGroup:ParameterGroup": Case(
        inputs=lambda _stage: {
            "name": "graphs",
            "family": "postgres16",
            "parameters": [
                {"name": "rds.force_ssl", "value": "1"},
                {"name": "log_min_duration_statement", "value": "1000", "applyMethod": "immediate"},
            ],
            "skipDestroy": False,
            **RESOURCE_TAGS,
        },
        behind={"parameters": parameter("rds.force_ssl", "0")},
    ),
    "aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace": Case(
        inputs=lambda stage: {
            "name": "graphs-redis",
            "vpc": stage.network()["vpc"],
            "description": "what it is for",
            **RESOURCE_TAGS,
        },
        behind={
            "description": call(
                "servicediscovery",
                "update_private_dns_namespace",
                lambda made: {"Id": made.id, "Namespace": {"Description": "another"}, "UpdaterRequestId": "x"},
            )
        },
        import_id=lambda made: f"{made.id}:{made.inputs['vpc']}",
    ),
    "aws:servicediscovery/service:Service": Case(
        inputs=cloud_map_service,
        behind={
            "description": update_cloud_map_service(Description="another"),
            "dnsConfig": update_cloud_map_service(DnsConfig={"DnsRecords": [{"Type": "A", "TTL": 60}]}),
        },
    ),
    "aws:ecr/repository:Repository": Case(
        inputs=lambda _stage: {
            "name": "graphs/chat",
            "imageTagMutability": "IMMUTABLE",
            "imageScanningConfiguration": {"scanOnPush": True},
            "encryptionConfigurations": [{"encryptionType": "AES256"}],
            "forceDelete": False,
            **RESOURCE_TAGS,
        },
        behind={
            "imageScanningConfiguration": call(
                "ecr",
                "put_image_scanning_configuration",
                lambda made: {"repositoryName": made.id, "imageScanningConfiguration": {"scanOnPush": False}},
            ),
            "imageTagMutability": call(
                "ecr",
                "put_image_tag_mutability",
                lambda made: {"repositoryName": made.id, "imageTagMutability": "MUTABLE"},
            ),
        },
    ),
    "aws:ecr/lifecyclePolicy:LifecyclePolicy": Case(
        inputs=lambda stage: {
            "repository": stage.make("aws:ecr/repository:Repository", name="graphs").id,
            "policy": lifecycle(10),
        },
        behind={
            "policy": call(
                "ecr",
                "put_lifecycle_policy",
                lambda made: {"repositoryName": made.id, "lifecyclePolicyText": lifecycle(20)},
            )
        },
    ),
}


def lifecycle(count: int) -> str:
    selection = {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": count}
    return json.dumps({"rules": [{"rulePriority": 1, "selection": selection, "action": {"type": "expire"}}]}, indent=1)
