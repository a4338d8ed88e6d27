"""What is done with one resource through its handler, whoever keeps the record of it: our engine or Pulumi's.

A create call that may or may not have been carried out (a server error, a lost answer) is never repeated blindly: the
handler is asked to ``find`` what it may have made.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from byoc.errors import ByocError
from byoc.sandbox.handlers.base import DEFAULTED, Handler, Properties
from byoc.sandbox.session import SandboxAws, is_ambiguous, is_denied, is_throttle
from byoc.values import contains_secret, contains_unknown

_CREATE_ATTEMPTS = 12


def checked(
    handler: Handler, name: str, inputs: Properties, old: Properties | None, default_tags: Mapping[str, str]
) -> Properties:
    """The inputs with the provider's defaults, name and tags filled in; raises ``ValueError`` on wrong ones."""
    inputs = dict(inputs)
    if handler.taggable:
        inputs["tagsAll"] = {**default_tags, **(inputs.get("tags") or {})}
    return handler.check(name, inputs, old)


def make(handler: Handler, aws: SandboxAws, inputs: Properties) -> str:
    """Carry out the create call, or find what an unanswered one has made; returns the id."""
    for attempt in range(_CREATE_ATTEMPTS):
        try:
            with aws.unrepeated():
                return handler.create(aws, inputs)
        except Exception as error:
            last = attempt == _CREATE_ATTEMPTS - 1
            if last or not (is_throttle(error) or is_ambiguous(error)):
                raise
            # Also after a throttle: a create of several calls may have got past the one that makes the thing.
            if (found := handler.find(aws, inputs)) is not None:
                return found
            time.sleep(random.uniform(0.02, 0.05) * 2 ** min(attempt, 6))  # noqa: S311 - jitter
    raise AssertionError("unreachable: the last attempt raises")


def outputs_of(handler: Handler, aws: SandboxAws, id: str, inputs: Properties) -> Properties | None:
    """The resource's outputs: its inputs, and over them what is read from AWS; None when it is gone."""
    read = handler.read(aws, id, inputs)
    return None if read is None else without_defaulted({**inputs, **read})


def outputs_now(handler: Handler, aws: SandboxAws, name: str, id: str, inputs: Properties) -> Properties:
    """:func:`outputs_of` for a resource that was just made or changed; raises ``ByocError`` when it is gone."""
    found = outputs_of(handler, aws, id, inputs)
    if found is None:
        raise ByocError(
            f"'{name}' ({id}) is not in the account any more\n"
            "      mend it:  take it out of the stack ('pulumi refresh' with the CLI), then run again"
        )
    return found


def remove(handler: Handler, aws: SandboxAws, id: str, state: Properties) -> None:
    """Delete the resource; ``state`` are its inputs and outputs. One that is gone already is no error."""
    try:
        handler.delete(aws, id, state)
    except ClientError as error:
        # A policy that goes by tags denies the repeated deletion of what is gone, and with it its tags.
        if not is_denied(error) or handler.read(aws, id, state) is not None:
            raise


def foreseen(
    handler: Handler, inputs: Properties, before: Properties | None = None, changed: Iterable[str] = ()
) -> Properties:
    """What a preview can say of the outputs; what it leaves out is unknown. ``before``: those of what is updated."""
    wanted = without_defaulted({key: value for key, value in inputs.items() if not contains_unknown(value)})
    if before is None:
        return wanted
    unknown = {key for change in changed for key in handler.recomputed.get(change, ())}
    unknown |= {key for key, value in inputs.items() if contains_unknown(value)}
    return {key: value for key, value in {**before, **wanted}.items() if key not in unknown}


def secret_keys(inputs: Mapping[str, Any]) -> frozenset[str]:
    """The inputs that hold a secret anywhere, and what is derived of them."""
    keys = {key for key, value in inputs.items() if contains_secret(value)}
    return frozenset(keys | {"tagsAll"} if "tags" in keys else keys)


def without_defaulted(properties: Properties) -> Properties:
    """The properties without the note on which inputs were made up."""
    return {key: value for key, value in properties.items() if key != DEFAULTED}
