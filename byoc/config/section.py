"""The base of every section of a stack's config, and how a setting is declared."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, JsonValue
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticUndefined


class Section(BaseModel):
    """A part of a stack's config: frozen, without unknown keys, keys in camelCase."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        validate_default=True,  # a default may not go with another setting
        hide_input_in_errors=True,  # an input may hold a secret
    )


def setting(description: str, *, default: object = PydanticUndefined, shown: str | None = None) -> Any:  # noqa: ANN401 - as pydantic's own Field()
    """A setting with its description for the reference.

    ``default``: the value of a setting that is left out; without it the setting is required. ``shown``: the default's
    behaviour in words, where the value alone does not tell it.
    """
    extra: dict[str, JsonValue] = {} if shown is None else {"shown": shown}
    return Field(default=default, description=description, json_schema_extra=extra)
