"""What a stack's program would register, written down without an engine: the program runs, and nothing is made.

Look-ups are answered from what was found. What a resource that is there would be read as, the caller tells; a value
that only a run can tell is a text that says so.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf import empty_pb2
from pulumi.runtime import mocks
from pulumi.runtime.proto import provider_pb2, resource_pb2

from byoc.program_run import Program, run_program
from byoc.values import decode, encode, plain

STACK_TYPE = "pulumi:pulumi:Stack"
PROVIDER_PREFIX = "pulumi:providers:"


@dataclass(frozen=True, kw_only=True)
class Registered:
    """One resource that the program wants; secrets in ``inputs`` are wrapped."""

    type: str
    name: str
    parent: str
    """The parent's logical name; empty below the stack itself."""
    provider: str
    """The provider's logical name; empty for a component."""
    custom: bool
    inputs: Mapping[str, Any]
    version: str

    @property
    def is_provider(self) -> bool:
        """Whether it is a provider."""
        return self.type.startswith(PROVIDER_PREFIX)


Outputs = Callable[[Registered], Mapping[str, Any]]
"""What a custom resource would be read as, ``id`` among it."""
Answers = Callable[[str, Mapping[str, Any]], Mapping[str, Any]]
"""The answer to a provider function: its token and arguments; raises ``LookupError`` for one that it cannot answer."""


def record(program: Program, stack: str, outputs: Outputs, answers: Answers) -> tuple[Registered, ...]:
    """Everything that the program registers: providers, components, resources, each by name and after its parent.

    The order of the registrations themselves is another one in each run. Raises what the program raises.
    """
    monitor = _Recorder(outputs, answers)
    run_program(program, stack, monitor, preview=True)
    return in_order(monitor.registered)


def in_order(registered: Collection[Registered]) -> tuple[Registered, ...]:
    """Providers, components, resources: each by name, and after its parent."""
    parents = {item.name: item.parent for item in registered}

    def depth(name: str) -> int:
        return 1 + depth(parents[name]) if name in parents else 0

    def place(item: Registered) -> tuple[bool, bool, int, str]:
        return item.custom and not item.is_provider, not item.is_provider, depth(item.name), item.name

    return tuple(sorted(registered, key=place))


class _NoMocks(mocks.Mocks):
    """The base monitor wants mocks; every method that would use them is overridden."""

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        raise AssertionError(f"not answered: {args.token}")

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        raise AssertionError(f"not made: {args.typ}")


class _Recorder(mocks.MockMonitor):
    def __init__(self, outputs: Outputs, answers: Answers) -> None:
        super().__init__(_NoMocks())
        self._outputs = outputs
        self._answers = answers
        self._lock = threading.Lock()
        self.registered: list[Registered] = []

    def Invoke(self, request: Any) -> Any:  # noqa: N802, ANN401 - the SDK's name and messages
        """Answer a provider function."""
        try:
            answer = self._answers(request.tok, plain(decode(request.args)))
        except LookupError as error:
            failure = provider_pb2.CheckFailure(reason=str(error))
            return resource_pb2.ResourceInvokeResponse(failures=[failure])
        return resource_pb2.ResourceInvokeResponse(**{"return": encode(answer)})

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802, ANN401
        """Write a registration down; answer as if it had been made."""
        urn = f"urn:pulumi:stack::project::{request.type}::{request.name}"
        if request.type == STACK_TYPE:
            return resource_pb2.RegisterResourceResponse(urn=urn)
        registered = Registered(
            type=request.type,
            name=request.name,
            parent=_named(request.parent),
            provider=_named(request.provider.rsplit("::", 1)[0]) if request.custom and request.provider else "",
            custom=request.custom,
            inputs=decode(request.object),
            version=request.version,
        )
        with self._lock:
            self.registered.append(registered)
        outputs = {**plain(dict(registered.inputs)), **self._outputs(registered)} if registered.custom else {}
        return resource_pb2.RegisterResourceResponse(urn=urn, id=str(outputs.get("id", "")), object=encode(outputs))

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802, ANN401, ARG002
        """Outputs are of no interest here."""
        return empty_pb2.Empty()


def _named(urn: str) -> str:
    """The logical name in a URN; empty for the stack's own."""
    parts = urn.split("::")
    return parts[3] if len(parts) > 3 and parts[2] != STACK_TYPE else ""
