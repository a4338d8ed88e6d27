"""One run at a time per stack and checkout, so that a second one is refused before it does anything.

The backend's own lock is the one that counts: it also holds against other machines, and against plain ``pulumi``. But
it is taken only when the engine begins to change something, after a preview. This one is taken before.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

from byoc.errors import InputError


class BusyError(InputError):
    """Another run is at the stack."""


@contextmanager
def held(project_root: Path, stacks: Iterable[str], *, words: str, run: str = "") -> Iterator[tuple[int, ...]]:
    """Hold the locks of ``stacks`` while the block lasts, and for as long as a process lives that inherits them.

    Gives the locks' file descriptors, for such a process. ``words`` and ``run`` tell others who holds them: the command
    and the id of its detached run.

    Raises :class:`BusyError` if any of them is held; then none is.
    """
    folder = project_root / ".byoc" / "locks"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with ExitStack() as files:
        taken = [files.enter_context(_take(folder / stack, stack)) for stack in sorted(stacks)]
        for file in taken:
            _write(file, {"pid": os.getpid(), "words": words, "run": run})
        yield tuple(file.fileno() for file in taken)


def is_held(project_root: Path, stack: str) -> bool:
    """Whether a run is at the stack at this moment."""
    try:
        with (project_root / ".byoc" / "locks" / stack).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False


def _take(path: Path, stack: str) -> IO[bytes]:
    file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b", buffering=0)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = _holder(file)
        file.close()
        raise BusyError(_busy(stack, holder)) from None
    return file


def _write(file: IO[bytes], holder: dict[str, Any]) -> None:
    file.seek(0)
    file.truncate()
    file.write(json.dumps(holder).encode())


def _holder(file: IO[bytes]) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(file.read())
    except ValueError:  # it was taken this very moment, and nothing is written yet
        return {}
    return found


def _busy(stack: str, holder: dict[str, Any]) -> str:
    run = holder.get("run")
    who = f"run {run}" if run else f"process {holder.get('pid', '?')}"
    see = f"byoc runs show {run} --follow; or stop it: byoc runs stop {run}" if run else "or stop it with Ctrl-C"
    return (
        f"stack '{stack}' is being worked on by {who} (byoc {holder.get('words', '...')}); nothing was run\n"
        "      allowed:  one run at a time per stack\n"
        f"      mend it:  wait until it has ended, {see}"
    )
