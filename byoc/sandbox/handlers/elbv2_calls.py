"""What load balancers, target groups and listeners have in common: lookups, tags, attributes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from typing import Any

from byoc.errors import ByocError
from byoc.sandbox.handlers.base import Aws, Properties
from byoc.sandbox.handlers.calls import first, found, paginate
from byoc.sandbox.handlers.tagging import TagShape


def describe(aws: Aws, operation: str, key: str, gone: tuple[str, ...], **which: Any) -> dict[str, Any] | None:  # noqa: ANN401
    """The one thing that a describe call gives, or None."""
    answer = found(lambda: getattr(aws.client("elbv2"), operation)(**which), *gone)
    item = first(answer[key]) if answer else None
    return dict(item) if item is not None else None


def described(aws: Aws, operation: str, key: str, gone: tuple[str, ...], **which: Any) -> list[Any]:  # noqa: ANN401
    """All that a describe call gives, over all its pages; nothing if what it is asked of is gone."""
    return found(lambda: paginate(aws.client("elbv2"), operation, key, **which), *gone) or []


def tags_of(aws: Aws, arn: str) -> dict[str, str]:
    """``elasticloadbalancing:DescribeTags`` of one."""
    answer = aws.client("elbv2").describe_tags(ResourceArns=[arn])
    item = first(answer["TagDescriptions"])
    return TagShape.UPPER.read(item.get("Tags")) if item else {}


def is_ours(aws: Aws, arn: str, inputs: Properties) -> bool:
    """Whether something carries exactly our tags."""
    return tags_of(aws, arn) == (inputs.get("tagsAll") or {})


def refuse_taken(what: str, name: object) -> None:
    """Raise ``ByocError``: the provider refuses to make what is there, where AWS itself would hand out the old one."""
    raise ByocError(
        f"{what} '{name}' already exists\n"
        "      mend it:  choose another byoc:namePrefix or deployment name, or delete the other one"
    )


@dataclass(frozen=True)
class Attribute:
    """An input that is a named attribute in the API, where every value is text."""

    key: str
    default: Any = None


def written_attributes(
    table: Mapping[str, Attribute], inputs: Properties, changed: Set[str] | None = None
) -> list[dict[str, str]]:
    """Attributes as the API takes them: for a new thing those that are set and not false, 0 or empty, as the provider
    does; for an existing one those that ``changed``.
    """
    if changed is None:
        return [_pair(attribute.key, inputs[name]) for name, attribute in table.items() if inputs.get(name)]
    written = []
    for name, attribute in table.items():
        value = inputs.get(name)
        if name in changed and (value is not None or attribute.default is not None):
            written.append(_pair(attribute.key, attribute.default if value is None else value))
    return written


def read_attributes(table: Mapping[str, Attribute], pairs: Iterable[Mapping[str, str]]) -> Properties:
    """Attributes as outputs, each of the type of its default."""
    values = {pair["Key"]: pair.get("Value", "") for pair in pairs}
    return {
        name: _parsed(values[attribute.key], attribute.default)
        for name, attribute in table.items()
        if values.get(attribute.key)
    }


def _pair(key: str, value: object) -> dict[str, str]:
    return {"Key": key, "Value": str(value).lower() if isinstance(value, bool) else str(value)}


def _parsed(text: str, default: object) -> object:
    if isinstance(default, bool):
        return text == "true"
    return int(text) if isinstance(default, int) else text
