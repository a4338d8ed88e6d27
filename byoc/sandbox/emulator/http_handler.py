"""The HTTP side of the server: connections that stay open, answers in one write, nothing on stderr."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from moto.moto_server.werkzeug_app import MotoRequestHandler


class HttpHandler(MotoRequestHandler):
    """Runs the gate for each request of a connection.

    werkzeug closes a connection after each answer, for fear of bodies left unread; the gate reads every body whole, so
    that connections can stay open, which halves the time of a call.
    """

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def run_wsgi(self) -> None:
        """Answer one request. The application must set ``Content-Length`` and read the whole body."""
        if self.headers.get("Expect", "").lower().strip() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(
            status: str, headers: list[tuple[str, str]], _exc_info: object = None, /
        ) -> Callable[[bytes], object]:
            started.append((status, headers))
            return self.wfile.write

        try:
            chunks: Iterable[bytes] = self.server.app(self.make_environ(), start_response)
            body = b"".join(chunks)
            status, headers = started[0]
            lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers)]
            given = {name.lower() for name, _ in headers}
            if "content-length" not in given:
                lines.append(f"Content-Length: {len(body)}")
            if "date" not in given:  # AWS says the time with every answer
                lines.append(f"Date: {self.date_time_string()}")
            head = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"
            self.wfile.write(head if self.command == "HEAD" else head + body)
        except (ConnectionError, TimeoutError):
            self.close_connection = True

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing: the call log has it."""

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: ANN401 - the base class's signature
        """Nothing: a dropped connection is what somebody asked for."""
