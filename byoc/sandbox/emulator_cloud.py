"""The embedded AWS as the cloud of providers: whose credentials they start from."""

from __future__ import annotations

import json
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass

from byoc.sandbox.emulator.client import EmulatorClient
from byoc.sandbox.session import SandboxAws

DOCUMENTED_PRINCIPAL = "arn:aws:iam::640174622193:role/HostBackendRoleProd"
"""The control plane's principal in the documented setup (US)."""


@dataclass(frozen=True)
class EmulatorCloud:
    """The embedded AWS as a :class:`byoc.sandbox.providers.Cloud`."""

    client: EmulatorClient

    @property
    def endpoint(self) -> str:
        """The emulator's URL."""
        return self.client.endpoint

    def administrator(self, account_id: str) -> Mapping[str, str | None]:
        """boto3 credentials of an account's administrator."""
        return self.client.administrator(account_id).boto3

    def control_plane(self, role_arn: str) -> Mapping[str, str | None]:
        """boto3 credentials of the first principal that ``role_arn`` trusts; without a role, the documented one."""
        return self.client.control_plane(self._trusted_principal(role_arn)).boto3

    def _trusted_principal(self, role_arn: str) -> str:
        account_id, role_name = role_arn.split(":")[4], role_arn.rsplit("/", 1)[1]
        aws = SandboxAws(
            endpoint=self.endpoint, region="us-east-1", credentials=self.administrator(account_id), run_id="sandbox"
        )
        iam = aws.client("iam")
        try:
            document = iam.get_role(RoleName=role_name)["Role"]["AssumeRolePolicyDocument"]
        except iam.exceptions.NoSuchEntityException:
            return DOCUMENTED_PRINCIPAL
        trust = json.loads(urllib.parse.unquote(document)) if isinstance(document, str) else document
        for statement in trust["Statement"]:
            principals = statement.get("Principal", {}).get("AWS", [])
            for principal in [principals] if isinstance(principals, str) else principals:
                if ":role/" in principal:
                    return str(principal)
        return DOCUMENTED_PRINCIPAL
