"""What the models know about a key: its field, the keys beside it, whether it is a secret, whether it is plain text."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from typing import Annotated, Literal, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from byoc.config.account import AccountConfig
from byoc.config.common import CommonConfig
from byoc.config.deployment import DeploymentConfig
from byoc.config.section import Section

KINDS: dict[str, type[CommonConfig]] = {"account": AccountConfig, "deployment": DeploymentConfig}
"""The model of each kind of stack."""


def alias(field_name: str, field: FieldInfo) -> str:
    """The key that a user writes for a field."""
    return field.alias or field_name


def fields_of(section: type[Section]) -> dict[str, FieldInfo]:
    """The fields of a section by their keys, in the documented order."""
    return {alias(name, field): field for name, field in section.model_fields.items()}


def types_in(annotation: object) -> Iterator[object]:
    """Every type that occurs in an annotation, from the outside in, with unions and ``Annotated`` taken apart."""
    if get_origin(annotation) is Literal:
        yield from {type(value) for value in get_args(annotation)}
        return
    yield get_origin(annotation) or annotation
    for argument in get_args(annotation):
        yield from types_in(argument)
        if get_origin(annotation) is Annotated:
            return  # what follows is metadata


def sections_in(annotation: object) -> list[type[Section]]:
    """The sections that a field's value can be, or holds by name."""
    return [found for found in types_in(annotation) if isinstance(found, type) and issubclass(found, Section)]


def is_mapping(annotation: object) -> bool:
    """Whether a field's value is an object whose keys the user chooses."""
    return next((found for found in types_in(annotation) if found is dict), None) is dict


def is_secret(field: FieldInfo) -> bool:
    """Whether a field's value is a secret, or holds secrets."""
    found = list(types_in(field.annotation))
    inner = [inner for section in sections_in(field.annotation) for inner in section.model_fields.values()]
    return SecretStr in found or any(is_secret(nested) for nested in inner)


def is_text(field: FieldInfo) -> bool:
    """Whether a field's value is text, which Pulumi hands over as it is; every other value comes as JSON."""
    found = [one for one in types_in(field.annotation) if isinstance(one, type) and one is not type(None)]
    return bool(found) and all(issubclass(one, str | enum.Enum | SecretStr) for one in found if one not in _WRAPPERS)


_WRAPPERS: tuple[object, ...] = (Annotated,)


def secret_keys() -> frozenset[str]:
    """The keys that must be set with ``--secret``, without the ``byoc:`` namespace."""
    return frozenset(key for model in KINDS.values() for key, field in fields_of(model).items() if is_secret(field))


def field_at(model: type[Section], path: Sequence[str | int]) -> FieldInfo | None:
    """The field that a path leads to; ``None`` for what lies within a field's value, and for unknown keys."""
    sections: list[type[Section]] = [model]
    field: FieldInfo | None = None
    skip = False
    for part in path:
        if skip:
            skip = False
            continue
        found = [candidate for section in sections if (candidate := fields_of(section).get(str(part))) is not None]
        if not found:
            return None
        field = found[0]
        sections = [inner for candidate in found for inner in sections_in(candidate.annotation)]
        skip = is_mapping(field.annotation)
    return field


def keys_beside(model: type[Section], path: Sequence[str | int], kind: str | None = None) -> dict[str, FieldInfo]:
    """The known keys beside the last part of ``path``; where there are several sections, those of ``kind``."""
    if len(path) <= 1:
        return fields_of(model)
    parent = list(path[:-1])
    field = field_at(model, parent) or field_at(model, parent[:-1])
    if field is None:
        return {}
    sections = sections_in(field.annotation)
    chosen = [section for section in sections if kind is not None and kind in _kinds(section)]
    return {key: inner for section in chosen or sections for key, inner in fields_of(section).items()}


def _kinds(section: type[Section]) -> tuple[object, ...]:
    field = fields_of(section).get("kind")
    return get_args(field.annotation) if field is not None else ()


def every_field() -> Iterator[tuple[type[Section], str, str]]:
    """Every field of every section of every kind, once: its section, its key, its name in Python."""
    pending: list[type[Section]] = list(KINDS.values())
    seen: set[type[Section]] = set()
    while pending:
        section = pending.pop()
        if section in seen:
            continue
        seen.add(section)
        for name, field in section.model_fields.items():
            yield section, alias(name, field), name
            pending += sections_in(field.annotation)
