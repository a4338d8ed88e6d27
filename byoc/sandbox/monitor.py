"""The resource monitor: what a Pulumi program talks to, on the SDK's own hook for tests.

It receives every registration and invoke of an unchanged program, in the threads of the SDK's event loop, and answers
as the engine does. The SDK makes sure that a resource is registered only when its inputs are there, so independent
resources arrive, and are made, at the same time.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from google.protobuf import empty_pb2
from pulumi.runtime import mocks
from pulumi.runtime.proto import provider_pb2, resource_pb2

from byoc.errors import ByocError
from byoc.runs import Event, Failure, Listener, Op, Phase, Step
from byoc.sandbox.failures import failure_of
from byoc.sandbox.providers import Providers
from byoc.sandbox.registrations import STACK_TYPE, alias_urns, goal_of, wanted_state
from byoc.sandbox.registry import invoke_for
from byoc.sandbox.session import SandboxAws
from byoc.sandbox.state import ResourceState, StackState
from byoc.sandbox.steps import Executor, Goal, Plan, plan, predicted_outputs, replaced_dependents
from byoc.values import contains_unknown, decode, encode, plain

_PROVIDER_PREFIX = "pulumi:providers:"
_FIXED_PROVIDER_INPUTS = ("region", "allowedAccountIds")


class _NoMocks(mocks.Mocks):
    """The base monitor wants mocks; every method that would use them is overridden."""

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        raise AssertionError(f"not answered by the sandbox: {args.token}")

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        raise AssertionError(f"not made by the sandbox: {args.typ}")


class SandboxMonitor(mocks.MockMonitor):
    """Plans and carries out each registration, or only plans it in a preview."""

    def __init__(
        self,
        *,
        project: str,
        state: StackState,
        providers: Providers,
        preview: bool,
        listener: Listener,
        stop: threading.Event,
    ) -> None:
        super().__init__(_NoMocks())
        self._project = project
        self._state = state
        self._providers = providers
        self.is_preview = preview
        self._listener = listener
        self._stop = stop
        self._executor = Executor(state)
        self._lock = threading.Lock()
        self._deleted_early: dict[str, ResourceState] = {}
        self.seen: set[str] = set()
        """URNs that the program registered."""
        self.failed: set[str] = set()
        """URNs that failed or were skipped."""
        self.steps: list[Step] = []
        self.unchanged = 0
        self.failures: list[Failure] = []
        self.skipped: list[str] = []
        self.outputs: Mapping[str, Any] = {}

    # What the program calls

    def Invoke(self, request: Any) -> Any:  # noqa: N802, ANN401 - the SDK's name and messages
        """Answer a provider function."""
        arguments = plain(decode(request.args))
        if contains_unknown(arguments):
            return resource_pb2.ResourceInvokeResponse()
        try:
            answer = invoke_for(request.tok)(self._session_of(request), arguments)
        except Exception as error:  # noqa: BLE001 - the program decides what a failed look-up means
            failure = provider_pb2.CheckFailure(reason=str(error))
            return resource_pb2.ResourceInvokeResponse(failures=[failure])
        return resource_pb2.ResourceInvokeResponse(**{"return": encode(answer)})

    def ReadResource(self, request: Any) -> Any:  # noqa: N802, ANN401
        """Refuse: byoc's programs read by provider functions only."""
        raise ByocError(f"the sandbox cannot read {request.type} '{request.name}': use a provider function")

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802, ANN401
        """Make, change or keep one resource."""
        urn = self.make_urn(request.parent, request.type, request.name)
        if request.type == STACK_TYPE:
            return resource_pb2.RegisterResourceResponse(urn=urn)
        with self._lock:
            if urn in self.seen:
                raise ByocError(f"two resources of type {request.type} have the name '{request.name}'")
            self.seen.add(urn)
        wanted = wanted_state(urn, request)
        if self._blocked(wanted, request):
            return self._skip(wanted)
        started = time.monotonic()
        try:
            self._adopt_alias(wanted, request)
            if not request.custom or request.type.startswith(_PROVIDER_PREFIX):
                done = self._register_logical(wanted)
            else:
                done = self._register_custom(wanted, request)
        except Exception as error:  # noqa: BLE001 - every error of a step becomes a failure of that resource
            return self._fail(wanted, error, time.monotonic() - started)
        return resource_pb2.RegisterResourceResponse(urn=urn, id=done.id, object=encode(done.outputs))

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802, ANN401
        """Keep the stack's outputs, and those of components."""
        if request.urn.split("::")[2] == STACK_TYPE:
            self.outputs = decode(request.outputs)
        elif not self.is_preview and request.urn in self._state.resources:
            outputs = decode(request.outputs)
            component = self._state.resources[request.urn]
            if dict(component.outputs) != outputs and not contains_unknown(outputs):
                self._state.put(replace(component, outputs=outputs))
        return empty_pb2.Empty()

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        """The URN as Pulumi's engine makes it: the whole chain of parent types, the stack itself left out."""
        chain = parent.split("::")[2] if parent else ""
        qualified = f"{chain}${type_}" if chain and chain != STACK_TYPE else type_
        return f"urn:pulumi:{self._state.stack}::{self._project}::{qualified}::{name}"

    # One registration

    def _blocked(self, wanted: ResourceState, request: Any) -> bool:  # noqa: ANN401
        if self._stop.is_set():
            return True
        needs_failed = any(urn in self.failed for urn in wanted.needs)
        return needs_failed or (request.custom and not self.is_preview and contains_unknown(wanted.inputs))

    def _adopt_alias(self, wanted: ResourceState, request: Any) -> None:  # noqa: ANN401
        if wanted.urn in self._state.resources or self.is_preview:
            return
        for old_urn in alias_urns(request, self.make_urn):
            old = self._state.resources.get(old_urn)
            if old is not None:
                self._state.put(replace(old, urn=wanted.urn))
                self._state.drop(old)
                return

    def _register_logical(self, wanted: ResourceState) -> ResourceState:
        """A component or a provider: nothing in AWS, but part of the stack."""
        old = self._state.resources.get(wanted.urn)
        done = replace(wanted, key=old.key) if old is not None else wanted
        if wanted.custom:
            self._refuse_moved_provider(wanted, old)
            identity = old.id if old is not None else str(uuid.uuid4())
            done = replace(done, id=identity, outputs=wanted.inputs)
            self._providers.configure(wanted.urn, wanted.inputs)
        elif old is not None:
            done = replace(done, outputs=old.outputs)
        if old is None:
            self._finish(done, Op.CREATE)
        elif plain(dict(old.inputs)) != plain(dict(wanted.inputs)):
            self._finish(done, Op.UPDATE, changed=_changed_keys(old, wanted))
        else:
            self._keep(old)
        if not self.is_preview and old != done:
            self._state.put(done)
        return done if wanted.custom else replace(done, outputs={})

    @staticmethod
    def _refuse_moved_provider(wanted: ResourceState, old: ResourceState | None) -> None:
        for key in _FIXED_PROVIDER_INPUTS if old is not None else ():
            before, after = plain(old.inputs.get(key)), plain(wanted.inputs.get(key))  # type: ignore[union-attr]
            if before != after:
                raise ByocError(
                    f"this stack lives in {key} {before}; the config now says {after}\n"
                    "      allowed:  a stack never moves to another account or region\n"
                    "      mend it:  make a new stack for the new place, then destroy this one"
                )

    def _register_custom(self, wanted: ResourceState, request: Any) -> ResourceState:  # noqa: ANN401
        if not wanted.provider:
            package = wanted.type.split(":")[0]
            raise ByocError(
                f"default provider for '{package}' is disabled: '{wanted.name}' must use an explicit provider"
            )
        goal = goal_of(wanted, request, self._providers.default_tags(wanted.provider))
        planned = plan(goal, self._state.resources.get(wanted.urn))
        if planned.op is Op.SAME and planned.old is not None:
            old = planned.old
            done = replace(wanted, id=old.id, key=old.key, inputs=old.inputs, outputs=old.outputs)
            self._keep(planned.old)
            if not self.is_preview and done != planned.old:
                self._state.put(done)
            return done
        if self.is_preview:
            return self._foresee(goal, planned)
        return self._carry_out(goal, planned)

    def _foresee(self, goal: Goal, planned: Plan) -> ResourceState:
        replaced_with_another = goal.state.urn in self._deleted_early
        if planned.delete_first:
            self._delete_early(planned, dry=True)
        op = Op.REPLACE if replaced_with_another else planned.op
        self._finish(goal.state, op, changed=planned.changed)
        keeps_id = op is Op.UPDATE and planned.old is not None
        return replace(
            goal.state,
            id=planned.old.id if keeps_id and planned.old is not None else "",
            outputs=predicted_outputs(goal, planned),
        )

    def _carry_out(self, goal: Goal, planned: Plan) -> ResourceState:
        op = Op.REPLACE if goal.state.urn in self._deleted_early else planned.op
        self._emit(op, Phase.STARTED, goal.state, changed=planned.changed)
        started = time.monotonic()
        aws = self._providers.session(goal.state.provider)
        if planned.op is Op.UPDATE:
            done = self._executor.update(goal, planned, aws)
        else:
            if planned.op is Op.REPLACE:
                if planned.delete_first:
                    self._delete_early(planned, dry=False)
                else:
                    self._state.supersede(goal.state.urn)
            done = self._executor.create(goal, planned.inputs, aws)
        self._finish(done, op, changed=planned.changed, seconds=time.monotonic() - started)
        return done

    def _delete_early(self, planned: Plan, *, dry: bool) -> None:
        """Delete a resource before its replacement is made, and before it what cannot outlive it."""
        old = planned.existing
        with self._lock:
            doomed = [*reversed(replaced_dependents(old.urn, self._state)), old]
            protected = [item.name for item in doomed if item.protect]
            if protected:
                raise ByocError(f"replacing '{old.name}' would delete what is protected: {', '.join(protected)}")
            for resource in doomed:
                if resource.urn != old.urn:
                    self._deleted_early[resource.urn] = resource
                if not dry:
                    self._executor.delete(resource, self._providers.session(resource.provider))

    # Bookkeeping

    def _session_of(self, request: Any) -> SandboxAws:  # noqa: ANN401
        if not request.provider:
            raise ByocError(f"default providers are disabled: {request.tok} must use an explicit provider")
        return self._providers.session(request.provider.rsplit("::", 1)[0])

    def _emit(
        self, op: Op, phase: Phase, resource: ResourceState, *, seconds: float = 0.0, changed: tuple[str, ...] = ()
    ) -> None:
        self._listener(
            Event(op=op, phase=phase, urn=resource.urn, type=resource.type, seconds=seconds, changed=changed)
        )

    def _finish(self, resource: ResourceState, op: Op, *, changed: tuple[str, ...] = (), seconds: float = 0.0) -> None:
        with self._lock:
            self.steps.append(Step(op=op, urn=resource.urn, type=resource.type, changed=changed))
        self._emit(op, Phase.DONE, resource, seconds=seconds, changed=changed)

    def _keep(self, old: ResourceState) -> None:
        with self._lock:
            self.unchanged += 1
        self._emit(Op.SAME, Phase.DONE, old)

    def _skip(self, wanted: ResourceState) -> Any:  # noqa: ANN401
        with self._lock:
            self.failed.add(wanted.urn)
            self.skipped.append(wanted.urn)
        self._emit(self._likely_op(wanted), Phase.SKIPPED, wanted)
        return resource_pb2.RegisterResourceResponse(urn=wanted.urn, result=resource_pb2.Result.FAIL)

    def _fail(self, wanted: ResourceState, error: Exception, seconds: float) -> Any:  # noqa: ANN401
        op = self._likely_op(wanted)
        session = self._providers.opened(wanted.provider)
        action = session.last_action if session is not None else ""
        failure = failure_of(error, urn=wanted.urn, type=wanted.type, op=op.value, action=action)
        with self._lock:
            self.failed.add(wanted.urn)
            self.failures.append(failure)
        self._emit(op, Phase.FAILED, wanted, seconds=seconds)
        return resource_pb2.RegisterResourceResponse(urn=wanted.urn, result=resource_pb2.Result.FAIL)

    def _likely_op(self, wanted: ResourceState) -> Op:
        return Op.UPDATE if wanted.urn in self._state.resources else Op.CREATE


def _changed_keys(old: ResourceState, new: ResourceState) -> tuple[str, ...]:
    before, after = plain(dict(old.inputs)), plain(dict(new.inputs))
    return tuple(sorted(key for key in before.keys() | after.keys() if before.get(key) != after.get(key)))
