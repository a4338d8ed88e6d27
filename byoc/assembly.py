"""From a validated config to the arguments of components: the one place where the two meet.

Config secrets become Pulumi secrets here, so that engine and state never see them in the clear.
"""

from __future__ import annotations

import dataclasses

import pulumi
from pydantic import SecretStr

from byoc import tags
from byoc.components.access import ControlPlaneAccessArgs
from byoc.components.account import CustomerAccountArgs
from byoc.components.boundary import Boundary, OwnBoundary
from byoc.components.break_glass import BreakGlassSettings
from byoc.components.deployment import DeploymentArgs
from byoc.components.network_spec import CreateNetwork, ExistingNetwork, Nat
from byoc.components.runtime import AccountRuntimeSettings
from byoc.components.runtime_refs import KnownRuntimeIds, find_runtime
from byoc.components.security_groups import KeptGroups, LoadBalancerAccess
from byoc.components.spec import (
    ContainerSize,
    CreateCache,
    CreateDatabase,
    DeploymentSpec,
    ExistingCache,
    ExistingDatabase,
    IngressSettings,
    SeparateQueue,
    Tracing,
)
from byoc.components.vendor_activity import VendorActivitySettings
from byoc.config import AccountConfig, DeploymentConfig, DeploymentSecrets, DeploymentSection
from byoc.config import CreateNetwork as CreateNetworkConfig
from byoc.provider import AssumeRole, IgnoreTags, ProviderArgs


def provider_args(config: AccountConfig | DeploymentConfig) -> ProviderArgs:
    """How to reach the account: a deployment stack assumes the cross-account role, unless told not to."""
    return ProviderArgs(
        account=config.account,
        assume_role=_assume_role(config) if isinstance(config, DeploymentConfig) else None,
        default_tags={**config.tags, **tags.install_tags(config.name_prefix)},
        ignore_tags=IgnoreTags(
            keys=(*config.ignore_tags.keys, *_noted_by_retention(config)),
            key_prefixes=tuple(config.ignore_tags.key_prefixes),
        ),
    )


def _noted_by_retention(config: AccountConfig | DeploymentConfig) -> tuple[str, ...]:
    counts = isinstance(config, DeploymentConfig) and config.retention is not None
    return (tags.RETENTION_KEY,) if counts and tags.RETENTION_KEY not in config.ignore_tags.keys else ()


def account_args(config: AccountConfig) -> CustomerAccountArgs:
    """What an account stack makes."""
    access, runtime, kept, boundary = config.access, config.runtime, config.adopted, _boundary(config)
    return CustomerAccountArgs(
        account=config.account,
        names=config.names,
        access=ControlPlaneAccessArgs(
            account=config.account,
            names=config.names,
            external_ids=pulumi.Output.secret(list(config.external_ids)),
            **{**dataclasses.asdict(config.access_settings), "permissions_boundary": boundary},
        )
        if access.enabled
        else None,
        break_glass=_break_glass(config),
        vendor_activity=_vendor_activity(config),
        network=_network(config),
        runtime=AccountRuntimeSettings(
            load_balancer=LoadBalancerAccess(
                public=runtime.load_balancer.public, allowed_cidrs=runtime.load_balancer.allowed_cidrs
            ),
            log_retention_days=runtime.log_retention_days,
            alarm_emails=runtime.alarm_emails,
            repositories=runtime.repositories,
            container_insights=runtime.container_insights,
            permissions_boundary=boundary,
            role_path=access.role_path,
            kept=KeptGroups(
                load_balancer_description=kept.descriptions.load_balancer_security_group,
                service_description=kept.descriptions.service_security_group,
                rules=frozenset(kept.rules),
            ),
            event_alarms=config.tells_of_roles,
        ),
        service_linked_roles=config.service_linked_roles,
        deployments={
            name: deployment_spec(name, section, config.secrets_of(name))
            for name, section in config.deployments.items()
        },
    )


def deployment_args(config: DeploymentConfig, opts: pulumi.InvokeOptions) -> DeploymentArgs:
    """What a deployment stack makes; finds the account's runtime with the provider in ``opts``."""
    ids = config.runtime
    known = KnownRuntimeIds(
        vpc_id=ids.vpc_id,
        private_subnet_ids=tuple(ids.private_subnet_ids or ()),
        public_subnet_ids=tuple(ids.public_subnet_ids or ()),
        load_balancer_security_group_id=ids.load_balancer_security_group_id,
        service_security_group_id=ids.service_security_group_id,
        data_security_group_id=ids.data_security_group_id,
        namespace_id=ids.namespace_id,
    )
    return DeploymentArgs(
        account=config.account,
        names=config.names,
        runtime=find_runtime(config.account, config.names, role_path=config.role_path, known=known, opts=opts),
        spec=deployment_spec(config.name, config.deployment, config.secrets),
    )


