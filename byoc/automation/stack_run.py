"""One stack, one run of the engine: preview, up, destroy, refresh."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from pulumi.automation.errors import CommandError

from byoc.automation.asked import RunOptions, Verb
from byoc.automation.events import RunReader
from byoc.automation.failures import command_failure, lost_failure
from byoc.automation.workspace import ProjectWorkspace
from byoc.runs import Failure, Listener, RunResult, ignore

warnings.filterwarnings("ignore", "Error in event stream")  # what the Automation API says of a killed engine
_SECONDS_FOR_EVENTS = 5.0
"""How long the last events may come after the engine's end."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Whether a stack may be brought up now."""

    refusal: Failure | None = None
    """Why not, and the way out."""
    notes: tuple[str, ...] = ()
    """What is worth knowing in either case."""


REFUSED: Final = "up"
"""The operation that a guard's refusal names as failed: the run of the stack was not begun."""
Guard = Callable[[str, RunResult | None], Verdict]
"""Asked before a stack is brought up: its name, and what its preview showed; None where there was no preview."""


def unguarded(_stack: str, _preview: RunResult | None) -> Verdict:
    """The guard that lets everything pass."""
    return Verdict()


After = Callable[[str, RunResult], tuple[str, ...]]
"""Called after a stack was brought up well: its name, and what was done. It gives notes, and never raises."""


def nothing_after(_stack: str, _done: RunResult) -> tuple[str, ...]:
    """Nothing more is to be done."""
    return ()


@dataclass(frozen=True, kw_only=True)
class StackRun:
    """What is to be done with one stack; nothing is remembered between its methods."""

    workspace: ProjectWorkspace
    stack: str
    verb: Verb
    options: RunOptions = field(default_factory=RunOptions)
    guard: Guard = unguarded
    after: After = nothing_after

    def whole(self, listener: Listener = ignore) -> RunResult:
        """Preview, and go on if that shows nothing that is refused; as ``pulumi up --yes``.

        Without a preview if the options say so. What fails in the preview, or is refused after it, has changed nothing.
        """
        if self.verb is Verb.PREVIEW:
            return self.preview(listener)
        before = RunResult(stack=self.stack) if self.options.skip_preview else self.preview()
        if not before.ok or before.interrupted:
            return replace(before, steps=(), unchanged=0, outputs={})
        verdict = self._verdict(None if self.options.skip_preview else before)
        if verdict.refusal is not None:
            return RunResult(stack=self.stack, failures=(verdict.refusal,), notes=verdict.notes, seconds=before.seconds)
        done = self.perform(listener)
        return replace(done, seconds=before.seconds + done.seconds, notes=(*verdict.notes, *done.notes))

    def allowed_preview(self, listener: Listener = ignore) -> RunResult:
        """A preview that fails if the guard refuses what it shows."""
        previewed = self.preview(listener)
        if not previewed.ok or previewed.interrupted:
            return previewed
        verdict = self._verdict(previewed)
        refusals = (verdict.refusal,) if verdict.refusal is not None else ()
        return replace(previewed, failures=refusals, notes=(*previewed.notes, *verdict.notes))

    def _verdict(self, previewed: RunResult | None) -> Verdict:
        return self.guard(self.stack, previewed) if self.verb is Verb.UP else Verdict()

    def preview(self, listener: Listener = ignore) -> RunResult:
        """Say what the verb would do; nothing is changed, in the account or in the stack's file."""
        with self._config_file() as file:
            options = {**self._options(), **({"config_file": str(file)} if file else {})}
            stack = self.workspace.existing(self.stack)
            calls: dict[Verb, Callable[..., Any]] = {
                Verb.DESTROY: stack.preview_destroy,
                Verb.REFRESH: stack.preview_refresh,
            }
            return self._run(calls.get(self.verb, stack.preview), options, listener)

    def perform(self, listener: Listener = ignore) -> RunResult:
        """Do it, without a preview."""
        if self.options.config:
            self.workspace.save_config(self.stack, self.options.config)
        stack = self.workspace.existing(self.stack)
        calls: dict[Verb, Callable[..., Any]] = {
            Verb.DESTROY: stack.destroy,
            Verb.REFRESH: stack.refresh,
            Verb.UP: stack.up,
        }
        done = self._run(calls[self.verb], {**self._options(), "show_secrets": False}, listener)
        if self.verb is not Verb.UP or not done.ok or done.interrupted:
            return done
        return replace(done, notes=(*done.notes, *self.after(self.stack, done)))

    def _options(self) -> dict[str, Any]:
        options = self.options
        given: dict[str, Any] = {
            "parallel": options.parallel,
            "target": list(options.targets),
            "message": options.message,
        }
        if self.verb is not Verb.REFRESH:
            given["refresh"] = options.refresh
        if self.verb is not Verb.DESTROY:
            given["expect_no_changes"] = options.expect_no_changes
        if self.verb in (Verb.UP, Verb.PREVIEW):
            given["policy_packs"] = list(options.policy_packs)
        return given

    def _run(self, call: Callable[..., Any], options: Mapping[str, Any], listener: Listener) -> RunResult:
        started = time.monotonic()
        engines = self.workspace.engines
        if engines.interrupted:
            return RunResult(stack=self.stack, interrupted=True)
        reader = RunReader(listener)
        failure: Failure | None = None
        said: list[str] = []
        try:
            call(on_event=reader, on_error=said.append, **options)
        except CommandError as error:
            failure = command_failure("\n".join(said) or str(error), stack=self.stack)
        except RuntimeError as error:  # the Automation API's own, where no summary came
            failure = command_failure(f"error: {error}", stack=self.stack)
        if reader.began and not engines.was_killed:
            reader.ended.wait(_SECONDS_FOR_EVENTS)
        interrupted = engines.interrupted and failure is not None
        return RunResult(
            stack=self.stack,
            steps=tuple(reader.steps),
            unchanged=reader.unchanged,
            outputs=reader.outputs,
            failures=self._causes(reader, failure, interrupted=interrupted),
            notes=tuple(reader.notes),
            seconds=time.monotonic() - started,
            interrupted=interrupted,
        )

    def _causes(self, reader: RunReader, failure: Failure | None, *, interrupted: bool) -> tuple[Failure, ...]:
        if failure is None:
            return ()
        if interrupted and self.workspace.engines.was_killed:
            return (*reader.failures, lost_failure(self.stack))
        if interrupted:
            return reader.failures
        return reader.failures or (failure,)

    @contextmanager
    def _config_file(self) -> Iterator[Path | None]:
        """A copy of the stack's file with the config of the options, for a preview; None if there is no such config."""
        if not self.options.config:
            yield None
            return
        original = self.workspace.project.stack_file(self.stack)
        handle, name = tempfile.mkstemp(prefix="byoc-", suffix=".yaml")
        os.close(handle)
        copy = Path(name)
        try:
            shutil.copyfile(original, copy)
            self.workspace.save_config(self.stack, self.options.config, copy)
            yield copy
        finally:
            copy.unlink()
