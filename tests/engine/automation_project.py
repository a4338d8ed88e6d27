"""A small Pulumi project whose resources live in its own program, run by ``byoc`` in a process of its own.

A resource waits for a gate if its stack's config names one, so that a test decides when it is done.
"""

from __future__ import annotations

import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.golden.examples import ROOT
from tests.waiting import wait_until

SECRET = "hush-hush-7f3a"
PASSPHRASE = "a-passphrase-91c2"
BYOC = (sys.executable, "-c", "from byoc.cli import main; main()")

_PROJECT = """
name: tiny
runtime:
  name: python
  options: {toolchain: pip, virtualenv: .venv}
main: stacks
stackConfigDir: stacks
"""

_PROGRAM = f"""
import os, time
import pulumi
from pulumi.dynamic import CreateResult, DiffResult, Resource, ResourceProvider, UpdateResult

config = pulumi.Config()


def work(props):
    import os, time

    gate = props.get("gate")
    if gate:
        open(os.path.join(gate, "begun"), "w").close()
        while not os.path.exists(os.path.join(gate, "open")):
            time.sleep(0.05)
    if props["text"] == "refused":
        raise Exception(
            "creating EC2 VPC: operation error EC2: CreateVpc, https response error StatusCode: 403, RequestID: 1, "
            "api error UnauthorizedOperation: You are not authorized to perform this operation."
        )


class Provider(ResourceProvider):
    def diff(self, _id, olds, news):
        return DiffResult(
            changes=any(olds.get(key) != news.get(key) for key in ("text", "kind")),
            replaces=["kind"] if olds.get("kind") != news.get("kind") else [],
        )

    def create(self, props):
        work(props)
        return CreateResult("an-id", dict(props))

    def update(self, _id, olds, news):
        work(news)
        return UpdateResult(dict(news))


class Thing(Resource):
    text: pulumi.Output[str]


group = pulumi.ComponentResource("tiny:index:Group", "group")
options = pulumi.ResourceOptions(parent=group)
props = {{"text": config.get("text") or "plain", "kind": config.get("thing") or "usual"}}
first = Thing(Provider(), "first", {{**props, "gate": config.get("gate") or ""}}, options)
second = Thing(Provider(), "second", {{"text": first.text, "kind": "usual"}}, options)
pulumi.export("text", second.text)
pulumi.export("password", pulumi.Output.secret("{SECRET}"))
if config.get("fault"):
    raise Exception("no such thing")
"""


