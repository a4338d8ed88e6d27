"""The one way in which construction tests run a component: every registration and invoke is recorded whole.

``run(program)`` runs a function that makes components inside a Pulumi program without engine or cloud, drains every
pending output, and gives a :class:`Recording`. A subclass of the SDK's mock monitor sees what goes over the wire: type,
name, parent, provider, protect, aliases, inputs, dependencies, and the outputs that components register.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi import get_project, get_stack
from pulumi.runtime import mocks
from pulumi.runtime.proto import resource_pb2
from pulumi.runtime.settings import configure, set_root_resource
from pulumi.runtime.stack import run_in_stack

_SECRET_SIGNATURE = "1b47061264138c4ac30d75fd1eb44270"
_SIGNATURE_KEY = "4dabf18193072939515e22adb298388d"


@dataclass(frozen=True)
class Secret:
    """A value that went over the wire marked as secret."""

    value: Any


@dataclass(frozen=True)
class Registration:
    """One resource as it was registered."""

    type: str
    name: str
    urn: str
    parent: str
    """URN of the parent."""
    provider: str
    """Provider reference, ``urn::id``; empty where none was given."""
    inputs: Mapping[str, Any]
    """By wire name; a secret value is wrapped in :class:`Secret`."""
    custom: bool
    protect: bool
    retain_on_delete: bool
    delete_before_replace: bool
    ignore_changes: tuple[str, ...]
    aliases: tuple[str, ...]
    dependencies: tuple[str, ...]
    """URNs of everything that this resource waits for."""

    @property
    def plain(self) -> Any:
        """The inputs with secrets unwrapped, for comparing whole values."""
        return _unwrap(dict(self.inputs))


@dataclass(frozen=True)
class Call:
    """One provider function as it was invoked."""

    token: str
    args: Mapping[str, Any]
    provider: str


@dataclass
class Recording:
    """What a program did."""

    registrations: list[Registration] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    outputs: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """What each component registered as its outputs, by URN; secrets wrapped."""
    exported: Mapping[str, Any] = field(default_factory=dict)
    """The stack's outputs."""

    def of_type(self, token: str) -> list[Registration]:
        """All registrations of a type token, in order of name."""
        return sorted((r for r in self.registrations if r.type == token), key=lambda r: r.name)

    def only(self, token: str, name: str | None = None) -> Registration:
        """The one registration of a type (and name)."""
        found = [r for r in self.of_type(token) if name is None or r.name == name]
        assert len(found) == 1, f"{len(found)} of {token} {name or ''}: {[r.name for r in self.of_type(token)]}"
        return found[0]

    @property
    def custom(self) -> list[Registration]:
        """All resources that a provider would make, providers themselves left out."""
        return [r for r in self.registrations if r.custom and not r.type.startswith("pulumi:providers:")]

    @property
    def types(self) -> set[str]:
        """The type tokens of :attr:`custom`."""
        return {r.type for r in self.custom}


