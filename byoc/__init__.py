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
    from byoc.components.boundary import OwnBoundary, PermissionsBoundary, PermissionsBoundaryArgs
    from byoc.components.break_glass import BreakGlass, BreakGlassArgs, BreakGlassSettings
    from byoc.components.deployment import Deployment, DeploymentArgs
    from byoc.components.network import CreateNetwork, ExistingNetwork, Nat, Network, NetworkArgs
    from byoc.components.runtime import AccountRuntime, AccountRuntimeArgs, AccountRuntimeSettings
    from byoc.components.runtime_refs import KnownRuntimeIds, RuntimeRefs, find_runtime
    from byoc.components.security_groups import LoadBalancerAccess
    from byoc.components.spec import (
        ContainerSize,
        CreateCache,
        CreateDatabase,
        DeploymentSpec,
        ExistingCache,
        ExistingDatabase,
        IngressSettings,
        SeparateQueue,
        Tracing,
    )
    from byoc.components.vendor_activity import VendorActivity, VendorActivityArgs, VendorActivitySettings
    from byoc.errors import ByocError, ConfigError
    from byoc.naming import Names
    from byoc.permissions.policies.break_glass import Opening
    from byoc.types import AwsAccount, DeploymentType

_HOMES = {
    "AccountRuntime": "components.runtime",
    "AccountRuntimeArgs": "components.runtime",
    "AccountRuntimeSettings": "components.runtime",
    "AwsAccount": "types",
    "BreakGlass": "components.break_glass",
    "BreakGlassArgs": "components.break_glass",
    "BreakGlassSettings": "components.break_glass",
    "ByocError": "errors",
    "ConfigError": "errors",
    "ContainerSize": "components.spec",
    "ControlPlaneAccess": "components.access",
    "ControlPlaneAccessArgs": "components.access",
    "CreateCache": "components.spec",
    "CreateDatabase": "components.spec",
    "CreateNetwork": "components.network",
    "CustomerAccount": "components.account",
    "CustomerAccountArgs": "components.account",
    "Deployment": "components.deployment",
    "DeploymentArgs": "components.deployment",
    "DeploymentSpec": "components.spec",
    "DeploymentType": "types",
    "ExistingCache": "components.spec",
    "ExistingDatabase": "components.spec",
    "ExistingNetwork": "components.network",
    "IngressSettings": "components.spec",
    "KnownRuntimeIds": "components.runtime_refs",
    "LoadBalancerAccess": "components.security_groups",
    "Names": "naming",
    "Nat": "components.network",
    "Network": "components.network",
    "NetworkArgs": "components.network",
    "Opening": "permissions.policies.break_glass",
    "OwnBoundary": "components.boundary",
    "PermissionsBoundary": "components.boundary",
    "PermissionsBoundaryArgs": "components.boundary",
    "RuntimeRefs": "components.runtime_refs",
    "SeparateQueue": "components.spec",
    "Tracing": "components.spec",
    "VendorActivity": "components.vendor_activity",
    "VendorActivityArgs": "components.vendor_activity",
    "VendorActivitySettings": "components.vendor_activity",
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
    "AccountRuntimeSettings",
    "AwsAccount",
    "BreakGlass",
    "BreakGlassArgs",
    "BreakGlassSettings",
    "ByocError",
    "ConfigError",
    "ContainerSize",
    "ControlPlaneAccess",
    "ControlPlaneAccessArgs",
    "CreateCache",
    "CreateDatabase",
    "CreateNetwork",
    "CustomerAccount",
    "CustomerAccountArgs",
    "Deployment",
    "DeploymentArgs",
    "DeploymentSpec",
    "DeploymentType",
    "ExistingCache",
    "ExistingDatabase",
    "ExistingNetwork",
    "IngressSettings",
    "KnownRuntimeIds",
    "LoadBalancerAccess",
    "Names",
    "Nat",
    "Network",
    "NetworkArgs",
    "Opening",
    "OwnBoundary",
    "PermissionsBoundary",
    "PermissionsBoundaryArgs",
    "RuntimeRefs",
    "SeparateQueue",
    "Tracing",
    "VendorActivity",
    "VendorActivityArgs",
    "VendorActivitySettings",
    "__version__",
    "find_runtime",
]
