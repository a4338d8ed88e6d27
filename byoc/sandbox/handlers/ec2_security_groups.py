"""Security group, and the resources that are one rule of it."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any, ClassVar

from byoc.sandbox.handlers.base import AutoName, Aws, Diff, Handler, Properties
from byoc.sandbox.handlers.calls import ignoring, persist, present
from byoc.sandbox.handlers.calls_ec2 import Described, describe, ec2_arn, filters, known_by_tags, specified_tags
from byoc.sandbox.handlers.ec2_network import delete_lingering_interfaces
from byoc.sandbox.handlers.tagging import EC2, TaggedHandler

_GROUP_GONE = ("InvalidGroup.NotFound", "InvalidGroupId.Malformed")
_RULE_GONE = ("InvalidSecurityGroupRuleId.NotFound", "InvalidPermission.NotFound", "InvalidGroup.NotFound")
_ALL = "-1"
_ALLOW_ALL = {"IpProtocol": _ALL, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
"""The egress rule that AWS puts into a new group, and that the AWS provider takes out."""
_DIRECTIONS = ("ingress", "egress")


class SecurityGroup(TaggedHandler):
    """A security group. Rules given inside it are its only rules of that direction; without them it is left alone."""

    token = "aws:ec2/securityGroup:SecurityGroup"  # noqa: S105
    replace_on = frozenset({"description", "name", "namePrefix", "vpcId"})
    autoname = AutoName(prefix_property="namePrefix")
    tag_api = EC2

    def check(self, logical_name: str, inputs: Properties, old: Properties | None) -> Properties:
        """AWS asks for a description; the provider's is ``Managed by Pulumi``."""
        return super().check(logical_name, {"description": "Managed by Pulumi", **inputs}, old)

    def create(self, aws: Aws, inputs: Properties) -> str:
        """``ec2:CreateSecurityGroup``."""
        answer = aws.client("ec2").create_security_group(
            GroupName=inputs["name"],
            Description=inputs["description"],
            **present(VpcId=inputs.get("vpcId")),
            **specified_tags("security-group", inputs),
        )
        return str(answer["GroupId"])

    def find(self, aws: Aws, inputs: Properties) -> str | None:
        """By name and VPC, if it has our tags."""
        wanted = filters(group_name=inputs["name"], vpc_id=inputs.get("vpcId", ""))
        groups = aws.client("ec2").describe_security_groups(Filters=wanted)["SecurityGroups"]
        return known_by_tags(groups, inputs, "GroupId", "security group")

    def configure(self, aws: Aws, id: str, inputs: Properties) -> None:
        """Wait until it is there, take out AWS's own egress rule, put in the rules given inside the group."""
        aws.wait(f"security group {id}", lambda: self._describe(aws, id) is not None)
        self._revoke_allow_all(aws, id)
        for direction in _DIRECTIONS:
            self._change_rules(aws, id, direction, [], inputs.get(direction) or [])

    def modify(self, aws: Aws, id: str, changed: Set[str], old: Properties, new: Properties) -> None:
        """Rules given inside the group: revoke what is gone, authorise what is new."""
        for direction in changed & set(_DIRECTIONS):
            self._change_rules(aws, id, direction, old.get(direction) or [], new.get(direction) or [])
        super().modify(aws, id, changed - {*_DIRECTIONS, "revokeRulesOnDelete"}, old, new)

    def read(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:  # noqa: ARG002
        """The group as described. Its rules are not read: they may be resources of their own."""
        group = self._describe(aws, id)
        if group is None:
            return None
        return {
            "arn": ec2_arn(aws, f"security-group/{id}", group["OwnerId"]),
            "description": group["Description"],
            "name": group["GroupName"],
            "ownerId": group["OwnerId"],
            "vpcId": group.get("VpcId", ""),
        }

    def delete(self, aws: Aws, id: str, state: Properties) -> None:  # noqa: ARG002
        """Delete interfaces left behind, then the group, repeated while something uses it; wait until it is gone."""
        delete_lingering_interfaces(aws, "group-id", id)
        with ignoring(*_GROUP_GONE):
            persist(
                aws,
                f"deletion of security group {id}",
                lambda: aws.client("ec2").delete_security_group(GroupId=id),
                "DependencyViolation",
                "InvalidGroup.InUse",
            )
        aws.wait(f"deletion of security group {id}", lambda: self._describe(aws, id) is None)

    def _change_rules(self, aws: Aws, id: str, direction: str, old: list[Properties], new: list[Properties]) -> None:
        client = aws.client("ec2")
        gone = [_permission(id, rule) for rule in old if rule not in new]
        come = [_permission(id, rule) for rule in new if rule not in old]
        if gone:
            with ignoring("InvalidPermission.NotFound"):
                getattr(client, f"revoke_security_group_{direction}")(GroupId=id, IpPermissions=gone)
        for permission in come:
            with ignoring("InvalidPermission.Duplicate"):
                getattr(client, f"authorize_security_group_{direction}")(GroupId=id, IpPermissions=[permission])

    def _revoke_allow_all(self, aws: Aws, id: str) -> None:
        """AWS's own rule: rule resources need the group's id, so none of them can be there before this is done."""
        group = self._describe(aws, id) or {}
        if any(rule["IpProtocol"] == _ALL for rule in group.get("IpPermissionsEgress", [])):
            with ignoring("InvalidPermission.NotFound"):
                aws.client("ec2").revoke_security_group_egress(GroupId=id, IpPermissions=[_ALLOW_ALL])

    @staticmethod
    def _describe(aws: Aws, id: str) -> Described | None:
        return describe(aws, "describe_security_groups", "SecurityGroups", *_GROUP_GONE, GroupIds=[id])


def _permission(group_id: str, rule: Properties) -> dict[str, Any]:
    """A rule given inside a group, as EC2's ``IpPermission``."""
    protocol = "-1" if rule["protocol"] in ("-1", "all") else str(rule["protocol"])
    described = present(Description=rule.get("description"))
    groups = [*(rule.get("securityGroups") or []), *([group_id] if rule.get("self") else [])]
    permission: dict[str, Any] = {"IpProtocol": protocol}
    if protocol != _ALL:
        permission.update(FromPort=int(rule["fromPort"]), ToPort=int(rule["toPort"]))
    return permission | present(
        IpRanges=[{"CidrIp": cidr, **described} for cidr in rule.get("cidrBlocks") or []],
        Ipv6Ranges=[{"CidrIpv6": cidr, **described} for cidr in rule.get("ipv6CidrBlocks") or []],
        PrefixListIds=[{"PrefixListId": item, **described} for item in rule.get("prefixListIds") or []],
        UserIdGroupPairs=[{"GroupId": item, **described} for item in groups],
    )


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
        rule = describe(
            aws,
            "describe_security_group_rules",
            "SecurityGroupRules",
            *_RULE_GONE,
            SecurityGroupRuleIds=[id],
        )
        if rule is None:
            return None
        return {"arn": ec2_arn(aws, f"security-group-rule/{id}"), "securityGroupRuleId": id}

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
        found = rule.get("ReferencedGroupInfo", {}).get("GroupId") if key == "ReferencedGroupId" else rule.get(key)
        ports = _ports(inputs, always=True)
        return (
            found == source
            and str(rule["IpProtocol"]) == str(inputs["ipProtocol"])
            and rule.get("FromPort", -1) == ports["FromPort"]
            and rule.get("ToPort", -1) == ports["ToPort"]
        )


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


HANDLERS: tuple[type[Handler], ...] = (SecurityGroup, SecurityGroupIngressRule, SecurityGroupEgressRule)
