"""How the types of a deployment are observed: database, secrets, containers, scaling, alarms, random values."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from byoc.sandbox.handlers.base import Properties
from tests.sandbox.observe_account import RESOURCE_TAGS, call
from tests.sandbox.observe_stage import Act, Case, Made, Stage, policy

PLACE = {
    "serviceNamespace": "ecs",
    "scalableDimension": "ecs:service:DesiredCount",
    "resourceId": "service/graphs/chat",
}
API_PLACE = {key[:1].upper() + key[1:]: value for key, value in PLACE.items()}


def database(stage: Stage) -> Properties:
    places = stage.network()
    subnets = [places["a"], places["b"]]
    return {
        "identifier": "chat",
        "engine": "postgres",
        "engineVersion": "16",
        "instanceClass": "db.t4g.micro",
        "storageType": "gp3",
        "allocatedStorage": 20,
        "maxAllocatedStorage": 100,
        "storageEncrypted": True,
        "multiAz": True,
        "dbName": "langgraph",
        "username": "langgraph",
        "password": "not-a-real-password",
        "port": 5433,
        "dbSubnetGroupName": stage.make("aws:rds/subnetGroup:SubnetGroup", name="subnets", subnetIds=subnets).id,
        "parameterGroupName": stage.make(
            "aws:rds/parameterGroup:ParameterGroup", name="parameters", family="postgres16"
        ).id,
        "vpcSecurityGroupIds": [places["group"]],
        "backupRetentionPeriod": 7,
        "copyTagsToSnapshot": True,
        "deletionProtection": False,
        "autoMinorVersionUpgrade": False,
        "enabledCloudwatchLogsExports": ["upgrade", "postgresql"],
        "performanceInsightsEnabled": True,
        "publiclyAccessible": False,
        "applyImmediately": True,
        "allowMajorVersionUpgrade": False,
        "skipFinalSnapshot": True,
        "deleteAutomatedBackups": True,
        **RESOURCE_TAGS,
    }


def change_database(**change: Any) -> Act:
    return call(
        "rds",
        "modify_db_instance",
        lambda made: {"DBInstanceIdentifier": "chat", "ApplyImmediately": True, **change},
    )


def secret(stage: Stage) -> Properties:
    return {
        "name": "langgraph/chat",
        "description": "what it is for",
        "kmsKeyId": stage.client("kms").create_key()["KeyMetadata"]["Arn"],
        "policy": policy("secretsmanager:GetSecretValue", Principal={"AWS": stage.aws.account_id}),
        "recoveryWindowInDays": 0,
        **RESOURCE_TAGS,
    }


def version(stage: Stage) -> Properties:
    made = stage.make("aws:secretsmanager/secret:Secret", name="value", recoveryWindowInDays=0)
    return {"secretId": made.id, "secretString": '{"A": "1"}', "versionStages": ["blue", "AWSCURRENT"]}


def take_off_stage(made: Made) -> None:
    secret_id, version_id = made.id.split("|")
    made.stage.client("secretsmanager").update_secret_version_stage(
        SecretId=secret_id, VersionStage="blue", RemoveFromVersionId=version_id
    )


def task(_stage: Stage | None = None, image: str = "image:1") -> Properties:
    container = {
        "name": "server",
        "image": image,
        "essential": True,
        "portMappings": [{"containerPort": 8000, "hostPort": 8000, "protocol": "tcp"}],
        "environment": [{"name": "B", "value": "2"}, {"name": "A", "value": "1"}],
        "stopTimeout": 120,
    }
    return {
        "family": "chat",
        "containerDefinitions": json.dumps([container]),
        "cpu": "1024",
        "memory": "2048",
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "runtimePlatform": {"operatingSystemFamily": "LINUX", "cpuArchitecture": "X86_64"},
        "ephemeralStorage": {"sizeInGib": 30},
        "skipDestroy": False,
        **RESOURCE_TAGS,
    }


def service(stage: Stage) -> Properties:
    places = stage.network()
    definition = stage.make("aws:ecs/taskDefinition:TaskDefinition", **task())
    namespace = stage.make(
        "aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace", name="local", vpc=places["vpc"]
    ).id
    registry = stage.make(
        "aws:servicediscovery/service:Service",
        name="chat",
        dnsConfig={"namespaceId": namespace, "dnsRecords": [{"type": "A", "ttl": 10}]},
    )
    return {
        "name": "chat",
        "cluster": stage.make("aws:ecs/cluster:Cluster", name="graphs").id,
        "taskDefinition": definition.outputs["arn"],
        "launchType": "FARGATE",
        "platformVersion": "1.4.0",
        "desiredCount": 2,
        "deploymentCircuitBreaker": {"enable": True, "rollback": True},
        "deploymentMaximumPercent": 150,
        "deploymentMinimumHealthyPercent": 50,
        "healthCheckGracePeriodSeconds": 60,
        "networkConfiguration": {
            "subnets": [places["b"], places["a"]],
            "securityGroups": [places["group"]],
            "assignPublicIp": False,
        },
        "loadBalancers": [
            {"targetGroupArn": target_group(stage), "containerName": "server", "containerPort": 8000},
        ],
        "serviceRegistries": {"registryArn": registry.outputs["arn"]},
        "enableEcsManagedTags": True,
        "enableExecuteCommand": True,
        "propagateTags": "SERVICE",
        "waitForSteadyState": True,
        "forceDelete": True,
        **RESOURCE_TAGS,
    }


def target_group(stage: Stage) -> str:
    """One that a listener forwards to, as ECS demands."""
    places = stage.network()
    balancer = stage.make(
        "aws:lb/loadBalancer:LoadBalancer", name="chat", internal=True, subnets=[places["a"], places["b"]]
    ).id
    group = stage.make(
        "aws:lb/targetGroup:TargetGroup", name="chat", port=80, protocol="HTTP", targetType="ip", vpcId=places["vpc"]
    ).id
    forward = [{"type": "forward", "targetGroupArn": group}]
    stage.make("aws:lb/listener:Listener", loadBalancerArn=balancer, port=80, defaultActions=forward)
    return group


def change_service(**change: Any) -> Act:
    return call("ecs", "update_service", lambda made: {"cluster": made.inputs["cluster"], "service": made.id, **change})


def other_task(made: Made) -> None:
    definition = made.stage.make("aws:ecs/taskDefinition:TaskDefinition", **task(image="image:2"))
    change_service(taskDefinition=definition.outputs["arn"])(made)


def fewer_subnets(made: Made) -> None:
    network = made.inputs["networkConfiguration"]
    inside = {"subnets": network["subnets"][:1], "securityGroups": network["securityGroups"]}
    change_service(networkConfiguration={"awsvpcConfiguration": inside})(made)


def scalable(stage: Stage) -> Properties:
    client = stage.client("ecs")
    client.create_cluster(clusterName="graphs")
    client.register_task_definition(
        family="chat", containerDefinitions=[{"name": "server", "image": "i:1", "memory": 512}]
    )
    client.create_service(cluster="graphs", serviceName="chat", taskDefinition="chat", desiredCount=1)
    return {**PLACE, "minCapacity": 1, "maxCapacity": 10, **RESOURCE_TAGS}


def change_target(**change: Any) -> Act:
    return call("application-autoscaling", "register_scalable_target", lambda _made: {**API_PLACE, **change})


def scaling_policy(stage: Stage) -> Properties:
    stage.make("aws:appautoscaling/target:Target", **scalable(stage))
    steps = [
        {"metricIntervalLowerBound": "1", "scalingAdjustment": 2},
        {"metricIntervalLowerBound": "0", "metricIntervalUpperBound": "1", "scalingAdjustment": 1},
    ]
    configuration = {
        "adjustmentType": "ChangeInCapacity",
        "cooldown": 300,
        "metricAggregationType": "Maximum",
        "stepAdjustments": steps,
    }
    return {**PLACE, "name": "out", "policyType": "StepScaling", "stepScalingPolicyConfiguration": configuration}


def slower_policy(made: Made) -> None:
    made.stage.client("application-autoscaling").put_scaling_policy(
        PolicyName="out",
        PolicyType="StepScaling",
        StepScalingPolicyConfiguration={
            "AdjustmentType": "ChangeInCapacity",
            "Cooldown": 900,
            "MetricAggregationType": "Maximum",
            "StepAdjustments": [
                {"MetricIntervalLowerBound": 0.0, "MetricIntervalUpperBound": 1.0, "ScalingAdjustment": 1},
                {"MetricIntervalLowerBound": 1.0, "ScalingAdjustment": 2},
            ],
        },
        **API_PLACE,
    )


def alarm(_stage: Stage) -> Properties:
    metric = {
        "metricName": "RequestCount",
        "namespace": "AWS/ApplicationELB",
        "period": 60,
        "stat": "Sum",
        "dimensions": {"LoadBalancer": "app/chat/1"},
    }
    return {
        "name": "busy",
        "alarmDescription": "too many requests",
        "comparisonOperator": "GreaterThanThreshold",
        "evaluationPeriods": 2,
        "datapointsToAlarm": 1,
        "threshold": 10,
        "treatMissingData": "notBreaching",
        "actionsEnabled": True,
        "alarmActions": ["arn:aws:sns:eu-west-1:123456789012:b", "arn:aws:sns:eu-west-1:123456789012:a"],
        "okActions": ["arn:aws:sns:eu-west-1:123456789012:a"],
        "metricQueries": [
            {"id": "per", "expression": "requests / 60", "label": "per second", "returnData": True},
            {"id": "requests", "metric": metric},
        ],
        **RESOURCE_TAGS,
    }


def change_alarm(**change: Any) -> Act:
    """An alarm is written as a whole: as it is, but for the change."""

    def act(made: Made) -> None:
        client = made.stage.client("cloudwatch")
        there = client.describe_alarms(AlarmNames=[made.id])["MetricAlarms"][0]
        known = client.meta.service_model.operation_model("PutMetricAlarm").input_shape.members
        same = {key: value for key, value in there.items() if key in known and value not in (None, [])}
        client.put_metric_alarm(**{**same, **change})

    return act


def other_metric(made: Made) -> None:
    queries = made.stage.client("cloudwatch").describe_alarms(AlarmNames=[made.id])["MetricAlarms"][0]["Metrics"]
    next(query for query in queries if query["Id"] == "per")["Expression"] = "requests"
    change_alarm(Metrics=queries)(made)


def page(width: int) -> str:
    return json.dumps({"widgets": [{"type": "text", "width": width, "properties": {"markdown": "hi"}}]}, indent=2)


CASES: Mapping[str, Case] = {
    "aws:rds/instance:Instance": Case(
        inputs=database,
        behind={
            "backupRetentionPeriod": change_database(BackupRetentionPeriod=1),
            "copyTagsToSnapshot": change_database(CopyTagsToSnapshot=False),
            "deletionProtection": change_database(DeletionProtection=True),
            "engineVersion": change_database(EngineVersion="17.2", AllowMajorVersionUpgrade=True),
            "instanceClass": change_database(DBInstanceClass="db.m7g.large"),
            "maxAllocatedStorage": change_database(MaxAllocatedStorage=200),
            "multiAz": change_database(MultiAZ=False),
        },
        import_id=lambda _made: "chat",
        untold=frozenset(
            {
                "applyImmediately",
                "deleteAutomatedBackups",
                "password",
                "performanceInsightsEnabled",  # moto does not keep it
                "skipFinalSnapshot",
            }
        ),
    ),
    "aws:secretsmanager/secret:Secret": Case(
        inputs=secret,
        behind={
            "description": call(
                "secretsmanager", "update_secret", lambda made: {"SecretId": made.id, "Description": "another"}
            ),
            "kmsKeyId": call(
                "secretsmanager",
                "update_secret",
                lambda made: {"SecretId": made.id, "Description": "what it is for", "KmsKeyId": "alias/other"},
            ),
            "policy": call(
                "secretsmanager",
                "put_resource_policy",
                lambda made: {"SecretId": made.id, "ResourcePolicy": policy("secretsmanager:*", Principal="*")},
            ),
        },
        untold=frozenset({"recoveryWindowInDays"}),
    ),
    "aws:secretsmanager/secretVersion:SecretVersion": Case(inputs=version, behind={"versionStages": take_off_stage}),
    "aws:ecs/taskDefinition:TaskDefinition": Case(
        inputs=task, behind={}, import_id=lambda made: str(made.outputs["arn"])
    ),
    "aws:ecs/service:Service": Case(
        inputs=service,
        behind={
            "deploymentMaximumPercent": change_service(
                deploymentConfiguration={
                    "maximumPercent": 200,
                    "minimumHealthyPercent": 50,
                    "deploymentCircuitBreaker": {"enable": True, "rollback": True},
                }
            ),
            "desiredCount": change_service(desiredCount=5),
            "enableExecuteCommand": change_service(enableExecuteCommand=False),
            "networkConfiguration": fewer_subnets,
            "taskDefinition": other_task,
        },
        import_id=lambda made: "graphs/chat",
        untold=frozenset({"forceDelete", "waitForSteadyState"}),
    ),
    "aws:appautoscaling/target:Target": Case(
        inputs=scalable,
        behind={
            "maxCapacity": change_target(MinCapacity=1, MaxCapacity=20),
            "minCapacity": change_target(MinCapacity=0, MaxCapacity=10),
        },
        import_id=lambda _made: "ecs/service/graphs/chat/ecs:service:DesiredCount",
    ),
    "aws:appautoscaling/policy:Policy": Case(
        inputs=scaling_policy,
        behind={"stepScalingPolicyConfiguration": slower_policy},
        import_id=lambda _made: "ecs/service/graphs/chat/ecs:service:DesiredCount/out",
    ),
    "aws:cloudwatch/metricAlarm:MetricAlarm": Case(
        inputs=alarm,
        behind={
            "alarmActions": change_alarm(AlarmActions=["arn:aws:sns:eu-west-1:123456789012:other"]),
            "comparisonOperator": change_alarm(ComparisonOperator="LessThanThreshold"),
            "metricQueries": other_metric,
            "threshold": change_alarm(Threshold=11.0),
        },
    ),
    "aws:cloudwatch/dashboard:Dashboard": Case(
        inputs=lambda _stage: {"dashboardName": "chat", "dashboardBody": page(6)},
        behind={
            "dashboardBody": call(
                "cloudwatch", "put_dashboard", lambda made: {"DashboardName": made.id, "DashboardBody": page(12)}
            )
        },
    ),
    "random:index/randomPassword:RandomPassword": Case(
        inputs=lambda _stage: {"length": 24, "special": False},
        behind={},
        import_id=lambda made: str(made.outputs["result"]),
        untold=frozenset({"special"}),
    ),
    "random:index/randomString:RandomString": Case(
        inputs=lambda _stage: {"length": 8, "keepers": {"a": "b"}}, behind={}, untold=frozenset({"keepers"})
    ),
    "random:index/randomId:RandomId": Case(
        inputs=lambda _stage: {"byteLength": 4, "prefix": "chat-"},
        behind={},
        import_id=lambda made: f"chat-,{base64.urlsafe_b64encode(bytes.fromhex(made.outputs['hex'][5:])).decode()[:6]}",
    ),
}
