"""A small proxy on loopback that tunnels (``CONNECT``), or refuses to, and notes what it was asked for."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.operations.loopback import QuietServer, serving

HOST = "127.0.0.1"


@dataclass
class Proxy:
    """What the proxy does, and what it was asked."""

    port: int = 0
    refuse: int = 0
    """A status to refuse tunnels with."""
    is_silent: bool = False
    """It says nothing before it closes."""
    closing: threading.Event = field(default_factory=threading.Event)
    tunnels: list[str] = field(default_factory=list)
    """The places that tunnels were asked for to."""
    holders: list[str] = field(default_factory=list)
    """What was said about who may use it."""
    seen: bytes = b""
    """Everything that passed through it towards the other side."""

    @property
    def place(self) -> str:
        """Host and port."""
        return f"{HOST}:{self.port}"


@contextlib.contextmanager
def proxy() -> Iterator[Proxy]:
    """A proxy that works while the block lasts."""
    found = Proxy()

    class Handler(_Handler):
        content = found

    server = QuietServer((HOST, 0), Handler)
    found.port = server.server_address[1]
    with serving(server):
        try:
            yield found
        finally:
            found.closing.set()


class _Handler(BaseHTTPRequestHandler):
    content: Proxy

    def do_CONNECT(self) -> None:
        self.content.tunnels.append(self.path)
        self.content.holders.append(self.headers.get("proxy-authorization", ""))
        if self.content.is_silent:
            self.content.closing.wait()
            self.close_connection = True
            return
        if self.content.refuse:
            self.send_error(self.content.refuse)
            return
        host, _, port = self.path.rpartition(":")
        with socket.create_connection((host, int(port))) as other:
            self.send_response(HTTPStatus.OK)
            self.end_headers()
            self._pass_on(other)
        self.close_connection = True

    def _pass_on(self, other: socket.socket) -> None:
        ends = {self.connection: other, other: self.connection}
        while True:
            ready, _, _ = select.select(list(ends), [], [], 10)
            for end in ready:
                data = end.recv(65536)
                if not data:
                    return
                if end is self.connection:
                    self.content.seen += data
                ends[end].sendall(data)
            if not ready:
                return

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""
