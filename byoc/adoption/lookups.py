"""What the program's look-ups would answer, as far as it was found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from byoc.adoption.found import Findings

UNKNOWN_BLOCK = "[the VPC's block]"
"""Stands for what a Terraform state does not hold; it is only ever in rules that ``up`` makes anew."""

_Answer = Callable[[Mapping[str, Any]], Mapping[str, Any]]


class Lookups:
    """Answers from what was found."""

    def __init__(self, findings: Findings, network: Mapping[str, Any]) -> None:
        """``network``: as the config says it."""
        self._findings = findings
        self._network = network
        self._table: Mapping[str, _Answer] = {
            "aws:iam/getRoles:getRoles": self._roles,
            "aws:iam/getRole:getRole": self._role,
            "aws:ec2/getVpc:getVpc": self._vpc,
            "aws:ec2/getSubnets:getSubnets": self._subnets,
        }

    def __call__(self, token: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """The answer; ``LookupError`` for a function that no adopted account stack calls."""
        answer = self._table.get(token)
        if answer is None:
            raise LookupError(f"{token} is not known before the account is taken over")
        return answer(arguments)

    def _roles(self, _: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"arns": [found.text("arn") for found in self._findings.of_type("aws_iam_service_linked_role")]}

    def _role(self, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        found = self._findings.one("aws_iam_service_linked_role", name=str(arguments.get("name")))
        if found is None:
            raise LookupError(f"there is no role {arguments.get('name')}")
        return {"tags": dict(found.attributes.get("tags_all") or {}), "arn": found.text("arn")}

    def _vpc(self, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        found = self._findings.one("aws_vpc", id=str(arguments.get("id")))
        attributes = found.attributes if found is not None else {}
        return {
            "cidrBlock": attributes.get("cidr_block") or UNKNOWN_BLOCK,
            "enableDnsSupport": attributes.get("enable_dns_support", True),
            "enableDnsHostnames": attributes.get("enable_dns_hostnames", True),
        }

    def _subnets(self, _: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"ids": [*self._network["privateSubnetIds"], *self._network.get("publicSubnetIds", ())]}
