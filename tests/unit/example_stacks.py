"""The example stack files of the project, read as the sandbox reads them."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from byoc.config import AccountConfig, DeploymentConfig, decode, load
from byoc.project.stack_file import StackFile, read_stack_file, stacks_of

ROOT = Path(__file__).parents[2]
PASSPHRASE = "byoc-demo"
NAMES = stacks_of(ROOT)


@cache
def stack_file(name: str) -> StackFile:
    return read_stack_file(ROOT, name, lambda: PASSPHRASE)


def raw_config(name: str) -> dict[str, Any]:
    """The values of an example, as they are handed to ``load``."""
    return decode(stack_file(name).of_namespace("byoc"))


def config(name: str) -> AccountConfig | DeploymentConfig:
    file = stack_file(name)
    encrypted = file.secrets_of_namespace("byoc")
    return load(raw_config(name), source=str(file.path), encrypted=encrypted)
