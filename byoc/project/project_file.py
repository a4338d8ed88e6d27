"""``Pulumi.yaml``, read as the Pulumi CLI reads it: names, folders, and the config keys that it declares."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from byoc.errors import InputError
from byoc.project.stack_yaml import read_yaml


@dataclass(frozen=True, kw_only=True)
class Declared:
    """The declaration of a config key: its type (``items`` for those of a list), and whether it must be encrypted."""

    type: str
    items: Mapping[str, Any] | None
    secret: bool


@dataclass(frozen=True, kw_only=True)
class Project:
    """A Pulumi project.

    ``declared`` are the typed config keys, ``defaults`` the values that every stack has unless it says otherwise, and
    ``required`` the keys that every stack has to set: those that are declared without a default.
    """

    name: str
    root: Path
    main: Path
    stack_config_dir: Path
    declared: Mapping[str, Declared]
    defaults: Mapping[str, Any]
    required: tuple[str, ...]

    def stack_file(self, stack: str) -> Path:
        """The file of a stack's config, whether or not it is there."""
        if not re.fullmatch(r"[A-Za-z0-9._-]{1,100}", stack):
            raise InputError(f"{stack!r} is no stack name: write 1 to 100 letters, digits and . _ -")
        return self.stack_config_dir / f"Pulumi.{stack}.yaml"

    def stacks(self) -> tuple[str, ...]:
        """The names of the stacks that have a file, sorted."""
        files = self.stack_config_dir.glob("Pulumi.*.yaml")
        return tuple(sorted(file.name.removeprefix("Pulumi.").removesuffix(".yaml") for file in files))


def find_project(folder: Path) -> Path:
    """The root of the project that ``folder`` lies in; raises :class:`~byoc.errors.InputError` if it lies in none."""
    for candidate in (folder.resolve(), *folder.resolve().parents):
        if (candidate / "Pulumi.yaml").is_file():
            return candidate
    raise InputError(
        f"no Pulumi.yaml in {folder} or above it\n"
        "      allowed:  a folder of a Pulumi project\n"
        "      mend it:  run this in a checkout of the project, or name one with --cwd"
    )


def read_project(root: Path) -> Project:
    """The project in the folder ``root``. Raises :class:`~byoc.errors.InputError` if there is none."""
    path = root / "Pulumi.yaml"
    try:
        content = read_yaml(path)
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file; run this in the project's folder") from None
    name = content.get("name")
    keys = content.get("config") or {}
    if not isinstance(name, str) or not isinstance(keys, dict):
        raise InputError(f"{path}: a project has a name, and its config is keys and values; correct the file")
    declared: dict[str, Declared] = {}
    defaults: dict[str, Any] = {}
    required: list[str] = []
    for written, value in keys.items():
        key = written if ":" in written else f"{name}:{written}"
        fields = value if isinstance(value, dict) else {"default": value}
        default = fields.get("default", fields.get("value"))
        if default is not None:
            defaults[key] = default
        elif key.startswith(f"{name}:"):
            required.append(key)
        if isinstance(fields.get("type"), str):
            declared[key] = Declared(
                type=fields["type"], items=fields.get("items"), secret=fields.get("secret") is True
            )
    return Project(
        name=name,
        root=root,
        main=root / str(content.get("main") or "."),
        stack_config_dir=root / str(content.get("stackConfigDir") or "."),
        declared=declared,
        defaults=defaults,
        required=tuple(sorted(required)),
    )


def check_value(project: Project, path: Path, key: str, value: object, *, encrypted: bool) -> None:
    """Refuse a stack's value that is not as ``Pulumi.yaml`` declares its key."""
    declared = project.declared.get(key)
    if declared is None:
        return
    if declared.secret and not encrypted:
        raise InputError(
            f"{path}: {key} must be encrypted, since Pulumi.yaml declares it as a secret; pulumi config set "
            f"--secret {key}"
        )
    if not _is_of_type(value, declared.type, declared.items):
        raise InputError(
            f"{path}: {key} must be of type {declared.type}, as Pulumi.yaml declares it; correct the value"
        )


def _is_of_type(value: object, name: str, items: Mapping[str, Any] | None, *, nested: bool = False) -> bool:
    """Whether the CLI takes ``value`` for the declared type: text that reads as a number or a switch is one, and a
    scalar that is not nested is text.
    """
    if name == "string":
        return isinstance(value, str) if nested else not isinstance(value, dict | list)
    if name == "integer":
        if isinstance(value, str):
            return re.fullmatch(r"[-+]?\d+", value, re.ASCII) is not None
        return isinstance(value, int | float) and not isinstance(value, bool) and float(value).is_integer()
    if name == "boolean":
        return isinstance(value, bool) or value in ("true", "false")
    if name == "object":
        return isinstance(value, dict)
    if not isinstance(value, list) or items is None:
        return False
    return all(_is_of_type(entry, str(items.get("type")), items.get("items"), nested=True) for entry in value)
