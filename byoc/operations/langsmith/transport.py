"""Requests to LangSmith's API, and what it says when it does not say yes.

The key goes to one host alone, no redirect is followed, and no key is in any message.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3
from urllib3 import BaseHTTPResponse
from urllib3.exceptions import (
    HTTPError,
    InvalidHeader,
    MaxRetryError,
    NewConnectionError,
    ProxyError,
    SSLError,
    TimeoutError,
)
from urllib3.util import Retry, Timeout, make_headers

from byoc.errors import ByocError, InputError
from byoc.version import __version__

ATTEMPTS = 4
"""Of one question, where LangSmith is busy or does not answer."""
PAUSE_SECONDS = 1.0
"""The second attempt comes at once; twice this passes before the third, and four times before the fourth, with up to
this of chance in addition. What ``Retry-After`` says goes first."""
LONGEST_PAUSE_SECONDS = 30
"""Before any attempt, whatever ``Retry-After`` says: who is to wait for longer is told to come again."""
CONNECT_SECONDS = 5.0
READ_SECONDS = 30.0
"""Time limits of one attempt."""
_BUSY = (
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.INTERNAL_SERVER_ERROR,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
)
_AGAIN = "repeat it later"
_NOT_HERE = (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.GONE)
"""What a LangSmith answers for a part of the API that it does not have, or not any more."""


class LangSmithError(ByocError):
    """LangSmith gave no answer, or one that says nothing. ``what`` and ``remedy`` are for people; no key is in them."""

    def __init__(self, what: str, remedy: str) -> None:
        self.what = what
        self.remedy = remedy
        super().__init__(f"{what}\n      mend it:  {remedy}")


class NotHereError(LangSmithError):
    """This LangSmith has no such part of the API."""


class Transport:
    """One LangSmith, as the holder of one key. Safe for many threads."""

    def __init__(self, endpoint: str, key: str, *, workspace: str = "") -> None:
        self.host = urlsplit(endpoint).netloc
        self.root = api_root(endpoint)
        self._proxy = _proxy_of(endpoint)
        self._pool = _pool(self._proxy)
        self._headers = {
            "x-api-key": key,
            "accept": "application/json",
            "user-agent": f"byoc/{__version__}",
            **({"x-tenant-id": workspace} if workspace else {}),
        }

    def __repr__(self) -> str:
        """Without the key."""
        return f"Transport({self.root})"

    def senseless(self, what: str) -> LangSmithError:
        """The error for an answer that says nothing."""
        return LangSmithError(
            f"{self.host} does not answer as LangSmith's API does: {what}",
            "see whether tracing.endpoint is a LangSmith",
        )

    def ask(
        self,
        method: str,
        path: str,
        *,
        fields: Mapping[str, str] | None = None,
        body: Mapping[str, object] | None = None,
        workspace: str = "",
    ) -> tuple[int, Any]:
        """Status and content of an answer that says something: one of success, or 409.

        ``workspace``: where the thing lies that is asked about, if the holder of the key named none.
        """
        headers = {**self._headers, **({"content-type": "application/json"} if body is not None else {})}
        if workspace:
            headers.setdefault("x-tenant-id", workspace)
        try:
            answer = self._pool.request(
                method,
                f"{self.root}{path}",
                fields=fields,
                json=body,
                headers=headers,
                redirect=False,
                retries=_retries(),
                timeout=Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS),
            )
        except HTTPError as error:
            raise self._unreachable(error) from error
        if answer.status == HTTPStatus.CONFLICT:
            return answer.status, None
        if not HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
            raise self._refused(answer.status, answer.headers.get("location", ""))
        try:
            return answer.status, answer.json()
        except ValueError:
            raise self.senseless("no JSON") from None

    def _refused(self, status: int, location: str) -> LangSmithError:
        if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            return LangSmithError(
                f"{self.host} does not take the key ({status})",
                "see whether it has expired, and whether tracing.endpoint is its region (us, eu or self-hosted); a key "
                "of a whole organization needs LANGSMITH_WORKSPACE_ID in environment",
            )
        if status < HTTPStatus.BAD_REQUEST:
            other = urlsplit(location).netloc or self.host
            return LangSmithError(
                f"{self.host} redirects to {other} ({status}); the key was not sent there",
                "if that is your LangSmith, write its URL as tracing.endpoint",
            )
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            return LangSmithError(f"{self.host} is too busy for this key ({status})", f"{_AGAIN}, with fewer stacks")
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return LangSmithError(f"{self.host} failed ({status})", _AGAIN)
        kind = NotHereError if status in _NOT_HERE else LangSmithError
        return kind(f"{self.host} does not answer as LangSmith's API does ({status})", "correct tracing.endpoint")

    def _unreachable(self, error: HTTPError) -> LangSmithError:
        reason = error.reason if isinstance(error, MaxRetryError) else error
        if isinstance(reason, SSLError):
            return LangSmithError(
                f"the certificate of {self.host} is not trusted, or TLS failed",
                "for a private authority: SSL_CERT_FILE=<its certificate>",
            )
        if isinstance(reason, ProxyError) and self._proxy is not None:
            return LangSmithError(
                f"the proxy {_place(self._proxy)} does not let {self.host} through: {reason.original_error}",
                "see HTTPS_PROXY, or name the host in NO_PROXY",
            )
        # urllib3 counts a refused connection among its time-outs.
        if isinstance(reason, TimeoutError) and not isinstance(reason, NewConnectionError):
            return LangSmithError(f"{self.host} did not answer in time{self._way}", _AGAIN)
        return LangSmithError(
            f"{self.host} cannot be reached{self._way}: {type(reason).__name__}",
            "see whether it can be reached from here",
        )

    @property
    def _way(self) -> str:
        return f" through the proxy {_place(self._proxy)}" if self._proxy is not None else ""


def api_root(endpoint: str) -> str:
    """What the API's versions follow: ``…/api``, whether ``endpoint`` ends with that, with ``/api/v1`` or neither."""
    root = endpoint.rstrip("/")
    for end in ("/api/v1", "/api"):
        if urlsplit(root).path.endswith(end):
            root = root.removesuffix(end)
            break
    return f"{root}/api"


