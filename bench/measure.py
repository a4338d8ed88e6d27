"""Measuring whole runs: in processes of their own, several times, with the operating system's own accounting."""

from __future__ import annotations

import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Timing:
    """Seconds of several runs of one thing, and the most memory that one of them used."""

    seconds: tuple[float, ...]
    peak_mib: float = 0.0
    cpu_seconds: float = 0.0
    """Of the last run: what it computed itself, whatever else the machine did."""
    inside: tuple[float, ...] = ()
    """What each run said of itself: seconds without starting Python and reading the config."""

    @property
    def median(self) -> float:
        """The median of the seconds."""
        return statistics.median(self.seconds)

    @property
    def text(self) -> str:
        """``median (min to max)`` in seconds."""
        return _spread(self.seconds)

    @property
    def inside_text(self) -> str:
        """The same of :attr:`inside`; empty if the runs said nothing."""
        return _spread(self.inside) if self.inside else ""


def _spread(seconds: Sequence[float]) -> str:
    return f"{statistics.median(seconds):.2f} ({min(seconds):.2f} to {max(seconds):.2f})"


def process(
    arguments: Sequence[str], *, runs: int = 1, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> Timing:
    """Run a command of this Python so many times; raises ``CalledProcessError`` if one fails.

    ``env``: set beside this process's own environment.
    """
    seconds, peak, cpu = [], 0.0, 0.0
    for _ in range(runs):
        started = time.monotonic()
        child = subprocess.Popen(
            [sys.executable, *arguments], cwd=cwd, env={**os.environ, **(env or {})}, stdout=subprocess.DEVNULL
        )
        _, status, usage = os.wait4(child.pid, 0)
        seconds.append(time.monotonic() - started)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            raise subprocess.CalledProcessError(child.returncode, list(arguments))
        cpu = usage.ru_utime + usage.ru_stime
        peak = max(peak, usage.ru_maxrss / (1024 * 1024 if sys.platform == "darwin" else 1024))
    return Timing(tuple(seconds), peak, cpu)


def peak_mib() -> float:
    """The most memory that this process has used so far, in MiB."""
    status = Path("/proc/self/status")
    if status.exists():  # the operating system's accounting begins with what the parent had when it started this one
        (line,) = [line for line in status.read_text().splitlines() if line.startswith("VmHWM:")]
        return int(line.split()[1]) / 1024
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used / (1024 * 1024 if sys.platform == "darwin" else 1024)


def machine() -> str:
    """What the figures were measured on, in one line."""
    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        models = [
            line.partition(":")[2].strip() for line in info.read_text().splitlines() if line.startswith("model name")
        ]
        name = models[0] if models else name
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores ({name}), {memory:.0f} GiB, {platform.system()}, Python {platform.python_version()}"
