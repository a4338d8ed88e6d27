"""Sessions and clients of botocore: whose credentials, through which role, with what patience, and whose answers."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from botocore.config import Config
from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials
from botocore.exceptions import InvalidEndpointConfigurationError
from botocore.model import OperationModel
from botocore.parsers import ResponseParserError
from botocore.session import Session

from byoc.aws_models import core_session
from byoc.operations.answers import CredentialsError, told

ATTEMPTS = 5
"""Of one call, with botocore's pauses between them: exponential, up to 20 s, with full jitter ("standard" mode)."""
CONNECT_SECONDS = 5
READ_SECONDS = 30
"""Time limits of one attempt."""
CONNECTIONS = 32
"""Kept open per service: the most calls that run at once in one account."""
CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
    connect_timeout=CONNECT_SECONDS,
    read_timeout=READ_SECONDS,
    max_pool_connections=CONNECTIONS,
    user_agent_extra="byoc",
)
_MAKING = threading.RLock()
"""Clients are made one after another, so that each model is read once; that is work of the processor alone."""


@dataclass(frozen=True, kw_only=True)
class AssumedRole:
    """The role through which an account is reached."""

    role_arn: str
    external_id: str
    session_name: str = "byoc"

    def __repr__(self) -> str:
        """Without the external id, which is a secret."""
        return f"AssumedRole({self.role_arn})"


def find_credentials(profile: str | None, region: str, role: AssumedRole | None) -> Any:  # noqa: ANN401 - of botocore
    """The credentials of a profile (by default what botocore finds; None: none), or of a role assumed with them.

    The role is assumed with the first call, and again before its session ends: after an hour, which is also the most
    that AWS lets a role have that another role assumed. Raises as :func:`~byoc.operations.answers.told`.
    """
    base = _session(profile)
    if role is None:
        return base.get_credentials()
    source = told("sts:AssumeRole", base.get_credentials)
    if source is None:
        raise CredentialsError(
            "sts:AssumeRole", "there are no credentials to assume the role with", "name some: AWS_PROFILE"
        )
    fetcher = AssumeRoleCredentialFetcher(
        # The endpoint of the region: the call is logged, and can be told of, where the deployments are.
        lambda service, **more: make_client(session_with(source, profile), service, region, **more),
        source,
        role.role_arn,
        extra_args={"ExternalId": role.external_id, "RoleSessionName": role.session_name},
    )
    return DeferredRefreshableCredentials(lambda: told("sts:AssumeRole", fetcher.fetch_credentials), "assume-role")


def session_with(credentials: Any, profile: str | None) -> Session:  # noqa: ANN401 - of botocore
    """A session with these credentials; all else is as the profile says."""
    session = _session(profile)
    session._credentials = credentials  # no public way for those that are refreshed
    return session


def make_client(session: Session, service: str, region: str, **more: Any) -> Any:  # noqa: ANN401 - made at run time
    """A client by botocore's name of the service. Raises errors of botocore's alone."""
    session.get_credentials()  # may ask a program, or the machine's metadata: not while others wait
    try:
        with _MAKING:
            return session.create_client(service, region_name=region, config=CONFIG, **more)
    except ValueError as error:  # botocore has no error of its own for an AWS_ENDPOINT_URL that is no URL
        raise InvalidEndpointConfigurationError(msg=error) from error


def _session(profile: str | None) -> Session:
    session = core_session(profile)
    session.register("before-parse", refuse_what_is_not_of_aws)
    return session


def refuse_what_is_not_of_aws(operation_model: OperationModel, response_dict: Mapping[str, Any], **_: object) -> None:
    """Raise botocore's ``ResponseParserError`` for a good answer (HTTP 2xx) that broke off, or comes from a proxy.

    botocore takes JSON that it cannot read for an answer in which nothing stands, which would be: nothing is there.
    Of XML it takes any.
    """
    body, shape = response_dict["body"], operation_model.output_shape
    if response_dict["status_code"] >= HTTPStatus.MULTIPLE_CHOICES or shape is None or not isinstance(body, bytes):
        return
    protocol = operation_model.service_model.resolved_protocol
    if protocol in ("json", "rest-json") and body and "payload" not in shape.serialization:
        well = _is_object(body)
    elif protocol in ("query", "ec2"):
        well = str(shape.serialization.get("resultWrapper", f"{operation_model.name}Response")).encode() in body
    else:
        well = True
    if not well:
        raise ResponseParserError(f"{operation_model.name}: not an answer of AWS's")


def _is_object(body: bytes) -> bool:
    try:
        return isinstance(json.loads(body), dict)
    except ValueError:
        return False
