"""The config that a stack needs so that a later ``up`` makes the revision that was gone back to."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from byoc.config import AccountConfig, DeploymentConfig, DeploymentSection
from byoc.errors import ByocError, InputError
from byoc.operations.account import Account
from byoc.operations.pulumi_command import pulumi_command
from byoc.operations.revisions.definitions import Definition, SecretVersion
from byoc.operations.revisions.rollback import Plan
from byoc.project.passphrase import PassphraseCrypter
from byoc.project.project_file import read_project
from byoc.project.stack_edit import set_values
from byoc.project.stack_file import has_passphrase_alone, passphrase_of_environment
from byoc.project.stack_yaml import read_yaml

_KEYS: Mapping[str, str] = {
    "LANGSMITH_API_KEY": "byoc:langsmithApiKey",
    "LANGGRAPH_CLOUD_LICENSE_KEY": "byoc:licenseKey",
}
"""Variables of the ``environment`` secret that have a config key of their own (``byoc.components.environment``)."""
_MERGED = ("byoc:size", "byoc:queue")
"""Sections that say other things as well, which stay."""
_SECONDS = 60
"""Time limit of ``pulumi config set``, which may ask a key service."""
ENVIRONMENT, SECRET_ENVIRONMENT = "byoc:environment", "byoc:secretEnvironment"


@dataclass(frozen=True, kw_only=True)
class ConfigValues:
    """Values by key: those that stand in the file as they are, and those to be encrypted."""

    plain: Mapping[str, Any] = field(repr=False)
    secret: Mapping[str, str] = field(repr=False)

    @property
    def keys(self) -> tuple[str, ...]:
        """All keys, sorted."""
        return tuple(sorted([*self.plain, *self.secret]))


def differing_keys(plan: Plan, config: AccountConfig | DeploymentConfig) -> tuple[str, ...]:
    """The keys that a later ``up`` would read, or may read, other values from than the revision has; pure.

    The contents of secrets are not looked at: what is not the current version may have any other content.
    """
    maybe = () if plan.secrets_are_current else (ENVIRONMENT, SECRET_ENVIRONMENT, *_KEYS.values())
    keys = sorted([*_shape(plan, plan.target.section), *maybe])
    if isinstance(config, DeploymentConfig):
        return tuple(keys)
    secret = {SECRET_ENVIRONMENT, *_KEYS.values()}
    return tuple(
        f"byoc:{'deploymentSecrets' if key in secret else 'deployments'}.{plan.target.deployment}.{key[5:]}"
        for key in keys
    )


def require_writable(config: AccountConfig | DeploymentConfig, stack: str) -> DeploymentConfig:
    """The config, if a deployment's values can be written into it; raises ``InputError`` if not."""
    if isinstance(config, DeploymentConfig):
        return config
    raise InputError(
        f"--write-config, and {stack} is an account stack: its deployments stand together under one key\n"
        "      mend it:  roll back without it, and set the keys that are named then"
    )


def config_values(plan: Plan, config: DeploymentConfig) -> ConfigValues:
    """What is to be written; asks AWS for the values of the secret version that the revision is pinned to.

    Raises :class:`~byoc.errors.InputError` if a value cannot stand in the config.
    """
    shape = _shape(plan, config)
    version = _version(plan.to.definition)
    if version is None:
        return ConfigValues(plain=shape, secret={})
    plain, secret = split(_values(plan.target.account, version), config)
    return ConfigValues(plain=shape | plain, secret=secret)


