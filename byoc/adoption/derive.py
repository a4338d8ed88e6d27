"""From what was found to the config of a stack that leaves it as it is."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from byoc import tags
from byoc.adoption.found import RULE, Findings, Found
from byoc.adoption.kinds import KINDS
from byoc.adoption.trust import Trust, read_trust
from byoc.config.access import CONTROL_PLANES
from byoc.config.tags import OWN_KEYS
from byoc.errors import InputError
from byoc.naming import DEFAULT_PREFIX, Names
from byoc.permissions.external_ids import why_guessable

_ANYWHERE = "0.0.0.0/0"
_HTTPS = 443
_OWN_NAME_TAG = "Name"
"""The library sets it on security groups, so it cannot be ignored."""


@dataclass(frozen=True, kw_only=True)
class Derived:
    """``config``: by key, without the ``byoc:`` namespace and without secrets; ``secrets``: those, in plain text."""

    config: Mapping[str, Any]
    secrets: Mapping[str, str] = field(repr=False)
    names: Names


def derive(findings: Findings) -> Derived:
    """The config of a stack of kind ``account`` that makes what was found.

    Raises ``InputError`` where what was found is no documented setup, or grants what no config can express.
    """
    names = Names(_prefix(findings))
    _refuse_what_a_stack_has(findings)
    role = findings.one("aws_iam_role", name=names.control_plane_role)
    trust = read_trust(role.text("assume_role_policy")) if role else None
    config = {
        "kind": "account",
        "accountId": findings.account_id,
        "region": findings.region,
        "namePrefix": None if names.is_documented else names.prefix,
        **_tags(findings),
        "access": _access(role, trust),
        "network": _network(findings, names),
        "runtime": _runtime(findings, names),
        "adopted": _adopted(findings, names),
    }
    return Derived(config={key: value for key, value in config.items() if value}, secrets=_secrets(trust), names=names)


def _secrets(trust: Trust | None) -> dict[str, str]:
    keys = ("externalId", "previousExternalId")
    return dict(zip(keys, trust.external_ids, strict=False)) if trust else {}


def _prefix(findings: Findings) -> str:
    """By the cluster's name; deployments find an install by its names, so without a cluster there is none."""
    names = [found.text("name") for found in findings.of_type("aws_ecs_cluster")]
    prefixes = [name.removesuffix("-cluster") for name in names if name.endswith("-cluster")]
    if len(prefixes) != 1:
        raise InputError(
            f"{findings.source}: {len(prefixes)} clusters with a documented name: {', '.join(names) or 'none'}\n"
            f"      allowed:  one ECS cluster named <prefix>-cluster; the documented one is {DEFAULT_PREFIX}-cluster\n"
            "      mend it:  give the state of the documented module, or the right account, region and --name-prefix"
        )
    return prefixes[0]


def _refuse_what_a_stack_has(findings: Findings) -> None:
    """Two stacks would undo each other's work."""
    for cluster in findings.of_type("aws_ecs_cluster"):
        if tags.INSTALL_KEY in (cluster.attributes.get("tags_all") or {}):
            raise InputError(
                f"{findings.source}: {cluster.text('name')} carries the tag {tags.INSTALL_KEY}; nothing was written\n"
                "      allowed:  an account that no stack of this library has made or taken over\n"
                "      mend it:  work with the stack that has it; a lost state comes back from a backup, with "
                "pulumi stack import"
            )


