"""Target group of a load balancer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from typing import Any, ClassVar

from byoc.sandbox.handlers.base import AutoName, Aws, Handler, Properties
from byoc.sandbox.handlers.calls import ignoring, persist, present
from byoc.sandbox.handlers.elbv2_calls import (
    Attribute,
    describe,
    is_ours,
    read_attributes,
    refuse_taken,
    tags_of,
    written_attributes,
)
from byoc.sandbox.handlers.meaning import Entries
from byoc.sandbox.handlers.schema import SchemaHandler
from byoc.sandbox.handlers.tagging import ELBV2, TaggedHandler, set_tags

_GROUP_GONE = ("TargetGroupNotFound",)
_NAME_LIMIT = 32
_PREFIX_LIMIT = 6
"""Characters of a name's prefix, so that the provider's 26 fit behind it."""
_GROUP_ATTRIBUTES = {
    "connectionTermination": Attribute("deregistration_delay.connection_termination.enabled", False),
    "deregistrationDelay": Attribute("deregistration_delay.timeout_seconds", 300),
    "loadBalancingAlgorithmType": Attribute("load_balancing.algorithm.type"),
    "loadBalancingAnomalyMitigation": Attribute("load_balancing.algorithm.anomaly_mitigation"),
    "loadBalancingCrossZoneEnabled": Attribute("load_balancing.cross_zone.enabled"),
    "slowStart": Attribute("slow_start.duration_seconds", 0),
}
_HEALTH_DEFAULTS: Mapping[str, Any] = {
    "enabled": True,
    "healthyThreshold": 3,
    "interval": 30,
    "port": "traffic-port",
    "protocol": "HTTP",
    "unhealthyThreshold": 3,
}
_STICKY_DEFAULTS: Mapping[str, Any] = {"cookieDuration": 86400, "enabled": True}


class TargetGroup(SchemaHandler, TaggedHandler):
    """Where a listener sends requests. Its id is its ARN. Made for targets by IP address or instance."""

    token = "aws:lb/targetGroup:TargetGroup"  # noqa: S105
    implied: ClassVar[Mapping[str, Any]] = {"connectionTermination": False, "stickiness": {"enabled": False}}
    kept = frozenset(
        {
            "connectionTermination",
            "healthCheck",
            "ipAddressType",
            "loadBalancingAlgorithmType",
            "loadBalancingAnomalyMitigation",
            "loadBalancingCrossZoneEnabled",
            "protocolVersion",
        }
    )
    known = frozenset(_GROUP_ATTRIBUTES) | {
        "healthCheck",
        "ipAddressType",
        "name",
        "namePrefix",
        "port",
        "protocol",
        "protocolVersion",
        "stickiness",
        "targetType",
        "vpcId",
    }
    defaults: ClassVar[Mapping[str, Any]] = {
        "deregistrationDelay": 300,
        "slowStart": 0,
        "targetType": "instance",
    }
    replace_on = frozenset(
        {"ipAddressType", "name", "namePrefix", "port", "protocol", "protocolVersion", "targetType", "vpcId"}
    )
    autoname = AutoName(max_length=_NAME_LIMIT, prefix_property="namePrefix")
    tag_api = ELBV2

    def check(self, logical_name: str, inputs: Properties, old: Properties | None) -> Properties:
        """Raises ``ValueError`` for a prefix of more than six characters, and for Lambda targets."""
        prefix = inputs.get("namePrefix")
        if isinstance(prefix, str) and len(prefix) > _PREFIX_LIMIT:
            raise ValueError(f"{self.token}: namePrefix '{prefix}' has more than {_PREFIX_LIMIT} characters")
        if inputs.get("targetType") == "lambda":
            raise ValueError(f"{self.token}: the sandbox makes no target groups of Lambda functions")
        return super().check(logical_name, inputs, old)

    def canonical(self, inputs: Properties) -> Properties:
        """A health check and stickiness with their defaults filled in; stickiness that is off is off."""
        canonical = dict(inputs)
        if isinstance(check := inputs.get("healthCheck"), Mapping):
            canonical["healthCheck"] = {**_HEALTH_DEFAULTS, **check}
        if isinstance(sticky := inputs.get("stickiness"), Mapping):
            on = sticky.get("enabled", True)
            canonical["stickiness"] = {**_STICKY_DEFAULTS, **sticky} if on else {"enabled": False}
        return canonical

    def create(self, aws: Aws, inputs: Properties) -> str:
        """``elasticloadbalancing:CreateTargetGroup``, after a look whether the name is free."""
        if self._describe(aws, Names=[inputs["name"]]) is not None:
            refuse_taken("target group", inputs["name"])
        answer = aws.client("elbv2").create_target_group(
            Name=inputs["name"],
            TargetType=inputs["targetType"],
            **present(
                IpAddressType=inputs.get("ipAddressType"),
                Port=inputs.get("port"),
                Protocol=inputs.get("protocol"),
                ProtocolVersion=inputs.get("protocolVersion"),
                VpcId=inputs.get("vpcId"),
            ),
            **_health_check(inputs),
            **set_tags(inputs),
        )
        return str(answer["TargetGroups"][0]["TargetGroupArn"])

    def find(self, aws: Aws, inputs: Properties) -> str | None:
        """By name (a generated one is in the inputs) and tags."""
        group = self._describe(aws, Names=[inputs["name"]])
        arn = str(group["TargetGroupArn"]) if group else ""
        return arn if arn and is_ours(aws, arn, inputs) else None

    def configure(self, aws: Aws, id: str, inputs: Properties) -> None:
        """Wait until it is there, then set its attributes."""
        aws.wait(f"target group {id}", lambda: self._describe(aws, TargetGroupArns=[id]) is not None)
        attributes = [*_stickiness(inputs), *written_attributes(_GROUP_ATTRIBUTES, inputs)]
        if attributes:
            aws.client("elbv2").modify_target_group_attributes(TargetGroupArn=id, Attributes=attributes)

    def modify(self, aws: Aws, id: str, changed: Set[str], old: Properties, new: Properties) -> None:  # noqa: ARG002
        """The health check by one call, attributes by another."""
        client = aws.client("elbv2")
        if "healthCheck" in changed and new.get("healthCheck"):
            client.modify_target_group(TargetGroupArn=id, **_health_check(new))
        attributes = written_attributes(_GROUP_ATTRIBUTES, new, changed)
        if "stickiness" in changed:
            attributes += _stickiness(new) or [{"Key": "stickiness.enabled", "Value": "false"}]
        if attributes:
            client.modify_target_group_attributes(TargetGroupArn=id, Attributes=attributes)

    def read(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:  # noqa: ARG002
        """The target group as described, with attributes; its tags are read as the provider reads them."""
        group = self._describe(aws, TargetGroupArns=[id])
        if group is None:
            return None
        attributes = aws.client("elbv2").describe_target_group_attributes(TargetGroupArn=id)["Attributes"]
        tags_of(aws, id)
        return {
            **read_attributes(_GROUP_ATTRIBUTES, attributes),
            "arn": id,
            "arnSuffix": id.rpartition(":")[2],
            "healthCheck": _read_health_check(group),
            "ipAddressType": group.get("IpAddressType", "ipv4"),
            "loadBalancerArns": group.get("LoadBalancerArns") or [],
            "name": group["TargetGroupName"],
            "protocolVersion": group.get("ProtocolVersion", ""),
            "targetType": group["TargetType"],
        }

    def told(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:  # noqa: ARG002
        """The target group as described, with attributes."""
        group = self._describe(aws, TargetGroupArns=[id])
        if group is None:
            return None
        attributes = aws.client("elbv2").describe_target_group_attributes(TargetGroupArn=id)["Attributes"]
        return {
            **read_attributes(_GROUP_ATTRIBUTES, attributes),
            "healthCheck": _read_health_check(group),
            "ipAddressType": group.get("IpAddressType"),
            "name": group["TargetGroupName"],
            "port": group.get("Port"),
            "protocol": group.get("Protocol"),
            "protocolVersion": group.get("ProtocolVersion"),
            "stickiness": _told_stickiness(attributes),
            "tagsAll": tags_of(aws, id),
            "targetType": group["TargetType"],
            "vpcId": group.get("VpcId"),
        }

    def delete(self, aws: Aws, id: str, state: Properties) -> None:  # noqa: ARG002
        """``elasticloadbalancing:DeleteTargetGroup``, repeated while a listener or rule uses it."""
        with ignoring(*_GROUP_GONE):
            persist(
                aws,
                f"deletion of {id}",
                lambda: aws.client("elbv2").delete_target_group(TargetGroupArn=id),
                "ResourceInUse",
            )

    @staticmethod
    def _describe(aws: Aws, **which: list[str]) -> dict[str, Any] | None:
        return describe(aws, "describe_target_groups", "TargetGroups", _GROUP_GONE, **which)


def _health_check(inputs: Properties) -> dict[str, Any]:
    if not inputs.get("healthCheck"):
        return {}
    check = {**_HEALTH_DEFAULTS, **inputs["healthCheck"]}
    matcher = "GrpcCode" if inputs.get("protocolVersion") == "GRPC" else "HttpCode"
    speaks_http = check["protocol"] != "TCP"
    return {
        "HealthCheckEnabled": check["enabled"],
        "HealthCheckIntervalSeconds": check["interval"],
        "HealthCheckPort": str(check["port"]),
        "HealthCheckProtocol": check["protocol"],
        "HealthyThresholdCount": check["healthyThreshold"],
        "UnhealthyThresholdCount": check["unhealthyThreshold"],
        **present(
            HealthCheckPath=check.get("path") if speaks_http else None,
            HealthCheckTimeoutSeconds=check.get("timeout"),
            Matcher={matcher: check["matcher"]} if speaks_http and check.get("matcher") else None,
        ),
    }


def _read_health_check(group: Mapping[str, Any]) -> Properties:
    matcher = group.get("Matcher") or {}
    return {
        "enabled": group.get("HealthCheckEnabled", True),
        "healthyThreshold": group.get("HealthyThresholdCount"),
        "interval": group.get("HealthCheckIntervalSeconds"),
        "matcher": matcher.get("HttpCode") or matcher.get("GrpcCode") or "",
        "path": group.get("HealthCheckPath", ""),
        "port": group.get("HealthCheckPort"),
        "protocol": group.get("HealthCheckProtocol"),
        "timeout": group.get("HealthCheckTimeoutSeconds"),
        "unhealthyThreshold": group.get("UnhealthyThresholdCount"),
    }


def _stickiness(inputs: Properties) -> list[dict[str, str]]:
    wanted = inputs.get("stickiness")
    if not wanted:
        return []
    kind = wanted["type"]
    values = {
        "stickiness.enabled": str(bool(wanted.get("enabled", True))).lower(),
        "stickiness.type": kind,
        f"stickiness.{kind}.duration_seconds": str(wanted.get("cookieDuration", 86400)),
    }
    if kind == "app_cookie":
        values["stickiness.app_cookie.cookie_name"] = wanted["cookieName"]
    return [{"Key": key, "Value": value} for key, value in values.items()]


def _told_stickiness(attributes: Iterable[Mapping[str, str]]) -> Entries:
    """How requests stick to a target; where they do not, AWS still tells of a kind and a time that mean nothing."""
    values = {pair["Key"]: pair.get("Value", "") for pair in attributes}
    if values.get("stickiness.enabled") != "true":
        return Entries({"enabled": False})
    kind = values.get("stickiness.type", "")
    name = {"cookieName": values.get("stickiness.app_cookie.cookie_name")} if kind == "app_cookie" else {}
    duration = int(values.get(f"stickiness.{kind}.duration_seconds") or 0)
    return Entries({"cookieDuration": duration, "enabled": True, "type": kind, **name})


HANDLERS: tuple[type[Handler], ...] = (TargetGroup,)