@dataclass(frozen=True)
class Ran:
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON object that it printed."""
        return json.loads(self.out)


@dataclass(frozen=True)
class Begun:
    """A command that runs, and the folder with what it says."""

    process: subprocess.Popen[bytes]
    said: Path

    @property
    def err(self) -> str:
        """What it has said on standard error so far."""
        return (self.said / "err").read_text()

    def interrupt(self) -> None:
        """Press Ctrl-C, and wait until it is understood: signals that come together are one."""
        before = len(self.err)
        self.process.send_signal(signal.SIGINT)
        wait_until(lambda: len(self.err) > before, "an answer to Ctrl-C")

    def ended(self) -> Ran:
        """Wait until it has ended; after three minutes it is ended."""
        try:
            code = self.process.wait(timeout=180)
        finally:
            if self.process.poll() is None:
                self.process.terminate()
        return Ran(code, (self.said / "out").read_text(), self.err)


@dataclass(frozen=True)
class TinyProject:
    """The project, with a local backend of its own."""

    root: Path
    env: Mapping[str, str]

    @classmethod
    def make(cls, folder: Path) -> TinyProject:
        """A project without stacks."""
        root, state, tools = folder / "project", folder / "state", folder / "tools"
        for path in (root / "stacks", state, tools, folder / "home"):
            path.mkdir(parents=True)
        (root / "Pulumi.yaml").write_text(_PROJECT)
        (root / "stacks" / "__main__.py").write_text(_PROGRAM)
        (root / ".venv").symlink_to(sys.prefix)
        plugin = tools / "pulumi-resource-pulumi-python"
        plugin.write_text(f'#!/bin/sh\nexec "{sys.executable}" -u -m pulumi.dynamic "$@"\n')
        plugin.chmod(0o755)
        paths = [str(ROOT / ".tools" / "pulumi" / "bin"), str(tools), os.environ["PATH"]]
        env = {
            **os.environ,
            "PATH": os.pathsep.join(paths),
            "PULUMI_HOME": str(folder / "home"),
            "PULUMI_BACKEND_URL": f"file://{state}",
            "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",  # for the SDKs installed here, from the Internet
        }
        return cls(root, env)

    @property
    def state(self) -> Path:
        """The local backend's folder."""
        return Path(self.env["PULUMI_BACKEND_URL"].removeprefix("file://"))

    def file(self, stack: str) -> Path:
        """The stack's file."""
        return self.root / "stacks" / f"Pulumi.{stack}.yaml"

    def add(self, stack: str, kind: str = "account", account: str = "111111111111", **values: str) -> None:
        """Write a stack's file, and make the stack in the backend."""
        lines = [f"  tiny:{key}: {json.dumps(value)}" for key, value in {"kind": kind, **values}.items()]
        self.file(stack).write_text("\n".join(["config:", f'  tiny:accountId: "{account}"', *lines, ""]))
        self.pulumi("stack", "init", stack, "--no-select")

    def set(self, stack: str, key: str, value: str) -> None:
        """Set a config value."""
        self.pulumi("config", "set", "--stack", stack, key, value)

    def pulumi(self, *words: str) -> str:
        """What the real CLI prints."""
        pulumi = shutil.which("pulumi", path=self.env["PATH"])
        assert pulumi is not None
        done = subprocess.run(
            [pulumi, *words, "--non-interactive"],
            cwd=self.root,
            env=self.env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def begin(self, *words: str, env: Mapping[str, str] | None = None) -> Begun:
        """``byoc`` with these words, in a process of its own without a terminal."""
        said = self.root.parent / f"said-{uuid.uuid4().hex}"
        said.mkdir()
        with (said / "out").open("wb") as out, (said / "err").open("wb") as err:
            process = subprocess.Popen(
                [*BYOC, *words],
                cwd=self.root,
                env={**self.env, **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            )
        return Begun(process, said)

    def byoc(self, *words: str, env: Mapping[str, str] | None = None) -> Ran:
        """What ``byoc`` with these words comes to."""
        return self.begin(*words, env=env).ended()

    def answered(self, *words: str, answers: str) -> Ran:
        """What ``byoc`` with these words comes to on a terminal where ``answers`` are typed, one per question."""
        here, there = pty.openpty()
        process = subprocess.Popen(
            [*BYOC, *words], cwd=self.root, env=self.env, stdin=there, stdout=there, stderr=there
        )
        os.close(there)
        shown = b""
        left = list(answers)
        with suppress(OSError):  # how a terminal says that nobody is on its other side any more
            while piece := os.read(here, 65536):
                shown += piece
                if left and shown.rstrip().endswith(b"[y/N]:"):
                    os.write(here, f"{left.pop(0)}\n".encode())
        os.close(here)
        return Ran(process.wait(timeout=180), shown.decode(), "")

    def resources(self, stack: str) -> dict[str, dict[str, Any]]:
        """What the state of a stack holds, by logical name."""
        export = json.loads(self.pulumi("stack", "export", "--stack", stack))
        found = export["deployment"].get("resources") or []
        return {item["urn"].rsplit("::", 1)[1]: item for item in found}

    def processes(self) -> list[str]:
        """What runs for this project at the moment: engines, plugins, programs, ``byoc`` itself."""
        mark = f"PULUMI_HOME={self.env['PULUMI_HOME']}\0".encode()
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):  # it has just ended, or is another user's
                if mark in (folder / "environ").read_bytes():
                    found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        return found

    def locks(self) -> list[Path]:
        """The locks that the backend holds."""
        return list((self.state / ".pulumi" / "locks").rglob("*.json"))
