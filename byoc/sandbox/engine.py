"""The embedded engine: runs an unchanged Pulumi program against the embedded AWS, with state of its own.

``up`` runs the program and makes what it says; ``preview`` says what ``up`` would do and changes nothing; ``destroy``
deletes what the state holds, without running the program. Like ``pulumi up --continue-on-error``, a failed step stops
what depends on it and lets the rest finish; deletions wait for a run without failures.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import pulumi

from byoc.errors import ByocError
from byoc.lookups import LookupFailedError
from byoc.program_run import Program, run_program
from byoc.runs import Event, Failure, Listener, Op, Phase, RunResult, Step, ignore
from byoc.sandbox.deletions import delete_in_order
from byoc.sandbox.failures import failure_of, failure_of_program
from byoc.sandbox.monitor import SandboxMonitor
from byoc.sandbox.providers import Cloud, Providers
from byoc.sandbox.registry import handler_for
from byoc.sandbox.session import CallObserver
from byoc.sandbox.state import ResourceState, StackState
from byoc.sandbox.steps import Executor
from byoc.values import plain

_PROVIDER_PREFIX = "pulumi:providers:"


@dataclass(kw_only=True)
class Engine:
    """One run over one stack's state."""

    state: StackState
    cloud: Cloud
    listener: Listener = ignore
    on_call: CallObserver | None = None
    run_id: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    """Sent with every AWS request, so that the call log can be read by run."""
    stop: threading.Event = field(default_factory=threading.Event)
    """Set it, and nothing new is begun; what is under way is finished and recorded."""

    def up(self, program: Program) -> RunResult:
        """Make what the program says. Failures are in the result; a wrong config raises ``ByocError``."""
        started = time.monotonic()
        with self.state.exclusive():
            providers = self._providers()
            failures = self._recover(providers)
            refused = self._refusals(program, providers)
            if refused:
                self.state.fold()
                return self._result(started, (), [*failures, *refused], (), None, ())
            monitor = self._monitor(program, providers, preview=False)
            self._run(program, monitor)
            steps = list(monitor.steps)
            kept: tuple[str, ...] = ()
            failures += monitor.failures
            skipped = list(monitor.skipped)
            if not failures and not skipped:
                doomed, refused = self._no_longer_wanted(monitor.seen)
                failures += refused
                deletion = self._delete(doomed, providers)
                steps += deletion.steps
                failures += deletion.failures
                skipped += deletion.skipped
                kept = deletion.kept
                self.state.set_outputs(monitor.outputs)
            self.state.fold()
        return self._result(started, steps, failures, skipped, monitor, kept)

    def preview(self, program: Program) -> RunResult:
        """Say what ``up`` would do; nothing is changed in AWS or in the state."""
        started = time.monotonic()
        with self.state.exclusive():
            providers = self._providers()
            monitor = self._monitor(program, providers, preview=True)
            self._run(program, monitor)
            failures, deletions = list(monitor.failures), []
            if not failures and not monitor.skipped:  # what a broken program did not register is not unwanted
                doomed, refused = self._no_longer_wanted(monitor.seen)
                failures += refused
                deletions = [
                    Step(op=_removal(item), urn=item.urn, type=item.type) for item in doomed if not item.superseded
                ]
        return self._result(started, [*monitor.steps, *deletions], failures, monitor.skipped, monitor, ())

    def destroy(self) -> RunResult:
        """Delete everything that the state holds, dependants first; refuses as a whole if anything is protected."""
        started = time.monotonic()
        with self.state.exclusive():
            protected = sorted(item.name for item in self.state.resources.values() if item.protect)
            if protected:
                raise ByocError(
                    f"stack '{self.state.stack}' holds protected resources: {', '.join(protected)}; "
                    "nothing was deleted\n"
                    "      mend it:  lift the protection in the config (database.deletionProtection: false), run 'up', "
                    "then 'destroy'"
                )
            providers = self._providers()
            failures = self._recover(providers)
            everything = [*self.state.resources.values(), *self.state.superseded.values()]
            deletion = self._delete(everything, providers)
            failures += deletion.failures
            if not failures and not deletion.skipped:
                self.state.set_outputs({})
            self.state.fold()
        return self._result(started, deletion.steps, failures, deletion.skipped, None, deletion.kept)

    # The program

    def _refusals(self, program: Program, providers: Providers) -> list[Failure]:
        """What a preview refuses, if the stack holds something that must not be lost: then nothing at all is changed.

        ``pulumi up`` previews every update; here only those that could find out half-way that they must not go on.
        """
        if not any(item.protect or _is_irreplaceable(item) for item in self.state.resources.values()):
            return []
        monitor = self._monitor(program, providers, preview=True, listener=ignore)
        self._run(program, monitor)
        return monitor.failures

    def _monitor(
        self, program: Program, providers: Providers, *, preview: bool, listener: Listener | None = None
    ) -> SandboxMonitor:
        return SandboxMonitor(
            project=program.project,
            state=self.state,
            providers=providers,
            preview=preview,
            listener=listener or self.listener,
            stop=self.stop,
        )

    def _run(self, program: Program, monitor: SandboxMonitor) -> None:
        """Run the program in a thread of its own, so that Ctrl-C stops new steps and lets begun ones finish."""
        errors: list[BaseException] = []
        ended = threading.Event()  # Python 3.11 takes a thread for dead once Ctrl-C has interrupted a join of it

        def body() -> None:
            try:
                run_program(program, self.state.stack, monitor, preview=monitor.is_preview)
            except BaseException as error:  # noqa: BLE001 - handed to the waiting thread
                errors.append(error)
            finally:
                ended.set()

        thread = threading.Thread(target=body, name="program")
        thread.start()
        while True:
            try:
                if ended.wait(0.5):
                    break
            except KeyboardInterrupt:
                self.stop.set()
        if errors and isinstance(errors[0], pulumi.RunError) and not isinstance(errors[0], LookupFailedError):
            raise errors[0]
        if errors:
            monitor.failures.append(failure_of_program(errors[0]))

    # Before and after

    def _providers(self) -> Providers:
        providers = Providers(self.cloud, self.run_id, self.on_call)
        for item in self.state.resources.values():
            if item.type.startswith(_PROVIDER_PREFIX):
                providers.configure(item.urn, item.inputs)
        return providers

    def _recover(self, providers: Providers) -> list[Failure]:
        """Find out what an interrupted run made without writing it down."""
        failures = []
        executor = Executor(self.state)
        for begun in list(self.state.begun.values()):
            aws = None
            try:
                aws = providers.session(begun.provider)
                executor.recover(begun, aws)
            except Exception as error:  # noqa: BLE001 - reported; the create stays noted as begun
                action = aws.last_action if aws is not None else ""
                failures.append(failure_of(error, urn=begun.urn, type=begun.type, op="recover", action=action))
        return failures

    def _no_longer_wanted(self, seen: set[str]) -> tuple[list[ResourceState], list[Failure]]:
        gone = [item for urn, item in self.state.resources.items() if urn not in seen]
        refused = [
            Failure(
                urn=item.urn,
                type=item.type,
                op="delete",
                action="",
                error=f"'{item.name}' is protected and no longer in the program",
                remedy="bring it back, or lift its protection in the config, run 'up', and then take it out",
            )
            for item in gone
            if item.protect
        ]
        if refused:
            return [], refused
        return [*gone, *self.state.superseded.values()], []

    def _delete(self, resources: Iterable[ResourceState], providers: Providers) -> _Deletion:
        return _Deletion(self, providers).run(list(resources))

    def _result(
        self,
        started: float,
        steps: Iterable[Step],
        failures: Iterable[Failure],
        skipped: Iterable[str],
        monitor: SandboxMonitor | None,
        kept: Iterable[str],
    ) -> RunResult:
        failures, skipped = tuple(failures), tuple(skipped)
        return RunResult(
            stack=self.state.stack,
            steps=tuple(steps),
            unchanged=monitor.unchanged if monitor is not None else 0,
            outputs=dict(monitor.outputs) if monitor is not None else {},
            failures=failures,
            skipped=skipped,
            kept=tuple(kept),
            seconds=time.monotonic() - started,
            interrupted=self.stop.is_set() and bool(failures or skipped),
            run_id=self.run_id,
        )


