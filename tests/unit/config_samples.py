"""Valid configs, as small as they can be, that the config tests change one thing of."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from typing import Any

import pytest

from byoc.config import AccountConfig, DeploymentConfig, load
from byoc.errors import ConfigError, Problem

SOURCE = "stacks/Pulumi.sample.yaml"
EXTERNAL_ID = "c31f9b7d20aa4e5d8f6b-never-guessed"
CERTIFICATE = "arn:aws:acm:us-west-2:123456789012:certificate/0d5a7c1e-3b2f-4c68-9a1d-5e7f90b2c4d6"

ACCOUNT: Mapping[str, Any] = {
    "kind": "account",
    "accountId": "123456789012",
    "region": "us-west-2",
    "externalId": EXTERNAL_ID,
}
DEPLOYMENT: Mapping[str, Any] = {
    "kind": "deployment",
    "accountId": "123456789012",
    "region": "us-west-2",
    "externalId": EXTERNAL_ID,
    "name": "chat",
    "type": "production",
    "image": "registry.example.com/agents/chat:1.0.0",
}
INLINE: Mapping[str, Any] = {"type": "production", "image": "registry.example.com/agents/chat:1.0.0"}
EXISTING_NETWORK: Mapping[str, Any] = {
    "kind": "existing",
    "vpcId": "vpc-0a1b2c3d",
    "privateSubnetIds": ["subnet-0a1b2c3d", "subnet-0a1b2c3e"],
}


def changed(base: Mapping[str, Any], path: str, value: object) -> dict[str, Any]:
    """``base`` with another value at a path such as ``network.zones[0]``; sections on the way are made."""
    raw: dict[str, Any] = copy.deepcopy(dict(base))
    parts: list[str | int] = [int(part) if part.isdigit() else part for part in re.findall(r"[^.\[\]]+", path)]
    node: Any = raw
    for part in parts[:-1]:
        node = node[part] if isinstance(part, int) else node.setdefault(part, {})
    node[parts[-1]] = value
    return raw


def account(**settings: object) -> AccountConfig:
    config = load({**ACCOUNT, **settings}, source=SOURCE)
    assert isinstance(config, AccountConfig)
    return config


def deployment(**settings: object) -> DeploymentConfig:
    config = load({**DEPLOYMENT, **settings}, source=SOURCE)
    assert isinstance(config, DeploymentConfig)
    return config


def problems(raw: Mapping[str, object], **options: Any) -> dict[str, Problem]:
    """What is wrong with a config, by key; fails if nothing is."""
    with pytest.raises(ConfigError) as caught:
        load(raw, source=SOURCE, **options)
    for problem in caught.value.problems:
        assert problem.value
        assert problem.allowed
        assert problem.remedy
        assert problem.render() in str(caught.value)
    return {problem.key: problem for problem in caught.value.problems}


def refused(base: Mapping[str, Any], path: str, value: object) -> Problem:
    """The only problem that a config has once ``path`` is ``value``; it names that path."""
    found = problems(changed(base, path, value))
    assert list(found) == [f"byoc:{path}"]
    return found[f"byoc:{path}"]
