"""One provider of Pulumi's protocol over the sandbox's handlers.

What a real provider would refuse is refused in the same place. Messages are for the user: no traceback. A resource that
was made and could not be set up is answered with its id, as the protocol has it, so that the engine keeps it and
finishes it with the next update.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Mapping
from typing import Any

import grpc
from google.protobuf import any_pb2, empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc, status_pb2

from byoc.errors import ByocError
from byoc.sandbox.failures import failure_of
from byoc.sandbox.handlers.base import DEFAULTED, Diff, Handler, Properties
from byoc.sandbox.lifecycle import checked, foreseen, make, outputs_now, outputs_of, remove, without_defaulted
from byoc.sandbox.plugin.property_bags import opened, sealed_inputs, sealed_outputs, with_unknown
from byoc.sandbox.providers import Providers
from byoc.sandbox.registry import handler_for, invoke_for
from byoc.sandbox.session import SandboxAws
from byoc.values import contains_unknown, decode, encode

_INCOMPLETE = "__incomplete"
"""Among the outputs of a resource that was made and not set up: the next update has to finish it."""
_KINDS = {
    (False, True): provider_pb2.PropertyDiff.ADD,
    (True, False): provider_pb2.PropertyDiff.DELETE,
    (True, True): provider_pb2.PropertyDiff.UPDATE,
}
"""By whether an input was there before, and is there now. The replacing kind is the one after it."""


class SandboxProvider(provider_pb2_grpc.ResourceProviderServicer):
    """Serves one provider resource of a stack: the engine starts a plugin for each."""

    def __init__(self, package: str, connect: Callable[[], Providers]) -> None:
        """``package``: ``aws`` or ``random``. ``connect`` gives access to the embedded AWS, once it is needed."""
        self._package = package
        self._urn = f"urn:pulumi:plugin::plugin::pulumi:providers:{package}::plugin"
        self._connect = connect
        self._providers: Providers | None = None

    # The provider itself

    def Handshake(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802, ANN401, ARG002
        """Say what of the protocol is understood."""
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True)

    def GetPluginInfo(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802, ANN401, ARG002
        """The version of the provider that this stands in for: that of its installed SDK."""
        return plugin_pb2.PluginInfo(version=importlib.metadata.version(f"pulumi-{self._package}"))

    def CheckConfig(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802, ANN401, ARG002
        """Take the provider's inputs as they are; :meth:`Configure` finds what is wrong with them."""
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802, ANN401, ARG002
        """What changed of the provider's inputs; nothing of it replaces anything."""
        before, after = opened(request.old_inputs), opened(request.news)
        changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
        return _diff_response(Diff(changed=frozenset(changed)), before, after)

    def Configure(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802, ANN401
        """Open the session: assume the role, compare the account."""
        inputs = opened(request.args)
        with _clean_errors(context):
            self._providers = self._connect()
            if not contains_unknown(inputs):
                self._providers.configure(self._urn, inputs)
                self._providers.session(self._urn)
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    def Cancel(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802, ANN401, ARG002
        """Nothing: calls under way are few and short, and the engine waits for them."""
        return empty_pb2.Empty()

    def Invoke(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802, ANN401, ARG002
        """Answer a provider function; a failure is for the program to judge."""
        try:
            answer = invoke_for(request.tok)(self._aws(), opened(request.args))
        except Exception as error:  # noqa: BLE001 - the program decides what a failed look-up means
            return provider_pb2.InvokeResponse(failures=[provider_pb2.CheckFailure(reason=str(error))])
        return provider_pb2.InvokeResponse(**{"return": encode(answer)})

    # Resources

    def Check(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802, ANN401
        """Fill in defaults, names and tags; what the provider refuses is named."""
        with _clean_errors(context):
            handler = _handler(request)
            old = opened(request.olds) if request.olds.fields else None
            try:
                inputs = checked(handler, _name(request), opened(request.news), old, self._default_tags())
            except ValueError as error:
                return provider_pb2.CheckResponse(failures=[provider_pb2.CheckFailure(reason=str(error))])
            return provider_pb2.CheckResponse(inputs=sealed_inputs(inputs, decode(request.news)))

    def Diff(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802, ANN401
        """What a change of inputs means: nothing, an update, a replacement."""
        with _clean_errors(context):
            before, after = opened(request.old_inputs), opened(request.news)
            return _diff_response(_handler(request).diff(before, after), before, after)

    def Create(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802, ANN401
        """Make a resource; in a preview, say what is known of it."""
        program = decode(request.properties)
        inputs = opened(request.properties)
        with _clean_errors(context) as failed:
            handler = _handler(request)
            if request.preview:
                return provider_pb2.CreateResponse(
                    properties=sealed_outputs(handler, foreseen(handler, inputs), program)
                )
            failed.session = aws = self._aws()
            made = make(handler, aws, inputs)
            failed.leaves(made, sealed_outputs(handler, {**without_defaulted(inputs), _INCOMPLETE: True}, program))
            handler.configure(aws, made, inputs)
            outputs = outputs_now(handler, aws, _name(request), made, inputs)
        return provider_pb2.CreateResponse(id=made, properties=sealed_outputs(handler, outputs, program))

    def Update(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802, ANN401
        """Bring a resource to its new inputs, and finish its set-up if that failed before."""
        program = decode(request.news)
        outputs, before, inputs = opened(request.olds), opened(request.old_inputs), opened(request.news)
        with _clean_errors(context) as failed:
            handler = _handler(request)
            changed = handler.diff(before, inputs).changed
            if request.preview:
                known = foreseen(handler, inputs, _settled(outputs), changed)
                properties = sealed_outputs(handler, with_unknown(known, _settled(outputs)), program)
                return provider_pb2.UpdateResponse(properties=properties)
            failed.session = aws = self._aws()
            if _INCOMPLETE in outputs:
                handler.configure(aws, request.id, inputs)
            if changed:
                handler.update(aws, request.id, before, inputs)
            outputs = outputs_now(handler, aws, _name(request), request.id, inputs)
        return provider_pb2.UpdateResponse(properties=sealed_outputs(handler, outputs, program))

    def Read(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802, ANN401
        """A resource as it stands in AWS: for a refresh, with the inputs of the state, or for an import, without."""
        program = decode(request.inputs)
        inputs = opened(request.inputs)
        with _clean_errors(context) as failed:
            handler = _handler(request)
            failed.session = aws = self._aws()
            observed = handler.observe(aws, request.id, inputs)
            if observed is None:
                return provider_pb2.ReadResponse()
            if handler.taggable:
                observed = self._without_ignored_tags(observed)
            id = handler.imported_id(aws, request.id)
            # What AWS does not tell again (a random password) is known from the outputs alone.
            outputs = outputs_of(handler, aws, id, {**_settled(opened(request.properties)), **observed})
            if outputs is None:
                return provider_pb2.ReadResponse()
        return provider_pb2.ReadResponse(
            id=id,
            properties=sealed_outputs(handler, outputs, program),
            inputs=sealed_inputs(observed, program),
        )

    def Delete(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802, ANN401
        """Delete a resource; one that is gone already is no error."""
        with _clean_errors(context) as failed:
            failed.session = aws = self._aws()
            state = {**opened(request.old_inputs), **_settled(opened(request.properties))}
            remove(_handler(request), aws, request.id, state)
        return empty_pb2.Empty()

    # Inside

    def _aws(self) -> SandboxAws:
        if self._providers is None:
            raise ByocError("the provider was not configured")
        return self._providers.session(self._urn)

    def _without_ignored_tags(self, observed: Properties) -> Properties:
        return observed if self._providers is None else self._providers.without_ignored_tags(self._urn, observed)

    def _default_tags(self) -> Mapping[str, str]:
        return self._providers.default_tags(self._urn) if self._providers is not None else {}


class _clean_errors:  # noqa: N801 - used as a statement
    """Turns an exception into the protocol's error: one message, without a traceback."""

    def __init__(self, context: grpc.ServicerContext) -> None:
        self._context = context
        self._made: tuple[str, Any] | None = None
        self.session: SandboxAws | None = None

    def leaves(self, id: str, properties: Any) -> None:  # noqa: ANN401 - a protobuf struct
        """From here on an error leaves a resource behind that the engine has to keep."""
        self._made = (id, properties)

    def __enter__(self) -> _clean_errors:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if not isinstance(error, Exception):
            return
        action = self.session.last_action if self.session is not None else ""
        failure = failure_of(error, urn="", type="", op="", action=action)
        called = f"{failure.action}: " if failure.action else ""
        message = f"{called}{failure.error}\n      mend it:  {failure.remedy}"
        if isinstance(error, ByocError):  # says itself what to do
            message = str(error)
        if self._made is not None:
            self._context.set_trailing_metadata((_left_behind(message, *self._made),))
        self._context.abort(grpc.StatusCode.UNKNOWN, message)


def _left_behind(message: str, id: str, properties: Any) -> tuple[str, bytes]:  # noqa: ANN401 - a protobuf struct
    detail = any_pb2.Any()
    detail.Pack(provider_pb2.ErrorResourceInitFailed(id=id, properties=properties, reasons=[message]))
    status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=message, details=[detail])
    return "grpc-status-details-bin", status.SerializeToString()


def _handler(request: Any) -> Handler:  # noqa: ANN401 - any of the protocol's requests
    return handler_for(request.urn.split("::")[2].rsplit("$", 1)[-1])


def _name(request: Any) -> str:  # noqa: ANN401
    return str(request.urn.rsplit("::", 1)[1])


def _settled(outputs: Properties) -> Properties:
    return {key: value for key, value in outputs.items() if key != _INCOMPLETE}


def _diff_response(diff: Diff, before: Properties, after: Properties) -> Any:  # noqa: ANN401
    detailed = {
        key: provider_pb2.PropertyDiff(kind=_kind(key, diff, before, after), inputDiff=True)
        for key in sorted(diff.changed)
        if key != DEFAULTED
    }
    return provider_pb2.DiffResponse(
        changes=provider_pb2.DiffResponse.DIFF_SOME if diff.changed else provider_pb2.DiffResponse.DIFF_NONE,
        diffs=sorted(diff.changed),
        replaces=sorted(diff.replaces),
        deleteBeforeReplace=diff.delete_before_replace,
        detailedDiff=detailed,
        hasDetailedDiff=True,
    )


def _kind(key: str, diff: Diff, before: Properties, after: Properties) -> Any:  # noqa: ANN401
    kind = _KINDS.get((key in before, key in after), provider_pb2.PropertyDiff.UPDATE)
    return kind + 1 if key in diff.replaces else kind
