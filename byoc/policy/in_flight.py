"""What crosses a network is encrypted, or does not leave the VPC."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from byoc.policy.facts import UNKNOWN, Resource, Settings, Violation, referred, violation

LISTENER = "aws:lb/listener:Listener"
BALANCER = "aws:lb/loadBalancer:LoadBalancer"
PARAMETERS = ("aws:rds/parameterGroup:ParameterGroup", "aws:rds/clusterParameterGroup:ClusterParameterGroup")
INSTANCE = "aws:rds/instance:Instance"
REPLICATION_GROUP = "aws:elasticache/replicationGroup:ReplicationGroup"
ENCRYPTED = ("HTTPS", "TLS")

TLS_POLICY = re.compile(r"ELBSecurityPolicy-(TLS13-1-[23]|FS-1-2)(-Res)?(-FIPS)?(-PQ)?-\d{4}-\d{2}")
"""The policies of AWS with TLS 1.2 or later and forward secrecy alone (AWS docs: "Security policies for your
Application Load Balancer"). Without one, a listener made by API takes ``ELBSecurityPolicy-2016-08``: TLS 1.0."""
RECOMMENDED = "ELBSecurityPolicy-TLS13-1-2-2021-06"

FORCING = {
    "postgres": ("rds.force_ssl", ("1",)),
    "aurora-postgresql": ("rds.force_ssl", ("1",)),
    "sqlserver": ("rds.force_ssl", ("1",)),
    "mysql": ("require_secure_transport", ("1", "ON")),
    "aurora-mysql": ("require_secure_transport", ("1", "ON")),
    "mariadb": ("require_secure_transport", ("1", "ON")),
}
"""The parameter by which an engine refuses plain connections, and its values, by the beginning of the family."""
FORCED_SINCE = 15
"""From this PostgreSQL on, AWS's own groups force TLS (AWS docs: "Using SSL with a PostgreSQL DB instance")."""


def encrypted_in_flight(resource: Resource, settings: Settings) -> Iterator[Violation]:
    """Listeners with a modern TLS policy, databases and caches that refuse plain connections."""
    if resource.type == LISTENER and resource.get("protocol") in ENCRYPTED:
        yield from _tls_policy(resource, settings)
    elif resource.type in PARAMETERS:
        yield from _parameters(resource)
    elif resource.type == INSTANCE:
        yield from _own_parameters(resource)
    elif resource.type == REPLICATION_GROUP and resource.get("transitEncryptionEnabled") not in (True, UNKNOWN):
        yield violation(
            resource,
            "transitEncryptionEnabled",
            resource.get("transitEncryptionEnabled"),
            allowed="true",
            remedy="set it to true, and connect with rediss://",
        )


def _tls_policy(listener: Resource, settings: Settings) -> Iterator[Violation]:
    policy, listed = listener.get("sslPolicy"), settings.get("tlsPolicies")
    if policy is UNKNOWN:
        return
    modern = policy in listed if listed else isinstance(policy, str) and TLS_POLICY.fullmatch(policy)
    if not modern:
        yield violation(
            listener,
            "sslPolicy",
            policy,
            allowed=", ".join(listed) if listed else "a policy of AWS with TLS 1.2 or later and forward secrecy alone",
            remedy=f"set {listed[0] if listed else RECOMMENDED}",
        )


def _parameters(group: Resource) -> Iterator[Violation]:
    forcing = _forcing(group.get("family"))
    parameters = group.get("parameters")
    if forcing is None or parameters is UNKNOWN:
        return
    name, allowed = forcing
    if any(entry is UNKNOWN or entry.get("name") is UNKNOWN for entry in group.items("parameters")):
        return
    values = [entry.get("value") for entry in group.items("parameters") if entry.get("name") == name]
    if UNKNOWN in values or (values and all(str(value).upper() in allowed for value in values)):
        return
    yield violation(
        group,
        f"parameters: {name}",
        values[0] if values else None,
        allowed=allowed[0],
        remedy=f"add the parameter {name} with the value {allowed[0]}; clients then connect with TLS or not at all",
    )


def _forcing(family: object) -> tuple[str, tuple[str, ...]] | None:
    if not isinstance(family, str):
        return None
    engine = re.split(r"-?\d", family, maxsplit=1)[0]
    return FORCING.get("sqlserver" if engine.startswith("sqlserver") else engine)


def _own_parameters(instance: Resource) -> Iterator[Violation]:
    """A PostgreSQL instance with AWS's own parameter group, which forces TLS from version 15 on."""
    group, version = instance.get("parameterGroupName"), str(instance.get("engineVersion") or "")
    own = group is None or (isinstance(group, str) and group.startswith("default."))
    major = version.partition(".")[0]
    if instance.get("engine") == "postgres" and own and major.isdigit() and int(major) < FORCED_SINCE:
        yield violation(
            instance,
            "parameterGroupName",
            f"{shown_group(group)} of PostgreSQL {major}, which lets plain connections in",
            allowed="a parameter group with rds.force_ssl 1",
            remedy="make one and name it here",
        )


def shown_group(group: object) -> str:
    """How a parameter group is called; the engine's own where none is named."""
    return f"{group}, the default" if group else "the default group"


def plain_http_inside_alone(resources: Sequence[Resource], settings: Settings) -> Iterator[Violation]:  # noqa: ARG001
    """A listener without encryption does nothing but redirect to HTTPS, or its load balancer is internal."""
    for listener in (resource for resource in resources if resource.type == LISTENER):
        if listener.get("protocol") != "HTTP" or _only_redirects(listener.items("defaultActions")):
            continue
        for balancer in referred(resources, listener, "loadBalancerArn", BALANCER):
            if balancer.get("internal") not in (True, UNKNOWN):
                yield violation(
                    listener,
                    "protocol",
                    f"HTTP, at {balancer.name}, which faces the internet",
                    allowed="HTTPS; HTTP only to redirect to it, or at an internal load balancer",
                    remedy="give it a certificate (byoc:ingress.certificateArn), or make the load balancer internal",
                )


def _only_redirects(actions: Sequence[Any]) -> bool:
    return bool(actions) and all(
        isinstance(action, dict)
        and action.get("type") == "redirect"
        and isinstance(action.get("redirect"), dict)
        and action["redirect"].get("protocol") == "HTTPS"
        for action in actions
    )
