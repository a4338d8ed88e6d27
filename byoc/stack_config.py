"""From the config that Pulumi hands to a program to a validated :class:`AccountConfig` or :class:`DeploymentConfig`."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from pulumi import get_stack
from pulumi.runtime.config import CONFIG, get_config_env, get_config_secret_keys_env, is_config_secret

from byoc.config import AccountConfig, DeploymentConfig, decode, load

NAMESPACE = "byoc"
"""The project's name, and so the namespace of its config keys."""


def current_stack_config() -> AccountConfig | DeploymentConfig:
    """The config of the running stack; raises ``ConfigError`` with everything that is wrong with it.

    Reads all keys of the namespace, so that a misspelt one is found.
    """
    values = {**get_config_env(), **CONFIG.get()}
    encrypted = {key for key in values if is_config_secret(key)} | set(get_config_secret_keys_env())
    return load_stack_config(values, encrypted, source=f"Pulumi.{get_stack()}.yaml")


def load_stack_config(
    values: Mapping[str, str], encrypted: Collection[str], *, source: str
) -> AccountConfig | DeploymentConfig:
    """Validate ``values``, by full key, as Pulumi passes them: objects and lists as JSON text, else plain strings.

    ``encrypted`` are the full keys of values that are encrypted in the stack's file.
    """
    prefix = f"{NAMESPACE}:"
    ours = {key.removeprefix(prefix): value for key, value in values.items() if key.startswith(prefix)}
    secret = {key.removeprefix(prefix) for key in encrypted if key.startswith(prefix)}
    return load(decode(ours), source=source, encrypted=secret)
