"""What exists already, read from moto's backends without changing or creating anything: ARNs and tags."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

Tags = dict[str, str]
Model: TypeAlias = Any
"""One of moto's backends, or of the models that they hold: they share no useful type."""


def backend(service: str, account: str, region: str) -> Model | None:
    """moto's backend of a service (by moto's name) in one account and region; None while it was never used there."""
    # A module that another thread is just importing has no backends yet.
    regions = dict.get(getattr(sys.modules.get(f"moto.{service}.models"), f"{service}_backends", {}), account)
    return dict.get(regions, region) if regions is not None else None


def tag_map(tags: Model) -> Tags:
    """Tags as a mapping, from any of the lists and mappings that the services use."""
    if isinstance(tags, Mapping):
        tags = [value if isinstance(value, Mapping) else {"Key": key, "Value": value} for key, value in tags.items()]
    named = [{name.lower().removeprefix("tag"): value for name, value in tag.items()} for tag in tags or []]
    return {str(tag["key"]): str(tag.get("value") or "") for tag in named if "key" in tag}


class StoredResources:
    """Look-ups that authorisation needs: names to ARNs, ARNs to tags."""

    def role_arn(self, account: str, partition: str, name: str) -> str:
        """The ARN of a role with its path; without one when there is no such role."""
        iam = backend("iam", account, partition)
        for role in iam.roles.values() if iam is not None else []:
            if role.name == name:
                return str(role.arn)
        return f"arn:{partition}:iam::{account}:role/{name}"

    def role_tags(self, role_arn: str) -> Tags:
        """The tags of a role; none when there is no such role."""
        role = self.role(role_arn)
        return tag_map(role.tags) if role is not None else {}

    def role(self, role_arn: str) -> Model | None:
        """moto's role with this ARN, or None."""
        _, partition, _, _, account, _ = role_arn.split(":", 5)
        iam = backend("iam", account, partition)
        return next((role for role in iam.roles.values() if role.arn == role_arn), None) if iam is not None else None

    def secret_arn(self, account: str, region: str, secret_id: str) -> str | None:
        """The ARN of a secret by its name or ARN, or None."""
        store = backend("secretsmanager", account, region)
        secret = store.secrets.get(secret_id) if store is not None else None
        return str(secret.arn) if secret is not None else None

    def scalable_target_arn(self, account: str, region: str, resource_id: str, dimension: str) -> str | None:
        """The ARN of the scalable target of a resource and dimension, or None."""
        for target in _scalable_targets(backend("applicationautoscaling", account, region)):
            if (target.resource_id, target.scalable_dimension) == (resource_id, dimension):
                return str(target.arn)
        return None

    def tags(self, arn: str) -> Tags:
        """The tags of the resource with this ARN; none when it does not exist or cannot be tagged."""
        if arn == "*" or arn.endswith(("/*", ":*", "??????")):
            return {}
        _, partition, service, region, account, resource = arn.split(":", 5)
        find = _TAGS.get(service)
        if find is None:
            return {}
        module, look_up = find
        held = backend(module, account, region or partition)
        return tag_map(look_up(held, _Arn(arn, resource))) if held is not None else {}


class _Arn(NamedTuple):
    arn: str
    resource: str


def _last(resource: str) -> str:
    return resource.rpartition("/")[2]


def _ec2_tags(held: Model, at: _Arn) -> object:
    return dict(held.tags.get(_last(at.resource), {}))


def _rds_tags(held: Model, at: _Arn) -> object:
    kind, _, name = at.resource.partition(":")
    stores = {
        "db": "databases",
        "subgrp": "subnet_groups",
        "pg": "db_parameter_groups",
        "snapshot": "database_snapshots",
    }
    found = getattr(held, stores[kind]).get(name) if kind in stores else None
    return found.get_tags() if found is not None else []


def _ecs_tags(held: Model, at: _Arn) -> object:
    kind = at.resource.partition("/")[0]
    if kind == "cluster":
        cluster = held.clusters.get(_last(at.resource))
        return cluster.tags if cluster is not None else []
    if kind == "task-definition":
        family, _, revision = _last(at.resource).partition(":")
        found = held.task_definitions.get(family, {}).get(int(revision)) if revision.isdigit() else None
        return found.tags if found is not None else []
    if kind == "task":
        return getattr(held, "service_tasks", {}).get(at.arn, {}).get("tags", [])
    return next((service.tags for service in held.services.values() if service.arn == at.arn), [])


def _elbv2_tags(held: Model, at: _Arn) -> object:
    return held.tagging_service.get_tag_dict_for_resource(at.arn)


def _tagger_tags(held: Model, at: _Arn) -> object:
    return held.tagger.get_tag_dict_for_resource(at.arn)


def _alarm_tags(held: Model, at: _Arn) -> object:
    # moto keeps the tags of an alarm that is gone.
    exists = at.resource.removeprefix("alarm:") in held.alarms or not at.resource.startswith("alarm:")
    return _tagger_tags(held, at) if exists else {}


def _secret_tags(held: Model, at: _Arn) -> object:
    secret = held.secrets.get(at.arn)
    return secret.tags if secret is not None else []


def _log_tags(held: Model, at: _Arn) -> object:
    name = at.resource.removeprefix("log-group:").partition(":")[0]
    prefix = at.arn[: -len(at.resource)]
    return held.tagger.get_tag_dict_for_resource(f"{prefix}log-group:{name}")


def _topic_tags(held: Model, at: _Arn) -> object:
    topic = held.topics.get(at.arn)
    return topic._tags if topic is not None else {}


def _iam_tags(held: Model, at: _Arn) -> object:
    if at.resource.startswith("role/"):
        return next((role.tags for role in held.roles.values() if role.arn == at.arn), [])
    if at.resource.startswith("policy/"):
        policy = held.managed_policies.get(at.arn)
        return policy.tags if policy is not None else []
    if at.resource.startswith("user/"):
        return held.tagger.get_tag_dict_for_resource(at.arn)
    return []


def _key_tags(held: Model, at: _Arn) -> object:
    return held.tagger.get_tag_dict_for_resource(_last(at.resource))


def _scalable_targets(held: Model | None) -> list[Model]:
    if held is None:
        return []
    return [target for targets in held.targets.values() for target in targets.values()]


def _scalable_target_tags(held: Model, at: _Arn) -> object:
    return next((getattr(target, "tags", {}) for target in _scalable_targets(held) if target.arn == at.arn), {})


_TAGS: Mapping[str, tuple[str, Callable[[Model, _Arn], object]]] = {
    "application-autoscaling": ("applicationautoscaling", _scalable_target_tags),
    "cloudwatch": ("cloudwatch", _alarm_tags),
    "ec2": ("ec2", _ec2_tags),
    "ecr": ("ecr", _tagger_tags),
    "ecs": ("ecs", _ecs_tags),
    "elasticloadbalancing": ("elbv2", _elbv2_tags),
    "iam": ("iam", _iam_tags),
    "kms": ("kms", _key_tags),
    "logs": ("logs", _log_tags),
    "rds": ("rds", _rds_tags),
    "secretsmanager": ("secretsmanager", _secret_tags),
    "servicediscovery": ("servicediscovery", _tagger_tags),
    "sns": ("sns", _topic_tags),
}
"""By the service part of an ARN: moto's name of the service, and how to look up tags in its backend."""
