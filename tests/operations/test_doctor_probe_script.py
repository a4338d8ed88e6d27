"""What runs in the probe's container, run as it runs there, against servers on this machine."""

from __future__ import annotations

import json
import os
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from byoc.operations.doctor import probe_script
from byoc.operations.doctor.probe import answers_of

SECONDS = "2"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for ``localhost`` that vouches for itself, with its key behind it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Example Trust")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    plain = serialization.NoEncryption()
    text = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + text)
    return path


@contextmanager
def _server(certificate: Path | None = None, *, garbage: bool = False) -> Iterator[int]:
    """A port that takes connections: over TLS, with garbage, or in silence."""
    listener = socket.create_server(("127.0.0.1", 0))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if certificate is not None:
        context.load_cert_chain(certificate)
    open_: list[socket.socket] = []

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
                open_.append(connection)
                if garbage:
                    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                elif certificate is not None:
                    open_.append(context.wrap_socket(connection, server_side=True))
            except ssl.SSLError:
                continue
            except OSError:
                return

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for connection in open_:
            connection.close()


def _run(*destinations: str, trust: Path | None = None) -> dict[str, dict[str, str]]:
    """The answers of the script, given to Python as text, as ECS gives it."""
    source = Path(probe_script.__file__).read_text()
    environment = {"PATH": os.environ["PATH"], "BYOC_EGRESS": " ".join(destinations), "BYOC_EGRESS_SECONDS": SECONDS}
    if trust is not None:
        environment["SSL_CERT_FILE"] = str(trust)
    done = subprocess.run(
        [sys.executable, "-c", source],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    (line,) = done.stdout.splitlines()
    found = answers_of(line)
    assert found is not None
    assert done.stderr == ""
    return {name: dict(answer) for name, answer in found.items()}


def test_a_host_that_answers_over_tls_is_reached(certificate: Path) -> None:
    with _server(certificate) as port:
        answers = _run(f"localhost:{port}", trust=certificate)
    assert answers == {
        f"localhost:{port}": {"stage": "reached", "why": "", "tls": "TLSv1.3", "issuer": "Example Trust"}
    }


def test_a_certificate_that_nobody_trusts_ends_at_tls(certificate: Path) -> None:
    with _server(certificate) as port:
        (answer,) = _run(f"localhost:{port}").values()
    assert answer["stage"] == "tls"
    assert "certificate verify failed: self-signed certificate" in answer["why"]


def test_a_certificate_for_another_name_ends_at_tls(certificate: Path) -> None:
    with _server(certificate) as port:
        (answer,) = _run(f"127.0.0.1:{port}", trust=certificate).values()
    assert answer["stage"] == "tls"
    assert "IP address mismatch, certificate is not valid for '127.0.0.1'" in answer["why"]


def test_a_host_that_does_not_speak_tls_ends_at_tls() -> None:
    with _server(garbage=True) as port:
        (answer,) = _run(f"localhost:{port}").values()
    assert answer["stage"] == "tls"
    assert answer["why"]


def test_a_closed_port_ends_at_the_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    (answer,) = _run(f"127.0.0.1:{port}").values()
    assert answer["stage"] == "tcp"
    assert "Connection refused" in answer["why"]


def test_a_name_that_nobody_knows_ends_at_the_look_up() -> None:
    (answer,) = _run("nobody.invalid:443").values()
    assert answer["stage"] == "dns"
    assert "Errno" in answer["why"]


@pytest.mark.parametrize("destination", ["localhost:no-port", f"{'a' * 64}.example:443"])
def test_a_name_that_is_none_is_an_answer_too(destination: str) -> None:
    (answer,) = _run(destination).values()
    assert answer["stage"] == "dns"
    assert answer["why"] not in ("", "timed out")


def test_one_host_that_hangs_keeps_no_other_from_its_answer(certificate: Path) -> None:
    with _server(certificate) as good, _server() as silent:
        answers = _run(f"localhost:{silent}", f"localhost:{good}", trust=certificate)
    assert answers[f"localhost:{good}"]["stage"] == "reached"
    assert (answers[f"localhost:{silent}"]["stage"], answers[f"localhost:{silent}"]["why"]) == ("tls", "timed out")


def test_a_look_up_that_never_ends_does_not_keep_the_container(certificate: Path) -> None:
    """The name service cannot be made to hang here: the look-up is replaced, all else is the script."""
    source = Path(probe_script.__file__).read_text()
    hanging = "import socket, time\nsocket.getaddrinfo = lambda *_, **__: time.sleep(600)\n"
    done = subprocess.run(
        [sys.executable, "-c", hanging + source.replace("from __future__ import annotations\n", "")],
        env={"PATH": os.environ["PATH"], "BYOC_EGRESS": "localhost:1", "BYOC_EGRESS_SECONDS": "0.2"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    answer = json.loads(done.stdout)["byocEgress"]["localhost:1"]
    assert (answer["stage"], answer["why"]) == ("dns", "timed out")


def test_it_imports_nothing_that_an_image_may_lack() -> None:
    source = Path(probe_script.__file__).read_text()
    imported = {line.split()[1] for line in source.splitlines() if line.strip().startswith(("import ", "from "))}
    assert imported - {"certifi"} <= sys.stdlib_module_names | {"__future__"}
    assert "    import certifi" in source  # tried, and not needed
