"""A deployment's own Redis: a container that is found by name and may be lost at any time."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
import pulumi_random as random

from byoc import tags
from byoc.components.runtime_refs import RuntimeRefs
from byoc.components.secrets import store
from byoc.components.spec import CreateCache
from byoc.components.task import Container, container_definitions
from byoc.naming import Names
from byoc.types import AwsAccount

PORT = 6379
PASSWORD_LENGTH = 40
"""Letters and digits only, so that the password stands in a URI as it is: about 238 bits."""
PASSWORD_KEY = "REDIS_PASSWORD"  # noqa: S105 - the name of a variable
MEMORY_SHARE = 0.75
"""Of the task's memory; the rest is for buffers of clients and for Redis itself."""
DNS_TTL_SECONDS = 10
"""A restarted cache has another address; for so long clients may still ask the old one."""
STOP_TIMEOUT_SECONDS = 30
"""There is nothing to save."""
UNPRIVILEGED_USER = "999:1000"
"""A number, because it needs no such user in the image; in the official one it is ``redis``."""


@dataclass(frozen=True, kw_only=True)
class CacheArgs:
    """The parts of the runtime that are used: cluster, private subnets, data group, namespace, log, execution role."""

    account: AwsAccount
    names: Names
    deployment: str
    cache: CreateCache
    runtime: RuntimeRefs


class Cache(pulumi.ComponentResource):
    """Redis as an ECS service, found through Cloud Map as ``<deployment>.<namespace>``, in the runtime's data group.

    Its password has a secret of its own, because it need not wait for the database as the other connections do. The
    password reaches Redis by a file that only it can read, never by a command line. A new version stops the old
    container first: two at once would split what the server keeps in it. Background runs that were queued are in the
    database, so a lost cache loses open streams and nothing else (LangGraph docs: no durable data).
    """

    uri: pulumi.Output[str]
    """How the server connects; secret. Known before the service is up."""
    service_name: pulumi.Output[str]
    """The ECS service."""
    service: aws.ecs.Service
    """For ``depends_on``; not an output."""

    def __init__(self, name: str, args: CacheArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("byoc:index:Cache", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        runtime = args.runtime
        deployment_tags = tags.deployment_tags(args.deployment)
        generated = random.RandomPassword(f"{name}-password", length=PASSWORD_LENGTH, special=False, opts=child)
        password: pulumi.Output[str] = pulumi.Output.secret(generated.result)
        secret = store(
            f"{name}-secret",
            names=args.names,
            deployment=args.deployment,
            content="cache",
            values={PASSWORD_KEY: password},
            opts=child,
        )
        registry = aws.servicediscovery.Service(
            f"{name}-registry",
            name=args.deployment,
            description=f"The cache of LangGraph deployment {args.deployment}",
            dns_config=aws.servicediscovery.ServiceDnsConfigArgs(
                namespace_id=runtime.namespace_id,
                routing_policy="MULTIVALUE",
                dns_records=[aws.servicediscovery.ServiceDnsConfigDnsRecordArgs(type="A", ttl=DNS_TTL_SECONDS)],
            ),
            tags=deployment_tags,
            opts=child,
        )
        physical_name = args.names.service(args.deployment, "cache")
        task = aws.ecs.TaskDefinition(
            f"{name}-task",
            family=physical_name,
            requires_compatibilities=["FARGATE"],
            network_mode="awsvpc",
            cpu=str(args.cache.cpu),
            memory=str(args.cache.memory),
            runtime_platform=aws.ecs.TaskDefinitionRuntimePlatformArgs(
                operating_system_family="LINUX", cpu_architecture="X86_64"
            ),
            execution_role_arn=runtime.execution_role_arn,
            # No task role: Redis calls nobody.
            container_definitions=container_definitions(
                Container(
                    name="cache",
                    image=args.cache.image,
                    port=PORT,
                    log_group_name=runtime.log_group_name,
                    log_prefix=args.deployment,
                    region=args.account.region,
                    secrets={PASSWORD_KEY: secret.reference(PASSWORD_KEY)},
                    command=["sh", "-c", start_script(args.cache.memory)],
                    user=UNPRIVILEGED_USER,
                    health_command=HEALTH_COMMAND,
                    stop_timeout_seconds=STOP_TIMEOUT_SECONDS,
                )
            ),
            tags=deployment_tags,
            opts=child,
        )
        self.service = aws.ecs.Service(
            f"{name}-service",
            name=physical_name,
            cluster=runtime.cluster_arn,
            task_definition=task.arn,
            launch_type="FARGATE",
            desired_count=1,
            deployment_minimum_healthy_percent=0,
            deployment_maximum_percent=100,
            # ECS balances zones by starting a second container first, and refuses that together with a maximum of 100.
            availability_zone_rebalancing="DISABLED",
            deployment_circuit_breaker=aws.ecs.ServiceDeploymentCircuitBreakerArgs(enable=True, rollback=True),
            network_configuration=aws.ecs.ServiceNetworkConfigurationArgs(
                subnets=runtime.private_subnet_ids,
                security_groups=[runtime.data_security_group_id],
                assign_public_ip=False,
            ),
            service_registries=aws.ecs.ServiceServiceRegistriesArgs(registry_arn=registry.arn),
            enable_execute_command=False,
            enable_ecs_managed_tags=True,
            propagate_tags="SERVICE",
            wait_for_steady_state=True,
            tags=deployment_tags,
            opts=child,
        )
        self.service_name = self.service.name
        self.uri = pulumi.Output.concat(
            "redis://:", password, "@", args.deployment, ".", runtime.namespace_name, f":{PORT}/0"
        )
        self.register_outputs({"uri": self.uri, "service_name": self.service_name})


HEALTH_COMMAND = f'REDISCLI_AUTH="${PASSWORD_KEY}" redis-cli ping | grep -q PONG'
"""``redis-cli`` takes the password from its environment; as an argument it would stand in the process list."""


def start_script(memory: int) -> str:
    """The shell script that starts Redis in a task with ``memory`` MiB: nothing is written to disk but the password's
    file, and when the memory is full a write fails instead of the container.
    """
    limit = int(memory * MEMORY_SHARE)
    return (
        f"umask 077 && printf 'requirepass %s\\n' \"${PASSWORD_KEY}\" > /tmp/redis.conf && unset {PASSWORD_KEY} && "
        f"exec redis-server /tmp/redis.conf --save '' --appendonly no --maxmemory {limit}mb "
        "--maxmemory-policy noeviction"
    )