def split(values: Mapping[str, str], config: DeploymentConfig) -> tuple[dict[str, Any], dict[str, str]]:
    """The content of an ``environment`` secret as config: plain and secret values that differ from the config's; pure.

    A variable that the config has in the open stays in the open; every other one is secret.
    """
    user = {name: value for name, value in values.items() if name not in _KEYS}
    open_ = {name: value for name, value in user.items() if name in config.environment}
    hidden = {name: value for name, value in user.items() if name not in open_}
    plain: dict[str, Any] = {} if open_ == dict(config.environment) else {ENVIRONMENT: open_}
    now = {name: value.get_secret_value() for name, value in config.secret_environment.items()}
    secret = {} if hidden == now else {SECRET_ENVIRONMENT: json.dumps(hidden, sort_keys=True, ensure_ascii=False)}
    held = {"LANGSMITH_API_KEY": config.langsmith_api_key, "LANGGRAPH_CLOUD_LICENSE_KEY": config.license_key}
    for name, current in held.items():
        if name in values and (current is None or current.get_secret_value() != values[name]):
            secret[_KEYS[name]] = values[name]
        elif name not in values and current is not None:
            raise InputError(
                f"the revision had no {name}, and the config has {_KEYS[name]}; nothing was written\n"
                f"      mend it:  pulumi config rm {_KEYS[name]}, then write the other keys"
            )
    return plain, secret


def _shape(plan: Plan, config: DeploymentSection) -> dict[str, Any]:
    """Image and sizes, where they differ from the config."""
    api, queue = plan.definitions["api"], plan.definitions.get("queue")
    found: dict[str, Any] = {}
    if config.image != api.image:
        found["byoc:image"] = api.image
    if (str(config.size.cpu), str(config.size.memory)) != (api.cpu, api.memory):
        found["byoc:size"] = {"cpu": int(api.cpu), "memory": int(api.memory)}
    if queue is not None and (str(config.queue.cpu), str(config.queue.memory)) != (queue.cpu, queue.memory):
        found["byoc:queue"] = {"cpu": int(queue.cpu), "memory": int(queue.memory)}
    return found


def _version(item: Definition) -> SecretVersion | None:
    return next((each for each in item.versions if each.content == "environment"), None)


def _values(account: Account, version: SecretVersion) -> dict[str, str]:
    answer = account.ask("secretsmanager:GetSecretValue", SecretId=version.secret_arn, VersionId=version.version)
    found: dict[str, str] = json.loads(answer["SecretString"])
    return found


def write(root: Path, stack: str, values: ConfigValues) -> None:
    """Write the values into the stack's file: secrets encrypted, sections merged with what they say of other things.

    Secrets under another provider than a passphrase are encrypted by ``pulumi config set``. Raises
    :class:`~byoc.errors.ByocError` if the file cannot be written; plain values are written last.
    """
    project = read_project(root)
    path = project.stack_file(stack)
    content = read_yaml(path)
    held, salt = content.get("config") or {}, content.get("encryptionsalt")
    new: dict[str, Any] = {
        key: {**held[key], **value} if key in _MERGED and isinstance(held.get(key), dict) else value
        for key, value in values.plain.items()
    }
    if values.secret and isinstance(salt, str) and has_passphrase_alone(project, stack):
        crypter = PassphraseCrypter.of_salt(salt, passphrase_of_environment())
        new |= {key: {"secure": crypter.encrypt(value)} for key, value in values.secret.items()}
    else:
        for key, value in values.secret.items():
            _set_by_pulumi(root, stack, key, value)
    if new:
        set_values(path, new)


def _set_by_pulumi(root: Path, stack: str, key: str, value: str) -> None:
    """``pulumi config set --secret``, which takes the value from its standard input."""
    pulumi = pulumi_command(root)
    if pulumi is None:
        raise InputError(
            f"stack '{stack}': its secrets are not under a passphrase, and there is no pulumi to encrypt {key}\n"
            "      mend it:  install the Pulumi CLI (make pulumi), and sign in to the stack's backend"
        )
    words = [pulumi, "config", "set", "--secret", "--non-interactive", "--stack", stack, key]
    try:
        ran = subprocess.run(  # noqa: S603 - a program found on PATH, no shell
            words, cwd=root, input=value, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise ByocError(
            f"stack '{stack}': pulumi config set --secret {key} did not end within {_SECONDS} s\n"
            "      mend it:  see whether its backend and its key service answer, then write the config again"
        ) from None
    if ran.returncode != 0:
        raise ByocError(f"stack '{stack}': pulumi config set --secret {key} failed: {ran.stderr.strip()}")
