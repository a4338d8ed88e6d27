"""What handlers of all services do alike with boto3: absence, pages, patience, one among many."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

from botocore.exceptions import ClientError

from byoc.errors import ByocError
from byoc.sandbox.handlers.base import Aws
from byoc.sandbox.handlers.meaning import same_json

T = TypeVar("T")

DELETE_PATIENCE = 60.0
"""Seconds for which a delete that AWS refuses because something still depends on it is repeated. The AWS provider
repeats for up to 20 minutes; in the sandbox a dependant goes within seconds or not at all."""
_MADE = itertools.count(1)


def unique_id() -> str:
    """A token as the AWS provider makes them: ``terraform-202611241503111234`` and eight digits of a counter.

    All begin alike: who shortens one, or cuts it, has to know (terraform-plugin-sdk, ``helper/id``).
    """
    now = datetime.now(UTC)
    return f"terraform-{now:%Y%m%d%H%M%S}{now.microsecond // 100:04d}{next(_MADE):08x}"


def code_of(error: ClientError) -> str:
    """The AWS error code, such as ``InvalidVpcID.NotFound``."""
    return str(error.response.get("Error", {}).get("Code", ""))


def found(call: Callable[[], T], *gone: str) -> T | None:
    """The answer of ``call``, or None if AWS answers with one of the error codes ``gone``."""
    try:
        return call()
    except ClientError as error:
        if code_of(error) in gone:
            return None
        raise


@contextmanager
def ignoring(*codes: str) -> Iterator[None]:
    """Pass over the AWS errors ``codes``: for deleting what may be gone, and for repeating what may be done."""
    try:
        yield
    except ClientError as error:
        if code_of(error) not in codes:
            raise


def persist(aws: Aws, what: str, call: Callable[[], object], *codes: str) -> None:
    """Repeat ``call`` while AWS answers with one of ``codes``; at the end of the patience its last error is raised."""
    errors: list[ClientError] = []

    def done() -> bool:
        try:
            call()
        except ClientError as error:
            if code_of(error) not in codes:
                raise
            errors.append(error)
            return False
        return True

    try:
        aws.wait(what, done, timeout=DELETE_PATIENCE)
    except TimeoutError:
        raise (errors[-1] if errors else TimeoutError(what)) from None


def paginate(client: Any, operation: str, key: str, **arguments: Any) -> list[Any]:  # noqa: ANN401 - boto3 has no types
    """Everything that a list operation gives under ``key``, over all its pages."""
    pages = client.get_paginator(operation).paginate(**arguments)
    return [item for page in pages for item in page.get(key, [])]


def first(items: Sequence[T]) -> T | None:
    """The first item, or None: for a describe by id, which gives one thing or none."""
    return items[0] if items else None


def single(ids: Sequence[str], what: str) -> str | None:
    """The only id, or None if there is none; with several a ``ByocError``, since a guess could adopt a stranger."""
    if len(ids) > 1:
        raise ByocError(
            f"cannot tell which {what} an interrupted run made: {', '.join(sorted(ids))} look alike\n"
            "      allowed:  at most one with these tags and properties\n"
            "      mend it:  delete those that nothing uses, then run again"
        )
    return ids[0] if ids else None


def as_written(wanted: object, got: str) -> str:
    """A document as the program wrote it, if AWS holds one that means the same; else as AWS holds it."""
    return wanted if isinstance(wanted, str) and same_json(wanted, got) else got


def present(**arguments: Any) -> dict[str, Any]:  # noqa: ANN401 - arguments of any AWS call
    """The arguments that are set: boto3 refuses None, and the AWS provider leaves out what is empty."""
    return {key: value for key, value in arguments.items() if value not in (None, "", [], {})}
