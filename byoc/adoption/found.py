"""What is in an account, in one form, whether a Terraform state or the account itself was asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

RULE = "security_group_rule"
"""The type of one rule with one source; Terraform's blocks inside a group are taken apart into these."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """One thing that is there.

    ``type`` and the keys of ``attributes`` are Terraform's (``aws_iam_role``, ``assume_role_policy``). ``address`` is
    how a person finds it: its address in the Terraform state, or its ARN or id.
    """

    type: str
    address: str
    attributes: Mapping[str, Any]

    def __repr__(self) -> str:
        """Without the attributes: a trust policy holds external ids."""
        return f"Found({self.type} {self.address})"

    def text(self, key: str) -> str:
        """An attribute as text; empty where it is absent or null."""
        value = self.attributes.get(key)
        return "" if value is None else str(value)


@dataclass(frozen=True, kw_only=True)
class Findings:
    """Everything that was found in one account and region.

    ``source`` names where it was looked for. ``live`` says whether the account was asked: only it knows the ids of
    security-group rules and all service-linked roles.
    """

    account_id: str
    region: str
    source: str
    live: bool
    resources: tuple[Found, ...]

    def of_type(self, type_: str) -> Iterator[Found]:
        """All things of a type."""
        return (found for found in self.resources if found.type == type_)

    def one(self, type_: str, **attributes: str) -> Found | None:
        """The first thing of a type with these attributes, or None."""
        for found in self.of_type(type_):
            if all(found.text(key) == value for key, value in attributes.items()):
                return found
        return None


def rules_inside(group: Found) -> Iterator[Found]:
    """The rules that Terraform keeps inside a security group, one per source; they have no ids there."""
    for direction in ("ingress", "egress"):
        for block in group.attributes.get(direction) or []:
            yield from _rules_of_block(group, direction, block)


def _rules_of_block(group: Found, direction: str, block: Mapping[str, Any]) -> Iterator[Found]:
    protocol = str(block.get("protocol", "-1"))
    everything = protocol in ("-1", "all")
    sources = [
        *(("cidr_ipv4", cidr) for cidr in block.get("cidr_blocks") or []),
        *(("cidr_ipv6", cidr) for cidr in block.get("ipv6_cidr_blocks") or []),
        *(("prefix_list_id", item) for item in block.get("prefix_list_ids") or []),
        *(("referenced_security_group_id", item) for item in block.get("security_groups") or []),
    ]
    if block.get("self"):
        sources.append(("referenced_security_group_id", group.text("id")))
    for key, source in sources:
        yield rule_found(
            place=group.address,
            id="",
            direction=direction,
            security_group_id=group.text("id"),
            ip_protocol="-1" if everything else protocol,
            from_port=None if everything else block.get("from_port"),
            to_port=None if everything else block.get("to_port"),
            description=block.get("description") or "",
            source={key: source},
            tags={},
        )


def rule_found(
    *,
    place: str,
    id: str,
    direction: str,
    security_group_id: str,
    ip_protocol: str,
    from_port: int | None,
    to_port: int | None,
    description: str,
    source: Mapping[str, str | None],
    tags: Mapping[str, str],
) -> Found:
    """One rule; its address says what it opens. ``place``: its id, or where the group that it stands in is."""
    given = {key: value for key, value in source.items() if value}
    ports = "all" if ip_protocol == "-1" else f"{ip_protocol} {from_port}-{to_port}"
    return Found(
        type=RULE,
        address=f"{place} {direction} {ports} {' '.join(given.values())}",
        attributes={
            "id": id,
            "direction": direction,
            "security_group_id": security_group_id,
            "ip_protocol": ip_protocol,
            "from_port": from_port,
            "to_port": to_port,
            "description": description,
            "tags_all": dict(tags),
            **given,
        },
    )
