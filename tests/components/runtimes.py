"""Runtimes for construction tests."""

from __future__ import annotations

from byoc.components.runtime import AccountRuntime, AccountRuntimeArgs, AccountRuntimeSettings
from byoc.naming import Names
from byoc.types import AwsAccount
from tests.components.harness import Recording
from tests.components.programs import ACCOUNT, under_providers


def build(
    settings: AccountRuntimeSettings | None = None, prefix: str = "langgraph-cloud", account: AwsAccount = ACCOUNT
) -> Recording:
    """The runtime ``rt`` in a VPC that is given by ids."""
    args = AccountRuntimeArgs(
        account=account,
        names=Names(prefix),
        vpc_id="vpc-1",
        vpc_cidr="10.0.0.0/16",
        private_subnet_ids=["subnet-a", "subnet-b"],
        settings=settings or AccountRuntimeSettings(),
    )
    return under_providers(lambda opts: AccountRuntime("rt", args, opts))