def _access(role: Found | None, trust: Trust | None) -> dict[str, Any]:
    if role is None or trust is None:
        return {"enabled": False}
    known = {arn: name for name, arn in CONTROL_PLANES.items()}
    control_plane = known.get(trust.principals[0]) if len(trust.principals) == 1 else None
    access: dict[str, Any] = {"controlPlane": control_plane or "custom"}
    if control_plane is None:
        # Guardrails would deny what the running deployments may do under other names and tags.
        access.update(principals=list(trust.principals), guardrails=False)
    # As it is: an adoption changes nothing. The notes say what to change afterwards.
    if any(arn.endswith(":root") for arn in trust.principals):
        access["allowAccountRoot"] = True
    if any(why_guessable(external_id) for external_id in trust.external_ids[:1]):
        access["allowGuessableExternalId"] = True
    if role.text("path") not in ("", "/"):
        access["rolePath"] = role.text("path")
    if role.text("permissions_boundary"):
        access["permissionsBoundary"] = role.text("permissions_boundary")
    hours = -(-int(role.attributes.get("max_session_duration") or 3600) // 3600)
    return access if hours == 1 else {**access, "maxSessionHours": hours}


def _network(findings: Findings, names: Names) -> dict[str, Any]:
    """The VPC of the security groups, and the subnets as their tags tell them apart."""
    group = findings.one("aws_security_group", name=names.load_balancer_security_group)
    subnet_group = findings.one("aws_db_subnet_group", name=names.db_subnet_group)
    if group is None or subnet_group is None:
        missing = names.load_balancer_security_group if group is None else names.db_subnet_group
        raise InputError(
            f"{findings.source}: there is no {missing}, so the VPC and its subnets are not known; nothing was written\n"
            "      allowed:  the documented setup, with its security groups and its DB subnet group\n"
            "      mend it:  finish `terraform apply`, or make a new install of your own instead of adopting"
        )
    by_tag = Counter[tuple[str, str]]()
    for found in findings.of_type("aws_ec2_tag"):
        if found.text("key") == tags.PRIVATE_KEY:
            by_tag[found.text("value"), found.text("resource_id")] += 1
    private = sorted(subnet for value, subnet in by_tag if value == "1")
    public = sorted(subnet for value, subnet in by_tag if value == "0")
    return {
        "kind": "existing",
        "vpcId": group.text("vpc_id"),
        "privateSubnetIds": private or sorted(subnet_group.attributes.get("subnet_ids") or []),
        **({"publicSubnetIds": public} if public else {}),
    }


def _runtime(findings: Findings, names: Names) -> dict[str, Any]:
    runtime: dict[str, Any] = {}
    group = findings.one("aws_security_group", name=names.load_balancer_security_group)
    sources = [
        rule.text("cidr_ipv4")
        for rule in findings.of_type(RULE)
        if group is not None
        and rule.text("security_group_id") == group.text("id")
        and rule.text("direction") == "ingress"
        and rule.attributes.get("from_port") == rule.attributes.get("to_port") == _HTTPS
        and rule.text("cidr_ipv4")
    ]
    if _ANYWHERE in sources:
        runtime["loadBalancer"] = {"public": True}
    elif sources:
        runtime["loadBalancer"] = {"allowedCidrs": sorted(set(sources))}
    log_group = findings.one("aws_cloudwatch_log_group", name=names.log_group)
    if log_group is not None:
        # None keeps entries for ever: a retention would delete old ones.
        runtime["logRetentionDays"] = log_group.attributes.get("retention_in_days") or None
    cluster = findings.one("aws_ecs_cluster", name=names.cluster)
    settings = {item["name"]: item["value"] for item in (cluster.attributes.get("setting") if cluster else None) or []}
    if settings.get("containerInsights", "disabled") == "disabled":
        runtime["containerInsights"] = False
    return runtime


def _adopted(findings: Findings, names: Names) -> dict[str, Any]:
    """Descriptions that only a replacement could change."""
    places = {
        "supplementPolicy": findings.one("aws_iam_policy", name=names.supplement_policy),
        "loadBalancerSecurityGroup": findings.one("aws_security_group", name=names.load_balancer_security_group),
        "serviceSecurityGroup": findings.one("aws_security_group", name=names.service_security_group),
    }
    kept = {key: found.text("description") for key, found in places.items() if found is not None}
    return {"descriptions": kept} if kept else {}


def _tags(findings: Findings) -> dict[str, Any]:
    """Tags on everything become the stack's; those on some things are left alone, since ``up`` would remove them."""
    tagged = [dict(found.attributes.get("tags_all") or {}) for found in _taggable(findings)]
    foreign = {key for each in tagged for key in each if key not in OWN_KEYS and not key.startswith("aws:")}
    everywhere = {
        key: tagged[0][key]
        for key in sorted(foreign)
        if all(key in each and each[key] == tagged[0].get(key) for each in tagged)
    }
    ignored = sorted(key for key in foreign - everywhere.keys() if key != _OWN_NAME_TAG)
    return {"tags": everywhere, "ignoreTags": {"keys": ignored} if ignored else {}}


def _taggable(findings: Findings) -> Iterator[Found]:
    types = {kind.terraform for kind in KINDS if kind.taggable}
    return (found for found in findings.resources if found.type in types)


def rule_name(logical_name: str) -> str:
    """A rule's name in ``adopted.rules``: its logical name from ``lb-`` or ``service-`` on."""
    match = re.search(r"-runtime-(.+)$", logical_name)
    return match[1] if match else logical_name
