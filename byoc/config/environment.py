"""Environment variables of the server: which names are free, and how much fits."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Annotated

from pydantic import AfterValidator, SecretStr

from byoc.config.problems import Finding, refuse_if

RESERVED_NAMES = frozenset(
    {
        "LANGCHAIN_TRACING_V2",
        "LANGSMITH_TRACING_V2",
        "LANGCHAIN_ENDPOINT",
        "LANGCHAIN_PROJECT",
        "LANGSMITH_PROJECT",
        "LANGSMITH_LANGGRAPH_GIT_REPO",
        "LANGGRAPH_GIT_REPO_PATH",
        "LANGCHAIN_API_KEY",
        "LANGSMITH_CONTROL_PLANE_API_KEY",
        "POSTGRES_URI",
        "POSTGRES_PASSWORD",
        "DATABASE_URI",
        "LANGSMITH_LANGGRAPH_GIT_REF",
        "LANGSMITH_LANGGRAPH_GIT_REF_SHA",
        "LANGGRAPH_AUTH_TYPE",
        "LANGSMITH_AUTH_ENDPOINT",
        "LANGSMITH_TENANT_ID",
        "LANGSMITH_AUTH_VERIFY_TENANT_ID",
        "LANGSMITH_HOST_PROJECT_ID",
        "LANGSMITH_HOST_PROJECT_NAME",
        "LANGSMITH_HOST_REVISION_ID",
        "LOG_JSON",
        "LOG_DICT_TRACEBACKS",
        "REDIS_URI",
        "LANGCHAIN_CALLBACKS_BACKGROUND",
        "DD_TRACE_PSYCOPG_ENABLED",
        "DD_TRACE_REDIS_ENABLED",
        "LANGSMITH_DEPLOYMENT_NAME",
        "LANGGRAPH_CLOUD_LICENSE_KEY",
        "LANGSMITH_API_KEY",
        "LANGSMITH_ENDPOINT",
        "POSTGRES_URI_CUSTOM",
        "REDIS_URI_CUSTOM",
        "PATH",
        "PORT",
        "MOUNT_PREFIX",
    }
)
"""Names that the control plane sets itself and refuses from users (LangGraph docs: environment variables)."""

OWN_NAMES = frozenset(
    {"LANGGRAPH_POSTGRES_POOL_MAX_SIZE", "BG_JOB_SHUTDOWN_GRACE_PERIOD_SECS", "LOG_LEVEL", "REDIS_PASSWORD"}
)
"""Names that this library sets beside the reserved ones, from settings of its own."""

_SETTINGS = {
    "LANGCHAIN_API_KEY": "langsmithApiKey",
    "LANGSMITH_API_KEY": "langsmithApiKey",
    "LANGGRAPH_CLOUD_LICENSE_KEY": "licenseKey",
    "POSTGRES_URI": "postgresUriCustom",
    "DATABASE_URI": "postgresUriCustom",
    "POSTGRES_URI_CUSTOM": "postgresUriCustom",
    "REDIS_URI": "redisUriCustom",
    "REDIS_URI_CUSTOM": "redisUriCustom",
    "LANGCHAIN_ENDPOINT": "tracing.endpoint",
    "LANGSMITH_ENDPOINT": "tracing.endpoint",
    "LANGCHAIN_PROJECT": "tracing.project",
    "LANGSMITH_PROJECT": "tracing.project",
    "LANGCHAIN_TRACING_V2": "tracing.enabled",
    "LANGSMITH_TRACING_V2": "tracing.enabled",
    "MOUNT_PREFIX": "mountPrefix",
    "LOG_LEVEL": "logLevel",
    "LANGGRAPH_POSTGRES_POOL_MAX_SIZE": "database.poolSize",
    "BG_JOB_SHUTDOWN_GRACE_PERIOD_SECS": "shutdownGraceSeconds",
}

MOST_BYTES = 60 * 1024
"""Bytes of all names and values together: a secret holds 65,536 (AWS docs: Secrets Manager quotas), and 4 KiB of them
are left to what this library adds."""
MOST_VARIABLES = 200
"""Each variable costs some 250 bytes in the task definition, of which ECS takes 64 KiB (AWS docs: ECS
service quotas)."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,254}", re.ASCII)
_NAME_TEXT = "a name of letters, digits and underscores that does not begin with a digit"


def name_finding(name: str) -> Finding | None:
    """Why ``name`` may not be set, or ``None``."""
    if _NAME.fullmatch(name) is None:
        return Finding(at=(name,), allowed=_NAME_TEXT, remedy="rename the variable")
    if name in RESERVED_NAMES or name in OWN_NAMES:
        owner = _SETTINGS.get(name)
        remedy = f"set {owner} instead" if owner else "remove it: the deployment sets it by itself"
        return Finding(at=(name,), allowed="names that are not reserved", remedy=remedy)
    return None


def _names(values: Iterable[str]) -> list[Finding]:
    return [finding for name in values if (finding := name_finding(name)) is not None]


def _value_finding(name: str, value: str) -> Finding | None:
    try:
        fine = "\0" not in value and value.encode() is not None
    except UnicodeEncodeError:
        fine = False
    if fine:
        return None
    return Finding(at=(name,), allowed="text without null characters", remedy="encode the value, such as in base64")


def _plain(values: Mapping[str, str]) -> Mapping[str, str]:
    found = [_value_finding(name, value) for name, value in values.items()]
    refuse_if([*_names(values), *(finding for finding in found if finding is not None)])
    return values


def _secret(values: Mapping[str, SecretStr]) -> Mapping[str, SecretStr]:
    found = [_value_finding(name, value.get_secret_value()) for name, value in values.items()]
    refuse_if([*_names(values), *(finding for finding in found if finding is not None)])
    return values


Environment = Annotated[dict[str, str], AfterValidator(_plain)]
SecretEnvironment = Annotated[dict[str, SecretStr], AfterValidator(_secret)]


def _size(values: Mapping[str, str]) -> int:
    """Bytes of names and values."""
    return sum(len(name.encode()) + len(value.encode()) for name, value in values.items())


def environment_findings(
    environment: Mapping[str, str],
    secret_environment: Mapping[str, SecretStr],
    *,
    place: tuple[str | int, ...],
    secret_place: tuple[str | int, ...],
) -> list[Finding]:
    """What only both kinds of variables together tell: a name set twice, too many, too large.

    ``place`` and ``secret_place`` are the paths of the two keys.
    """
    findings = [
        Finding(
            key=(*secret_place, name),
            allowed="each name either in environment or in secretEnvironment",
            remedy="remove it from one of them",
            got="[secret]",
        )
        for name in sorted(environment.keys() & secret_environment.keys())
    ]
    plain = _size(environment)
    secret = _size({name: value.get_secret_value() for name, value in secret_environment.items()})
    if plain + secret > MOST_BYTES:
        findings.append(
            Finding(
                key=place if plain >= secret else secret_place,
                got=f"{plain + secret} bytes of names and values in environment and secretEnvironment",
                allowed=f"at most {MOST_BYTES} bytes (a secret of AWS Secrets Manager holds 64 KiB)",
                remedy="move large values into files of the image or into an S3 object that the graph reads",
            )
        )
    number = len(environment.keys() | secret_environment.keys())
    if number > MOST_VARIABLES:
        findings.append(
            Finding(
                key=place if 2 * len(environment) >= number else secret_place,
                got=f"{number} variables in environment and secretEnvironment",
                allowed=f"at most {MOST_VARIABLES} variables (an ECS task definition holds 64 KiB)",
                remedy="put several values into one variable, as JSON",
            )
        )
    return findings
