"""The reference of all config keys, rendered from the models.

``python -m byoc.config.reference > docs/configuration.md`` writes it anew; a test compares the two.
"""

from __future__ import annotations

import enum
import json
import sys
from collections.abc import Iterator
from types import UnionType
from typing import Annotated, Literal, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from byoc.config.account import AccountConfig
from byoc.config.common import CommonConfig
from byoc.config.deployment import DeploymentConfig, DeploymentSection
from byoc.config.keys import fields_of, is_mapping, is_secret, sections_in, types_in
from byoc.config.secrets import DeploymentSecrets
from byoc.config.section import Section
from byoc.config.tags import OWN_KEYS

_INTRO = """\
<!-- Generated from the models in byoc/config: python -m byoc.config.reference > docs/configuration.md -->

# Configuration

A stack is configured by `stacks/Pulumi.<stack>.yaml`, under `config:`, with the prefix `byoc:` before each key. Its
`byoc:kind` says what it provisions: `account` or `deployment`. A file is checked as a whole before anything is created,
and everything that is wrong with it comes in one message: the key, the value, what is allowed, how to mend it.

- Account ids and versions are text: write them in quotes.
- Keys marked **secret** must be encrypted: `pulumi config set --secret byoc:<key>`. In plain text they are refused.
  Where such a key is an object, its value is the object as JSON.
- A key that is not in these tables is refused.
- The five tags that the library sets itself cannot be set or ignored: {own}.
"""


def render() -> str:
    """The reference as Markdown."""
    parts = [_INTRO.format(own=", ".join(f"`{key}`" for key in OWN_KEYS))]
    common = set(fields_of(CommonConfig))
    deployment = set(fields_of(DeploymentSection)) | set(fields_of(DeploymentSecrets))
    parts += _chapter("Every stack", "", CommonConfig, leave_out=set())
    parts += _chapter("Kind `account`", _sentence(AccountConfig), AccountConfig, leave_out=common)
    parts += _chapter("Kind `deployment`", _sentence(DeploymentConfig), DeploymentConfig, leave_out=common | deployment)
    parts += _chapter(
        "A deployment",
        "In a stack of kind `deployment` these keys stand beside the others; in one of kind `account` they stand under "
        "`deployments.<name>`.",
        DeploymentSection,
        leave_out=set(),
    )
    parts += _chapter(
        "A deployment's secrets",
        "In a stack of kind `deployment` each is a key of its own; in one of kind `account` they stand under "
        "`<name>` in "
        "the JSON object `deploymentSecrets`.",
        DeploymentSecrets,
        leave_out=set(),
    )
    return "\n".join(parts)


def _chapter(title: str, text: str, section: type[Section], *, leave_out: set[str]) -> Iterator[str]:
    """A kind of stack or a group of keys: its own table, then one for each section in it."""
    yield f"## {title}\n"
    if text:
        yield f"{text}\n"
    fields = {key: field for key, field in fields_of(section).items() if key not in leave_out}
    yield _table(fields)
    yield from _sections(fields, ())


def _sections(fields: dict[str, FieldInfo], above: tuple[str, ...]) -> Iterator[str]:
    for key, field in fields.items():
        if is_mapping(field.annotation):
            continue  # what stands under chosen names has a chapter of its own
        inner = sections_in(field.annotation)
        for section in inner:
            path = (*above, key)
            kind = get_args(section.model_fields["kind"].annotation)[0] if len(inner) > 1 else None
            yield f"### `{'.'.join(path)}`" + (f" with `kind: {kind}`\n" if kind else "\n")
            yield f"{_sentence(section)}\n"
            yield _table(fields_of(section))
            yield from _sections(fields_of(section), path)


def _sentence(section: type[Section]) -> str:
    """The first paragraph of a section's docstring."""
    return " ".join((section.__doc__ or "").split("\n\n")[0].split()).replace("``", "`")


def _table(fields: dict[str, FieldInfo]) -> str:
    rows = ["| key | type | default | meaning |", "|---|---|---|---|"]
    for key, field in fields.items():
        cells = (f"`{key}`", _type(field), _default(field), field.description or "")
        rows.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return "\n".join(rows) + "\n"


def _type(field: FieldInfo) -> str:
    text = " or ".join(dict.fromkeys(_type_texts(field.annotation)))
    return f"**secret**, {text}" if is_secret(field) else text


def _type_texts(annotation: object) -> Iterator[str]:
    origin = get_origin(annotation)
    arguments = get_args(annotation)
    found = list(types_in(annotation))
    if origin is Literal:
        yield from (f"`{value}`" for value in arguments)
    elif origin is Annotated:
        yield from _type_texts(arguments[0])
    elif any(isinstance(one, type) and issubclass(one, BaseModel) for one in found) or dict in found:
        yield "object" if dict in found else "section"
    elif origin in (Union, UnionType):
        # That a text may be absent goes without saying; for a number, null says something.
        counted = not {int, bool}.isdisjoint(found)
        for one in arguments:
            yield from ("`null`",) if one is type(None) and counted else _type_texts(one)
    elif origin is tuple:
        yield "list of texts"
    else:
        yield from _scalar(annotation)


def _scalar(one: object) -> Iterator[str]:
    if isinstance(one, type) and issubclass(one, enum.Enum):
        yield from (f"`{member.value}`" for member in one)
    elif one is bool:
        yield "`true` or `false`"
    elif one is int:
        yield "number"
    elif one in (str, SecretStr):
        yield "text"


def _default(field: FieldInfo) -> str:
    extra = field.json_schema_extra
    shown = extra.get("shown") if isinstance(extra, dict) else None
    if isinstance(shown, str):
        return shown
    if field.is_required():
        return "required"
    value = field.default
    return f"`{value}`" if isinstance(value, str) else f"`{json.dumps(value)}`"


if __name__ == "__main__":
    sys.stdout.write(render())
