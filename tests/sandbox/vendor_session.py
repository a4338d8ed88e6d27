"""A session of the cross-account role, as the control plane opens it, for calls that no stack would make."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from byoc.aws_models import core_session
from tests.sandbox.sandbox_world import CHAT, World

VENDOR = "arn:aws:iam::640174622193:role/HostBackendRoleProd"
DENIED = frozenset({"AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation"})


class VendorSession:
    """Clients under one session; it stays the same whatever becomes of the role."""

    def __init__(self, world: World, role: str = "LangGraphCloudBYOCRole") -> None:
        self._world = world
        external_id = world.workspace.deployment_config(CHAT).external_id
        assert external_id is not None
        answer = self._client("sts", world.client.control_plane(VENDOR).boto3).assume_role(
            RoleArn=f"arn:aws:iam::{world.account_id}:role/{role}",
            RoleSessionName="trying",
            ExternalId=external_id.get_secret_value(),
        )
        given = answer["Credentials"]
        self._keys = {
            "aws_access_key_id": given["AccessKeyId"],
            "aws_secret_access_key": given["SecretAccessKey"],
            "aws_session_token": given["SessionToken"],
        }

    def aws(self, service: str, region: str = "") -> Any:
        """A client of the session, which does not retry."""
        return self._client(service, self._keys, region)

    def _client(self, service: str, keys: Mapping[str, str | None], region: str = "") -> Any:
        return boto3.Session(botocore_session=core_session()).client(
            service,
            endpoint_url=self._world.client.endpoint,
            region_name=region or self._world.region,
            config=Config(retries={"total_max_attempts": 1}),
            **keys,
        )


def outcome(call: Callable[[], Any]) -> str:
    """``ok``, ``denied``, or the code of another error."""
    try:
        call()
    except ClientError as error:
        code = str(error.response["Error"]["Code"])
        return "denied" if code in DENIED else code
    return "ok"
