"""From the inputs of a provider resource to an AWS session, as the AWS provider configures itself."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from typing import Any, Protocol

from byoc.errors import ByocError
from byoc.sandbox.handlers.base import Properties
from byoc.sandbox.handlers.tagging import TAG_INPUTS
from byoc.sandbox.session import CallObserver, SandboxAws
from byoc.values import plain


class Cloud(Protocol):
    """Where the sandbox's AWS is, and the ambient identities that it lends."""

    @property
    def endpoint(self) -> str:
        """The emulator's URL."""

    def administrator(self, account_id: str) -> Mapping[str, str | None]:
        """boto3 credentials of an account's administrator."""

    def control_plane(self, role_arn: str) -> Mapping[str, str | None]:
        """boto3 credentials of the control plane that a role of the customer trusts."""


class Providers:
    """The configured providers of one run, by URN. Sessions are made when they are first needed."""

    def __init__(self, cloud: Cloud, run_id: str, on_call: CallObserver | None = None) -> None:
        self._cloud = cloud
        self._run_id = run_id
        self._on_call = on_call
        self._inputs: dict[str, dict[str, Any]] = {}
        self._sessions: dict[str, SandboxAws] = {}
        self._lock = threading.Lock()

    def configure(self, urn: str, inputs: Mapping[str, Any]) -> None:
        """Note a provider's inputs, as they stand in the program or in the state."""
        self._inputs[urn] = {key: _parsed(value) for key, value in plain(dict(inputs)).items()}

    def default_tags(self, urn: str) -> dict[str, str]:
        """The tags that the provider puts on everything taggable."""
        return dict(self._inputs[urn].get("defaultTags", {}).get("tags", {}))

    def without_ignored_tags(self, urn: str, inputs: Properties) -> Properties:
        """Inputs as they stand in AWS, without the tags that the provider is told to leave to others."""
        ignored = self._inputs[urn].get("ignoreTags", {})
        keys, prefixes = ignored.get("keys") or (), tuple(ignored.get("keyPrefixes") or ())

        def seen(tags: Mapping[str, str]) -> dict[str, str]:
            return {key: value for key, value in tags.items() if key not in keys and not key.startswith(prefixes)}

        return {key: seen(value) if value and key in TAG_INPUTS else value for key, value in inputs.items()}

    def session(self, urn: str) -> SandboxAws:
        """The session of a provider; raises ``ByocError`` if its role cannot be assumed or it is the wrong account."""
        with self._lock:
            found = self._sessions.get(urn)
            if found is None:
                is_aws = urn.split("::")[2].endswith("pulumi:providers:aws")
                found = self._configure_session(self._inputs[urn]) if is_aws else self._unconfigured_session()
                self._sessions[urn] = found
        return found

    def opened(self, urn: str) -> SandboxAws | None:
        """The session of a provider if it was needed already."""
        return self._sessions.get(urn)

    def _unconfigured_session(self) -> SandboxAws:
        """For a provider of another package: pulumi-random calls nobody."""
        nobody = {"aws_access_key_id": "nobody", "aws_secret_access_key": "nobody"}
        return SandboxAws(endpoint=self._cloud.endpoint, region="none", credentials=nobody, run_id=self._run_id)

    def _configure_session(self, inputs: Mapping[str, Any]) -> SandboxAws:
        region = inputs.get("region")
        if not region:
            raise ByocError("the AWS provider has no region: set byoc:region")
        roles = inputs.get("assumeRoles") or ([inputs["assumeRole"]] if inputs.get("assumeRole") else [])
        allowed = [str(account) for account in inputs.get("allowedAccountIds", [])]
        if roles:
            credentials = self._cloud.control_plane(roles[0]["roleArn"])
        elif allowed:
            credentials = self._cloud.administrator(allowed[0])
        else:
            raise ByocError("the AWS provider names no allowed account: set byoc:accountId")
        session = SandboxAws(
            endpoint=self._cloud.endpoint,
            region=region,
            credentials=credentials,
            run_id=self._run_id,
            on_call=self._on_call,
        )
        for role in roles:
            session = session.assume(
                role_arn=role["roleArn"],
                external_id=role.get("externalId"),
                session_name=role.get("sessionName") or "byoc",
            )
        if allowed and session.account_id not in allowed:
            raise ByocError(f"AWS account {session.account_id} is not allowed; byoc:accountId allows {allowed}")
        return session


def _parsed(value: Any) -> Any:  # noqa: ANN401 - property values are of any type
    """Provider inputs that are not strings travel as JSON text."""
    if isinstance(value, str) and value[:1] in ("{", "["):
        return json.loads(value)
    return value
