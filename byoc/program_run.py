"""Running a Pulumi program in this process, as Pulumi's language host does, against a monitor of ours."""

from __future__ import annotations

import asyncio
import runpy
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pulumi
from google.protobuf import empty_pb2
from pulumi.runtime import mocks
from pulumi.runtime.proto import engine_pb2
from pulumi.runtime.settings import configure, set_root_resource
from pulumi.runtime.stack import run_in_stack

_THREADS = 64
"""Registrations in flight at once: AWS calls wait for the network, not for the processor."""


@dataclass(frozen=True, kw_only=True)
class Program:
    """A Pulumi program with the config of one stack."""

    main: Callable[[], None]
    project: str
    config: Mapping[str, str] = field(default_factory=dict)
    """By full key (``byoc:region``); values as the CLI hands them to a program, decrypted."""
    secret_keys: frozenset[str] = frozenset()


def script(path: Path) -> Callable[[], None]:
    """The program in a file, to be run from its beginning each time."""

    def main() -> None:
        runpy.run_path(str(path), run_name="__main__")

    return main


class _ProgramLog:
    """What the program logs: errors and warnings are kept for the one who started the run."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, str]] = []

    def Log(self, request: engine_pb2.LogRequest) -> None:  # noqa: N802 - the SDK's name
        if request.severity >= engine_pb2.WARNING:
            self.messages.append((engine_pb2.LogSeverity.Name(request.severity), request.message))


def run_program(program: Program, stack: str, monitor: mocks.MockMonitor, *, preview: bool) -> None:
    """Run a program to its end, with everything that it started, as Pulumi's language host does."""

    async def body() -> None:
        configure(
            mocks.MockSettings(
                monitor=monitor,
                monitor_features=set(monitor.GetDeploymentInfo(empty_pb2.Empty()).supportedFeatures),
                engine=_ProgramLog(),
                project=program.project,
                stack=stack,
                dry_run=preview,
                organization=None,
                callbacks=None,
                # The SDK's own are global to the process: a run that failed would leave its outputs to the next one.
                outputs=set(),
                lock=threading.Lock(),
            )
        )
        set_root_resource(None)  # type: ignore[arg-type]
        pulumi.runtime.set_all_config(dict(program.config), sorted(program.secret_keys))
        await run_in_stack(program.main)

    loop = asyncio.new_event_loop()
    pool = ThreadPoolExecutor(max_workers=_THREADS, thread_name_prefix="resource")
    loop.set_default_executor(pool)
    try:
        loop.run_until_complete(body())
    finally:
        pool.shutdown(wait=True, cancel_futures=True)  # steps that are under way are finished and recorded
        _cancel_rest(loop)
        loop.close()


def _cancel_rest(loop: asyncio.AbstractEventLoop) -> None:
    """End what a failed program left waiting; after a program that ran to its end there is nothing."""
    rest = asyncio.all_tasks(loop)
    for task in rest:
        task.cancel()
    if rest:
        loop.set_exception_handler(lambda _loop, _context: None)  # the failure itself is reported already
        loop.run_until_complete(asyncio.gather(*rest, return_exceptions=True))
