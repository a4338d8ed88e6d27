"""Calls that read an account, and what a person is told when one is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from byoc.errors import ByocError, InputError

_ABSENT = frozenset({"NoSuchEntity", "DBSubnetGroupNotFoundFault", "ClusterNotFoundException"})


def session_in(region: str) -> boto3.Session:
    """A session with the credentials that boto3 finds; raises ``InputError`` if its settings cannot be read."""
    try:
        return boto3.Session(region_name=region)
    except BotoCoreError as error:
        raise InputError(
            f"boto3 finds no credentials: {error}\n      mend it:  correct AWS_PROFILE and the files of the AWS CLI"
        ) from None


class Reading:
    """The account of one session, in its region. Nothing is called that changes something."""

    def __init__(self, session: boto3.Session) -> None:
        self._session = session
        self._clients: dict[str, Any] = {}

    @property
    def region(self) -> str:
        """The session's region."""
        return str(self._session.region_name)

    def answer(self, service: str, call: str, **arguments: Any) -> dict[str, Any]:  # noqa: ANN401 - of any AWS call
        """The answer of one reading call; raises ``LookupError`` if what it asks for is not there."""
        return dict(_told(f"{service}:{call}", lambda: getattr(self._client(service), call)(**arguments)))

    def all(self, service: str, call: str, key: str, **arguments: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401
        """What stands under ``key`` on all pages of an answer."""
        pages = self._client(service).get_paginator(call).paginate(**arguments)
        action = f"{service}:{call}"
        for page in _told(action, lambda: list(pages)):
            if not isinstance(page.get(key), list):  # AWS writes a list in which nothing stands
                raise ByocError(
                    f"the account cannot be scanned: {action}: half an answer: it lacks {key}; nothing was written\n"
                    "      mend it:  repeat it later"
                )
            yield from page[key]

    def _client(self, service: str) -> Any:  # noqa: ANN401 - boto3 clients are made at run time
        if service not in self._clients:
            self._clients[service] = self._session.client(service)
        return self._clients[service]


def _told(action: str, call: Callable[[], Any]) -> Any:  # noqa: ANN401 - answers of any AWS call
    """What a call answers. ``LookupError`` for what is not there; ``ByocError`` with the action for what went wrong."""
    try:
        return call()
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in _ABSENT:
            raise LookupError(code) from error
        raise ByocError(
            f"the account cannot be scanned: {action} answered {code}; nothing was written\n"
            "      mend it:  use credentials that may read IAM, EC2, ECS, RDS, Cloud Map and CloudWatch Logs, such as "
            "those with AWS's policy ReadOnlyAccess"
        ) from error
    except BotoCoreError as error:
        raise ByocError(
            f"the account cannot be scanned: {action}: {error}; nothing was written\n"
            "      mend it:  give boto3 credentials of the account and a way to AWS"
        ) from error


def pairs(found: Any) -> dict[str, str]:  # noqa: ANN401 - the list of tags of an answer, or nothing
    """Tags as most services write them, as a dictionary."""
    return {tag["Key"]: tag.get("Value", "") for tag in found or []}
