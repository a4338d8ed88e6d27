"""AWS sessions of the sandbox: whose credentials a provider uses, and how its calls are made and repeated.

A provider that assumes a role calls ``sts:AssumeRole`` as the control plane, with the external id, as the AWS provider
does; a provider that assumes none acts as the account's administrator.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, ConnectionError, ReadTimeoutError
from botocore.model import OperationModel

from byoc.aws_models import core_session
from byoc.errors import ByocError
from byoc.types import AwsAccount

CallObserver = Callable[[str, str], None]
"""Called with ``before`` or ``after``, and the action as ``service:Operation``."""

_POOL = 64
"""Connections per client: as many as the engine has threads."""
_IAM_PREFIXES = {"monitoring": "cloudwatch"}
"""Where a service signs its requests by another name than IAM knows it by."""
_THROTTLES = frozenset(
    {
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestLimitExceeded",
        "TooManyRequestsException",
        "RequestThrottled",
        "SlowDown",
        "LimitExceededException.Throttling",
    }
)


_DENIALS = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError"})


class SandboxAws:
    """One account, region and identity; implements :class:`byoc.sandbox.handlers.base.Aws`."""

    def __init__(
        self,
        *,
        endpoint: str,
        region: str,
        credentials: Mapping[str, str | None],
        run_id: str,
        on_call: CallObserver | None = None,
    ) -> None:
        """``credentials`` as boto3's session takes them: aws_access_key_id, aws_secret_access_key, aws_session_token.

        ``on_call`` is told of every request of this session, before it is sent and after its answer came.
        """
        self._session = boto3.Session(botocore_session=core_session(), region_name=region, **credentials)
        self._endpoint = endpoint
        self._run_id = run_id
        self._on_call = on_call
        self._clients: dict[tuple[str, bool], Any] = {}
        self._lock = threading.Lock()
        self._local = threading.local()
        self._account_id: str | None = None
        self.region = region

    @property
    def partition(self) -> str:
        """The region's partition."""
        return AwsAccount(account_id="", region=self.region).partition

    @property
    def account_id(self) -> str:
        """The account of the credentials, asked once (``sts:GetCallerIdentity``)."""
        if self._account_id is None:
            self._account_id = self.client("sts").get_caller_identity()["Account"]
        return self._account_id

    def client(self, service: str) -> Any:  # noqa: ANN401 - boto3 clients are made at run time
        """The client of a service; inside :meth:`unrepeated`, one that makes every call once only."""
        once = getattr(self._local, "once", False)
        key = (service, once)
        found = self._clients.get(key)
        if found is None:
            with self._lock:  # making clients of one session is not thread-safe
                found = self._clients.get(key)
                if found is None:
                    found = self._session.client(service, endpoint_url=self._endpoint, config=self._config(once))
                    found.meta.events.register("before-call", self._before_call)
                    found.meta.events.register("after-call", self._after_call)
                    self._clients[key] = found
        return found

    @property
    def last_action(self) -> str:
        """The action that this thread called last, as IAM names it; empty if it called none."""
        return getattr(self._local, "action", "")

    def _before_call(self, model: OperationModel, **_: object) -> None:
        signing_name = model.service_model.signing_name
        self._local.action = f"{_IAM_PREFIXES.get(signing_name, signing_name)}:{model.name}"
        if self._on_call is not None:
            self._on_call("before", self._local.action)

    def _after_call(self, **_: object) -> None:
        if self._on_call is not None:
            self._on_call("after", self.last_action)

    def _config(self, once: bool) -> Config:
        return Config(
            retries={"mode": "standard", "total_max_attempts": 1 if once else 12},
            max_pool_connections=_POOL,
            user_agent_extra=f"byoc-run/{self._run_id}",
            connect_timeout=5,
            read_timeout=60,
        )

    @contextmanager
    def unrepeated(self) -> Iterator[None]:
        """Within this block, calls of this thread are not repeated by botocore: the caller decides."""
        self._local.once = True
        try:
            yield
        finally:
            self._local.once = False

    def wait(self, what: str, ready: Callable[[], bool], *, timeout: float = 3600.0) -> None:
        """Call ``ready`` until it is true; pauses grow from 20 ms to 2 s."""
        deadline = time.monotonic() + timeout
        pause = 0.02
        while not ready():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{what}: not ready after {timeout:.0f} s")
            time.sleep(pause)
            pause = min(pause * 1.6, 2.0)

    def assume(self, *, role_arn: str, external_id: str | None, session_name: str) -> SandboxAws:
        """A session of a role, as the AWS provider assumes it. A denial becomes a :class:`ByocError` without the id."""
        arguments = {"RoleArn": role_arn, "RoleSessionName": session_name}
        if external_id is not None:
            arguments["ExternalId"] = external_id
        try:
            answer = self.client("sts").assume_role(**arguments)["Credentials"]
        except ClientError as error:
            sent = "with the external id of the config" if external_id is not None else "without an external id"
            raise ByocError(
                f"cannot assume {role_arn} {sent}: {error.response['Error']['Code']}\n"
                "      allowed:  the principal and external id that the account stack's trust policy names\n"
                "      mend it:  run the account stack first; compare byoc:externalId and byoc:namePrefix of the two"
            ) from error
        return SandboxAws(
            endpoint=self._endpoint,
            region=self.region,
            run_id=self._run_id,
            on_call=self._on_call,
            credentials={
                "aws_access_key_id": answer["AccessKeyId"],
                "aws_secret_access_key": answer["SecretAccessKey"],
                "aws_session_token": answer["SessionToken"],
            },
        )


def is_throttle(error: BaseException) -> bool:
    """Whether AWS refused a call for its rate; it was not carried out."""
    return isinstance(error, ClientError) and error.response["Error"]["Code"] in _THROTTLES


def is_denied(error: BaseException) -> bool:
    """Whether a policy stood in the way of a call."""
    return isinstance(error, ClientError) and error.response["Error"]["Code"] in _DENIALS


def is_ambiguous(error: BaseException) -> bool:
    """Whether a call may or may not have been carried out: a server error, or no answer at all."""
    if isinstance(error, ClientError):
        return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)) >= 500
    return isinstance(error, ConnectionError | ConnectionClosedError | ReadTimeoutError)
