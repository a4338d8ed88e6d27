"""Listener and listener rule of an application load balancer."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any, ClassVar

from byoc.sandbox.handlers.base import Aws, Handler, Properties
from byoc.sandbox.handlers.calls import ignoring, present, single
from byoc.sandbox.handlers.elbv2_actions import (
    actions,
    conditions,
    one_by_one,
    same_conditions,
    stated,
    told_actions,
    told_conditions,
)
from byoc.sandbox.handlers.elbv2_calls import (
    Attribute,
    describe,
    described,
    is_ours,
    read_attributes,
    tags_of,
    written_attributes,
)
from byoc.sandbox.handlers.meaning import Told
from byoc.sandbox.handlers.schema import SchemaHandler
from byoc.sandbox.handlers.tagging import ELBV2, TaggedHandler, set_tags

_LISTENER_GONE = ("ListenerNotFound", "LoadBalancerNotFound")
_RULE_GONE = ("RuleNotFound", "ListenerNotFound")
_RESPONSE = "routing.http.response"
_ATTRIBUTES = {
    "routingHttpResponseContentSecurityPolicyHeaderValue": Attribute(
        f"{_RESPONSE}.content_security_policy.header_value"
    ),
    "routingHttpResponseServerEnabled": Attribute(f"{_RESPONSE}.server.enabled", True),
    "routingHttpResponseStrictTransportSecurityHeaderValue": Attribute(
        f"{_RESPONSE}.strict_transport_security.header_value"
    ),
    "routingHttpResponseXContentTypeOptionsHeaderValue": Attribute(f"{_RESPONSE}.x_content_type_options.header_value"),
    "routingHttpResponseXFrameOptionsHeaderValue": Attribute(f"{_RESPONSE}.x_frame_options.header_value"),
}


class Listener(SchemaHandler, TaggedHandler):
    """A port of a load balancer. Its id is its ARN."""

    token = "aws:lb/listener:Listener"  # noqa: S105
    implied: ClassVar[Mapping[str, Any]] = {"routingHttpResponseServerEnabled": True}
    kept = frozenset(_ATTRIBUTES) | {"protocol", "sslPolicy"}
    known = frozenset(_ATTRIBUTES) | {
        "alpnPolicy",
        "certificateArn",
        "defaultActions",
        "loadBalancerArn",
        "port",
        "protocol",
        "sslPolicy",
    }
    replace_on = frozenset({"loadBalancerArn"})
    tag_api = ELBV2

    def create(self, aws: Aws, inputs: Properties) -> str:
        """``elasticloadbalancing:CreateListener``; without a protocol it speaks HTTP."""
        answer = aws.client("elbv2").create_listener(
            LoadBalancerArn=inputs["loadBalancerArn"],
            **{"Protocol": "HTTP", **_listener_settings(inputs)},
            DefaultActions=actions(inputs["defaultActions"]),
            **set_tags(inputs),
        )
        return str(answer["Listeners"][0]["ListenerArn"])

    def find(self, aws: Aws, inputs: Properties) -> str | None:
        """By load balancer and port, of which there is one, and tags."""
        arn = inputs["loadBalancerArn"]
        listeners = described(aws, "describe_listeners", "Listeners", _LISTENER_GONE, LoadBalancerArn=arn)
        ours = [item["ListenerArn"] for item in listeners if item.get("Port") == inputs.get("port")]
        return single([arn for arn in ours if is_ours(aws, arn, inputs)], "listener")

    def configure(self, aws: Aws, id: str, inputs: Properties) -> None:
        """Wait until it is there, and set those attributes that are given."""
        aws.wait(f"listener {id}", lambda: self._describe(aws, id) is not None)
        self._set_attributes(aws, id, inputs, {name for name in _ATTRIBUTES if inputs.get(name) is not None})

    def modify(self, aws: Aws, id: str, changed: Set[str], old: Properties, new: Properties) -> None:  # noqa: ARG002
        """``elasticloadbalancing:ModifyListener`` with all settings and changed actions; then attributes."""
        if changed - _ATTRIBUTES.keys():
            forward = {"DefaultActions": actions(new["defaultActions"])} if "defaultActions" in changed else {}
            aws.client("elbv2").modify_listener(ListenerArn=id, **_listener_settings(new), **forward)
        self._set_attributes(aws, id, new, changed)

    def read(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:
        """The listener as described, with attributes; its tags are read as the provider reads them."""
        listener = self._describe(aws, id)
        if listener is None:
            return None
        attributes = aws.client("elbv2").describe_listener_attributes(ListenerArn=id)["Attributes"]
        tags_of(aws, id)
        return {
            **read_attributes(_ATTRIBUTES, attributes),
            "arn": id,
            "port": listener.get("Port", inputs.get("port")),
            "protocol": listener.get("Protocol", ""),
            "sslPolicy": listener.get("SslPolicy", ""),
        }

    def canonical(self, inputs: Properties) -> Properties:
        """Actions with what a program need not say."""
        return {**super().canonical(inputs), "defaultActions": stated(inputs.get("defaultActions"))}

    def told(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:  # noqa: ARG002
        """The listener as described, with attributes."""
        listener = self._describe(aws, id)
        if listener is None:
            return None
        attributes = aws.client("elbv2").describe_listener_attributes(ListenerArn=id)["Attributes"]
        return {
            **dict.fromkeys(_ATTRIBUTES),
            **read_attributes(_ATTRIBUTES, attributes),
            "alpnPolicy": next(iter(listener.get("AlpnPolicy") or []), None),
            "certificateArn": next((item["CertificateArn"] for item in listener.get("Certificates") or []), None),
            "defaultActions": told_actions(listener.get("DefaultActions") or []),
            "loadBalancerArn": listener["LoadBalancerArn"],
            "port": listener.get("Port"),
            "protocol": listener.get("Protocol"),
            "sslPolicy": listener.get("SslPolicy"),
            "tagsAll": tags_of(aws, id),
        }

    def delete(self, aws: Aws, id: str, state: Properties) -> None:  # noqa: ARG002
        """``elasticloadbalancing:DeleteListener``."""
        with ignoring(*_LISTENER_GONE):
            aws.client("elbv2").delete_listener(ListenerArn=id)

    @staticmethod
    def _set_attributes(aws: Aws, id: str, inputs: Properties, changed: Set[str]) -> None:
        if attributes := written_attributes(_ATTRIBUTES, inputs, changed):
            aws.client("elbv2").modify_listener_attributes(ListenerArn=id, Attributes=attributes)

    @staticmethod
    def _describe(aws: Aws, id: str) -> dict[str, Any] | None:
        return describe(aws, "describe_listeners", "Listeners", _LISTENER_GONE, ListenerArns=[id])


def _listener_settings(inputs: Properties) -> dict[str, Any]:
    certificate, alpn = inputs.get("certificateArn"), inputs.get("alpnPolicy")
    return present(
        AlpnPolicy=[alpn] if alpn else None,
        Certificates=[{"CertificateArn": certificate}] if certificate else None,
        Port=inputs.get("port"),
        Protocol=inputs.get("protocol"),
        SslPolicy=inputs.get("sslPolicy"),
    )


class ListenerRule(SchemaHandler, TaggedHandler):
    """What a listener does with some requests. Its id is its ARN."""

    token = "aws:lb/listenerRule:ListenerRule"  # noqa: S105
    kept = frozenset({"priority"})
    known = frozenset({"actions", "conditions", "listenerArn", "priority"})
    replace_on = frozenset({"listenerArn"})
    sets = frozenset({"conditions"})
    tag_api = ELBV2

    def create(self, aws: Aws, inputs: Properties) -> str:
        """``elasticloadbalancing:CreateRule``; without a priority it comes after all rules that are there."""
        answer = aws.client("elbv2").create_rule(
            ListenerArn=inputs["listenerArn"],
            Actions=actions(inputs["actions"]),
            Conditions=conditions(inputs.get("conditions") or []),
            Priority=int(inputs.get("priority") or 0) or self._last_priority(aws, inputs["listenerArn"]) + 1,
            **set_tags(inputs),
        )
        return str(answer["Rules"][0]["RuleArn"])

    def find(self, aws: Aws, inputs: Properties) -> str | None:
        """By listener, priority (if it was given) and tags; a listener's own default rule is not ours."""
        rules = [rule for rule in self._rules(aws, inputs["listenerArn"]) if not rule.get("IsDefault")]
        wanted = inputs.get("priority")
        ours = [rule["RuleArn"] for rule in rules if not wanted or rule["Priority"] == str(wanted)]
        return single([arn for arn in ours if is_ours(aws, arn, inputs)], "listener rule")

    def configure(self, aws: Aws, id: str, inputs: Properties) -> None:  # noqa: ARG002
        """Wait until it is there."""
        aws.wait(f"listener rule {id}", lambda: self._describe(aws, id) is not None)

    def modify(self, aws: Aws, id: str, changed: Set[str], old: Properties, new: Properties) -> None:  # noqa: ARG002
        """The priority by one call, actions and conditions by another."""
        client = aws.client("elbv2")
        there = self._describe(aws, id) if "priority" in changed and new.get("priority") else None
        if there is not None and there["Priority"] != str(new["priority"]):  # AWS refuses to set what is set already
            client.set_rule_priorities(RulePriorities=[{"RuleArn": id, "Priority": int(new["priority"])}])
        arguments = present(
            Actions=actions(new["actions"]) if "actions" in changed else None,
            Conditions=conditions(new.get("conditions") or []) if "conditions" in changed else None,
        )
        if arguments:
            client.modify_rule(RuleArn=id, **arguments)

    def read(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:
        """The rule as described; its tags are read as the provider reads them."""
        rule = self._describe(aws, id)
        if rule is None:
            return None
        tags_of(aws, id)
        return {"arn": id, "listenerArn": inputs["listenerArn"], "priority": int(rule["Priority"])}

    def canonical(self, inputs: Properties) -> Properties:
        """Actions with what a program need not say; a condition on several fields is several."""
        cut = {**inputs, "actions": stated(inputs.get("actions")), "conditions": one_by_one(inputs.get("conditions"))}
        return super().canonical(cut)

    def told(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:  # noqa: ARG002
        """The rule as described; its listener is in its ARN."""
        rule = self._describe(aws, id)
        if rule is None:
            return None
        return {
            "actions": told_actions(rule.get("Actions") or []),
            "conditions": Told(told_conditions(rule.get("Conditions") or []), same_conditions),
            "listenerArn": id.rpartition("/")[0].replace(":listener-rule/", ":listener/"),
            "priority": int(rule["Priority"]),
            "tagsAll": tags_of(aws, id),
        }

    def delete(self, aws: Aws, id: str, state: Properties) -> None:  # noqa: ARG002
        """``elasticloadbalancing:DeleteRule``."""
        with ignoring(*_RULE_GONE):
            aws.client("elbv2").delete_rule(RuleArn=id)

    def _last_priority(self, aws: Aws, listener_arn: str) -> int:
        numbered = [int(rule["Priority"]) for rule in self._rules(aws, listener_arn) if not rule.get("IsDefault")]
        return max(numbered, default=0)

    @staticmethod
    def _rules(aws: Aws, listener_arn: str) -> list[Any]:
        return described(aws, "describe_rules", "Rules", _RULE_GONE, ListenerArn=listener_arn)

    @staticmethod
    def _describe(aws: Aws, id: str) -> dict[str, Any] | None:
        return describe(aws, "describe_rules", "Rules", _RULE_GONE, RuleArns=[id])


HANDLERS: tuple[type[Handler], ...] = (Listener, ListenerRule)
