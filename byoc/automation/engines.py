"""The ``pulumi`` command as the Automation API calls it, so that a run can be ended in good order.

Each engine runs in a process group of its own: Ctrl-C in a terminal reaches this process alone, and is passed on once.
The first lets the engines finish what they began and begin nothing else, as Pulumi does it; the second ends them.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

from pulumi.automation import InvalidVersionError, PulumiCommand
from pulumi.automation._cmd import CommandResult
from pulumi.automation.errors import create_command_error
from semver import VersionInfo

from byoc.errors import ByocError, InputError

OLDEST: Final = VersionInfo(3, 259, 0)
"""The oldest CLI that is taken: the one that the engine tests run with (``tools/pulumi``)."""
SECONDS_TO_END: Final = 10.0
"""How long an engine that was told to end at once may take before it is killed."""
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
        except (InvalidVersionError, OSError, subprocess.CalledProcessError) as error:
            raise InputError(
                f"the Pulumi CLI ({root or shutil.which('pulumi')}) cannot be used: {error}\n"
                f"      allowed:  pulumi {OLDEST} or later\n"
                f"      mend it:  {_MEND}"
            ) from None
        self._running: set[subprocess.Popen[str]] = set()
        self._signals = 0

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
        self._signals += 1
        sent = signal.SIGINT if self._signals < 3 else signal.SIGKILL
        self._signal(sent)
        if self._signals == 2:
            timer = threading.Timer(SECONDS_TO_END, self._signal, [signal.SIGKILL])
            timer.daemon = True
            timer.start()

    def _signal(self, number: signal.Signals) -> None:
        for process in tuple(self._running):
            if process.poll() is None:
                process.send_signal(number)

    def run(
        self,
        args: list[str],
        cwd: str,
        additional_env: Mapping[str, str],
        on_output: Callable[[str], Any] | None = None,
        on_error: Callable[[str], Any] | None = None,
    ) -> CommandResult:
        """Run one command to its end, in a process group of its own; never asks anything.

        Raises the Automation API's ``CommandError`` if it fails.
        """
        with self._started([self.command, "--non-interactive", *args], cwd, additional_env) as process:
            out, err = _Lines(process.stdout, on_output), _Lines(process.stderr, on_error)
            out.join()
            err.join()
            code = process.wait()
        result = CommandResult(stdout="\n".join(out.lines), stderr="\n".join(err.lines), code=code)
        if code != 0:
            raise create_command_error(result)
        return result

    @contextmanager
    def _started(
        self, command: list[str], cwd: str, additional_env: Mapping[str, str]
    ) -> Iterator[subprocess.Popen[str]]:
        env = {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true", **additional_env, "PULUMI_AUTOMATION_API": "true"}
        if os.path.isabs(self.command):  # the language host lies beside the CLI
            env["PATH"] = os.pathsep.join([os.path.dirname(self.command), env.get("PATH", os.defpath)])
        with subprocess.Popen(  # noqa: S603 - the Pulumi CLI, without a shell
            command,
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            process_group=0,
        ) as process:
            self._running.add(process)
            try:
                yield process
            finally:
                self._running.discard(process)


class _Lines(threading.Thread):
    """Reads a stream to its end, line by line."""

    def __init__(self, stream: IO[str] | None, told: Callable[[str], Any] | None) -> None:
        super().__init__(daemon=True)
        if stream is None:
            raise ByocError("the Pulumi CLI was started without pipes")
        self.lines: list[str] = []
        self._stream = stream
        self._told = told
        self.start()

    def run(self) -> None:
        for line in self._stream:
            self.lines.append(line.rstrip())
            if self._told is not None:
                self._told(self.lines[-1])
