"""Requests to LangSmith's API, and what it says when it does not say yes.

The key goes to one host alone, no redirect is followed, and no key is in any message.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from urllib3 import BaseHTTPResponse
from urllib3.exceptions import (
    DecodeError,
    HTTPError,
    InvalidHeader,
    MaxRetryError,
    NewConnectionError,
    ProxyError,
    SSLError,
    TimeoutError,
)
from urllib3.util import Retry, Timeout

from byoc.errors import ByocError
from byoc.operations.langsmith.proxies import place, pool, proxy_of
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
"""Time limits of one attempt: for the connection, and for each silence."""
WHOLE_SECONDS = 60.0
"""How long one answer may take to come, however steadily it comes."""
MOST_BYTES = 16 * 1024 * 1024
"""Of one answer, unpacked; a page of a hundred projects has some hundred KiB."""
_PIECE = 64 * 1024
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
_VALUE = re.compile(r"[!-~]*")
"""What a key or an id may be made of. ``http.client`` repeats any other header's value in its error: it would show the
key."""


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
        _refuse_strange(key, workspace)
        self.host = urlsplit(endpoint).netloc
        self.root = api_root(endpoint)
        self._proxy = proxy_of(endpoint)
        self._pool = pool(self._proxy)
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
        if not _VALUE.fullmatch(workspace):
            raise self.senseless("a workspace whose id is none")
        if workspace:
            headers.setdefault("x-tenant-id", workspace)
        try:
            answer, text = self._answer(method, f"{self.root}{path}", fields=fields, json=body, headers=headers)
        except HTTPError as error:
            raise self._unreachable(error) from error
        if answer.status == HTTPStatus.CONFLICT:
            return answer.status, None
        if not HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
            raise self._refused(answer.status, answer.headers.get("location", ""))
        try:
            return answer.status, json.loads(text)
        except (ValueError, RecursionError):
            raise self.senseless("no JSON") from None

    def _answer(self, method: str, url: str, **question: Any) -> tuple[BaseHTTPResponse, bytes]:  # noqa: ANN401
        """The last answer of all attempts, with its content."""
        retries: Retry = _retries()
        while True:
            answer = None
            try:
                answer, text = self._attempt(method, url, **question)
                if not retries.total or not retries.is_retry(method, answer.status):
                    return answer, text
                retries = retries.increment(method, url, response=answer)
            except HTTPError as error:
                retries = retries.increment(method, url, error=error)
            retries.sleep(answer)

    def _attempt(self, method: str, url: str, **question: Any) -> tuple[BaseHTTPResponse, bytes]:  # noqa: ANN401
        ends = time.monotonic() + WHOLE_SECONDS
        timeout = Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS)
        answer = self._pool.request(
            method, url, **question, redirect=False, retries=False, timeout=timeout, preload_content=False
        )
        try:
            text = self._content(answer, ends)
        except BaseException:
            answer.close()  # what else comes is not wanted
            raise
        answer.release_conn()
        return answer, text

    def _content(self, answer: BaseHTTPResponse, ends: float) -> bytes:
        """The whole body, piece by piece as it comes: a time limit of the socket knows nothing of the whole."""
        pieces, size = [], 0
        while piece := answer.read1(_PIECE):
            pieces.append(piece)
            size += len(piece)
            if size > MOST_BYTES:
                raise self.senseless(f"more than {MOST_BYTES // 1024 // 1024} MiB at once")
            if time.monotonic() > ends:
                raise TimeoutError("the answer does not end")
        return b"".join(pieces)

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
        if isinstance(reason, DecodeError):
            return self.senseless("what cannot be unpacked")
        if isinstance(reason, ProxyError) and self._proxy is not None:
            return LangSmithError(
                f"the proxy {place(self._proxy)} does not let {self.host} through: {reason.original_error}",
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
        return f" through the proxy {place(self._proxy)}" if self._proxy is not None else ""


def _refuse_strange(key: str, workspace: str) -> None:
    if not _VALUE.fullmatch(key):
        raise LangSmithError(
            "the LangSmith key holds a line break, a space or another character that no key has",
            "copy it again: pulumi config set --secret byoc:langsmithApiKey …, then byoc up",
        )
    if not _VALUE.fullmatch(workspace):
        raise LangSmithError(
            "LANGSMITH_WORKSPACE_ID in environment holds a line break, a space or another character that no id has",
            "correct it, then byoc up",
        )


def api_root(endpoint: str) -> str:
    """What the API's versions follow: ``…/api``, whether ``endpoint`` ends with that, with ``/api/v1`` or neither."""
    root = endpoint.rstrip("/")
    for end in ("/api/v1", "/api"):
        if urlsplit(root).path.endswith(end):
            root = root.removesuffix(end)
            break
    return f"{root}/api"


class _Retries(Retry):
    """A ``Retry-After`` that cannot be read is none, and never a long one (urllib3's own bound came with 2.6.3)."""

    def get_retry_after(self, response: BaseHTTPResponse) -> float | None:
        """Seconds to wait; None if the answer does not say."""
        try:
            said = super().get_retry_after(response)
        except InvalidHeader:
            return None
        return None if said is None else min(said, LONGEST_PAUSE_SECONDS)


def _retries() -> Retry:
    return _Retries(
        total=ATTEMPTS - 1,
        other=0,  # a certificate does not become good by asking again
        allowed_methods=None,  # a project that is made twice is refused the second time
        status_forcelist=_BUSY,
        backoff_factor=PAUSE_SECONDS,
        backoff_jitter=PAUSE_SECONDS,
        backoff_max=LONGEST_PAUSE_SECONDS,
    )
