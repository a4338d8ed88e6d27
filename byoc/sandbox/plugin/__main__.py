"""``python -m byoc.sandbox.plugin PACKAGE --home FOLDER``: started by the Pulumi CLI, never by hand."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import FrameType

import grpc
from pulumi.runtime.proto import provider_pb2_grpc

from byoc.errors import ByocError
from byoc.sandbox.emulator import process
from byoc.sandbox.emulator_cloud import EmulatorCloud
from byoc.sandbox.plugin.provider import SandboxProvider
from byoc.sandbox.providers import Providers

_THREADS = 64
"""Calls at once: the engine asks for as many as its --parallel allows, and each waits for AWS most of the time."""
_MAX_MESSAGE = 400 * 1024 * 1024
"""Bytes; what Pulumi's own plugins allow."""
_GRACE_SECONDS = 5.0
_PARENT_POLL_SECONDS = 1.0


def main() -> None:
    """Serve one provider until the engine ends this process, or ends itself."""
    parser = argparse.ArgumentParser(prog="python -m byoc.sandbox.plugin", description=__doc__)
    parser.add_argument("package", choices=["aws", "random"])
    parser.add_argument("--home", type=Path, required=True, help="the sandbox's folder")
    arguments, _ = parser.parse_known_args()  # the engine adds flags for logging, and its address

    def connect() -> Providers:
        emulator = process.status(arguments.home)
        if emulator is None:
            raise ByocError(
                "the embedded AWS is not running\n"
                '      mend it:  byoc sandbox start, then eval "$(byoc sandbox env)" again'
            )
        return Providers(EmulatorCloud(emulator.client), run_id=f"pulumi-{os.getppid()}")

    server = grpc.server(
        ThreadPoolExecutor(_THREADS),
        options=[("grpc.max_receive_message_length", _MAX_MESSAGE), ("grpc.max_send_message_length", _MAX_MESSAGE)],
    )
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(SandboxProvider(arguments.package, connect), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    _serve_until_ended(server)


def _serve_until_ended(server: grpc.Server) -> None:
    ended = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - what signal calls
        ended.set()

    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGTERM, end)
    parent = os.getppid()
    while not ended.wait(_PARENT_POLL_SECONDS):
        if os.getppid() != parent:  # an engine that was killed tells nobody
            break
    server.stop(_GRACE_SECONDS).wait()


if __name__ == "__main__":
    main()
