"""A stack's config, read from ``Pulumi.yaml`` and ``Pulumi.<stack>.yaml`` as the Pulumi CLI reads it.

The result is what the CLI would hand to the program: text by key, where objects, lists, numbers and switches are JSON.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag

from byoc.errors import InputError
from byoc.project.passphrase import PassphraseCrypter
from byoc.project.project_file import Project, check_value, read_project
from byoc.project.stack_yaml import read_yaml

_WAY_OUT = "set PULUMI_CONFIG_PASSPHRASE, or PULUMI_CONFIG_PASSPHRASE_FILE to a file that holds it"


@dataclass(frozen=True, kw_only=True)
class StackFile:
    """The config of one stack.

    ``config`` holds text by namespaced key (``byoc:accountId``), secrets in plain text among it; ``secret_keys`` are
    the keys whose values were encrypted as a whole or in part.
    """

    project: Project
    stack: str
    path: Path
    config: Mapping[str, str]
    secret_keys: frozenset[str]

    def __repr__(self) -> str:
        """Without the values: some are secrets."""
        return f"StackFile(stack={self.stack!r}, path={str(self.path)!r}, keys={sorted(self.config)})"

    def of_namespace(self, namespace: str) -> dict[str, str]:
        """The config of one namespace, by key without it."""
        begin = f"{namespace}:"
        return {key.removeprefix(begin): value for key, value in self.config.items() if key.startswith(begin)}

    def secrets_of_namespace(self, namespace: str) -> frozenset[str]:
        """The encrypted keys of one namespace, without it."""
        begin = f"{namespace}:"
        return frozenset(key.removeprefix(begin) for key in self.secret_keys if key.startswith(begin))


def read_stack_file(root: Path, stack: str, passphrase: Callable[[], str] | None = None) -> StackFile:
    """The config of ``stack`` of the project in ``root``.

    ``passphrase`` is asked only if the file holds encrypted values; without it, the environment is
    (:func:`passphrase_of_environment`).

    Raises :class:`~byoc.errors.InputError` if there is no such stack, if a value is not of the type that
    ``Pulumi.yaml`` declares, if a required key is missing, or if a value cannot be decrypted.
    """
    project = read_project(root)
    path = project.stack_file(stack)
    content = _stack_content(project, path)
    values = content.get("config") or {}
    if not isinstance(values, dict):
        raise InputError(f"{path}: config should be keys and values; indent its keys below config:")
    opened = _Opened(path, content.get("encryptionsalt"), passphrase or passphrase_of_environment)
    config: dict[str, str] = {}
    secret: set[str] = set()
    for written, value in values.items():
        key = written if ":" in written else f"{project.name}:{written}"
        plain, encrypted = opened.open(value, key)
        config[key] = as_text(plain)
        if encrypted:
            secret.add(key)
        check_value(project, path, key, plain, encrypted=encrypted)
    _apply_project(project, path, config)
    return StackFile(project=project, stack=stack, path=path, config=config, secret_keys=frozenset(secret))


def stacks_of(root: Path) -> tuple[str, ...]:
    """The names of the stacks that have a file in the project in ``root``, sorted."""
    return read_project(root).stacks()


def stack_setting(project: Project, stack: str, key: str) -> str:
    """One setting of the project's namespace as the stack's file says it; empty if it is not there, or is no text.

    Nothing is decrypted and nothing is checked.
    """
    config = read_yaml(project.stack_file(stack)).get("config") or {}
    value = config.get(f"{project.name}:{key}", config.get(key, "")) if isinstance(config, dict) else ""
    return value if isinstance(value, str) else ""


def has_passphrase_alone(project: Project, stack: str) -> bool:
    """Whether :func:`read_stack_file` can read a stack's file: nothing in it is under another secrets provider."""
    content = _stack_content(project, project.stack_file(stack))
    if content.get("secretsprovider", "passphrase") not in ("", "default", "passphrase"):
        return False
    return "encryptionsalt" in content or not _holds_secrets(content.get("config"))


