"""A small LangSmith on loopback, over TLS: it answers as the documented API does, and badly where a test asks for it.

Documented: LangSmith API reference, "Read Tracer Sessions", "Create Tracer Session", "Query Runs" of v1 and v2.
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import ssl
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.operations.loopback import QuietServer, serving

KEY = "lsv2_pt_0123456789abcdef_test"
HOST = "127.0.0.1"


@dataclass(frozen=True, kw_only=True)
class Bad:
    """A bad answer: a status with a text or bytes, cut short, without an end, or none at all."""

    status: int = 200
    text: str = "{}"
    data: bytes | None = None
    """Instead of ``text``."""
    headers: dict[str, str] = field(default_factory=dict)
    silent: bool = False
    """No answer before the server closes."""
    cut_short: bool = False
    hang_up: bool = False
    chunked: bool = False
    """In chunks, instead of with a length."""
    drip_seconds: float = 0.0
    """Between one byte and the next."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request that came."""

    method: str
    path: str
    key: str
    workspace: str
    body: Any


@dataclass
class LangSmithServer:
    """The server's content, and what it was asked. ``certificate`` is the file that makes it trusted."""

    certificate: Path
    port: int = 0
    key: str = KEY
    projects: list[dict[str, Any]] = field(default_factory=list)
    runs: dict[str, list[datetime]] = field(default_factory=dict)
    """When the runs of a project began, by its id, in any order."""
    bad: list[Bad] = field(default_factory=list)
    """The next answers, one after another; then it answers as documented."""
    always: Bad | None = None
    """Every answer."""
    closing: threading.Event = field(default_factory=threading.Event)
    made_meanwhile: str = ""
    """A project of this name is made by somebody else right before the next creation."""
    hidden: bool = False
    """Whether projects are not shown, though they are there."""
    versions: tuple[str, ...] = ("v1", "v2")
    """The ways to ask for runs that it has."""
    store: tuple[str, ...] = ("v1", "v2")
    """The ways that tell of runs; the others are there, and know of none."""
    newest_first: bool = True
    """The order in which v2 tells of runs; documented is the newest first."""
    rounded: bool = False
    """Whether v2 tells of moments to the second alone."""
    empty_pages: int = 0
    """Pages of runs that hold none and have a next one, before the first that holds one."""
    asked: list[Asked] = field(default_factory=list)

    @property
    def endpoint(self) -> str:
        """What ``tracing.endpoint`` says."""
        return f"https://{HOST}:{self.port}"

    def add_project(self, name: str, created: datetime | None = None, **more: Any) -> dict[str, Any]:
        """A project as the API shows it; times have no zone, as LangSmith writes them."""
        moment = created or datetime.now(UTC)
        project = {
            "id": str(uuid.uuid4()),
            "tenant_id": str(uuid.uuid4()),
            "name": name,
            "start_time": moment.astimezone(UTC).replace(tzinfo=None).isoformat(),
            "last_run_start_time": None,
            "last_run_start_time_live": None,
            **more,
        }
        self.projects.append(project)
        self.runs[project["id"]] = []
        return project

    def trace(self, name: str, moment: datetime) -> None:
        """A run of a project."""
        (project,) = [item for item in self.projects if item["name"] == name]
        self.runs[project["id"]].append(moment)

    def names(self) -> list[str]:
        """The projects by name."""
        return [project["name"] for project in self.projects]

    def answer(self, asked: Asked) -> tuple[int, Any]:
        """As documented."""
        if asked.key != self.key:
            return HTTPStatus.UNAUTHORIZED, {"detail": "Invalid token"}
        url = urlsplit(asked.path)
        if (asked.method, url.path) == ("GET", "/api/v1/sessions"):
            return HTTPStatus.OK, self._page({key: value[0] for key, value in parse_qs(url.query).items()})
        if (asked.method, url.path) == ("POST", "/api/v1/sessions"):
            return self._create(asked.body)
        version = url.path.removeprefix("/api/").partition("/")[0]
        if (asked.method, url.path) == ("POST", f"/api/{version}/runs/query") and version in self.versions:
            return self._query(asked.body) if version == "v1" else self._query_v2(asked.body)
        return HTTPStatus.NOT_FOUND, {"detail": "Not Found"}

    def _page(self, query: dict[str, str]) -> list[dict[str, Any]]:
        # The filter is looser than equality, so that a client that relies on it is found out.
        found = [] if self.hidden else [item for item in self.projects if query["name"] in item["name"]]
        offset = int(query["offset"])
        return found[offset : offset + int(query["limit"])]

    def _create(self, body: dict[str, Any]) -> tuple[int, Any]:
        if self.made_meanwhile:
            self.add_project(self.made_meanwhile)
            self.made_meanwhile = ""
        if body["name"] in self.names():
            return HTTPStatus.CONFLICT, {"detail": "Session with this name already exists."}
        return HTTPStatus.OK, self.add_project(body["name"], description=body["description"])

    def _query(self, body: dict[str, Any]) -> tuple[int, Any]:
        (project,) = body["session"]
        if project not in self.runs:
            return HTTPStatus.NOT_FOUND, {"detail": "Session not found"}
        page = int(body.get("cursor", "0"))
        if page < self.empty_pages:
            return HTTPStatus.OK, {"runs": [], "cursors": {"next": str(page + 1)}}
        held = self.runs[project] if "v1" in self.store else []
        newest = sorted(held, reverse=body["order"] == "desc")[: body["limit"]]
        runs = [{"id": str(uuid.uuid4()), "start_time": moment.replace(tzinfo=None).isoformat()} for moment in newest]
        return HTTPStatus.OK, {"runs": runs, "cursors": {"next": None}}

    def _query_v2(self, body: dict[str, Any]) -> tuple[int, Any]:
        (project,) = body["project_ids"]
        if project not in self.runs:
            return HTTPStatus.NOT_FOUND, {"detail": "Session not found"}
        page, _, first = body.get("cursor", "0/0").partition("/")
        if int(page) < self.empty_pages:
            return HTTPStatus.OK, {"items": [], "next_cursor": f"{int(page) + 1}/0"}
        said = body.get("min_start_time")
        since = datetime.fromisoformat(said) if said else datetime.now(UTC) - timedelta(days=1)
        held = [moment for moment in self.runs[project] if moment >= since] if "v2" in self.store else []
        end = int(first) + body["page_size"]
        shown = sorted(held, reverse=self.newest_first)[int(first) : end]
        if self.rounded:
            shown = [moment.replace(microsecond=0) for moment in shown]
        items = [{"id": str(uuid.uuid4()), "start_time": moment.isoformat()} for moment in shown]
        return HTTPStatus.OK, {"items": items, "next_cursor": f"{page}/{end}" if len(held) > end else None}


