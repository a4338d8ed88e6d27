"""What an account stack is computed to ask of AWS, beside what its whole life really calls under enforcement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from byoc.access.required import planned
from byoc.permissions.needs.actions import Need, Phase
from byoc.permissions.reference import action as known_action
from byoc.project.stack_file import read_stack_file
from tests.sandbox.access_steps import refresh
from tests.sandbox.sandbox_world import ACCOUNT, PASSPHRASE, World, Worlds

pytestmark = pytest.mark.slow

OF_THE_SESSION = {"sts:AssumeRole", "sts:GetCallerIdentity"}
EVERYTHING: Mapping[str, Any] = {
    "access": {"controlPlane": "us", "mode": "scoped"},
    "breakGlass": {},
    "vendorActivity": {},
}
CHANGED: Mapping[str, Any] = {
    "access": {"controlPlane": "us", "mode": "scoped", "permissionsBoundary": "own"},
    "tags": {"owner": "another-team"},
    "vendorActivity": {"deletes": False},
    "runtime": {
        "logRetentionDays": 90,
        "repositories": ["agents/chat"],
        "containerInsights": False,
        "alarmEmails": ["desk@example.com"],
        "loadBalancer": {"allowedCidrs": ["198.51.100.0/24"]},
    },
}
LESS: Mapping[str, Any] = {
    "access": {"controlPlane": "eu", "mode": "documented", "maxSessionHours": 2, "observeOnly": True},
    "runtime": {"logRetentionDays": None, "repositories": ["agents/chat"]},
}


@dataclass(frozen=True)
class AccountLife:
    needs: tuple[Need, ...]
    calls: Mapping[str, set[str]]
    """The actions of each step."""

    @property
    def called(self) -> set[str]:
        return set().union(*self.calls.values())


def needs_of(world: World) -> set[Need]:
    return set(planned(read_stack_file(world.root, ACCOUNT, passphrase=lambda: PASSPHRASE)).needs())


@pytest.fixture(scope="module")
def life(worlds: Worlds) -> AccountLife:
    """An account stack with every feature: made, refreshed, changed to more and to less, deleted."""
    world = worlds.new()
    needs: set[Need] = set()
    calls: dict[str, set[str]] = {}

    def up(step: str, changes: Mapping[str, Any]) -> None:
        world.configure(ACCOUNT, changes)
        needs.update(needs_of(world))
        calls[step] = {str(call["action"]) for call in world.up(ACCOUNT).done().calls}

    up("create", EVERYTHING)
    calls["refresh"] = {str(call["action"]) for call in refresh(world, ACCOUNT)}
    up("update", CHANGED)
    up("update to less", LESS)
    calls["destroy"] = {str(call["action"]) for call in world.destroy(ACCOUNT).done().calls}
    return AccountLife(tuple(sorted(needs)), calls)


@pytest.mark.parametrize("step", ["create", "refresh", "update", "update to less", "destroy"])
def test_every_call_of_a_step_is_a_computed_need(life: AccountLife, step: str) -> None:
    assert len(life.calls[step]) > 12
    assert life.calls[step] - {need.action for need in life.needs} - OF_THE_SESSION == set()


def test_a_refresh_asks_for_reads_alone(life: AccountLife) -> None:
    reads = {need.action for need in life.needs if need.phase is Phase.READ}
    assert life.calls["refresh"] - reads - OF_THE_SESSION == set()


def test_every_computed_write_is_called_or_explained(life: AccountLife) -> None:
    writes = {need.action for need in life.needs if not only_reads(need.action)}
    assert writes - life.called == set(NOT_CALLED)


def only_reads(name: str) -> bool:
    found = known_action(name)
    assert found is not None, name
    return found.access_levels <= {"Read", "List"}


_NEVER_CHANGES = "no config changes that argument; another version of this library may"
NOT_CALLED: Mapping[str, str] = {
    "ec2:DisassociateAddress": "the NAT gateway goes first, and lets go of its address",
    "ec2:ModifySecurityGroupRules": _NEVER_CHANGES,
    "ec2:ModifySubnetAttribute": "seen at subnets that give machines public addresses; ours do not",
    "ec2:ModifyVpcEndpoint": _NEVER_CHANGES,
    "ecr:PutImageScanningConfiguration": _NEVER_CHANGES,
    "ecr:PutImageTagMutability": _NEVER_CHANGES,
    "iam:CreatePolicyVersion": "the texts of policies change with another version of this library",
    "iam:DeletePolicyVersion": "the same",
    "iam:DeleteServiceLinkedRole": "none is ever deleted: others may be using it",
    "logs:DeleteMetricFilter": "seen at a log group that had a metric filter; ours has none",
    "rds:ModifyDBSubnetGroup": "a network with another number of zones",
    "sns:SetSubscriptionAttributes": _NEVER_CHANGES,
}
"""Computed writes of which the life has no call, and why."""