def _unwrap(value: Any) -> Any:
    if isinstance(value, Secret):
        return _unwrap(value.value)
    if isinstance(value, dict):
        return {key: _unwrap(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_unwrap(item) for item in value]
    return value


def _wire(value: Any) -> Any:
    if isinstance(value, dict):
        if value.get(_SIGNATURE_KEY) == _SECRET_SIGNATURE:
            return Secret(_wire(value["value"]))
        return {key: _wire(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_wire(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _properties(struct: struct_pb2.Struct) -> dict[str, Any]:
    plain = _wire(json_format.MessageToDict(struct))
    assert isinstance(plain, dict)
    return plain


def _alias(alias: Any) -> str:
    """An alias as one text: its URN, or what its specification changes."""
    spec = alias.spec
    parts = (spec.type, spec.name, spec.parentUrn, spec.noParent and "no parent")
    return str(alias.urn or " ".join(filter(None, parts)))


class _NoMocks(mocks.Mocks):
    def call(self, args: mocks.MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        raise AssertionError(f"unexpected call of {args.token}")

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        raise AssertionError(f"unexpected resource {args.typ}")


class _RecordingMonitor(mocks.MockMonitor):
    def __init__(self, recording: Recording, answers: Mapping[str, Any], computed: Mapping[str, Any]) -> None:
        super().__init__(_NoMocks())
        self._recording = recording
        self._answers = answers
        self._computed = computed
        self._lock = threading.Lock()

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        # As the engine makes it: the whole chain of parent types, the stack itself left out.
        chain = parent.split("::")[2] if parent else ""
        qualified = f"{chain}${type_}" if chain and chain != "pulumi:pulumi:Stack" else type_
        return f"urn:pulumi:{get_stack()}::{get_project()}::{qualified}::{name}"

    def Invoke(self, request: Any) -> Any:  # noqa: N802 - the SDK's name
        args = _properties(request.args)
        with self._lock:
            self._recording.calls.append(Call(request.tok, args, request.provider))
        answer = self._answers.get(request.tok)
        if answer is None:
            raise AssertionError(f"the test gives no answer for {request.tok}({args})")
        result = answer(args) if callable(answer) else answer
        fields = {"return": rpc_struct(result)}
        return resource_pb2.ResourceInvokeResponse(**fields)

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802
        urn = self.make_urn(request.parent, request.type, request.name)
        inputs = _properties(request.object)
        if request.type != "pulumi:pulumi:Stack":
            with self._lock:
                assert all(r.urn != urn for r in self._recording.registrations), f"{urn} is registered twice"
                self._recording.registrations.append(
                    Registration(
                        type=request.type,
                        name=request.name,
                        urn=urn,
                        parent=request.parent,
                        provider=request.provider,
                        inputs=inputs,
                        custom=request.custom,
                        protect=request.protect,
                        retain_on_delete=request.retainOnDelete,
                        delete_before_replace=request.deleteBeforeReplace,
                        ignore_changes=tuple(request.ignoreChanges),
                        aliases=tuple(_alias(alias) for alias in request.aliases),
                        dependencies=tuple(sorted(request.dependencies)),
                    )
                )
        state: dict[str, Any] = dict(_unwrap(inputs))
        if request.custom:
            known = self._computed.get(request.type, {})
            extra = known(request.name, state) if callable(known) else known
            state = {"arn": f"arn:aws:test:us-west-2:123456789012:{request.name}", **state, **extra}
        return resource_pb2.RegisterResourceResponse(
            urn=urn, id=str(state.get("id", f"{request.name}-id")) if request.custom else "", object=rpc_struct(state)
        )

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802
        outputs = _properties(request.outputs)
        with self._lock:
            if "pulumi:pulumi:Stack" in request.urn.split("::")[2].split("$")[-1]:
                self._recording.exported = outputs
            else:
                self._recording.outputs[request.urn] = outputs
        return empty_pb2.Empty()


def rpc_struct(value: Mapping[str, Any]) -> struct_pb2.Struct:
    """A plain mapping as the wire's struct."""
    struct = struct_pb2.Struct()
    json_format.ParseDict(dict(value), struct)
    return struct


def run(
    program: Callable[[], object],
    *,
    answers: Mapping[str, Any] | None = None,
    computed: Mapping[str, Any] | None = None,
    stack: str = "test",
    preview: bool = False,
    config: Mapping[str, str] | None = None,
    secret_config: tuple[str, ...] = (),
) -> Recording:
    """Run ``program`` and drain everything that it started.

    ``answers``: what provider functions give, by token (a mapping, or a function of the arguments).
    ``computed``: what a provider would compute for a type beyond its inputs, by token (a mapping, or a function of name
    and inputs). Every custom resource gets an ``arn`` and the id ``<name>-id`` unless that says otherwise.
    """
    recording = Recording()
    monitor = _RecordingMonitor(recording, answers or {}, computed or {})

    async def body() -> None:
        features = set(monitor.GetDeploymentInfo(empty_pb2.Empty()).supportedFeatures)  # type: ignore[no-untyped-call]
        configure(
            mocks.MockSettings(
                monitor=monitor,
                monitor_features=features,
                engine=mocks.MockEngine(None),
                project="byoc",
                stack=stack,
                dry_run=preview,
                organization=None,
                callbacks=None,
            )
        )
        set_root_resource(None)  # type: ignore[arg-type]
        pulumi.runtime.set_all_config(dict(config or {}), list(secret_config))
        await run_in_stack(lambda: (program(), None)[1])

    asyncio.run(body())
    return recording
