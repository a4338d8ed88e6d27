"""The ``pulumi`` command as the Automation API calls it, so that a run can be ended in good order.

Each engine runs in a session of its own: Ctrl-C in a terminal reaches this process alone, and is passed on once. The
first lets the engines finish what they began and begin nothing else, as Pulumi does it; the second ends them.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Final

from pulumi.automation import InvalidVersionError, PulumiCommand
from pulumi.automation._cmd import CommandResult
from pulumi.automation.errors import create_command_error
from semver import VersionInfo

from byoc.errors import InputError

OLDEST: Final = VersionInfo(3, 259, 0)
"""The oldest CLI that is taken: the one that the engine tests run with (``tools/pulumi``)."""
SECONDS_TO_END: Final = 10.0
"""How long an engine that was told to end at once may take before it is killed."""
_ENGINE_VERBS: Final = frozenset(("up", "preview", "destroy", "refresh"))
"""The commands that run the engine."""
_INSTALL_PAGE = "https://www.pulumi.com/docs/install/"
_MEND = f"in a checkout of byoc: make pulumi; anywhere else: install it as {_INSTALL_PAGE} says"


class Engines(PulumiCommand):
    """The ``pulumi`` command, and everything that it is running at the moment.

    Takes the project's own (``.tools/pulumi``, which ``make pulumi`` fills) before the one on PATH. Raises
    :class:`~byoc.errors.InputError` if there is neither, or if it is older than :data:`OLDEST`.
    """

    def __init__(self, project_root: Path) -> None:
        own = project_root / ".tools" / "pulumi"
        root = str(own) if (own / "bin" / "pulumi").is_file() else None
        if root is None and shutil.which("pulumi") is None:
            raise InputError(
                f"the Pulumi CLI is neither in {own / 'bin'} nor on PATH\n"
                f"      allowed:  pulumi {OLDEST} or later\n"
                f"      mend it:  {_MEND}"
            )
        try:
            super().__init__(root=root, version=OLDEST)
        except (InvalidVersionError, OSError, ValueError, subprocess.CalledProcessError) as error:
            raise InputError(
                f"the Pulumi CLI ({root or shutil.which('pulumi')}) cannot be used: {error}\n"
                f"      allowed:  pulumi {OLDEST} or later\n"
                f"      mend it:  {_MEND}"
            ) from None
        self._running: set[subprocess.Popen[bytes]] = set()
        self._signals = 0
        self._lock = threading.RLock()  # a signal's handler may come while this very thread holds it

    @property
    def interrupted(self) -> bool:
        """Whether the engines were told to stop: nothing new may be begun."""
        return self._signals > 0

    @property
    def was_killed(self) -> bool:
        """Whether the engines were not given the time to finish what they had begun."""
        return self._signals > 1

    def interrupt(self) -> None:
        """Stop: the first call in good order, the second at once, the third by killing. May be called by a signal."""
        with self._lock:
            self._signals += 1
            self._signal(signal.SIGINT if self._signals < 3 else signal.SIGKILL)
        if self._signals == 2:
            timer = threading.Timer(SECONDS_TO_END, self._signal, [signal.SIGKILL])
            timer.daemon = True
            timer.start()

    def _signal(self, number: signal.Signals) -> None:
        for process in tuple(self._running):
            process.send_signal(number)  # which does nothing to one that has ended

    def run(
        self,
        args: list[str],
        cwd: str,
        additional_env: Mapping[str, str],
        on_output: Callable[[str], Any] | None = None,
        on_error: Callable[[str], Any] | None = None,
    ) -> CommandResult:
        """Run one command to its end, in a session of its own; never asks anything.

        What it writes goes to files that have no name, and is told when it has ended: a pipe would break if this
        process were killed, and the engine with it, in the middle of its work. Raises the Automation API's
        ``CommandError`` if the command fails.
        """
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as error:
            code = self._code(args, cwd, additional_env, out, error)
            said, complained = _told(out, on_output), _told(error, on_error)
        result = CommandResult(stdout=said, stderr=complained, code=code)
        if code != 0:
            raise create_command_error(result)
        return result

    def _code(
        self, args: list[str], cwd: str, additional_env: Mapping[str, str], out: IO[bytes], error: IO[bytes]
    ) -> int:
        with self._lock:
            if self.interrupted and args[0] in _ENGINE_VERBS:
                raise create_command_error(CommandResult(stdout="", stderr="error: interrupted", code=-signal.SIGINT))
            process = subprocess.Popen(  # noqa: S603 - the Pulumi CLI, without a shell
                [self.command, "--non-interactive", *args],
                cwd=cwd,
                env=self._environment(additional_env),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=error,
                start_new_session=True,
            )
            self._running.add(process)
        try:
            return process.wait()
        except BaseException:  # this process is to end, and nobody waits for the command any more
            process.terminate()
            raise
        finally:
            self._running.discard(process)
            if process.returncode is not None:
                _end_leftovers(process.pid)

    def _environment(self, additional: Mapping[str, str]) -> dict[str, str]:
        environment = {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true", **additional, "PULUMI_AUTOMATION_API": "true"}
        if os.path.isabs(self.command):  # the language host lies beside the CLI
            path = [os.path.dirname(self.command), environment.get("PATH", os.defpath)]
            environment["PATH"] = os.pathsep.join(path)
        return environment


def _told(file: IO[bytes], tell: Callable[[str], Any] | None) -> str:
    """What was written to a file, told line by line."""
    file.seek(0)
    lines = [line.rstrip() for line in file.read().decode(errors="replace").splitlines()]
    if tell is not None:
        for line in lines:
            tell(line)
    return "\n".join(lines)


def _end_leftovers(session: int) -> None:
    """End what an engine that has ended left behind: its plugins and programs, which share its session.

    An engine in good health ends them itself; one that was killed, or gave up early, does not.
    """
    for pid in _processes():
        with suppress(ProcessLookupError, PermissionError):
            if os.getsid(pid) == session:
                os.kill(pid, signal.SIGTERM)


def _processes() -> list[int]:
    """The ids of all processes."""
    if Path("/proc/self").exists():
        return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    listed = subprocess.run(["ps", "-A", "-o", "pid="], capture_output=True, text=True, check=False)  # noqa: S607
    return [int(word) for word in listed.stdout.split()]
