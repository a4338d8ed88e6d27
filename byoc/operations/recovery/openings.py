"""What a security group of ``ec2:DescribeSecurityGroups`` lets in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from byoc.operations.recovery.facts import Opening

_LAST_PORT = 65535


def openings(group: Mapping[str, Any]) -> tuple[Opening, ...]:
    """One for each rule and source; a rule for everything names no ports."""
    return tuple(_of_rules(group.get("IpPermissions") or ()))


def _of_rules(rules: Iterable[Mapping[str, Any]]) -> Iterator[Opening]:
    for rule in rules:
        sources = [
            *(pair["GroupId"] for pair in rule.get("UserIdGroupPairs") or ()),
            *(each["CidrIp"] for each in rule.get("IpRanges") or ()),
            *(each["CidrIpv6"] for each in rule.get("Ipv6Ranges") or ()),
            *(each["PrefixListId"] for each in rule.get("PrefixListIds") or ()),
        ]
        for source in sources:
            first, last = rule.get("FromPort", 0), rule.get("ToPort", _LAST_PORT)
            yield Opening(str(rule["IpProtocol"]), int(first), int(last), str(source))
