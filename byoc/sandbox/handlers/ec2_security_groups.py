"""Security group."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any, ClassVar

from byoc.sandbox.handlers.base import AutoName, Aws, Handler, Properties
from byoc.sandbox.handlers.calls import ignoring, persist, present
from byoc.sandbox.handlers.calls_ec2 import Described, describe, ec2_arn, filters, known_by_tags, specified_tags
from byoc.sandbox.handlers.ec2_network import delete_lingering_interfaces
from byoc.sandbox.handlers.meaning import Told
from byoc.sandbox.handlers.tagging import EC2, TaggedHandler, TagShape

_GROUP_GONE = ("InvalidGroup.NotFound", "InvalidGroupId.Malformed")
_ALL = "-1"
_ALLOW_ALL = {"IpProtocol": _ALL, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
"""The egress rule that AWS puts into a new group, and that the AWS provider takes out."""
_DIRECTIONS = ("ingress", "egress")


class SecurityGroup(TaggedHandler):
    """A security group. Rules given inside it are its only rules of that direction; without them it is left alone."""

    token = "aws:ec2/securityGroup:SecurityGroup"  # noqa: S105
    implied: ClassVar[Mapping[str, Any]] = {"revokeRulesOnDelete": False}
    kept = frozenset({"vpcId"})
    unstated = frozenset(_DIRECTIONS)
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

    def told(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:  # noqa: ARG002
        """The group as described. An import leaves its rules out: they are stated as resources of their own."""
        group = self._describe(aws, id)
        if group is None:
            return None
        permissions = {"ingress": group.get("IpPermissions", []), "egress": group.get("IpPermissionsEgress", [])}
        return {
            **{name: _told_rules(id, there) for name, there in permissions.items()},
            "description": group["Description"],
            "name": group["GroupName"],
            "tagsAll": TagShape.UPPER.read(group.get("Tags")),
            "vpcId": group.get("VpcId"),
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


_SOURCES = {
    "cidrBlocks": ("IpRanges", "CidrIp"),
    "ipv6CidrBlocks": ("Ipv6Ranges", "CidrIpv6"),
    "prefixListIds": ("PrefixListIds", "PrefixListId"),
    "securityGroups": ("UserIdGroupPairs", "GroupId"),
}
"""Where a rule given inside a group holds its sources: list and key of an ``IpPermission``."""


def _told_rules(group_id: str, permissions: list[dict[str, Any]]) -> Told:
    """EC2's permissions as rules given inside a group, which may be cut otherwise and yet let the same through."""
    rules = [
        {
            "protocol": permission["IpProtocol"],
            "fromPort": permission.get("FromPort", 0),
            "toPort": permission.get("ToPort", 0),
            **present(description=entry.get("Description")),
            **({"self": True} if entry[key] == group_id else {name: [entry[key]]}),
        }
        for permission in permissions
        for name, (entries, key) in _SOURCES.items()
        for entry in permission.get(entries) or []
    ]
    return Told(rules, lambda written, told: _passes(group_id, written) == _passes(group_id, told))


def _passes(group_id: str, rules: list[Properties] | None) -> set[tuple[Any, ...]]:
    """What rules let through, source by source."""
    permissions = [_permission(group_id, rule) for rule in rules or []]
    return {
        (item["IpProtocol"], item.get("FromPort"), item.get("ToPort"), entry[key], entry.get("Description", ""))
        for item in permissions
        for entries, key in _SOURCES.values()
        for entry in item.get(entries, [])
    }


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


HANDLERS: tuple[type[Handler], ...] = (SecurityGroup,)
