"""``pulumi-language-python`` for machines that can only build the Pulumi CLI from its Go modules.

The CLI starts a language host to run a program. The official one comes with every released CLI, and it is the one to
use where it can be had; on a network that reaches nothing but package registries it cannot. This stand-in speaks the
same protocol (``pulumi.runtime.proto.language``, part of the SDK) and starts the same executor script, so that engine,
SDK and program are the real ones. It knows what this project needs: pip, a ``virtualenv`` option or the Python on PATH,
no debugger, no code generation.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any

import grpc
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

EXECUTOR = "pulumi-language-python-exec"
_PARENT_POLL_SECONDS = 1.0
_SHOWN_TO_USER = 32
"""The executor's exit code when the program has failed and said so itself."""
_NEEDED_PLUGINS = """
import importlib.metadata, json
found = []
for package in importlib.metadata.distributions():
    for file in package.files or ():
        if file.name == "pulumi-plugin.json":
            found.append({"package": package.metadata["Name"], "version": package.version,
                          "plugin": json.loads(file.read_text())})
print(json.dumps(found))
"""
"""Lists the SDKs that a Python has installed, by the file in which each names its provider plugin."""


_response = language_pb2.RunPluginResponse


class LanguageHost(language_pb2_grpc.LanguageRuntimeServicer):
    """Runs Python programs and plugins for the engine at ``engine``, with the script ``executor``."""

    def __init__(self, engine: str, executor: Path) -> None:
        self._engine = engine
        self._executor = executor

    def Handshake(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802, ANN401, ARG002
        """Take note of the engine's address, where the engine tells it this way."""
        if request.engine_address:
            self._engine = request.engine_address
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802, ANN401, ARG002
        """Say nothing of a version: the stand-in has none of its own."""
        return plugin_pb2.PluginInfo()

    def GetRequiredPackages(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802, ANN401, ARG002
        """The provider plugins of the installed SDKs."""
        listed = subprocess.run([_python(request.info), "-c", _NEEDED_PLUGINS], capture_output=True, check=True)  # noqa: S603
        packages = [
            plugin_pb2.PackageDependency(
                name=item["plugin"].get("name") or item["package"].lower().removeprefix("pulumi-").replace("_", "-"),
                kind="resource",
                version=f"v{(item['plugin'].get('version') or item['version']).lstrip('v')}",
                server=item["plugin"].get("server", ""),
            )
            for item in json.loads(listed.stdout)
            if item["plugin"].get("resource")
        ]
        return language_pb2.GetRequiredPackagesResponse(packages=packages)

    def GetProgramDependencies(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802, ANN401, ARG002
        """What is installed beside the program."""
        python = _python(request.info)
        listed = subprocess.run([python, "-m", "pip", "list", "--format", "json"], capture_output=True, check=True)  # noqa: S603
        found = [
            language_pb2.DependencyInfo(name=item["name"], version=item["version"])
            for item in json.loads(listed.stdout)
        ]
        return language_pb2.GetProgramDependenciesResponse(dependencies=found)

    def About(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802, ANN401, ARG002
        """Which Python runs programs."""
        python = _python(request.info)
        version = subprocess.run([python, "--version"], capture_output=True, text=True, check=True).stdout  # noqa: S603
        return language_pb2.AboutResponse(executable=python, version=version.strip().removeprefix("Python "))

    def InstallDependencies(self, request: Any, context: grpc.ServicerContext) -> Iterator[Any]:  # noqa: N802, ANN401, ARG002
        """Nothing to install: the project's Makefile does that."""
        yield language_pb2.InstallDependenciesResponse(stdout=b"dependencies are installed by the project\n")

    def Run(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802, ANN401
        """Run the program in a process of its own; its output is the host's own, which the engine shows."""
        arguments = {
            "--monitor": request.monitor_address,
            "--engine": self._engine,
            "--project": request.project,
            "--stack": request.stack,
            "--organization": request.organization,
            "--root_directory": request.info.root_directory,
            "--pwd": request.pwd,
            "--dry_run": "true" if request.dryRun else "false",
            "--parallel": str(request.parallel),
        }
        given = [word for name, value in arguments.items() if value for word in (name, value)]
        command = [_python(request.info), "-u", str(self._executor), *given, request.program or "."]
        environment = {
            **_activated(request.info),
            "PULUMI_CONFIG": json.dumps(dict(request.config)),
            "PULUMI_CONFIG_SECRET_KEYS": json.dumps(list(request.configSecretKeys)),
        }
        process = subprocess.Popen([*command, *request.args], env=environment)  # noqa: S603
        context.add_callback(lambda: _end(process))
        code = process.wait()
        if code == _SHOWN_TO_USER:
            return language_pb2.RunResponse(bail=True)
        return language_pb2.RunResponse(error=f"program exited with non-zero exit code: {code}" if code else "")

    def RunPlugin(self, request: Any, context: grpc.ServicerContext) -> Iterator[Any]:  # noqa: N802, ANN401
        """Run a plugin that is a Python program, such as a policy pack; its output goes to the engine as it comes."""
        command = [_python(request.info), "-u", request.info.program_directory, *request.args]
        process = subprocess.Popen(  # noqa: S603
            command,
            cwd=request.pwd or None,
            env={**_activated(request.info), **dict(item.split("=", 1) for item in request.env)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        context.add_callback(lambda: _end(process))
        for name, text in _pieces(process):
            yield (_response(stdout=text) if name == "stdout" else _response(stderr=text))
        yield _response(exitcode=process.wait())


def _virtualenv(info: Any) -> Path | None:  # noqa: ANN401 - messages are made at run time
    name = dict(info.options.items()).get("virtualenv")
    return Path(info.root_directory, name) if name else None


def _python(info: Any) -> str:  # noqa: ANN401
    """The Python of the project's ``virtualenv`` option; without one, of ``PULUMI_PYTHON_CMD`` or PATH."""
    folder = _virtualenv(info)
    if folder is None:
        return os.environ.get("PULUMI_PYTHON_CMD") or "python3"
    python = folder / "bin" / "python"
    if not python.exists():
        raise FileNotFoundError(
            f"{folder} is no virtual environment: Pulumi.yaml names it as runtime option virtualenv"
        )
    return str(python)


def _activated(info: Any) -> dict[str, str]:  # noqa: ANN401
    """The environment with the virtual environment's programs first."""
    folder = _virtualenv(info)
    environment = dict(os.environ)
    if folder is not None:
        environment["VIRTUAL_ENV"] = str(folder)
        environment["PATH"] = f"{folder / 'bin'}{os.pathsep}{environment.get('PATH', '')}"
        environment.pop("PYTHONHOME", None)
    return environment


def _pieces(process: subprocess.Popen[bytes]) -> Iterator[tuple[str, bytes]]:
    """What a process writes, as it comes: ``stdout`` or ``stderr``, and the bytes."""
    ready = threading.Condition()
    waiting: list[tuple[str, bytes]] = []
    open_streams = 2

    def follow(name: str, stream: IO[bytes]) -> None:
        nonlocal open_streams
        while piece := os.read(stream.fileno(), 65536):
            with ready:
                waiting.append((name, piece))
                ready.notify()
        with ready:
            open_streams -= 1
            ready.notify()

    for name, stream in (("stdout", process.stdout), ("stderr", process.stderr)):
        if stream is not None:
            threading.Thread(target=follow, args=(name, stream), daemon=True).start()
    while True:
        with ready:
            ready.wait_for(lambda: waiting or not open_streams)
            taken, waiting[:] = list(waiting), []
            if not taken:
                return
        yield from taken


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process whose call is over; nothing happens if it ended by itself."""
    if process.poll() is None:
        process.terminate()


def main() -> None:
    """Serve until the engine ends this process; the first line written is the port."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("engine", nargs="?", default="")
    parser.add_argument("--executor", type=Path, required=True)
    arguments, _ = parser.parse_known_args()
    server = grpc.server(ThreadPoolExecutor(max_workers=16))
    host = LanguageHost(arguments.engine, arguments.executor)
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(host, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    engine = os.getppid()
    with contextlib.suppress(KeyboardInterrupt):  # how the engine ends its plugins
        while os.getppid() == engine:  # one that was killed, or gave up early, tells nobody
            server.wait_for_termination(_PARENT_POLL_SECONDS)


if __name__ == "__main__":
    main()
