"""What ``up`` would change of a thing that is there: each input that the program gives against what was found."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from byoc.adoption.found import Found
from byoc.adoption.kinds import Kind
from byoc.values import plain

TAGS = "tags"


@dataclass(frozen=True, kw_only=True)
class Change:
    """One input: what it is and what it will be; None for nothing. Secrets are not in them."""

    property: str
    before: Any
    after: Any


@dataclass(frozen=True, kw_only=True)
class TagRules:
    """What the provider does to tags: puts ``default`` on everything, leaves those of ``ignored`` keys alone."""

    default: Mapping[str, str]
    ignored: Collection[str] = ()


def found_inputs(kind: Kind, found: Found) -> dict[str, Any]:
    """A thing's attributes as Pulumi's inputs; those that mean nothing are left out."""
    inputs = {name: found.attributes.get(key) for key, name in kind.properties.items()}
    return {name: value for name, value in inputs.items() if meaning(kind, name, value) is not None}


def meaning(kind: Kind, name: str, value: Any) -> Any:  # noqa: ANN401 - property values are of any type
    """A value in a form in which equal meanings are equal; None for what means nothing."""
    value = plain(value)
    if value in (None, "", [], {}) or value == kind.zero.get(name):
        return None
    if name in kind.json:
        return _policy(value)
    if name in kind.sets:
        return sorted(value, key=lambda item: json.dumps(item, sort_keys=True))
    return value


def changes(
    kind: Kind, found: Found, wanted: Mapping[str, Any], tags: TagRules, secrets: Collection[str]
) -> tuple[Change, ...]:
    """Every input that differs, by name; ``secrets`` are masked in what it shows."""
    before = found_inputs(kind, found)
    after = {name: plain(wanted.get(name)) for name in kind.properties.values()}
    made = [
        Change(
            property=name,
            before=_shown(kind, name, before.get(name), secrets),
            after=_shown(kind, name, after[name], secrets),
        )
        for name in sorted(after)
        if meaning(kind, name, before.get(name)) != meaning(kind, name, after[name])
    ]
    if kind.taggable:
        old, new = _tags_before(found, tags), {**tags.default, **plain(wanted.get("tags") or {})}
        if old != new:
            made.append(Change(property=TAGS, before=old, after=new))
    return tuple(made)


def _tags_before(found: Found, tags: TagRules) -> dict[str, str]:
    given = found.attributes.get("tags_all") or found.attributes.get("tags") or {}
    return {
        key: str(value)
        for key, value in sorted(given.items())
        if not key.startswith("aws:") and key not in tags.ignored
    }


def _policy(value: object) -> object:
    """A policy document; a list of one and the one itself mean the same to IAM, and order means nothing."""
    try:
        document = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value
    return _unordered(document)


def _unordered(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, dict):
        return {key: _unordered(item) for key, item in value.items()}
    if isinstance(value, list):
        items = sorted((_unordered(item) for item in value), key=lambda item: json.dumps(item, sort_keys=True))
        return items[0] if len(items) == 1 else items
    return value


def _shown(kind: Kind, name: str, value: Any, secrets: Collection[str]) -> Any:  # noqa: ANN401
    if value in ("", [], {}):
        return None
    if name in kind.json and isinstance(value, str):
        try:
            return _masked(json.loads(value), secrets)
        except ValueError:
            return "[not JSON]"
    return value


def _masked(value: Any, secrets: Collection[str]) -> Any:  # noqa: ANN401
    if isinstance(value, dict):
        return {key: _masked(item, secrets) for key, item in value.items()}
    if isinstance(value, list):
        return [_masked(item, secrets) for item in value]
    return "[secret]" if value in secrets else value
