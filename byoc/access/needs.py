"""What a deployment stack asks of AWS, as whole requests, and which of the role's statements grant it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from byoc.access.probes import why
from byoc.access.role import Role
from byoc.permissions.evaluation.evaluator import Request, evaluate
from byoc.permissions.install import INSTALL_TAG, SECRET_TAG
from byoc.permissions.needs.actions import MEASURED, Need, Phase
from byoc.permissions.needs.deployment import TYPES, deployment_needs
from byoc.permissions.needs.features import HEALTH, OPERATING, feature_needs
from byoc.permissions.needs.requests import requests_of

_ON_TAGGED_PARENTS = (
    "ecs:RegisterTaskDefinition",
    "elasticloadbalancing:CreateListener",
    "servicediscovery:CreateService",
)
"""Creations inside of something that this install has tagged already."""
_ECS_CREATES = {
    "aws:ecs/service:Service": "CreateService",
    "aws:ecs/taskDefinition:TaskDefinition": "RegisterTaskDefinition",
}
_SCALING = "application-autoscaling:"


@dataclass(frozen=True, kw_only=True)
class Used:
    """One action that a deployment's life asks for."""

    action: str
    kinds: str
    """The resource types that it is for, and the phases of their life."""
    resources: tuple[str, ...]
    """The resources that it is asked for, in this install's names."""
    reason: str
    granted_by: tuple[str, ...]
    """Policies and statements; empty if nothing grants it."""
    refused_by: tuple[str, ...]
    """What refuses it, where something does."""

    @property
    def service(self) -> str:
        """The service's prefix in IAM."""
        return self.action.partition(":")[0]

    @property
    def answer(self) -> str:
        """Who grants it, or why it is refused."""
        granted, refused = _by_policy(self.granted_by), _by_policy(self.refused_by)
        if not self.refused_by:
            return granted
        return f"{granted}; in part refused: {refused}" if granted else f"refused: {refused}"


def _by_policy(decided: Iterable[str]) -> str:
    """``Databases: Make, Databases: Change`` as ``Databases: Make, Change``."""
    found: dict[str, list[str]] = {}
    for words in decided:
        policy, _, statement = words.partition(": ")
        found.setdefault(policy, []).append(statement)
    return "; ".join(f"{policy}: {', '.join(sids)}" if any(sids) else policy for policy, sids in found.items())


def provisioning() -> tuple[Need, ...]:
    """What creating, refreshing, changing and deleting a deployment of any config calls for."""
    return deployment_needs()


def looking_after() -> tuple[Need, ...]:
    """What ``status``, ``logs``, ``events`` and ``metrics`` read of a deployment of any config."""
    return tuple(feature_needs(HEALTH, TYPES))


def operating() -> tuple[Need, ...]:
    """What examining, revisions, recovery, retention and teardown ask of a deployment of any config."""
    return tuple(feature_needs(OPERATING, TYPES))


def needed_actions() -> frozenset[str]:
    """The actions of all three."""
    return frozenset(need.action for need in (*provisioning(), *looking_after(), *operating()))


def used(role: Role, needs: Iterable[Need]) -> tuple[Used, ...]:
    """The needs action by action, answered by the role's policies."""
    by_action: dict[str, list[Need]] = {}
    for need in needs:
        by_action.setdefault(need.action, []).append(need)
    return tuple(_used(role, action, found) for action, found in sorted(by_action.items()))


def asked(role: Role, need: Need) -> tuple[Request, ...]:
    """The requests that come of a need, with every key that AWS would send along."""
    found = requests_of(need, role.account, role.names, role_path=role.settings.role_path)
    return tuple(replace(request, context={**request.context, **_more(role, need)}) for request in found)


def _used(role: Role, action: str, needs: list[Need]) -> Used:
    resources: list[str] = []
    granted: list[str] = []
    refused: list[str] = []
    for need in needs:
        requests = asked(role, need)
        decisions = [evaluate(request, identity=role.reviewed, boundary=role.own_boundary) for request in requests]
        resources += [request.resource for request in requests]
        # A call that names several resources goes through if each of them is allowed.
        if all(decision.allowed for decision in decisions):
            granted += [why(decision) for decision in decisions]
        else:
            refused += [why(decision) for decision in decisions if not decision.allowed]
    return Used(
        action=action,
        kinds=_kinds(needs),
        resources=tuple(dict.fromkeys(resources)),
        reason="; ".join(dict.fromkeys(_reason(need) for need in needs)),
        granted_by=tuple(dict.fromkeys(granted)),
        refused_by=tuple(dict.fromkeys(refused)),
    )


def _more(role: Role, need: Need) -> dict[str, str]:
    keys = {"aws:RequestedRegion": role.account.region, "aws:ViaAWSService": "false"}
    if need.token.startswith("aws:appautoscaling/") and not need.action.startswith(_SCALING):
        # Application Auto Scaling tries it as the caller, on a name of its own making.
        return {**keys, "aws:ViaAWSService": "true"}
    if need.action.startswith(_SCALING):
        keys["application-autoscaling:service-namespace"] = "ecs"
    if need.action == "ecs:TagResource" and need.phase is Phase.CREATE:
        keys["ecs:CreateAction"] = _ECS_CREATES[need.token]
    if need.action in _ON_TAGGED_PARENTS:
        prefix = role.names.prefix
        keys |= {
            f"aws:{kind}Tag/{tag}": prefix for kind in ("Request", "Resource") for tag in (INSTALL_TAG, SECRET_TAG)
        }
    return keys


def _kinds(needs: Iterable[Need]) -> str:
    phases: dict[str, list[str]] = {}
    for need in needs:
        phases.setdefault(need.token.rpartition(":")[2], []).append(need.phase.value)
    return ", ".join(f"{kind} ({', '.join(dict.fromkeys(found))})" for kind, found in sorted(phases.items()))


def _reason(need: Need) -> str:
    return "the AWS provider calls it (measured)" if need.reason == MEASURED else need.reason
