"""HTTP servers on loopback for tests of clients, one thread for each request."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from typing import Any


class QuietServer(ThreadingHTTPServer):
    """One that neither waits for its clients nor complains of them."""

    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: a client that does not trust the certificate, or does not wait, is what a test asked for."""


@contextmanager
def serving(server: QuietServer) -> Iterator[None]:
    """Answer requests while the block lasts."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
