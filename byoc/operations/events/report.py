"""What happened to many deployments, merged in time, as one JSON object."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from byoc.errors import InputError
from byoc.operations.account import Account
from byoc.operations.events.read import Story, read_story
from byoc.operations.many import AT_ONCE, each
from byoc.operations.status.report import Ways
from byoc.operations.targets import Accounts, Stack, Target, targets
from byoc.operations.times import iso

Document = dict[str, Any]


def read_events(
    stacks: Sequence[Stack],
    accounts: Accounts,
    since: datetime,
    *,
    profile: str | None = None,
    at_once: int = AT_ONCE,
) -> Document:
    """``deployments`` that were asked about, ``events``, the oldest first, and ``unknown``: what could not be asked.

    Raises nothing of AWS's, and :class:`~byoc.errors.InputError` if there is no deployment in these stacks.
    """
    found = list(targets(stacks, accounts))
    if not found:
        raise InputError(
            f"{', '.join(stack.name for stack in stacks)}: there is no deployment\n"
            "      allowed:  stacks with deployments; these are account stacks without any of their own\n"
            "      mend it:  name the stack of a deployment"
        )
    ways = Ways(accounts, profile).open(stacks)
    stories = list(
        each(found, lambda target: _story(target, ways[target.stack], since), at_once=at_once, only_looks=True)
    )
    told = [
        (event.at, {**_head(target), "source": event.source, "part": event.part}, event.text, event.original)
        for target, story in zip(found, stories, strict=True)
        for event in story.events
    ]
    told.sort(key=lambda item: item[0])
    unknown = [
        {**_head(target), "text": text} for target, story in zip(found, stories, strict=True) for text in story.unknown
    ]
    return {
        "since": iso(since),
        "deployments": [_head(target) for target in found],
        "events": [{"time": iso(at), **head, "text": text, "original": said} for at, head, text, said in told],
        "unknown": unknown,
    }


def _head(target: Target) -> Document:
    return {"stack": target.stack, "deployment": target.deployment}


def _story(target: Target, way: Account | str, since: datetime) -> Story:
    if isinstance(way, str):
        return Story(events=(), unknown=(f"not known: {way}",))
    return read_story(replace(target, account=way), since)
