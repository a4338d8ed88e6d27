"""What handlers of EC2 types do alike: describe one thing, know it again by its tags, name it by ARN."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from byoc.sandbox.handlers.base import Aws, Properties
from byoc.sandbox.handlers.calls import first, found, single
from byoc.sandbox.handlers.tagging import EC2, TagShape

Described = Mapping[str, Any]
"""A thing as an EC2 describe call gives it."""


def describe(aws: Aws, operation: str, key: str, *gone: str, **arguments: Any) -> Described | None:  # noqa: ANN401
    """The one thing that a describe call of EC2 gives under ``key``; None for none, or for an error in ``gone``."""
    answer = found(lambda: getattr(aws.client("ec2"), operation)(**arguments), *gone)
    return first(answer[key]) if answer else None


def filters(**values: str) -> list[dict[str, Any]]:
    """EC2 filters; an underscore in a name stands for a hyphen, a double underscore for a dot."""
    return [
        {"Name": name.replace("__", ".").replace("_", "-"), "Values": [value]}
        for name, value in values.items()
        if value
    ]


def tag_filters(inputs: Properties) -> list[dict[str, Any]]:
    """Filters for things that carry every tag of ``inputs``."""
    return [{"Name": f"tag:{key}", "Values": [value]} for key, value in (inputs.get("tagsAll") or {}).items()]


def specified_tags(resource_type: str, inputs: Properties) -> dict[str, Any]:
    """``TagSpecifications`` of an EC2 create call, or nothing if there are no tags."""
    tags = inputs.get("tagsAll") or {}
    return {"TagSpecifications": [{"ResourceType": resource_type, "Tags": EC2.shape.write(tags)}]} if tags else {}


def known_by_tags(things: Sequence[Described], inputs: Properties, key: str, what: str) -> str | None:
    """The id (under ``key``) of the only thing whose tags are exactly those of ``inputs``.

    Without tags None: then it could be anybody's, and what is adopted is deleted one day.
    """
    wanted = inputs.get("tagsAll") or {}
    if not wanted:
        return None
    return single([thing[key] for thing in things if TagShape.UPPER.read(thing.get("Tags")) == wanted], what)


def ec2_arn(aws: Aws, resource: str, owner: str | None = None) -> str:
    """The ARN of an EC2 thing such as ``vpc/vpc-1``; ``owner`` is its account, by default the session's."""
    return f"arn:{aws.partition}:ec2:{aws.region}:{owner or aws.account_id}:{resource}"