@contextlib.contextmanager
def langsmith_server(folder: Path) -> Iterator[LangSmithServer]:
    """A server that answers while the block lasts; its certificate lies in ``folder``."""
    certificate, key = _certificate(folder)
    server = LangSmithServer(certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    class Handler(_Handler):
        content = server

    http = QuietServer((HOST, 0), Handler)
    http.socket = context.wrap_socket(http.socket, server_side=True, do_handshake_on_connect=False)
    server.port = http.server_address[1]
    with serving(http):
        try:
            yield server
        finally:
            server.closing.set()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    content: LangSmithServer

    def do_GET(self) -> None:
        self._reply()

    def do_POST(self) -> None:
        self._reply()

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""

    def _reply(self) -> None:
        length = int(self.headers.get("content-length", 0))
        body = json.loads(self.rfile.read(length)) if length else None
        asked = Asked(
            method=self.command,
            path=self.path,
            key=self.headers.get("x-api-key", ""),
            workspace=self.headers.get("x-tenant-id", ""),
            body=body,
        )
        self.content.asked.append(asked)
        bad = self.content.always or (self.content.bad.pop(0) if self.content.bad else None)
        if bad is None:
            status, content = self.content.answer(asked)
            self._send(status, content)
            return
        if bad.silent:
            self.content.closing.wait()
        if bad.hang_up or bad.silent:
            self.close_connection = True
            return
        self._send_bad(bad)

    def _send_bad(self, bad: Bad) -> None:
        data = bad.text.encode() if bad.data is None else bad.data
        self.send_response(bad.status)
        for name, value in {"content-type": "application/json", **bad.headers}.items():
            self.send_header(name, value)
        if bad.chunked:
            self.send_header("transfer-encoding", "chunked")
            data = b"%x\r\n%s\r\n" % (len(data), data) + (b"" if bad.cut_short else b"0\r\n\r\n")
        else:
            self.send_header("content-length", str(len(data) + (100 if bad.cut_short else 0)))
        self.end_headers()
        for number in range(len(data)) if bad.drip_seconds else ():
            self.wfile.write(data[number : number + 1])
            time.sleep(bad.drip_seconds)
        if not bad.drip_seconds:
            self.wfile.write(data)
        self.close_connection = bad.cut_short

    def _send(self, status: int, content: Any) -> None:
        data = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def _certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for loopback that vouches for itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "loopback")])
    now = datetime.now(UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(HOST))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(address, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = folder / "langsmith.pem", folder / "langsmith.key"
    files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return files
