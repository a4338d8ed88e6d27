"""The server itself: the API's containers and, where asked for, the queue worker's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from byoc import tags
from byoc.components.environment import (
    CONNECTION_KEYS,
    PORT,
    STOP_TIMEOUT_SECONDS,
    ProcessEnvironment,
    ServerEnvironment,
)
from byoc.components.runtime_refs import RuntimeRefs
from byoc.components.secrets import StoredSecret
from byoc.components.spec import ContainerSize, SeparateQueue
from byoc.components.task import Container, container_definitions
from byoc.naming import Names
from byoc.scaling_rules import Bounds
from byoc.types import AwsAccount

API_CONTAINER = "server"
QUEUE_CONTAINER = "queue"
QUEUE_COMMAND = ("/storage/queue_entrypoint.sh",)
"""The worker of the same image (LangGraph docs)."""
HEALTH_GRACE_SECONDS = 300
"""How long a new container may fail the load balancer's health check: the first one runs the database's migrations."""


@dataclass(frozen=True, kw_only=True)
class ServiceArgs:
    """``after``: what must be there before the first container: the listener, and the cache if it is our own.

    ``queue``: by default none, and the API's containers run background runs as well.
    """

    account: AwsAccount
    names: Names
    deployment: str
    image: pulumi.Input[str]
    size: ContainerSize
    queue: SeparateQueue | None
    environment: ServerEnvironment
    environment_secret: StoredSecret
    connections_secret: StoredSecret
    runtime: RuntimeRefs
    target_group_arn: pulumi.Input[str]
    after: Sequence[pulumi.Resource]


class Service(pulumi.ComponentResource):
    """ECS Fargate services behind a load balancer, in private subnets, without a shell into them.

    A revision registers a new task definition and rolls it out: new containers first, old ones drained and stopped
    when the new ones are healthy. If they do not become so, ECS goes back to the old ones by itself, and the run
    fails. Where the number of containers follows the load, it is set once and then left to the scaling.
    """

    service_name: pulumi.Output[str]
    """The API's ECS service."""
    task_definition_arn: pulumi.Output[str]
    """The API's task definition, of this revision."""
    queue_service_name: pulumi.Output[str]
    """The queue worker's ECS service; empty where it has none of its own."""

    def __init__(self, name: str, args: ServiceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("byoc:index:Service", name, None, opts)
        self._args = args
        size = args.size
        task = self._task(
            f"{name}-api-task",
            role="api",
            container=API_CONTAINER,
            cpu=size.cpu,
            memory=size.memory,
            environment=args.environment.api,
        )
        service = self._service(
            f"{name}-api",
            role="api",
            task=task,
            bounds=Bounds(size.min_containers, size.max_containers),
            load_balancer=aws.ecs.ServiceLoadBalancerArgs(
                target_group_arn=args.target_group_arn, container_name=API_CONTAINER, container_port=PORT
            ),
        )
        self.service_name = service.name
        self.task_definition_arn = task.arn
        self.queue_service_name = self._queue(name)
        self.register_outputs(
            {
                "service_name": self.service_name,
                "task_definition_arn": self.task_definition_arn,
                "queue_service_name": self.queue_service_name,
            }
        )

    def _queue(self, name: str) -> pulumi.Output[str]:
        queue, environment = self._args.queue, self._args.environment.queue
        if queue is None or environment is None:
            return pulumi.Output.from_input("")
        task = self._task(
            f"{name}-queue-task",
            role="queue",
            container=QUEUE_CONTAINER,
            cpu=queue.cpu,
            memory=queue.memory,
            environment=environment,
            command=QUEUE_COMMAND,
        )
        bounds = Bounds(queue.containers, queue.max_containers)
        return self._service(f"{name}-queue", role="queue", task=task, bounds=bounds).name

    def _task(
        self,
        name: str,
        *,
        role: str,
        container: str,
        cpu: int,
        memory: int,
        environment: ProcessEnvironment,
        command: Sequence[str] = (),
    ) -> aws.ecs.TaskDefinition:
        args = self._args
        secrets = {key: args.environment_secret.reference(key) for key in environment.secret_names}
        secrets |= {key: args.connections_secret.reference(key) for key in CONNECTION_KEYS}
        return aws.ecs.TaskDefinition(
            name,
            family=args.names.service(args.deployment, role),
            requires_compatibilities=["FARGATE"],
            network_mode="awsvpc",
            cpu=str(cpu),
            memory=str(memory),
            # What `langgraph build` makes.
            runtime_platform=aws.ecs.TaskDefinitionRuntimePlatformArgs(
                operating_system_family="LINUX", cpu_architecture="X86_64"
            ),
            execution_role_arn=args.runtime.execution_role_arn,
            task_role_arn=args.runtime.task_role_arn,
            container_definitions=container_definitions(
                Container(
                    name=container,
                    image=args.image,
                    port=PORT,
                    log_group_name=args.runtime.log_group_name,
                    log_prefix=args.deployment,
                    region=args.account.region,
                    environment=environment.plain,
                    secrets=secrets,
                    command=command,
                    stop_timeout_seconds=STOP_TIMEOUT_SECONDS,
                )
            ),
            tags=tags.deployment_tags(args.deployment),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _service(
        self,
        name: str,
        *,
        role: str,
        task: aws.ecs.TaskDefinition,
        bounds: Bounds,
        load_balancer: aws.ecs.ServiceLoadBalancerArgs | None = None,
    ) -> aws.ecs.Service:
        args = self._args
        return aws.ecs.Service(
            name,
            name=args.names.service(args.deployment, role),
            cluster=args.runtime.cluster_arn,
            task_definition=task.arn,
            launch_type="FARGATE",
            desired_count=bounds.minimum,
            deployment_minimum_healthy_percent=100,
            deployment_maximum_percent=200,
            deployment_circuit_breaker=aws.ecs.ServiceDeploymentCircuitBreakerArgs(enable=True, rollback=True),
            network_configuration=aws.ecs.ServiceNetworkConfigurationArgs(
                subnets=args.runtime.private_subnet_ids,
                security_groups=[args.runtime.service_security_group_id],
                assign_public_ip=False,
            ),
            load_balancers=[load_balancer] if load_balancer else None,
            health_check_grace_period_seconds=HEALTH_GRACE_SECONDS if load_balancer else None,
            enable_execute_command=False,
            enable_ecs_managed_tags=True,
            propagate_tags="SERVICE",
            wait_for_steady_state=True,
            tags=tags.deployment_tags(args.deployment),
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=list(args.after),
                ignore_changes=["desiredCount"] if bounds.scales else None,
            ),
        )
