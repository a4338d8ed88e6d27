"""The few calls of LangSmith's API that this library makes (LangSmith API reference: tracer sessions, query runs).

A project is a "session" there. Nothing here deletes or changes one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3
from urllib3.exceptions import HTTPError, MaxRetryError, NewConnectionError, SSLError, TimeoutError
from urllib3.util import Retry, Timeout

from byoc.errors import ByocError
from byoc.version import __version__

ATTEMPTS = 4
"""Of one question, where LangSmith is busy or does not answer."""
PAUSE_SECONDS = 1.0
"""Before the second attempt; doubled each time, with as much again of chance. What ``Retry-After`` says goes first."""
LONGEST_PAUSE_SECONDS = 30
CONNECT_SECONDS = 5.0
READ_SECONDS = 30.0
"""Time limits of one attempt."""
PAGE = 100
"""Projects on a page, the most there are (LangSmith API reference)."""
MOST_PAGES = 50
"""An answer that goes on for longer is none."""
_BUSY = (
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.INTERNAL_SERVER_ERROR,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
)
_AGAIN = "repeat it later"


class LangSmithError(ByocError):
    """LangSmith gave no answer, or one that says nothing. ``what`` and ``remedy`` are for people; no key is in them."""

    def __init__(self, what: str, remedy: str) -> None:
        self.what = what
        self.remedy = remedy
        super().__init__(f"{what}\n      mend it:  {remedy}")


@dataclass(frozen=True, kw_only=True)
class Project:
    """A tracing project. Times are in UTC; None where LangSmith says nothing."""

    id: str
    name: str
    created: datetime | None
    last_run: datetime | None
    """When the last run began, as the project itself tells; it may lag behind the runs."""


class LangSmith:
    """One LangSmith, as the holder of one key. Safe for many threads.

    ``endpoint`` is what traces are sent to (``https://api.smith.langchain.com``, ``https://host/api``); the API lies
    below it under ``/api/v1``. ``workspace``: the id of the workspace, for a key that is good for several. TLS
    certificates are verified; ``SSL_CERT_FILE`` names a private authority. The proxy of the environment is used. The
    key goes to this host alone: no redirect is followed.
    """

    def __init__(self, endpoint: str, key: str, *, workspace: str = "") -> None:
        self.host = urlsplit(endpoint).netloc
        self._root = api_root(endpoint)
        self._pool = _pool(endpoint)
        self._headers = {
            "x-api-key": key,
            "accept": "application/json",
            "user-agent": f"byoc/{__version__}",
            **({"x-tenant-id": workspace} if workspace else {}),
        }

    def __repr__(self) -> str:
        """Without the key."""
        return f"LangSmith({self._root})"

    def project(self, name: str) -> Project | None:
        """The project of exactly this name; None if there is none."""
        return next((project for project in self._projects(name) if project.name == name), None)

    def create_project(self, name: str, description: str) -> Project | None:
        """Make a project; None if the name is taken."""
        status, body = self._ask("POST", "/sessions", body={"name": name, "description": description})
        return None if status == HTTPStatus.CONFLICT else self._project(body)

    def last_trace(self, project: Project) -> datetime | None:
        """When the newest run of a project began; None if LangSmith holds none.

        It holds no run for ever: those of the base tier for 14 days (LangSmith docs: "Data retention"). Any run counts,
        not roots alone: a caller that traces itself may hold the root.
        """
        asked: dict[str, Any] = {"session": [project.id], "limit": 1, "order": "desc", "select": ["id", "start_time"]}
        for _ in range(MOST_PAGES):
            _, body = self._ask("POST", "/runs/query", body=asked)
            runs, cursors = self._of(body, "runs", list), self._of(body, "cursors", dict)
            if runs:
                return self._time(runs[0], "start_time")
            if not cursors.get("next"):
                return None
            asked["cursor"] = cursors["next"]
        raise self._senseless("pages without end")

    def _projects(self, name: str) -> Iterator[Project]:
        for page in range(MOST_PAGES):
            fields = {"name": name, "limit": str(PAGE), "offset": str(page * PAGE)}
            _, body = self._ask("GET", "/sessions", fields=fields)
            if not isinstance(body, list):
                raise self._senseless("projects that are no list")
            yield from map(self._project, body)
            if len(body) < PAGE:
                return
        raise self._senseless("pages without end")

    def _project(self, item: object) -> Project:
        ran = [self._time(item, key) for key in ("last_run_start_time", "last_run_start_time_live")]
        return Project(
            id=self._of(item, "id", str),
            name=self._of(item, "name", str),
            created=self._time(item, "start_time"),
            last_run=max((moment for moment in ran if moment), default=None),
        )

    def _time(self, item: object, key: str) -> datetime | None:
        """A moment; one without a zone is in UTC, as LangSmith writes them."""
        value = item.get(key) if isinstance(item, Mapping) else None
        if value is None:
            return None
        try:
            moment = datetime.fromisoformat(value)
        except (TypeError, ValueError):
            raise self._senseless(f"{key} that is no time") from None
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)

    def _of(self, item: object, key: str, kind: type[Any]) -> Any:  # noqa: ANN401 - as its caller says
        value = item.get(key) if isinstance(item, Mapping) else None
        if not isinstance(value, kind):
            raise self._senseless(f"an answer without {key}")
        return value

    def _ask(
        self,
        method: str,
        path: str,
        *,
        fields: Mapping[str, str] | None = None,
        body: Mapping[str, object] | None = None,
    ) -> tuple[int, object]:
        """Status and content of an answer that says something: one of success, or 409."""
        try:
            answer = self._pool.request(
                method,
                f"{self._root}{path}",
                fields=fields,
                json=body,
                headers=self._headers if body is None else {**self._headers, "content-type": "application/json"},
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
            raise self._senseless("no JSON") from None

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
        return LangSmithError(
            f"{self.host} does not answer as LangSmith's API does ({status})", "correct tracing.endpoint"
        )

    def _unreachable(self, error: HTTPError) -> LangSmithError:
        reason = error.reason if isinstance(error, MaxRetryError) else error
        if isinstance(reason, SSLError):
            return LangSmithError(
                f"the certificate of {self.host} is not trusted, or TLS failed",
                "for a private authority: SSL_CERT_FILE=<its certificate>",
            )
        # urllib3 counts a refused connection among its time-outs.
        if isinstance(reason, TimeoutError) and not isinstance(reason, NewConnectionError):
            return LangSmithError(f"{self.host} did not answer in time", _AGAIN)
        return LangSmithError(
            f"{self.host} cannot be reached: {type(reason).__name__}", "see whether it can be reached from here"
        )

    def _senseless(self, what: str) -> LangSmithError:
        return LangSmithError(
            f"{self.host} does not answer as LangSmith's API does: {what}",
            "see whether tracing.endpoint is a LangSmith",
        )


def api_root(endpoint: str) -> str:
    """What the API's paths follow: ``…/api/v1``, whether ``endpoint`` ends with that, with ``/api`` or with neither."""
    root = endpoint.rstrip("/")
    for end in ("/api/v1", "/api"):
        if urlsplit(root).path.endswith(end):
            root = root.removesuffix(end)
            break
    return f"{root}/api/v1"


def _retries() -> Retry:
    return Retry(
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


def _pool(endpoint: str) -> urllib3.PoolManager:
    url = urlsplit(endpoint)
    proxy = None if proxy_bypass(url.netloc) else getproxies().get(url.scheme)
    if proxy:
        return urllib3.ProxyManager(proxy, cert_reqs="CERT_REQUIRED")
    return urllib3.PoolManager(cert_reqs="CERT_REQUIRED")
