"""One account in one region, as one principal: the only place of this room that makes sessions and clients."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials

from byoc.errors import InputError
from byoc.operations.answers import AskingError, told
from byoc.types import AwsAccount

ATTEMPTS = 5
"""Of one call, with botocore's pauses between them: exponential, up to 20 s, with full jitter ("standard" mode)."""
CONNECT_SECONDS = 5
READ_SECONDS = 30
"""Time limits of one attempt."""
CONNECTIONS = 32
"""Kept open per service: the most calls that run at once in one account."""
_CLIENTS: Mapping[str, str] = {
    "elasticloadbalancing": "elbv2",
    "servicequotas": "service-quotas",
    "tag": "resourcegroupstaggingapi",
}
"""boto3's name of a service where it is not IAM's."""


@dataclass(frozen=True, kw_only=True)
class AssumedRole:
    """The role through which an account is reached."""

    role_arn: str
    external_id: str
    session_name: str = "byoc"

    def __repr__(self) -> str:
        """Without the external id, which is a secret."""
        return f"AssumedRole({self.role_arn})"


class Account:
    """Answers of AWS, asked by IAM action: ``account.ask("ecs:DescribeServices", cluster=…)``.

    Safe for many threads. ``profile``: of the AWS CLI's files; by default what boto3 finds (environment, profile,
    instance role). ``AWS_ENDPOINT_URL`` is honoured, by botocore. A role is assumed with the first call, and again
    before its hour is over.
    """

    def __init__(self, account: AwsAccount, *, role: AssumedRole | None = None, profile: str | None = None) -> None:
        self.account = account
        self.role = role
        self._profile = profile
        self._lock = threading.RLock()
        self._session: boto3.Session | None = None
        self._clients: dict[tuple[str, str], Any] = {}

    def ask(self, action: str, *, region: str | None = None, **arguments: Any) -> dict[str, Any]:  # noqa: ANN401
        """The answer of the call that an IAM action is named after; errors as :func:`~byoc.operations.answers.told`."""
        client, method = self._bound(action, region)
        answer: dict[str, Any] = told(action, lambda: getattr(client, method)(**arguments))
        return answer

    def all(self, action: str, key: str, *, region: str | None = None, **arguments: Any) -> Iterator[Any]:  # noqa: ANN401
        """What stands under ``key`` on all pages of an answer, page by page; errors as :meth:`ask`."""
        client, method = self._bound(action, region)
        if not client.can_paginate(method):
            yield from self.ask(action, region=region, **arguments).get(key) or []
            return
        pages = iter(client.get_paginator(method).paginate(**arguments))
        while (page := told(action, lambda: next(pages, None))) is not None:
            yield from page.get(key) or []

    def require_right_account(self) -> str:
        """Who is asking, as STS says; raises ``InputError`` if the credentials are of another account."""
        identity = self.ask("sts:GetCallerIdentity")
        if identity["Account"] != self.account.account_id:
            raise InputError(
                f"the credentials are of account {identity['Account']}\n"
                f"      allowed:  credentials of account {self.account.account_id}, as byoc:accountId says\n"
                "      mend it:  choose another profile (--profile, AWS_PROFILE), or correct byoc:accountId"
            )
        return str(identity["Arn"])

    def reopen(self) -> None:
        """Read credentials anew with the next call: those that were read before have expired."""
        with self._lock:
            self._session = None
            self._clients.clear()

    def _bound(self, action: str, region: str | None) -> tuple[Any, str]:
        service, _, operation = action.partition(":")
        client = self.client(service, region)
        methods = {name: method for method, name in client.meta.method_to_api_mapping.items()}
        return client, methods[operation]

    def client(self, service: str, region: str | None = None) -> Any:  # noqa: ANN401 - boto3 clients are made at run time
        """A client by the service's name in IAM actions."""
        where = region or self.account.region
        with self._lock:
            if (service, where) not in self._clients:
                self._clients[service, where] = self._opened().client(
                    _CLIENTS.get(service, service), region_name=where, config=CONFIG
                )
            return self._clients[service, where]

    def _opened(self) -> boto3.Session:
        if self._session is None:
            base = told("sts:GetCallerIdentity", self._base)
            self._session = base if self.role is None else self._assumed(base, self.role)
        return self._session

    def _base(self) -> boto3.Session:
        return boto3.Session(profile_name=self._profile, region_name=self.account.region)

    def _assumed(self, base: boto3.Session, role: AssumedRole) -> boto3.Session:
        source = base.get_credentials()
        if source is None:
            raise AskingError(
                "sts:AssumeRole", "there are no credentials to assume the role with", "name some: AWS_PROFILE"
            )
        fetcher = AssumeRoleCredentialFetcher(
            # The endpoint of the region: the call is logged, and can be told of, where the deployments are.
            lambda service, **more: base.client(service, region_name=self.account.region, config=CONFIG, **more),
            source,
            role.role_arn,
            extra_args={"ExternalId": role.external_id, "RoleSessionName": role.session_name},
        )
        inner = botocore.session.Session(profile=self._profile)
        inner._credentials = DeferredRefreshableCredentials(  # no public way
            lambda: told("sts:AssumeRole", fetcher.fetch_credentials), "assume-role"
        )
        return boto3.Session(botocore_session=inner, region_name=self.account.region)


CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
    connect_timeout=CONNECT_SECONDS,
    read_timeout=READ_SECONDS,
    max_pool_connections=CONNECTIONS,
    user_agent_extra="byoc",
)
