"""A single-platform image: its config is fetched from where ECR says, here from a server on this machine."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from byoc.operations.answers import DeniedError
from byoc.operations.doctor import image_config
from byoc.operations.doctor.asking import Absent, NoAnswer
from byoc.operations.doctor.image import Image, read_image, repository_of
from byoc.operations.doctor.image_config import platform_of
from tests.operations.fake_account import Answer, FakeAccount

IMAGE = "123456789012.dkr.ecr.us-west-2.amazonaws.com/agents/chat:1.0.0"
CONFIG = json.dumps({"os": "linux", "architecture": "arm64", "rootfs": {}}).encode()
DIGEST = f"sha256:{hashlib.sha256(CONFIG).hexdigest()}"
Handle = Callable[[BaseHTTPRequestHandler], None]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    handle_with: Handle
    asked = 0

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.over = threading.Event()
        """Set when the test has ended, so that nobody goes on with what was to take for ever."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/layer?X-Amz-Signature=secret"


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        self.server.asked += 1
        self.server.handle_with(self)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[_Server]:
    """A server of layers."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    made = _Server()
    threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True).start()
    yield made
    made.over.set()
    made.shutdown()
    made.server_close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes for ever is given up after a second."""
    monkeypatch.setattr(image_config, "SECONDS", 1.0)


def _send(status: int, body: bytes, **headers: str) -> Handle:
    def handle(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in {"Content_Length": str(len(body)), **headers}.items():
            request.send_header(name.replace("_", "-"), value)
        request.end_headers()
        request.wfile.write(body)

    return handle


def _account(url: str, **answers: Answer) -> FakeAccount:
    manifest = {"schemaVersion": 2, "config": {"digest": DIGEST, "size": len(CONFIG)}, "layers": []}
    return FakeAccount(
        {
            "ecr:DescribeImages": {"imageDetails": [{}]},
            "ecr:BatchGetImage": {"images": [{"imageManifest": json.dumps(manifest)}]},
            "ecr:GetDownloadUrlForLayer": {"downloadUrl": url},
            **{f"ecr:{name}": answer for name, answer in answers.items()},
        }
    )


def _read(account: FakeAccount) -> tuple[str, ...] | NoAnswer:
    where = repository_of(IMAGE)
    assert where is not None
    found = read_image(account, where)
    assert isinstance(found, Image)
    return found.platforms


def _why(server: _Server, handle: Handle) -> str:
    server.handle_with = handle
    found = _read(_account(server.url))
    assert isinstance(found, NoAnswer)
    assert "Signature" not in found.why + found.remedy  # the URL opens the image to who reads it
    return found.why


def test_the_config_of_a_single_image_tells_its_platform(server: _Server) -> None:
    server.handle_with = _send(200, CONFIG)
    account = _account(server.url)
    assert _read(account) == ("linux/arm64",)
    assert dict(account.asked)["ecr:GetDownloadUrlForLayer"] == {
        "registryId": "123456789012",
        "repositoryName": "agents/chat",
        "layerDigest": DIGEST,
    }


def test_a_redirection_is_followed(server: _Server) -> None:
    def handle(request: BaseHTTPRequestHandler) -> None:
        there = request.path == "/there"
        (_send(200, CONFIG) if there else _send(307, b"", Location="/there"))(request)

    server.handle_with = handle
    assert _read(_account(server.url)) == ("linux/arm64",)
    assert server.asked == 2


def test_a_moment_of_trouble_is_tried_again(server: _Server) -> None:
    server.handle_with = lambda request: (_send(503, b"") if server.asked == 1 else _send(200, CONFIG))(request)
    assert _read(_account(server.url)) == ("linux/arm64",)


@pytest.mark.parametrize(
    ("handle", "why"),
    [
        (_send(403, b"<Error><Code>AccessDenied</Code></Error>"), "HTTP status 403"),
        (_send(404, b""), "HTTP status 404"),
        (_send(503, b""), "too many 503 error responses"),
        (_send(302, b"", Location="/again"), "too many redirects"),
        (_send(200, b" " * (image_config.LARGEST + 1)), "it has more than 4 MiB"),
        (_send(200, CONFIG, Content_Length=str(len(CONFIG) + 9)), "it broke off"),
        (lambda request: request.connection.close(), "it broke off"),
    ],
)
def test_a_config_that_cannot_be_had_whole_is_unknown(server: _Server, handle: Handle, why: str) -> None:
    assert _why(server, handle) == f"the image's config could not be downloaded: {why}"


@pytest.mark.usefixtures("impatient")
def test_a_server_that_says_nothing_is_left(server: _Server) -> None:
    def handle(_: BaseHTTPRequestHandler) -> None:
        server.over.wait()

    assert _why(server, handle) == "the image's config could not be downloaded: no answer within 1 s"


@pytest.mark.usefixtures("impatient")
def test_a_server_that_drips_is_left(server: _Server) -> None:
    def handle(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", "1000")
        request.end_headers()
        while not server.over.wait(0.05):
            request.wfile.write(b" ")
            request.wfile.flush()

    assert _why(server, handle) == "the image's config could not be downloaded: it was not whole after 1 s"


def test_a_server_that_is_not_there_is_unknown(server: _Server) -> None:
    found = _read(_account("http://127.0.0.1:1/layer?X-Amz-Signature=secret"))
    assert isinstance(found, NoAnswer)
    assert found.why == "the image's config could not be downloaded: no connection"


def test_a_config_that_is_another_is_unknown(server: _Server) -> None:
    other = CONFIG.replace(b"arm64", b"amd64")
    assert _why(server, _send(200, other)) == (f"the image's config is not what its manifest says: it has not {DIGEST}")


@pytest.mark.parametrize("content", [b"<html>", b"[]", b"null", b'{"os": "linux"}', b"\xff"])
def test_a_config_that_names_no_platform_is_unknown(content: bytes) -> None:
    assert platform_of(content) == NoAnswer(why="the image's config names no platform")


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        (
            {"GetDownloadUrlForLayer": DeniedError("ecr:GetDownloadUrlForLayer", "because no session policy allows")},
            "ecr:GetDownloadUrlForLayer: denied by the session's policy: no statement allows it",
        ),
        ({"GetDownloadUrlForLayer": {}}, "AWS's answer has no 'downloadUrl'"),
        ({"BatchGetImage": {"images": []}}, "ECR gave no manifest"),
        ({"BatchGetImage": {"failures": []}}, "AWS's answer has no 'images'"),
        ({"BatchGetImage": {"images": [{"imageManifest": "{"}]}}, "AWS's answer is not as documented: "),
        ({"BatchGetImage": {"images": [{"imageManifest": "{}"}]}}, "AWS's answer has no 'config'"),
    ],
)
def test_half_answers_of_ecr_are_unknown(answers: dict[str, Answer], why: str) -> None:
    found = _read(_account("http://127.0.0.1:1/", **answers))
    assert isinstance(found, NoAnswer)
    assert found.why.startswith(why)


def test_an_image_that_ecr_may_not_be_asked_about_is_not_absent() -> None:
    where = repository_of(IMAGE)
    assert where is not None
    denied = DeniedError("ecr:DescribeImages", "with an explicit deny in a service control policy")
    found = read_image(_account("", DescribeImages=denied), where)
    assert not isinstance(found, Absent | Image)
    assert found.why == "ecr:DescribeImages: denied by an explicit deny in a service control policy of the organization"
