"""The environment of the server's processes: what is set, to what, and which of it is kept secret. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from byoc import sizing
from byoc.components.spec import CreateDatabase, DeploymentSpec
from byoc.config.environment import name_finding
from byoc.errors import ByocError, Problem

PORT = 8000
"""Where both the API and the queue worker answer (LangGraph docs)."""
STOP_TIMEOUT_SECONDS = 120
"""How long a container may take to stop; more than that Fargate does not give (AWS docs: ``stopTimeout``)."""
DEFAULT_JOBS_PER_WORKER = 10
"""Background runs at once in one container (LangGraph docs: ``N_JOBS_PER_WORKER``)."""

CONNECTION_KEYS = ("DATABASE_URI", "REDIS_URI")
"""The variables that come from the deployment's ``connections`` secret."""


@dataclass(frozen=True, kw_only=True)
class ProcessEnvironment:
    """What one kind of container gets: plain values, and names of values from the ``environment`` secret."""

    plain: Mapping[str, pulumi.Input[str]]
    secret_names: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ServerEnvironment:
    """The environment of a deployment.

    ``secret`` is the content of its ``environment`` secret: everything that the user set, and every key. ``queue`` is
    None where the API's containers run background runs themselves.
    """

    secret: Mapping[str, pulumi.Input[str]]
    api: ProcessEnvironment
    queue: ProcessEnvironment | None


def server_environment(spec: DeploymentSpec) -> ServerEnvironment:
    """The environment that a deployment's spec asks for.

    What the user sets goes before a default of the same name (``N_JOBS_PER_WORKER``). Raises ``ByocError`` for a
    reserved name, which the config refuses as well, and for a grace that Fargate would cut short.
    """
    _refuse_reserved(spec)
    _refuse_long_grace(spec)
    user = {**spec.environment, **spec.secret_environment}
    secret = {**user, **_keys(spec)}
    plain = {name: value for name, value in _settings(spec).items() if name not in user}
    worker = _process(plain, secret)
    if spec.queue is None:
        return ServerEnvironment(secret=secret, api=worker, queue=None)
    api = _process(
        {**plain, "N_JOBS_PER_WORKER": "0"}, {key: value for key, value in secret.items() if key != "N_JOBS_PER_WORKER"}
    )
    return ServerEnvironment(secret=secret, api=api, queue=worker)


def _process(plain: Mapping[str, pulumi.Input[str]], secret: Mapping[str, pulumi.Input[str]]) -> ProcessEnvironment:
    return ProcessEnvironment(plain={name: plain[name] for name in sorted(plain)}, secret_names=tuple(sorted(secret)))


def _keys(spec: DeploymentSpec) -> dict[str, pulumi.Input[str]]:
    keys: dict[str, pulumi.Input[str]] = {}
    if spec.tracing is not None and spec.tracing.api_key is not None:
        keys["LANGSMITH_API_KEY"] = spec.tracing.api_key
    if spec.license_key is not None:
        keys["LANGGRAPH_CLOUD_LICENSE_KEY"] = spec.license_key
    return keys


def _settings(spec: DeploymentSpec) -> dict[str, pulumi.Input[str]]:
    settings: dict[str, pulumi.Input[str]] = {
        "PORT": str(PORT),
        "LOG_JSON": "true",
        "N_JOBS_PER_WORKER": str(DEFAULT_JOBS_PER_WORKER),
        "BG_JOB_SHUTDOWN_GRACE_PERIOD_SECS": str(spec.shutdown_grace_seconds),
        "LANGCHAIN_TRACING_V2": "true" if spec.tracing is not None and spec.tracing.enabled else "false",
    }
    if spec.tracing is not None:
        settings["LANGSMITH_ENDPOINT"] = spec.tracing.endpoint
        if spec.tracing.enabled:
            settings["LANGSMITH_PROJECT"] = spec.tracing.project
    pool = pool_size(spec)
    if pool is not None:
        settings["LANGGRAPH_POSTGRES_POOL_MAX_SIZE"] = str(pool)
    if spec.mount_prefix is not None:
        settings["MOUNT_PREFIX"] = spec.mount_prefix
    if spec.log_level is not None:
        settings["LOG_LEVEL"] = spec.log_level
    return settings


def pool_size(spec: DeploymentSpec) -> int | None:
    """The connections that one container may open; None leaves it to the server (150, LangGraph docs).

    For a database of our own it is computed so that all containers together stay under what the class allows, even in
    the middle of a rolling update; for somebody else's database its class is not known.
    """
    database = spec.database
    if database.pool_size is not None or not isinstance(database, CreateDatabase):
        return database.pool_size
    tasks = sizing.most_tasks(spec.size.max_containers, spec.queue.max_containers if spec.queue else 0)
    return sizing.pool_size(database.instance_class, tasks)


def _refuse_reserved(spec: DeploymentSpec) -> None:
    problems = [
        Problem(
            key=f"{source}.{name}",
            value="[secret]" if source == "secretEnvironment" else "set",
            allowed=finding.allowed,
            remedy=finding.remedy,
        )
        for source, given in (("environment", spec.environment), ("secretEnvironment", spec.secret_environment))
        for name in given
        if (finding := name_finding(name)) is not None
    ]
    if problems:
        blocks = "\n".join(problem.render() for problem in problems)
        raise ByocError(f"deployment {spec.name}: environment variables that cannot be set\n{blocks}")


def _refuse_long_grace(spec: DeploymentSpec) -> None:
    if not 0 <= spec.shutdown_grace_seconds < STOP_TIMEOUT_SECONDS:
        problem = Problem(
            key="shutdownGraceSeconds",
            value=str(spec.shutdown_grace_seconds),
            allowed=f"0 to {STOP_TIMEOUT_SECONDS - 1}: Fargate stops a container after {STOP_TIMEOUT_SECONDS} seconds",
            remedy="give less; a background run that is not done by then is taken up by another container",
        )
        raise ByocError(f"deployment {spec.name}: the shutdown grace is too long\n{problem.render()}")
