"""Deployments for construction tests: a runtime given by ids, specs, and what AWS would compute."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pulumi

from byoc.components.deployment import Deployment, DeploymentArgs
from byoc.components.runtime_refs import RuntimeRefs
from byoc.components.spec import ContainerSize, CreateDatabase, DeploymentSpec, Tracing
from byoc.naming import Names
from byoc.provider import ProviderArgs, aws_provider, random_provider
from byoc.types import DeploymentType
from tests.components.harness import Recording, Registration, run
from tests.components.programs import (
    ACCOUNT,
    assert_components_register_their_outputs,
    assert_only_our_providers,
    dependencies_by_name,
)

PASSWORD = "random:index/randomPassword:RandomPassword"
RANDOM_ID = "random:index/randomId:RandomId"
INSTANCE = "aws:rds/instance:Instance"
PARAMETERS = "aws:rds/parameterGroup:ParameterGroup"
SECRET = "aws:secretsmanager/secret:Secret"
VERSION = "aws:secretsmanager/secretVersion:SecretVersion"
LOAD_BALANCER = "aws:lb/loadBalancer:LoadBalancer"
TARGET_GROUP = "aws:lb/targetGroup:TargetGroup"
LISTENER = "aws:lb/listener:Listener"
TASK = "aws:ecs/taskDefinition:TaskDefinition"
SERVICE = "aws:ecs/service:Service"
REGISTRY = "aws:servicediscovery/service:Service"
TARGET = "aws:appautoscaling/target:Target"
POLICY = "aws:appautoscaling/policy:Policy"
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"

NAMES = Names()
TAGS = {"byoc-deployment": "chat"}
SECRET_TAGS = {"langgraph-cloud": "langgraph-cloud", "byoc-deployment": "chat"}
EXECUTION_ROLE = "arn:aws:iam::123456789012:role/LangGraphCloudECSTaskExecutionRole"
TASK_ROLE = "arn:aws:iam::123456789012:role/LangGraphCloudECSTaskRole"
CLUSTER_ARN = "arn:aws:ecs:us-west-2:123456789012:cluster/langgraph-cloud-cluster"
TOPIC = "arn:aws:sns:us-west-2:123456789012:langgraph-cloud-alarms"
CERTIFICATE = "arn:aws:acm:us-west-2:123456789012:certificate/0a1b"

RUNTIME = RuntimeRefs(
    vpc_id="vpc-1",
    private_subnet_ids=["subnet-a", "subnet-b"],
    public_subnet_ids=["subnet-p", "subnet-q"],
    cluster_arn=CLUSTER_ARN,
    cluster_name="langgraph-cloud-cluster",
    load_balancer_security_group_id="sg-lb",
    service_security_group_id="sg-service",
    data_security_group_id="sg-data",
    db_subnet_group_name="langgraph-cloud-db-subnet-group",
    namespace_id="ns-1",
    namespace_name="langgraph-cloud-redis",
    log_group_name="/aws/ecs/langgraph-cloud",
    execution_role_arn=EXECUTION_ROLE,
    task_role_arn=TASK_ROLE,
    alarm_topic_arn=TOPIC,
)


def spec(kind: DeploymentType = DeploymentType.DEVELOPMENT, **changes: Any) -> DeploymentSpec:
    """A deployment named ``chat`` with the defaults of its type, traced to LangSmith."""
    made = DeploymentSpec(
        name="chat",
        type=kind,
        image="123456789012.dkr.ecr.us-west-2.amazonaws.com/chat:1",
        size=ContainerSize.of(kind),
        database=CreateDatabase.of(kind),
        environment={"GREETING": "hello"},
        secret_environment={"OPENAI_API_KEY": "sk-user"},
        tracing=Tracing(project="chat", endpoint="https://api.smith.langchain.com", api_key="lsv2-key"),
    )
    return replace(made, **changes)


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:8]


COMPUTED: Mapping[str, Any] = {
    PASSWORD: lambda name, inputs: {"result": f"{name}0Value"},
    RANDOM_ID: {"hex": "0a1b2c3d"},
    INSTANCE: lambda name, inputs: {"address": f"{inputs['identifier']}.abc.us-west-2.rds.amazonaws.com"},
    PARAMETERS: lambda name, inputs: {"name": f"{inputs['namePrefix']}0001"},
    SECRET: lambda name, inputs: {
        "arn": (arn := f"arn:aws:secretsmanager:us-west-2:123456789012:secret:{inputs['name']}"),
        "id": arn,
    },
    # As in AWS: another text is another version, another definition is another revision.
    VERSION: lambda name, inputs: {"versionId": f"v-{_digest(inputs['secretString'])}"},
    TASK: lambda name, inputs: {
        "arn": f"arn:aws:ecs:us-west-2:123456789012:task-definition/{inputs['family']}:{_digest(inputs)}"
    },
    LOAD_BALANCER: lambda name, inputs: {
        "dnsName": f"{inputs['name']}.elb.amazonaws.com",
        "arnSuffix": f"app/{inputs['name']}/1",
    },
    TARGET_GROUP: {"arnSuffix": "targetgroup/langg-1/2"},
}


def construct(
    program: Callable[[pulumi.ResourceOptions], object], *, computed: Mapping[str, Any] | None = None
) -> Recording:
    """Run ``program`` with options that carry this project's providers, and check what must hold for all programs."""

    def whole() -> None:
        providers = [aws_provider("aws", ProviderArgs(account=ACCOUNT)), random_provider("random")]
        program(pulumi.ResourceOptions(providers=providers))

    recording = run(whole, computed={**COMPUTED, **(computed or {})})
    assert_only_our_providers(recording)
    assert_components_register_their_outputs(recording)
    return recording


def deploy(wanted: DeploymentSpec | None = None) -> Recording:
    """A whole deployment."""
    args = DeploymentArgs(account=ACCOUNT, names=NAMES, runtime=RUNTIME, spec=wanted or spec())
    return construct(lambda opts: Deployment("chat", args, opts))


def declared_outputs(component: type) -> set[str]:
    """The outputs that a component class declares; other annotated attributes are for its siblings."""
    return {name for name, kind in component.__annotations__.items() if kind.startswith("pulumi.Output")}


def containers_of(task: Registration) -> Any:
    """The container definitions of a task definition, read back from their JSON text."""
    return json.loads(task.plain["containerDefinitions"])


def waiting_for(recording: Recording, registration: Registration) -> set[str]:
    """Everything that waits for a resource, directly or not, by ``type name``."""
    doomed = {registration.urn}
    while True:
        more = {r.urn for r in recording.custom if doomed & set(r.dependencies)} - doomed
        if not more:
            break
        doomed |= more
    return {f"{r.type.rsplit(':', 1)[1]} {r.name}" for r in recording.custom if r.urn in doomed - {registration.urn}}


def waits_for(recording: Recording, registration: Registration) -> set[str]:
    """What a resource waits for directly, by ``type name``."""
    return dependencies_by_name(recording, registration)
