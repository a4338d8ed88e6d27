"""The stacks of a watch that goes on for days: their configs are read again once a file of theirs has changed."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from byoc.operations.stacks import read_stacks
from byoc.operations.targets import Stack
from byoc.project.project_file import find_project, read_project
from byoc.project.stack_selection import select_stacks

_Files = tuple[tuple[str, int, int], ...]
"""Each file's path, time of change and size."""


@dataclass
class Watched:
    """The stacks that ``words`` mean in the project that ``folder`` lies in, now.

    To decrypt a config takes a core for a fifth of a second and more: without a change nothing is read again.
    """

    folder: Path
    words: Sequence[str]
    every: bool
    _files: _Files = ()
    _stacks: tuple[Stack, ...] = field(default=())

    def read(self) -> tuple[Stack, ...]:
        """The stacks as their files say; raises as :func:`~byoc.operations.stacks.read_stacks`."""
        files = self._seen()
        if files != self._files:
            self._stacks = read_stacks(self.folder, self.words, every=self.every)
            self._files = files  # of before the reading: what is written meanwhile is read the next time
        return self._stacks

    def _seen(self) -> _Files:
        project = read_project(find_project(self.folder))
        names = select_stacks(project, self.words, every=self.every).stacks
        paths = [project.root / "Pulumi.yaml", *(project.stack_file(name) for name in names)]
        found = []
        for path in paths:
            with suppress(FileNotFoundError):  # an editor is replacing it
                told = path.stat()
                found.append((str(path), told.st_mtime_ns, told.st_size))
        return tuple(found)
