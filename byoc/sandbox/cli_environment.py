"""The environment in which the real Pulumi CLI provisions the embedded AWS: no login, no account, no download."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

PACKAGES = ("aws", "random")
"""The provider packages of byoc's programs that the sandbox stands in for."""


def cli_environment(home: Path, emulator_id: str, tools: Path, path: str) -> dict[str, str]:
    """What to set for the CLI; makes the plugins and the folders under ``home`` that it names.

    ``tools``: where ``make pulumi`` puts the CLI, left out if it is not there. ``path``: the PATH that is put last.
    State and settings belong to one emulator: one that was stopped took everything with it.
    """
    state = home.resolve() / "pulumi" / emulator_id
    for folder in (state / "state", state / "home"):
        folder.mkdir(parents=True, exist_ok=True)
    tool_folders = [str(tools)] if tools.is_dir() else []
    folders = [str(install_plugins(home)), *tool_folders, str(Path(sys.executable).parent)]
    rest = [folder for folder in path.split(os.pathsep) if folder not in folders]
    return {
        "PATH": os.pathsep.join([*folders, *rest]),
        "PULUMI_BACKEND_URL": f"file://{state / 'state'}",
        "PULUMI_HOME": str(state / "home"),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        # The stand-ins are all that is needed; without this, each run would look for the real plugins first.
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        # The examples' keys are made up: no LangSmith is asked for projects.
        "BYOC_TRACING": "false",
    }


def install_plugins(home: Path) -> Path:
    """Write the provider plugins, as programs that the CLI finds on PATH; gives their folder.

    They are never put beside Python's own programs: there they would stand in for the real AWS provider.
    """
    folder = home.resolve() / "plugins"
    folder.mkdir(parents=True, exist_ok=True)
    package_root = str(Path(__file__).resolve().parents[2])
    for package in PACKAGES:
        command = shlex.join([sys.executable, "-m", "byoc.sandbox.plugin", package, "--home", str(home.resolve())])
        python_path = f"{shlex.quote(package_root)}${{PYTHONPATH:+:$PYTHONPATH}}"
        script = f'#!/bin/sh\nPYTHONPATH={python_path} exec {command} "$@"\n'
        plugin = folder / f"pulumi-resource-{package}"
        if not plugin.is_file() or plugin.read_text() != script:
            unfinished = plugin.with_suffix(f".{os.getpid()}")
            unfinished.write_text(script)
            unfinished.chmod(0o755)
            unfinished.replace(plugin)
    return folder


def as_shell(environment: Mapping[str, str]) -> str:
    """The environment as commands for a POSIX shell's ``eval``."""
    return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in environment.items())
