"""What an account stack has for the deployments of other stacks, as data for people and programs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from byoc.operations.account import Account
from byoc.operations.status.facts import Absent, Unknown
from byoc.operations.status.read import known, untold
from byoc.operations.status.states import Health
from byoc.operations.targets import Stack

Document = dict[str, Any]
"""One JSON object with stable keys."""


def head(stack: Stack, deployment: str | None) -> Document:
    """What a row begins with, whatever it is about."""
    config = stack.config
    return {
        "kind": "account" if deployment is None else "deployment",
        "stack": stack.name,
        "deployment": deployment,
        "account": config.account.account_id,
        "region": config.account.region,
    }


def shared(stack: Stack, account: Account) -> Document:
    """What an account stack without deployments of its own has for those of other stacks: the cluster."""
    name = stack.config.names.cluster
    found = known(
        "ecs:DescribeClusters",
        lambda: account.ask("ecs:DescribeClusters", clusters=[name]),
        lambda answer: _cluster(answer, name),
    )
    if isinstance(found, Unknown):
        return account_document(stack, "UNKNOWN", Health.UNKNOWN, [f"not known: {found.why}"])
    if isinstance(found, Absent):
        return account_document(stack, "ABSENT", Health.DOWN, [f"the cluster {name} is not there"])
    state = str(found["status"])
    counts = {
        "services": int(found.get("activeServicesCount", 0)),
        "containers": int(found.get("runningTasksCount", 0)),
    }
    if state != "ACTIVE":
        return account_document(stack, state, Health.DEGRADED, [f"the cluster {name} is {state.lower()}"], counts)
    return account_document(stack, state, Health.HEALTHY, [], counts)


def _cluster(answer: Mapping[str, Any], name: str) -> Document | Absent | Unknown:
    for item in answer["clusters"]:
        return Absent() if item["status"] == "INACTIVE" else dict(item)
    why = untold(answer, name)
    return Unknown(why=f"ecs:DescribeClusters: {why}") if why else Absent()


def account_document(
    stack: Stack, state: str, health: Health, findings: list[str], counts: Mapping[str, int] | None = None
) -> Document:
    """The row of an account stack without deployments of its own."""
    return {
        **head(stack, None),
        "state": state,
        "health": health.value,
        "cluster": {"name": stack.config.names.cluster, "state": state, **(counts or {})},
        "findings": findings,
    }
