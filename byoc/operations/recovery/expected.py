"""What a config says of a deployment, as far as a diagnosis compares it."""

from __future__ import annotations

from byoc.config import AccountConfig, DeploymentConfig
from byoc.config.deployment import RuntimeIds
from byoc.operations.recovery.alarm_rules import expected_rules
from byoc.operations.recovery.facts import Expected
from byoc.operations.targets import Target


def expected(target: Target, config: AccountConfig | DeploymentConfig) -> Expected:
    """What the config says of a deployment."""
    ids = config.runtime if isinstance(config, DeploymentConfig) else RuntimeIds()
    return Expected(
        stack=target.stack,
        deployment=target.deployment,
        section=target.section,
        own_database=target.own_database,
        install=target.names.prefix,
        cluster=target.names.cluster,
        topic=target.names.alarm_topic,
        service_group=ids.service_security_group_id or target.names.service_security_group,
        data_group=ids.data_security_group_id or target.names.data_security_group,
        tags=dict(config.tags),
        ignored_keys=tuple(config.ignore_tags.keys),
        ignored_prefixes=tuple(config.ignore_tags.key_prefixes),
        policies=scaling_policies(target),
        alarm_rules=expected_rules(target.section, target.service_roles, own_database=target.own_database),
        inline=isinstance(config, AccountConfig),
    )


def scaling_policies(target: Target) -> dict[str, tuple[str, ...]]:
    """The policies of the services whose number of containers follows the load, as ``byoc.components.scaling``."""
    size, queue = target.section.size, target.section.queue
    found = {}
    if size.max_containers > size.min_containers:
        found["api"] = tuple(target.names.alarm(target.deployment, word) for word in ("scale-out", "scale-in"))
    if queue.separate and queue.max_containers > queue.containers:
        found["queue"] = (target.names.alarm(target.deployment, "queue-cpu"),)
    return found
