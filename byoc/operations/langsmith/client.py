"""The few calls of LangSmith's API that this library makes (LangSmith API reference: tracer sessions, query runs).

A project is a "session" there. Nothing here deletes or changes one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

from byoc.operations.langsmith.transport import NotHereError, Transport

PAGE = 100
"""Projects on a page, the most there are (LangSmith API reference)."""
MOST_PAGES = 50
"""An answer that goes on for longer is none."""
_BEFORE_ANY = datetime(2023, 1, 1, tzinfo=UTC)
"""Before LangSmith held anything."""
_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, kw_only=True)
class Project:
    """A tracing project. Times are in UTC; None where LangSmith says nothing."""

    id: str
    name: str
    created: datetime | None
    last_run: datetime | None
    """When the last run began, as the project itself tells; it may lag behind the runs."""
    workspace: str = ""
    """The id of the workspace that it lies in; empty where LangSmith says nothing."""


class LangSmith:
    """One LangSmith, as the holder of one key. Safe for many threads.

    ``endpoint`` is what traces are sent to (``https://api.smith.langchain.com``, ``https://host/api``); the API lies
    below it under ``/api``. ``workspace``: the id of the workspace, for a key that is good for several. TLS
    certificates are verified; ``SSL_CERT_FILE`` names a private authority. The proxy of the environment is used. The
    key goes to this host alone: no redirect is followed.
    """

    def __init__(self, endpoint: str, key: str, *, workspace: str = "") -> None:
        self._transport = Transport(endpoint, key, workspace=workspace)

    def __repr__(self) -> str:
        """Without the key."""
        return f"LangSmith({self._transport.root})"

    @property
    def host(self) -> str:
        """Who is asked, as ``host`` or ``host:port``."""
        return self._transport.host

    def project(self, name: str) -> Project | None:
        """The project of exactly this name; None if there is none."""
        return next((project for project in self._projects(name) if project.name == name), None)

    def create_project(self, name: str, description: str) -> Project | None:
        """Make a project; None if the name is taken."""
        status, body = self._transport.ask("POST", "/v1/sessions", body={"name": name, "description": description})
        return None if status == HTTPStatus.CONFLICT else self._project(body)

    def last_trace(self, project: Project) -> datetime | None:
        """When the newest run of a project began; None if LangSmith holds none.

        It holds no run for ever: those of the base tier for 14 days (LangSmith docs: "Data retention"). Any run counts,
        not roots alone: a caller that traces itself may hold the root.

        Both ways to ask are tried, where they are there, and a run that either tells of counts. The old one ends in the
        cloud on 31 January 2027, and self-hosted with v0.18; the new one needs v0.16 and SmithDB, a store that can be
        there without being in use (LangSmith docs: "Migrate to SmithDB-backed SDK methods").
        """
        told: list[datetime | None] = []
        missing: list[NotHereError] = []
        for ask in (self._last_in_v2, self._last_in_v1):
            try:
                told.append(ask(project))
            except NotHereError as error:
                missing.append(error)
        if not told:
            raise missing[0]
        return max((moment for moment in told if moment), default=None)

    def _last_in_v1(self, project: Project) -> datetime | None:
        """From all runs that there are, the newest first."""
        asked: dict[str, Any] = {"session": [project.id], "limit": 1, "order": "desc", "select": ["id", "start_time"]}
        for _ in range(MOST_PAGES):
            _, body = self._transport.ask("POST", "/v1/runs/query", body=asked)
            runs, cursors = self._of(body, "runs", list), self._of(body, "cursors", dict)
            if runs:
                return self._began(runs[0])
            if not cursors.get("next"):
                return None
            asked["cursor"] = cursors["next"]
        raise self._transport.senseless("pages without end")

    def _last_in_v2(self, project: Project) -> datetime | None:
        """From those since the project was made: by itself LangSmith would tell of one day.

        The newest comes first (LangSmith API reference: query runs, v2). Too much hangs on that to take it for granted:
        it is asked for later ones until there is none.
        """
        since, newest = project.created or _BEFORE_ANY, None
        asked: dict[str, Any] = {"project_ids": [project.id], "selects": ["ID", "START_TIME"], "page_size": PAGE}
        asked["min_start_time"] = _written(since)
        for _ in range(MOST_PAGES):
            _, body = self._transport.ask("POST", "/v2/runs/query", body=asked, workspace=project.workspace)
            began = [self._began(run) for run in self._of(body, "items", list)]
            if began and (newest is None or max(began) > newest):
                newest = max(began)
                asked = {**asked, "min_start_time": _written(_after(newest))}
                asked.pop("cursor", None)
            elif body.get("next_cursor"):  # also after a page of runs that are known: moments may be rounded
                asked["cursor"] = body["next_cursor"]
            else:
                return newest
        raise self._transport.senseless("pages without end")

    def _began(self, run: object) -> datetime:
        moment = self._time(run, "start_time")
        if moment is None:
            raise self._transport.senseless("a run without start_time")
        return moment

    def _projects(self, name: str) -> Iterator[Project]:
        for page in range(MOST_PAGES):
            fields = {"name": name, "limit": str(PAGE), "offset": str(page * PAGE)}
            _, body = self._transport.ask("GET", "/v1/sessions", fields=fields)
            if not isinstance(body, list):
                raise self._transport.senseless("projects that are no list")
            yield from map(self._project, body)
            if len(body) < PAGE:
                return
        raise self._transport.senseless("pages without end")

    def _project(self, item: object) -> Project:
        ran = [self._time(item, key) for key in ("last_run_start_time", "last_run_start_time_live")]
        return Project(
            id=self._of(item, "id", str),
            name=self._of(item, "name", str),
            created=self._time(item, "start_time"),
            last_run=max((moment for moment in ran if moment), default=None),
            workspace=str(item.get("tenant_id") or "") if isinstance(item, Mapping) else "",
        )

    def _time(self, item: object, key: str) -> datetime | None:
        """A moment; one without a zone is in UTC, as LangSmith writes them."""
        value = item.get(key) if isinstance(item, Mapping) else None
        if value is None:
            return None
        try:
            moment = datetime.fromisoformat(value)
            return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        except (TypeError, ValueError, OverflowError):  # the last: in UTC it would be before the year 1, or after 9999
            raise self._transport.senseless(f"{key} that is no time") from None

    def _of(self, item: object, key: str, kind: type[Any]) -> Any:  # noqa: ANN401 - as its caller says
        value = item.get(key) if isinstance(item, Mapping) else None
        if not isinstance(value, kind):
            raise self._transport.senseless(f"an answer without {key}")
        return value


def _after(moment: datetime) -> datetime:
    """The next moment that there is."""
    return min(moment, datetime.max.replace(tzinfo=UTC) - _INSTANT) + _INSTANT


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
