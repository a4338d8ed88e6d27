"""Application load balancer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from typing import Any, ClassVar

from byoc.sandbox.handlers.base import AutoName, Aws, Handler, Properties
from byoc.sandbox.handlers.calls import ignoring, paginate, present
from byoc.sandbox.handlers.elbv2_calls import (
    Attribute,
    describe,
    is_ours,
    read_attributes,
    refuse_taken,
    tags_of,
    written_attributes,
)
from byoc.sandbox.handlers.meaning import Unordered
from byoc.sandbox.handlers.schema import SchemaHandler
from byoc.sandbox.handlers.tagging import ELBV2, TaggedHandler, set_tags

_BALANCER_GONE = ("LoadBalancerNotFound",)
_NAME_LIMIT = 32
_INTERFACE_PATIENCE = 120.0
"""Seconds for which a deleted load balancer's network interfaces are waited for; then the provider goes on."""

_BALANCER_ATTRIBUTES = {
    "clientKeepAlive": Attribute("client_keep_alive.seconds", 3600),
    "desyncMitigationMode": Attribute("routing.http.desync_mitigation_mode", "defensive"),
    "dropInvalidHeaderFields": Attribute("routing.http.drop_invalid_header_fields.enabled", False),
    "enableDeletionProtection": Attribute("deletion_protection.enabled", False),
    "enableHttp2": Attribute("routing.http2.enabled", True),
    "enableTlsVersionAndCipherSuiteHeaders": Attribute(
        "routing.http.x_amzn_tls_version_and_cipher_suite.enabled", False
    ),
    "enableWafFailOpen": Attribute("waf.fail_open.enabled", False),
    "enableXffClientPort": Attribute("routing.http.xff_client_port.enabled", False),
    "enableZonalShift": Attribute("zonal_shift.config.enabled", False),
    "idleTimeout": Attribute("idle_timeout.timeout_seconds", 60),
    "preserveHostHeader": Attribute("routing.http.preserve_host_header.enabled", False),
    "xffHeaderProcessingMode": Attribute("routing.http.xff_header_processing.mode", "append"),
}
_LOGS = {"accessLogs": "access_logs.s3", "connectionLogs": "connection_logs.s3"}
"""Inputs with a bucket, by the beginning of their attributes' names. Without the input they are switched off."""


def _attribute_defaults(table: Mapping[str, Attribute]) -> dict[str, Any]:
    return {name: attribute.default for name, attribute in table.items() if attribute.default is not None}


