"""The secrets of a deployment: keys of their own, so that Pulumi encrypts them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, SecretStr

from byoc.config.environment import SecretEnvironment
from byoc.config.problems import refuse
from byoc.config.section import Section, setting


def _key(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if not 1 <= len(text) <= 4096 or not text.isascii() or not text.isprintable() or " " in text:
        raise refuse(
            "a key of 1 to 4,096 printable characters without spaces", "copy the key again, without line breaks"
        )
    return value


def _uri(schemes: tuple[str, ...], example: str) -> Callable[[SecretStr], SecretStr]:
    allowed = f"a URI that begins with {' or '.join(f'{scheme}://' for scheme in schemes)} and names a host"

    def check(value: SecretStr) -> SecretStr:
        text = value.get_secret_value()
        try:
            parts = urlsplit(text)
            fine = parts.scheme in schemes and bool(parts.hostname) and (parts.port is None or parts.port > 0)
        except ValueError:
            fine = False
        if not fine or len(text) > 4096 or not text.isprintable() or " " in text:
            raise refuse(allowed, f"write it as {example}; percent-encode what is special in the password")
        return value

    return check


_postgres = _uri(("postgres", "postgresql"), "postgresql://user:password@host:5432/database?sslmode=require")
_redis = _uri(("redis", "rediss"), "rediss://:password@host:6379/0")

SecretKey = Annotated[SecretStr, AfterValidator(_key)]


class DeploymentSecrets(Section):
    """Secrets of one deployment."""

    secret_environment: SecretEnvironment = setting(
        "Environment variables of the graphs, as a JSON object of names and values.", default={}, shown="none"
    )
    langsmith_api_key: SecretKey | None = setting(
        "LangSmith API key: for traces, and as licence in the cloud and hybrid forms.", default=None, shown="none"
    )
    license_key: SecretKey | None = setting("Licence key of a self-hosted server.", default=None, shown="none")
    postgres_uri_custom: Annotated[SecretStr, AfterValidator(_postgres)] | None = setting(
        "URI of a PostgreSQL database (15.8 or later) of your own. Then none is made, and none is ever deleted. "
        "Once set "
        "it must stay set; the value may change.",
        default=None,
        shown="a database is made",
    )
    redis_uri_custom: Annotated[SecretStr, AfterValidator(_redis)] | None = setting(
        "URI of a Redis (6 or 7) of your own. Then none is made. Once set it must stay set; the value may change.",
        default=None,
        shown="a Redis is made",
    )
