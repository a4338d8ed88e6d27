"""What is known about a deployment's use, from AWS and from LangSmith."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from byoc.errors import ByocError
from byoc.operations.answers import AbsentError, DeniedError
from byoc.operations.langsmith.project import (
    KEY,
    WORKSPACE,
    describe_environment,
    environment_secret,
    langsmith_of,
    project_name,
    read_environment,
    without_key,
)
from byoc.operations.retention.judge import Evidence, NotDeployed, NotKnown
from byoc.operations.retention.remains import remains
from byoc.operations.retention.running import read_running, why_not_told
from byoc.operations.retention_record import Record
from byoc.operations.targets import Target

_ELSEWHERE = (
    "HOSTED_LANGSERVE_PROJECT_NAME",
    "LANGCHAIN_RUNS_ENDPOINTS",
    "LANGCHAIN_SESSION",
    "LANGSMITH_AGENT_ENVIRONMENT",
    "LANGSMITH_AGENT_ID",
    "LANGSMITH_RUNS_ENDPOINTS",
    "LANGSMITH_SESSION",
)
"""Variables with which a server traces to another place or project (LangSmith SDK)."""
_BY_OTEL = ("LANGCHAIN_OTEL_ENABLED", "LANGCHAIN_OTEL_ONLY", "LANGSMITH_OTEL_ENABLED", "LANGSMITH_OTEL_ONLY")
"""Switches with which traces go where OpenTelemetry's own variables say, and with ``ONLY`` nowhere else (LangSmith SDK;
LangSmith docs: "Trace with OpenTelemetry")."""
_OFF = ("", "0", "false")
_SAMPLING = ("LANGCHAIN_TRACING_SAMPLING_RATE", "LANGSMITH_TRACING_SAMPLING_RATE")
"""Variables with which it traces some runs alone (LangSmith SDK)."""


class Clock:
    """The time here, and at AWS."""

    def now(self) -> datetime:
        """By this machine."""
        return datetime.now(UTC)

    def of(self, answer: Mapping[str, Any]) -> datetime | None:
        """What AWS said the time was when it gave an answer; None if it said nothing."""
        said = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
        try:
            return parsedate_to_datetime(said).astimezone(UTC) if said else None
        except ValueError:
            return None


@dataclass(frozen=True, kw_only=True)
class _Traces:
    project_created: datetime | NotKnown
    last: datetime | NotKnown | None


def read_evidence(target: Target, clock: Clock) -> Evidence | NotDeployed:
    """Everything that is known about a deployment; what cannot be asked is not known, with the reason."""
    try:
        answer = describe_environment(target)
    except AbsentError:
        return _without_secret(target, clock)
    except ByocError as error:
        return _nothing(clock.now(), _line(error))
    now, aws_now = clock.now(), clock.of(answer)
    traces = _traces(target)
    return Evidence(
        now=now,
        aws_now=aws_now or NotKnown(why="AWS did not say what time it is"),
        created=answer.get("CreatedDate") or NotKnown(why="AWS did not say when it was deployed"),
        project_created=traces.project_created,
        last_trace=traces.last,
        record=Record.of_tags(answer.get("Tags") or ()),
    )


def _without_secret(target: Target, clock: Clock) -> Evidence | NotDeployed:
    """What is not deployed has nothing else either; otherwise something broke off, and somebody has to see to it."""
    missing = f"there is no secret {environment_secret(target)}"
    try:
        left = remains(target)
    except ByocError as error:
        return _nothing(clock.now(), f"{missing}, and whether all of it is gone is not known: {_line(error)}")
    if not left:
        return NotDeployed(why=f"not deployed: {missing}")
    stack = target.stack
    why = (
        f"{missing}, but there is {', '.join(left)}: finish what broke off, by byoc destroy {stack} or byoc up {stack}"
    )
    return _nothing(clock.now(), why)


def _nothing(now: datetime, why: str) -> Evidence:
    unknown = NotKnown(why=why)
    return Evidence(
        now=now, aws_now=unknown, created=unknown, project_created=unknown, last_trace=unknown, record=unknown
    )


def _traces(target: Target) -> _Traces:
    try:
        return _asked(target)
    except AbsentError:
        why = "its secret went while it was read"
    except DeniedError as error:
        why = _line(ByocError(without_key(error)))
    except ByocError as error:
        why = _line(error)
    return _Traces(project_created=NotKnown(why=why), last=NotKnown(why=why))


def _asked(target: Target) -> _Traces:
    if not target.section.tracing.enabled:
        raise ByocError("tracing is off (tracing.enabled)")
    environment = _environment(target)
    langsmith, name = langsmith_of(target, environment), project_name(target)
    project = langsmith.project(name)
    if project is None:
        raise ByocError(f"the tracing project {name} is not there; make it with: byoc tracing {target.stack}")
    newest = langsmith.last_trace(project)
    moments = [moment for moment in (newest, project.last_run) if moment]
    return _Traces(
        project_created=project.created or NotKnown(why=f"LangSmith does not say when project {name} was made"),
        last=max(moments, default=None),
    )


def _environment(target: Target) -> Mapping[str, str]:
    """What the containers that run have of the ``environment`` secret; raises if it is not certain that they trace."""
    running = read_running(target)
    if why := why_not_told(running, target):
        raise ByocError(why)
    # Without a service nobody traces: what it would begin with is as good.
    found = [_version(target, version) for version in sorted({item.version for item in running}) or ("",)]
    if why := next((why for why in map(_untold, found) if why), ""):
        raise ByocError(why)
    if len({(held.get(KEY), held.get(WORKSPACE)) for held in found}) > 1:
        raise ByocError("its containers have several LangSmith keys: a roll-out is under way")
    return found[0]


def _version(target: Target, version: str) -> Mapping[str, str]:
    try:
        return read_environment(target, version)
    except AbsentError:
        if not version:
            raise
        why = f"the version of its secret that its containers have is gone ({version}); byoc up {target.stack}"
        raise ByocError(why) from None


def _untold(environment: Mapping[str, str]) -> str:
    """Why the tracing project does not hold every trace; empty if it does."""
    for name in _ELSEWHERE:
        if environment.get(name):
            return f"environment.{name} sends traces elsewhere"
    for name in _BY_OTEL:
        if environment.get(name, "").strip().lower() not in _OFF:
            return f"environment.{name} sends traces elsewhere"
    for name in _SAMPLING:
        if environment.get(name, "1") not in ("1", "1.0", ""):
            return f"environment.{name} leaves traces out"
    return ""


def _line(error: ByocError) -> str:
    """An error in one line."""
    return "; ".join(" ".join(line.split()) for line in str(error).splitlines())
