"""From the stack files of a project to what an engine reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from byoc.errors import ConfigError, Problem
from byoc.fleet import deployment_settings, github_workflow, operator_stacks
from byoc.fleet.output_folder import Written, write_folder
from byoc.fleet.problems import refuse_if
from byoc.fleet.selection import choose
from byoc.fleet.settings import SETTINGS_FILE, FleetSettings, read_settings
from byoc.fleet.stacks import Fleet, FleetStack, read_fleet
from byoc.project.project_file import read_project

Format = Literal["operator", "matrix", "deployments"]


@dataclass(frozen=True)
class _Engine:
    """What there is to know about a format: what it refuses, its files, and the file of a single stack."""

    problems: Callable[[Sequence[FleetStack], Fleet, FleetSettings], list[Problem]]
    files: Callable[[Sequence[FleetStack], Fleet, FleetSettings], Iterator[tuple[str, str]]]
    file_name: Callable[[str], str] | None = None


_ENGINES: dict[Format, _Engine] = {
    "operator": _Engine(operator_stacks.problems, operator_stacks.files, operator_stacks.file_name),
    "matrix": _Engine(github_workflow.problems, github_workflow.files),
    "deployments": _Engine(deployment_settings.problems, deployment_settings.files, deployment_settings.file_name),
}


@dataclass(frozen=True, kw_only=True)
class Export:
    """An export that is ready to be written."""

    format: Format
    fleet: Fleet
    settings: FleetSettings
    stacks: tuple[FleetStack, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        """What the person who asked for it should know."""
        alone = [
            stack.name
            for stack in self.stacks
            if stack.kind == "deployment" and not self.fleet.account_stacks_of(stack)
        ]
        found = [f"no account stack in this project, so they wait for none: {', '.join(alone)}"] if alone else []
        requirements = self.fleet.project.main / "requirements.txt"
        if not requirements.is_file():
            name = requirements.relative_to(self.fleet.project.root).as_posix()
            found.append(f"there is no {name}: the engine's pulumi install would install nothing (docs/fleet.md)")
        return tuple(found)

    def files(self) -> Iterator[tuple[str, str]]:
        """Name and text of each file, made one at a time."""
        return _ENGINES[self.format].files(self.stacks, self.fleet, self.settings)

    def write(self, folder: Path, *, force: bool = False) -> Written:
        """Write the files into ``folder``; files of stacks that exist and were not chosen stay as they are.

        Raises :class:`~byoc.errors.InputError`, and nothing is written, if that would overwrite what somebody else
        wrote or changed; ``force`` overwrites it.
        """
        file_name = _ENGINES[self.format].file_name
        kept = {file_name(name) for name in self.fleet.names} if file_name else set()
        return write_folder(folder, self.format, self.files, keep=kept.__contains__, force=force)

    def summary(self, written: Written) -> dict[str, Any]:
        """The outcome as one JSON object."""
        return {
            "format": self.format,
            "stacks": [stack.name for stack in self.stacks],
            "accounts": sorted({stack.account for stack in self.stacks}),
            "notes": list(self.notes),
            "written": list(written.written),
            "unchanged": list(written.unchanged),
            "removed": list(written.removed),
        }


def prepare(root: Path, form: Format, *, words: Sequence[str] = (), settings: Path | None = None) -> Export:
    """The export in the format ``form`` of the project in ``root``.

    ``words`` are names of stacks or patterns, all stacks if there are none; ``settings`` is ``fleet.yaml`` in ``root``
    if left out. Raises :class:`~byoc.errors.InputError` with everything that is wrong with the stacks and the
    settings; no secret is in its message.
    """
    fleet = read_fleet(read_project(root))
    stacks, problems = choose(fleet, words)
    try:
        read = read_settings(settings or root / SETTINGS_FILE)
    except ConfigError as error:
        refuse_if([*problems, *error.problems])
        raise
    if not problems:
        problems = _ENGINES[form].problems(stacks, fleet, read)
    refuse_if(problems)
    return Export(format=form, fleet=fleet, settings=read, stacks=stacks)
