"""One command over the stacks that it means: found, checked, and run; attached or not."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from byoc.automation.asked import Asked, Limits, RunOptions, Verb
from byoc.automation.config_words import config_values
from byoc.automation.engines import Engines
from byoc.automation.locks import held
from byoc.automation.many import Outcome, StackOutcome, run_many, skipped, why_not, why_stopped
from byoc.automation.selection import in_the_backend, layers, waits_for
from byoc.automation.stack_run import After, Guard, StackRun, nothing_after, unguarded
from byoc.automation.workspace import ProjectWorkspace
from byoc.errors import InputError
from byoc.project.stack_selection import Selection, select_stacks
from byoc.runs import Listener, RunResult, ignore

DECLINED = "not confirmed"
"""Why a stack was not run after a "no"."""
_STOPPING = b"\nstopping: what is under way is finished first; once more ends it at once, and may leave it unrecorded\n"
_KILLING = b"\nending at once\n"


@dataclass(frozen=True, kw_only=True)
class CommandResult:
    """What became of every stack of a command."""

    outcomes: tuple[StackOutcome, ...]
    interrupted: bool
    many: bool
    """Whether the command was one for many stacks, whatever its patterns matched."""

    @property
    def ok(self) -> bool:
        """Whether every stack succeeded."""
        return all(item.outcome is Outcome.SUCCEEDED for item in self.outcomes)

    @property
    def state(self) -> str:
        """In one word: succeeded, failed, interrupted."""
        return "interrupted" if self.interrupted else "succeeded" if self.ok else "failed"

    def document(self) -> dict[str, Any]:
        """For a program to read: the stacks with their results, and the state of the whole."""
        return {"state": self.state, "stacks": [item.document() for item in self.outcomes]}


@dataclass(frozen=True, kw_only=True)
class Command:
    """A checked command: its stacks have files and exist in the backend."""

    workspace: ProjectWorkspace
    verb: Verb
    words: str
    """The command in short, as it was written."""
    selection: Selection
    options: RunOptions
    limits: Limits
    waits: Mapping[str, frozenset[str]]
    guard: Guard = unguarded
    """Asked of each stack before it is brought up."""
    after: After = nothing_after
    """Done for each stack that was brought up."""

    @classmethod
    def prepare(cls, folder: Path, asked: Asked, guard: Guard = unguarded, after: After = nothing_after) -> Command:
        """Find the project, the CLI and the stacks, and make the stacks that are to be made.

        Raises :class:`~byoc.errors.InputError` for everything that is wrong with what was asked; then nothing is done.
        """
        workspace = ProjectWorkspace.find(folder)
        _check(asked)
        selection = select_stacks(workspace.project, asked.stacks, every=asked.every)
        values = config_values(asked.config, workspace.project, selection.stacks)
        present = workspace.stacks_in_backend()
        selection, missing = in_the_backend(selection, present, undoing=asked.verb.undoes, init=asked.init)
        for stack in missing:
            workspace.create_stack(stack)
        return cls(
            workspace=workspace,
            verb=asked.verb,
            words=asked.words,
            selection=selection,
            options=replace(asked.options, config=values),
            limits=asked.limits,
            waits=_waits(workspace, asked.verb, selection.stacks),
            guard=guard,
            after=after,
        )

    @property
    def is_for_many(self) -> bool:
        """Whether it was written for many stacks, whatever its patterns matched."""
        return self.selection.by_pattern or len(self.selection.stacks) > 1

    def locked(self, run: str = "") -> AbstractContextManager[tuple[int, ...]]:
        """Keep other runs off the stacks while the block lasts; a preview changes nothing and keeps nobody off.

        Raises :class:`~byoc.errors.InputError` if another run is at any of them (:func:`~byoc.automation.locks.held`).
        """
        stacks = () if self.verb is Verb.PREVIEW else self.selection.stacks
        return held(self.workspace.project.root, stacks, words=self.words, run=run)

    def run(self, listener: Listener = ignore, done: Callable[[StackOutcome], None] = lambda _: None) -> CommandResult:
        """Run every stack, each with a preview of its own unless the options say otherwise."""
        return self._over(self.waits, lambda stack: self._stack(stack).whole(listener), done)

    def ask_and_run(
        self,
        ask: Callable[[tuple[StackOutcome, ...]], bool],
        follow: Callable[[Verb], AbstractContextManager[Listener]],
    ) -> CommandResult:
        """Preview, ask, run: the stacks that wait for none first, then those that wait for them, and so on.

        ``ask`` is given the previews of a group, to show them; those that failed are not run. After a "no" nothing
        else is begun.
        ``follow`` gives a listener for as long as a group is previewed, and again while it is run; it is told which.
        """
        outcomes: dict[str, StackOutcome] = {}
        stopped = ""
        for group in layers(self.waits):
            why = {stack: stopped or why_not(self.waits[stack], outcomes) for stack in group}
            outcomes |= {stack: skipped(stack, reason) for stack, reason in why.items() if reason}
            free = [stack for stack, reason in why.items() if not reason]
            outcomes |= self._ask_and_run_together(free, ask, follow) if free else {}
            declined = any(item.because == DECLINED for item in outcomes.values())
            stopped = DECLINED if declined else why_stopped(outcomes, self.limits, interrupted=self._interrupted)
        return self._result([outcomes[stack] for stack in self.waits])

    def _ask_and_run_together(
        self,
        stacks: list[str],
        ask: Callable[[tuple[StackOutcome, ...]], bool],
        follow: Callable[[Verb], AbstractContextManager[Listener]],
    ) -> dict[str, StackOutcome]:
        """Preview, ask about and run stacks that wait for none of each other."""
        with follow(Verb.PREVIEW) as told:
            previews = self._over(_without_waits(stacks), partial(self._previewed, told)).outcomes
        outcomes = {item.stack: item for item in previews}
        good = [item.stack for item in previews if item.outcome is Outcome.SUCCEEDED]
        agreed = not self._interrupted and ask(previews)
        if agreed and good:
            with follow(self.verb) as told:
                ran = self._over(_without_waits(good), partial(self._performed, told)).outcomes
            return outcomes | {item.stack: item for item in ran}
        reason = why_stopped({}, self.limits, interrupted=self._interrupted) or DECLINED
        return outcomes | {stack: skipped(stack, reason) for stack in good}

    @property
    def _interrupted(self) -> bool:
        return self.workspace.engines.interrupted

    def _stack(self, stack: str) -> StackRun:
        return StackRun(
            workspace=self.workspace,
            stack=stack,
            verb=self.verb,
            options=self.options,
            guard=self.guard,
            after=self.after,
        )

    def _previewed(self, listener: Listener, stack: str) -> RunResult:
        return self._stack(stack).allowed_preview(listener)

    def _performed(self, listener: Listener, stack: str) -> RunResult:
        return self._stack(stack).perform(listener)

    def _over(
        self,
        waits: Mapping[str, frozenset[str]],
        run: Callable[[str], RunResult],
        done: Callable[[StackOutcome], None] = lambda _: None,
    ) -> CommandResult:
        engines = self.workspace.engines
        with interruptible(engines):
            return self._result(
                run_many(waits, run, limits=self.limits, interrupted=lambda: engines.interrupted, done=done)
            )

    def _result(self, outcomes: list[StackOutcome]) -> CommandResult:
        unfinished = any(item.outcome is not Outcome.SUCCEEDED for item in outcomes)
        return CommandResult(
            outcomes=tuple(outcomes),
            interrupted=self._interrupted and unfinished,
            many=self.is_for_many,
        )


@contextmanager
def interruptible(engines: Engines) -> Iterator[None]:
    """Pass the signals that end a program on to the engines while the block lasts; this process waits for their end.

    The first lets them finish what is under way; standard error says so.
    """

    def pass_on(*_: object) -> None:
        engines.interrupt()
        os.write(sys.stderr.fileno(), _KILLING if engines.was_killed else _STOPPING)  # print may be what is interrupted

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    for number in before:
        signal.signal(number, pass_on)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _waits(workspace: ProjectWorkspace, verb: Verb, stacks: tuple[str, ...]) -> dict[str, frozenset[str]]:
    if verb is Verb.PREVIEW:  # changes nothing that another could wait for
        return {stack: frozenset() for stack in stacks}
    return waits_for(workspace.project, stacks, undoing=verb is Verb.DESTROY)


def _without_waits(stacks: list[str]) -> dict[str, frozenset[str]]:
    return {stack: frozenset() for stack in stacks}


def _check(asked: Asked) -> None:
    for pack in asked.options.policy_packs:
        if not (Path(pack) / "PulumiPolicy.yaml").is_file():
            raise InputError(
                f"--policy-pack {pack}: no PulumiPolicy.yaml in it\n"
                "      allowed:  the folder of a policy pack\n"
                "      mend it:  name the folder that holds PulumiPolicy.yaml, such as byoc/policy"
            )
