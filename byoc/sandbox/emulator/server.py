"""The emulator as a threaded HTTP server on loopback: moto behind the gate."""

from __future__ import annotations

import os
import secrets
import socket
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

# moto reads these when its modules are imported, so they come first.
os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"
os.environ.setdefault("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")  # a second faster; nothing here runs instances
os.environ.pop("MOTO_ACCOUNT_ID", None)  # would put every caller into one account

from moto.core.base_backend import BackendDict
from moto.core.model_instances import reset_model_data
from werkzeug.serving import make_server

from byoc.sandbox.emulator.calls import CallLog
from byoc.sandbox.emulator.control import Control
from byoc.sandbox.emulator.faults import Disturbances
from byoc.sandbox.emulator.gate import Gate
from byoc.sandbox.emulator.http_handler import HttpHandler
from byoc.sandbox.emulator.identities import Identities
from byoc.sandbox.emulator.moto_application import MotoApplication
from byoc.sandbox.emulator.prerequisites import Provided
from byoc.sandbox.emulator.replays import Replays

if TYPE_CHECKING:
    from byoc.sandbox.emulator.client import EmulatorClient


@dataclass
class State:
    """What an emulator holds beside moto's backends."""

    identities: Identities = field(default_factory=Identities)
    calls: CallLog = field(default_factory=CallLog)
    disturbances: Disturbances = field(default_factory=Disturbances)
    replays: Replays = field(default_factory=Replays)
    provided: Provided = field(default_factory=Provided)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def reset(self) -> None:
        """Empty every account, and forget calls, faults and latencies. Credentials given out before end to work."""
        with self.lock:
            _forget_everything()
            self.identities.clear()
            self.replays.clear()
            self.provided.clear()
            self.calls.clear()
            self.disturbances.set_faults([])
            self.disturbances.set_latency([])


def _forget_everything() -> None:
    """Empty moto's backends. moto's own reset rebuilds each first, a tenth of a second per account."""
    instances: list[Any] = vars(BackendDict)["_instances"]
    for backend in instances:
        backend.clear()
    instances.clear()
    reset_model_data()


_POLL_SECONDS = 0.05
"""How soon a stop is seen."""


class Emulator:
    """One embedded AWS in this process, listening on 127.0.0.1.

    moto's backends are global to a process, so that a process has one emulator; :meth:`in_process` shares it.
    """

    _shared: Emulator | None = None
    _users = 0
    _sharing = threading.Lock()

    def __init__(self, *, port: int = 0, emulator_id: str | None = None, token: str | None = None) -> None:
        """Bind the port at once (0: any free one; ``OSError`` if it is taken); answers come after :meth:`start`."""
        self.id = emulator_id or str(uuid.uuid4())
        self.token = token or secrets.token_urlsafe(32)
        self._state = State()
        self._moto = MotoApplication()
        gate = Gate(
            moto=self._moto,
            control=Control(self.id, self.token, self._state),
            identities=self._state.identities,
            calls=self._state.calls,
            disturbances=self._state.disturbances,
            replays=self._state.replays,
            lock=self._state.lock,
        )
        with socket.create_server(("127.0.0.1", port)) as listener:  # werkzeug itself exits on a port that is taken
            host, bound = listener.getsockname()
            self._server = make_server(
                host, bound, gate, threaded=True, request_handler=HttpHandler, fd=listener.fileno()
            )
        self._server.daemon_threads = True  # type: ignore[attr-defined]
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._server.server_address[1])

    @property
    def endpoint(self) -> str:
        """The endpoint URL for AWS clients."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def client(self) -> EmulatorClient:
        """A client of the control API."""
        from byoc.sandbox.emulator.client import EmulatorClient

        return EmulatorClient(self.endpoint, self.token)

    def start(self) -> None:
        """Answer requests from a thread of its own, and load services in another."""
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_POLL_SECONDS,), name="emulator", daemon=True
        )
        self._thread.start()
        threading.Thread(target=self._moto.warm_up, name="emulator-warm-up", daemon=True).start()

    def serve(self) -> None:
        """Answer requests from this thread, until :meth:`stop`."""
        threading.Thread(target=self._moto.warm_up, name="emulator-warm-up", daemon=True).start()
        self._server.serve_forever(_POLL_SECONDS)

    def stop(self) -> None:
        """Stop answering; connections that are open end with the process."""
        self._server.shutdown()
        self._server.server_close()
        if self._thread is not None:
            self._thread.join()

    @classmethod
    @contextmanager
    def in_process(cls) -> Iterator[Emulator]:
        """The emulator of this process, started if need be; the last one to leave stops and empties it."""
        with cls._sharing:
            if cls._shared is None:
                cls._shared = cls()
                cls._shared.start()
            cls._users += 1
            emulator = cls._shared
        try:
            yield emulator
        finally:
            with cls._sharing:
                cls._users -= 1
                if cls._users == 0:
                    cls._shared = None
                    emulator.stop()
                    emulator._state.reset()
