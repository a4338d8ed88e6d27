"""The policies of scoped mode: which there are, and why each of their statements."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from byoc.permissions.install import Account, InstallNames
from byoc.permissions.policies.documents import VERSION, Document
from byoc.permissions.policies.scoped import data, observing, preflight, scaling, serving
from byoc.permissions.policies.scoped.conditions import Install


@dataclass(frozen=True)
class Area:
    """One policy: what it is about, and its statements."""

    key: str
    """In logical names."""
    title: str
    """In physical names."""
    description: str
    statements: Callable[[Install], list[Document]]
    reasons: Mapping[str, str]
    """What each statement is for, by its ``Sid``."""

    def document(self, install: Install) -> Document:
        """The policy of an install."""
        return {"Version": VERSION, "Statement": self.statements(install)}


OBSERVING = Area(
    "observing",
    "Observing",
    "Reads settings and state of LangGraph Cloud deployments; no contents of secrets or logs",
    observing.observing,
    observing.REASONS,
)
AREAS = (
    OBSERVING,
    Area("secrets", "Secrets", "The secrets of this install", data.secrets, data.SECRET_REASONS),
    Area("databases", "Databases", "The databases of this install", data.databases, data.DATABASE_REASONS),
    Area(
        "load-balancing",
        "LoadBalancing",
        "The load balancers of this install",
        serving.load_balancing,
        serving.BALANCING_REASONS,
    ),
    Area(
        "containers",
        "Containers",
        "The services of this install, what they log, and what they depend on",
        lambda install: [
            *serving.containers(install),
            *observing.log_contents(install),
            *preflight.before_making(install),
        ],
        {**serving.CONTAINER_REASONS, **observing.LOG_REASONS, **preflight.MAKING_REASONS},
    ),
    Area("scaling", "Scaling", "Discovery, scaling and alarms of this install", scaling.scaling, scaling.REASONS),
)
"""The policies of a role that provisions."""


def scoped_documents(account: Account, names: InstallNames, *, role_path: str = "/") -> dict[str, Document]:
    """The documents by the key of their area. ``role_path``: the path of this install's task roles."""
    install = Install(account, names, role_path)
    return {area.key: area.document(install) for area in AREAS}
