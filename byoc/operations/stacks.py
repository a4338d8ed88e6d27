"""The configs of the stacks that a command means."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from byoc.errors import InputError
from byoc.operations.many import each
from byoc.operations.pulumi_command import pulumi_command
from byoc.operations.targets import Stack
from byoc.project.project_file import Project, find_project, read_project
from byoc.project.stack_file import StackFile, has_passphrase_alone, read_stack_file
from byoc.project.stack_selection import select_stacks
from byoc.stack_config import load_stack_config

_SECONDS = 60
"""Time limit of ``pulumi config``, which may ask a key service."""


def read_stacks(folder: Path, words: Sequence[str], *, every: bool = False) -> tuple[Stack, ...]:
    """The stacks that ``words`` mean, by name or pattern, in the project that ``folder`` lies in.

    Secrets of Pulumi's passphrase provider are decrypted here; those of another one (a key of AWS KMS, Pulumi Cloud) by
    ``pulumi config``. Raises :class:`~byoc.errors.InputError` if a name, a config or a passphrase is wrong.
    """
    files = read_stack_files(folder, words, every=every)
    return tuple(
        Stack(name=file.stack, config=load_stack_config(file.config, file.secret_keys, source=file.path.name))
        for file in files
    )


def read_stack_files(folder: Path, words: Sequence[str], *, every: bool = False) -> tuple[StackFile, ...]:
    """The files behind :func:`read_stacks`, for those who run a stack's program; raises as it does."""
    project = read_project(find_project(folder))
    names = select_stacks(project, words, every=every).stacks
    # Deriving a stack's key takes a core for a fifth of a second and more.
    return tuple(each(names, lambda name: _file(project, name), at_once=os.cpu_count() or 1))


def _file(project: Project, name: str) -> StackFile:
    if has_passphrase_alone(project, name):
        return read_stack_file(project.root, name)
    values, secret = _asked(project, name)
    return StackFile(
        project=project, stack=name, path=project.stack_file(name), config=values, secret_keys=frozenset(secret)
    )


def _asked(project: Project, name: str) -> tuple[dict[str, str], set[str]]:
    """The config as ``pulumi config`` tells it: text by full key, and the keys of secrets."""
    pulumi = pulumi_command(project.root)
    if pulumi is None:
        raise InputError(
            f"stack '{name}': its secrets are not under a passphrase, and there is no pulumi to decrypt them\n"
            "      mend it:  install the Pulumi CLI (make pulumi), and sign in to the stack's backend"
        )
    words = [pulumi, "config", "--json", "--show-secrets", "--non-interactive", "--stack", name]
    try:
        ran = subprocess.run(  # noqa: S603 - a program found on PATH, no shell
            words, cwd=project.root, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise InputError(
            f"stack '{name}': pulumi config did not end within {_SECONDS} s; see whether it waits"
        ) from None
    if ran.returncode != 0:
        raise InputError(
            f"stack '{name}': pulumi config failed: {ran.stderr.strip()}\n"
            "      mend it:  sign in to the stack's backend and to its key service"
        )
    told = json.loads(ran.stdout)
    values = {key: item.get("value", json.dumps(item.get("objectValue"))) for key, item in told.items()}
    return values, {key for key, item in told.items() if item.get("secret")}