class _Retries(Retry):
    """A ``Retry-After`` that cannot be read is none."""

    def get_retry_after(self, response: BaseHTTPResponse) -> float | None:
        """Seconds to wait; None if the answer does not say."""
        try:
            return super().get_retry_after(response)
        except InvalidHeader:
            return None


def _retries() -> Retry:
    return _Retries(
        total=ATTEMPTS - 1,
        other=0,  # a certificate does not become good by asking again
        redirect=0,
        allowed_methods=None,  # a project that is made twice is refused the second time
        status_forcelist=_BUSY,
        raise_on_status=False,
        raise_on_redirect=False,
        backoff_factor=PAUSE_SECONDS,
        backoff_jitter=PAUSE_SECONDS,
        backoff_max=LONGEST_PAUSE_SECONDS,
        retry_after_max=LONGEST_PAUSE_SECONDS,
    )


def _proxy_of(endpoint: str) -> SplitResult | None:
    """The proxy that the environment names for an endpoint (HTTPS_PROXY, unless NO_PROXY names the host)."""
    url = urlsplit(endpoint)
    named = None if proxy_bypass(url.netloc) else getproxies().get(url.scheme)
    if not named:
        return None
    proxy = urlsplit(named if "://" in named else f"http://{named}")  # as curl takes it
    if proxy.scheme not in ("http", "https") or not proxy.hostname:
        raise InputError(
            f"HTTPS_PROXY names a proxy by {proxy.scheme or 'no'} scheme\n"
            "      allowed:  http://host:port or https://host:port\n"
            "      mend it:  correct it, or name the host in NO_PROXY"
        )
    return proxy


def _pool(proxy: SplitResult | None) -> urllib3.PoolManager:
    if proxy is None:
        return urllib3.PoolManager(cert_reqs="CERT_REQUIRED")
    holder = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}" if proxy.username else None
    return urllib3.ProxyManager(
        f"{proxy.scheme}://{_place(proxy)}",
        proxy_headers=make_headers(proxy_basic_auth=holder) if holder else None,
        cert_reqs="CERT_REQUIRED",
    )


def _place(proxy: SplitResult) -> str:
    """Host and port, without who may use it."""
    return proxy.netloc.rpartition("@")[2]
