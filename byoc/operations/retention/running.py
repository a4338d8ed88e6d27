"""Where the containers that run send their traces: what was rolled out, which the config may be ahead of.

A config that was changed and not rolled out, or a roll-out that ECS took back, leaves containers that trace to another
project than the config names, or to none. Of the config's project alone they would look unused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from byoc.errors import ByocError
from byoc.operations.langsmith.project import project_name
from byoc.operations.langsmith.transport import api_root
from byoc.operations.revisions.definitions import Definition, definition
from byoc.operations.status.facts import Absent, Unknown
from byoc.operations.status.read import known, untold
from byoc.operations.targets import Target

_ROLES = ("api", "queue")
"""The services whose containers trace. Both are asked for: which of them runs is not the config's to say."""


@dataclass(frozen=True, kw_only=True)
class Running:
    """How the containers of one revision trace."""

    enabled: bool
    project: str
    endpoint: str
    version: str
    """Of the ``environment`` secret, which they are pinned to; empty where they use nothing of it."""


def read_running(target: Target) -> frozenset[Running]:
    """How the containers of a deployment trace; empty if there is no service.

    Raises ``ByocError`` where AWS does not say.
    """
    names = [target.names.service(target.deployment, role) for role in _ROLES]
    revisions = known(
        "ecs:DescribeServices",
        lambda: target.account.ask("ecs:DescribeServices", cluster=target.names.cluster, services=names),
        lambda answer: frozenset(_revisions(answer, names)),
    )
    return frozenset(_running(target, arn) for arn in certain(revisions) or ())


def why_not_told(found: Iterable[Running], target: Target) -> str:
    """Why the project that the config names does not hold all traces of these containers; empty if it does."""
    wanted = target.section.tracing
    for item in found:
        if not item.enabled:
            return f"its containers do not trace, though the config says so by now; roll it out: byoc up {target.stack}"
        if item.project != project_name(target) or api_root(item.endpoint) != api_root(wanted.endpoint_url):
            return (
                f"its containers trace to project {item.project} of {urlsplit(item.endpoint).netloc}, not to "
                f"{project_name(target)} of {urlsplit(wanted.endpoint_url).netloc} as the config says by now; "
                f"roll it out: byoc up {target.stack}"
            )
    return ""


def certain(answer: Any) -> Any:  # noqa: ANN401 - what was read, whatever it is
    """What AWS said, None if it is not there; raises ``ByocError`` where AWS does not say."""
    if isinstance(answer, Unknown):
        raise ByocError(answer.why)
    return None if isinstance(answer, Absent) else answer


def standing(answer: Mapping[str, Any], names: Iterable[str]) -> list[Mapping[str, Any]]:
    """The services of ``ecs:DescribeServices`` that are there; raises ``ByocError`` where it does not tell of one."""
    told = {service["serviceName"] for service in answer["services"]}
    for name in names:
        if name not in told and (why := untold(answer, name)):
            raise ByocError(f"ecs:DescribeServices: {why}")
    return [service for service in answer["services"] if service["status"] != "INACTIVE"]  # that is a deleted one


def _revisions(answer: Mapping[str, Any], names: Iterable[str]) -> Iterator[str]:
    """The task definitions that services are at, and those that containers are left of."""
    for service in standing(answer, names):
        yield service["taskDefinition"]
        for rollout in service.get("deployments") or ():
            if rollout.get("status") == "PRIMARY" or rollout.get("runningCount") or rollout.get("pendingCount"):
                yield rollout["taskDefinition"]


def _running(target: Target, arn: str) -> Running:
    described = known(
        "ecs:DescribeTaskDefinition",
        lambda: target.account.ask("ecs:DescribeTaskDefinition", taskDefinition=arn),
        definition,
    )
    found = certain(described)
    if found is None:
        raise ByocError(f"ecs:DescribeTaskDefinition: {arn.rpartition('/')[2]} is not there, though containers run it")
    return _of(found)


def _of(found: Definition) -> Running:
    versions = {version.version for version in found.versions if version.content == "environment"}
    if len(versions) > 1:
        raise ByocError(f"{found.family}:{found.number} holds several versions of its environment")
    return Running(
        enabled=found.environment.get("LANGCHAIN_TRACING_V2") == "true",
        project=found.environment.get("LANGSMITH_PROJECT", ""),
        endpoint=found.environment.get("LANGSMITH_ENDPOINT", ""),
        version=next(iter(versions), ""),
    )
