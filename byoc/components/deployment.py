"""One LangGraph Server with everything that belongs to it."""

from __future__ import annotations

from dataclasses import dataclass, field

import pulumi

from byoc.components.alarms import Alarms, AlarmsArgs
from byoc.components.cache import Cache, CacheArgs
from byoc.components.database import Database, DatabaseArgs
from byoc.components.environment import server_environment
from byoc.components.ingress import Ingress, IngressArgs
from byoc.components.runtime_refs import RuntimeRefs
from byoc.components.scaling import QueueScaling, QueueScalingArgs, Scaling, ScalingArgs
from byoc.components.secrets import Secrets, SecretsArgs
from byoc.components.service import Service, ServiceArgs
from byoc.components.spec import CreateCache, CreateDatabase, DeploymentSpec
from byoc.naming import Names
from byoc.scaling_rules import Bounds
from byoc.types import AwsAccount


@dataclass(frozen=True, kw_only=True)
class DeploymentArgs:
    """``runtime``: from an ``AccountRuntime`` of the same program, or found by ``find_runtime``."""

    account: AwsAccount
    runtime: RuntimeRefs
    spec: DeploymentSpec
    names: Names = field(default_factory=Names)


class Deployment(pulumi.ComponentResource):
    """A LangGraph Server on ECS Fargate with its own database, cache, secrets, load balancer, scaling and alarms.

    The database takes longest; all that does not need it is made meanwhile. A revision (another image, environment,
    secret or container size) changes task definitions and services, and the version of the environment secret if a
    value in it changed; nothing else.

    Needs an AWS and a random provider from its parents or ``opts``. What a destroy leaves: a production database's
    final snapshot (``Database``), the log entries of its containers in the runtime's group, and its tracing project.
    Raises ``ByocError`` for a spec that AWS or the server would not bear.
    """

    url: pulumi.Output[str]
    """Where the server answers, by the load balancer's own name."""
    load_balancer_dns_name: pulumi.Output[str]
    """The target of a CNAME or alias record."""
    service_name: pulumi.Output[str]
    """The API's ECS service."""
    queue_service_name: pulumi.Output[str]
    """The queue worker's ECS service; empty where it has none of its own."""
    task_definition_arn: pulumi.Output[str]
    """The API's task definition, of this revision."""
    image: pulumi.Output[str]
    """The image of this revision."""
    database_identifier: pulumi.Output[str]
    """The RDS instance; empty where somebody else keeps the database."""
    environment_secret_arn: pulumi.Output[str]
    """The secret with the environment."""
    connections_secret_arn: pulumi.Output[str]
    """The secret with the connection URIs."""

    def __init__(self, name: str, args: DeploymentArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("byoc:index:Deployment", name, None, opts)
        self._name = name
        self._args = args
        self._child = pulumi.ResourceOptions(parent=self)
        spec, runtime = args.spec, args.runtime
        environment = server_environment(spec)
        database_uri, self.database_identifier = self._database()
        cache_uri, cache = self._cache()
        secrets = Secrets(
            f"{name}-secrets",
            SecretsArgs(
                names=args.names,
                deployment=spec.name,
                environment=environment.secret,
                connections={"DATABASE_URI": database_uri, "REDIS_URI": cache_uri},
            ),
            opts=self._child,
        )
        ingress = Ingress(
            f"{name}-ingress",
            IngressArgs(
                names=args.names,
                deployment=spec.name,
                ingress=spec.ingress,
                runtime=runtime,
                mount_prefix=spec.mount_prefix,
            ),
            opts=self._child,
        )
        service = Service(
            f"{name}-service",
            ServiceArgs(
                account=args.account,
                names=args.names,
                deployment=spec.name,
                image=spec.image,
                size=spec.size,
                queue=spec.queue,
                environment=environment,
                environment_secret=secrets.environment,
                connections_secret=secrets.connections,
                runtime=runtime,
                target_group_arn=ingress.target_group_arn,
                # ECS refuses a target group without a load balancer; the server does not start without its cache.
                after=[ingress.listener, *([cache.service] if cache else [])],
            ),
            opts=self._child,
        )
        self._scaling(service, ingress)
        self._alarms(service, ingress, cache)

        self.url = ingress.url
        self.load_balancer_dns_name = ingress.dns_name
        self.service_name = service.service_name
        self.queue_service_name = service.queue_service_name
        self.task_definition_arn = service.task_definition_arn
        self.image = pulumi.Output.from_input(spec.image)
        self.environment_secret_arn = secrets.environment_secret_arn
        self.connections_secret_arn = secrets.connections_secret_arn
        self.register_outputs(
            {
                "url": self.url,
                "load_balancer_dns_name": self.load_balancer_dns_name,
                "service_name": self.service_name,
                "queue_service_name": self.queue_service_name,
                "task_definition_arn": self.task_definition_arn,
                "image": self.image,
                "database_identifier": self.database_identifier,
                "environment_secret_arn": self.environment_secret_arn,
                "connections_secret_arn": self.connections_secret_arn,
            }
        )

    def _database(self) -> tuple[pulumi.Input[str], pulumi.Output[str]]:
        args, wanted = self._args, self._args.spec.database
        if not isinstance(wanted, CreateDatabase):
            return wanted.uri, pulumi.Output.from_input("")
        database = Database(
            f"{self._name}-database",
            DatabaseArgs(
                names=args.names,
                deployment=args.spec.name,
                database=wanted,
                subnet_group_name=args.runtime.db_subnet_group_name,
                security_group_id=args.runtime.data_security_group_id,
            ),
            opts=self._child,
        )
        return database.uri, database.identifier

    def _cache(self) -> tuple[pulumi.Input[str], Cache | None]:
        args, wanted = self._args, self._args.spec.cache
        if not isinstance(wanted, CreateCache):
            return wanted.uri, None
        cache = Cache(
            f"{self._name}-cache",
            CacheArgs(
                account=args.account, names=args.names, deployment=args.spec.name, cache=wanted, runtime=args.runtime
            ),
            opts=self._child,
        )
        return cache.uri, cache

    def _scaling(self, service: Service, ingress: Ingress) -> None:
        args, size, queue = self._args, self._args.spec.size, self._args.spec.queue
        bounds = Bounds(size.min_containers, size.max_containers)
        if bounds.scales:
            Scaling(
                f"{self._name}-scaling",
                ScalingArgs(
                    names=args.names,
                    deployment=args.spec.name,
                    bounds=bounds,
                    runtime=args.runtime,
                    service_name=service.service_name,
                    load_balancer_arn_suffix=ingress.load_balancer_arn_suffix,
                    target_group_arn_suffix=ingress.target_group_arn_suffix,
                ),
                opts=self._child,
            )
        if queue is not None and queue.max_containers > queue.containers:
            QueueScaling(
                f"{self._name}-queue-scaling",
                QueueScalingArgs(
                    names=args.names,
                    deployment=args.spec.name,
                    bounds=Bounds(queue.containers, queue.max_containers),
                    runtime=args.runtime,
                    service_name=service.queue_service_name,
                ),
                opts=self._child,
            )

    def _alarms(self, service: Service, ingress: Ingress, cache: Cache | None) -> None:
        args, spec = self._args, self._args.spec
        services: dict[str, pulumi.Input[str]] = {"api": service.service_name}
        if spec.queue is not None:
            services["queue"] = service.queue_service_name
        if cache is not None:
            services["cache"] = cache.service_name
        Alarms(
            f"{self._name}-alarms",
            AlarmsArgs(
                names=args.names,
                deployment=spec.name,
                runtime=args.runtime,
                services=services,
                load_balancer_arn_suffix=ingress.load_balancer_arn_suffix,
                target_group_arn_suffix=ingress.target_group_arn_suffix,
                database=spec.database if isinstance(spec.database, CreateDatabase) else None,
            ),
            opts=self._child,
        )
