"""A provider plugin that makes nothing and says yes: what a stack holds is what its program asked for.

Policies look at what a program asks for, and at its whole stack; so they are tried by the real engine with a provider
that takes any resource type, also such as the sandbox does not know. In a preview nothing that AWS would compute is
known. Run as ``python -m tests.engine.policy_echo_provider aws``; the first line written is the port.
"""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from google.protobuf import empty_pb2, json_format
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE

from tests.components.deployments import COMPUTED
from tests.components.harness import rpc_struct
from tests.golden.examples import ANSWERS


class EchoProvider(provider_pb2_grpc.ResourceProviderServicer):
    """Takes every input as it is, and computes what the recordings of the construction tests compute."""

    def __init__(self, package: str) -> None:
        self._version = importlib.metadata.version(f"pulumi-{package}")

    def GetPluginInfo(self, request: Any, context: Any) -> Any:  # noqa: N802
        return plugin_pb2.PluginInfo(version=self._version)

    def CheckConfig(self, request: Any, context: Any) -> Any:  # noqa: N802
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: Any) -> Any:  # noqa: N802
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    def Configure(self, request: Any, context: Any) -> Any:  # noqa: N802
        return provider_pb2.ConfigureResponse(supportsPreview=True, acceptSecrets=False)

    def Invoke(self, request: Any, context: Any) -> Any:  # noqa: N802
        answer = ANSWERS[request.tok]
        arguments = json_format.MessageToDict(request.args)
        return provider_pb2.InvokeResponse(**{"return": rpc_struct(answer(arguments) if callable(answer) else answer)})

    def Check(self, request: Any, context: Any) -> Any:  # noqa: N802
        return provider_pb2.CheckResponse(inputs=request.news)

    def Diff(self, request: Any, context: Any) -> Any:  # noqa: N802
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    def Create(self, request: Any, context: Any) -> Any:  # noqa: N802
        type_, name = request.urn.split("::")[2].rpartition("$")[2], request.urn.split("::")[3]
        inputs = json_format.MessageToDict(request.properties)
        computed = _computed(type_, name, inputs)
        if request.preview:
            return provider_pb2.CreateResponse(
                properties=rpc_struct({**inputs, **dict.fromkeys(computed, UNKNOWN_STRING_VALUE)})
            )
        return provider_pb2.CreateResponse(id=computed["id"], properties=rpc_struct({**inputs, **computed}))

    def Delete(self, request: Any, context: Any) -> Any:  # noqa: N802
        return empty_pb2.Empty()

    def Cancel(self, request: Any, context: Any) -> Any:  # noqa: N802
        return empty_pb2.Empty()


def _computed(type_: str, name: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    more = COMPUTED.get(type_, {})
    extra = more(name, dict(inputs)) if callable(more) else more
    return {"id": f"{name}-id", "arn": f"arn:aws:test:us-west-2:123456789012:{name}", **extra}


def main() -> None:
    """Serve until the engine ends this process."""
    server = grpc.server(ThreadPoolExecutor(max_workers=8))
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(EchoProvider(sys.argv[1]), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    server.wait_for_termination()


if __name__ == "__main__":
    main()
