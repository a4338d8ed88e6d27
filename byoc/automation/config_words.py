"""``KEY=VALUE`` words of a command line as config values; secrets are refused there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from byoc.errors import InputError
from byoc.project.project_file import Project
from byoc.project.stack_yaml import read_yaml


def config_values(words: Iterable[str], project: Project, stacks: Iterable[str]) -> dict[str, str]:
    """``KEY=VALUE`` words as config values by full key.

    Raises :class:`~byoc.errors.InputError` for anything that is no such pair, and for a key that ``Pulumi.yaml``
    declares as a secret or that any of the stacks holds encrypted: a command line is seen by others.
    """
    values = dict(_pair(word, project.name) for word in words)
    for stack in stacks if values else ():
        config = read_yaml(project.stack_file(stack)).get("config") or {}
        for key in values:
            top = key.split(".")[0]
            declared = project.declared.get(top)
            if (declared and declared.secret) or _is_encrypted(config.get(top, config.get(top.partition(":")[2]))):
                raise InputError(
                    f"--config {key}: it is a secret of stack '{stack}', and a command line is seen by others\n"
                    f"      mend it:  pulumi config set --stack {stack} --secret {key}"
                )
    return values


def _pair(word: str, namespace: str) -> tuple[str, str]:
    key, separator, value = word.partition("=")
    if not separator or not key:
        raise InputError(
            f"--config {key}\n      allowed:  KEY=VALUE\n      mend it:  --config byoc:image=registry/name:tag"
        )
    return (key if ":" in key else f"{namespace}:{key}"), value


def _is_encrypted(held: Any) -> bool:  # noqa: ANN401 - whatever the stack's file holds
    return isinstance(held, dict) and "secure" in held
