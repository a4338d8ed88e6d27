"""Rules of a security group, as resources of their own."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any, ClassVar

from byoc.sandbox.handlers.base import Aws, Diff, Handler, Properties
from byoc.sandbox.handlers.calls import ignoring, present
from byoc.sandbox.handlers.calls_ec2 import Described, describe, ec2_arn, filters, specified_tags
from byoc.sandbox.handlers.meaning import Told
from byoc.sandbox.handlers.tagging import EC2, TaggedHandler, TagShape

_RULE_GONE = ("InvalidSecurityGroupRuleId.NotFound", "InvalidPermission.NotFound", "InvalidGroup.NotFound")


class _Rule(TaggedHandler):
    """One rule of a group, as a resource of its own; its id is ``sgr-...``."""

    replace_on = frozenset({"securityGroupId"})
    tag_api = EC2
    direction: ClassVar[str]

    _sources: ClassVar[Mapping[str, tuple[str, str, str]]] = {
        "cidrIpv4": ("IpRanges", "CidrIp", "CidrIpv4"),
        "cidrIpv6": ("Ipv6Ranges", "CidrIpv6", "CidrIpv6"),
        "prefixListId": ("PrefixListIds", "PrefixListId", "PrefixListId"),
        "referencedSecurityGroupId": ("UserIdGroupPairs", "GroupId", "ReferencedGroupId"),
    }
    """Input: list and key of an ``IpPermission``, and key of a ``SecurityGroupRuleRequest``."""

    def check(self, logical_name: str, inputs: Properties, old: Properties | None) -> Properties:
        """Exactly one source (or destination)."""
        given = [name for name in self._sources if inputs.get(name)]
        if len(given) != 1:
            raise ValueError(f"exactly one of {', '.join(self._sources)} is needed; got {given or 'none'}")
        return super().check(logical_name, inputs, old)

    def diff(self, old: Properties, new: Properties) -> Diff:
        """A rule can change everything but the kind of its source."""
        diff = super().diff(old, new)
        before = {name for name in self._sources if old.get(name)}
        after = {name for name in self._sources if new.get(name)}
        return Diff(diff.changed, diff.replaces | (before ^ after), diff.delete_before_replace)

    def create(self, aws: Aws, inputs: Properties) -> str:
        """``ec2:AuthorizeSecurityGroupIngress`` or ``...Egress`` of one permission."""
        answer = getattr(aws.client("ec2"), f"authorize_security_group_{self.direction}")(
            GroupId=inputs["securityGroupId"],
            IpPermissions=[self._permission(inputs)],
            **specified_tags("security-group-rule", inputs),
        )
        return str(answer["SecurityGroupRules"][0]["SecurityGroupRuleId"])

    def find(self, aws: Aws, inputs: Properties) -> str | None:
        """The rule of the group with the same direction, ports and source: a group cannot have two."""
        group_id = inputs["securityGroupId"]
        rules = aws.client("ec2").describe_security_group_rules(Filters=filters(group_id=group_id))
        for rule in rules["SecurityGroupRules"]:
            if rule["IsEgress"] == (self.direction == "egress") and self._says_same(rule, inputs):
                return str(rule["SecurityGroupRuleId"])
        return None

    def modify(self, aws: Aws, id: str, changed: Set[str], old: Properties, new: Properties) -> None:  # noqa: ARG002
        """``ec2:ModifySecurityGroupRules`` with the whole rule."""
        name, source = self._source(new)
        request = {
            "IpProtocol": str(new["ipProtocol"]),
            self._sources[name][2]: source,
            **_ports(new, always=True),
            **present(Description=new.get("description")),
        }
        aws.client("ec2").modify_security_group_rules(
            GroupId=new["securityGroupId"],
            SecurityGroupRules=[{"SecurityGroupRuleId": id, "SecurityGroupRule": request}],
        )

    def read(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:  # noqa: ARG002
        """The rule's ARN and id."""
        if self._describe(aws, id) is None:
            return None
        return {"arn": ec2_arn(aws, f"security-group-rule/{id}"), "securityGroupRuleId": id}

    def told(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:  # noqa: ARG002
        """The rule as described; one for all protocols has no ports."""
        rule = self._describe(aws, id)
        if rule is None:
            return None
        ports = {name: rule.get(key, -1) for name, key in (("fromPort", "FromPort"), ("toPort", "ToPort"))}
        everything = str(rule["IpProtocol"]) == "-1"
        return {
            **{name: _source_of(rule, key) for name, (_, _, key) in self._sources.items()},
            **{name: Told(None if everything else port, _same_port) for name, port in ports.items()},
            "description": rule.get("Description"),
            "ipProtocol": str(rule["IpProtocol"]),
            "securityGroupId": rule["GroupId"],
            "tagsAll": TagShape.UPPER.read(rule.get("Tags")),
        }

    @staticmethod
    def _describe(aws: Aws, id: str) -> Described | None:
        which = {"SecurityGroupRuleIds": [id]}
        return describe(aws, "describe_security_group_rules", "SecurityGroupRules", *_RULE_GONE, **which)

    def delete(self, aws: Aws, id: str, state: Properties) -> None:
        """``ec2:RevokeSecurityGroupIngress`` or ``...Egress`` by the rule's id."""
        with ignoring(*_RULE_GONE):
            getattr(aws.client("ec2"), f"revoke_security_group_{self.direction}")(
                GroupId=state["securityGroupId"], SecurityGroupRuleIds=[id]
            )

    def _permission(self, inputs: Properties) -> dict[str, Any]:
        name, source = self._source(inputs)
        ranges, key, _ = self._sources[name]
        entry = {key: source, **present(Description=inputs.get("description"))}
        return {"IpProtocol": str(inputs["ipProtocol"]), ranges: [entry], **_ports(inputs)}

    def _source(self, inputs: Properties) -> tuple[str, str]:
        return next((name, str(inputs[name])) for name in self._sources if inputs.get(name))

    def _says_same(self, rule: Described, inputs: Properties) -> bool:
        name, source = self._source(inputs)
        key = self._sources[name][2]
        ports = _ports(inputs, always=True)
        return (
            _source_of(rule, key) == source
            and str(rule["IpProtocol"]) == str(inputs["ipProtocol"])
            and rule.get("FromPort", -1) == ports["FromPort"]
            and rule.get("ToPort", -1) == ports["ToPort"]
        )


def _same_port(written: object, told: object) -> bool:
    return written == told or (told is None and written in (None, -1, 0))


def _source_of(rule: Described, key: str) -> str | None:
    group: str | None = (rule.get("ReferencedGroupInfo") or {}).get("GroupId")
    return group if key == "ReferencedGroupId" else rule.get(key)


def _ports(inputs: Properties, *, always: bool = False) -> dict[str, int]:
    """Ports as whole numbers; a rule for all protocols has none, which EC2 shows as -1."""
    given = {key: inputs.get(name) for key, name in (("FromPort", "fromPort"), ("ToPort", "toPort"))}
    if always:
        return {key: -1 if value is None else int(value) for key, value in given.items()}
    return {key: int(value) for key, value in given.items() if value is not None}


class SecurityGroupIngressRule(_Rule):
    """A rule for what may come in."""

    token = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"  # noqa: S105
    direction = "ingress"


class SecurityGroupEgressRule(_Rule):
    """A rule for what may go out."""

    token = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"  # noqa: S105
    direction = "egress"


HANDLERS: tuple[type[Handler], ...] = (SecurityGroupIngressRule, SecurityGroupEgressRule)