class _Deletion:
    """The deletions of one run, and what came of them."""

    def __init__(self, engine: Engine, providers: Providers) -> None:
        self._engine = engine
        self._providers = providers
        self._executor = Executor(engine.state)
        self._lock = threading.Lock()
        self.steps: list[Step] = []
        self.failures: list[Failure] = []
        self.skipped: list[str] = []
        self.kept: tuple[str, ...] = ()

    def run(self, resources: list[ResourceState]) -> _Deletion:
        untried = delete_in_order(resources, self._one, self._engine.stop)
        self.skipped = [item.urn for item in untried]
        for item in untried:
            self._engine.listener(Event(op=Op.DELETE, phase=Phase.SKIPPED, urn=item.urn, type=item.type))
        return self

    def _one(self, resource: ResourceState) -> bool:
        op = _removal(resource)
        event = Event(op=op, phase=Phase.STARTED, urn=resource.urn, type=resource.type)
        self._engine.listener(event)
        started = time.monotonic()
        aws = None
        try:
            if resource.custom and not resource.type.startswith(_PROVIDER_PREFIX):
                aws = self._providers.session(resource.provider)
            self._executor.delete(resource, aws)
        except Exception as error:  # noqa: BLE001 - every error of a step becomes a failure of that resource
            action = aws.last_action if aws is not None else ""
            failure = failure_of(error, urn=resource.urn, type=resource.type, op="delete", action=action)
            with self._lock:
                self.failures.append(failure)
            self._engine.listener(replace(event, phase=Phase.FAILED, seconds=time.monotonic() - started))
            return False
        with self._lock:
            if not resource.superseded:
                self.steps.append(Step(op=op, urn=resource.urn, type=resource.type))
            self.kept += _left(resource)
        self._engine.listener(replace(event, phase=Phase.DONE, seconds=time.monotonic() - started))
        return True


def _is_irreplaceable(resource: ResourceState) -> bool:
    is_provider = resource.type.startswith(_PROVIDER_PREFIX)
    return resource.custom and not is_provider and handler_for(resource.type).refuse_replacement is not None


def _removal(resource: ResourceState) -> Op:
    return Op.RETAIN if resource.retain_on_delete else Op.DELETE


def _left(resource: ResourceState) -> tuple[str, ...]:
    if not resource.custom or resource.type.startswith(_PROVIDER_PREFIX):
        return ()
    if resource.retain_on_delete:
        return (f"{resource.type.rpartition(':')[2]} {resource.id}",)
    return handler_for(resource.type).leaves({**plain(dict(resource.inputs)), **plain(dict(resource.outputs))})
