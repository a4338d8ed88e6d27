"""LangGraph Servers in a customer's own AWS account, as Pulumi components.

``from byoc import CustomerAccount, Deployment`` and use them in any Pulumi program; or run this project's own program
(``stacks/``) with one config file per stack.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from byoc.version import __version__

if TYPE_CHECKING:
    from byoc.components.access import ControlPlaneAccess, ControlPlaneAccessArgs
    from byoc.components.account import CustomerAccount, CustomerAccountArgs
    from byoc.components.deployment import Deployment, DeploymentArgs
    from byoc.components.network import CreateNetwork, ExistingNetwork, Network, NetworkArgs
    from byoc.components.runtime import AccountRuntime, AccountRuntimeArgs
    from byoc.components.runtime_refs import RuntimeRefs, find_runtime
    from byoc.components.spec import DeploymentSpec
    from byoc.errors import ByocError, ConfigError
    from byoc.naming import Names
    from byoc.types import AwsAccount, DeploymentType

_HOMES = {
    "AccountRuntime": "components.runtime",
    "AccountRuntimeArgs": "components.runtime",
    "AwsAccount": "types",
    "ByocError": "errors",
    "ConfigError": "errors",
    "ControlPlaneAccess": "components.access",
    "ControlPlaneAccessArgs": "components.access",
    "CreateNetwork": "components.network",
    "CustomerAccount": "components.account",
    "CustomerAccountArgs": "components.account",
    "Deployment": "components.deployment",
    "DeploymentArgs": "components.deployment",
    "DeploymentSpec": "components.spec",
    "DeploymentType": "types",
    "ExistingNetwork": "components.network",
    "Names": "naming",
    "Network": "components.network",
    "NetworkArgs": "components.network",
    "RuntimeRefs": "components.runtime_refs",
    "find_runtime": "components.runtime_refs",
}


def __getattr__(name: str) -> object:
    # Imported when first used, so that the command line starts without Pulumi.
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'byoc' has no attribute '{name}'")
    return getattr(importlib.import_module(f"byoc.{home}"), name)


def __dir__() -> list[str]:
    return sorted([*_HOMES, "__version__"])


__all__ = [
    "AccountRuntime",
    "AccountRuntimeArgs",
    "AwsAccount",
    "ByocError",
    "ConfigError",
    "ControlPlaneAccess",
    "ControlPlaneAccessArgs",
    "CreateNetwork",
    "CustomerAccount",
    "CustomerAccountArgs",
    "Deployment",
    "DeploymentArgs",
    "DeploymentSpec",
    "DeploymentType",
    "ExistingNetwork",
    "Names",
    "Network",
    "NetworkArgs",
    "RuntimeRefs",
    "__version__",
    "find_runtime",
]