def deployment_spec(name: str, section: DeploymentSection, secrets: DeploymentSecrets) -> DeploymentSpec:
    """One deployment, inline or in a stack of its own."""
    tracing = section.tracing
    return DeploymentSpec(
        name=name,
        type=section.type,
        image=section.image,
        environment=dict(section.environment),
        secret_environment={key: _secret(value) for key, value in secrets.secret_environment.items()},
        size=ContainerSize(
            cpu=section.size.cpu,
            memory=section.size.memory,
            min_containers=section.size.min_containers,
            max_containers=section.size.max_containers,
        ),
        database=_database(section, secrets),
        cache=_cache(section, secrets),
        ingress=IngressSettings(
            scheme=section.ingress.scheme,
            certificate_arn=section.ingress.certificate_arn,
            idle_timeout_seconds=section.ingress.idle_timeout_seconds,
        ),
        queue=_queue(section),
        tracing=Tracing(
            enabled=tracing.enabled,
            project=tracing.project_of(name),
            endpoint=tracing.endpoint_url,
            # Also without tracing: the key may be what licenses the server.
            api_key=_secret(secrets.langsmith_api_key) if secrets.langsmith_api_key else None,
        ),
        license_key=_secret(secrets.license_key) if secrets.license_key else None,
        mount_prefix=section.mount_prefix,
        log_level=section.log_level,
        shutdown_grace_seconds=section.shutdown_grace_seconds,
    )


def _secret(value: SecretStr) -> pulumi.Output[str]:
    return pulumi.Output.secret(value.get_secret_value())


def _assume_role(config: DeploymentConfig) -> AssumeRole | None:
    if not config.assume_role.enabled or config.external_id is None:
        return None
    return AssumeRole(
        role_arn=config.role_arn,
        external_id=_secret(config.external_id),
        session_name=config.assume_role.session_name,
    )


def _boundary(config: AccountConfig) -> Boundary | None:
    return OwnBoundary() if config.access.own_boundary else config.access.supplied_boundary


def _break_glass(config: AccountConfig) -> BreakGlassSettings | None:
    if config.break_glass is None:
        return None
    external_id = config.break_glass_external_id
    return BreakGlassSettings(
        opening=config.break_glass.opening,
        external_ids=(external_id.get_secret_value(),) if external_id is not None else (),
        permissions_boundary=_boundary(config),
        role_path=config.access.role_path,
    )


def _vendor_activity(config: AccountConfig) -> VendorActivitySettings | None:
    told = config.vendor_activity
    if told is None:
        return None
    return VendorActivitySettings(
        sessions=told.sessions, denied=told.denied, deletes=told.deletes, break_glass=told.break_glass
    )


def _network(config: AccountConfig) -> CreateNetwork | ExistingNetwork:
    network = config.network
    if isinstance(network, CreateNetworkConfig):
        return CreateNetwork(
            cidr=network.cidr,
            zones=network.zones,
            nat=Nat(network.nat),
            s3_endpoint=network.s3_endpoint,
            interface_endpoints=network.interface_endpoints,
            subnet_prefix_length=network.subnet_prefix_length,
        )
    return ExistingNetwork(
        vpc_id=network.vpc_id,
        private_subnet_ids=tuple(network.private_subnet_ids),
        public_subnet_ids=tuple(network.public_subnet_ids),
        tag=network.tag,
    )


def _database(section: DeploymentSection, secrets: DeploymentSecrets) -> CreateDatabase | ExistingDatabase:
    database = section.database
    if secrets.postgres_uri_custom is not None:
        return ExistingDatabase(uri=_secret(secrets.postgres_uri_custom), pool_size=database.pool_size)
    return CreateDatabase(
        instance_class=database.instance_class,
        engine_version=database.engine_version,
        storage_gb=database.storage_gb,
        max_storage_gb=database.max_storage_gb,
        multi_zone=database.multi_zone,
        backup_retention_days=database.backup_retention_days,
        deletion_protection=database.deletion_protection,
        final_snapshot=database.final_snapshot,
        pool_size=database.pool_size,
    )


def _cache(section: DeploymentSection, secrets: DeploymentSecrets) -> CreateCache | ExistingCache:
    if secrets.redis_uri_custom is not None:
        return ExistingCache(uri=_secret(secrets.redis_uri_custom))
    return CreateCache(image=section.cache.image, cpu=section.cache.cpu, memory=section.cache.memory)


def _queue(section: DeploymentSection) -> SeparateQueue | None:
    queue = section.queue
    if not queue.separate:
        return None
    return SeparateQueue(
        cpu=queue.cpu, memory=queue.memory, containers=queue.containers, max_containers=queue.max_containers
    )