def passphrase_of_environment() -> str:
    """The passphrase as the CLI finds it: ``PULUMI_CONFIG_PASSPHRASE``, even if empty, else the file that
    ``PULUMI_CONFIG_PASSPHRASE_FILE`` names.

    Raises :class:`~byoc.errors.InputError` if there is neither.
    """
    given = os.environ.get("PULUMI_CONFIG_PASSPHRASE")
    if given is not None:
        return given
    file = os.environ.get("PULUMI_CONFIG_PASSPHRASE_FILE")
    if not file:
        raise InputError(f"the stack's config holds encrypted values, and there is no passphrase; {_WAY_OUT}")
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise InputError(
            f"PULUMI_CONFIG_PASSPHRASE_FILE: {file} cannot be read; correct the path or its permissions"
        ) from None


def as_text(value: object) -> str:
    """A config value as Pulumi hands it to a program: text as it is, everything else as JSON."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)


class _Opened:
    """Decrypts the values of one stack file; asks for the passphrase when the first one turns up."""

    def __init__(self, path: Path, salt: object, passphrase: Callable[[], str]) -> None:
        self._path = path
        self._salt = salt
        self._passphrase = passphrase
        self._crypter: PassphraseCrypter | None = None

    def open(self, value: object, key: str) -> tuple[Any, bool]:
        """``value`` with everything in it decrypted, and whether anything was."""
        if isinstance(value, dict):
            sealed = value.get("secure")
            if len(value) == 1 and isinstance(sealed, str):
                return self._decrypt(sealed, key), True
            opened = {name: self.open(inner, key) for name, inner in value.items()}
            return {name: plain for name, (plain, _) in opened.items()}, any(secret for _, secret in opened.values())
        if isinstance(value, list):
            entries = [self.open(inner, key) for inner in value]
            return [plain for plain, _ in entries], any(secret for _, secret in entries)
        return value, False

    def _decrypt(self, sealed: str, key: str) -> str:
        if self._crypter is None:
            if not isinstance(self._salt, str):
                raise InputError(
                    f"{self._path}: {key} is encrypted, and there is no encryptionsalt; the sandbox reads values "
                    "of Pulumi's "
                    "passphrase provider alone: pulumi stack change-secrets-provider passphrase"
                )
            try:
                self._crypter = PassphraseCrypter.of_salt(self._salt, self._passphrase())
            except InputError as error:
                raise InputError(f"{self._path}: {error}") from None
        try:
            return self._crypter.decrypt(sealed)
        except InputError as error:
            raise InputError(f"{self._path}: {key}: {error}") from None
        except (InvalidTag, UnicodeDecodeError):
            raise InputError(
                f"{self._path}: {key} was encrypted under another passphrase or altered since; set it again with "
                f"pulumi config set --secret {key}"
            ) from None


def _stack_content(project: Project, path: Path) -> dict[str, Any]:
    try:
        return read_yaml(path)
    except FileNotFoundError:
        there = ", ".join(project.stacks()) or "none"
        raise InputError(
            f"{path}: there is no such file; stacks of this project: {there}; write it, or name one of them"
        ) from None


def _apply_project(project: Project, path: Path, config: dict[str, str]) -> None:
    """Add what ``Pulumi.yaml`` gives to every stack; refuse a config without the keys that it requires."""
    for key, default in project.defaults.items():
        config.setdefault(key, as_text(default))
    missing = [key for key in project.required if key not in config]
    if missing:
        raise InputError(f"{path}: missing, and required by Pulumi.yaml: {', '.join(missing)}; add them under config:")


def _holds_secrets(value: object) -> bool:
    if isinstance(value, dict):
        return isinstance(value.get("secure"), str) or any(_holds_secrets(inner) for inner in value.values())
    return isinstance(value, list) and any(_holds_secrets(inner) for inner in value)
