"""The policies of AWS that the documented setup attaches, with their texts as published."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass

from byoc.permissions.evaluation.evaluator import Document
from byoc.permissions.package_data import package_data

CONTROL_PLANE = (
    "AmazonVPCReadOnlyAccess",
    "AmazonECS_FullAccess",
    "SecretsManagerReadWrite",
    "CloudWatchReadOnlyAccess",
    "AmazonRDSFullAccess",
)
"""On the cross-account role (the documented AWS setup)."""
TASK_EXECUTION = "AmazonECSTaskExecutionRolePolicy"
"""On the task execution role."""


@dataclass(frozen=True)
class ManagedPolicy:
    """One policy of AWS. AWS changes such policies; ``version`` is the one that this library was tested with."""

    name: str
    path: str
    """``/``, or ``/service-role/``."""
    version: str
    document: Document

    @property
    def arn_name(self) -> str:
        """What follows ``policy/`` in its ARN."""
        return f"{self.path}{self.name}".lstrip("/")


@functools.cache
def managed_policies() -> Mapping[str, ManagedPolicy]:
    """All of them, by name."""
    return {
        name: ManagedPolicy(name, entry["path"], entry["version"], entry["document"])
        for name, entry in package_data("policies", "managed_policies.json").items()
    }


def documented_identity() -> dict[str, Document]:
    """The five policies of the cross-account role, as the evaluator takes them."""
    return {name: managed_policies()[name].document for name in CONTROL_PLANE}