class LoadBalancer(SchemaHandler, TaggedHandler):
    """An application load balancer. Its id is its ARN."""

    token = "aws:lb/loadBalancer:LoadBalancer"  # noqa: S105
    implied: ClassVar[Mapping[str, Any]] = {**{name: {"enabled": False} for name in _LOGS}, "internal": False}
    kept = frozenset({"ipAddressType", "securityGroups"})
    known = frozenset(_BALANCER_ATTRIBUTES) | {
        "accessLogs",
        "connectionLogs",
        "internal",
        "ipAddressType",
        "loadBalancerType",
        "name",
        "namePrefix",
        "securityGroups",
        "subnets",
    }
    defaults: ClassVar[Mapping[str, Any]] = {
        **_attribute_defaults(_BALANCER_ATTRIBUTES),
        "loadBalancerType": "application",
    }
    sets = frozenset({"securityGroups", "subnets"})
    replace_on = frozenset({"internal", "loadBalancerType", "name", "namePrefix"})
    autoname = AutoName(max_length=_NAME_LIMIT, prefix_property="namePrefix")
    tag_api = ELBV2

    def check(self, logical_name: str, inputs: Properties, old: Properties | None) -> Properties:
        """Raises ``ValueError`` for other kinds than an application load balancer: their attributes differ."""
        checked = super().check(logical_name, inputs, old)
        if checked["loadBalancerType"] != "application":
            raise ValueError(f"{self.token}: the sandbox makes application load balancers only")
        return checked

    def create(self, aws: Aws, inputs: Properties) -> str:
        """``elasticloadbalancing:CreateLoadBalancer``, after a look whether the name is free."""
        if self._describe(aws, Names=[inputs["name"]]) is not None:
            refuse_taken("load balancer", inputs["name"])
        answer = aws.client("elbv2").create_load_balancer(
            Name=inputs["name"],
            Type=inputs["loadBalancerType"],
            **present(
                IpAddressType=inputs.get("ipAddressType"),
                Scheme="internal" if inputs.get("internal") else None,
                SecurityGroups=inputs.get("securityGroups"),
                Subnets=inputs.get("subnets"),
            ),
            **set_tags(inputs),
        )
        return str(answer["LoadBalancers"][0]["LoadBalancerArn"])

    def find(self, aws: Aws, inputs: Properties) -> str | None:
        """By name and tags."""
        balancer = self._describe(aws, Names=[inputs["name"]])
        arn = str(balancer["LoadBalancerArn"]) if balancer else ""
        return arn if arn and is_ours(aws, arn, inputs) else None

    def configure(self, aws: Aws, id: str, inputs: Properties) -> None:
        """Wait until it is active, set its attributes, and wait again."""
        self._wait_active(aws, id)
        attributes = [*_log_attributes(inputs, set(_LOGS)), *written_attributes(_BALANCER_ATTRIBUTES, inputs)]
        aws.client("elbv2").modify_load_balancer_attributes(LoadBalancerArn=id, Attributes=attributes)
        self._wait_active(aws, id)

    def modify(self, aws: Aws, id: str, changed: Set[str], old: Properties, new: Properties) -> None:  # noqa: ARG002
        """Attributes, groups, subnets and address type, each with the call of its own; then wait until it is active."""
        client = aws.client("elbv2")
        attributes = [*_log_attributes(new, changed), *written_attributes(_BALANCER_ATTRIBUTES, new, changed)]
        if attributes:
            client.modify_load_balancer_attributes(LoadBalancerArn=id, Attributes=attributes)
        if "securityGroups" in changed:
            client.set_security_groups(LoadBalancerArn=id, SecurityGroups=new.get("securityGroups") or [])
        if "subnets" in changed:
            client.set_subnets(LoadBalancerArn=id, Subnets=new["subnets"])
        if "ipAddressType" in changed and new.get("ipAddressType"):
            client.set_ip_address_type(LoadBalancerArn=id, IpAddressType=new["ipAddressType"])
        self._wait_active(aws, id)

    def read(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:  # noqa: ARG002
        """The load balancer as described, with attributes; capacity and tags are read as the provider reads them."""
        client = aws.client("elbv2")
        balancer = self._describe(aws, LoadBalancerArns=[id])
        if balancer is None:
            return None
        attributes = client.describe_load_balancer_attributes(LoadBalancerArn=id)["Attributes"]
        client.describe_capacity_reservation(LoadBalancerArn=id)
        tags_of(aws, id)
        return {
            **read_attributes(_BALANCER_ATTRIBUTES, attributes),
            "arn": id,
            "arnSuffix": id.partition(":loadbalancer/")[2],
            "dnsName": balancer["DNSName"],
            "internal": balancer.get("Scheme") == "internal",
            "ipAddressType": balancer.get("IpAddressType", "ipv4"),
            "loadBalancerType": balancer["Type"],
            "name": balancer["LoadBalancerName"],
            "securityGroups": balancer.get("SecurityGroups") or [],
            "subnets": [zone["SubnetId"] for zone in balancer.get("AvailabilityZones") or []],
            "vpcId": balancer["VpcId"],
            "zoneId": balancer["CanonicalHostedZoneId"],
        }

    def told(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:  # noqa: ARG002
        """The load balancer as described, with attributes."""
        balancer = self._describe(aws, LoadBalancerArns=[id])
        if balancer is None:
            return None
        attributes = aws.client("elbv2").describe_load_balancer_attributes(LoadBalancerArn=id)["Attributes"]
        return {
            **read_attributes(_BALANCER_ATTRIBUTES, attributes),
            **_told_logs(attributes),
            "internal": balancer.get("Scheme") == "internal",
            "ipAddressType": balancer.get("IpAddressType"),
            "loadBalancerType": balancer["Type"],
            "name": balancer["LoadBalancerName"],
            "securityGroups": Unordered(balancer.get("SecurityGroups") or []),
            "subnets": Unordered(zone["SubnetId"] for zone in balancer.get("AvailabilityZones") or []),
            "tagsAll": tags_of(aws, id),
        }

    def delete(self, aws: Aws, id: str, state: Properties) -> None:  # noqa: ARG002
        """``elasticloadbalancing:DeleteLoadBalancer``; then wait until its network interfaces are gone.

        Interfaces that linger are no error, as with the provider: the subnet's own deletion waits for them.
        """
        with ignoring(*_BALANCER_GONE):
            aws.client("elbv2").delete_load_balancer(LoadBalancerArn=id)
        filters = [
            {"Name": "attachment.instance-owner-id", "Values": ["amazon-elb"]},
            {"Name": "description", "Values": [f"ELB {id.partition(':loadbalancer/')[2]}"]},
        ]

        def detached() -> bool:
            return not paginate(aws.client("ec2"), "describe_network_interfaces", "NetworkInterfaces", Filters=filters)

        try:
            aws.wait(f"network interfaces of {id}", detached, timeout=_INTERFACE_PATIENCE)
        except TimeoutError:
            return

    def _wait_active(self, aws: Aws, id: str) -> None:
        def active() -> bool:
            balancer = self._describe(aws, LoadBalancerArns=[id]) or {}
            return bool(balancer.get("State", {}).get("Code") == "active")

        aws.wait(f"load balancer {id}", active, timeout=600)

    @staticmethod
    def _describe(aws: Aws, **which: list[str]) -> dict[str, Any] | None:
        return describe(aws, "describe_load_balancers", "LoadBalancers", _BALANCER_GONE, **which)


def _log_attributes(inputs: Properties, names: Set[str]) -> list[dict[str, str]]:
    written = []
    for name, key in _LOGS.items():
        if name not in names:
            continue
        logs = inputs.get(name) or {}
        enabled = bool(logs.get("enabled"))
        written.append({"Key": f"{key}.enabled", "Value": str(enabled).lower()})
        if enabled:
            written += [
                {"Key": f"{key}.{part}", "Value": logs[part]} for part in ("bucket", "prefix") if logs.get(part)
            ]
    return written


def _told_logs(attributes: Iterable[Mapping[str, str]]) -> Properties:
    """Where logs go; of logs that are switched off AWS tells nothing else."""
    values = {pair["Key"]: pair.get("Value") for pair in attributes}
    told: Properties = {}
    for name, key in _LOGS.items():
        enabled = values.get(f"{key}.enabled") == "true"
        parts = {part: values.get(f"{key}.{part}") for part in ("bucket", "prefix")} if enabled else {}
        told[name] = {"enabled": enabled, **parts}
    return told


HANDLERS: tuple[type[Handler], ...] = (LoadBalancer,)
